"""Cells of every kind against direct calls, bit for bit, and against other ways to reckon their numbers."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import inrlens as il
import toys
from inrlens.atoms.statistics import mean_map, spread
from inrlens.checkpoints import load_field, load_sae
from inrlens.container import Container, read_container
from inrlens.fields.backbone import backbone_settings
from inrlens.fields.field import initial_field
from inrlens.fitting.history import Record
from inrlens.ranks.scores import layer_scores
from inrlens.studies.atom_numbers import TOP_ATOMS
from inrlens.studies.cells import fits, image_metrics
from inrlens.studies.cells.analysis import MAPS, PICTURES, REMOVED, study_pictures
from inrlens.studies.cells.fits import recipe_of
from inrlens.studies.cells.serialise import sae_bytes
from study_tasks import (
    GRID,
    METRICS,
    SAE,
    analysis_task,
    cohort_bytes,
    cohort_task,
    dictionary_task,
    done,
    failed,
    loaded,
    make,
    nameless,
    network,
    same_weights,
    single_task,
    transfer_task,
)


@pytest.mark.few_backbones
def test_a_cohort_is_fit_cohort_bit_for_bit(backbone: str, tmp_path: Path) -> None:
    task = cohort_task(backbone)
    found = done(task)
    fitted = il.fit_cohort(toys.signals(3, GRID), toys.recipe(backbone, batch=50), seed=5)
    field = loaded(found.artefact, tmp_path, load_field)
    same_weights(field, fitted.field)
    assert field.grid == GRID
    result = found.result
    assert (result["psnr"], result["psnrs"]) == (fitted.psnr, list(fitted.psnrs))
    assert (result["steps"], result["outcome"]) == (12, "finished")
    assert result["history"] == {
        "step": [row.step for row in fitted.history],
        "psnr": [row.psnr for row in fitted.history],
    }
    assert set(found.timing) == {"seconds", "history_seconds"}
    assert len(found.timing["history_seconds"]) == len(fitted.history)
    assert found.log == ""
    for name, scored in (("scores", fitted.field), ("scores_initial", initial_field(fitted.field))):
        assert result[name] == {score: list(values) for score, values in layer_scores(scored).items()}


def test_a_single_is_fit_bit_for_bit_with_its_ssim(tmp_path: Path) -> None:
    found = done(single_task())
    signal = toys.signal(7, GRID)
    fitted = il.fit(signal, toys.recipe(), seed=2)
    same_weights(loaded(found.artefact, tmp_path, load_field), fitted.field)
    assert found.result["psnr"] == fitted.psnr
    assert found.result["ssim"] == il.ssim(fitted.field.render(0), signal.image())
    assert found.result["lpips"] is None
    assert found.result["scores"]["sr(W)"] == list(layer_scores(fitted.field)["sr(W)"])
    assert set(found.result) == {
        "psnr", "ssim", "lpips", "steps", "outcome", "history", "scores", "scores_initial"
    }  # fmt: skip


@pytest.mark.parametrize(("freeze", "rest"), [(None, "warm"), (0, "reinit"), (2, "warm"), (3, "reinit")])
def test_a_transfer_is_transfer_bit_for_bit(freeze: int | None, rest: Any) -> None:
    before = {name: value.clone() for name, value in network().state_dict().items()}
    found = done(transfer_task(cohort_bytes(), freeze, rest))
    signal = toys.signal(8, GRID)
    fitted = il.transfer(network(), signal, freeze=freeze, rest=rest, recipe=toys.recipe(None), seed=4)
    assert found.result == {
        "psnr": fitted.psnr,
        "ssim": il.ssim(fitted.field.render(0), signal.image()),
        "lpips": None,
        "steps": 12,
        "outcome": "finished",
        "history": {"step": [0, 4, 8, 12], "psnr": [row.psnr for row in fitted.history]},
    }
    assert found.artefact is None
    assert all(torch.equal(value, before[name]) for name, value in network().state_dict().items())


@pytest.mark.few_backbones
def test_from_scratch_nothing_of_a_cohort_matters(backbone: str) -> None:
    network = il.make_backbone(backbone, **toys.SMALL[backbone])
    settings = {
        "backbone": {"name": network.name, **json.loads(json.dumps(backbone_settings(network)))},
        "freeze": None,
        "rest": "reinit",
        "recipe": nameless(toys.recipe(None)),
        "seed": 4,
        **METRICS,
    }
    found = done(make("transfer", settings, [toys.signal(8, GRID)]))
    for seed in (0, 11):
        cohort = il.fit_cohort(toys.signals(2 + seed % 2, GRID), toys.recipe(backbone), seed=seed).field
        fitted = il.transfer(cohort, toys.signal(8, GRID), freeze=None, rest="reinit", recipe=toys.recipe(None), seed=4)
        assert found.result["psnr"] == fitted.psnr
        assert found.result["history"]["psnr"] == [row.psnr for row in fitted.history]


def test_a_dictionary_is_train_sae_bit_for_bit(tmp_path: Path) -> None:
    found = done(dictionary_task())
    trained = il.train_sae(network(), 2, **SAE, seed=1)
    same_weights(loaded(found.artefact, tmp_path, load_sae), trained.sae)
    assert found.result == {
        "quality": asdict(il.evaluate_sae(network(), trained.sae, toys.signals(3, GRID))),
        "between": asdict(il.evaluate_sae(network(), trained.sae, where="between")),
        "steps": 30,
        "outcome": "finished",
    }
    blind = done(
        make(
            "dictionary",
            {key: dictionary_task().settings[key] for key in ("network", "layer", "recipe", "seed")},
            [],
            *dictionary_task().inputs,
        )
    )
    assert blind.artefact == found.artefact
    assert blind.result["quality"] == {**found.result["quality"], "psnr": None, "psnr_intact": None}


def test_an_analysis_is_effects_and_statistics(tmp_path: Path) -> None:
    found = done(analysis_task())
    sae = loaded(analysis_task().inputs[1], tmp_path, load_sae)
    signal = toys.signal(0, GRID)
    codes = il.encode(network(), sae)
    atlas = il.effects(network(), sae, codes, head=0, signal=signal)
    alive = [atom for atom in range(24) if float(codes.map(atom).max()) > 0.0]
    order = sorted(alive, key=lambda atom: (-float(codes.map(atom).double().mean()), atom))
    result = found.result
    top = result["top_atoms"]
    assert top == order[:TOP_ATOMS]
    assert result["dead"] == pytest.approx(1.0 - len(alive) / 24, abs=1e-12)
    assert result["top_magnitude"] == pytest.approx([float(codes.map(atom).double().mean()) for atom in top])
    assert result["top_firing"] == pytest.approx([float((codes.map(atom) > 0.0).double().mean()) for atom in top])
    drops = {atom: il.ablate(network(), sae, atom, head=0, signal=signal).psnr_drop for atom in alive}
    assert result["top_drops"] == pytest.approx([drops[atom] for atom in top], abs=1e-5)
    worst = result["worst_atom"]
    assert drops[worst] == pytest.approx(max(drops.values()), abs=1e-5)
    assert (result["worst_drop"], result["worst_rank"]) == (float(atlas.psnr_drop[worst]), order.index(worst) + 1)
    quartiles = np.quantile([drops[atom] for atom in alive], [0.25, 0.5, 0.75])
    assert [result["drop"][key] for key in ("low", "median", "high")] == pytest.approx(list(quartiles), abs=1e-5)
    active = torch.stack([(codes.map(atom) > 0.01).double().mean() for atom in alive])
    assert result["active_fraction"] == pytest.approx(asdict(spread(active)))
    maps = [codes.map(atom).double() for atom in alive]
    ipr = torch.stack([z.pow(4).sum() / z.square().sum().square() for z in maps])
    assert result["ipr"] == pytest.approx(asdict(spread(ipr)))
    assert set(result) == {
        "active_fraction", "ipr", "dead", "top_atoms", "top_magnitude", "top_firing", "top_drops", "drop",
        "worst_atom", "worst_drop", "worst_rank",
    }  # fmt: skip


def _bytes(values: torch.Tensor) -> torch.Tensor:
    return (values.clamp(0, 1) * 255).round().to(torch.uint8)


def _near(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal up to one of 255 levels, since a value may lie half way between two."""
    assert found.dtype == torch.uint8
    assert found.shape == expected.shape
    assert int((found.int() - expected.int()).abs().max()) <= 1


