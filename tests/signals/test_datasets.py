"""Data sets where their users have them: found, split and read."""

import hashlib
import logging
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from PIL import Image

import inrlens as il
import toys
from inrlens.signals.dataset_pictures import read_picture, read_pictures
from inrlens.signals.datasets import DatasetFile, absent_files, expand_path, file_sha256, find_files
from inrlens.signals.kinds import LAYOUTS
from inrlens.signals.nifti import load_nifti_slice
from inrlens.signals.splits import split_files

DATA = os.environ.get("INRLENS_DATA")


def _array(seed: int = 0, height: int = 6, width: int = 8, grey: bool = False) -> np.ndarray:
    shape = (height, width) if grey else (height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _write(path: Path, array: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(_array() if array is None else array).save(path)
    return path


def _nifti(path: Path, array: np.ndarray) -> Path:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), path)
    return path


def _file(path: Path) -> DatasetFile:
    return DatasetFile(path.name, path)


def _names(files: list[DatasetFile]) -> list[str]:
    return [file.name for file in files]


# Found


def test_a_folder_gives_its_pictures_by_name_and_says_what_it_leaves_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("b.png", "a.JPG", "c.tif", ".hidden.png", "inner/d.png"):
        _write(tmp_path / name)
    (tmp_path / "e.nii.gz").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture")
    with caplog.at_level(logging.WARNING):
        found = find_files("folder", tmp_path)
    assert found == [DatasetFile(name, tmp_path / name) for name in ("a.JPG", "b.png", "c.tif", "e.nii.gz")]
    assert "1 file was left out, no pictures by their ending (notes.txt)" in caplog.text
    assert _names(find_files("folder", tmp_path, "[ab].*")) == ["a.JPG", "b.png"]


@pytest.mark.parametrize("place", LAYOUTS["celeba"].places)
def test_celeba_has_the_same_names_however_it_was_unpacked(tmp_path: Path, place: str) -> None:
    for number in (3, 1, 2):
        _write(tmp_path / place / f"{number:06d}.jpg")
    (tmp_path / "list_attr_celeba.txt").write_text("")
    found = find_files("celeba", tmp_path)
    assert _names(found) == ["000001.jpg", "000002.jpg", "000003.jpg"]
    assert all(file.path == tmp_path / place / file.name for file in found)


def test_celeba_hq_lies_flat_by_size_or_by_class(tmp_path: Path) -> None:
    for name in ("flat/0.jpg", "flat/12.jpg", "sized/celeba_hq_256/00001.png", "classes/train/male/000016.jpg"):
        _write(tmp_path / name)
    _write(tmp_path / "classes/val/female/000004.jpg")
    for name in ("CelebA-HQ-img/0.jpg", "CelebAMask-HQ-mask-anno/0/00000_hair.png"):
        _write(tmp_path / "masked" / name)
    assert _names(find_files("celeba-hq", tmp_path / "flat")) == ["0.jpg", "12.jpg"]
    assert _names(find_files("celeba-hq", tmp_path / "sized")) == ["00001.png"]
    assert _names(find_files("celeba-hq", tmp_path / "classes")) == ["train/male/000016.jpg", "val/female/000004.jpg"]
    assert _names(find_files("celeba-hq", tmp_path / "classes", "*/female/*")) == ["val/female/000004.jpg"]
    assert _names(find_files("celeba-hq", tmp_path / "masked")) == ["0.jpg"]


def test_kodak_takes_kodim_alone_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("kodim02.png", "kodim01.png", "sheet.png"):
        _write(tmp_path / name)
    with caplog.at_level(logging.WARNING):
        found = find_files("kodak", tmp_path)
    assert _names(found) == ["kodim01.png", "kodim02.png"]
    assert "1 file was left out, not named like Kodak's kodim01.png" in caplog.text


