"""The study's figures, and the section of the page that each stands in."""

from collections.abc import Sequence

from inrlens.reports.study.figures import StudyFigure, study_figures
from inrlens.reports.study.told import StudyStore, ToldStudy

_BEGINNINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("freeze", ("freeze", "rest", "warm")),
    ("budget", ("curve", "steps", "seconds")),
    ("predict", ("predict",)),
    ("decide", ("factor", "effect", "search")),
)
"""How the names of figures begin, by section; all others are of dictionaries and atoms."""
OTHERS = "atoms"


def figures_by_section(store: StudyStore, study: ToldStudy) -> dict[str, list[StudyFigure]]:
    """The figures that the study has rows for."""
    found: dict[str, list[StudyFigure]] = {}
    for figure in all_figures(store, study):
        found.setdefault(_section(figure.name), []).append(figure)
    return found


def all_figures(store: StudyStore, study: ToldStudy) -> Sequence[StudyFigure]:
    """The figures in the order in which they are drawn."""
    return study_figures(store, study.name, study.rows)


def _section(name: str) -> str:
    return next((section for section, starts in _BEGINNINGS if name.startswith(starts)), OTHERS)
