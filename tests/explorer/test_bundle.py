"""The explorer's bundle, read back with numpy and held against the library's own answers."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import command
import inrlens as il
import toys
from inrlens.atoms.alike import closest, most_alike
from inrlens.atoms.effects import STATISTIC_RANKINGS
from inrlens.dictionaries.activations import encoder_digest
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.explorer.arrays import array_file, halved
from inrlens.explorer.bundle import is_current, write_bundle
from inrlens.explorer.dictionary import EFFECT_NUMBERS
from inrlens.explorer.gather import BundleInput, gather
from inrlens.explorer.manifest import MANIFEST_FILE, VERSION
from inrlens.explorer.network import bytes_or_values
from inrlens.explorer.sparse_codes import entries
from inrlens.signals.archive import save_signals
from inrlens.studies.plan import BackbonePlan, WalkthroughPlan
from inrlens.studies.record import RunRecord, read_record, write_record
from inrlens.studies.run_folder import write_fit_run
from inrlens.studies.run_reader import OpenRun
from inrlens.studies.walkthrough import run_walkthrough

GRID = (12, 15)
HALF = 2.0**-10
"""Twice the relative error of a half, and far above its absolute error near 0."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of two backbones and a cohort of its own, each with what ``sae`` adds to it; not to be changed."""
    root = tmp_path_factory.mktemp("explorer")
    parts = tuple(
        BackbonePlan(name, toys.recipe(name), toys.recipe(name, steps=20), toys.recipe(None, steps=6))
        for name in ("siren", "ffmlp")
    )
    members = toys.signals(4, GRID)
    (root / "demo").mkdir()
    run_walkthrough(WalkthroughPlan(parts, 1, 24, 4, 8, 64, 1e-2, seed=3), members[:2], members[2:], root / "demo")
    _cohort(root / "cohort", 3)
    return root


def _cohort(place: Path, seed: int, grid: tuple[int, ...] = GRID, channels: int = 3) -> Path:
    place.mkdir()
    members = toys.signals(2, grid, channels)
    write_fit_run(place, il.fit_cohort(members, toys.recipe(), seed=seed), members)
    return place


def _dictionary(run: Path, path: Path, seed: int = 0, n_atoms: int = 24, digest: str | None = None) -> Path:
    """An untrained dictionary of layer 1 of a run's first network; its last atom is dead."""
    opened = OpenRun(run)
    field = opened.field(opened.record.conditions[0])
    made = toys.sae(field, n_atoms=n_atoms, seed=seed)
    digest = encoder_digest(field, 1) if digest is None else digest
    il.save(_with_origin(made, field_digest=digest), path)
    return path


def _with_origin(sae: SparseAutoencoder, **changes: Any) -> SparseAutoencoder:
    sae.origin = replace(sae.origin, **changes)
    return sae


@pytest.fixture(scope="module")
def demo(folder: Path) -> tuple[BundleInput, Path, dict[str, Any]]:
    """The demo gathered, its bundle, and the manifest."""
    gathered, place = gather([folder / "demo"]), folder / "demo bundle"
    write_bundle(gathered, place)
    return gathered, place, json.loads((place / MANIFEST_FILE).read_text())


def _read(folder: Path, place: dict[str, Any]) -> np.ndarray:
    """An array by its descriptor, as any reader of the format would."""
    assert place["offset"] % 8 == 0
    kind = np.dtype(place["type"]).newbyteorder("<")
    shape = tuple(place["shape"])
    found = np.fromfile(folder / place["file"], kind, math.prod(shape), offset=place["offset"])
    assert found.size == math.prod(shape)
    return found.reshape(shape)


def _places(content: Any) -> list[dict[str, Any]]:
    """Every descriptor in a manifest."""
    if isinstance(content, dict):
        if set(content) == {"file", "offset", "type", "shape"}:
            return [content]
        content = list(content.values())
    return [place for part in content for place in _places(part)] if isinstance(content, list) else []


