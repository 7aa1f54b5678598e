"""A fit on the command line that was interrupted or killed, and goes on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import inrlens.cli.fit_runs as fit_runs
from command import done, photo, refused, run
from inrlens.checkpoints import load_field
from inrlens.cli.resume import is_running, only_one
from inrlens.errors import InputError
from inrlens.fitting.history import read_history

SIZE = ("--size", "12x10", "--steps", "6", "--batch", "40")


class _Impatient(fit_runs.Bar):
    """Presses Ctrl-C at the first record."""

    def tell(self, done: float, detail: str) -> None:
        super().tell(done, detail)
        if done == 0.0:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def interrupted(tmp_path: Path) -> list[str]:
    """The command of a fit that was interrupted after its first step."""
    command = ["fit", str(photo(tmp_path / "a.png")), *SIZE, "-o", str(tmp_path / "run")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_runs, "Bar", _Impatient)
        outcome = run(*command)
    assert outcome.code == 130
    assert "stopping after this step; Ctrl-C again stops now." in outcome.err
    assert "after step 1; the same command with --resume goes on from there" in outcome.err
    assert (tmp_path / "run.resume.safetensors").is_file()
    return command


def _assert_same_network(one: Path, two: Path) -> None:
    first, second = load_field(one / "field.safetensors"), load_field(two / "field.safetensors")
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())
    rows = [[(row.step, row.loss) for row in read_history(path / "history.csv")] for path in (one, two)]
    assert rows[0] == rows[1]


def test_it_goes_on_and_ends_as_if_never_interrupted(interrupted: list[str], tmp_path: Path) -> None:
    assert done(*interrupted, "--resume", "--json").json["outcome"] == "finished"
    assert not (tmp_path / "run.resume.safetensors").exists()
    done(*interrupted[:-1], tmp_path / "whole")
    _assert_same_network(tmp_path / "run", tmp_path / "whole")


def test_without_a_word_it_is_neither_lost_nor_continued(interrupted: list[str], tmp_path: Path) -> None:
    sentence = refused(*interrupted)
    assert sentence == (
        f"{tmp_path}/run.resume.safetensors holds a fit that was interrupted: "
        "add --resume to go on with it, or --force to begin anew."
    )
    assert done(*interrupted, "--force", "--json").json["steps"] == 6
    assert not (tmp_path / "run.resume.safetensors").exists()


def test_another_fit_is_not_continued(interrupted: list[str], tmp_path: Path) -> None:
    assert "is the state of a fit with another seed: 0 there, 1 here" in refused(
        *interrupted, "--resume", "--seed", "1"
    )
    assert "is the state of a fit with another recipe" in refused(*interrupted, "--resume", "--lr", "0.1")
    assert (tmp_path / "run.resume.safetensors").is_file()
    assert (tmp_path / "run" / "run.json").is_file()


def test_a_finished_run_is_not_replaced_by_resuming(interrupted: list[str], tmp_path: Path) -> None:
    state = (tmp_path / "run.resume.safetensors").read_bytes()
    done(*interrupted, "--resume")
    assert "run exists already" in refused(*interrupted, "--resume")
    (tmp_path / "run.resume.safetensors").write_bytes(state)
    assert "run exists already" in refused(*interrupted, "--resume")


def test_nothing_to_resume(tmp_path: Path) -> None:
    outcome = done("fit", photo(tmp_path / "a.png"), *SIZE, "-o", tmp_path / "run", "--resume")
    assert "nothing to resume" in outcome.err
    assert "begins with its first step" in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    command = ["fit", str(photo(tmp_path / "a.png")), *SIZE, "--threads", "1"]
    command[command.index("6")] = "400"
    command += ["--save-every", "0", "-o", str(tmp_path / "run")]
    program = "import sys; from inrlens.cli.main import main; sys.exit(main(sys.argv[1:]))"
    child = subprocess.Popen([sys.executable, "-c", program, *command], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    state = tmp_path / "run.resume.safetensors"
    deadline = time.monotonic() + 60.0
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(number)
    child.communicate(timeout=60)
    assert child.returncode == (130 if number == signal.SIGTERM else -signal.SIGKILL)
    assert state.exists()
    assert done(*command, "--save-every", "60", "--resume", "--json").json["steps"] == 400
    assert not state.exists()


@pytest.mark.slow
def test_a_second_ctrl_c_names_the_state_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Twice(fit_runs.Bar):
        def tell(self, done: float, detail: str) -> None:
            super().tell(done, detail)
            if (tmp_path / "run.resume.safetensors").exists():
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(fit_runs, "Bar", Twice)
    monkeypatch.chdir(tmp_path)
    command = ["fit", str(photo(tmp_path / "a.png")), *SIZE, "--steps", "20", "--save-every", "0", "-o", "run"]
    outcome = run(*command)
    assert outcome.code == 130
    assert outcome.err.splitlines()[-1] == (
        "error: stopped by Ctrl-C; run.resume.safetensors holds what was kept last: the same command with --resume "
        "goes on from there, with --force it begins anew."
    )
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(fit_runs, "Bar", _Impatient.__base__)
    assert done(*command, "--resume", "--json").json["steps"] == 20


def test_a_fit_that_was_killed_at_once_goes_on(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    outcome = done("fit", photo(tmp_path / "a.png"), *SIZE, "-o", tmp_path / "run", "--resume")
    assert "nothing to resume" in outcome.err


def test_a_result_that_cannot_be_written_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["fit", str(photo(tmp_path / "a.png")), *SIZE, "-o", str(tmp_path / "run")]

    def full(*given: object) -> None:
        raise InputError("the disk is full.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inrlens.studies.run_folder.write_fit_run", full)
        outcome = run(*command)
    assert (outcome.code, outcome.err.splitlines()[-1]) == (2, "error: the disk is full.")
    assert done(*command, "--resume", "--json").json["steps"] == 6
    done(*command[:-1], tmp_path / "whole")
    _assert_same_network(tmp_path / "run", tmp_path / "whole")


def test_a_running_fit_is_not_taken_for_an_interrupted_one(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with only_one(tmp_path / "run"):
        for words in ((), ("--resume",), ("--force",)):
            sentence = refused("fit", photo(tmp_path / "a.png"), *SIZE, "-o", tmp_path / "run", *words)
            assert sentence.startswith(f"another run into {tmp_path / 'run'} is running")
    assert not is_running(tmp_path / "run")


def test_a_folder_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused("fit", photo(tmp_path / "a.png"), *SIZE, "-o", ".").startswith("'.' is no name for a run folder")
