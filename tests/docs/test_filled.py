"""Places of pages that show numbers of record, or a registry, hold what is known now."""

from pathlib import Path

import pytest

import filled_pages
from filled_pages import FILLS, filled, pages, suite_times
from reference_pages import COMMAND, unfilled


def test_no_place_is_stale() -> None:
    assert unfilled(pages()) == [], f"run `{COMMAND}`"


def test_everything_that_fills_has_one_place() -> None:
    texts = [path.read_text(encoding="utf-8") for path in pages()]
    for name in FILLS:
        assert sum(f"<!-- filled: {name} -->" in text for text in texts) == 1


def test_times_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("machine,command,seconds,passed,skipped\nM,test,283.6,3725,17\nM,x,59.7,1,0\n")
    told = suite_times(tmp_path / "a.csv")
    assert "| `make test` | 3,725 | 17 | 4:44 |\n| `make x` | 1 | 0 | 1:00 |\n" in told
    assert "Measured on M," in told


def test_a_place_is_filled_and_the_rest_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled_pages, "FILLS", {"sum": lambda: "1+2"})
    page = "before\n<!-- filled: sum -->\n{}<!-- end of sum -->\nafter\n"
    for old in ("", "\n3+4\n\n"):
        assert filled(page.format(old)) == page.format("\n1+2\n\n")
    (tmp_path / "page.md").write_text(page.format("3\n"))
    assert unfilled([tmp_path / "page.md"]) == [tmp_path / "page.md"]
    with pytest.raises(ValueError, match="nothing fills 'other'; known are sum"):
        filled(page.format("").replace("sum", "other"))
    for broken in (page.format("").replace("end of sum", "end of it"), page.format("").replace("filled", "field")):
        with pytest.raises(ValueError, match="begins or ends without the other"):
            filled(broken)