def test_entries_are_the_maps_sorted_by_atom_then_row() -> None:
    field = toys.field()
    sae = toys.sae(field)
    codes = il.encode(field, sae)
    delta = il.effects(field, sae, codes, 1)
    found = entries(codes)
    picked = found.pick(delta.delta)
    assert found.starts[0] == 0
    assert found.starts[-1] == len(found.rows) == int((codes.values > 0.0).sum())
    for atom in range(codes.n_atoms):
        part = slice(int(found.starts[atom]), int(found.starts[atom + 1]))
        rows = found.rows[part]
        assert rows.tolist() == codes.map(atom).reshape(-1).nonzero()[:, 0].tolist()
        assert torch.equal(found.codes[part], codes.map(atom).reshape(-1)[rows])
        assert torch.equal(picked[part], delta.of(atom).reshape(-1, 3)[rows])
    assert found.starts[-2] == found.starts[-1], "the last toy atom is dead"


def test_entries_of_more_atoms_than_sixteen_bits_count() -> None:
    atoms = torch.tensor([[70000, 3], [3, 65536], [65535, 70000]], dtype=torch.int32)
    found = entries(il.Codes(atoms, torch.tensor([[1.0, 2.0], [3.0, 0.0], [4.0, 5.0]]), 70001, (3, 1)))
    assert found.rows.tolist() == [0, 1, 2, 0, 2]
    assert found.codes.tolist() == [2.0, 3.0, 4.0, 1.0, 5.0]
    assert found.starts[[3, 4, 65535, 65536, 70000, 70001]].tolist() == [0, 2, 2, 3, 3, 5]


def test_halves_where_a_half_holds_the_values() -> None:
    values = torch.randn(50, generator=toys.generator(0))
    assert halved(values).dtype == np.float16
    assert halved(values) == pytest.approx(values.numpy(), rel=HALF)
    for scale in (1e6, 1e-6):
        assert halved(values * scale).dtype == np.float32
        assert np.array_equal(halved(values * scale), (values * scale).numpy())
    assert halved(torch.zeros(3)).dtype == halved(torch.zeros(0)).dtype == np.float16
    assert halved(torch.tensor([math.nan, 2.0])).dtype == np.float16


def test_arrays_start_at_multiples_of_eight_and_are_little_endian(tmp_path: Path) -> None:
    sizes: dict[str, int] = {}
    arrays = [
        np.array([1, 2, 3], dtype=np.uint8),
        np.arange(6, dtype=">i4").reshape(2, 3).T,
        np.array([1.5, math.inf, -math.inf, math.nan], dtype=np.float16),
    ]
    with array_file(tmp_path, "data/a.bin", sizes) as file:
        places = [file.append(array) for array in arrays]
        with pytest.raises(ValueError, match=r"not float64"):
            file.append(np.zeros(2))
    assert sizes == {"data/a.bin": (tmp_path / "data/a.bin").stat().st_size} == {"data/a.bin": 40}
    assert [place.offset for place in places] == [0, 8, 32]
    read = [_read(tmp_path, {**vars(place), "shape": list(place.shape)}) for place in places]
    assert np.array_equal(read[0], arrays[0])
    assert np.array_equal(read[1], arrays[1])
    assert np.array_equal(read[2], [1.5, math.nan, math.nan, math.nan], equal_nan=True)


def test_bytes_stand_for_whole_255ths_alone() -> None:
    whole = torch.arange(256, dtype=torch.float32)[:, None] / 255.0
    assert bytes_or_values(whole).dtype == np.uint8
    assert bytes_or_values(whole)[:, 0].tolist() == list(range(256))
    between = whole.clone()
    between[3] += 1e-4
    assert np.array_equal(bytes_or_values(between), between.numpy())


