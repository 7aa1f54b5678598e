"""The page itself: every section that a run has data for, rendered into one self-contained HTML file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from inrlens.files import whole_file
from inrlens.reports.sections.ablations import ablations
from inrlens.reports.sections.atoms import atoms
from inrlens.reports.sections.brief import brief
from inrlens.reports.sections.closing import closing
from inrlens.reports.sections.freeze import freeze
from inrlens.reports.sections.gallery import gallery
from inrlens.reports.sections.heading import heading
from inrlens.reports.sections.notes import notes
from inrlens.reports.sections.ranks import ranks
from inrlens.reports.sections.reconstructions import reconstructions
from inrlens.reports.sections.setup import setup
from inrlens.studies.opened import OpenRun

REPORT_FILE = "report.html"


@dataclass(frozen=True)
class Section:
    """A section of the page: its anchor, its title, its template's file and the data that the template shows."""

    name: str
    title: str
    data: Any

    @property
    def template(self) -> str:
        """The template that renders it."""
        return f"{self.name}.html.j2"


def write_report(folder: Path) -> Path:
    """Writes ``report.html`` into a run folder, whole or not at all, and returns its path.

    The page holds everything that it shows: no script, no font, no request. The same run gives the same bytes.

    Raises:
        InputError: where the folder is no run of InrLens, or a file that its record names is missing or damaged.
    """
    return write_page(OpenRun(folder), Path(folder) / REPORT_FILE)


def write_page(run: OpenRun, path: Path) -> Path:
    """Writes a run's page to a file, whole or not at all, and returns its path."""
    page = render(run)
    with whole_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def render(run: OpenRun) -> str:
    """A run's page as HTML."""
    ablated = ablations(run)
    found = (
        Section("setup", "What was run", setup(run)),
        Section("reconstructions", "Reconstructions", reconstructions(run)),
        Section("ranks", "Stable ranks", ranks(run)),
        Section("freeze", "Where to freeze", freeze(run)),
        Section("gallery", "The atoms", gallery(run)),
        Section("atoms", "How atoms are spread", atoms(run)),
        Section("ablations", "One atom out", ablated),
        Section("closing", "Beside the paper", closing(run, ablated.top_drops() if ablated is not None else {})),
        Section("notes", "How to read these numbers", notes(run) or None),
    )
    record = run.record
    kinds = {"demo": "A walkthrough", "fit": "A fit", "cohort": "A cohort fit", "transfer": "A transfer"}
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            heading=heading(run),
            brief=brief(record, ablated),
            sections=[section for section in found if section.data is not None],
            kicker=f"{kinds[record.kind]} by InrLens, {record.started[:10]}",
            version=record.inrlens_version,
        )
    )


def _environment() -> Environment:
    # The name ends in .j2, so the choice by file ending would leave escaping off: it is on for all.
    return Environment(
        loader=PackageLoader("inrlens.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
