"""Other libraries' dictionaries give the codes of their own equations here, and ours theirs, or are refused."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, strategies as st
from safetensors.torch import load_file
from torch import Tensor

import foreign
import inrlens as il
import toys
from foreign import D, K, N
from inrlens.checkpoints import load_sae
from inrlens.dictionaries.exchange import sparsify as sparsify_layout
from inrlens.dictionaries.exchange.read import read_dictionary
from inrlens.dictionaries.exchange.sparsify import write_sparsify
from inrlens.dictionaries.topk import SparseAutoencoder


def largest(u: Tensor, k: int) -> Tensor:
    """All but the k largest of each row set to zero, then the negative ones."""
    kept = torch.zeros_like(u)
    for row, values in enumerate(u):
        for atom in sorted(range(u.shape[1]), key=lambda a: -float(values[a]))[:k]:
            kept[row, atom] = max(float(values[atom]), 0.0)
    return kept


def ours(sae: SparseAutoencoder, h: Tensor) -> tuple[Tensor, Tensor]:
    """Dense codes ``(N, n)`` and the reconstruction."""
    h = h.to(sae.decoder.dtype)
    values, atoms = sae.encode(h)
    return torch.zeros(h.shape[0], sae.n_atoms, dtype=h.dtype).scatter_(1, atoms, values), sae.decode(values, atoms)


@pytest.mark.parametrize("layout", foreign.LAYOUTS)
def test_codes_and_reconstruction_are_those_of_the_library(tmp_path: Path, layout: str) -> None:
    t = foreign.draws()
    foreign.LAYOUTS[layout](tmp_path, t, {})
    sae = read_dictionary(tmp_path, layer=2)
    z = largest((t["h"] - t["b"]) @ t["E"].T + t["e"], K)
    found, h_hat = ours(sae, t["h"])
    assert (found > 0.0).sum() > N
    torch.testing.assert_close(found, z)
    torch.testing.assert_close(h_hat, z @ t["D"] + t["b"])
    assert (sae.layer, sae.n_atoms, sae.width, sae.k) == (2, N, D, K)
    assert not any(parameter.requires_grad for parameter in sae.parameters())
    assert sae.origin.settings["source"] == layout
    assert sae.origin.settings["folded"] == []


@pytest.mark.parametrize("layout", foreign.LAYOUTS)
def test_unit_rows_are_taken_over_to_the_bit_and_half_types_exactly(tmp_path: Path, layout: str) -> None:
    for name, half in {"32": torch.float32, "16": torch.float16}.items():
        t = {key: value.to(half) for key, value in foreign.draws().items()}
        foreign.LAYOUTS[layout](tmp_path / name, t, {})
        sae = read_dictionary(tmp_path / name, layer=0)
        assert sae.decoder.dtype == torch.float32
        pairs = ((sae.encoder, "E"), (sae.encoder_bias, "e"), (sae.decoder, "D"), (sae.pre_bias, "b"))
        for parameter, key in pairs:
            assert torch.equal(parameter, t[key].float())


@pytest.mark.parametrize("layout", foreign.LAYOUTS)
def test_what_was_read_goes_through_our_own_checkpoint(tmp_path: Path, layout: str) -> None:
    foreign.LAYOUTS[layout](tmp_path / "theirs", foreign.draws(3.0), {})
    sae = read_dictionary(tmp_path / "theirs", layer=1)
    il.save(sae, tmp_path / "a")
    found = load_sae(tmp_path / "a")
    assert found.origin == sae.origin
    h = foreign.draws()["h"]
    assert torch.equal(ours(found, h)[1], ours(sae, h)[1])


def test_settings_keep_what_the_library_says(tmp_path: Path) -> None:
    for layout, write in foreign.LAYOUTS.items():
        write(tmp_path / layout, foreign.draws(), {})
    about = {layout: read_dictionary(tmp_path / layout, layer=1).origin.settings for layout in foreign.LAYOUTS}
    assert about["sparsify"].items() >= {"k": K, "d_in": D, "num_latents": N, "dtype": "float64"}.items()
    assert about["sae_lens"].items() >= {"hook_name": "layers.2", "model_name": "siren", "d_sae": N}.items()
    assert about["dictionary_learning"].items() >= {"layer": 2, "lm_name": "siren", "seed": 7, "dict_size": N}.items()
    assert "submodule_name" not in about["dictionary_learning"]


@given(
    n=st.integers(1, 9),
    d=st.integers(1, 5),
    seed=st.integers(0, 99),
    kind=st.sampled_from(["unit", "common", "unequal"]),
    centred=st.booleans(),
    by_length=st.booleans(),
    data=st.data(),
)
def test_every_case_of_sae_lens_is_exact_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    n: int,
    d: int,
    seed: int,
    kind: str,
    centred: bool,
    by_length: bool,
    data: st.DataObject,
) -> None:
    k = data.draw(st.integers(1, n))
    lengths = {"unit": torch.ones(n), "common": torch.full((n,), 0.3), "unequal": foreign.unequal(n)}[kind]
    t = foreign.draws(lengths, seed, n, d)
    folder = tmp_path_factory.mktemp("lens")
    flags = {"apply_b_dec_to_input": centred, "rescale_acts_by_decoder_norm": by_length}
    foreign.write_lens(folder, t, {"k": k, **flags})
    u = (t["h"] - t["b"] if centred else t["h"]) @ t["E"].T + t["e"]
    size = t["D"].norm(dim=1)
    z = largest(u * size if by_length else u, k)
    h_hat = z @ (t["D"] / size[:, None] if by_length else t["D"]) + t["b"]
    policy: Any = "refuse"
    if kind == "unequal" and not by_length and k < n:
        with pytest.raises(il.InputError, match="give the rows one length and save it again, or accept"):
            read_dictionary(folder, layer=0)
        # Read nevertheless, it is the dictionary of the same rows that chooses by length.
        policy, z, by_length = "rescale", largest(u * size, k), True
        h_hat = z @ (t["D"] / size[:, None]) + t["b"]
    sae = read_dictionary(folder, layer=0, uneven_rows=policy)
    found, reconstructed = ours(sae, t["h"])
    torch.testing.assert_close(sae.decoder.norm(dim=1), torch.ones(n, dtype=torch.float64))
    torch.testing.assert_close(found, z if by_length else z * size)
    torch.testing.assert_close(reconstructed, h_hat)


def test_unequal_rows_would_choose_other_atoms() -> None:
    """Why they are refused: folding the lengths in anyway is no rounding error."""
    t = foreign.draws(foreign.unequal())
    u = (t["h"] - t["b"]) @ t["E"].T + t["e"]
    assert bool(((largest(u, K) > 0.0) != (largest(u * foreign.unequal(), K) > 0.0)).any())


@pytest.mark.parametrize("layout", ["sparsify", "dictionary_learning"])
def test_lengths_elsewhere(tmp_path: Path, layout: str) -> None:
    t = foreign.draws(0.25)
    foreign.LAYOUTS[layout](tmp_path / "common", t, {})
    z = largest((t["h"] - t["b"]) @ t["E"].T + t["e"], K)
    sae = read_dictionary(tmp_path / "common", layer=0)
    found, h_hat = ours(sae, t["h"])
    torch.testing.assert_close(found, 0.25 * z)
    torch.testing.assert_close(h_hat, z @ t["D"] + t["b"])
    assert sae.origin.settings["folded"] == ["common row length 0.25 into encoder and codes"]
    foreign.LAYOUTS[layout](tmp_path / "unequal", foreign.draws(foreign.unequal()), {})
    with pytest.raises(il.InputError, match=r"lengths from 0.5 to 2 and its k largest codes are chosen without them"):
        read_dictionary(tmp_path / "unequal", layer=0)
    sae = read_dictionary(tmp_path / "unequal", layer=0, uneven_rows="rescale")
    assert sae.origin.settings["folded"] == [
        "row lengths 0.5 to 2 into encoder and codes",
        "the k largest chosen by rescaled codes, not as it was trained",
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sparsify_there_and_back_to_the_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    field = toys.field()
    sae = toys.sae(field, layer=2, dtype=dtype)
    write_sparsify(sae, tmp_path / "coder")
    assert sorted(entry.name for entry in (tmp_path / "coder").iterdir()) == ["cfg.json", "sae.safetensors"]
    back = read_dictionary(tmp_path / "coder", layer=2)
    for name, value in sae.state_dict().items():
        assert back.state_dict()[name].dtype == value.dtype
        assert torch.equal(back.state_dict()[name], value), name
    assert (back.k, back.layer, back.origin.settings["folded"]) == (sae.k, 2, [])
    about = json.loads((tmp_path / "coder" / "cfg.json").read_text())
    assert about == {
        "activation": "topk",
        "expansion_factor": 1,
        "normalize_decoder": True,
        "num_latents": 24,
        "k": 4,
        "multi_topk": False,
        "skip_connection": False,
        "transcode": False,
        "d_in": 16,
    }
    assert len({entry.stat().st_mode for entry in (tmp_path / "coder").iterdir()}) == 1
    state = load_file(tmp_path / "coder" / "sae.safetensors")
    assert {name: tuple(value.shape) for name, value in state.items()} == {
        "encoder.weight": (24, 16),
        "encoder.bias": (24,),
        "W_dec": (24, 16),
        "b_dec": (16,),
    }


def test_num_latents_of_zero_means_the_expansion_factor(tmp_path: Path) -> None:
    foreign.write_coder(tmp_path, foreign.draws(n=10), {"num_latents": 0, "expansion_factor": 2})
    assert read_dictionary(tmp_path, layer=0).n_atoms == 10


def test_force_replaces_a_coder_and_nothing_else(tmp_path: Path) -> None:
    field = toys.field()
    first, second, folder = toys.sae(field), toys.sae(field, seed=1), tmp_path / "coder"
    write_sparsify(first, folder, force=True)
    with pytest.raises(il.InputError, match="coder exists already: give another path, or --force"):
        write_sparsify(second, folder)
    write_sparsify(second, folder, force=True)
    assert torch.equal(read_dictionary(folder, layer=1).decoder, second.decoder)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(il.InputError, match=r"also holds 'notes.txt', which --force would delete: give another path"):
        write_sparsify(first, folder, force=True)
    assert torch.equal(read_dictionary(folder, layer=1).decoder, second.decoder)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(il.InputError, match="link is a symbolic link"):
        write_sparsify(first, tmp_path / "link", force=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["coder", "link"]


@pytest.mark.parametrize("force", [False, True])
def test_a_disk_that_fills_up_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    field = toys.field()
    sae, folder = toys.sae(field), tmp_path / "coder"
    if force:
        write_sparsify(sae, folder)

    def full(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sparsify_layout, "save", full)
    with pytest.raises(il.InputError, match="coder could not be written: No space left on device"):
        write_sparsify(toys.sae(field, seed=1), folder, force)
    assert [entry.name for entry in tmp_path.iterdir()] == (["coder"] if force else [])
    if force:
        assert torch.equal(read_dictionary(folder, layer=1).decoder, sae.decoder)


def test_a_rename_that_fails_puts_the_old_coder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    field = toys.field()
    sae, folder, rename = toys.sae(field), tmp_path / "coder", Path.replace
    write_sparsify(sae, folder)

    def fails(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(il.InputError, match="coder could not be written: Input/output error"):
        write_sparsify(toys.sae(field, seed=1), folder, force=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["coder"]
    assert torch.equal(read_dictionary(folder, layer=1).decoder, sae.decoder)


def _library(name: str) -> Any:
    """An installed library, whose own warnings are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, exc_type=ImportError)