def test_the_pictures_of_an_analysis(tmp_path: Path) -> None:
    found = done(analysis_task())
    content: Container = loaded(found.artefact, tmp_path, read_container)
    about, pictures = content.description, content.tensors
    assert content.kind == PICTURES
    sae = loaded(analysis_task().inputs[1], tmp_path, load_sae)
    signal, codes = toys.signal(0, GRID), il.encode(network(), sae)
    atoms = about["atoms"]
    assert atoms == found.result["top_atoms"][:MAPS]
    assert about["removed_atoms"] == atoms[:REMOVED]
    assert torch.equal(pictures["target"], _bytes(signal.image()))
    _near(pictures["intact"], _bytes(network().render(0)))
    assert pictures["maps"].shape == (len(atoms), *GRID)
    for place, atom in enumerate(atoms):
        scale = about["map_scales"][place]
        assert scale == float(codes.map(atom).max())
        assert torch.equal(pictures["maps"][place], _bytes(codes.map(atom) / scale))
    mean = mean_map(codes, atoms)
    assert about["mean_map_scale"] == float(mean.max())
    assert torch.equal(pictures["mean_map"], _bytes(mean / mean.max()))
    assert pictures["removed"].shape == (REMOVED, *GRID, 3)
    for place, atom in enumerate(about["removed_atoms"]):
        one = il.ablate(network(), sae, atom, head=0, signal=signal)
        assert about["psnr_before"] == pytest.approx(one.psnr_before, abs=1e-4)
        assert about["psnr_after"][place] == pytest.approx(one.psnr_after, abs=1e-4)
        _near(pictures["removed"][place], _bytes(one.after))
        strength = one.delta.abs().mean(-1)
        assert about["effect_scales"][place] == pytest.approx(float(strength.max()), rel=1e-4)
        _near(pictures["effects"][place], _bytes(strength / strength.max()))


