"""A cell gives the same bytes in any process, with any threads, after any killed worker; and says what went wrong."""

import logging
import multiprocessing
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import inrlens as il
import toys
from inrlens.container import Container, read_container, write_container
from inrlens.fields.field import Field
from inrlens.resume import Resume
from inrlens.studies.cells import execute as executing, fits
from inrlens.studies.cells.cell import KINDS
from inrlens.studies.cells.execute import execute
from inrlens.studies.cells.inputs import field_of
from inrlens.studies.cells.serialise import sae_bytes
from inrlens.studies.cells.task import Done, Lost, Task
from study_tasks import (
    GRID,
    SAE,
    cohort_bytes,
    cohort_task,
    done,
    equal,
    every_task,
    failed,
    network,
    picture,
    single_task,
    transfer_task,
)


def test_every_kind_again_with_other_threads_and_precision_gives_the_same_bytes() -> None:
    assert tuple(every_task()) == KINDS
    first = {kind: execute(task) for kind, task in every_task().items()}
    field_of.cache_clear()
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(3)
    torch.set_float32_matmul_precision("medium")
    try:
        for kind, task in every_task().items():
            equal(execute(task), first[kind])
            assert torch.get_num_threads() == 3
            assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)


@pytest.mark.slow
def test_every_kind_in_a_fresh_process_gives_the_same_bytes() -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        found = list(pool.map(execute, every_task().values()))
    for outcome, task in zip(found, every_task().values(), strict=True):
        equal(outcome, execute(task))


def test_a_picture_of_another_name_gives_the_same_cell() -> None:
    task = cohort_task()
    other = tuple(replace(one, name=f"{one.name} of another study") for one in task.pictures)
    equal(execute(replace(task, pictures=other)), execute(task))


class _Killed(Exception):
    """Stands for the end of a worker."""


def _killed_at(step: int) -> Callable[[Any, int], None]:
    def tell(record: Any, steps: int) -> None:
        if record.step >= step:
            raise _Killed

    return tell


def _state_of(kind: str, task: Task, network: Field, path: Path) -> None:
    """Leaves the state of a worker that was killed half way through the task, after 1000 seconds."""
    resume, tell = Resume(path, 0.0), _killed_at(50 if kind == "dictionary" else 8)
    begin: dict[str, Callable[[], object]] = {
        "cohort": lambda: il.fit_cohort(
            toys.signals(3, GRID), toys.recipe(batch=50), seed=5, resume=resume, callback=tell
        ),
        "single": lambda: il.fit(toys.signal(7, GRID), toys.recipe(), seed=2, resume=resume, callback=tell),
        "transfer": lambda: il.transfer(
            network, toys.signal(8, GRID), freeze=1, recipe=toys.recipe(None), seed=4, resume=resume, callback=tell
        ),
        "dictionary": lambda: il.train_sae(network, 2, **task.settings["recipe"], seed=1, resume=resume, callback=tell),
    }
    with pytest.raises(_Killed):
        begin[kind]()
    state = read_container(path)
    tensors = {name: tensor.clone() for name, tensor in state.tensors.items()}
    write_container(path, Container(state.kind, {**state.description, "seconds": 1000.0}, tensors), force=True)


@pytest.mark.parametrize("kind", ["cohort", "single", "transfer", "dictionary"])
def test_a_cell_goes_on_from_a_state_and_ends_as_one_that_was_never_interrupted(kind: str, tmp_path: Path) -> None:
    task, path = every_task()[kind], tmp_path / "states" / "state.safetensors"
    if kind == "dictionary":
        task = replace(task, settings={**task.settings, "recipe": {**SAE, "steps": 80}})
    plain = done(task)
    _state_of(kind, task, network(), path)
    found = done(replace(task, state=str(path)))
    equal(found, plain)
    assert plain.timing["seconds"] < 1000.0 <= found.timing["seconds"]
    assert not path.exists()


def _foreign(path: Path) -> None:
    with pytest.raises(_Killed):
        il.fit(toys.signal(1, GRID), toys.recipe(), resume=Resume(path, 0.0), callback=_killed_at(4))


def _cut(path: Path) -> None:
    _foreign(path)
    path.write_bytes(path.read_bytes()[:-50])


