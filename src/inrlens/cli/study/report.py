"""``inrlens study report`` and ``export``: what a store knows, as a page and as tables."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import show, show_json, shown_path
from inrlens.cli.study import options as sopt
from inrlens.errors import InputError

REPORT_EXAMPLES = ("inrlens study report study.toml", "inrlens study report study.toml -o page.html")
EXPORT_EXAMPLES = ("inrlens study export study.toml --latex -o tables",)
Form = Literal["csv", "latex", "parquet"]


def report(
    study: sopt.StudyFile,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The page; default: beside the store, by the study's name."),
    ] = None,
    store: sopt.StoreFolder = None,
    json: opt.Json = False,
) -> None:
    """Write a study's page: its tables and figures beside the published ones, from the store alone."""
    from inrlens.cli.study.opened import open_store
    from inrlens.reports.study.page import write_study_report
    from inrlens.studies.config.locate import locate

    located = locate(study, store)
    page = out or located.store.parent / f"{located.name}.html"
    with open_store(located) as known:
        write_study_report(known, located.name, page)
    if json:
        show_json({"study": located.name, "report": page})
    else:
        show(shown_path(page))


def export(
    study: sopt.StudyFile,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER", help="Where the files go.", rich_help_panel=opt.OUTPUT),
    ],
    csv: Annotated[bool, typer.Option("--csv", help="Every table and every row as .csv.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Every table as .tex, and a document of all.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Every table and every row as .parquet.")] = False,
    store: sopt.StoreFolder = None,
    json: opt.Json = False,
) -> None:
    """Write a study's tables and rows for other programs, from the store alone."""
    wanted: dict[Form, bool] = {"csv": csv, "latex": latex, "parquet": parquet}
    forms = [form for form, chosen in wanted.items() if chosen]
    if not forms:
        raise InputError("nothing to write: give --csv, --latex or --parquet.")
    from inrlens.cli.study.opened import open_store
    from inrlens.reports.study.export import export_study
    from inrlens.studies.config.locate import locate

    located = locate(study, store)
    with open_store(located) as known:
        files = [path for form in forms for path in export_study(known, located.name, out, form)]
    if json:
        show_json({"study": located.name, "files": files})
    else:
        show(f"{len(files)} files in {shown_path(out)}")
