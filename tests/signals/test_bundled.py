"""The photographs in the package, and the table of where they come from."""

from importlib.resources import files

import pytest

import inrlens as il
import toys
from inrlens.signals.bundled import photo_sources


def test_the_table_names_exactly_the_files_that_are_there() -> None:
    names = {entry.name for entry in (files("inrlens") / "photos").iterdir() if entry.name.endswith(".png")}
    assert {source.file for source in photo_sources()} == names
    assert len(photo_sources()) == 16


def test_every_picture_has_a_title_an_author_a_free_licence_and_a_source() -> None:
    for source in photo_sources():
        assert all(value.strip() for value in vars(source).values()), source
        assert source.licence.startswith(("CC0", "CC-BY-", "public domain")), source
        assert "NC" not in source.licence
        assert "ND" not in source.licence
        assert source.file.startswith(source.split)


def test_cohort_and_held_out_pictures_come_from_different_pictures() -> None:
    origins = [source.source.split(";")[0] for source in photo_sources()]
    assert len(set(origins)) == 16
    assert len({source.title for source in photo_sources()}) == 16


def test_ten_and_six_rgb_pictures_of_192_by_240_all_different() -> None:
    cohort, heldout, both = (il.bundled_photos(split) for split in ("cohort", "heldout", "all"))
    assert (len(cohort), len(heldout)) == (10, 6)
    assert [photo.name for photo in both] == [photo.name for photo in [*cohort, *heldout]]
    assert {(photo.shape, photo.channels, photo.bit_depth) for photo in both} == {((192, 240), 3, 8)}
    assert len({photo.digest for photo in both}) == 16
    assert all(photo.values.std() > 0.05 for photo in both)


def test_size_and_grey() -> None:
    small = il.bundled_photos("heldout", size=(24, 30), grey=True)
    assert {(photo.shape, photo.channels) for photo in small} == {((24, 30), 1)}


def test_another_split() -> None:
    with pytest.raises(il.InputError, match="split='train' is not known; allowed are 'cohort', 'heldout' and 'all'"):
        toys.unchecked(il.bundled_photos)("train")
