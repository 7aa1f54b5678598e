"""A study's page: what it found so far, beside what was published, in one self-contained file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from inrlens import __version__
from inrlens.files import write_text
from inrlens.reports import words
from inrlens.reports.environment import environment
from inrlens.reports.sections.heading import Heading
from inrlens.reports.study.brief import brief
from inrlens.reports.study.drawn import figures_by_section
from inrlens.reports.study.figures import StudyFigure
from inrlens.reports.study.html import HtmlTable, html_table
from inrlens.reports.study.notes import notes
from inrlens.reports.study.tables.every import SECTIONS, tables_by_section
from inrlens.reports.study.told import StudyStore, ToldStudy, told
from inrlens.studies.config.shipped import SHIPPED


@dataclass(frozen=True)
class PageSection:
    """A section of the page; whatever is empty is left out."""

    name: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    command: str = ""
    figures: Sequence[Any] = ()
    tables: Sequence[HtmlTable] = ()
    terms: tuple[tuple[str, str], ...] = ()


def write_study_report(store: StudyStore, study: str, path: Path) -> Path:
    """Writes a study's page to a file, whole or not at all, and returns its path.

    Raises:
        InputError: where the store has no such study, or the file cannot be written.
    """
    page = study_page(store, study)
    write_text(path, page)
    return path


def study_page(store: StudyStore, study: str) -> str:
    """A study's page as HTML, also while it runs; the same store gives the same text.

    Raises:
        InputError: where the store has no such study.
    """
    found = told(store, study)
    tables = tables_by_section(found)
    figures = figures_by_section(store, found)
    sections = [PageSection("glance", "At a glance", facts=_facts(found), command=_command(found))]
    for name, title, _ in SECTIONS:
        own = figures.get(name, [])
        shown = [html_table(table) for table in tables[name]]
        if own or shown:
            sections.append(PageSection(name, title, figures=[_embedded(one) for one in own], tables=shown))
    terms = notes(found)
    if terms:
        sections.append(PageSection("notes", "How to read these numbers", terms=terms))
    heading = Heading(found.spec.title or found.name, _intro(found), tuple(_troubles(found)))
    return (
        environment()
        .get_template("study_page.html.j2")
        .render(
            heading=heading,
            brief=brief(found),
            sections=sections,
            kicker="A study by InrLens" + (f", {_day(found.ended)}" if found.ended else ""),
            version=__version__,
        )
    )


def _embedded(figure: StudyFigure) -> dict[str, Any]:
    return {"name": figure.name, "title": figure.title, "caption": figure.caption, "svg": Markup(figure.svg)}


def _day(moment: float | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _facts(study: ToldStudy) -> tuple[tuple[str, str], ...]:
    done, planned = sum(study.done.values()), sum(study.planned.values())
    facts = [("Study", study.name), ("Cells", f"{done:,} of {planned:,} done".replace(",", words.THIN))]
    if study.failures:
        facts.append(("Failed", words.count(len(study.failures), "cell")))
    if study.running:
        facts.append(("Running", words.count(study.running, "cell")))
    if study.begun is not None and study.ended is not None:
        facts.append(("Ran", words.span(_time(study.begun), _time(study.ended))))
    if study.hosts:
        facts.append(("Driven from", words.listed(study.hosts)))
    spec = study.spec
    facts.append(("Seeds", f"{_numbers(spec.seeds)}; of cohorts {_numbers(spec.cohort_seeds)}"))
    facts.append(("Measures", words.listed([_measure(study, name) for name in spec.metrics])))
    return tuple(facts)


def _numbers(values: Sequence[int]) -> str:
    return words.listed([str(one) for one in values])


def _measure(study: ToldStudy, name: str) -> str:
    lacking = name == "lpips" and _lacks_lpips(study)
    return name.upper() + (" (not computed)" if lacking else "")


def _lacks_lpips(study: ToldStudy) -> bool:
    found = [row.lpips for row in study.rows.transfers] + [row.lpips for row in study.rows.singles]
    return "lpips" in study.spec.metrics and bool(found) and all(one is None for one in found)


def _command(study: ToldStudy) -> str:
    file = study.name if study.name in SHIPPED else "FILE.toml"
    return f"inrlens study run {file}\ninrlens study report {file}"


def _intro(study: ToldStudy) -> str:
    spec, rows = study.spec, study.rows
    backbones = words.listed([words.backbone_title(one.name) for one in spec.backbones])
    parts = [
        f"{words.count(len(spec.data), 'data set')} ({words.listed([one.name for one in spec.data])}), {backbones}."
    ]
    pairs = {(row.source, row.target) for row in rows.transfers if row.source is not None}
    if pairs:
        images = {(row.target, row.image) for row in rows.transfers}
        parts.append(
            f"{words.count(len(rows.transfers), 'transfer')} over {words.count(len(pairs), 'source-target pair')} and "
            f"{words.count(len(images), 'picture')}."
        )
    if rows.dictionaries:
        parts.append(f"{words.count(len(rows.dictionaries), 'dictionary', 'dictionaries')} of their layers.")
    return " ".join(parts)


def _diverged(study: ToldStudy) -> list[str]:
    """How many fits of each kind diverged, and the settings of the transfers among them."""
    rows = study.rows
    kinds = (("cohort", rows.cohorts), ("single fit", rows.singles), ("dictionary", rows.dictionaries))
    many = [(name, sum(row.outcome == "diverged" for row in own), len(own)) for name, own in kinds]
    parts = [f"{words.count(count, name, _PLURALS.get(name))} of {total}" for name, count, total in many if count]
    moved = [row for row in rows.transfers if row.outcome == "diverged"]
    if moved:
        settings = Counter(f"{row.backbone} {row.setting}" for row in moved)
        where = words.listed([f"{name} ({count})" for name, count in settings.most_common(6)])
        parts.append(f"{words.count(len(moved), 'transfer')} of {len(rows.transfers)}, most of them {where}")
    if not parts:
        return []
    return [
        f"Diverged: {words.listed(parts)}. What such fits reached is in the numbers as it is: read them as failures of "
        "the recipe."
    ]


_PLURALS = {"dictionary": "dictionaries"}


def _troubles(study: ToldStudy) -> list[str]:
    done, planned, failed = sum(study.done.values()), sum(study.planned.values()), len(study.failures)
    found = []
    if done + failed < planned:
        found.append(
            f"The study is not finished: {words.count(done, 'cell')} of {planned:,} are done. Numbers may still "
            "change, and settings may rest on different pictures."
        )
    if failed:
        found.append(
            f"{words.count(failed, 'cell')} failed and {'is' if failed == 1 else 'are'} left out of all numbers."
        )
    found.extend(_diverged(study))
    if _lacks_lpips(study):
        found.append("LPIPS was not computed: its weights were not there ('inrlens weights lpips' fetches them).")
    return found
