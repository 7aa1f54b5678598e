"""Files and folders appear whole or not at all."""

import errno
import math
import os
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from PIL import Image

import inrlens as il
import toys
from inrlens import container
from inrlens.errors import InputError
from inrlens.files import (
    ensure_free,
    ensure_free_file,
    plain_json,
    read_json,
    readable,
    whole_file,
    whole_folder,
    write_json,
    write_text,
)


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_gets_the_permissions_that_new_files_have(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with whole_file(tmp_path / "ours"):
        pass
    with whole_folder(tmp_path / "folder"):
        pass
    (tmp_path / "plain folder").mkdir()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "folder").stat().st_mode == (tmp_path / "plain folder").stat().st_mode


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_any_error_leaves_nothing_and_keeps_what_was_there(tmp_path: Path, error: BaseException) -> None:
    def half_a_file() -> None:
        with whole_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise error

    def half_a_folder() -> None:
        with whole_folder(tmp_path / "run") as temporary:
            (temporary / "half").write_text("half")
            raise error

    (tmp_path / "a.txt").write_text("old")
    for stop in (half_a_file, half_a_folder):
        with pytest.raises(type(error)):
            stop()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def _full(*arguments: Any, **keywords: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_text", _full)
    with pytest.raises(InputError, match=r"a.json could not be written: No space left on device\."):
        write_json(tmp_path / "a.json", {})
    monkeypatch.setattr(Image.Image, "save", _full)
    with pytest.raises(InputError, match=r"a.png could not be written: No space left on device\."):
        il.save_image(torch.zeros(2, 2, 3), tmp_path / "a.png")
    monkeypatch.setattr(container, "save_file", _full)
    with pytest.raises(InputError, match=r"a.safetensors could not be written: No space left on device\."):
        il.save(toys.field(), tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_that_safetensors_reports_in_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save_file(*arguments: Any, **keywords: Any) -> None:
        raise safetensors.SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(container, "save_file", save_file)
    with pytest.raises(InputError, match=r"could not be written: .*No space left on device"):
        il.save(toys.field(), tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_failed_overwrite_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    il.save(toys.field(), path)
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", _full)
    with pytest.raises(InputError, match="No space left on device"):
        il.save(toys.field(seed=1), path, force=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in (whole_file, whole_folder):
        with pytest.raises(InputError, match="could not be written"), write(tmp_path / "file" / "a"):
            pass


RUN = '{"inrlens_version": "0"}'


def test_a_folder_appears_whole_and_replaces_only_runs(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with whole_folder(run) as temporary:
        (temporary / "run.json").write_text(RUN)
        assert list(run.iterdir()) == []
    with pytest.raises(InputError, match="run exists already: give another path, or --force"):
        whole_folder(run).__enter__()
    with whole_folder(run, force=True) as temporary:
        (temporary / "report.html").write_text("2")
        assert (run / "run.json").read_text() == RUN
    assert [path.name for path in run.iterdir()] == ["report.html"]
    assert list(tmp_path.iterdir()) == [run]


def test_a_failed_run_leaves_what_was_there(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for force in (False, True):
        with pytest.raises(ZeroDivisionError), whole_folder(run, force) as temporary:
            (temporary / "run.json").write_text(str(1 / 0))
        assert run.exists() == force
        run.mkdir(exist_ok=True)
        (run / "run.json").write_text(RUN)
    assert (run / "run.json").read_text() == RUN
    assert list(tmp_path.iterdir()) == [run]


def test_what_is_no_run_of_ours_is_never_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "photos"
    precious.mkdir()
    (precious / "a.jpg").write_text("precious")
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to(precious)

    def refused(path: Path, force: bool, message: str) -> None:
        with pytest.raises(InputError, match=message):
            ensure_free(path, force)
        with pytest.raises(InputError, match=message):
            whole_folder(path, force).__enter__()

    refused(precious, False, "exists already")
    refused(precious, True, "is a folder without a run of ours, so --force will not replace it")
    (precious / "run.json").write_text("{}")
    refused(precious, True, "is a folder without a run of ours")
    (precious / "run.json").write_text(RUN)
    refused(precious, True, "also holds 'a.jpg', which --force would delete: move it away first")
    refused(tmp_path / "file", True, "exists and is no folder")
    refused(tmp_path / "link", True, "is a symbolic link: give the folder itself")
    ensure_free(tmp_path / "new")
    assert (precious / "a.jpg").read_text() == "precious"


def test_a_second_run_into_the_same_folder_is_refused_before_it_computes(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with whole_folder(run) as temporary:
        with pytest.raises(InputError, match="run exists already"):
            whole_folder(run).__enter__()
        (temporary / "run.json").write_text(RUN)
    assert (run / "run.json").read_text() == RUN


def test_a_folder_that_fills_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(InputError, match="could not be written: Directory not empty"), whole_folder(run):
        (run / "run.json").write_text("another process's")
    assert (run / "run.json").read_text() == "another process's"
    assert list(tmp_path.iterdir()) == [run]


def test_only_ordinary_files_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="file exists already: give another path, or --force"):
        ensure_free_file(tmp_path / "file")
    ensure_free_file(tmp_path / "file", force=True)
    with pytest.raises(InputError, match="pipe is no ordinary file, so --force will not replace it"):
        il.save(toys.field(), tmp_path / "pipe", force=True)
    with pytest.raises(InputError, match="is a folder: give the name of a file"):
        il.save(toys.field(), tmp_path, force=True)


def test_numbers_that_json_lacks_become_strings() -> None:
    content = {"a": [math.nan, (math.inf, -math.inf)], "b": 1.5, "c": None}
    assert plain_json(content) == {"a": ["NaN", ["Infinity", "-Infinity"]], "b": 1.5, "c": None}
    assert math.isnan(float("NaN")), "the words are those that float reads"


def test_json_round_trip_and_what_is_not_json(tmp_path: Path) -> None:
    content = {"numbers": [1, 2.5, None], "text": "é"}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "b.json", float("nan"))
    with pytest.raises(InputError, match=r"b.json could not be read: No such file or directory"):
        read_json(tmp_path / "b.json")
    (tmp_path / "c.json").write_text('{\n"a": ')
    with pytest.raises(InputError, match=r"c.json is not valid JSON \(line 2\); the file is damaged or something else"):
        read_json(tmp_path / "c.json")
    (tmp_path / "d.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"d.json could not be read"):
        read_json(tmp_path / "d.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "c.json", "d.json"]


# -- names that are no UTF-8 ------------------------------------------------------------------------------------------


def test_text_with_a_name_that_is_no_utf_8_is_written_and_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"M\xfcll.png")
    write_text(tmp_path / "page.html", f"<p>{name} caf\N{LATIN SMALL LETTER E WITH ACUTE}</p>")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "<p>M\ufffdll.png caf\xe9</p>"
    assert readable("plain \U0001f600") == "plain \U0001f600"
