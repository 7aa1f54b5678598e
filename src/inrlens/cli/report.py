"""``inrlens report``: a run's page, written anew."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import show, show_json, shown_path

EXAMPLES = ("inrlens report runs/demo",)


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run or of a sweep.")],
    json: opt.Json = False,
) -> None:
    """Write report.html, one page that needs nothing else, from what the folder holds."""
    from inrlens.reports.page import write_report
    from inrlens.reports.sweep_page import write_sweep_page
    from inrlens.studies.sweep_record import SWEEP_FILE

    page = write_sweep_page(run) if (run / SWEEP_FILE).is_file() else write_report(run)
    if json:
        show_json({"report": page})
    else:
        show(shown_path(page))
