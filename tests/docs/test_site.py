"""The site builds without a warning, holds every page, and asks no other host for anything."""

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import inrlens as il
from build_site import build, foreign_requests
from documented import DOCS, ROOT, site_sources


def named(entries: list[Any]) -> Iterator[str]:
    """The pages of a navigation, however deep."""
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from named(value) if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the site is built from, somewhere else."""
    return site_sources(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def faults(tree: Path) -> list[str]:
    """What building it found."""
    return build(tree)


def test_every_page_stands_in_the_navigation_once() -> None:
    nav = Counter(named(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    missing, gone = sorted(pages - nav.keys()), sorted(nav.keys() - pages)
    assert not missing, f"add to `nav` in mkdocs.yml, where a reader would look for them: {', '.join(missing)}"
    assert not gone, f"take out of `nav` in mkdocs.yml: {', '.join(gone)}"
    assert set(nav.values()) == {1}


@pytest.mark.slow
def test_the_site_builds_without_a_fault(faults: list[str]) -> None:
    assert faults == []


@pytest.mark.slow
def test_the_site_holds_every_page_and_no_source(faults: list[str], tree: Path) -> None:
    pages = {path.relative_to(tree / "docs").with_suffix(".html") for path in (tree / "docs").rglob("*.md")}
    built = {path.relative_to(tree / "site") for path in (tree / "site").rglob("*.html")}
    assert built == pages | {Path("404.html")}
    assert not list((tree / "site").rglob("*.md"))


@pytest.mark.slow
def test_mathematics_and_docstrings_reached_the_pages(faults: list[str], tree: Path) -> None:
    atoms = (tree / "site" / "api" / "atoms.html").read_text(encoding="utf-8")
    assert 'id="inrlens.effects"' in atoms
    assert "Delta_a" in atoms
    fitting = (tree / "site" / "api" / "fitting.html").read_text(encoding="utf-8")
    for task in ("single", "cohort", "transfer", "fast", "small"):
        assert f'id="inrlens.recipes.{task}"' in fitting
    assert fitting.count('id="inrlens.Recipe"') == 1
    assert 'id="inrlens.recipes.Recipe"' not in fitting


def public_members(cls: type) -> Iterator[str]:
    """A class's public methods and properties, those that it inherits within this package among them."""
    for base in cls.__mro__:
        if base.__module__.split(".")[0] == "inrlens":
            for name, member in vars(base).items():
                kinds = (property, classmethod, staticmethod)
                if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, kinds)):
                    yield name


@pytest.mark.slow
def test_every_public_member_of_every_public_class_is_on_its_page(faults: list[str], tree: Path) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (tree / "site" / "api").glob("*.html"))
    there = set(re.findall(r'id="inrlens\.([\w.]+)"', pages))
    classes = {name: getattr(il, name) for name in il.__all__ if inspect.isclass(getattr(il, name))}
    wanted = {f"{name}.{member}" for name, cls in classes.items() for member in public_members(cls)}
    assert {"Field.render", "Wrapped.grid_or", "Recording.masked", "Network.units", "Store.states"} <= wanted
    assert sorted(wanted - there) == []


@pytest.mark.slow
def test_a_class_links_to_what_it_is_made_of(faults: list[str], tree: Path) -> None:
    fields = (tree / "site" / "api" / "fields.html").read_text(encoding="utf-8")
    assert re.search(r'Bases: <code><a [^>]*href="#inrlens.Network">Network</a>', fields)
    fitting = (tree / "site" / "api" / "fitting.html").read_text(encoding="utf-8")
    for name in ("Record", "Divergence", "Compute"):
        assert f'href="#inrlens.{name}">{name}</a>' in fitting


def test_what_a_page_would_fetch_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://example.org/"></a><link rel="canonical" href="https://example.org/">'
        '<script src="//cdn.example.org/a.js"></script><img src="picture.png">'
        '<p style="background: url(https://example.org/b.png)">',
        encoding="utf-8",
    )
    (tmp_path / "a.css").write_text("@import 'https://example.org/c.css'; a { background: url(d.png) }")
    assert foreign_requests(tmp_path) == [
        "a.html would fetch //cdn.example.org/a.js",
        "a.html would fetch https://example.org/b.png",
        "a.css would fetch https://example.org/c.css",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gone](gone.md)", "page does not exist"),
        ("[there](method.md#gone)", "anchor does not exist"),
        ("::: inrlens.gone", "inrlens.gone could not be found"),
        ('<script src="https://example.org/a.js"></script>', "broken.html would fetch https://example.org/a.js"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "method.md").write_text("# Method\n", encoding="utf-8")
    (tmp_path / "docs" / "broken.md").write_text(f"# Broken\n\n{text}\n", encoding="utf-8")
    (tmp_path / "src").mkdir()
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    settings["nav"] = ["method.md", "broken.md"]
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert said in "\n".join(build(tmp_path))