def _lacking(path: Path) -> None:
    """The task's own state, but for one tensor."""
    with pytest.raises(_Killed):
        il.fit(toys.signal(7, GRID), toys.recipe(), seed=2, resume=Resume(path, 0.0), callback=_killed_at(4))
    state = read_container(path)
    tensors = {name: tensor.clone() for name, tensor in state.tensors.items() if not name.endswith("history")}
    write_container(path, Container(state.kind, state.description, tensors), force=True)


@pytest.mark.parametrize(
    "spoil",
    [
        _foreign,
        _cut,
        _lacking,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(os.urandom(300)),
        lambda path: path.mkdir(),
    ],
    ids=["foreign", "cut short", "a tensor is missing", "empty", "noise", "a folder"],
)
def test_a_state_of_no_use_is_removed_and_the_cell_begins_anew(spoil: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    spoil(path)
    found = done(replace(single_task(), state=str(path)))
    plain = done(single_task())
    assert (found.result, found.artefact) == (plain.result, plain.artefact)
    assert "the cell begins anew, since its state is of no use" in found.log
    assert not path.is_file()


def test_where_no_state_can_be_kept_the_cell_runs_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    found = done(replace(single_task(), state=str(tmp_path / "file" / "state.safetensors")))
    assert found.artefact == done(single_task()).artefact
    assert "the cell kept no state" in found.log


def test_what_is_wrong_with_a_cell_is_said_as_it_stands() -> None:
    deep = failed(transfer_task(cohort_bytes(), 7, "reinit"))
    assert deep.error == "layer 7 does not exist: this network has layers 0 to 3."
    assert "Traceback (most recent call last)" in deep.log
    damaged = failed(transfer_task(cohort_bytes()[:-9], 1, "reinit"))
    assert damaged.error.startswith(
        "an artefact that this cell needs is not a checkpoint of InrLens, or it is cut short"
    )
    again = failed(transfer_task(cohort_bytes()[:-9], 1, "reinit"))
    assert again.error == damaged.error
    task = single_task()
    other = failed(replace(task, pictures=(picture(toys.signal(9, GRID), "other"),)))
    assert other.error == (
        "the pictures of this cell ('other') are not those it was planned with: plan the study again."
    )
    with_dictionary = failed(transfer_task(sae_bytes(toys.sae(toys.field())), 1, "reinit"))
    assert with_dictionary.error == "an artefact that this cell needs holds a dictionary, a field is needed here."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("two\nlines  and gaps"), "ValueError: two lines and gaps"),
        (MemoryError(), "MemoryError."),
        (RuntimeError("out of memory"), "RuntimeError: out of memory"),
    ],
)
def test_any_other_error_is_one_line_with_its_type(
    error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(task: Task) -> Done:
        logging.getLogger("inrlens.somewhere").warning("it began %s", "well")
        raise error

    monkeypatch.setitem(executing._WORK, "single", work)
    found = failed(single_task())
    assert found.error == sentence
    assert found.log.startswith("warning: it began well\nTraceback")


def test_ctrl_c_is_not_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(task: Task) -> Done:
        raise KeyboardInterrupt

    monkeypatch.setitem(executing._WORK, "single", work)
    with pytest.raises(KeyboardInterrupt):
        execute(single_task())
    assert logging.getLogger("inrlens").handlers == []


def test_a_fit_that_was_interrupted_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fits.fit
    monkeypatch.setattr(fits, "fit", lambda *args, **numbers: replace(real(*args, **numbers), outcome="interrupted"))
    task = single_task()
    assert execute(task) == Lost(task.key, "its worker was asked to end")


def test_log_and_warnings_are_kept_and_nothing_of_the_listening_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(task: Task) -> Done:
        logging.getLogger("inrlens.fitting").warning("PSNR fell by %d dB", 7)
        logging.getLogger("elsewhere").warning("not ours")
        for _ in range(3):
            warnings.warn("once is enough", RuntimeWarning, stacklevel=1)
        return Done(task.key, {})

    monkeypatch.setitem(executing._WORK, "single", work)
    before = (warnings.filters[:], warnings.showwarning, logging.getLogger("inrlens").handlers[:])
    assert done(single_task()).log == "warning: PSNR fell by 7 dB\nRuntimeWarning: once is enough\n"
    assert before == (warnings.filters[:], warnings.showwarning, logging.getLogger("inrlens").handlers[:])