def test_the_manifest_names_every_file_with_its_size(demo: tuple[BundleInput, Path, dict[str, Any]]) -> None:
    _, place, manifest = demo
    assert (manifest["format"], manifest["version"]) == ("inrlens-explorer", VERSION)
    assert manifest["inrlens_version"] == il.__version__
    assert manifest["title"] == "demo"
    there = {path.relative_to(place).as_posix(): path.stat().st_size for path in (place / "data").iterdir()}
    assert manifest["files"] == there
    arrays = _places(manifest)
    assert {array["file"] for array in arrays} == set(there)
    for array in arrays:
        end = array["offset"] + np.dtype(array["type"]).itemsize * math.prod(array["shape"])
        assert end <= there[array["file"]]
        found = _read(place, array)
        assert found.dtype.kind != "f" or not np.isinf(found).any()
    assert sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) < 5e6
    assert command.leftovers(place) == []


def _gabor(z: np.ndarray, ratio: float) -> np.ndarray:
    return np.exp(1j * z - (ratio * np.abs(z)) ** 2)


def _complex_gabor(v: np.ndarray, ratio: float) -> np.ndarray:
    real, imaginary = np.split(v, 2, axis=1)
    wave = _gabor(real + 1j * imaginary, ratio)
    return np.concatenate([wave.real, wave.imag], axis=1)


PHI = {
    "sine": np.sin,
    "relu": lambda v: np.maximum(v, 0.0),
    "gauss": lambda v: np.exp(-(v**2)),
    "finer": lambda v, omega: np.sin((np.abs(v) / omega + 1.0) * v),
    "gabor": lambda v, ratio: _gabor(v, ratio).real,
    "complex gabor": _complex_gabor,
}


def _last_activations(place: Path, network: dict[str, Any]) -> np.ndarray:
    """A network run to its last layer from the bundle's arrays alone, in double precision."""
    h = il.coordinates(tuple(network["grid"]), torch.float64).numpy()
    if network["encoding"] is not None:
        assert network["encoding"]["kind"] == "fourier"
        angle = 2.0 * math.pi * h @ _read(place, network["encoding"]["frequencies"]).T.astype(np.float64)
        h = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    for layer in network["layers"]:
        v = layer["scale"] * (h @ _read(place, layer["weight"]).T + _read(place, layer["bias"]))
        h = PHI[layer["nonlinearity"]](v, **layer["parameters"])
    return h


def test_a_network_can_be_run_from_its_arrays(demo: tuple[BundleInput, Path, dict[str, Any]]) -> None:
    gathered, place, manifest = demo
    assert [one["name"] for one in manifest["networks"]] == [one.name for one in gathered.networks]
    assert {one["run"] for one in manifest["networks"]} == {"demo"}
    for network, one in zip(manifest["networks"], gathered.networks, strict=True):
        h = _last_activations(place, network)
        assert (network["depth"], network["width"], network["heads"]) == (4, 16, one.field.heads)
        assert network["ranks"]["weight"] == list(one.facts.ranks.weight)
        assert [signal["head"] for signal in network["signals"]] == list(range(one.field.heads))
        for signal, values in zip(network["signals"], one.signals, strict=True):
            output = _read(place, signal["output"])
            assert output == pytest.approx(
                h @ _read(place, signal["weight"]).T + _read(place, signal["bias"]), abs=1e-4
            )
            assert signal["name"] == values.name
            assert np.array_equal(_read(place, signal["target"]), values.values.numpy())
            assert signal["psnr"] == pytest.approx(one.place.record.psnrs[signal["head"]], abs=1e-3)


def test_every_backbone_can_be_run_from_its_arrays(runnable: str, tmp_path: Path) -> None:
    """All that decides a layer is in the manifest: the parameters of its nonlinearity too."""
    run, members = tmp_path / "run", toys.signals(1, GRID)
    run.mkdir()
    write_fit_run(run, il.fit(members[0], toys.recipe(runnable), seed=1), members)
    write_bundle(gather([run]), tmp_path / "bundle")
    (network,) = json.loads((tmp_path / "bundle" / MANIFEST_FILE).read_text())["networks"]
    (signal,) = network["signals"]
    weight, bias = (_read(tmp_path / "bundle", signal[name]) for name in ("weight", "bias"))
    output = _read(tmp_path / "bundle", signal["output"])
    assert output == pytest.approx(_last_activations(tmp_path / "bundle", network) @ weight.T + bias, abs=1e-4)