def test_oasis_is_named_by_its_subjects(tmp_path: Path) -> None:
    for subject in ("OASIS_OAS1_0002_MR1", "OASIS_OAS1_0001_MR1"):
        for name in ("slice_norm.nii.gz", "slice_orig.nii.gz", "slice_seg4.nii.gz"):
            path = tmp_path / "set" / subject / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    (tmp_path / "set" / "subjects.txt").write_text("")
    expected = ["OASIS_OAS1_0001_MR1", "OASIS_OAS1_0002_MR1"]
    for folder in (tmp_path / "set", tmp_path):
        found = find_files("oasis", folder)
        assert _names(found) == expected
        assert [file.path.name for file in found] == ["slice_norm.nii.gz"] * 2
    (tmp_path / "set" / "OASIS_OAS1_0001_MR1" / "slice_norm.nii.gz").unlink()
    with pytest.raises(il.InputError, match="lacks the slice of 1 of 2 subjects, the first in OASIS_OAS1_0001_MR1"):
        find_files("oasis", tmp_path / "set")
    assert _names(find_files("oasis", tmp_path / "set", "*_0002_*")) == ["OASIS_OAS1_0002_MR1"]


def test_the_bundle_keeps_its_order() -> None:
    found = find_files("bundled")
    assert len(found) == 16
    assert [file.name.split("_")[0] for file in found] == ["cohort"] * 10 + ["heldout"] * 6
    read = read_pictures("bundled", found[:2])
    photos = il.bundled_photos("cohort")[:2]
    assert [(one.name, one.digest) for one in read] == [(one.name, one.digest) for one in photos]


@pytest.mark.parametrize("kind", ["celeba", "celeba-hq", "kodak", "oasis"])
def test_a_known_set_that_holds_other_pictures_is_refused(tmp_path: Path, kind: str) -> None:
    _write(tmp_path / "holiday.png")
    with pytest.raises(il.InputError, match=f"named like {LAYOUTS[kind].title}'s {LAYOUTS[kind].example}.*'folder'"):
        find_files(kind, tmp_path)


def test_a_folder_that_is_missing_empty_or_without_a_match(tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match="nowhere is not a folder: give the one that holds the data set"):
        find_files("kodak", tmp_path / "nowhere")
    with pytest.raises(il.InputError, match="kind 'folder' needs the path of its folder"):
        find_files("folder")
    with pytest.raises(il.InputError, match="holds no picture that matches '\\*': give another folder or pattern"):
        find_files("folder", tmp_path)
    _write(tmp_path / "a.png")
    with pytest.raises(il.InputError, match=r"matches '\*\.jpg' \(a.png is the first of 1 others\)"):
        find_files("folder", tmp_path, "*.jpg")
    for parent in ("one", "two"):
        path = tmp_path / parent / "OASIS_1" / "slice_norm.nii.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    with pytest.raises(il.InputError, match="holds several pictures named OASIS_1"):
        find_files("oasis", tmp_path)


def test_what_the_whole_set_has_beyond_a_copy(tmp_path: Path) -> None:
    def kodak(numbers: range) -> list[DatasetFile]:
        return [_file(tmp_path / f"kodim{number:02d}.png") for number in numbers]

    assert absent_files("kodak", kodak(range(1, 25))) == ""
    assert absent_files("kodak", kodak(range(1, 24))) == "not there of Kodak's 24: kodim24.png"
    assert absent_files("kodak", kodak(range(2, 13))) == (
        "not there of Kodak's 24: kodim01.png, kodim13.png, kodim14.png and 10 more"
    )
    assert absent_files("oasis", kodak(range(1, 3))) == "the whole of neurite-OASIS has 414"
    assert absent_files("folder", []) == ""


# Paths and hashes


