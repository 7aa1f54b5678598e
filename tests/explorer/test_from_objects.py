"""Explorers of networks given from Python: wrapped ones and fields, held against the library's own answers."""

import html
import json
import re
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import inrlens as il
import inrlens.explorer.notebook_iframe as frames
import toys
from foreign import plain
from inrlens.explorer.bundle_digest import source_digest
from inrlens.explorer.from_objects import given
from inrlens.explorer.manifest import MANIFEST_FILE
from inrlens.explorer.notebook_iframe import Frame
from inrlens.fields.network import Network

GRID = (12, 15)
HALF = 2.0**-10


def wrapped(channels: int = 3, heads: int = 1) -> il.Wrapped:
    """A plain module of two layers, wrapped; it knows no grid."""
    return il.wrap(
        plain(channels=channels * heads, width=16, depth=2), ["1", "3"], output=(-1.0, 1.0), channels=channels
    )


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of an explorer's folder."""
    content = json.loads((folder / MANIFEST_FILE).read_text())
    assert isinstance(content, dict)
    return content


def read(folder: Path, place: dict[str, Any]) -> np.ndarray:
    """An array by its descriptor."""
    kind, count = np.dtype(place["type"]).newbyteorder("<"), int(np.prod(place["shape"]))
    return np.fromfile(folder / place["file"], kind, count, offset=place["offset"]).reshape(place["shape"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_wrapped_network_with_its_maps_and_effects(tmp_path: Path, dtype: torch.dtype) -> None:
    network = il.wrap(plain(width=16, depth=2).to(dtype), ["1", "3"], output=(-1.0, 1.0))
    saes = [toys.sae(network, layer) for layer in (0, 1)]
    photo = toys.signal(2, GRID)
    made = il.write_explorer(network, tmp_path / "page", sae=saes, signal=photo)
    assert (made.path, made.networks, made.dictionaries, made.notes) == (tmp_path / "page", 1, 2, ())
    (about,) = manifest_of(made.path)["networks"]
    assert (about["name"], about["backbone"], about["kind"]) == ("Sequential", "Sequential", "wrapped")
    assert (about["run"], about["seed"], about["layers"], about["encoding"]) == (None, None, None, None)
    assert (about["grid"], about["depth"], about["width"], about["heads"]) == ([12, 15], 2, 16, 1)
    advice = il.freeze_advice(network)
    assert (about["tau"], about["advice"]) == (advice.tau, advice.sentence)
    assert about["ranks"]["weight"] == list(advice.weight_stable_rank)
    assert about["ranks"]["activation"]["post"] == list(il.activation_stable_ranks(network, GRID)["post"])
    (signal,) = about["signals"]
    output = read(made.path, signal["output"])
    assert (signal["name"], signal["weight"], signal["bias"]) == (photo.name, None, None)
    assert output == pytest.approx(network.render(grid=GRID).reshape(-1, 3).numpy(), abs=1e-6)
    assert signal["psnr"] == pytest.approx(il.psnr(network.render(grid=GRID).float(), photo.image()), abs=1e-4)
    for entry, sae in zip(about["dictionaries"], saes, strict=True):
        assert entry["name"] == f"layer {sae.layer}"
        codes = il.encode(network, sae, GRID)
        drops = il.effects(network, sae, codes, signal=photo).measure("psnr_drop")
        (told,) = entry["effects"]
        assert read(made.path, told["numbers"]["psnr_drop"]) == pytest.approx(drops.numpy(), rel=1e-4, abs=1e-6)
        starts, rows, values = (read(made.path, entry[name]) for name in ("starts", "rows", "codes"))
        delta = read(made.path, told["delta"]).astype(np.float64)
        for atom in range(sae.n_atoms):
            part = slice(int(starts[atom]), int(starts[atom + 1]))
            dense = np.zeros(len(output))
            dense[rows[part]] = values[part]
            assert dense == pytest.approx(codes.map(atom).reshape(-1).numpy(), rel=HALF, abs=1e-6)
            without = output.astype(np.float64)
            without[rows[part]] -= delta[part]
            exact = il.edit(network, sae, {atom: 0.0}, grid=GRID).reshape(output.shape).numpy()
            assert without == pytest.approx(exact, abs=HALF * max(1.0, float(np.abs(delta).max())))


@pytest.mark.few_backbones
def test_a_field_is_given_as_a_run_would_have_it(backbone: str, tmp_path: Path) -> None:
    """Its layers are there, so that the page can run them, and nothing else than its own file would say."""
    field = toys.field(backbone, grid=(9, 7))
    photos = toys.signals(2, GRID)
    folder = il.write_explorer(field, tmp_path / "page", sae=toys.sae(field, 1), signal=photos, signals=1).path
    manifest = manifest_of(folder)
    (about,) = manifest["networks"]
    assert (about["name"], about["backbone"], about["kind"]) == (f"untrained_{backbone}", backbone, "untrained")
    assert (about["seed"], about["grid"], len(about["layers"])) == (0, [12, 15], 4)
    assert manifest["notes"] == [f"{about['name']} is shown on 1 of its 2 signals; 1 more signal: signals=None."]
    for index, entry in enumerate(about["layers"]):
        layer = field.encoder.layer(index)
        assert np.array_equal(read(folder, entry["weight"]), layer.weight.detach().numpy())
        assert entry["parameters"] == dict(layer.nonlinearity.parameters)
    (signal,) = about["signals"]
    assert np.array_equal(read(folder, signal["weight"]), field.head.weight[:3].detach().numpy())


def test_an_encoding_that_the_page_does_not_know_is_named(tmp_path: Path) -> None:
    field = toys.field("hashgrid", heads=1)
    folder = il.write_explorer(field, tmp_path / "page", sae=toys.sae(field, 1), signal=toys.signal()).path
    (about,) = manifest_of(folder)["networks"]
    assert about["encoding"] == {"kind": "HashEncoding", "frequencies": None}
    assert len(about["layers"]) == 4


def test_several_dictionaries_of_a_layer_are_told_apart(tmp_path: Path) -> None:
    network = wrapped()
    saes = [toys.sae(network, 1, seed=0), toys.sae(network, 1, seed=1), toys.sae(network, 0), toys.sae(network, 0)]
    (found,) = given(network, saes, toys.signal(0, GRID)).networks
    same = "layer 0, seed 0, n = 24, k = 4, number"
    assert [one.name for one in found.dictionaries] == [f"{same} 2", f"{same} 3", "layer 1, seed 0", "layer 1, seed 1"]


def test_a_network_without_a_dictionary_says_how_to_get_one(tmp_path: Path) -> None:
    made = il.write_explorer(wrapped(), tmp_path / "page.html", signal=toys.signal(0, GRID))
    assert made.notes == (
        "Sequential has no dictionary yet: train one with `inrlens.train_sae(network, layer=1, n_atoms=1024, "
        "k=32).sae` and give it as sae=.",
    )
    assert made.bytes == made.path.stat().st_size
    assert '<script type="importmap">' in made.path.read_text()


class Squared(nn.Module):
    """A layer that runs no linear map."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Its square beside it, and their product."""
        return torch.cat([x, x.square(), x.prod(dim=1, keepdim=True)], dim=1)


def test_a_network_without_any_matrix_is_shown_without_advice(tmp_path: Path) -> None:
    network = il.wrap(nn.Sequential(Squared(), nn.Linear(5, 3)), ["0"])
    folder = il.write_explorer(network, tmp_path / "page", sae=toys.sae(network, 0), signal=toys.signal(0, GRID)).path
    (about,) = manifest_of(folder)["networks"]
    assert about["tau"] is None
    assert about["ranks"]["weight"] == about["ranks"]["activation"]["pre"] == [None]
    assert "there is no sr(W) to advise a freeze depth" in about["advice"]


def test_the_source_changes_with_all_that_decides_it() -> None:
    network, photo = wrapped(), toys.signal(0, GRID)
    one = toys.sae(network, 1)

    def source(network: Network = network, sae: Any = one, signal: il.Signal = photo) -> str:
        return source_digest(given(network, sae, signal), 3)

    assert source() == source(sae=[toys.sae(network, 1)]) == source(network=wrapped())
    other = il.wrap(plain(width=16, depth=2, seed=1), ["1", "3"], output=(-1.0, 1.0))
    wider = il.wrap(plain(width=16, depth=2), ["1", "3"], output=(-1.0, 2.0))
    changed = [
        source(network=other),
        source(network=wider),
        source(sae=toys.sae(network, 1, seed=1)),
        source(sae=()),
        source(signal=replace(photo, values=1.0 - photo.values)),
        source(signal=replace(photo, name="other")),
    ]
    assert len({source(), *changed}) == 1 + len(changed)


def test_it_goes_into_a_notebook_and_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network, photo = wrapped(), toys.signal(0, GRID)
    sae = toys.sae(network, 1)
    cell = il.show(network, sae=sae, signal=photo, height=500)
    assert isinstance(cell, Frame)
    (page,) = re.findall(r'srcdoc="([^"]*)"', cell._repr_html_())
    assert (html.unescape(page), cell.title) == (cell.page, "InrLens explorer: Sequential")
    assert "height:500px" in cell._repr_html_()
    monkeypatch.setattr(frames, "write_own", lambda *given: pytest.fail("it is there already"))
    assert il.show(network, sae=sae, signal=photo).page == cell.page


def test_a_large_one_is_served_from_a_folder_that_goes_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LARGEST_INSIDE", 10)
    network, photo = wrapped(), toys.signal(1, GRID)
    cells = [il.show(network, signal=photo) for _ in range(2)]
    urls = [cell.url for cell in cells if isinstance(cell, Frame)]
    assert urls[0] == urls[1]
    assert urls[0] is not None
    with urllib.request.urlopen(f"{urls[0]}manifest.json", timeout=10) as answer:
        assert json.load(answer)["title"] == "Sequential"


def test_every_head_has_its_signal(tmp_path: Path) -> None:
    network, photos = wrapped(heads=3), toys.signals(3, GRID)
    saes = toys.sae(network, 1)
    folder = il.write_explorer(network, tmp_path / "page", sae=saes, signal=photos, signals=None).path
    (about,) = manifest_of(folder)["networks"]
    assert [(one["head"], one["name"]) for one in about["signals"]] == [(0, "toy 0"), (1, "toy 1"), (2, "toy 2")]
    for head, signal in enumerate(about["signals"]):
        found = read(folder, signal["output"])
        assert found == pytest.approx(network.render(head, GRID).reshape(-1, 3).numpy(), abs=1e-6)
    assert [one["head"] for one in about["dictionaries"][0]["effects"]] == [0, 1, 2]


def test_what_does_not_fit_is_refused_with_a_sentence(tmp_path: Path) -> None:
    network, photo = wrapped(), toys.signal(0, GRID)
    two, deep = wrapped(heads=2), toys.field(heads=1, channels=1, grid=(2, 3, 2, 2), coordinates=4)
    grey, sound = toys.signal(0, GRID, 1), toys.signal(0, (40,), 1)
    cases: list[tuple[Network, Any, str]] = [
        (two, photo, "the network has 2 heads and 1 signal was given: give one a head, in their order."),
        (network, [photo, photo], "the network has 1 head and 2 signals were given: give one a head, in their order."),
        (network, [], "the network has 1 head and 0 signals were given: give one a head, in their order."),
        (network, sound, "a grid of 1 axis does not suit a network of 2 coordinates."),
        (
            network,
            grey,
            "signal 'toy 0' of (12, 15) with 1 channels does not lie on the grid (12, 15) with 3: give the one that "
            "this network was fitted to.",
        ),
        (
            two,
            [photo, toys.signal(1, (9, 7))],
            "signal 'toy 1' of (9, 7) with 3 channels does not lie on the grid (12, 15) with 3: give the one that this "
            "network was fitted to.",
        ),
        (
            deep,
            toys.signal(0, (2, 3, 2, 2), 1),
            "signal 'toy 0' lies on 4 axes, and the explorer shows sounds, pictures and volumes, of one to three.",
        ),
    ]
    for given_network, signal, sentence in cases:
        with pytest.raises(il.InputError) as refusal:
            il.show(given_network, signal=signal)
        assert str(refusal.value) == sentence
    with pytest.raises(il.InputError, match=r"a network is shown beside what it was fitted to: give signal=, one a h"):
        il.show(network)
    with pytest.raises(il.InputError, match=r"sae and signal go with a network, not with PosixPath: leave them away"):
        il.show(tmp_path, signal=photo)
    with pytest.raises(il.InputError, match=r"for layers of 16 units, layer 1 here has 20"):
        il.show(toys.field(heads=1, width=20), sae=toys.sae(network, 1), signal=photo)
    with pytest.raises(il.InputError, match=r"number of signals must be at least 1, or all of them, not 0"):
        il.show(network, signal=photo, signals=0)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("mine")
    with pytest.raises(il.InputError, match=r"mine exists already"):
        il.write_explorer(network, tmp_path / "mine", signal=photo)
    with pytest.raises(il.InputError, match=r"also holds 'note.txt', which would be deleted"):
        il.write_explorer(network, tmp_path / "mine", signal=photo, force=True)


def test_an_explorer_of_objects_can_be_replaced(tmp_path: Path) -> None:
    network, photo = wrapped(), toys.signal(0, GRID)
    first = il.write_explorer(network, tmp_path / "page", signal=photo, sae=toys.sae(network, 1))
    again = il.write_explorer(network, tmp_path / "page", signal=photo, force=True)
    assert first.dictionaries == 1
    assert (again.dictionaries, len(manifest_of(again.path)["networks"][0]["dictionaries"])) == (0, 0)
