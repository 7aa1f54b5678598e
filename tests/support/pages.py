"""A report as a reader's browser would find it, and a tiny walkthrough to write one of."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import inrlens as il
import toys
from inrlens.fields.ffmlp import FFMLP
from inrlens.fields.siren import Siren
from inrlens.reports.figures import canvas
from inrlens.reports.page import write_report
from inrlens.reports.study.figures import sheet
from inrlens.studies.plan import BackbonePlan, WalkthroughPlan
from inrlens.studies.progress import Progress
from inrlens.studies.record import RunRecord
from inrlens.studies.walkthrough import run_walkthrough

GRID = (12, 14)
Draw = Callable[[Any], None]
_EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 280"></svg>'
_VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """What a reader's browser would find: elements with their attributes, nesting, and visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.script = ""
        self.tables: dict[str, list[list[str]]] = {}
        """Rows of cells by caption, the head first."""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "caption":
            self._caption = ""
        elif tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        elif tag in ("td", "th"):
            self.tables[self._caption][-1].append("")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.script += data
        elif inside == "caption":
            self._caption += data
        elif inside in ("td", "th"):
            self.tables[self._caption][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def leave_figures_out(monkeypatch: pytest.MonkeyPatch, clouds: bool = True) -> None:
    """Empty drawings in the place of every figure, which take most of a page's time: for tests of the words and numbers
    around them. The clouds of atoms, whose dots have places, may stay."""
    whole = canvas._drawn

    def drawn(
        name: str, draw: Draw, size: canvas.Place, text: float, points: Sequence[canvas.Place]
    ) -> tuple[str, list[canvas.Place]]:
        return (_EMPTY, [(0.0, 0.0) for _ in points]) if clouds or not points else whole(name, draw, size, text, points)

    monkeypatch.setattr(canvas, "_drawn", drawn)
    monkeypatch.setattr(sheet, "as_svg", lambda figure, name, alt: canvas.page_svg(_EMPTY, name, alt))


def draw_without_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every panel is drawn and its axes are settled, but it is not laid out and written as SVG, which takes longer: for
    tests of what can be drawn at all."""
    # Imported here: most workers need no matplotlib, whose import takes a second.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    def drawn(
        name: str, draw: Draw, size: canvas.Place, text: float, points: Sequence[canvas.Place]
    ) -> tuple[str, list[canvas.Place]]:
        with rc_context(canvas.style(name, text)):
            axes = Figure(figsize=(size[0] / canvas.UNIT, size[1] / canvas.UNIT)).add_subplot()
            draw(axes)
            for one in (axes.xaxis, axes.yaxis):
                one.get_ticklabels()
        return _EMPTY, [(0.0, 0.0) for _ in points]

    monkeypatch.setattr(canvas, "_drawn", drawn)


def page(folder: Path) -> Page:
    """A run's page, written anew."""
    return Page(write_report(folder).read_text(encoding="utf-8"))


def plan() -> WalkthroughPlan:
    """Two backbones of three layers."""
    parts = []
    for backbone in (Siren(width=8, depth=3), FFMLP(width=8, depth=3, frequencies=6, sigma=1.5)):
        recipe = il.Recipe(f"toy {backbone.name}", backbone, steps=6, learning_rate=1e-3, record_every=2)
        parts.append(BackbonePlan(backbone.name, recipe, recipe, replace(recipe, backbone=None)))
    return WalkthroughPlan(tuple(parts), 2, 24, 3, 6, 64, 1e-3)


def walk(folder: Path, listener: Callable[[Progress], None] | None = None) -> RunRecord:
    """Runs it on three photos in the cohort and two held out."""
    photos = toys.signals(5, GRID)
    folder.mkdir()
    return run_walkthrough(plan(), photos[:3], photos[3:], folder, listener)
