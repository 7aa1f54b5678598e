"""The page around a bundle: beside it in its folder, or with everything inside one file."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from inrlens.errors import InputError
from inrlens.explorer.folder import PAGE_FILE, PAGE_FOLDER, data_files, page_files, read_manifest
from inrlens.files import ensure_free_file, whole_file, write_text

WORKER = "compute/worker.js"
"""The one script that is no module: the page starts it as a worker."""
LARGEST_SINGLE = 64_000_000
"""Bytes of data that one file may hold; browsers read it whole, and as text of a third more."""
_TEMPLATE = "index.html.j2"


@dataclass(frozen=True)
class Assets:
    """The page's own files as text, by their path below ``page/``; styles in the order in which they apply."""

    styles: dict[str, str]
    scripts: dict[str, str]


def assets() -> Assets:
    """Every ``.css`` and ``.js`` that InrLens ships for the page; ``base.css`` comes before the other styles."""
    texts = dict(_texts(resources.files("inrlens.explorer").joinpath(PAGE_FOLDER), ""))
    styles = sorted((name for name in texts if name.endswith(".css")), key=lambda name: (name != "css/base.css", name))
    scripts = sorted(name for name in texts if name.endswith(".js"))
    return Assets({name: texts[name] for name in styles}, {name: texts[name] for name in scripts})


def _texts(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _texts(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".css", ".js")):
            found.append((prefix + entry.name, entry.read_text(encoding="utf-8")))
    return found


def policy() -> str:
    """The content security policy of a page that lies beside its bundle: everything from its own host, else nothing."""
    return _policy(
        script_src=f"'self' 'wasm-unsafe-eval' {_digest(_import_map(_beside(assets())))}",
        worker_src="'self'",
        style_src="'self'",
        img_src="'self' data: blob:",
        connect_src="'self'",
    )


def write_page(folder: Path) -> Path:
    """Writes ``index.html``, whose path it returns, and ``page/`` beside a bundle, each file whole or not at all.

    A file that holds its text already is left alone; scripts and styles of another version's page are removed.

    Raises:
        InputError: where ``folder`` holds no bundle, or cannot be written.
    """
    folder, own = Path(folder), assets()
    title = str(read_manifest(folder).get("title", ""))
    page = _environment().get_template(_TEMPLATE)
    links = {f"{PAGE_FOLDER}/{name}": text for name, text in (own.styles | own.scripts).items()}
    index = page.render(
        policy=policy(),
        title=title,
        import_map=_import_map(_beside(own)),
        links=[f"{PAGE_FOLDER}/{name}" for name in own.styles],
        single=None,
    )
    for name, text in (links | {PAGE_FILE: index}).items():
        _write_changed(folder / name, text)
    for name, path in page_files(folder).items():
        if name not in links:
            path.unlink(missing_ok=True)
    return folder / PAGE_FILE


def single_page(folder: Path) -> str:
    """A bundle and its page as the text of one HTML file, which works from disk and asks nobody for anything.

    Raises:
        InputError: where ``folder`` holds no whole bundle, or one of more than ``LARGEST_SINGLE`` bytes.
    """
    folder, own = Path(folder), assets()
    manifest = read_manifest(folder)
    data = _whole_data(folder, manifest)
    import_map = _import_map(
        {
            f"inrlens/{name}": "data:text/javascript;base64," + _base64(text.encode("utf-8"))
            for name, text in own.scripts.items()
            if name != WORKER
        }
    )
    style, entry = "\n".join(own.styles.values()), 'import "inrlens/main.js";'
    single = {
        "style": Markup(style),
        "entry": Markup(entry),
        "manifest": Markup(_inside_script(json.dumps(manifest, ensure_ascii=False, separators=(",", ":")))),
        "data": {name: _base64(content) for name, content in data.items()},
        "worker": Markup(own.scripts.get(WORKER, "")),
    }
    rules = _policy(
        script_src=f"data: blob: 'wasm-unsafe-eval' {_digest(import_map)} {_digest(entry)}",
        worker_src="blob:",
        style_src=_digest(style),
        img_src="data: blob:",
        connect_src="'none'",
    )
    page = _environment().get_template(_TEMPLATE)
    return page.render(
        policy=rules, title=str(manifest.get("title", "")), import_map=import_map, links=[], single=single
    )


def write_single(folder: Path, path: Path, force: bool = False) -> Path:
    """Writes ``single_page(folder)`` to a file, whole or not at all, and returns its path.

    Raises:
        InputError: as ``single_page``, or where ``path`` is taken or cannot be written.
    """
    ensure_free_file(path, force)
    text = single_page(folder)
    write_text(path, text)
    return path


def _whole_data(folder: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    files = data_files(folder, manifest)
    for name, size in manifest["files"].items():
        there = files[name].stat().st_size if name in files else None
        if there != size:
            what = "missing" if there is None else f"cut short or damaged, {there:,} of {size:,} bytes"
            raise InputError(f"{folder / name} is {what}: write the bundle again with inrlens explore RUN --force.")
    total = sum(manifest["files"].values())
    if total > LARGEST_SINGLE:
        raise InputError(
            f"this explorer holds {total / 1e6:,.0f} MB, and one .html file may hold up to {LARGEST_SINGLE / 1e6:.0f}: "
            "export a folder instead, or fewer signals with --signals."
        )
    return {name: path.read_bytes() for name, path in files.items()}


def _beside(own: Assets) -> dict[str, str]:
    return {f"inrlens/{name}": f"./{PAGE_FOLDER}/{name}" for name in own.scripts}


def _import_map(imports: Mapping[str, str]) -> Markup:
    return Markup(_inside_script(json.dumps({"imports": dict(imports)}, separators=(",", ":"))))


def _inside_script(text: str) -> str:
    """JSON in which nothing can end the script element that it stands in, or open a comment there."""
    return text.replace("<", "\\u003c")


def _digest(text: str) -> str:
    """The source expression that allows an inline script or style by its content."""
    return f"'sha256-{_base64(hashlib.sha256(text.encode('utf-8')).digest())}'"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _policy(**sources: str) -> str:
    rules = {"default-src": "'none'", **{name.replace("_", "-"): value for name, value in sources.items()}}
    rules |= {"base-uri": "'none'", "form-action": "'none'"}
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _write_changed(path: Path, text: str) -> None:
    content = text.encode("utf-8")
    if path.is_file() and path.read_bytes() == content:
        return
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _environment() -> Environment:
    # The template's name ends in .j2, so the choice by file ending would leave escaping off.
    return Environment(
        loader=PackageLoader("inrlens.explorer", PAGE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
