"""Every block of README and docs runs, is read, or parses."""

import itertools
import re
from dataclasses import replace
from pathlib import Path
from unittest import SkipTest

import pytest
from sybil.example import SybilFailure

import inrlens as il
from command import photo
from documented import (
    DOCS,
    PAGES,
    ROOT,
    command_fault,
    commands,
    difference,
    examples,
    fences,
    page_name,
    study_faults,
)

SKIPPED = 0
"""How many blocks of all pages may be left out: each costs the reader a promise."""
SMALLER = {
    "README.md": {
        "size=(64, 80)": "size=(12, 15)",
        "n_atoms=1024, k=16, steps=2000, seed": "n_atoms=256, k=4, steps=2, seed",
        "grid=(64, 80)": "grid=(12, 15)",
        "n_atoms=1024, k=16, steps=2000": "n_atoms=32, k=4, steps=2",
        'il.meta_recipes.small("siren")': 'replace(il.meta_recipes.small("siren"), steps=1)',
    }
}
"""What stands in for numbers of a page that take minutes; every other page is run as it stands."""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run a page in, with a dozen of pictures in ``photos/``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for index in range(12):
        photo(tmp_path / "photos" / f"{index:02d}.png", index)
    return tmp_path


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes of two steps of a narrow network."""
    for name in ("single", "cohort", "transfer", "fast", "small"):
        monkeypatch.setattr(il.recipes, name, _shortened(getattr(il.recipes, name)))


def _shortened(recipe: object) -> object:
    def short(*words: str) -> il.Recipe:
        asked: il.Recipe = recipe(*words)  # type: ignore[operator]
        backbone = None if asked.backbone is None else replace(asked.backbone, width=16)
        return replace(asked, backbone=backbone, steps=2)

    return short


def run_page(path: Path) -> list[str]:
    """Runs a page's blocks; the reasons of those that were skipped."""
    text = path.read_text(encoding="utf-8")
    for number, smaller in SMALLER.get(page_name(path), {}).items():
        assert number in text, f"tests/docs/test_blocks.py: {page_name(path)} has no {number!r} any more"
        text = text.replace(number, smaller)
    reasons = []
    for example in examples(path, text):
        try:
            example.evaluate()
        except SkipTest as skipped:
            reasons.append(str(skipped))
    return reasons


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in PAGES if fences(path, "python")], ids=page_name)
def test_every_python_block_runs(path: Path, elsewhere: Path, request: pytest.FixtureRequest) -> None:
    if page_name(path) in SMALLER:
        request.getfixturevalue("brief")
    run_page(path)


def test_few_blocks_are_skipped_and_each_says_why() -> None:
    marks = [mark for path in PAGES for mark in re.findall(r"<!--+ *skip:.*?-->", path.read_text(encoding="utf-8"))]
    assert len(marks) <= SKIPPED
    assert all(re.fullmatch(r'<!-- skip: next "[^"]{10,}" -->', mark) for mark in marks), marks


@pytest.mark.parametrize("path", [path for path in PAGES if fences(path, "toml")], ids=page_name)
def test_every_toml_block_is_a_study_or_an_excerpt_of_one(path: Path) -> None:
    (whole,) = fences(DOCS / "studies.md", "toml")[:1]
    for block in fences(path, "toml"):
        assert study_faults(block, whole, ROOT) is None


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_every_command_parses(path: Path) -> None:
    faults = {
        line: fault
        for block in fences(path, "", "console", "sh", "text")
        for line in commands(block)
        if (fault := command_fault(line)) is not None
    }
    assert not faults


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_every_verb_in_a_sentence_exists(path: Path) -> None:
    for words in re.findall(r"`inrlens ((?:study )?[a-z-]+)[^`]*`", path.read_text(encoding="utf-8")):
        assert command_fault(f"inrlens {words} --help") is None, words


def test_a_fence_that_is_never_closed_is_noticed() -> None:
    for path in PAGES:
        assert len(re.findall(r"^```", path.read_text(encoding="utf-8"), re.MULTILINE)) % 2 == 0, path


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_lists_and_tables_start_after_an_empty_line(path: Path) -> None:
    """Elsewhere Markdown reads them so anyway; on the site they would run into the paragraph."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = text.splitlines()
    for before, line in itertools.pairwise(lines):
        if re.match(r"(- |\d+\. |\|)", line):
            assert not before or re.match(r"(- |\d+\. |\||\s|#)", before), f"{before}\n{line}"


def test_what_the_checks_refuse() -> None:
    whole = fences(DOCS / "studies.md", "toml")[0]
    assert "kind" in str(study_faults('[data.grain]\nkind = "sand"\n', whole, ROOT))
    assert study_faults("format = 1\n", whole, ROOT) is not None
    assert "no verb 'fitt'" in str(command_fault("inrlens fitt a.png"))
    assert "--seeed" in str(command_fault("inrlens fit a.png -o run --seeed 1"))
    assert "requires an argument" in str(command_fault("inrlens fit a.png -o"))
    assert "valid integer" in str(command_fault("inrlens study run a.toml --workers 9x"))
    assert command_fault("inrlens fit a.png -o run  # a comment") is None
    assert commands("$ inrlens info a\nls\ninrlens fit \\\n  b -o c\n") == ["inrlens info a", "inrlens fit b -o c"]


def test_outputs_are_compared_by_their_words_and_their_numbers() -> None:
    assert difference("tau 1, 41.2 dB", "tau 1,  41.2 dB\n") is None
    assert "41.3" in str(difference("tau 1, 41.2 dB", "tau 1, 41.3 dB"))
    assert "depth" in str(difference("tau 1", "depth 1"))
    assert difference("-0.5", "0.5") is not None


def test_an_illustration_is_compared_by_its_words() -> None:
    assert difference("tau 1, 41.2 dB, 1e-3", "tau 2, 3,041 dB, -2", illustration=True) is None
    assert "depth" in str(difference("tau 1", "depth 1", illustration=True))
    assert difference("41.2 dB", "41.2 dB 3", illustration=True) is not None


def test_a_page_that_shows_another_output_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 2\n```\n```python\nprint(x, 'dB')\n```\n```output\n3 dB\n```\n", encoding="utf-8")
    *blocks, output = examples(page, page.read_text(encoding="utf-8"))
    for block in blocks:
        block.evaluate()
    with pytest.raises(SybilFailure, match=r"the page shows\s+3 dB\s+but the block prints\s+2 dB"):
        output.evaluate()
