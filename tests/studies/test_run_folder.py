"""The folder of a run: everything in it comes back, and damage is named."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import inrlens as il
import toys
from inrlens.errors import InputError
from inrlens.fields.field import Origin
from inrlens.fitting.history import Divergence, read_history
from inrlens.signals.archive import load_signals
from inrlens.studies.measure import field_ranks, layer_record, mean_ssim
from inrlens.studies.record import RunRecord, read_record, this_machine, write_record
from inrlens.studies.run_folder import open_field, write_fit_run

GRID = (12, 15)


@pytest.fixture(scope="module")
def members() -> list[il.Signal]:
    return toys.signals(2, GRID)


@pytest.fixture(scope="module")
def fitted(members: list[il.Signal]) -> il.Fit:
    return il.fit_cohort(members, toys.recipe(), seed=5)


@pytest.fixture
def run(tmp_path: Path, fitted: il.Fit, members: list[il.Signal]) -> tuple[Path, RunRecord]:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder, write_fit_run(folder, fitted, members)


def test_a_run_holds_field_signals_history_and_pictures(
    run: tuple[Path, RunRecord], fitted: il.Fit, members: list[il.Signal]
) -> None:
    folder, record = run
    assert sorted(path.name for path in folder.iterdir()) == [
        "field.safetensors",
        "history.csv",
        "reconstructions",
        "run.json",
        "signals.safetensors",
    ]
    assert read_record(folder) == record
    field, signals = open_field(folder)
    assert torch.equal(field.render(1), fitted.field.render(1))
    assert signals is not None
    assert [signal.digest for signal in signals] == [member.digest for member in members]
    assert [row.step for row in read_history(folder / "history.csv")] == [row.step for row in fitted.history]
    picture = il.load_image(folder / "reconstructions" / "01.png").image()
    torch.testing.assert_close(picture, fitted.field.render(1).clamp(0, 1), rtol=0, atol=0.51 / 255)
    assert len(load_signals(folder / "signals.safetensors")) == 2
    assert open_field(folder / "field.safetensors")[1] is None


def test_the_record_says_what_was_measured(
    run: tuple[Path, RunRecord], fitted: il.Fit, members: list[il.Signal]
) -> None:
    _, record = run
    condition = record.conditions[0]
    assert (record.kind, record.seed, record.outcome, record.signals) == ("cohort", 5, "finished", ("toy 0", "toy 1"))
    assert (condition.psnr, condition.psnrs, condition.steps) == (fitted.psnr, fitted.psnrs, 12)
    ssims = [il.ssim(fitted.field.render(j), member.image()) for j, member in enumerate(members)]
    assert condition.ssim == pytest.approx(sum(ssims) / 2)
    assert condition.ranks.weight == il.weight_stable_ranks(fitted.field)
    assert condition.ranks_initial == field_ranks(il.initial_field(fitted.field))
    assert condition.tau == il.freeze_advice(fitted.field).tau
    assert record.condition("cohort", "siren") == condition
    assert record.condition("single", "siren") is None
    assert record.machine == this_machine("cpu")


def test_a_transfer_and_a_single_fit_are_recorded_too(tmp_path: Path, fitted: il.Fit) -> None:
    picture = toys.signal(8, GRID)
    moved = il.transfer(fitted.field, picture, freeze=1, recipe=toys.recipe(None))
    alone = il.fit(picture, toys.recipe())
    for kind, result in (("transfer", moved), ("fit", alone)):
        (tmp_path / kind).mkdir()
        record = write_fit_run(tmp_path / kind, result, [picture])
        assert record.kind == kind
        assert (record.conditions[0].ranks_initial is None) == (kind == "transfer")
        assert read_record(tmp_path / kind) == record


def test_numbers_that_are_not_finite_survive(tmp_path: Path, run: tuple[Path, RunRecord]) -> None:
    _, record = run
    event = Divergence(3, "non-finite loss", -math.inf, math.nan)
    odd = replace(record.conditions[0], psnr=math.inf, divergences=(event,))
    write_record(tmp_path, replace(record, conditions=(odd,)))
    text = (tmp_path / "run.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    found = read_record(tmp_path).conditions[0]
    assert found.psnr == math.inf
    assert found.divergences[0].best_psnr == -math.inf
    assert math.isnan(found.divergences[0].psnr)


def test_a_diverged_fit_can_be_written_and_read(tmp_path: Path) -> None:
    picture = toys.signal(0, GRID)
    broken = il.fit(picture, toys.recipe("ffmlp", learning_rate=1e30))
    write_fit_run(tmp_path, broken, [picture])
    found = read_record(tmp_path).conditions[0]
    assert (found.outcome, found.divergences[0].kind) == ("diverged", "non-finite loss")


def test_a_grid_that_is_no_picture_has_no_ssim_and_no_pictures(tmp_path: Path) -> None:
    small = toys.signals(2, (5, 40))
    assert mean_ssim(toys.field(), small) is None
    two_channels = toys.signal(0, GRID, channels=2)
    record = write_fit_run(tmp_path, il.fit(two_channels, toys.recipe()), [two_channels])
    assert not (tmp_path / "reconstructions").exists()
    assert record.conditions[0].ssim is not None


def test_a_layers_record_agrees_with_the_measures_it_gathers(cohort: il.Field) -> None:
    members = toys.signals(3)
    trained = il.train_sae(cohort, 1, n_atoms=24, k=4, steps=30, batch=63, learning_rate=1e-2)
    record = layer_record(cohort, trained.sae, members, "sae.safetensors", steps=trained.steps)
    codes = il.encode(cohort, trained.sae)
    statistics = il.atom_statistics(codes)
    drops = il.psnr_drops(il.effects(cohort, trained.sae, codes), members[0])
    alive = ~statistics.dead
    assert record.quality == il.evaluate_sae(cohort, trained.sae, members)
    assert record.between == il.evaluate_sae(cohort, trained.sae, where="between")
    assert list(record.top_atoms) == statistics.top(16)
    assert record.worst_atom is not None
    assert record.worst_atom_drop == float(drops[alive].max())
    assert float(drops[record.worst_atom]) == record.worst_atom_drop
    assert statistics.top(24)[record.worst_atom_rank - 1 if record.worst_atom_rank else -1] == record.worst_atom
    assert record.active_fraction is not None
    assert record.active_fraction.median == pytest.approx(float(statistics.active_fraction[alive].quantile(0.5)))


def test_a_dictionary_of_dead_atoms_has_a_record_too(cohort: il.Field) -> None:
    trained = il.train_sae(cohort, 1, n_atoms=6, k=2, steps=1, batch=63)
    with torch.no_grad():
        trained.sae.encoder_bias.fill_(-1e3)
    record = layer_record(cohort, trained.sae, toys.signals(3), "sae.safetensors", steps=1)
    assert (record.top_atoms, record.worst_atom, record.worst_atom_drop, record.ipr) == ((), None, None, None)
    assert record.quality.dead == 1.0


def test_folders_that_are_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere is not a folder: give the folder of a run"):
        read_record(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"holds no run.json: it is not a run of InrLens"):
        read_record(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run.json is not valid JSON"):
        read_record(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match=r"run.json is damaged at kind: Field required"):
        read_record(tmp_path)


def test_damaged_runs_are_named_where_they_are_damaged(run: tuple[Path, RunRecord]) -> None:
    folder, _ = run
    whole = json.loads((folder / "run.json").read_text())

    def damaged(message: str, **changes: object) -> None:
        (folder / "run.json").write_text(json.dumps({**whole, **changes}))
        with pytest.raises(InputError, match=message):
            open_field(folder)

    damaged(r"run.json is damaged at kind", kind="movie")
    damaged(r"run.json is damaged at colour", colour="blue")
    damaged(r"damaged at conditions.0.psnr", conditions=[{**whole["conditions"][0], "psnr": "good"}])
    first = whole["conditions"][0]
    heads = len(first["signals"])
    damaged("names signal 7, its list has 0 to", conditions=[{**first, "signals": [7] * heads}])
    damaged("names signal -1, its list has 0 to", conditions=[{**first, "signals": [-1] * heads}])
    damaged("has .* PSNRs for 1 signals", conditions=[{**first, "signals": [0]}])
    damaged("lies outside the run's folder", conditions=[{**first, "file": "../field.safetensors"}])
    for tau in (-1, 99):
        damaged("the ranks or tau of 'cohort_siren' do not agree on its layers", conditions=[{**first, "tau": tau}])
    damaged("do not agree on its layers", conditions=[{**first, "ranks": {"weight": [], "activation": {}}}])
    damaged("two of its networks have one name", conditions=[first, first])
    damaged("it took inf seconds", seconds="inf")
    damaged("holds no network: the run was interrupted before its first", conditions=[])
    other = {**whole["conditions"][0], "name": "other"}
    damaged(r"holds several networks \(cohort_siren, other\): name one", conditions=[whole["conditions"][0], other])
    with pytest.raises(InputError, match="holds no network 'third'; allowed are cohort_siren, other"):
        open_field(folder, "third")
    assert open_field(folder, "other")[0].origin.kind == "cohort"


def test_an_untrained_origin_reads_as_its_kind() -> None:
    assert Origin() == toys.field().origin