def test_paths_start_at_their_base_and_know_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert expand_path("faces", "/studies") == Path("/studies/faces")
    assert expand_path("/faces", "/studies") == Path("/faces")
    assert expand_path("${SOME_DATA}/faces", "/studies") == tmp_path / "data" / "faces"
    assert expand_path("~/faces", "/studies") == tmp_path / "home" / "faces"
    assert expand_path("$5 photos", "/studies") == Path("/studies/$5 photos")


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SOME_DATA", raising=False)
    with pytest.raises(il.InputError, match=r"'\$\{SOME_DATA\}/faces' needs the environment variable SOME_DATA"):
        expand_path("${SOME_DATA}/faces", tmp_path)
    for broken in ("${SOME-DATA}/faces", "${SOME_DATA", ""):
        with pytest.raises(il.InputError, match="is not understood"):
            expand_path(broken, tmp_path)


def test_a_files_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"some bytes" * 10_000)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"some bytes" * 10_000).hexdigest()
    with pytest.raises(il.InputError, match="b could not be read: No such file"):
        file_sha256(tmp_path / "b")


# Split


@given(
    count=st.integers(1, 30),
    parts=st.tuples(st.integers(0, 8), st.integers(0, 8), st.none() | st.integers(0, 8)),
    seed=st.integers(0, 2**31),
    shuffle=st.randoms(use_true_random=False),
)
def test_a_split_uses_every_file_once_whatever_their_order(count, parts, seed, shuffle) -> None:  # type: ignore[no-untyped-def]
    files = [DatasetFile(f"{number:03d}.png", Path(f"/a/{number:03d}.png")) for number in range(count)]
    cohort, validation, test = parts
    need = cohort + validation + (test or 0)
    if need > count:
        with pytest.raises(
            il.InputError, match=f"only {count} pictures? (is|are) there, .* so {need - count} are missing"
        ):
            split_files(files, cohort, validation, test, seed)
        return
    split = split_files(files, cohort, validation, test, seed)
    rest = count - cohort - validation
    assert [len(part) for part in (split.cohort, split.validation)] == [cohort, validation]
    assert len(split.test) == (rest if test is None else test)
    together = split.cohort + split.validation + split.test + split.unused
    assert Counter(together) == Counter(files)
    elsewhere = [DatasetFile(file.name, Path("/b") / file.name) for file in files]
    shuffle.shuffle(elsewhere)
    moved = split_files(elsewhere, cohort, validation, test, seed)
    assert [file.name for file in moved.cohort + moved.validation + moved.test + moved.unused] == [
        file.name for file in together
    ]
    # The cohort is the cohort, whatever is asked for beside it.
    assert split_files(files, cohort, 0, None, seed).cohort == split.cohort


KODAK = [DatasetFile(f"kodim{number:02d}.png", Path(f"kodim{number:02d}.png")) for number in range(1, 25)]


