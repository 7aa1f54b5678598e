"""Numbers of record on pages are those of their CSV files."""

import pytest

import filled_pages
from filled_pages import FILLERS, filled, minutes, pages


def test_no_page_shows_other_numbers_than_its_csv_file() -> None:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        assert filled(text) == text, f"{page}: run `{filled_pages.COMMAND}`"


def test_every_number_of_record_has_its_place() -> None:
    texts = "".join(page.read_text(encoding="utf-8") for page in pages())
    assert [name for name in FILLERS if f"<!-- filled: {name} -->" not in texts] == []


def test_a_place_is_filled_and_what_stands_around_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILLERS, "toy", lambda: "41 of 50")
    before, after = "a\n<!-- filled: toy -->\n", "\n<!-- end of toy -->\nb <!-- end of toy -->"
    assert filled(f"{before}12 of 50\nor so{after}") == filled(f"{before}{after}") == f"{before}41 of 50{after}"


@pytest.mark.parametrize("ends", [("toy", "toy"), ("suite_times", "toy")])
def test_a_place_that_is_not_known(ends: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=f"'{ends[0]}' ends as '{ends[1]}'; the places are suite_times"):
        filled(f"<!-- filled: {ends[0]} -->\n<!-- end of {ends[1]} -->")


def test_minutes() -> None:
    assert [minutes(seconds) for seconds in (3.4, 59.6, 61.0, 3600.0)] == ["0:03", "1:00", "1:01", "60:00"]