def test_dictionaries_hold_every_map_and_every_effect(demo: tuple[BundleInput, Path, dict[str, Any]]) -> None:
    gathered, place, manifest = demo
    for network, one in zip(manifest["networks"], gathered.networks, strict=True):
        assert [entry["layer"] for entry in network["dictionaries"]] == [0, 1, 2, 3]
        entry, gathered_one = network["dictionaries"][2], one.dictionaries[2]
        sae = gathered_one.sae
        assert (entry["name"], entry["n_atoms"], entry["k"], entry["seed"]) == ("layer 2", 24, 4, sae.origin.seed)
        assert _read(place, entry["decoder"]) == pytest.approx(sae.decoder.numpy(), abs=HALF)
        codes = il.encode(one.field, sae)
        statistics = il.atom_statistics(codes)
        for name in STATISTIC_RANKINGS:
            stated = _read(place, entry["numbers"][name])
            assert stated == pytest.approx(getattr(statistics, name).numpy(), rel=1e-6, nan_ok=True)
        starts, rows, values = (_read(place, entry[name]) for name in ("starts", "rows", "codes"))
        assert (starts.dtype, rows.dtype) == (np.uint32, np.uint16)
        assert len(rows) == len(values) == entry["entries"] == starts[-1]
        quality = il.evaluate_sae(one.field, sae)
        assert entry["quality"] == pytest.approx({"fvu": quality.fvu, "dead": quality.dead}, rel=1e-5)
        for head, told in enumerate(entry["effects"]):
            found = il.effects(one.field, sae, codes, head, signal=one.signals[head])
            assert set(told["numbers"]) == set(EFFECT_NUMBERS)
            for name in EFFECT_NUMBERS:
                measured = found.measure(name).numpy()
                assert _read(place, told["numbers"][name]) == pytest.approx(measured, rel=1e-5, abs=1e-9, nan_ok=True)
            delta = _read(place, told["delta"]).astype(np.float64)
            output = _read(place, network["signals"][head]["output"]).astype(np.float64)
            for atom in range(0, 24, 5):
                part = slice(int(starts[atom]), int(starts[atom + 1]))
                dense = np.zeros(output.shape[0])
                dense[rows[part]] = values[part]
                assert dense == pytest.approx(codes.map(atom).reshape(-1).numpy(), rel=HALF, abs=1e-6)
                without = output.copy()
                without[rows[part]] -= delta[part]
                exact = il.edit(one.field, sae, {atom: 0.0}, head=head).reshape(output.shape).numpy()
                assert without == pytest.approx(exact, rel=HALF, abs=HALF * max(1.0, float(np.abs(delta).max())))


def test_atoms_alike_in_this_and_other_dictionaries(demo: tuple[BundleInput, Path, dict[str, Any]]) -> None:
    gathered, place, manifest = demo
    ids = {
        entry["id"]: (one, dictionary.sae)
        for network, one in zip(manifest["networks"], gathered.networks, strict=True)
        for entry, dictionary in zip(network["dictionaries"], one.dictionaries, strict=True)
    }
    assert len(ids) == 16
    entry = manifest["networks"][1]["dictionaries"][2]
    one, sae = ids[entry["id"]]
    tables = {(table["dictionary"], table["by"]): table for table in entry["alike"]}
    own = {(f"n1d{layer}", "map") for layer in range(4)} | {("n1d2", "cosine")}
    assert set(tables) == own | {(f"n{network}d2", "map") for network in (0, 2, 3)}
    codes = il.encode(one.field, sae)
    for (name, by), table in tables.items():
        other, other_sae = ids[name]
        other_codes = codes if other_sae is sae else il.encode(other.field, other_sae)
        if by == "map":
            found = most_alike(codes, other_codes)
        else:
            alive = ~il.atom_statistics(codes).dead
            found = closest(sae, other_sae, alive, alive)
        assert np.array_equal(_read(place, table["atoms"]), found.atom.numpy())
        assert _read(place, table["values"]) == pytest.approx(found.value.numpy(), rel=HALF, abs=1e-6, nan_ok=True)


