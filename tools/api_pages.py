"""The API's pages: the public names of ``__init__.pyi``, one page a room; the site takes their docstrings."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "inrlens"
MODULES = ("recipes", "meta_recipes")
"""Public names that are modules; what they hold and is a public name itself is told at its own place alone."""


def _stub() -> list[tuple[str, str]]:
    """The stub's imports: the module that a public name comes from, below the package, and the name."""
    body = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8")).body
    imports = [one for one in body if isinstance(one, ast.ImportFrom) and one.module is not None]
    return [(str(one.module), alias.asname or alias.name) for one in imports for alias in one.names]


def public_names() -> dict[str, list[str]]:
    """The public names by the room that they come from, in the order of the stub."""
    rooms: dict[str, list[str]] = {}
    for module, name in _stub():
        rooms.setdefault(module.split(".")[0], []).append(name)
    return rooms


def api_pages() -> dict[str, str]:
    """Every page by its path under ``docs/``."""
    rooms = public_names()
    pages = {f"api/{room}.md": _page(room, names) for room, names in rooms.items()}
    pages["api/index.md"] = _index(rooms)
    return pages


def _says(room: str) -> str:
    """The docstring of the room's package or file, its first paragraph."""
    package = PACKAGE / room / "__init__.py"
    file = package if package.is_file() else PACKAGE / f"{room}.py"
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    if text is None:
        raise ValueError(f"{file} has no docstring, which the page of its public names starts with.")
    return " ".join(text.split("\n\n")[0].split())


def _page(room: str, names: list[str]) -> str:
    lines = [f"# {room.capitalize()}", "", _says(room)]
    for name in names:
        lines += ["", f"::: inrlens.{name}"]
        if name in MODULES:
            told = [other for module, other in _stub() if module == f"{room}.{name}"]
            hidden = ", ".join(f'"!^{pattern}"' for pattern in ["_", *(f"{other}$" for other in told)])
            lines += ["    options:", f"      filters: [{hidden}]"]
    return "\n".join(lines) + "\n"


def _index(rooms: dict[str, list[str]]) -> str:
    lines = [
        "# Python",
        "",
        "`import inrlens as il`, and every name below is `il.NAME`. A page is a room of the package. Tensors",
        'say their axes: `Float[Tensor, "n c"]` is n rows of c numbers.',
    ]
    for room, names in rooms.items():
        links = ",\n".join(f"[{name}]({room}.md#inrlens.{name})" for name in names)
        lines += ["", f"**[{room}]({room}.md)**: {_says(room)}\n", f"{links}"]
    return "\n".join(lines) + "\n"
