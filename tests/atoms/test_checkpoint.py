"""An atlas in a file: the same bits, read as they are looked at, and refused where they are not whole."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

import inrlens as il
import toys
from inrlens.checkpoints import load_atlas, load_field, load_sae
from inrlens.container import Container, read_container, write_container


@pytest.fixture(params=[True, False], ids=["with a signal", "without"])
def atlas(request: pytest.FixtureRequest) -> il.Effects:
    field = toys.field()
    sae = toys.sae(field)
    return il.effects(field, sae, il.encode(field, sae), 1, signal=toys.signal(1) if request.param else None)


def test_it_comes_back_bit_for_bit(atlas: il.Effects, tmp_path: Path) -> None:
    il.save(atlas, tmp_path / "a.safetensors")
    back = load_atlas(tmp_path / "a.safetensors")
    for name in ("delta", "output"):
        assert torch.equal(getattr(back, name), getattr(atlas, name))
    assert torch.equal(back.codes.indices, atlas.codes.indices)
    assert torch.equal(back.codes.values, atlas.codes.values)
    assert (back.head, back.layer, back.codes.grid, back.codes.n_atoms) == (1, 1, toys.GRID, 24)
    assert not back.delta[back.codes.values == 0.0].any()
    for entry in fields(il.Footprint):
        kept, found = getattr(atlas.footprint, entry.name), getattr(back.footprint, entry.name)
        assert torch.equal(kept.nan_to_num(nan=-7.0), found.nan_to_num(nan=-7.0)), entry.name
    if atlas.signal is None:
        assert back.signal is None
    else:
        assert back.signal is not None
        assert back.signal.digest == atlas.signal.digest
        assert back.rank() == atlas.rank()
        assert torch.equal(il.psnr_drops(back, atlas.signal), back.psnr_drop)
    assert torch.equal(back.of(3), atlas.of(3))


def test_opening_reads_no_effects(tmp_path: Path) -> None:
    """A hundred megabytes of effects are opened without taking their place in memory."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    if not Path("/proc/self/statm").is_file():
        pytest.skip("/proc/self/statm tells the memory in use on Linux only")
    codes = il.Codes(torch.zeros(2_000_000, 1, dtype=torch.int32), torch.zeros(2_000_000, 1), 2, (2000, 1000))
    il.save(il.Effects(torch.zeros(2_000_000, 1, 12), torch.zeros(2_000_000, 12), codes, 0, 0), tmp_path / "big")
    before = resident()
    back = load_atlas(tmp_path / "big")
    assert back.delta.numel() * 4 == 96_000_000
    assert resident() - before < 60_000_000
    assert not back.delta[1_999_999].any()


def test_a_file_cut_short_or_of_another_kind(atlas: il.Effects, tmp_path: Path) -> None:
    whole = tmp_path / "a.safetensors"
    il.save(atlas, whole)
    content = whole.read_bytes()
    for size in (10, len(content) // 2, len(content) - 1):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(il.InputError, match="cut is not a checkpoint of InrLens, or it is cut short or damaged"):
            il.load(tmp_path / "cut")
    with pytest.raises(il.InputError, match="holds an atlas, a field is needed here"):
        load_field(whole)
    with pytest.raises(il.InputError, match="holds an atlas, a dictionary is needed here"):
        load_sae(whole)
    il.save(toys.field(), tmp_path / "field")
    with pytest.raises(il.InputError, match="holds a field, an atlas is needed here"):
        load_atlas(tmp_path / "field")
    with pytest.raises(il.InputError, match="exists already"):
        il.save(atlas, whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_atoms": 3}, "its codes name atoms 0 to 2[0-9], its description has 0 to 2"),
        ({"n_atoms": 10**12}, "it is damaged"),
        ({"n_atoms": -1}, "its description is damaged"),
        ({"grid": [10**9, 10**9]}, "it is damaged"),
        ({"grid": [7, 7]}, "tensor 'delta' has shape"),
        ({"k": 5}, "tensor 'delta' has shape"),
        ({"head": None}, "its description is damaged"),
        ({"dtype": "float64"}, "tensor 'delta' holds torch.float32"),
    ],
)
def test_descriptions_that_do_not_fit(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    field = toys.field()
    sae = toys.sae(field)
    il.save(il.effects(field, sae, il.encode(field, sae)), tmp_path / "a")
    found = read_container(tmp_path / "a")
    write_container(tmp_path / "b", Container(found.kind, {**found.description, **change}, found.tensors))
    with pytest.raises(il.InputError, match=message):
        il.load(tmp_path / "b")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("values", -1.0, "its codes hold negative values or NaN"),
        ("values", float("nan"), "its codes hold negative values or NaN"),
        ("psnr_drop", float("nan"), "its PSNR drops hold NaN"),
        ("footprint.energy", -5.0, "footprints hold numbers that cannot be"),
        ("footprint.pieces", -3, "footprints hold numbers that cannot be"),
    ],
)
def test_contents_that_cannot_be(name: str, value: float, message: str, tmp_path: Path) -> None:
    field = toys.field()
    sae = toys.sae(field)
    il.save(il.effects(field, sae, il.encode(field, sae), signal=toys.signal()), tmp_path / "a")
    found = read_container(tmp_path / "a")
    damaged = {**found.tensors, name: torch.full_like(found.tensors[name], value)}
    write_container(tmp_path / "b", Container(found.kind, found.description, damaged))
    with pytest.raises(il.InputError, match=message):
        il.load(tmp_path / "b")


def test_the_mask_of_its_signal_comes_back(tmp_path: Path) -> None:
    field = toys.field()
    sae, used = toys.sae(field, 1), torch.rand(toys.GRID, generator=toys.generator(3)) < 0.4
    found = il.effects(field, sae, il.encode(field, sae), signal=toys.signal().masked(used))
    il.save(found, tmp_path / "a.safetensors")
    signal = load_atlas(tmp_path / "a.safetensors").signal
    assert signal is not None
    assert signal.mask is not None
    assert torch.equal(signal.mask, used.reshape(-1))


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_code_of_an_atom_that_there_is_not(beyond: int, atlas: il.Effects, tmp_path: Path) -> None:
    """The first atom after the last one is none either."""
    il.save(atlas, tmp_path / "a.safetensors")
    held = read_container(tmp_path / "a.safetensors")
    indices = held.tensors["indices"].clone()
    indices[0, 0] = atlas.codes.n_atoms + beyond
    write_container(
        tmp_path / "b.safetensors", Container(held.kind, held.description, {**held.tensors, "indices": indices})
    )
    with pytest.raises(
        il.InputError, match=rf"its codes name atoms \d+ to {atlas.codes.n_atoms + beyond}, its description"
    ):
        load_atlas(tmp_path / "b.safetensors")
