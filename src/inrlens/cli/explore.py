"""``inrlens explore``: networks, atoms and effects in the browser."""

import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import note, pairs, show, show_json, shown_path
from inrlens.errors import InputError

if TYPE_CHECKING:
    from inrlens.explorer.bundle_input import BundleInput
    from inrlens.explorer.export import Explorer

EXAMPLES = (
    "inrlens explore runs/demo",
    "inrlens explore runs/cohort l2.safetensors --export page.html",
    "inrlens explore theirs.safetensors l2.safetensors --image photo.png",
)
_SERVED, _TITLE = "In the browser", "writing the explorer"
_MOST_NOTES = 2


def explore(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN|FIELD|SAE", help="Run folders, or one field's file, and dictionaries of their networks."
        ),
    ],
    image: Annotated[
        list[Path] | None,
        typer.Option(
            "--image", metavar="FILE", help="What the network of a file was fitted to; repeat it for each of its heads."
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="PATH",
            help="Write static files into a folder, or one file that ends in .html, and stop.",
            rich_help_panel=opt.OUTPUT,
        ),
    ] = None,
    signals: Annotated[
        str, typer.Option("--signals", metavar="N|all", help="Show so many signals of each network.")
    ] = "3",
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", min=0, max=65_535, help="Listen there; 0 takes a free one.", rich_help_panel=_SERVED
        ),
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and open nothing.", rich_help_panel=_SERVED)
    ] = False,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Look at networks, their atoms and exact effects in the browser; nothing leaves this machine."""
    count = _count(signals)
    if export is not None and (port or no_browser):
        raise InputError("--port and --no-browser are for looking, --export writes files and stops: leave one away.")
    if export is not None:
        from inrlens.explorer.export import check_target, ensure_free_target

        check_target(export, [*paths, *(image or ())])
        ensure_free_target(export, force)
    gathered = _gathered(paths, image or [])
    if export is not None:
        _export(gathered, export, count, force, json)
    else:
        _look(gathered, count, port, not no_browser, force, json)


def _gathered(paths: list[Path], images: list[Path]) -> "BundleInput":
    """Runs with their dictionaries; or the network of a file, with the signals that ``images`` hold."""
    from inrlens.checkpoints import load
    from inrlens.cli.inputs import open_dictionary, signal_like
    from inrlens.dictionaries.topk import SparseAutoencoder
    from inrlens.explorer.from_objects import given
    from inrlens.explorer.gather import gather
    from inrlens.fields.field import Field

    held = [(path, load(path) if path.is_file() else None) for path in paths]
    fields = [(path, one) for path, one in held if isinstance(one, Field)]
    if not fields:
        gathered = gather(paths)
        if images:
            raise InputError("--image is for the network of a file, and a run holds its signals: leave --image away.")
        return gathered
    file, field = fields[0]
    saes = [one for _, one in held if isinstance(one, SparseAutoencoder)]
    others = [str(path) for path, one in held if one is not field and not isinstance(one, SparseAutoencoder)]
    if others:
        raise InputError(f"{file} is a network's file, which is shown alone: leave {others[0]} away.")
    if not images:
        raise InputError(
            f"{file} is a network's file, and none of the signals that it was fitted to is known: name each with "
            "--image FILE, or give the folder of its run."
        )
    for path, one in held:
        if isinstance(one, SparseAutoencoder):
            open_dictionary(path, field, "cpu")
    return given(field, saes, [signal_like(image, field, None, "resize") for image in images])


def _count(text: str) -> int | None:
    word = text.strip().lower()
    if word == "all":
        return None
    if not word.isascii() or not word.isdigit() or len(word) > 6 or int(word) < 1:
        raise InputError(f"--signals {text!r} is not known; allowed are all and whole numbers from 1.")
    return int(word)


def _export(gathered: "BundleInput", target: Path, signals: int | None, force: bool, json: bool) -> None:
    from inrlens.cli.progress import Bar
    from inrlens.explorer.export import export as write, is_single

    single = is_single(target)
    with Bar(_TITLE) as bar:
        made = write(gathered, target, signals, bar.tell, force=force)
    if json:
        _notes(made)
        show_json({"file": made.path, "bundle": None if single else made.path, **_numbers(made)})
        return
    what = "one file, which works from disk" if single else "a folder for any static host"
    show(pairs([("written to", f"{shown_path(target)}, {what}"), *_rows(made)]))
    _notes(made)


def _look(gathered: "BundleInput", signals: int | None, port: int, browser: bool, force: bool, json: bool) -> None:
    from inrlens.cli.progress import Bar
    from inrlens.explorer.export import current_explorer, export_folder, own_folder, takes_files, write_own

    if not gathered.runs:
        # No folder is its own: the explorer is gone when the look ends.
        with tempfile.TemporaryDirectory(prefix="inrlens-explorer-") as place:
            with Bar(_TITLE) as bar:
                made = export_folder(gathered, Path(place) / "explorer", signals, bar.tell)
            _serve(made, port, browser, json)
        return
    folder = own_folder(gathered.runs[0])
    current = None if force else current_explorer(gathered, folder, signals)
    if current is None and not takes_files(folder.parent):
        raise InputError(f"{folder.parent} takes no files: write the explorer elsewhere with --export FOLDER.")
    if current is None:
        with Bar(_TITLE) as bar:
            current = write_own(gathered, folder, signals, bar.tell)
    _serve(current, port, browser, json)


def _serve(made: "Explorer", port: int, browser: bool, json: bool) -> None:
    from inrlens.explorer.serve import Server

    with Server(made.path, port) as server:
        if json:
            show_json({"url": server.url, "bundle": made.path, **_numbers(made)})
        else:
            show(pairs([("open", server.url), ("bundle", shown_path(made.path)), *_rows(made)]))
        _notes(made)
        if browser and not webbrowser.open(server.url):
            note("no browser could be opened: open the address above in one.")
        note("Ctrl-C ends it.")
        try:
            server.wait()
        except KeyboardInterrupt:
            note("ended.")


def _notes(made: "Explorer") -> None:
    for sentence in made.notes[:_MOST_NOTES]:
        note(sentence)
    more = len(made.notes) - _MOST_NOTES
    if more > 0:
        note(f"{_counted(more, 'more note')} of that kind: the page lists them.")


def _numbers(made: "Explorer") -> dict[str, object]:
    return {
        "bytes": made.bytes,
        "reused": made.reused,
        "networks": made.networks,
        "dictionaries": made.dictionaries,
    }


def _rows(made: "Explorer") -> list[tuple[str, str]]:
    kept = "as it was: nothing that decides it has changed" if made.reused else "written anew"
    return [
        ("holds", f"{_counted(made.networks, 'network')}, {_counted(made.dictionaries, 'dictionary', 'dictionaries')}"),
        ("size", f"{made.bytes / 1e6:,.1f} MB, {kept}"),
    ]


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
