"""The page itself: every section that a run has data for, rendered into one self-contained HTML file."""

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from inrlens.files import write_text
from inrlens.reports.environment import environment
from inrlens.reports.sections.ablations import ablations
from inrlens.reports.sections.atoms import atoms
from inrlens.reports.sections.brief import brief
from inrlens.reports.sections.closing import closing
from inrlens.reports.sections.controls import controls
from inrlens.reports.sections.every import every
from inrlens.reports.sections.freeze import freeze
from inrlens.reports.sections.gallery import gallery
from inrlens.reports.sections.groups import groups
from inrlens.reports.sections.heading import heading
from inrlens.reports.sections.notes import notes
from inrlens.reports.sections.ranks import ranks
from inrlens.reports.sections.reconstructions import reconstructions
from inrlens.reports.sections.setup import setup
from inrlens.reports.sections.stability import stability
from inrlens.reports.sections.worst import worst
from inrlens.studies.run_reader import OpenRun

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


@dataclass(frozen=True)
class Script:
    """A script and its SHA-256 in base64, which the page's policy allows it by."""

    text: Markup
    digest: str


def write_report(folder: Path) -> Path:
    """Writes ``report.html`` into a run folder, whole or not at all, and returns its path.

    The page holds everything that it shows: no font, no request, and no script but, for a run with an atlas, one that
    shows the map of the atom pointed at. The same run gives the same bytes.

    Raises:
        InputError: where the folder is no run of InrLens, or a file that its record names is missing or damaged.
    """
    return write_page(OpenRun(folder), Path(folder) / REPORT_FILE)


def write_page(run: OpenRun, path: Path) -> Path:
    """Writes a run's page to a file, whole or not at all, and returns its path."""
    page = render(run)
    write_text(path, page)
    return path


def render(run: OpenRun) -> str:
    """A run's page as HTML."""
    ablated, clouds = ablations(run), every(run)
    found = (
        Section("setup", "What was run", setup(run)),
        Section("reconstructions", "Reconstructions", reconstructions(run)),
        Section("ranks", "Stable ranks", ranks(run)),
        Section("freeze", "Where to freeze", freeze(run)),
        Section("gallery", "The atoms", gallery(run)),
        Section("atoms", "How atoms are spread", atoms(run)),
        Section("ablations", "One atom out", ablated),
        Section("every", "Every atom", clouds),
        Section("worst", "The ten that cost most", worst(run)),
        Section("groups", "Atoms in groups", groups(run)),
        Section("controls", "Beside controls", controls(run)),
        Section("stability", "Are atoms real?", stability(run)),
        Section("closing", "Beside the paper", closing(run)),
        Section("notes", "How to read these numbers", notes(run) or None),
    )
    record = run.record
    kinds = {
        "demo": "A walkthrough",
        "fit": "A fit",
        "cohort": "A cohort fit",
        "transfer": "A transfer",
        "network": "A network",
    }
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            heading=heading(run),
            brief=brief(record, ablated),
            sections=[section for section in found if section.data is not None],
            kicker=f"{kinds[record.kind]} by InrLens, {record.started[:10]}",
            version=record.inrlens_version,
            script=script() if clouds is not None else None,
        )
    )


def script() -> Script:
    """The page's one script."""
    text = resources.files("inrlens.reports").joinpath("templates", "every.js").read_text(encoding="utf-8")
    return Script(Markup(text), base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii"))