def _rows() -> Tensor:
    return torch.randn(200, 16, generator=toys.generator(3))


def _close(one: tuple[Tensor, Tensor], two: tuple[Tensor, Tensor]) -> None:
    for found, expected in zip(one, two, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_installed_sparsify_reads_ours_and_we_read_its(tmp_path: Path) -> None:
    sparsify = _library("sparsify")
    sae, h = toys.sae(toys.field()), _rows()
    write_sparsify(sae, tmp_path / "ours")
    coder = sparsify.SparseCoder.load_from_disk(tmp_path / "ours")
    with torch.no_grad():
        values, atoms, _ = coder.encode(h)
        dense = torch.zeros(h.shape[0], sae.n_atoms).scatter_(1, atoms, values)
        _close(ours(sae, h), (dense, coder.decode(values, atoms)))
    coder.save_to_disk(tmp_path / "theirs")
    back = read_dictionary(tmp_path / "theirs", layer=1)
    assert all(torch.equal(back.state_dict()[name], value) for name, value in sae.state_dict().items())


def test_the_installed_dictionary_learning(tmp_path: Path) -> None:
    top_k = _library("dictionary_learning.trainers.top_k")
    torch.manual_seed(0)
    trainer = top_k.TopKTrainer(3, 16, 24, 4, layer=2, lm_name="siren", device="cpu", warmup_steps=0)
    for step in range(3):
        trainer.update(step, _rows())
    foreign.write_json(tmp_path / "config.json", {"trainer": trainer.config})
    torch.save(trainer.ae.state_dict(), tmp_path / "ae.pt")
    with torch.no_grad():
        expected = trainer.ae(_rows(), output_features=True)[::-1]
        _close(ours(read_dictionary(tmp_path, layer=2), _rows()), expected)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("by_length", [True, False])
def test_the_installed_sae_lens(tmp_path: Path, centred: bool, by_length: bool) -> None:
    lens = _library("sae_lens")
    config = lens.TopKSAEConfig(16, 24, k=4, apply_b_dec_to_input=centred, rescale_acts_by_decoder_norm=by_length)
    sae, t = lens.TopKSAE(config), foreign.draws(foreign.unequal(24) if by_length else 1.0, n=24, d=16)
    state = {"W_enc": t["E"].T, "b_enc": t["e"], "W_dec": t["D"], "b_dec": t["b"]}
    sae.load_state_dict({name: value.float() for name, value in state.items()})
    sae.save_model(tmp_path)
    with torch.no_grad():
        z = sae.encode(_rows())
        _close(ours(read_dictionary(tmp_path, layer=2), _rows()), (z, sae.decode(z)))


def test_a_file_of_saelens_that_does_not_say_takes_its_inputs_less_the_bias(tmp_path: Path) -> None:
    """As SAELens does where nothing else is said."""
    tensors = foreign.draws()
    foreign.write_lens(tmp_path / "said", tensors)
    foreign.write_lens(tmp_path / "unsaid", tensors)
    about = json.loads((tmp_path / "unsaid" / "cfg.json").read_text())
    del about["apply_b_dec_to_input"]
    (tmp_path / "unsaid" / "cfg.json").write_text(json.dumps(about))
    said, unsaid = (il.read_dictionary(tmp_path / name, layer=2) for name in ("said", "unsaid"))
    for name, value in said.state_dict().items():
        assert torch.equal(value, unsaid.state_dict()[name]), name
