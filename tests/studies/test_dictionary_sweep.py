"""A sweep's numbers are those of dictionaries trained alone, whatever ends it on its way; its folder is guarded."""

import itertools
import json
import signal as signals_of_the_system
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch

import inrlens as il
import toys
from inrlens.checkpoints import load_sae
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.controls import neurons, principal_components, random_dictionary
from inrlens.dictionaries.health import layer_health
from inrlens.studies.dictionary_sweep import SweepProgress, run_sweep
from inrlens.studies.sweep_plan import CellKey, SweepPlan, cell_cost, cell_keys, left_out
from inrlens.studies.sweep_record import SweepRecord, read_sweep, write_sweep

NUMBERS: dict[str, Any] = {"steps": 12, "batch": 20, "learning_rate": 1e-2}
PLAN = SweepPlan((0, 2), (16, 24), (3, 20), (0, 5), untrained=True, **NUMBERS)
SMALL = SweepPlan((1,), (8, 16), (2, 4), controls=False, **NUMBERS)


def _timeless(record: SweepRecord) -> SweepRecord:
    cells = tuple(replace(cell, seconds=0.0) for cell in record.cells)
    return replace(record, seconds=0.0, started="", cells=cells)


def _interrupted(field: il.Field, plan: SweepPlan, folder: Path, finished: int, **given: Any) -> SweepRecord:
    """A sweep that Ctrl-C ends within the training that follows ``finished`` cells."""
    pressed: list[int] = []

    def press(progress: SweepProgress) -> None:
        if progress.finished >= finished and progress.detail and not pressed:
            pressed.append(progress.finished)
            signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)

    return run_sweep(field, plan, folder, press, **given)


@pytest.fixture(scope="module")
def told() -> list[SweepProgress]:
    return []


@pytest.fixture(scope="module")
def swept(cohort: il.Field, tmp_path_factory: pytest.TempPathFactory, told: list[SweepProgress]) -> SweepRecord:
    folder = tmp_path_factory.mktemp("sweep")
    record = run_sweep(cohort, PLAN, folder / "new", told.append, signals=toys.signals(3))
    assert read_sweep(folder / "new") == record
    assert [path.name for path in (folder / "new").iterdir()] == ["sweep.json"]
    return record


def test_every_cell_of_the_plan_is_there_in_its_order(swept: SweepRecord) -> None:
    assert swept.outcome == "finished"
    assert [cell.key for cell in swept.cells] == cell_keys(PLAN)
    assert left_out(PLAN) == [(16, 20)]
    # A layer: three sizes and two seeds of trained, random and untrained, and two ks of both other controls.
    assert len(swept.cells) == 2 * (3 * 2 * 3 + 2 * 2)
    assert len(set(cell_keys(PLAN))) == len(swept.cells)


def test_every_number_is_that_of_a_dictionary_trained_alone(cohort: il.Field, swept: SweepRecord) -> None:
    members, initial = toys.signals(3), il.initial_field(cohort)
    for cell in swept.cells:
        rows = layer_rows(cohort, cell.layer)
        network, steps = cohort, 0
        if cell.kind in ("trained", "untrained network"):
            assert cell.seed is not None
            network, steps = cohort if cell.kind == "trained" else initial, 12
            fit = il.train_sae(network, cell.layer, n_atoms=cell.n_atoms, k=cell.k, seed=cell.seed, **NUMBERS)
            sae = fit.sae
        elif cell.kind == "random dictionary":
            assert cell.seed is not None
            sae = random_dictionary(rows, cell.layer, n_atoms=cell.n_atoms, k=cell.k, seed=cell.seed)
        elif cell.kind == "neurons":
            sae = neurons(rows, cell.layer, k=cell.k)
        else:
            sae = principal_components(rows, cell.layer, k=cell.k)
        compared = members if network is cohort else None
        assert cell.quality == il.evaluate_sae(network, sae, compared)
        assert cell.between == il.evaluate_sae(network, sae, where="between")
        assert (cell.n_atoms, cell.steps, cell.outcome) == (sae.n_atoms, steps, "finished")
        assert (cell.quality.psnr is None) == (cell.kind == "untrained network")
    assert swept.health == layer_health(cohort)
    assert swept.health_untrained == layer_health(initial)
    assert [name for name, _ in swept.field.signals] == ["toy 0", "toy 1", "toy 2"]