def test_a_split_is_the_same_on_every_machine(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--shake") == "seeds":
        pytest.skip("this pins what seed 0 draws, and the draws are other ones")
    first = [file.name for file in split_files(KODAK, 10, 0, None, 0).cohort]
    digest = hashlib.sha256(b"0/split").digest()
    draws = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    assert first == [KODAK[index].name for index in torch.randperm(24, generator=draws)[:10]]


def test_a_split_is_another_for_another_seed() -> None:
    assert len({tuple(split_files(KODAK, 10, 0, None, seed).cohort) for seed in range(20)}) == 20
    # Each picture is in the cohort of 10 of 24 about equally often.
    often = Counter(file.name for seed in range(240) for file in split_files(KODAK, 10, 0, None, seed).cohort)
    assert set(often) == {file.name for file in KODAK}
    assert all(abs(count - 100) < 40 for count in often.values())


def test_a_split_without_a_seed_keeps_the_order() -> None:
    files = [DatasetFile(name, Path(name)) for name in "dbca"]
    split = split_files(files, 2, 1, None, None)
    assert [[file.name for file in part] for part in (split.cohort, split.validation, split.test)] == [
        ["d", "b"],
        ["c"],
        ["a"],
    ]


def test_a_set_that_is_too_small_is_told_in_numbers(tmp_path: Path) -> None:
    files = [_file(tmp_path / f"kodim{number:02d}.png") for number in range(1, 13)]
    with pytest.raises(il.InputError) as refused:
        split_files(files, 10, 0, 14, 0, absent_files("kodak", files))
    assert str(refused.value) == (
        "only 12 pictures are there (not there of Kodak's 24: kodim13.png, kodim14.png, kodim15.png and 9 more), "
        "but 10 for the cohort and 14 for the test are asked for, so 12 are missing: ask for fewer, or give the whole "
        "set."
    )
    for use, numbers in {"cohort": (-1, 0, None), "validation": (1, -2, None), "test": (1, 0, -3)}.items():
        with pytest.raises(
            il.InputError, match=f"{use} must be 0 or more pictures, not {min(n or 0 for n in numbers)}"
        ):
            split_files(files, *numbers)


# Read


@pytest.mark.parametrize("how", ["resize", "cover", "crop"])
@pytest.mark.parametrize("channels", [1, 3])
def test_without_turning_a_picture_is_what_load_image_gives(tmp_path: Path, how: str, channels: int) -> None:
    path = _write(tmp_path / "a.png", _array(3, 9, 11))
    picture = read_picture(DatasetFile("set/a.png", path), (5, 7), how, channels)
    expected = il.load_image(path, (5, 7), grey=channels == 1, how=how)
    assert picture.name == "set/a.png"
    assert picture.digest == expected.digest


@pytest.mark.parametrize("channels", [1, 3])
def test_upright_pictures_turn_left_before_they_are_resized(tmp_path: Path, channels: int) -> None:
    array = _array(1, 12, 8)
    path = _write(tmp_path / "a.png", array)
    kept = read_picture(_file(path), turn=True, channels=channels)
    grey = np.asarray(Image.fromarray(array).convert("L"))[:, :, None]
    pixels = np.rot90(array if channels == 3 else grey)
    assert np.array_equal(kept.image().numpy(), pixels.astype(np.float32) / np.float32(255))
    # The picture's right edge is the turned one's top.
    assert torch.equal(kept.image()[0], read_picture(_file(path), channels=channels).image()[:, -1])
    scaled = read_picture(_file(path), (5, 9), turn=True, channels=channels)
    plain = np.ascontiguousarray(pixels if channels == 3 else pixels[:, :, 0])
    resized = np.asarray(Image.fromarray(plain).resize((9, 5), Image.Resampling.LANCZOS), dtype=np.float32)
    assert np.array_equal(scaled.image().numpy(), resized.reshape(5, 9, channels) / np.float32(255))


def test_wide_and_square_pictures_do_not_turn(tmp_path: Path) -> None:
    for height, width in ((6, 8), (7, 7)):
        path = _write(tmp_path / "a.png", _array(0, height, width))
        assert read_picture(_file(path), turn=True).digest == il.load_image(path).digest


def test_grey_pictures_get_three_equal_channels_and_sixteen_bits_are_kept(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 65536, (8, 6), dtype=np.uint16)
    path = _write(tmp_path / "deep.png", array)
    picture = read_picture(_file(path), turn=True)
    assert (picture.channels, picture.bit_depth, picture.shape) == (3, 16, (6, 8))
    for channel in range(3):
        expected = np.rot90(array).astype(np.float32) / np.float32(65535)
        assert np.array_equal(picture.image()[:, :, channel].numpy(), expected)
    scaled = read_picture(_file(path), (4, 3), channels=1)
    assert (scaled.channels, scaled.bit_depth) == (1, 16)
    assert torch.allclose(scaled.values, il.load_image(path, (4, 3)).values, atol=1e-6)


def test_a_turned_picture_follows_its_exif_orientation(tmp_path: Path) -> None:
    """A camera's upright picture, stored on its side: what counts is how it is looked at."""
    array = _array(2, 6, 9)
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(array).save(tmp_path / "a.png", exif=exif)
    assert read_picture(_file(tmp_path / "a.png")).shape == (9, 6)
    assert torch.equal(
        read_picture(_file(tmp_path / "a.png"), turn=True).image(),
        torch.from_numpy(np.rot90(np.rot90(array, -1)).astype(np.float32) / np.float32(255)),
    )


def test_pictures_of_two_sizes_are_refused_with_the_mending(tmp_path: Path) -> None:
    wide = _file(_write(tmp_path / "a.png", _array(0, 6, 8)))
    upright = _file(_write(tmp_path / "b.png", _array(1, 8, 6)))
    small = _file(_write(tmp_path / "c.png", _array(2, 3, 4)))
    mending = "b.png 8x6, but the pictures of a data set share one grid: set turn for the upright ones, or a size"
    with pytest.raises(il.InputError, match=f"a.png is 6x8 pixels and {mending}"):
        read_pictures("folder", [wide, upright])
    assert [one.shape for one in read_pictures("folder", [wide, upright], turn=True)] == [(6, 8), (6, 8)]
    with pytest.raises(il.InputError, match=r"a.png is 6x8 pixels and c.png 3x4.* set a size that all are brought to"):
        read_pictures("folder", [wide, upright, small], turn=True)
    assert {one.shape for one in read_pictures("folder", [wide, upright, small], (4, 5))} == {(4, 5)}


def test_scaled_copies_of_a_known_set_are_taken_and_mixtures_are_not(tmp_path: Path) -> None:
    scaled = [_file(_write(tmp_path / f"00000{number}.jpg", _array(number, 10, 8))) for number in (1, 2)]
    whole = _file(_write(tmp_path / "000003.jpg", _array(3, 20, 16)))
    assert len(read_pictures("celeba", scaled, (5, 4))) == 2
    with pytest.raises(il.InputError, match=r"000001.jpg is 10x8 pixels and 000003.jpg 20x16, so copies of CelebA"):
        read_pictures("celeba", [*scaled, whole], (5, 4))
    assert len(read_pictures("folder", [*scaled, whole], (5, 4))) == 3


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    file = _file(_write(tmp_path / "a.png"))
    with pytest.raises(il.InputError, match="the size 9x5 is upright: give 5x9, or leave turn out"):
        read_picture(file, (9, 5), turn=True)
    unchecked = toys.unchecked(read_picture)
    with pytest.raises(il.InputError, match="channels must be 1 \\(grey\\) or 3 \\(colour\\), not 2"):
        unchecked(file, channels=2)
    with pytest.raises(il.InputError, match="how='stretch' is not known"):
        unchecked(file, how="stretch")
    with pytest.raises(il.InputError, match="size must be \\(height, width\\)"):
        read_picture(file, (0, 5))
    with pytest.raises(il.InputError, match="too small to crop 9x9 from it"):
        read_picture(file, (9, 9), how="crop")


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.png", _array(0, 40, 40))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(il.InputError, match=f"{re.escape(str(path))} could not be read as an image"):
        read_picture(_file(path))


# NIfTI


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 1), (1, 6, 8), (6, 8, 1, 1)])
def test_a_slice_keeps_values_within_one(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).random(shape).astype(np.float32)
    picture = load_nifti_slice(_nifti(tmp_path / "slice_norm.nii.gz", array))
    assert (picture.shape, picture.channels, picture.bit_depth) == ((6, 8), 1, 16)
    assert np.array_equal(picture.values.numpy().ravel(), array.ravel())