def test_the_freeze_sweep_with_its_pictures(demo: tuple[BundleInput, Path, dict[str, Any]], folder: Path) -> None:
    _, place, manifest = demo
    record = read_record(folder / "demo")
    assert [(one["backbone"], one["network"]) for one in manifest["freeze"]] == [("siren", "n1"), ("ffmlp", "n3")]
    for one in manifest["freeze"]:
        assert one["run"] == "demo"
        assert one["signals"] == ["toy 2", "toy 3"]
        labels = [setting["label"] for setting in one["settings"]]
        assert labels == ["scratch", "none", *(f"reinit {t}" for t in range(4)), *(f"warm {t}" for t in range(3))]
        for setting in one["settings"]:
            fits = [
                entry
                for entry in record.transfers
                if (entry.backbone, entry.freeze, entry.rest) == (one["backbone"], setting["freeze"], setting["rest"])
            ]
            assert setting["psnrs"] == [entry.psnr for entry in fits]
            assert setting["psnr"] == pytest.approx(np.mean(setting["psnrs"]))
            assert fits[0].picture is not None
            with Image.open(folder / "demo" / fits[0].picture) as shot:
                assert np.array_equal(_read(place, setting["picture"]), np.array(shot.convert("RGB")))


def test_a_missing_picture_is_null_and_a_nan_too(folder: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(folder / "demo", tmp_path / "demo"))
    record = read_record(run)
    first = record.transfers[0]
    (run / str(first.picture)).unlink()
    write_record(run, replace(record, transfers=(replace(first, psnr=math.nan), *record.transfers[1:])))
    write_bundle(gather([run]), tmp_path / "bundle", 1)
    setting = json.loads((tmp_path / "bundle" / MANIFEST_FILE).read_text())["freeze"][0]["settings"][0]
    assert (setting["picture"], setting["psnr"], setting["psnrs"][0]) == (None, None, None)


def test_how_many_signals_are_shown(folder: Path, tmp_path: Path) -> None:
    run = _cohort(tmp_path / "run", 1)
    gathered = gather([run, _dictionary(run, tmp_path / "a.safetensors")])
    told: list[float] = []
    for signals, heads in ((1, [0]), (2, [0, 1]), (7, [0, 1]), (None, [0, 1])):
        write_bundle(gathered, tmp_path / "bundle", signals, lambda done, what: told.append(done))
        manifest = json.loads((tmp_path / "bundle" / MANIFEST_FILE).read_text())
        network = manifest["networks"][0]
        assert [signal["head"] for signal in network["signals"]] == heads
        assert [one["head"] for one in network["dictionaries"][0]["effects"]] == heads
        assert (tmp_path / "bundle/data/n0d0.head1.bin").exists() is (heads == [0, 1])
        left = ["cohort_siren is shown on 1 of its 2 signals; 1 more signal: --signals all."]
        assert manifest["notes"] == (left if signals == 1 else [])
    assert [told.count(end) for end in (0.0, 1.0)] == [4, 4]
    assert all(0.0 <= done <= 1.0 for done in told)
    with pytest.raises(il.InputError, match=r"number of signals must be at least 1, or all of them, not 0"):
        write_bundle(gathered, tmp_path / "other", 0)
    assert not (tmp_path / "other").exists()


def test_old_data_goes_and_other_files_stay(tmp_path: Path) -> None:
    run = _cohort(tmp_path / "run", 1)
    bundle = tmp_path / "bundle"
    write_bundle(gather([run, _dictionary(run, tmp_path / "a.safetensors")]), bundle)
    (bundle / "data/mine.bin").write_bytes(b"mine")
    write_bundle(gather([run]), bundle)
    assert sorted(path.name for path in (bundle / "data").iterdir()) == ["mine.bin", "n0.bin"]


