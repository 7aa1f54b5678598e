"""The mutator: what failed once ends in a result or one sentence now, and a reader that misbehaves is told."""

from pathlib import Path

import pytest

import fuzz
import inrlens as il
from fuzz import SUBJECTS, Subject, damaged, failure

# As a user meets them, who has no type checker in between.
pytestmark = pytest.mark.usefixtures("unchecked")

FAILED_ONCE = [
    ("store", 1, 283),
    ("a.avif", 1, 1334),
    ("a.avif", 1, 2686),
    ("a.avif", 1, 2790),
    ("stack.tif", 1, 1961),
    ("stack.tif", 1, 2741),
    ("store", 1, 2935),
    ("store", 1, 3507),
    ("a.nii", 2, 2274),
    ("store", 2, 2935),
]
"""Kind, seed and number of damaged inputs that ended in a traceback."""


def broken(name: str, seed: int, number: int, folder: Path) -> Path:
    """The damaged input of a seed and number."""
    path = SUBJECTS[name].make(folder)
    path.write_bytes(damaged(path.read_bytes(), fuzz.draws_of(seed, number), SUBJECTS[name].text))
    return path


@pytest.mark.parametrize(("name", "seed", "number"), FAILED_ONCE)
def test_what_failed_once_ends_in_a_result_or_a_sentence(name: str, seed: int, number: int, tmp_path: Path) -> None:
    assert failure(name, broken(name, seed, number, tmp_path), 60.0) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_every_kind_takes_damage(name: str, tmp_path: Path) -> None:
    """The whole input is read, and twenty damaged ones end in a result or a sentence."""
    (tmp_path / "whole").mkdir()
    SUBJECTS[name].read(SUBJECTS[name].make(tmp_path / "whole"))
    for number in range(20):
        (tmp_path / f"{number}").mkdir()
        assert failure(name, broken(name, 5, number, tmp_path / f"{number}"), 60.0) is None, number


def test_a_reader_that_misbehaves_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reader(text: str) -> Subject:
        def read(path: Path) -> None:
            if text == "half":
                (path.parent / "a.part").touch()
            elif text == "slow":
                while True:
                    pass
            elif text == "lines":
                raise il.InputError("one\ntwo")
            elif text == "error":
                raise KeyError(text)

        return Subject(lambda folder: folder, read)

    (tmp_path / "a").touch()
    for text, said in {
        "good": None,
        "half": "left behind: a.part",
        "slow": "longer than 0.1 s",
        "lines": r"a sentence of several lines: 'one\ntwo'",
        "error": "KeyError: 'error'",
    }.items():
        monkeypatch.setitem(SUBJECTS, "toy", reader(text))
        assert failure("toy", tmp_path / "a", 0.1) == said


def test_the_same_number_is_the_same_damage() -> None:
    content = bytes(range(256)) * 4
    one, same, other = (damaged(content, fuzz.draws_of(0, number), False) for number in (1, 1, 2))
    assert one == same != other
    assert one != content