def test_progress_rises_and_the_time_left_is_known_after_a_training(
    swept: SweepRecord, told: list[SweepProgress]
) -> None:
    assert (told[0].finished, told[0].done, told[0].seconds_left) == (0, 0.0, None)
    assert (told[-1].finished, told[-1].done) == (len(swept.cells), pytest.approx(1.0))
    assert all(one.done <= two.done + 1e-12 for one, two in itertools.pairwise(told))
    first = next(number for number, one in enumerate(told) if one.cell is not None and one.cell.steps)
    assert all(one.seconds_left is None for one in told[:first])
    assert all(one.seconds_left is not None and one.seconds_left >= 0.0 for one in told[first:])
    assert [one.cell for one in told if one.cell is not None] == list(swept.cells)
    assert any("FVU" in one.detail for one in told)


def test_the_cost_of_a_training_goes_with_n_steps_and_batch() -> None:
    def cost(n: int, steps: int, batch: int) -> float:
        plan = SweepPlan((0,), (n,), (4,), steps=steps, batch=batch)
        return cell_cost(plan, CellKey("trained", 0, n, 4, 0), 100, 16)

    assert cost(64, 50, 20) == 2 * cost(32, 50, 20)
    assert cost(32, 100, 20) - cost(32, 50, 20) == 32 * 50 * 20
    assert cost(32, 50, 500) == cost(32, 50, 100)  # a grid of 100 coordinates has no larger batch


