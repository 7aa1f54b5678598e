"""Writes the pages that are made from the code, ``docs/cli/`` and ``docs/api/``, and fills the places of all others
that show numbers of record (``filled_pages.py``).

``python tools/reference_pages.py`` writes them, ``--check`` says which ones differ from what it would write.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The pages are those of this tree's code, whatever else is installed.
sys.path.insert(0, str(ROOT / "src"))

from api_pages import api_pages  # noqa: E402
from backbone_page import backbone_page  # noqa: E402
from cli_pages import cli_pages  # noqa: E402
from filled_pages import filled, pages as pages_with_places  # noqa: E402

DOCS = ROOT / "docs"
COMMAND = "python tools/reference_pages.py"


def made_pages() -> dict[str, str]:
    """Every page by its path under ``docs``."""
    return api_pages() | backbone_page() | cli_pages()


def stale(pages: dict[str, str], docs: Path) -> list[str]:
    """Paths under ``docs`` of pages that are missing, differ, or that nothing makes any more."""
    there = {str(path.relative_to(docs)) for room in ("api", "cli") for path in (docs / room).glob("*.md")}
    differ = {name for name, text in pages.items() if name not in there or _text(docs / name) != text}
    return sorted(differ | (there - pages.keys()))


def write(pages: dict[str, str], docs: Path) -> list[str]:
    """Brings the stale ones up to date; their paths."""
    changed = stale(pages, docs)
    for name in changed:
        path = docs / name
        if name in pages:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages[name], encoding="utf-8")
        else:
            path.unlink()
    return changed


def unfilled(paths: Sequence[Path]) -> list[Path]:
    """The pages whose places hold something else than their files say."""
    return [path for path in paths if filled(_text(path)) != _text(path)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Exit code 1 where ``--check`` finds a page stale."""
    pages = made_pages()
    if arguments == ["--check"]:
        changed = stale(pages, DOCS)
        changed = [f"docs/{name}" for name in changed]
        changed += [str(path.relative_to(ROOT)) for path in unfilled(pages_with_places())]
        for name in changed:
            sys.stderr.write(f"{name} is stale: run `{COMMAND}` and commit what it writes.\n")
        return 1 if changed else 0
    for name in write(pages, DOCS):
        sys.stdout.write(f"docs/{name}\n")
    for path in unfilled(pages_with_places()):
        path.write_text(filled(_text(path)), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
