"""The demo: as small as it can be, and how it ends when it is interrupted."""

from pathlib import Path

import pytest

from command import done, leftovers, photos, refused, run
from inrlens.fitting.history import Record
from inrlens.studies.progress import Progress, Stages
from inrlens.studies.record import read_record

pytestmark = pytest.mark.usefixtures("undrawn")

SMALLEST = ("--size", "12x16", "--steps", "0.002", "--heldout", "1")


@pytest.mark.slow
def test_demo_ends_with_the_path_of_its_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = photos(tmp_path / "photos", 3)
    outcome = done("demo", "--photos", folder, *SMALLEST, "-o", "runs/demo")
    assert outcome.out == "runs/demo/report.html\n"
    assert Path("runs/demo/report.html").is_file()
    assert leftovers(tmp_path) == []
    stages = [line for line in outcome.err.splitlines() if "/10 " in line]
    assert len(stages) == 10
    record = read_record("runs/demo")
    assert len(record.signals) == 3
    assert {condition.name for condition in record.conditions} == {
        f"{kind}_{backbone}" for kind in ("single", "cohort") for backbone in ("siren", "ffmlp")
    }
    assert all(len(condition.layers) == 5 for condition in record.conditions)
    assert "cohort_siren" in refused("ranks", "runs/demo")
    assert done("ranks", "runs/demo", "--condition", "cohort_siren", "--json").json["weight_stable_rank"]
    assert "no network 'x'" in refused("ranks", "runs/demo", "--condition", "x")


def test_an_interrupted_demo_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    told: list[str] = []
    plain = Stages.begin

    def begin(self: Stages, stage: str) -> None:
        plain(self, stage)
        told.append(stage)
        if len(told) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Stages, "begin", begin)
    folder = photos(tmp_path / "photos", 3)
    outcome = run("demo", "--photos", folder, *SMALLEST, "-o", tmp_path / "demo")
    assert outcome.code == 130
    assert "interrupted: kept 2 networks, 0 transfers and 0 dictionaries" in outcome.err
    assert read_record(tmp_path / "demo").outcome == "interrupted"
    assert (tmp_path / "demo" / "report.html").is_file()


@pytest.mark.slow
def test_an_interrupted_fit_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    import inrlens.cli.fit_runs as fit_runs

    class Impatient(fit_runs.Bar):
        def tell(self, done: float, detail: str) -> None:
            super().tell(done, detail)
            if done == 0.0:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(fit_runs, "Bar", Impatient)
    picture = photos(tmp_path / "photos", 1) / "photo00.png"
    outcome = run("fit", picture, "--recipe", "fast", "-o", tmp_path / "run", "--json")
    assert outcome.code == 130
    assert outcome.json["outcome"] == "interrupted"
    assert outcome.json["steps"] == 1
    assert "as it was after step 1" in outcome.err


def test_ctrl_c_outside_a_fit_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("inrlens.signals.load.load_signal", press)
    outcome = run("fit", tmp_path / "a.png", "-o", tmp_path / "run")
    assert outcome.code == 130
    assert outcome.err == "error: stopped by Ctrl-C; nothing half-written was left behind.\n"
    assert list(tmp_path.iterdir()) == []


def test_too_few_photos_for_a_demo(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 2)
    (folder / "notes.txt").unlink()
    sentence = refused("demo", "--photos", folder, *SMALLEST, "-o", tmp_path / "demo")
    assert "holds 2 readable images, the demo needs at least 3" in sentence


def test_stages_report_shares_of_the_whole() -> None:
    told: list[Progress] = []
    stages = Stages({"a": 1.0, "b": 3.0}, told.append)
    stages.begin("b")
    tell = stages.many_callback(["a: ", "b: "])
    tell(0, Record(10, 0.1, 20.0, 1.0), 10)
    tell(1, Record(5, 0.1, 20.0, 1.0), 10)
    assert (told[-1].number, told[-1].stages) == (2, 2)
    assert told[-1].stage_done == 0.75
    assert told[-1].whole_done == (1.0 + 3.0 * 0.75) / 4.0
    assert told[-1].detail == "b: PSNR 20.0 dB"
