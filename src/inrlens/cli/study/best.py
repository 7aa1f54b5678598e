"""``inrlens study best``: the recipes that a search found, as files that other studies name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, note, show, show_json, shown_path
from inrlens.cli.study import options as sopt

if TYPE_CHECKING:
    from rich.table import Table

    from inrlens.studies.tables.winners import Winner

EXAMPLES = ("inrlens study best search.toml -o recipes",)


def best(
    study: sopt.StudyFile,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Write the recipes into it.", rich_help_panel=opt.OUTPUT),
    ] = None,
    store: sopt.StoreFolder = None,
    json: opt.Json = False,
) -> None:
    """Name the recipe that did best on the validation pictures, for each backbone, with the curve behind the choice."""
    from inrlens.cli.study.opened import open_store
    from inrlens.studies.config.locate import locate
    from inrlens.studies.tables.best import best_recipes
    from inrlens.studies.tables.load_records import study_rows
    from inrlens.studies.tables.winners import winners, write_winners

    located = locate(study, store)
    with open_store(located) as known:
        found = winners(best_recipes(study_rows(known, located.name)), known.stored(located.name))
    files = [] if out is None else write_winners(found, out, located.name)
    if json:
        show_json({"study": located.name, "recipes": found, "files": files})
        return
    for winner in found:
        show(_table(winner))
    if any(winner.task == "transfer" for winner in found):
        note("a transfer's recipe is judged by the mean over every freeze setting that reuses a cohort.")
    for path in files:
        show(shown_path(path))


def _table(winner: "Winner") -> "Table":
    images = "picture" if winner.images == 1 else "pictures"
    title = f"{winner.name}, {winner.task}: {winner.psnr:.2f} dB on {winner.images} validation {images}"
    axes = list(dict.fromkeys(name for candidate in winner.curve for name, _ in candidate.variant))
    table = columns(title, "", *axes, "PSNR", "sd over pictures")
    for candidate in winner.curve:
        values, psnr = dict(candidate.variant), candidate.psnr
        table.add_row(
            "best" if candidate.variant == winner.variant else "",
            *(str(values.get(name, "")) for name in axes),
            "" if psnr.mean is None else f"{psnr.mean:.2f} dB",
            "" if psnr.over_images is None else f"{psnr.over_images:.2f}",
        )
    return table
