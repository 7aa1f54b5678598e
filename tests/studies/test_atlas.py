"""The record of a layer's atoms agrees with the measures that it gathers."""

import signal as signals_of_the_system
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

import inrlens as il
import toys
from inrlens.dictionaries.loop import SaeRecord
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.studies.atlas import atlas_record, stability_row, timed_effects
from inrlens.studies.comparison_saes import UNTRAINED, Companion, recipe_of, train_companions
from inrlens.studies.record import AtlasRecord

NUMBERS = {"n_atoms": 24, "k": 4, "steps": 12, "batch": 20, "learning_rate": 1e-2}


@pytest.fixture(scope="module")
def sae(cohort: il.Field) -> SparseAutoencoder:
    return il.train_sae(cohort, 1, seed=4, **NUMBERS).sae


@pytest.fixture(scope="module")
def companions(cohort: il.Field, sae: SparseAutoencoder) -> list[Companion]:
    return train_companions(cohort, sae, seeds=2)


@pytest.fixture(scope="module")
def record(cohort: il.Field, sae: SparseAutoencoder, companions: list[Companion]) -> AtlasRecord:
    members = toys.signals(3)
    atlas, seconds = timed_effects(cohort, sae, members[0])
    return atlas_record(cohort, sae, members, atlas, seconds, companions, seed=7)


def _same(one: SparseAutoencoder, two: SparseAutoencoder) -> bool:
    return all(torch.equal(value, two.state_dict()[name]) for name, value in one.state_dict().items())


def test_companions_are_trained_by_the_dictionarys_own_recipe(
    cohort: il.Field, sae: SparseAutoencoder, companions: list[Companion]
) -> None:
    assert [one.name for one in companions] == ["seed 5", "seed 6", UNTRAINED]
    assert _same(companions[0].sae, il.train_sae(cohort, 1, seed=5, **NUMBERS).sae)
    untrained = il.initial_field(cohort)
    assert _same(companions[2].sae, il.train_sae(untrained, 1, seed=7, **NUMBERS).sae)
    assert asdict(recipe_of(sae)) == {**asdict(il.SaeRecipe()), **NUMBERS}
    with pytest.raises(il.InputError, match="does not say how it was trained"):
        recipe_of(toys.sae(cohort))


def test_after_control_c_a_companion_is_left_out(cohort: il.Field, sae: SparseAutoencoder) -> None:
    def press(told: SaeRecord, steps: int) -> None:
        if told.step == 0:
            signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)

    assert train_companions(cohort, sae, seeds=1, untrained=False, callbacks=[press]) == []


def test_the_worst_atoms_and_their_places(cohort: il.Field, sae: SparseAutoencoder, record: AtlasRecord) -> None:
    target = toys.signals(3)[0]
    atlas = il.effects(cohort, sae, il.encode(cohort, sae), signal=target)
    drops = il.psnr_drops(atlas, target)
    magnitude = il.atom_statistics(atlas.codes).top(24)
    assert [one.atom for one in record.worst] == atlas.rank()[:10]
    for one in record.worst:
        assert one.psnr_drop == float(drops[one.atom])
        assert magnitude[one.magnitude_rank - 1] == one.atom
        assert one.pieces == int(atlas.footprint.pieces[one.atom])
    assert record.seconds > 0.0


def test_groups_go_by_effect_magnitude_and_chance(record: AtlasRecord) -> None:
    assert [(curve.mode, curve.order) for curve in record.groups] == [
        (mode, order) for mode in ("remove", "keep") for order in ("psnr_drop", "mean_magnitude", "random")
    ]
    removed, kept = record.groups[:3], record.groups[3:]
    assert len({curve.psnr[-1] for curve in removed}) == 1 or max(c.psnr[-1] for c in removed) == pytest.approx(
        min(c.psnr[-1] for c in removed), abs=1e-3
    )
    assert removed[0].psnr[0] == pytest.approx(kept[0].psnr[-1], abs=1e-3)
    assert len(record.interactions) == 10


def test_controls_stand_beside_the_trained_one(cohort: il.Field, sae: SparseAutoencoder, record: AtlasRecord) -> None:
    names = [row.name for row in record.rows]
    assert names == ["trained", "random dictionary", "principal components", "neurons", UNTRAINED]
    trained, random, _, neurons, untrained = record.rows
    assert trained.quality == il.evaluate_sae(cohort, sae, toys.signals(3))
    assert (random.n_atoms, random.k, neurons.n_atoms) == (24, 4, 32)
    assert trained.worst_drop == record.worst[0].psnr_drop
    assert trained.removal_area == record.groups[0].area
    assert (untrained.psnr_drop, untrained.worst_drop, untrained.removal_area, untrained.quality.psnr) == (None,) * 4


def test_stability_is_over_seeds_beside_chance(
    cohort: il.Field, sae: SparseAutoencoder, companions: list[Companion], record: AtlasRecord
) -> None:
    assert [row.other for row in record.stability] == ["seed 5", "seed 6", "random dictionary", UNTRAINED]
    one = companions[0]
    found = il.match(sae, one.sae, il.encode(cohort, sae), il.encode(cohort, one.sae))
    assert record.stability[0].summary == found.summary()
    assert found.cosine is not None
    values = found.cosine.free_a.value
    assert record.stability[0].cosine is not None
    assert record.stability[0].cosine[10] == pytest.approx(float(values[~values.isnan()].quantile(0.5)))
    assert record.stability[-1].cosine is None
    itself = stability_row(cohort, sae, Companion("itself", cohort, sae), toys.GRID)
    assert itself.summary.cosine is not None
    assert itself.summary.cosine.pw_mcc == pytest.approx(1.0)


def test_it_is_written_and_read(record: AtlasRecord, cohort_fit: il.Fit, tmp_path: Path) -> None:
    from dataclasses import replace

    from inrlens.studies.measure import layer_record
    from inrlens.studies.record import read_record, write_record
    from inrlens.studies.run_folder import write_fit_run

    members = toys.signals(3)
    run = write_fit_run(tmp_path, cohort_fit, members)
    trained = il.train_sae(cohort_fit.field, 1, **NUMBERS).sae
    health = il.layer_health(cohort_fit.field)[1]
    layer = layer_record(cohort_fit.field, trained, members, "a", steps=12, health=health, record=record)
    written = replace(run, conditions=(replace(run.conditions[0], layers=(layer,)),))
    write_record(tmp_path, written)
    assert read_record(tmp_path) == written
