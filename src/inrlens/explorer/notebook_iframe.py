"""The explorer inside a notebook's cell."""

import atexit
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markupsafe import Markup

from inrlens.explorer.bundle_digest import source_digest
from inrlens.explorer.bundle_input import BundleInput
from inrlens.explorer.export import OWN_FOLDER, Explorer, current_explorer, own_folder, takes_files, write_own
from inrlens.explorer.folder import data_files, read_manifest
from inrlens.explorer.pages import single_page
from inrlens.explorer.serve import Server

LARGEST_INSIDE = 8_000_000
"""Bytes of data that go into the notebook itself; beyond, the cell asks a server on this machine."""
_STYLE = "width:100%;height:{}px;border:1px solid rgb(127 127 127 / 40%);border-radius:4px"


@dataclass(frozen=True)
class Frame:
    """An explorer as one frame: at ``url`` on this machine, or, where that is None, the ``page`` itself."""

    title: str
    url: str | None
    height: int
    page: str = field(default="", repr=False)

    def _repr_html_(self) -> str:
        style = _STYLE.format(self.height)
        if self.url is None:
            return str(
                Markup(
                    '<iframe title="{}" sandbox="allow-scripts allow-downloads" allow="clipboard-write" '
                    'srcdoc="{}" style="{}"></iframe>'
                ).format(self.title, self.page, style)
            )
        return str(
            Markup(
                '<iframe title="{0}" allow="clipboard-write" src="{1}" style="{2}"></iframe>'
                '<p style="margin:4px 0"><a href="{1}" target="_blank" rel="noopener">{1}</a>, on this machine and as '
                "long as the kernel runs</p>"
            ).format(self.title, self.url, style)
        )


def frame(gathered: BundleInput, signals: int | None, height: int) -> Frame:
    """The explorer of what was gathered; that of runs is written into the first one's folder unless it is there."""
    made = _made(gathered, signals)
    manifest = read_manifest(made.path)
    title = f"InrLens explorer: {manifest['title']}"
    if sum(path.stat().st_size for path in data_files(made.path, manifest).values()) <= LARGEST_INSIDE:
        return Frame(title, None, height, single_page(made.path))
    return Frame(title, _server(made.path.resolve(), made.source).url, height)


def _made(gathered: BundleInput, signals: int | None) -> Explorer:
    key = ""
    if gathered.runs:
        own = own_folder(gathered.runs[0])
        found = current_explorer(gathered, own, signals)
        if found is not None:
            return found
        if takes_files(own.parent):
            return write_own(gathered, own, signals, _silent)
        key = str(own.resolve())
    other = _spare(key or source_digest(gathered, signals))
    return current_explorer(gathered, other, signals) or write_own(gathered, other, signals, _silent)


def _silent(done: float, detail: str) -> None:
    """A cell waits without a bar."""


@cache
def _spare(key: str) -> Path:
    """A folder that lives as long as the process: for a run whose own takes no files, and what has no run."""
    place = tempfile.TemporaryDirectory(prefix="inrlens-explorer-")
    atexit.register(place.cleanup)
    return Path(place.name) / OWN_FOLDER


@cache
def _server(folder: Path, source: str) -> Server:
    """One server a bundle, as long as the process lives; ``source`` makes it a new one where the bundle is."""
    server = Server(folder)
    atexit.register(server.close)
    return server
