"""Builds the documentation's site, and looks through it for what must not be there.

``python tools/build_site.py`` builds ``site/`` from ``docs/``. Broken links, missing anchors, docstrings that differ
from their signature, and pages that would ask another host for anything end it with exit code 1.
"""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}
"""Elements that a browser fetches something for by itself, and where they say what."""
_FOREIGN = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:[a-z]+:)?//[^\"')\s;]+)", re.IGNORECASE)


def build(root: Path) -> list[str]:
    """Builds ``root``'s site into ``root/site``; what is wrong with it, one sentence a fault."""
    shutil.rmtree(root / "site", ignore_errors=True)
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(root / "src")}
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    printed = re.sub(r"\x1b\[[\d;]*m", "", run.stdout + run.stderr)
    said = [line for line in printed.splitlines() if line.startswith(("griffe:", "mkdocstrings:"))]
    if run.returncode:
        return [*said, printed.split("Traceback")[0].strip() or printed]
    return said + foreign_requests(root / "site")


def foreign_requests(site: Path) -> list[str]:
    """What the site's pages and styles would fetch from other hosts."""
    faults = []
    for path in sorted(site.rglob("*.html")):
        page = _Loads()
        page.feed(path.read_text(encoding="utf-8"))
        faults += [f"{path.relative_to(site)} would fetch {address}" for address in page.foreign]
    for path in sorted(site.rglob("*.css")):
        found = _IN_STYLE.findall(path.read_text(encoding="utf-8"))
        faults += [f"{path.relative_to(site)} would fetch {address}" for address in found]
    return faults


class _Loads(HTMLParser):
    """The foreign addresses that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get(_LOADING.get(tag, "")) or ""
        if _FOREIGN.match(address) and values.get("rel") not in ("canonical", "me"):
            self.foreign.append(address)
        self.foreign += _IN_STYLE.findall(values.get("style") or "")


def main() -> int:
    """Exit code 1 where the site has a fault."""
    faults = build(ROOT)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    if not faults:
        sys.stdout.write("site/index.html; with its search: python -m http.server -d site\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
