"""``inrlens study``, end to end on thumbnails."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command import done, refused, run
from inrlens.cli.study.app import VERBS
from inrlens.studies.store.store import Store

TOY = """
format = 1
name = "toy"
title = "A toy"
seeds = [0]
metrics = ["psnr", "ssim"]

[data.photos]
kind = "bundled"
size = [12, 16]
cohort = 2
validation = 2
test = 2

[backbones.siren]
cohort = {{ recipe = "small", steps = 4, batch = 64, width = 8, depth = 3 }}
transfer = {{ recipe = "small", steps = {steps}, batch = 64, learning_rate = [1e-4, 1e-3] }}
single = {{ recipe = "small", steps = 3, batch = 64, width = 8, depth = 3 }}

[[transfers]]
freeze = ["scratch", "none", 0, 1]
rest = ["reinit", "warm"]
split = "{split}"

[[dictionaries]]
networks = ["cohort"]
layers = [1]
n_atoms = [16]
k = [4]
steps = 5
batch = 64
"""


def toy(folder: Path, steps: int = 3, split: str = "test") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "toy.toml"
    path.write_text(TOY.format(steps=steps, split=split), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy study that was run to its end with one worker; its store lies beside it."""
    path = toy(tmp_path_factory.mktemp("study"))
    outcome = done("study", "run", path, "--workers", 1)
    # 2 pictures, 2 rates: scratch, none, and two depths in two ways; a cohort, a dictionary, an analysis.
    assert "27 of 27 cells done, 27 of them now" in outcome.out
    return path


def test_verbs_with_examples_and_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert [name for _, name, *_ in VERBS] == ["list", "plan", "run", "status", "retry", "report", "export", "best"]
    for _, name, *_ in VERBS:
        page = done("study", name, "--help").out
        lines = [line.strip() for line in page.partition("Example")[2].splitlines()[1:] if line.strip()]
        assert lines
        assert all(line.startswith(f"inrlens study {name}") for line in lines)
        assert "--json" in page


def test_status_needs_no_torch(ran: Path) -> None:
    program = (
        "import sys; from inrlens.cli.main import main; main(['study', 'status', sys.argv[1]]); "
        "sys.exit('torch was loaded' if 'torch' in sys.modules else 0)"
    )
    subprocess.run([sys.executable, "-c", program, str(ran)], check=True, stdout=subprocess.DEVNULL)


def test_a_second_run_computes_nothing(ran: Path) -> None:
    assert "27 of 27 cells done, 0 of them now" in done("study", "run", ran, "--workers", 1).out
    cells = done("study", "run", ran, "--dry", "--json").json["cells"]
    assert {cell["state"] for cell in cells} == {"done"}


def test_a_changed_number_makes_its_cells_new_and_leaves_the_others(ran: Path, tmp_path: Path) -> None:
    other = toy(tmp_path, steps=4)
    cells = done("study", "run", other, "--dry", "--json", "--store", ran.parent / "inrlens-store").json["cells"]
    states = {kind: {cell["state"] for cell in cells if cell["kind"] == kind} for kind in ("cohort", "transfer")}
    assert states == {"cohort": {"done"}, "transfer": {"to run"}}


def test_a_part_of_a_study_by_its_data(ran: Path) -> None:
    assert "27 of 27 cells done, 0 of them now" in done("study", "run", ran, "--workers", 1, "--data", "photos").out
    assert "the study has no data set 'other'; it has photos" in refused(
        "study", "run", ran, "--dry", "--data", "other"
    )


def test_status_counts(ran: Path) -> None:
    found = done("study", "status", ran, "--json").json
    assert found["cells"]["transfer"] == {"done": 24, "failed": 0, "running": 0, "waiting": 0}
    assert found["driver"] is None
    assert "nobody runs it now" in done("study", "status", ran).out
    assert done("study", "status", "toy", "--store", ran.parent / "inrlens-store", "--json").json == found


@pytest.mark.slow
def test_report_and_export_come_from_the_store_alone(ran: Path, tmp_path: Path) -> None:
    store = ran.parent / "inrlens-store"
    page = tmp_path / "page.html"
    done("study", "report", "toy", "--store", store, "-o", page)
    text = page.read_text(encoding="utf-8")
    assert "<h1" in text
    assert "A toy" in text
    files = done("study", "export", "toy", "--store", store, "--csv", "--latex", "-o", tmp_path / "out", "--json").json
    assert all(Path(file).is_file() for file in files["files"])
    assert (tmp_path / "out" / "tables.tex").is_file()
    assert (tmp_path / "out" / "rows" / "transfers.csv").read_text(encoding="utf-8").count("\n") == 25


def test_plan_gives_counts_and_prices(ran: Path) -> None:
    found = done("study", "plan", ran, "--calibration", 0, "--json").json
    assert found["cells"] == {"cohort": 1, "single": 0, "transfer": 24, "dictionary": 1, "analysis": 1}
    assert found["done"] == 27
    assert found["operations"] > 0


@pytest.mark.slow
def test_a_plan_is_priced_by_what_this_machine_can_do(ran: Path) -> None:
    priced = done("study", "plan", ran, "--calibration", 0.2, "--workers", 1, "--gpu-tflops", 10, "--json").json
    assert priced["estimate"]["seconds"] == 0.0
    assert priced["calibration"]["rates"]


