"""What goes to a package index: the files of wheel and sdist, their metadata, and how to cite."""

import email
import re
import sys
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest
import yaml
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import inrlens as il
from check_distributions import ROOT, main, sdist_fault, source_files, wheel_fault


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    for builder in (WheelBuilder, SdistBuilder):
        list(builder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_bytes(archive.read(f"inrlens-{il.__version__}.dist-info/METADATA"))


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(dist: Path, wheel: Path) -> None:
    assert wheel.name == f"inrlens-{il.__version__}-py3-none-any.whl"
    assert wheel_fault(wheel) == ""
    assert main(dist) == 0
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    kept = {name.removeprefix("inrlens/") for name in names}
    assert {"py.typed", "__init__.pyi", "photos/sources.csv", "hub/templates/card.md.j2"} <= kept
    assert {"explorer/page/index.html.j2", "studies/config/files/bundled.toml"} <= kept
    assert sum(name.startswith("photos/") and name.endswith(".png") for name in kept) == len(il.photo_sources())
    assert not any(name.split("/")[0] in ("tests", "docs", "benchmarks", "tools") for name in names)


def test_every_file_that_the_code_reads_beside_itself_is_in_the_list() -> None:
    names = source_files(ROOT / "src" / "inrlens")
    tracked = {path.suffix for path in map(Path, names)}
    assert {".py", ".pyi", ".typed", ".png", ".csv", ".toml", ".j2", ".js", ".css"} <= tracked


@pytest.mark.slow
def test_a_wheel_that_lacks_a_file_or_holds_one_too_many_is_told(wheel: Path, tmp_path: Path) -> None:
    for change, words in (("lacks", "lacks inrlens/py.typed"), ("more", "should not hold tests/test_cli.py")):
        (tmp_path / change).mkdir()
        other = tmp_path / change / wheel.name
        with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(other, "w") as new:
            for name in old.namelist():
                if not (change == "lacks" and name == "inrlens/py.typed"):
                    new.writestr(name, b"")
            if change == "more":
                new.writestr("tests/test_cli.py", b"")
        assert wheel_fault(other) == f"{wheel.name} {words}"
        assert main(tmp_path / change) == 1


@pytest.mark.slow
def test_the_sdist_holds_what_builds_and_tests_it(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    assert sdist_fault(sdist) == ""
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers()}
    assert {"tests/conftest.py", "docs/index.md", "CITATION.cff", "Makefile", "src/inrlens/py.typed"} <= names
    assert not any("__pycache__" in name or name.startswith((".venv", "runs/", "site/")) for name in names)


@pytest.mark.slow
def test_the_metadata_is_complete(metadata: Message) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("inrlens", il.__version__)
    licences = {source.licence for source in il.photo_sources()} - {"public domain"}
    assert set(metadata["License-Expression"].split(" AND ")) == {"MIT", *licences}
    assert metadata.get_all("License-File") == ["LICENSE", "src/inrlens/photos/sources.csv"]
    assert metadata["Author"] == "The InrLens authors"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).startswith("# InrLens\n")
    assert "sparse autoencoder" in metadata["Keywords"]
    classifiers = metadata.get_all("Classifier") or []
    assert len(classifiers) == len(set(classifiers))
    # An index refuses a classifier that is none, and one of a licence beside an expression.
    from trove_classifiers import classifiers as known

    assert set(classifiers) <= set(known)
    assert not any(one.startswith("License") for one in classifiers)
    assert f"Programming Language :: Python :: {sys.version_info.major}.{sys.version_info.minor}" in classifiers
    assert {"Typing :: Typed", "Operating System :: POSIX :: Linux"} <= set(classifiers)
    assert {"hub", "nifti", "audio", "cluster"} <= set(metadata.get_all("Provides-Extra") or [])


def test_the_citation_states_what_the_project_states() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert (cited["cff-version"], cited["type"], cited["title"]) == ("1.2.0", "software", "InrLens")
    assert cited["version"] == il.__version__
    owner = re.search(r"Copyright \(c\) \d+ (.+)", (ROOT / "LICENSE").read_text())
    assert owner is not None
    assert cited["authors"] == [{"name": owner[1]}]
    assert (cited["license"], cited["license"] in (ROOT / "LICENSE").read_text()) == ("MIT", True)
    (paper,) = cited["references"]
    assert paper["identifiers"][0]["value"] == "arXiv:2605.08298"
    method = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    number = paper["identifiers"][0]["value"]
    assert f'[{number}](https://arxiv.org/abs/{number[6:]}), "{paper["title"]}"' in method
    assert all(set(author) == {"family-names", "given-names"} for author in paper["authors"])
    assert paper["date-published"].isoformat() == "2026-05-08"