def test_a_network_without_a_dictionary_says_how_to_get_one(folder: Path, tmp_path: Path) -> None:
    written = write_bundle(gather([folder / "cohort"]), tmp_path / "one")
    run = folder / "cohort"
    assert written.manifest.notes == (
        f"cohort_siren has no dictionary yet: train one with `inrlens sae {run} --layer 2 -o layer2.safetensors`, then "
        f"open `inrlens explore {run} layer2.safetensors`.",
    )
    assert written.size == sum(path.stat().st_size for path in (tmp_path / "one").rglob("*") if path.is_file())
    bare = Path(shutil.copytree(folder / "demo", tmp_path / "my demo"))
    _change(bare, conditions=tuple(replace(one, layers=()) for one in read_record(bare).conditions))
    notes = write_bundle(gather([bare]), tmp_path / "several").manifest.notes
    assert len(notes) == 4
    assert f"sae '{bare}' --condition single_siren --layer 2 -o layer2.safetensors`" in notes[0]


def _change(run: Path, **changes: Any) -> RunRecord:
    record = replace(read_record(run), **changes)
    write_record(run, record)
    return record


def test_a_bundle_is_current_until_something_that_decides_it_changes(tmp_path: Path) -> None:
    run = _cohort(tmp_path / "run", 1)
    file = _dictionary(run, tmp_path / "a.safetensors")
    bundle = tmp_path / "bundle"
    assert not is_current(bundle, gather([run, file]))
    source = write_bundle(gather([run, file]), bundle).manifest.source
    assert is_current(bundle, gather([run, file]))
    assert not is_current(bundle, gather([run, file]), 1)
    assert not is_current(bundle, gather([run]))
    file.unlink()
    _dictionary(run, file, seed=1)
    assert not is_current(bundle, gather([run, file]))
    assert write_bundle(gather([run, file]), bundle).manifest.source != source
    file.unlink()
    _dictionary(run, file)
    assert write_bundle(gather([run, file]), bundle).manifest.source == source
    seconds = read_record(run).seconds
    _change(run, seconds=seconds + 1.0)
    assert not is_current(bundle, gather([run, file]))
    _change(run, seconds=seconds)
    assert is_current(bundle, gather([run, file]))
    signals = toys.signals(2, GRID)
    changed = [replace(signals[0], values=1.0 - signals[0].values), signals[1]]
    (run / "signals.safetensors").unlink()
    save_signals(changed, run / "signals.safetensors")
    assert not is_current(bundle, gather([run, file]))


def test_a_bundle_with_a_file_missing_cut_short_or_damaged_is_not_current(tmp_path: Path) -> None:
    run, bundle = _cohort(tmp_path / "run", 1), tmp_path / "bundle"
    gathered = gather([run])
    write_bundle(gathered, bundle)
    data, manifest = bundle / "data/n0.bin", bundle / MANIFEST_FILE
    whole, text = data.read_bytes(), manifest.read_text()
    data.write_bytes(whole[:-1])
    assert not is_current(bundle, gathered)
    data.unlink()
    assert not is_current(bundle, gathered)
    data.write_bytes(whole)
    assert is_current(bundle, gathered)
    for damaged in (
        "",
        "[]",
        text[:-20],
        text.replace(f'"version": {VERSION}', f'"version": {VERSION + 1}'),
        '{"files": [3]}',
    ):
        manifest.write_text(damaged)
        assert not is_current(bundle, gathered)


def test_an_interrupted_write_leaves_no_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, bundle = _cohort(tmp_path / "run", 1), tmp_path / "bundle"
    gathered = gather([run])
    write_bundle(gathered, bundle)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("inrlens.explorer.bundle.network_entry", stop)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(gathered, bundle)
    assert not is_current(bundle, gathered)
    assert [path.name for path in bundle.rglob("*")] == ["data", "n0.bin"]