@pytest.mark.slow
def test_numbers_do_not_depend_on_threads(cohort: il.Field, swept: SweepRecord, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    try:
        again = run_sweep(cohort, PLAN, tmp_path, signals=toys.signals(3))
    finally:
        torch.set_num_threads(1)
    assert _timeless(again).cells == _timeless(swept).cells


def test_dictionaries_are_kept_where_they_are_wanted(cohort: il.Field, tmp_path: Path) -> None:
    run_sweep(cohort, replace(SMALL, keep=True, untrained=True), tmp_path)
    names = sorted(path.name for path in (tmp_path / "dictionaries").iterdir())
    assert names == [f"layer1_n{n}_k{k}_seed0.safetensors" for n in (16, 8) for k in (2, 4)]
    kept = load_sae(tmp_path / "dictionaries" / "layer1_n16_k4_seed0.safetensors").state_dict()
    alone = il.train_sae(cohort, 1, n_atoms=16, k=4, **NUMBERS).sae.state_dict()
    assert all(torch.equal(value, alone[name]) for name, value in kept.items())


def test_another_grid_has_no_signals_to_compare_with(cohort: il.Field, tmp_path: Path) -> None:
    record = run_sweep(cohort, replace(SMALL, grid=(5, 6), controls=True), tmp_path, signals=toys.signals(3))
    assert {cell.quality.psnr for cell in record.cells} == {None}
    assert {cell.quality.rows for cell in record.cells} == {30}
    assert {cell.between.rows for cell in record.cells} == {20}
    assert (record.field.grid, record.field.signals) == ((5, 6), ())


def test_a_layer_that_never_varies_has_no_components_and_ends_nothing(tmp_path: Path) -> None:
    field = toys.field()
    with torch.no_grad():
        field.encoder.layer(1).weight.zero_()
    record = run_sweep(field, replace(SMALL, controls=True), tmp_path)
    assert record.outcome == "finished"
    assert {cell.kind for cell in record.cells} == {"trained", "random dictionary", "neurons"}
    assert read_sweep(tmp_path).cells == record.cells


# -- what ends it on its way -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("finished", [0, *(pytest.param(late, marks=pytest.mark.slow) for late in (1, 9))])
def test_interrupted_and_gone_on_with_is_never_interrupted(
    cohort: il.Field, swept: SweepRecord, tmp_path: Path, finished: int
) -> None:
    given = {"signals": toys.signals(3)}
    record = _interrupted(cohort, PLAN, tmp_path, finished, **given)
    assert record.outcome == "interrupted"
    assert finished <= len(record.cells) < len(swept.cells)
    assert read_sweep(tmp_path) == record
    kept = {cell.key: cell for cell in record.cells}
    again = run_sweep(cohort, PLAN, tmp_path, **given, resume=True)
    assert _timeless(again) == _timeless(swept)
    assert all(cell == kept[cell.key] for cell in again.cells if cell.key in kept)
    assert again.seconds > record.seconds
    assert again.started == record.started


def test_a_training_that_was_interrupted_is_not_recorded(cohort: il.Field, tmp_path: Path) -> None:
    record = _interrupted(cohort, SMALL, tmp_path, 2)
    assert [cell.key for cell in record.cells] == cell_keys(SMALL)[:2]


def test_a_run_that_dies_leaves_its_cells_and_no_half_files(cohort: il.Field, tmp_path: Path) -> None:
    def die(progress: SweepProgress) -> None:
        if progress.finished == 3:
            raise RuntimeError("the end")

    with pytest.raises(RuntimeError, match="the end"):
        run_sweep(cohort, SMALL, tmp_path, die)
    record = read_sweep(tmp_path)
    assert (record.outcome, len(record.cells)) == ("interrupted", 3)
    (tmp_path / ".sweep.json.x1.part").write_text("half")
    again = run_sweep(cohort, SMALL, tmp_path, resume=True)
    assert (again.outcome, again.cells[:3]) == ("finished", record.cells)
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.json"]


def test_a_finished_sweep_is_not_run_again(cohort: il.Field, tmp_path: Path) -> None:
    first = run_sweep(cohort, SMALL, tmp_path)
    told: list[SweepProgress] = []
    again = run_sweep(cohort, SMALL, tmp_path, told.append, resume=True)
    assert (again.cells, again.outcome) == (first.cells, "finished")
    assert [(one.finished, one.done, one.cell) for one in told] == [(4, 1.0, None)]


def test_another_plan_or_network_is_refused_with_what_differs(cohort: il.Field, tmp_path: Path) -> None:
    members = toys.signals(3)
    run_sweep(cohort, SMALL, tmp_path, signals=members)
    before = (tmp_path / "sweep.json").read_bytes()

    def sentence(field: il.Field, plan: SweepPlan, signals: list[il.Signal] | None) -> str:
        with pytest.raises(il.InputError) as caught:
            run_sweep(field, plan, tmp_path, signals=signals, resume=True)
        return str(caught.value)

    said = sentence(cohort, replace(SMALL, steps=13, k=(2,)), members)
    assert said == (
        f"{tmp_path} holds another sweep, k 2, 4 there, 2 here; steps 12 there, 13 here: give the same numbers, "
        "or another folder."
    )
    other = il.Field.new("siren", heads=3, seed=9, grid=toys.GRID, **toys.SMALL["siren"])
    assert "its network has other weights" in sentence(other, SMALL, members)
    assert "compared with other signals" in sentence(cohort, SMALL, None)
    assert "compared with other signals" in sentence(cohort, SMALL, toys.signals(4)[1:])
    assert (tmp_path / "sweep.json").read_bytes() == before


# -- its folder ------------------------------------------------------------------------------------------------------


def test_a_taken_folder(cohort: il.Field, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    run_sweep(cohort, replace(SMALL, keep=True), folder)
    with pytest.raises(
        il.InputError, match="holds a sweep already: add --resume to go on with it, or --force to begin"
    ):
        run_sweep(cohort, SMALL, folder)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(il.InputError, match=r"also holds 'thesis.txt', which --force would delete: move it away first"):
        run_sweep(cohort, SMALL, folder, force=True)
    (folder / "thesis.txt").unlink()
    (folder / "report.html").write_text("old")
    one = replace(SMALL, k=(2,), n_atoms=(8,))
    with pytest.raises(il.InputError, match="layer 9 does not exist"):
        run_sweep(cohort, replace(one, layers=(9,)), folder, force=True)
    assert len(read_sweep(folder).cells) == 4  # what cannot be run deletes nothing
    assert len(run_sweep(cohort, one, folder, force=True).cells) == 1
    assert [path.name for path in folder.iterdir()] == ["sweep.json"]


def test_a_foreign_folder(cohort: il.Field, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for given in ({}, {"resume": True}, {"force": True}):
        with pytest.raises(il.InputError, match=r"holds 'notes.txt' and no sweep of ours: give another path\."):
            run_sweep(cohort, SMALL, tmp_path, **given)
    with pytest.raises(il.InputError, match="exists and is no folder"):
        run_sweep(cohort, SMALL, tmp_path / "notes.txt")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(il.InputError, match="is a symbolic link"):
        run_sweep(cohort, SMALL, tmp_path / "link")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "notes.txt"]


def _broken(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return write


@pytest.fixture(scope="module")
def small(cohort: il.Field, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small finished sweep; not to be changed."""
    folder = tmp_path_factory.mktemp("small")
    run_sweep(cohort, SMALL, folder)
    return folder


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text(path.read_text()[:300]), "is not valid JSON"),
        (_broken(lambda c: c.pop("plan")), "is damaged at plan: Field required"),
        (_broken(lambda c: c.update(extra=1)), "is damaged at extra"),
        (_broken(lambda c: c["plan"].update(k=[])), "a sweep needs at least one of k, none was given"),
        (_broken(lambda c: c["cells"][0].update(k="many")), "is damaged at cells.0.k"),
        (_broken(lambda c: c["cells"][0].update(k=3)), r"cell \(trained, 1, 8, 3, 0\) is not in its plan"),
        (_broken(lambda c: c["cells"].append(c["cells"][0])), r"cell \(trained, 1, 8, 2, 0\) stands in it twice"),
        (_broken(lambda c: c["cells"].pop()), "says that it is finished with 3 of 4 cells"),
        (_broken(lambda c: c["health"].pop()), "tells the health of 3 layers of 4"),
        (_broken(lambda c: c["plan"].update(layers=[4])), "swept layer 4 of 4 layers"),
        (_broken(lambda c: c["plan"].update(untrained=True)), "do not agree on the untrained network"),
        (_broken(lambda c: c.update(seconds="NaN")), "it took nan seconds"),
    ],
)  # fmt: skip
def test_a_damaged_record_is_refused_in_one_sentence(
    cohort: il.Field, small: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    copytree(small, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "sweep.json")
    with pytest.raises(il.InputError, match=said) as caught:
        read_sweep(tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(il.InputError, match=said):
        run_sweep(cohort, SMALL, tmp_path, resume=True)


def test_numbers_that_are_none_are_written_and_read(cohort: il.Field, tmp_path: Path) -> None:
    record = run_sweep(cohort, SMALL, tmp_path)
    odd = replace(record.cells[0], quality=replace(record.cells[0].quality, fidelity_psnr=float("inf"), fvu=0.0))
    write_sweep(tmp_path, replace(record, cells=(odd, *record.cells[1:])))
    assert read_sweep(tmp_path).cells[0] == odd
    with pytest.raises(il.InputError, match=r"holds no sweep\.json: it is not the folder of a sweep"):
        read_sweep(tmp_path / "none")


# -- plans that make no sense ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"layers": ()}, "a sweep needs at least one of layers, none was given"),
        ({"layers": (0, 1, 0)}, "layers names 0 twice: give each once"),
        ({"n_atoms": (8, 0)}, "n_atoms must be 1 or more each, not 0"),
        ({"k": (-1,)}, "k must be 1 or more each, not -1"),
        ({"seeds": (-2,)}, "seeds must be 0 or more each, not -2"),
        ({"k": (17, 32)}, "every k is above every n .the least k is 17, the largest n 16.: a dictionary needs k of n"),
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"batch": 0}, "batch must be at least 1, not 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive and at most 1e30, not nan"),
    ],
)  # fmt: skip
def test_plans_that_make_no_sense(given: dict[str, Any], said: str) -> None:
    with pytest.raises(il.InputError, match=said):
        replace(SMALL, **given)


def test_networks_that_no_sweep_can_begin_with(cohort: il.Field, tmp_path: Path) -> None:
    moved = il.transfer(cohort, toys.signal(7), freeze=1, recipe=toys.recipe(None, steps=3)).field
    with pytest.raises(il.InputError, match="a transferred field started from a cohort"):
        run_sweep(moved, replace(SMALL, untrained=True), tmp_path)
    nowhere = il.Field.new("siren", **toys.SMALL["siren"])
    with pytest.raises(il.InputError, match="was never fitted on a grid"):
        run_sweep(nowhere, SMALL, tmp_path)
    with torch.no_grad():
        nowhere.encoder.layer(3).bias[0] = float("nan")
    with pytest.raises(il.InputError, match="the activations of layer 3 hold values that are not finite"):
        run_sweep(nowhere, replace(SMALL, grid=(4, 4)), tmp_path)
    assert not list(tmp_path.iterdir())