def test_a_slice_beyond_one_is_divided_by_its_maximum(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 1200, (6, 8, 1), dtype=np.int16)
    picture = load_nifti_slice(_nifti(tmp_path / "a.nii", array))
    expected = array[:, :, 0].astype(np.float32) / np.float32(array.max())
    assert np.array_equal(picture.image()[:, :, 0].numpy(), expected)
    assert float(picture.values.max()) == 1.0


def test_the_stored_scaling_is_applied(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    stored = np.arange(48, dtype=np.uint8).reshape(6, 8)
    image = nibabel.Nifti1Image(stored, np.eye(4))
    image.header.set_slope_inter(0.01, 0.25)
    nibabel.save(image, tmp_path / "a.nii.gz")
    picture = load_nifti_slice(tmp_path / "a.nii.gz")
    assert np.allclose(picture.image()[:, :, 0].numpy(), stored * 0.01 + 0.25, atol=1e-6)


def test_slices_are_brought_to_a_size_and_to_three_channels(tmp_path: Path) -> None:
    array = np.random.default_rng(0).random((12, 8)).astype(np.float32)
    file = DatasetFile("OASIS_1", _nifti(tmp_path / "OASIS_1" / "slice_norm.nii.gz", array))
    picture = read_picture(file, (5, 7), turn=True)
    image = Image.fromarray(np.ascontiguousarray(np.rot90(array))).resize((7, 5), Image.Resampling.LANCZOS)
    assert (picture.name, picture.shape, picture.channels) == ("OASIS_1", (5, 7), 3)
    for channel in range(3):
        assert np.array_equal(picture.image()[:, :, channel].numpy(), np.asarray(image).clip(0.0, 1.0))


def test_files_that_hold_no_slice_are_refused(tmp_path: Path) -> None:
    ones = np.ones((4, 5), dtype=np.float32)
    with pytest.raises(il.InputError, match="holds 4x5x6 values: give a file of one slice"):
        load_nifti_slice(_nifti(tmp_path / "volume.nii.gz", np.ones((4, 5, 6), dtype=np.float32)))
    with pytest.raises(il.InputError, match="holds values from -1 to 1: say which become 0 and 1"):
        load_nifti_slice(_nifti(tmp_path / "negative.nii.gz", np.where(np.eye(4, 5) > 0, -ones, ones)))
    with pytest.raises(il.InputError, match=r"holds .* NaN or too large"):
        load_nifti_slice(_nifti(tmp_path / "nan.nii.gz", ones * np.float32("nan")))
    with pytest.raises(il.InputError, match=r"missing\.nii\.gz does not exist"):
        load_nifti_slice(tmp_path / "missing.nii.gz")
    whole = _nifti(tmp_path / "whole.nii.gz", np.random.default_rng(0).random((40, 50)).astype(np.float32))
    for name, content in {
        "cut.nii.gz": whole.read_bytes()[:2000],
        "text.nii.gz": b"no slice",
        "empty.nii": b"",
        "turned.nii.gz": whole.read_bytes()[:600] + b"\0" * 60 + whole.read_bytes()[660:],
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(il.InputError, match=f"{name} could not be read as NIfTI"):
            load_nifti_slice(tmp_path / name)


def test_without_nibabel_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nibabel", None)
    with pytest.raises(il.InputError, match=r'a.nii.gz is a NIfTI file, .* pip install "inrlens\[nifti\]"'):
        load_nifti_slice(tmp_path / "a.nii.gz")


# Real data


@pytest.mark.skipif(not DATA, reason="INRLENS_DATA names no folder of real data")
@pytest.mark.parametrize(
    ("kind", "name", "shape", "turn"),
    [
        ("celeba", "faces_178x218", (218, 178), False),
        ("celeba", "faces_89x109", (109, 89), False),
        ("kodak", "kodak", (512, 768), True),
        ("folder", "mri_128x128", (128, 128), False),
    ],
)
def test_real_data_sets_split_and_read(kind: str, name: str, shape: tuple[int, int], turn: bool) -> None:
    folder = Path(str(DATA)) / name
    if not folder.is_dir():
        pytest.skip(f"INRLENS_DATA holds no folder {name}")
    found = find_files(kind, folder)
    assert len(found) >= 12
    split = split_files(found, 3, 0, 2, 0)
    pictures = read_pictures(kind, split.cohort + split.test, turn=turn)
    assert {(one.shape, one.channels) for one in pictures} == {(shape, 3)}
    if name == "kodak":
        upright = next(file for file in found if file.name == "kodim04.png")
        with Image.open(upright.path) as opened:
            expected = np.rot90(np.asarray(opened)).astype(np.float32) / np.float32(255)
        assert np.array_equal(read_picture(upright, turn=True).image().numpy(), expected)
