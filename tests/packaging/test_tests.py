"""A module's test is found by the module's path, and no test file is lost outside the package's folders."""

from pathlib import Path

import inrlens as il

TESTS, PACKAGE = Path(__file__).parents[1], Path(il.__file__).parent
BESIDE = ("docs", "packaging", "support", "whole")
"""Folders without a counterpart in the package: pages, distributions, helpers, and tests of the whole house."""


def modules(folder: Path) -> set[str]:
    """The names of the modules, scripts and rooms in a folder of the package."""
    return {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix in (".py", ".js")}


def test_a_test_file_is_named_for_a_module_of_its_folder_and_perhaps_a_topic() -> None:
    for path in TESTS.rglob("test_*.py"):
        place = path.relative_to(TESTS)
        if place.parts[0] in BESIDE:
            continue
        words = path.stem.removeprefix("test_").split("_")
        names = {"_".join(words[:count]) for count in range(1, len(words) + 1)}
        names |= {f"_{name}" for name in names} | {f"__{name}__" for name in names}
        assert names & modules(PACKAGE / place.parent), f"{place}: no module of {place.parent} is named so"


def test_every_helper_stands_in_one_folder() -> None:
    strays = [path for path in TESTS.rglob("*.py") if not path.stem.startswith("test_") and path.stem != "conftest"]
    assert {path.parent.name for path in strays} == {"support"}