def test_a_dictionary_joins_the_network_that_it_was_trained_on(folder: Path, tmp_path: Path) -> None:
    run = folder / "cohort"
    files = [
        _dictionary(run, tmp_path / f"{name}.safetensors", seed, atoms)
        for name, seed, atoms in (("a", 0, 24), ("b", 1, 24), ("c", 1, 30))
    ]
    found = gather([files[0], folder / "demo", run, files[0], run])
    assert [len(one.dictionaries) for one in found.networks] == [4, 4, 4, 4, 1]
    assert [one.name for one in found.networks[::2]] == ["single_siren", "single_ffmlp", "cohort: cohort_siren"]
    assert found.networks[1].name == "demo: cohort_siren"
    assert found.title == "demo and cohort"
    assert found.networks[4].dictionaries[0].name == "layer 1"
    assert [one.name for one in gather([run, *files[:2]]).networks[0].dictionaries] == [
        "layer 1, seed 0",
        "layer 1, seed 1",
    ]
    assert [one.name for one in gather([run, *files]).networks[0].dictionaries] == [
        "layer 1, seed 0, n = 24, k = 4",
        "layer 1, seed 1, n = 24, k = 4",
        "layer 1, seed 1, n = 30, k = 4",
    ]
    copy = Path(shutil.copy(files[0], tmp_path / "copy.safetensors"))
    assert [one.name for one in gather([run, files[0], copy]).networks[0].dictionaries] == [
        "layer 1, seed 0, n = 24, k = 4, a.safetensors",
        "layer 1, seed 0, n = 24, k = 4, copy.safetensors",
    ]


def test_dictionaries_that_differ_in_nothing_but_their_place_are_told_apart(folder: Path, tmp_path: Path) -> None:
    run = folder / "cohort"
    first = _dictionary(run, tmp_path / "a.safetensors")
    places = [tmp_path / name for name in ("x", "y", "y/x")]
    for place in places:
        place.mkdir()
        shutil.copy(first, place)
    start = "layer 1, seed 0, n = 24, k = 4, a.safetensors"
    for count, ends in ((2, ("in x", "in y")), (3, ("in x, number 0", "in y, number 1", "in x, number 2"))):
        found = gather([run, *(place / "a.safetensors" for place in places[:count])]).networks[0]
        assert [one.name for one in found.dictionaries] == [f"{start}, {end}" for end in ends]


def test_networks_that_share_a_layer_share_its_dictionary(folder: Path, tmp_path: Path) -> None:
    run = folder / "cohort"
    opened = OpenRun(run)
    field, target = opened.field(opened.record.conditions[0]), toys.signal(7, GRID)
    runs = []
    for freeze in (0, 1):
        runs.append(tmp_path / f"frozen {freeze}")
        runs[-1].mkdir()
        moved = il.transfer(field, target, freeze=freeze, rest="reinit", recipe=toys.recipe(None), seed=0)
        write_fit_run(runs[-1], moved, [target])
    found = gather([run, *runs, _dictionary(run, tmp_path / "a.safetensors")])
    assert [len(one.dictionaries) for one in found.networks] == [1, 0, 1]
    networks = write_bundle(found, tmp_path / "bundle").manifest.networks
    assert [table.dictionary for table in networks[0].dictionaries[0].alike] == ["n0d0", "n0d0", "n2d0"]


def test_runs_of_one_name_are_told_apart_by_the_folders_above(folder: Path, tmp_path: Path) -> None:
    runs = [Path(shutil.copytree(folder / "cohort", tmp_path / name / "run")) for name in ("a", "b")]
    file = _dictionary(runs[0], tmp_path / "a.safetensors")
    found = gather([*runs, file])
    assert [one.name for one in found.networks] == ["a/run: cohort_siren", "b/run: cohort_siren"]
    assert [len(one.dictionaries) for one in found.networks] == [1, 1]


def test_a_recorded_dictionary_given_as_a_file_is_there_once(folder: Path) -> None:
    again = folder / "demo/dictionaries/cohort_siren_layer1.safetensors"
    assert [len(one.dictionaries) for one in gather([folder / "demo", again]).networks] == [4, 4, 4, 4]


