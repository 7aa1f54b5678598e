"""A study's data set: split, hashed and read, or refused by name."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inrlens as il
from inrlens.errors import InputError
from inrlens.signals.datasets import find_files
from inrlens.signals.splits import split_files
from inrlens.studies.cells.data import LoadedData, load_data
from inrlens.studies.config.model import DataSpec

DATA = os.environ.get("INRLENS_DATA")


@pytest.fixture
def spec(tmp_path: Path) -> DataSpec:
    """Nine pictures of 6x8 beside the study's file, a third of which nobody uses."""
    (tmp_path / "photos").mkdir()
    for number in range(9):
        array = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(array).save(tmp_path / "photos" / f"{number}.png")
    return DataSpec("photos", "folder", "photos", cohort=3, validation=1, test=2)


def _names(loaded: LoadedData) -> list[list[str]]:
    return [[signal.name for signal in part] for part in (loaded.cohort, loaded.validation, loaded.test)]


def test_pictures_go_where_the_split_says_with_their_hashes(spec: DataSpec, tmp_path: Path) -> None:
    loaded = load_data(spec, tmp_path)
    split = split_files(find_files("folder", tmp_path / "photos"), 3, 1, 2, seed=0)
    assert loaded.spec == spec
    assert _names(loaded) == [[file.name for file in part] for part in (split.cohort, split.validation, split.test)]
    signals = loaded.cohort + loaded.validation + loaded.test
    assert [file.split for file in loaded.files] == ["cohort"] * 3 + ["validation"] + ["test"] * 2
    for file, signal in zip(loaded.files, signals, strict=True):
        path = tmp_path / "photos" / file.name
        assert (file.data, file.name) == ("photos", signal.name)
        assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert file.digest == signal.digest == il.load_image(path).digest
    assert load_data(replace(spec, split_seed=1), tmp_path).files != loaded.files


def test_files_of_no_use_are_not_read(spec: DataSpec, tmp_path: Path) -> None:
    loaded = load_data(spec, tmp_path)
    unused = {f"{number}.png" for number in range(9)} - {file.name for file in loaded.files}
    assert len(unused) == 3
    for name in unused:
        (tmp_path / "photos" / name).write_bytes(b"damaged")
    assert load_data(spec, tmp_path).files == loaded.files
    used = loaded.test[0].name
    (tmp_path / "photos" / used).write_bytes(b"damaged")
    with pytest.raises(il.InputError, match=rf"^data set 'photos': .*{used} is not an image that Pillow can read\.$"):
        load_data(spec, tmp_path)


def test_a_change_of_reading_changes_the_digest_and_not_the_files(spec: DataSpec, tmp_path: Path) -> None:
    plain = load_data(spec, tmp_path)
    for change in ({"size": (3, 4)}, {"channels": 1}, {"size": (3, 4), "how": "crop"}):
        other = load_data(replace(spec, **change), tmp_path)
        assert [file.sha256 for file in other.files] == [file.sha256 for file in plain.files]
        assert not {file.digest for file in other.files} & {file.digest for file in plain.files}
    scaled = load_data(replace(spec, size=(3, 4), channels=1), tmp_path)
    assert {(one.shape, one.channels) for one in scaled.cohort + scaled.test} == {((3, 4), 1)}


def test_the_rest_is_the_test_where_no_number_is_given(spec: DataSpec, tmp_path: Path) -> None:
    loaded = load_data(replace(spec, test=None), tmp_path)
    assert [len(part) for part in _names(loaded)] == [3, 1, 5]


def test_the_bundle_comes_in_its_own_order() -> None:
    loaded = load_data(DataSpec("bundled", "bundled", None, cohort=10, size=(12, 15)), "/nowhere")
    assert {name.split("_")[0] for name in _names(loaded)[0]} == {"cohort"}
    assert {name.split("_")[0] for name in _names(loaded)[2]} == {"heldout"}
    expected = il.bundled_photos("all", size=(12, 15))
    assert [file.digest for file in loaded.files] == [photo.digest for photo in expected]


def test_one_picture_twice_is_refused(spec: DataSpec, tmp_path: Path) -> None:
    loaded = load_data(spec, tmp_path)
    cohort, test = loaded.cohort[0].name, loaded.test[0].name
    with Image.open(tmp_path / "photos" / cohort) as opened:
        opened.save(tmp_path / "photos" / test, compress_level=0)
    with pytest.raises(InputError) as refusal:
        load_data(spec, tmp_path)
    assert str(refusal.value) == (
        f"data set 'photos': {cohort} (cohort) and {test} (test) hold the same picture: remove one of the files."
    )


def test_refusals_name_the_data_set_and_what_the_study_writes(
    spec: DataSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_DATA", raising=False)
    with pytest.raises(
        il.InputError, match=r"^data set 'photos': the path '.{12}/x' needs the environment variable SOME"
    ):
        load_data(replace(spec, path="${SOME_DATA}/x"), tmp_path)
    monkeypatch.setenv("SOME_DATA", str(tmp_path))
    moved = f"{tmp_path}/x, for which the study writes '${{SOME_DATA}}/x', is not a folder"
    with pytest.raises(il.InputError) as refused:
        load_data(replace(spec, path="${SOME_DATA}/x"), tmp_path)
    assert str(refused.value) == f"data set 'photos': {moved}: give the one that holds the data set."
    assert load_data(replace(spec, path="${SOME_DATA}/photos"), "/nowhere").files == load_data(spec, tmp_path).files
    with pytest.raises(il.InputError, match="data set 'photos': a data set of the kind 'folder' needs the path"):
        load_data(replace(spec, path=None), tmp_path)
    with pytest.raises(il.InputError, match=r"data set 'photos': .* holds no picture named like Kodak's kodim01.png"):
        load_data(replace(spec, kind="kodak"), tmp_path)
    with pytest.raises(il.InputError) as refused:
        load_data(replace(spec, cohort=10, test=14), tmp_path)
    assert str(refused.value) == (
        "data set 'photos': only 9 pictures are there, but 10 for the cohort and 1 for the validation and 14 for the "
        "test are asked for, so 16 are missing: ask for fewer, or give the whole set."
    )


@pytest.mark.skipif(not DATA, reason="INRLENS_DATA names no folder of real data")
def test_kodak_as_it_comes() -> None:
    if not (Path(str(DATA)) / "kodak").is_dir():
        pytest.skip("INRLENS_DATA holds no folder kodak")
    kodak = DataSpec("kodak", "kodak", "${INRLENS_DATA}/kodak", cohort=10, test=2, size=(32, 48), turn=True)
    loaded = load_data(kodak, "/nowhere")
    assert [len(part) for part in _names(loaded)] == [10, 0, 2]
    assert {(one.shape, one.channels) for one in loaded.cohort + loaded.test} == {((32, 48), 3)}
    if len(find_files("kodak", Path(str(DATA)) / "kodak")) == 12:
        with pytest.raises(il.InputError, match=r"not there of Kodak's 24: kodim13.png, .* so 12 are missing"):
            load_data(replace(kodak, test=14), "/nowhere")
