"""The pages that are made from the code are those of this code, and every public name has one place."""

import inspect
import re
from collections import Counter
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path

import inrlens as il
from api_pages import MODULES, api_pages, public_names
from backbone_page import backbone_page
from documented import DOCS, ROOT
from reference_pages import COMMAND, made_pages, stale, write


def test_the_pages_are_not_stale() -> None:
    assert stale(made_pages(), DOCS) == [], f"run `{COMMAND}`"


def test_every_public_name_has_exactly_one_place() -> None:
    pages = [path.read_text(encoding="utf-8") for path in (DOCS / "api").glob("*.md")]
    told = Counter(name for page in pages for name in re.findall(r"^::: inrlens\.(\w+)$", page, re.MULTILINE))
    assert told == Counter(il.__all__)


def test_names_that_are_modules_are_known_as_such() -> None:
    assert {name for name in il.__all__ if inspect.ismodule(getattr(il, name))} == set(MODULES)


def test_a_modules_page_does_not_tell_public_names_twice() -> None:
    page = api_pages()["api/fitting.md"]
    assert re.search(r'::: inrlens\.recipes\n +options:\n +filters: \["!\^_", "!\^Recipe\$"\]', page)


def test_every_room_with_public_names_has_a_page() -> None:
    rooms = public_names()
    assert set(api_pages()) == {"api/index.md", *(f"api/{room}.md" for room in rooms)}
    assert rooms["atoms"][0] == "Codes"


def test_every_backbone_and_each_of_its_settings_is_listed() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", backbone_page()["api/backbones.md"], re.M | re.S))
    assert tuple(sections) == il.backbone_names()
    for name, text in sections.items():
        rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text, re.MULTILINE))
        assert rows == {key: repr(value) for key, value in asdict(il.make_backbone(name)).items()}  # type: ignore[call-overload]
    assert "`scale` s is one number for all layers or one a layer" in sections["gauss"]


def test_every_value_of_a_public_record_is_explained() -> None:
    """In its class's docstring, or in a string of its own behind it. A sweep's plan explains its lists as one."""
    for name in set(il.__all__) - {"SweepPlan"}:
        cls = getattr(il, name)
        if is_dataclass(cls):
            said = " ".join(inspect.getsource(base) for base in cls.__mro__ if base.__module__.startswith("inrlens"))
            own = set(re.findall(r'^    (\w+): [^\n]*\n    """', said, re.MULTILINE))
            silent = {one.name for one in fields(cls)} - own - set(re.findall(r"``(\w+)``", said))
            assert not silent, f"{name}: say what {', '.join(sorted(silent))} means, and in which unit."


def test_stale_pages_are_named_and_mended(tmp_path: Path) -> None:
    pages = {"cli/index.md": "# A\n", "cli/fit.md": "# fit\n", "api/atoms.md": "# Atoms\n"}
    assert stale(pages, tmp_path) == sorted(pages)
    assert write(pages, tmp_path) == sorted(pages)
    (tmp_path / "cli" / "fit.md").write_text("# fitt\n", encoding="utf-8")
    (tmp_path / "cli" / "gone.md").write_text("# gone\n", encoding="utf-8")
    (tmp_path / "api" / "atoms.md").unlink()
    assert stale(pages, tmp_path) == ["api/atoms.md", "cli/fit.md", "cli/gone.md"]
    write(pages, tmp_path)
    assert stale(pages, tmp_path) == []
    assert not (tmp_path / "cli" / "gone.md").exists()


def test_the_sources_of_the_mathematics_name_files_that_exist() -> None:
    page = (DOCS / "method.md").read_text(encoding="utf-8").split("## Sources")[1]
    named = re.findall(r"`(\w+/\w+\.py)`", page)
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / "src" / "inrlens" / name).is_file()]
