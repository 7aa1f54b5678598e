"""The store keeps what it was given, and says in a sentence why it cannot."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import study_toys as toys
from inrlens.errors import InputError
from inrlens.studies.cells.task import Done, Failed
from inrlens.studies.store import lock, schema
from inrlens.studies.store.artefacts import artefact_path, write_artefact
from inrlens.studies.store.store import Store
from inrlens.studies.store.stored import CellState, StoredCell, digest_of

COHORT = toys.cell("cohort")
MOVED = toys.cell("transfer", 1, [COHORT])
FAILING = toys.cell("transfer", 2, [COHORT])
PLAN = toys.plan_of((MOVED, COHORT, FAILING))


def filled(folder: Path, plan: Any = PLAN) -> Path:
    """A store in which the cohort and a transfer are done and another has failed."""
    with Store.open(folder, write=True) as store:
        store.record_plan(plan)
        for cell in (COHORT, MOVED, FAILING):
            store.set_running([cell.key])
        result = {"psnr": 30.5, "loss": float("inf"), "scores": {"b": [1.0], "a": [2.0]}}
        store.put(COHORT, Done(COHORT.key, result, {"seconds": 2.0}, b"weights", "all well"))
        store.put(MOVED, Done(MOVED.key, {"psnr": 31.0}))
        store.put(FAILING, Failed(FAILING.key, "it diverged.", "line 1\nbroken \ud800"))
    return folder


def test_a_setting_that_is_a_list_comes_back_as_the_tuple_that_was_meant(tmp_path: Path) -> None:
    """A variant tells cells apart, so that its values must go into sets."""
    variant = {"cohort.coordinate_range": (0.0, 1.0), "cohort.steps": 5}
    cell = replace(COHORT, place={**COHORT.place, "variant": variant})
    with Store.open(tmp_path, write=True) as store:
        store.record_plan(toys.plan_of((cell,)))
        (found,) = store.stored("toy")
    assert found.place == cell.place
    assert hash(tuple(found.place["variant"].items()))


def test_what_was_put_comes_back_in_the_plans_order(tmp_path: Path) -> None:
    with Store.open(filled(tmp_path)) as store:
        moved, cohort, failing = store.stored("toy")
        assert store.artefact(COHORT.key) == b"weights"
        assert store.studies() == ("toy",)
        assert list(store.overview("toy")) == [
            CellState(MOVED.key, "transfer", "done", None, None),
            CellState(COHORT.key, "cohort", "done", 2.0, None),
            CellState(FAILING.key, "transfer", "failed", None, "it diverged."),
        ]
        assert [cell.key for cell in store.stored("toy", ["failed"])] == [FAILING.key]
        assert store.study_source("toy") == PLAN.source
        assert [file.name for file in store.files("toy")] == ["a.png"]
        assert store.states([COHORT.key, FAILING.key, "other"]) == {COHORT.key: "done", FAILING.key: "failed"}
        assert [attempt.outcome for attempt in store.attempts()] == ["done", "done", "failed"]
    assert cohort.result == {"psnr": 30.5, "loss": "Infinity", "scores": {"b": [1.0], "a": [2.0]}}
    assert list(cohort.result["scores"]) == ["b", "a"]
    assert (cohort.timing, cohort.log, cohort.place, cohort.kind) == (
        {"seconds": 2.0},
        "all well",
        COHORT.place,
        "cohort",
    )
    assert (moved.settings, moved.artefact, moved.state) == (MOVED.settings, None, "done")
    assert (failing.state, failing.error, failing.log) == ("failed", "it diverged.", "line 1\nbroken ?")


def test_a_done_cell_is_never_put_again(tmp_path: Path) -> None:
    with Store.open(filled(tmp_path), write=True) as store:
        with pytest.raises(ValueError, match="is done already"):
            store.put(MOVED, Done(MOVED.key, {"psnr": 99.0}))
        with pytest.raises(ValueError, match="cannot be put as that of"):
            store.put(MOVED, Done(COHORT.key, {}))


def test_the_digest_ignores_times_logs_and_interruptions_and_nothing_else(tmp_path: Path) -> None:
    with Store.open(filled(tmp_path / "a")) as store:
        first = store.digest(), store.digest("toy")

    def other(name: str, moved: Done, text: str = PLAN.source) -> tuple[str, str]:
        plan = toys.plan_of(PLAN.cells, source=text)
        with Store.open(tmp_path / name, write=True) as store:
            store.record_plan(plan)
            store.set_running([MOVED.key])
        with Store.open(tmp_path / name, write=True) as store:
            result = {"scores": {"a": [2.0], "b": [1.0]}, "loss": float("inf"), "psnr": 30.5}
            store.put(MOVED, moved)
            store.put(FAILING, Failed(FAILING.key, "it diverged.", "another log"))
            store.put(COHORT, Done(COHORT.key, result, {"seconds": 5.0}, b"weights"))
            return store.digest(), store.digest("toy")

    same = Done(MOVED.key, {"psnr": 31.0}, {"seconds": 1.0}, log="late")
    assert other("b", same) == first
    for name, found in (
        ("c", other("c", Done(MOVED.key, {"psnr": 31.1}))),
        ("d", other("d", Done(MOVED.key, {"psnr": 31.0}, artefact=b"more"))),
        ("e", other("e", same, "another file")),
    ):
        assert not set(found) & set(first), name


def test_a_cell_without_its_artefact_is_not_done(tmp_path: Path) -> None:
    whole = filled(tmp_path)
    with Store.open(whole) as store:
        digest = next(cell.artefact for cell in store.stored("toy") if cell.kind == "cohort")
        before = store.digest()
    assert digest is not None
    path = artefact_path(whole, digest)
    for damage in (b"weight", None):
        path.write_bytes(damage) if damage is not None else path.unlink()
        with Store.open(whole) as store:
            assert store.states([COHORT.key]) == {}
            assert [cell.state for cell in store.stored("toy")] == ["done", "waiting", "failed"]
            assert [cell.key for cell in store.stored("toy", ["waiting"])] == [COHORT.key]
            assert list(store.overview("toy"))[1] == CellState(COHORT.key, "cohort", "waiting", None, None)
            with pytest.raises(InputError, match="is missing or damaged: run its study"):
                store.artefact(COHORT.key)
    with Store.open(whole, write=True) as store:
        result = {"psnr": 30.5, "loss": float("inf"), "scores": {"b": [1.0], "a": [2.0]}}
        store.put(COHORT, Done(COHORT.key, result, artefact=b"weights"))
        assert store.digest() == before


def test_a_driver_removes_an_artefact_that_holds_something_else(tmp_path: Path) -> None:
    digest = write_artefact(filled(tmp_path), b"weights")
    path = artefact_path(tmp_path, digest)
    path.write_bytes(b"wEights")
    with Store.open(tmp_path) as store:
        assert store.states([COHORT.key]) == {COHORT.key: "done"}, "sizes alone are looked at"
        with pytest.raises(InputError, match="damaged"):
            store.artefact(COHORT.key)
    assert path.exists(), "a reader removes nothing"
    with Store.open(tmp_path, write=True) as store:
        with pytest.raises(InputError, match="damaged"):
            store.artefact(COHORT.key)
        assert store.states([COHORT.key]) == {}


def test_the_artefact_is_on_the_disk_before_the_row_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync = os.fsync

    def watched(handle: int) -> None:
        order.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    with Store.open(tmp_path, write=True) as store:
        store.record_plan(PLAN)
        store._connection.set_trace_callback(lambda text: order.append(text.split()[0]))
        store.put(COHORT, Done(COHORT.key, {}, artefact=b"weights"))
    folder = artefact_path(tmp_path, hashlib.sha256(b"weights").hexdigest()).parent
    begin = order.index("BEGIN")
    assert order[1].endswith(".part"), "the file first (after the question whether the cell is done)"
    assert str(folder) in order[:begin]
    assert "COMMIT" in order[begin:]


def test_what_a_killed_driver_left_running_waits_again(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True) as store:
        store.record_plan(PLAN)
        store.set_running([COHORT.key])
        with Store.open(tmp_path) as reader:
            assert [cell.state for cell in reader.stored("toy")] == ["waiting", "running", "waiting"]
        store.set_lost([COHORT.key])
        store.set_running([COHORT.key])
    with Store.open(tmp_path, write=True) as store:
        assert [cell.state for cell in store.stored("toy")] == ["waiting"] * 3
        assert [attempt.outcome for attempt in store.attempts()] == ["lost", "interrupted"]
        assert all(attempt.ended and attempt.ended >= attempt.begun for attempt in store.attempts())


def test_a_new_plan_keeps_what_is_known_and_forgets_what_never_ran(tmp_path: Path) -> None:
    more = toys.cell("transfer", 3)
    with Store.open(filled(tmp_path), write=True) as store:
        store.record_plan(toys.plan_of((more, MOVED), source="two"))
        assert [(cell.key, cell.state) for cell in store.stored("toy")] == [(more.key, "waiting"), (MOVED.key, "done")]
        store.record_plan(toys.plan_of((COHORT,), source="three"))
        assert store.study_source("toy") == "three"
        rows = store._connection.execute("SELECT key FROM cells").fetchall()
        assert {row[0] for row in rows} == {COHORT.key, MOVED.key, FAILING.key}


def test_two_studies_share_their_cells(tmp_path: Path) -> None:
    with Store.open(filled(tmp_path), write=True) as store:
        store.record_plan(toys.plan_of((COHORT, FAILING), "second"))
        assert [cell.state for cell in store.stored("second")] == ["done", "failed"]
        assert store.studies() == ("toy", "second")
        assert store.forget_failures("second") == 1
        assert store.forget_failures("second") == 0
        assert [cell.state for cell in store.stored("toy")] == ["done", "done", "waiting"]
        with pytest.raises(InputError, match="no study 'third'; it has: toy, second"):
            list(store.stored("third"))
        with pytest.raises(InputError, match="no study 'third'"):
            list(store.overview("third"))


def test_a_cell_at_two_places_is_kept_once_and_told_twice(tmp_path: Path) -> None:
    again = replace(MOVED, place={"number": "elsewhere"})
    with Store.open(filled(tmp_path, toys.plan_of((*PLAN.cells, again)))) as store:
        assert [cell.place for cell in store.stored("toy") if cell.key == MOVED.key] == [MOVED.place, again.place]
        assert [cell.key for cell in store.overview("toy")] == [MOVED.key, COHORT.key, FAILING.key]


def test_the_view_for_people_counts(tmp_path: Path) -> None:
    filled(tmp_path)
    connection = sqlite3.connect(tmp_path / schema.FILE)
    rows = set(connection.execute("SELECT * FROM progress"))
    connection.close()
    assert rows == {("toy", "cohort", "done", 1), ("toy", "transfer", "done", 1), ("toy", "transfer", "failed", 1)}


def test_a_second_driver_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True):
        found = lock.holder(tmp_path)
        assert found is not None
        assert found.process == os.getpid()
        with pytest.raises(InputError, match=rf"driven by process {os.getpid()} on {found.host}: wait for it, or stop"):
            Store.open(tmp_path, write=True)
        code = f"from inrlens.studies.store.store import Store; Store.open({str(tmp_path)!r}, write=True)"
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"driven by process {os.getpid()}" in refused.stderr
    assert lock.holder(tmp_path) is None
    Store.open(tmp_path, write=True).close()


def test_a_holder_that_was_killed_is_none(tmp_path: Path) -> None:
    code = (
        "import os; from inrlens.studies.store.store import Store;"
        f"store = Store.open({str(tmp_path)!r}, write=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code])
    assert killed.returncode == -9
    assert (tmp_path / lock.LOCK).read_text() != ""
    assert lock.holder(tmp_path) is None
    Store.open(tmp_path, write=True).close()


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    connection = sqlite3.connect(tmp_path / schema.FILE)
    connection.execute("INSERT INTO migrations VALUES ('0099-colours', 0.0)")
    connection.commit()
    connection.close()
    for write in (False, True):
        with pytest.raises(InputError, match=r"written by a newer InrLens .'0099-colours' is unknown here.: install"):
            Store.open(tmp_path, write=write)
    assert lock.holder(tmp_path) is None


def test_a_store_without_a_migration_gets_it_from_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    more = {**schema.MIGRATIONS, "0002-notes": ("CREATE TABLE notes (text TEXT) STRICT",)}
    monkeypatch.setattr(schema, "MIGRATIONS", more)
    with pytest.raises(InputError, match=r"lacks '0002-notes'.*run its study once"):
        Store.open(tmp_path)
    Store.open(tmp_path, write=True).close()
    with Store.open(tmp_path) as store:
        assert store._connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        assert store.states([COHORT.key]) == {COHORT.key: "done"}


def foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE cells (key TEXT)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("write", [False, True])
def test_what_is_no_store_is_refused(tmp_path: Path, write: bool) -> None:
    for name, make, words in (
        ("foreign", foreign, "another program's database"),
        ("text", lambda path: path.write_text("these are no tables\n" * 100), "or it is damaged"),
        ("folder", lambda path: path.mkdir(), "store.sqlite"),
    ):
        (tmp_path / name).mkdir()
        make(tmp_path / name / schema.FILE)
        with pytest.raises(InputError, match=words):
            Store.open(tmp_path / name, write=write)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written|holds no study's store"):
        Store.open(tmp_path / "file", write=write)


def test_a_reader_needs_a_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no study's store \(store.sqlite is missing\)"):
        Store.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(lock.os, "open", refuse)
    with pytest.raises(InputError, match=r"cannot be written \(Permission denied\): give a folder"):
        Store.open(tmp_path, write=True)


def test_reading_works_where_nothing_can_be_written(tmp_path: Path) -> None:
    filled(tmp_path)
    still = schema.open_still(tmp_path / schema.FILE)
    assert still.execute("SELECT count(*) FROM cells").fetchone() == (3,)
    still.close()
    with Store.open(tmp_path, write=True) as store:
        store.record_plan(toys.plan_of((COHORT,), "second"))
        assert (tmp_path / f"{schema.FILE}-wal").stat().st_size > 0
        still = schema.open_still(tmp_path / schema.FILE)
        assert still.execute("SELECT count(*) FROM studies").fetchone() == (2,), "what only the journal holds counts"
        still.close()


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    with Store.open(filled(tmp_path)) as store, pytest.raises(InputError, match="could not be used"):
        store.set_running([COHORT.key])


def test_halves_of_files_go_and_whole_ones_stay(tmp_path: Path) -> None:
    digest = write_artefact(filled(tmp_path), b"weights")
    path = artefact_path(tmp_path, digest)
    half = path.with_name(f".{path.name}.xyz.part")
    half.write_bytes(b"we")
    Store.open(tmp_path, write=True).close()
    assert path.read_bytes() == b"weights"
    assert not half.exists()


def test_a_digest_does_not_know_whether_a_waiting_cell_is_running() -> None:
    waiting, running, done = (StoredCell("key", "cohort", {}, {}, state) for state in ("waiting", "running", "done"))
    assert digest_of([], [waiting]) == digest_of([], [running]) != digest_of([], [done])
