"""Places of pages that show numbers of record hold what their files say."""

from pathlib import Path

import pytest

import filled_pages
from filled_pages import FILLS, Fill, filled, pages
from reference_pages import COMMAND, unfilled


def test_no_place_is_stale() -> None:
    assert unfilled(pages()) == [], f"run `{COMMAND}`"


def test_every_file_fills_a_place() -> None:
    texts = [path.read_text(encoding="utf-8") for path in pages()]
    for name, fill in FILLS.items():
        assert fill.file.is_file()
        assert sum(f"<!-- filled: {name} -->" in text for text in texts) == 1


def test_a_place_is_filled_and_the_rest_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n2\n")
    one = Fill(tmp_path / "a.csv", lambda rows: "+".join(row["n"] for row in rows))
    monkeypatch.setattr(filled_pages, "FILLS", {"sum": one})
    page = "before\n<!-- filled: sum -->\n{}<!-- end of sum -->\nafter\n"
    for old in ("", "3+4\n"):
        assert filled(page.format(old)) == page.format("1+2\n")
    (tmp_path / "page.md").write_text(page.format("3\n"))
    assert unfilled([tmp_path / "page.md"]) == [tmp_path / "page.md"]
    with pytest.raises(ValueError, match="nothing fills 'other'; known are sum"):
        filled(page.format("").replace("sum", "other"))
    for broken in (page.format("").replace("end of sum", "end of it"), page.format("").replace("filled", "field")):
        with pytest.raises(ValueError, match="begins or ends without the other"):
            filled(broken)
