"""What a wheel and an sdist must hold, and nothing else.

``python tools/check_distributions.py dist`` checks those in a folder and ends with exit code 1 where one differs. It
needs nothing but Python.
"""

import re
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LEFTOVERS = re.compile(r"(^|/)(__pycache__|\.[^/]*)(/|$)|\.py[co]$")
_LICENCES = ("licenses/LICENSE", "licenses/src/inrlens/photos/sources.csv")
_METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", *_LICENCES)
SDIST_TOP = frozenset(
    {
        ".gitignore",
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "Makefile",
        "PKG-INFO",
        "README.md",
        "benchmarks",
        "constraints.txt",
        "docs",
        "mkdocs.yml",
        "pyproject.toml",
        "src",
        "tests",
        "tools",
    }
)
"""What lies at the top of an sdist; hatchling adds the first and reads it again where it builds from the sdist."""


def source_files(folder: Path) -> set[str]:
    """The files below a folder, relative to its parent, without what running or editing leaves behind."""
    names = (path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in names if not _LEFTOVERS.search(name)}


def wheel_fault(wheel: Path) -> str:
    """What is wrong with a wheel's list of files; empty where it holds the package and its metadata, and no more."""
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if not name.endswith("/")}
    info = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    wanted = source_files(ROOT / "src" / "inrlens") | {f"{info}/{name}" for name in _METADATA}
    return _difference(wheel.name, found, wanted)


def sdist_fault(sdist: Path) -> str:
    """What is wrong with an sdist's list of files; empty where it holds the package and what stands beside it."""
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    top = {name.split("/")[0] for name in names}
    found = {name for name in names if name.startswith("src/inrlens/")}
    wanted = {f"src/{name}" for name in source_files(ROOT / "src" / "inrlens")}
    return _difference(sdist.name, found, wanted) or _difference(f"{sdist.name}, at its top,", top, set(SDIST_TOP))


def _difference(name: str, found: set[str], wanted: set[str]) -> str:
    for word, names in (("lacks", wanted - found), ("should not hold", found - wanted)):
        if names:
            return f"{name} {word} {', '.join(sorted(names)[:5])}{', ...' if len(names) > 5 else ''}"
    return ""


def main(folder: Path) -> int:
    """Checks the one wheel and the one sdist of a folder; the exit code."""
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if (len(wheels), len(sdists)) != (1, 1):
        sys.stderr.write(f"{folder} holds {len(wheels)} wheels and {len(sdists)} sdists, one of each is needed.\n")
        return 1
    fault = wheel_fault(wheels[0]) or sdist_fault(sdists[0])
    sys.stderr.write(f"{fault}.\n" if fault else "")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