def test_a_dictionary_that_names_no_network_goes_to_the_only_one_that_it_fits(folder: Path, tmp_path: Path) -> None:
    file = _dictionary(folder / "cohort", tmp_path / "a.safetensors", digest="")
    assert len(gather([folder / "cohort", file]).networks[0].dictionaries) == 1
    with pytest.raises(il.InputError) as refusal:
        gather([folder / "demo", file])
    assert str(refusal.value) == (
        f"{file} does not say which network it was trained on, and it fits several (single_siren, cohort_siren, "
        "single_ffmlp, cohort_ffmlp): give a run that holds its network alone."
    )
    wide = tmp_path / "wide.safetensors"
    il.save(toys.sae(toys.field(width=20)), wide)
    with pytest.raises(
        il.InputError, match=r"layer 1 with 20 units and fits none of cohort_siren: give the run of its"
    ):
        gather([folder / "cohort", wide])


def test_a_network_in_double_precision_is_shown_in_single(tmp_path: Path) -> None:
    place, members = tmp_path / "run", toys.signals(1, GRID)
    place.mkdir()
    fitted = il.fit(members[0], toys.recipe(), seed=1)
    fitted.field.double()
    write_fit_run(place, fitted, members)
    gathered = gather([place, _dictionary(place, tmp_path / "a.safetensors")])
    network = gathered.networks[0]
    assert (network.field.dtype, network.dictionaries[0].sae.decoder.dtype) == (torch.float32, torch.float32)
    assert network.place.run.field(network.place.record).dtype == torch.float64
    assert write_bundle(gathered, tmp_path / "bundle").manifest.networks[0].dictionaries[0].entries > 0


def test_networks_of_different_grids_stand_side_by_side(folder: Path, tmp_path: Path) -> None:
    other = _cohort(tmp_path / "grey", 3, (8, 9), 1)
    files = [_dictionary(run, tmp_path / f"{run.name}.safetensors") for run in (folder / "cohort", other)]
    networks = write_bundle(gather([folder / "cohort", other, *files]), tmp_path / "bundle").manifest.networks
    assert [(one.grid, one.channels) for one in networks] == [(GRID, 3), ((8, 9), 1)]
    for one in networks:
        assert {table.dictionary for table in one.dictionaries[0].alike} == {f"{one.id}d0"}


def test_refusals_say_how_to_mend_them(folder: Path, tmp_path: Path) -> None:
    run = folder / "cohort"
    file = _dictionary(run, tmp_path / "a.safetensors")
    stranger = _dictionary(run, tmp_path / "stranger.safetensors", digest="0" * 64)
    deep, empty = tmp_path / "deep", Path(shutil.copytree(run, tmp_path / "empty"))
    deep.mkdir()
    members = toys.signals(1, (2, 3, 2, 2), 1)
    four = il.make_backbone("siren", **{**toys.SMALL["siren"], "coordinates": 4})
    write_fit_run(deep, il.fit(members[0], replace(toys.recipe(), backbone=four), seed=0), members)
    _change(empty, conditions=())
    cases = [
        (
            [],
            "the explorer needs the folder of a run or a network's file, and nothing was given: give the run or "
            "network first.",
        ),
        (
            [file],
            f"the explorer needs the folder of a run or a network's file, and only {file} was given: give the run or "
            "network first.",
        ),
        ([tmp_path / "no"], f"{tmp_path / 'no'} does not exist: give the folder of a run or the file of a dictionary."),
        ([empty], f"{empty} holds no network: the run was interrupted before its first, so run it again."),
        (
            [run, stranger],
            f"{stranger} was trained on layer 1 of none of cohort_siren: give the run of its network too.",
        ),
        (
            [deep],
            f"{deep}: signal 'toy 0' lies on 4 axes, and the explorer shows sounds, pictures and volumes, of one to "
            "three.",
        ),
    ]
    for paths, sentence in cases:
        with pytest.raises(il.InputError) as refusal:
            gather(paths)
        assert str(refusal.value) == sentence
    with pytest.raises(il.InputError, match=r"holds no run.json: it is not a run of InrLens"):
        gather([tmp_path])
    with pytest.raises(il.InputError, match=r"holds a field, a dictionary is needed here"):
        gather([run, run / "field.safetensors"])