@torch.no_grad()
def _with_living(sae: Any, count: int) -> bytes:
    """A dictionary of which only the first ``count`` atoms ever fire."""
    sae.encoder_bias[:] = torch.where(torch.arange(sae.n_atoms) < count, sae.encoder_bias, -1e6)
    return sae_bytes(sae)


@pytest.mark.parametrize("count", [0, 1])
def test_an_analysis_without_or_with_one_living_atom(count: int, tmp_path: Path) -> None:
    sae = toys.sae(network(), layer=2)
    found = done(replace(analysis_task(), inputs=(analysis_task().inputs[0], _with_living(sae, count))))
    result = found.result
    content: Container = loaded(found.artefact, tmp_path, read_container)
    assert result["dead"] == pytest.approx(1.0 - count / 24)
    assert result["top_atoms"] == [0] * count
    assert content.tensors["maps"].shape == (count, *GRID)
    assert content.tensors["effects"].shape == (count, *GRID)
    assert content.tensors["removed"].shape == (count, *GRID, 3)
    assert len(content.description["psnr_after"]) == count
    if count == 0:
        assert result["drop"] is result["ipr"] is result["active_fraction"] is result["worst_atom"] is None
        assert int(content.tensors["mean_map"].max()) == 0
        assert content.description["mean_map_scale"] == 0.0
    else:
        assert (result["worst_atom"], result["worst_rank"]) == (0, 1)
        assert int(content.tensors["mean_map"].max()) == 255


def test_a_volume_is_fitted_and_analysed_too() -> None:
    signal = toys.signal(0, (4, 5, 6), 1)
    network = il.make_backbone("siren", **toys.SMALL["siren"], coordinates=3)
    recipe = replace(toys.recipe(), backbone=network)
    field = il.fit(signal, recipe).field
    sae = il.train_sae(field, 1, **SAE).sae
    atlas = il.effects(field, sae, il.encode(field, sae), signal=signal)
    pictures = study_pictures(atlas, signal)
    assert pictures.tensors["maps"].shape == (MAPS, 4, 5, 6)
    assert pictures.tensors["removed"].shape == (REMOVED, 4, 5, 6, 1)
    task = make("single", {"recipe": nameless(recipe), "seed": 0, **METRICS}, [signal])
    assert done(task).result["ssim"] is None