@pytest.mark.slow
def test_plan_without_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CELEBA", "OASIS", "KODAK"):
        monkeypatch.delenv(name, raising=False)
    found = done("study", "plan", "paper", "--calibration", 0, "--json").json
    assert (found["cells"]["cohort"], found["cells"]["transfer"]) == (6, 23_112)
    assert "CELEBA" in found["data_missing"]


@pytest.mark.slow
def test_best_writes_recipes_that_studies_name(tmp_path: Path) -> None:
    path = toy(tmp_path, split="validation")
    done("study", "run", path, "--workers", 1)
    found = done("study", "best", path, "-o", tmp_path / "recipes", "--json").json
    (winner,) = found["recipes"]
    assert (winner["task"], winner["backbone"]) == ("transfer", "siren")
    psnr = {tuple(one["variant"][0]): one["psnr"]["mean"] for one in winner["curve"]}
    assert winner["psnr"] == max(psnr.values())
    assert winner["recipe"]["learning_rate"] == dict([max(psnr, key=lambda one: psnr[one])])["transfer.learning_rate"]
    other = tmp_path / "other.toml"
    text = TOY.format(steps=3, split="test").replace('name = "toy"', 'name = "other"')
    before, _, after = text.partition("transfer = {")
    rest = after.partition("\n")[2]
    other.write_text(f'{before}transfer = {{ recipe = "recipes/siren-transfer.toml" }}\n{rest}', encoding="utf-8")
    cells = done("study", "run", other, "--dry", "--json").json["cells"]
    assert sum(cell["kind"] == "transfer" for cell in cells) == 12
    assert "Validation" in done("study", "best", path).out or "validation" in done("study", "best", path).out


def test_best_of_a_study_without_a_search_is_refused(ran: Path) -> None:
    assert "no finished fit on a validation split" in refused("study", "best", ran)


@pytest.mark.slow
def test_a_failed_cell_is_told_and_retried(ran: Path, tmp_path: Path) -> None:
    path = toy(tmp_path)
    store = tmp_path / "inrlens-store"
    shutil.copytree(ran.parent / "inrlens-store", store)
    with Store.open(store, write=True) as known:
        cell = next(one for one in known.stored("toy") if one.kind == "transfer")
        known._connection.execute(
            "UPDATE cells SET state = 'failed', result = NULL, error = 'a made-up fault.' WHERE key = ?", (cell.key,)
        )
    before = run("study", "run", path, "--workers", 1)
    assert before.code == 1
    assert "a transfer failed: a made-up fault." in before.err
    assert "a made-up fault." in done("study", "status", path).err
    assert "1 of them now" in done("study", "retry", path, "--workers", 1).out


@pytest.mark.slow
def test_ctrl_c_finishes_what_runs_and_the_same_command_goes_on(tmp_path: Path) -> None:
    path = toy(tmp_path, steps=400)
    command = [sys.executable, "-c", "import sys; from inrlens.cli.main import main; sys.exit(main(sys.argv[1:]))"]
    command += ["study", "run", str(path), "--workers", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    store = tmp_path / "inrlens-store"
    deadline = time.monotonic() + 120
    while not (store / "states").is_dir() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(2)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "the same command goes on" in said
    found = done("study", "status", path, "--json").json
    assert sum(states["failed"] + states["running"] for states in found["cells"].values()) == 0
    assert "27 of 27 cells done" in done("study", "run", path, "--workers", 1).out


def test_studies_are_listed(ran: Path) -> None:
    found = done("study", "list", "--store", ran.parent / "inrlens-store", "--json").json
    assert {"paper", "paper-small", "bundled"} <= set(found["shipped"])
    assert found["stored"] == {"toy": "A toy"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "nothing"), "study 'nothing' is not known: give the path of a .toml file, or one that ships"),
        (("run", "nothing.toml"), "study nothing.toml could not be read"),
        (("status", "bundled", "--store", "nowhere"), "holds no study's store"),
        (("run", "bundled", "--workers", "1", "--cluster", "tcp://x:1"), "give one of them"),
        (("plan", "bundled", "--budget", "soon"), "is no time: write a number and a unit"),
        (("export", "bundled", "-o", "out"), "nothing to write: give --csv, --latex or --parquet"),
        pytest.param(("run", "bundled", "--cluster", "tcp://127.0.0.1:9"), "cannot be reached", marks=pytest.mark.slow),
    ],
)
def test_bad_input(arguments: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "--cluster" in arguments and "--workers" not in arguments:
        pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.chdir(tmp_path)
    assert sentence in refused("study", *arguments)


def test_a_folder_that_moved_is_named(tmp_path: Path) -> None:
    path = toy(tmp_path)
    text = path.read_text(encoding="utf-8").replace('kind = "bundled"', 'kind = "folder"\npath = "pictures"')
    path.write_text(text, encoding="utf-8")
    assert "data set 'photos'" in refused("study", "run", path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    path = toy(tmp_path / "closed")
    path.parent.chmod(0o555)
    try:
        assert "cannot be written (Permission denied)" in refused("study", "run", path)
    finally:
        path.parent.chmod(0o755)


def test_json_of_a_run(ran: Path) -> None:
    found = json.loads(done("study", "run", ran, "--workers", 1, "--json").out)
    assert (found["skipped"], found["done"], found["failed"], found["waiting"]) == (27, 0, 0, 0)
    with Store.open(ran.parent / "inrlens-store") as known:
        assert found["digest"] == known.digest("toy")
