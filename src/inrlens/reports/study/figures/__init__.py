"""A study's figures: the counterparts of the paper's, and what the paper did not draw."""

from inrlens.reports.study.figures.every import study_figures
from inrlens.reports.study.figures.sheet import StudyFigure, as_pdf, as_svg

__all__ = ["StudyFigure", "as_pdf", "as_svg", "study_figures"]