def test_settings_become_the_recipe_that_they_came_from(backbone: str) -> None:
    for recipe in (il.recipes.fast("single", backbone), il.recipes.paper("transfer", backbone), toys.recipe(backbone)):
        assert recipe_of(nameless(recipe), recipe.name) == recipe


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An LPIPS that gives the mean absolute difference and keeps the paths that it was loaded from."""
    paths: list[str] = []

    class Difference:
        def distance(self, output: torch.Tensor, target: torch.Tensor) -> float:
            assert output.shape == target.shape
            assert 0.0 <= float(output.min()) <= float(output.max()) <= 1.0
            return float((output - target).abs().mean())

    def load(path: str) -> Any:
        paths.append(path)
        return Difference()

    monkeypatch.setattr(image_metrics, "load_lpips", load)
    monkeypatch.setattr(image_metrics, "weights_digest", lambda path: "digest")
    image_metrics._lpips.cache_clear()
    monkeypatch.setattr(image_metrics, "_lpips", toys.unchecked(image_metrics._lpips))
    return paths


def test_lpips_where_it_is_asked_for_and_defined(stand_in: list[str]) -> None:
    large = toys.signal(3, (image_metrics.LPIPS_SIDE, 40))

    def lpips(signal: il.Signal, metrics: list[str], weights: str | None, digest: str | None = "digest") -> Any:
        task = transfer_task(cohort_bytes(), 1, "warm", signal)
        settings = {**task.settings, "metrics": metrics, "lpips": digest}
        return done(replace(task, settings=settings, lpips=weights)).result["lpips"]

    every = ["psnr", "ssim", "lpips"]
    fitted = il.transfer(network(), large, freeze=1, rest="warm", recipe=toys.recipe(None), seed=4)
    expected = float((fitted.field.render(0).clamp(0, 1) - large.image()).abs().mean())
    assert lpips(large, every, "weights") == expected
    assert stand_in == ["weights"]
    assert lpips(large, ["psnr", "ssim"], "weights") is None
    assert lpips(large, every, None) is None
    assert lpips(toys.signal(3, (image_metrics.LPIPS_SIDE - 1, 40)), every, "weights") is None


def test_lpips_weights_that_are_others_than_planned(stand_in: list[str]) -> None:
    task = transfer_task(cohort_bytes(), 1, "warm", toys.signal(3, (image_metrics.LPIPS_SIDE, 40)))
    task = replace(task, settings={**task.settings, "lpips": "another"}, lpips="weights")
    assert failed(task).error.startswith("weights does not hold the LPIPS weights that this cell was planned with")


def test_ssim_where_it_is_asked_for_and_defined() -> None:
    task = transfer_task(cohort_bytes(), 1, "warm")
    assert done(replace(task, settings={**task.settings, "metrics": ["psnr"]})).result["ssim"] is None
    assert done(transfer_task(cohort_bytes(), 1, "warm", toys.signal(3, (10, 40)))).result["ssim"] is None
    assert done(transfer_task(cohort_bytes(), 1, "warm", toys.signal(3, (11, 40)))).result["ssim"] is not None


def test_a_fit_that_diverges_has_numbers_and_says_so() -> None:
    recipe = toys.recipe(steps=20, learning_rate=1e30)
    found = done(make("single", {"recipe": nameless(recipe), "seed": 2, **METRICS}, [toys.signal(7, GRID)]))
    assert found.result["outcome"] == "diverged"
    assert "the loss was not finite" in found.log or "PSNR fell" in found.log


def test_a_psnr_that_is_infinite_is_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fits.fit
    monkeypatch.setattr(fits, "fit", lambda *args, **numbers: replace(real(*args, **numbers), psnr=math.inf))
    assert done(single_task()).result["psnr"] == "Infinity"


def test_history_holds_each_record_once() -> None:
    records: list[Record] = []
    il.fit(toys.signal(7, GRID), toys.recipe(), seed=2, callback=lambda record, steps: records.append(record))
    assert done(single_task()).result["history"]["step"] == [record.step for record in records]
