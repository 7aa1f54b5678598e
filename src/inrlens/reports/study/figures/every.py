"""All figures of a study, in the order in which its page shows them."""

from inrlens.reports.study.figures.ablations import ablation_figures
from inrlens.reports.study.figures.beside import beside
from inrlens.reports.study.figures.concentration import concentration_figures
from inrlens.reports.study.figures.curves import curve_figures
from inrlens.reports.study.figures.factors import factor_figures
from inrlens.reports.study.figures.freeze import freeze_figures
from inrlens.reports.study.figures.galleries import gallery_figures
from inrlens.reports.study.figures.predictors import predictor_figures
from inrlens.reports.study.figures.profiles import profile_figures
from inrlens.reports.study.figures.rests import rest_figures
from inrlens.reports.study.figures.search import search_figures
from inrlens.reports.study.figures.sheet import StudyFigure
from inrlens.reports.study.figures.sizes import size_figures
from inrlens.reports.study.told import SourceStore
from inrlens.studies.tables.records import StudyRows


def study_figures(store: SourceStore, study: str, rows: StudyRows) -> list[StudyFigure]:
    """Every figure that the rows of ``study``, finished or not, have something for.

    Galleries and ablations need the analyses' pictures: a ``store`` without ``artefact`` gives none of them.

    Raises:
        InputError: where the store has no such study.
    """
    return [
        *freeze_figures(rows, beside(store, study)),
        *rest_figures(rows),
        *curve_figures(rows),
        *predictor_figures(rows),
        *factor_figures(rows),
        *search_figures(rows),
        *gallery_figures(store, rows.analyses),
        *concentration_figures(rows.analyses),
        *profile_figures(rows.analyses),
        *ablation_figures(store, rows.analyses),
        *size_figures(rows.dictionaries),
    ]
