"""``inrlens report``: a run's page, written anew."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import show, show_json, shown_path

EXAMPLES = ("inrlens report runs/demo",)


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    json: opt.Json = False,
) -> None:
    """Write report.html, one page that needs nothing else, from what a run folder holds."""
    from inrlens.reports.page import write_report

    page = write_report(run)
    if json:
        show_json({"report": page})
    else:
        show(shown_path(page))
