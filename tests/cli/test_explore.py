"""``inrlens explore``: what it writes, keeps, serves and refuses."""

import json
import shutil
import threading
import urllib.request
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import inrlens.explorer.export as export
import inrlens.explorer.pages as pages
from command import BRIEF, done, leftovers, photo, refused, run
from inrlens.explorer.serve import Server


@pytest.fixture
def run_folder(bench: Path, tmp_path: Path) -> Path:
    """A copy of the cohort's run that may be written into."""
    return Path(shutil.copytree(bench / "cohort", tmp_path / "runs" / "cohort"))


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser would have been given; every look ends with Ctrl-C after the page was fetched."""
    opened: list[str] = []

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    def wait(server: Server) -> None:
        with urllib.request.urlopen(server.url, timeout=10) as answer:
            assert b'<main id="explorer">' in answer.read()
        raise KeyboardInterrupt

    monkeypatch.setattr(webbrowser, "open", open_page)
    monkeypatch.setattr(Server, "wait", wait)
    return opened


def late(*arguments: object) -> str:
    """The sentence of a command that is refused after it has begun to write, below its line of progress."""
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    return outcome.err.splitlines()[-1].removeprefix("error: ")


def test_a_look_writes_the_bundle_once(bench: Path, run_folder: Path, looked: list[str]) -> None:
    command = ("explore", run_folder, bench / "sae.safetensors")
    first = done(*command, "--json")
    about = first.json
    assert looked == [about["url"]]
    assert about["url"].startswith("http://127.0.0.1:")
    assert (Path(about["bundle"]), about["reused"]) == (run_folder / "explorer", False)
    assert (about["networks"], about["dictionaries"]) == (1, 1)
    assert about["bytes"] == sum(path.stat().st_size for path in (run_folder / "explorer").rglob("*") if path.is_file())
    assert first.err.startswith("writing the explorer: ")
    assert "Ctrl-C ends it." in first.err
    again = done(*command, "--no-browser")
    assert len(looked) == 1
    assert "as it was" in again.out
    assert "http://127.0.0.1:" in again.out
    assert "writing" not in again.err
    assert done(*command, "--json").json["reused"] is True
    assert done(*command, "--json", "--force").json["reused"] is False
    assert leftovers(run_folder) == []


def test_another_number_of_signals_or_another_dictionary_is_another_bundle(
    bench: Path, run_folder: Path, looked: list[str]
) -> None:
    def held() -> tuple[int, int]:
        network = json.loads((run_folder / "explorer" / "manifest.json").read_text())["networks"][0]
        return len(network["signals"]), len(network["dictionaries"])

    done("explore", run_folder, "--signals", 1)
    assert held() == (1, 0)
    done("explore", run_folder, "--signals", "all")
    assert held() == (3, 0)
    done("explore", run_folder, bench / "sae.safetensors", "--signals", "all")
    assert held() == (3, 1)
    assert sorted(path.name for path in (run_folder / "explorer").iterdir()) == [
        "data",
        "index.html",
        "manifest.json",
        "page",
    ]


def test_a_run_without_a_dictionary_opens_with_a_note(run_folder: Path, looked: list[str]) -> None:
    outcome = done("explore", run_folder, "--json")
    assert outcome.json["dictionaries"] == 0
    assert "has no dictionary yet" in outcome.err
    assert f"inrlens sae {run_folder} --layer" in outcome.err
    assert looked


def test_a_damaged_bundle_is_written_again(run_folder: Path, looked: list[str]) -> None:
    done("explore", run_folder)
    (run_folder / "explorer" / "manifest.json").write_text('{"format": "inr')
    assert done("explore", run_folder, "--json").json["reused"] is False
    next((run_folder / "explorer" / "data").iterdir()).unlink()
    assert done("explore", run_folder, "--json").json["reused"] is False
    (run_folder / "explorer" / "page" / "main.js").write_text("old")
    assert done("explore", run_folder, "--json").json["reused"] is True
    assert (run_folder / "explorer" / "page" / "main.js").read_text() == pages.assets().scripts["main.js"]


def test_an_explorer_in_a_run_does_not_stop_force(tmp_path: Path, looked: list[str]) -> None:
    picture, out = photo(tmp_path / "a.png"), tmp_path / "run"
    done("fit", picture, *BRIEF, "-o", out)
    done("explore", out)
    done("fit", picture, *BRIEF, "-o", out, "--force")
    assert not (out / "explorer").exists()


def test_without_a_browser_the_address_is_told(
    run_folder: Path, looked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    assert "no browser could be opened: open the address above in one." in done("explore", run_folder).err


def test_a_network_without_a_run(bench: Path, tmp_path: Path, looked: list[str]) -> None:
    """Its file, a dictionary of it, and a picture for each head: the same effects as in the explorer of its run."""
    files = (bench / "cohort" / "field.safetensors", bench / "sae.safetensors")
    pictures = [part for index in range(3) for part in ("--image", bench / "photos" / f"photo{index:02d}.png")]
    made = done("explore", *files, *pictures, "--export", tmp_path / "page", "--json").json
    assert (made["networks"], made["dictionaries"], made["reused"]) == (1, 1, False)
    done("explore", bench / "cohort", files[1], "--export", tmp_path / "run")
    mine, own = (json.loads((tmp_path / name / "manifest.json").read_text())["networks"][0] for name in ("page", "run"))
    assert [signal["name"] for signal in mine["signals"]] == [signal["name"] for signal in own["signals"]]
    assert [signal["psnr"] for signal in mine["signals"]] == [signal["psnr"] for signal in own["signals"]]
    looking = done("explore", *files, *pictures, "--json").json
    assert looked == [looking["url"]]
    assert not Path(looking["bundle"]).exists()


def test_a_network_without_a_run_needs_its_pictures(bench: Path) -> None:
    file, sae = bench / "cohort" / "field.safetensors", bench / "sae.safetensors"
    picture = ("--image", bench / "photos" / "photo00.png")
    assert "name each with --image FILE" in refused("explore", file, sae)
    assert "3 heads and 1 signal was given" in refused("explore", file, sae, *picture)
    assert f"leave {bench / 'cohort'} away" in refused("explore", file, bench / "cohort", *picture)
    assert "leave --image away" in refused("explore", bench / "cohort", *picture)


def test_it_blocks_until_it_is_ended(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []

    def wait(server: Server) -> None:
        threading.Timer(0.2, server.close).start()
        original(server)
        waited.append(server.url)

    original: Callable[[Server], None] = Server.wait
    monkeypatch.setattr(Server, "wait", wait)
    outcome = done("explore", run_folder, "--no-browser", "--json")
    assert waited == [outcome.json["url"]]


def test_a_folder_for_a_static_host(bench: Path, run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site" / "page"
    command = ("explore", run_folder, bench / "sae.safetensors", "--export", folder)
    about = done(*command, "--json").json
    assert (Path(about["file"]), Path(about["bundle"]), about["reused"]) == (folder, folder, False)
    assert {path.name for path in folder.iterdir()} == {"data", "index.html", "manifest.json", "page"}
    assert not (run_folder / "explorer").exists()
    assert "exists already: give another path, or --force" in refused(*command)
    (folder / "data" / "stale.bin").write_text("stale")
    assert "any static host" in done(*command, "--force").out
    assert not (folder / "data" / "stale.bin").exists()
    (folder / "CNAME").write_text("mine")
    assert "also holds 'CNAME', which would be deleted: move it away first" in refused(*command, "--force")
    assert (folder / "CNAME").read_text() == "mine"
    assert leftovers(tmp_path) == []


def test_one_file(bench: Path, run_folder: Path, tmp_path: Path, looked: list[str]) -> None:
    file = tmp_path / "page.html"
    command = ("explore", run_folder, bench / "sae.safetensors", "--export", file)
    about = done(*command, "--json").json
    assert (Path(about["file"]), about["bundle"], about["reused"]) == (file, None, False)
    assert about["bytes"] == file.stat().st_size
    first = file.read_bytes()
    assert b'id="data/n0.bin"' in first
    assert not (run_folder / "explorer").exists()
    assert "exists already" in refused(*command)
    done("explore", run_folder, bench / "sae.safetensors")
    assert done(*command, "--json", "--force").json["reused"] is True
    assert file.read_bytes() == first


def test_a_run_too_large_for_one_file(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LARGEST_SINGLE", 1000)
    file = tmp_path / "page.html"
    assert "export a folder instead, or fewer signals" in late("explore", run_folder, "--export", file)
    assert not file.exists()


def test_what_it_refuses_to_write_over(bench: Path, run_folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("mine")
    for target, sentence in (
        (run_folder, "belongs to"),
        (run_folder.parent, "belongs to"),
        (run_folder / "report.html", "belongs to"),
        (run_folder / "explorer", "belongs to"),
        (run_folder / "reconstructions" / "page.html", "belongs to"),
        (mine, "is a folder without an explorer, so --force will not replace it"),
        (mine / "index.html" / "x", "index.html"),
        (bench / "sae.safetensors", "belongs to"),
    ):
        assert sentence in refused("explore", run_folder, bench / "sae.safetensors", "--export", target, "--force")
    assert (mine / "index.html").read_text() == "mine"
    assert (run_folder / "run.json").exists()


def test_a_run_that_takes_no_files(run_folder: Path, monkeypatch: pytest.MonkeyPatch, looked: list[str]) -> None:
    def refuse(**options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(export.tempfile, "TemporaryFile", refuse)
    sentence = refused("explore", run_folder)
    assert sentence == f"{run_folder} takes no files: write the explorer elsewhere with --export FOLDER."
    assert not looked


def test_strangers_in_its_own_folder_are_kept(run_folder: Path, looked: list[str]) -> None:
    own = run_folder / "explorer"
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    assert "also holds 'notes.txt', which would be deleted" in late("explore", run_folder)
    shutil.rmtree(own)
    own.write_text("a file")
    assert "exists and is no folder" in late("explore", run_folder)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--signals", "0"], "--signals '0' is not known; allowed are all and whole numbers from 1"),
        (["--signals", "some"], "--signals 'some' is not known"),
        (["--signals", "-1"], "--signals '-1' is not known"),
        (["--signals", "\N{ARABIC-INDIC DIGIT ONE}"], "is not known"),
        (["--port", "70000"], "70000"),
        (["--export", "page", "--port", "8000"], "--port and --no-browser are for looking"),
        (["--export", "page", "--no-browser"], "--port and --no-browser are for looking"),
    ],
)
def test_options_that_are_refused(bench: Path, options: list[str], sentence: str) -> None:
    assert sentence in refused("explore", bench / "cohort", *options)


def test_what_is_no_run_is_refused(bench: Path, tmp_path: Path) -> None:
    assert "give the run or network first" in refused("explore", bench / "sae.safetensors")
    assert str(tmp_path) in refused("explore", tmp_path)
    assert "none" in refused("explore", bench / "cohort", tmp_path / "none.safetensors")
    assert not (bench / "cohort" / "explorer").exists()


def test_a_taken_port_is_one_sentence(run_folder: Path, looked: list[str]) -> None:
    done("explore", run_folder)
    with Server(run_folder / "explorer") as other:
        assert f"port {other.port} of 127.0.0.1 cannot be used" in refused("explore", run_folder, "--port", other.port)
