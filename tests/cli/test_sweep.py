"""``inrlens sweep``: the library's numbers, a folder that is gone on with, and sentences for what cannot be."""

import signal
from pathlib import Path

import pytest

import inrlens as il
import inrlens.cli.progress as progress
from command import done, leftovers, refused, run
from inrlens.cli.resume import only_one
from inrlens.studies.run_folder import open_field
from inrlens.studies.sweep_record import read_sweep

pytestmark = pytest.mark.usefixtures("undrawn")

TINY = ("--layers", "1,3", "-n", "16,8", "-k", "2,12", "--steps", 4, "--batch", 64, "--lr", 1e-2)


@pytest.fixture(scope="module")
def swept(bench: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("swept") / "sweep"
    done("sweep", bench / "cohort", *TINY, "-o", folder)
    return folder


def test_a_sweep_has_the_librarys_numbers_and_a_page(bench: Path, tmp_path: Path) -> None:
    outcome = done("sweep", bench / "cohort", *TINY, "--seed", 3, "--json", "-o", tmp_path / "s")
    found = outcome.json
    record = read_sweep(tmp_path / "s")
    assert found["report"] == str(tmp_path / "s" / "report.html")
    assert found["sweep"]["outcome"] == record.outcome == "finished"
    assert len(found["sweep"]["cells"]) == len(record.cells) == 2 * (3 * 2 + 2 * 2)
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["report.html", "sweep.json"]
    field, signals = open_field(bench / "cohort")
    one = next(cell for cell in record.cells if cell.kind == "trained" and cell.layer == 3 and cell.k == 12)
    sae = il.train_sae(field, 3, n_atoms=16, k=12, steps=4, batch=64, learning_rate=1e-2, seed=3).sae
    assert one.quality == il.evaluate_sae(field, sae, signals)
    assert "6 trainings of 4 steps and 14 controls, a core each" in outcome.err
    assert "left out, since k is above n: n = 8 with k = 12" in outcome.err
    assert "left, reckoned from the first training" in outcome.err
    assert outcome.err.count("% alive") == 6


def test_the_table_has_a_row_a_size_and_a_column_a_sparsity(bench: Path, tmp_path: Path) -> None:
    outcome = done("sweep", bench / "cohort", *TINY, "--no-controls", "-o", tmp_path / "s")
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["n", "k", "=", "2", "k", "=", "12"] in lines
    record = read_sweep(tmp_path / "s")
    assert {cell.kind for cell in record.cells} == {"trained"}
    for layer in (1, 3):
        both = [cell.quality for cell in record.cells if (cell.layer, cell.n_atoms) == (layer, 16)]
        texts = [text for one in both for text in (f"{one.fidelity_psnr:.2f}", f"{one.alive:.0%}")]
        assert ["16", *texts] in lines
    assert outcome.out.splitlines()[-1].endswith("report.html")


def test_all_layers_seeds_untrained_and_kept(bench: Path, tmp_path: Path) -> None:
    numbers = ("-n", 8, "-k", 2, "--steps", 2, "--batch", 64, "--no-controls")
    done("sweep", bench / "cohort", *numbers, "--seeds", 2, "--untrained", "--keep", "-o", tmp_path / "s")
    record = read_sweep(tmp_path / "s")
    assert record.plan.layers == (0, 1, 2, 3, 4)
    assert record.plan.seeds == (0, 1)
    assert len(record.cells) == 5 * 2 * 2
    assert len(list((tmp_path / "s" / "dictionaries").iterdir())) == 5 * 2


@pytest.mark.slow
def test_an_interrupted_sweep_goes_on(
    bench: Path, swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(progress.Bar):
        def tell(self, done: float, detail: str) -> None:
            super().tell(done, detail)
            if done > 0.5:
                signal.raise_signal(signal.SIGINT)

    command = ("sweep", bench / "cohort", *TINY, "-o", tmp_path / "s")
    with monkeypatch.context() as patch:
        patch.setattr(progress, "Bar", Impatient)
        outcome = run(*command)
    assert outcome.code == 130
    partial = read_sweep(tmp_path / "s")
    assert partial.outcome == "interrupted"
    assert f"holds {len(partial.cells)} cells; the same command with --resume goes on" in outcome.err
    assert "This sweep is not finished" in (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    assert "holds a sweep already: add --resume to go on with it, or --force to begin anew" in refused(*command)
    assert f"{len(partial.cells)} of 20 cells are there already" in done(*command, "--resume").err
    whole, again = read_sweep(swept), read_sweep(tmp_path / "s")
    assert [(one.key, one.quality, one.between) for one in again.cells] == [
        (one.key, one.quality, one.between) for one in whole.cells
    ]
    assert again.cells[: len(partial.cells)] == partial.cells
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_another_plan_and_a_new_beginning(bench: Path, swept: Path, tmp_path: Path) -> None:
    command = ["sweep", bench / "cohort", *TINY, "-o", tmp_path / "s"]
    assert "nothing to resume: " in done(*command, "--resume").err
    sentence = run(*command, "--resume", "--steps", 5).err.splitlines()[-1]
    assert f"{tmp_path / 's'} holds another sweep, steps 4 there, 5 here: give the same numbers" in sentence
    done(*command, "--force", "--steps", 5)
    assert read_sweep(tmp_path / "s").plan.steps == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layers", "0;1"], "--layers '0;1' is no list: write whole numbers with commas, such as 16,32,64."),
        (["--layers", ""], "--layers '' is no list"),
        (["-n", "8,"], "-n '8,' is no list"),
        (["-n", "1e3"], "-n '1e3' is no list"),
        (["-k", "-4"], "-k '-4' is no list"),
        (["-k", "0"], "k must be 1 or more each, not 0"),
        (["-k", "4,4"], "k names 4 twice: give each once"),
        (["-k", "99"], "every k is above every n (the least k is 99, the largest n 16)"),
        (["--layers", "5"], "layer 5 does not exist: this network has layers 0 to 4"),
        (["--lr", "0"], "--lr must be a positive number, not 0.0"),
        (["--steps", "0"], "--steps"),
        (["--seeds", "0"], "--seeds"),
        (["--grid", "8x"], "--grid '8x' is no grid"),
        (["--condition", "x"], "holds no network 'x'"),
    ],
)
def test_bad_input_gets_one_sentence(bench: Path, tmp_path: Path, options: list[str], said: str) -> None:
    outcome = run("sweep", bench / "cohort", *TINY, *options, "-o", tmp_path / "s")
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err
    assert not list(tmp_path.iterdir())


def test_folders_that_are_not_for_a_sweep(bench: Path, tmp_path: Path) -> None:
    command = ("sweep", bench / "cohort", *TINY)
    assert "and no sweep of ours: give another path" in refused(*command, "-o", bench / "cohort", "--force")
    (tmp_path / "file").write_text("mine")
    assert "exists and is no folder" in refused(*command, "-o", tmp_path / "file")
    assert "Not a directory" in run(*command, "-o", tmp_path / "file" / "s").err.splitlines()[-1]
    assert "is not a run of InrLens" in refused("sweep", tmp_path, *TINY, "-o", tmp_path / "s")
    (tmp_path / "s").mkdir()
    with only_one(tmp_path / "s"):
        assert "another sweep into" in refused(*command, "-o", tmp_path / "s")
    assert not list((tmp_path / "s").iterdir())
