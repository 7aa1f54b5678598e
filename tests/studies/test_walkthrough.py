"""The whole finding in small: stages, files, numbers, and Ctrl-C in the middle."""

import itertools
import signal as signals_of_the_system
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import inrlens as il
import toys
from inrlens.checkpoints import load_field, load_sae
from inrlens.signals.archive import load_signals
from inrlens.studies.plan import BackbonePlan, WalkthroughPlan, demo_plan, freeze_label, plan_settings, sweep_settings
from inrlens.studies.progress import Progress, Stages
from inrlens.studies.record import RunRecord, read_record
from inrlens.studies.walkthrough import run_walkthrough

GRID = (12, 15)


def _plan(**numbers: object) -> WalkthroughPlan:
    parts = tuple(
        BackbonePlan(name, toys.recipe(name), toys.recipe(name, steps=20), toys.recipe(None, steps=6))
        for name in ("siren", "ffmlp")
    )
    return replace(WalkthroughPlan(parts, 1, 24, 4, 8, 64, 1e-2, seed=3), **numbers)


@pytest.fixture(scope="module")
def told() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, told: list[Progress]) -> tuple[Path, RunRecord]:
    folder = tmp_path_factory.mktemp("walk")
    members = toys.signals(3, GRID)
    return folder, run_walkthrough(_plan(), members[:2], members[2:], folder, told.append)


def test_the_record_is_whole_and_on_disk(walk: tuple[Path, RunRecord]) -> None:
    folder, record = walk
    assert read_record(folder) == record
    assert (record.kind, record.outcome, record.seed) == ("demo", "finished", 3)
    assert [condition.name for condition in record.conditions] == [
        "single_siren",
        "cohort_siren",
        "single_ffmlp",
        "cohort_ffmlp",
    ]
    assert [condition.signals for condition in record.conditions] == [(0,), (0, 1), (0,), (0, 1)]
    for condition in record.conditions:
        assert [layer.layer for layer in condition.layers] == [0, 1, 2, 3]
        assert condition.ranks_initial is not None
        best = max(range(4), key=lambda index, ranks=condition.ranks.weight: ranks[index])
        assert condition.tau == best
    assert len(record.transfers) == 2 * len(sweep_settings(4))
    assert record.plan == plan_settings(_plan())


def test_every_file_that_the_record_names_is_what_it_says(walk: tuple[Path, RunRecord]) -> None:
    folder, record = walk
    signals = load_signals(folder / "signals.safetensors")
    assert tuple(signal.name for signal in signals) == record.signals == ("toy 0", "toy 1", "toy 2")
    for condition in record.conditions:
        field = load_field(folder / condition.file)
        psnrs = [il.psnr(field.render(j), signals[at].image()) for j, at in enumerate(condition.signals)]
        assert condition.psnrs == pytest.approx(psnrs, abs=1e-4)
        assert (folder / condition.history).is_file()
        for layer in condition.layers:
            sae = load_sae(folder / layer.file)
            assert (sae.layer, sae.n_atoms, sae.k) == (layer.layer, 24, 4)
    pictures = [transfer.picture for transfer in record.transfers]
    assert all(picture is not None and (folder / picture).is_file() for picture in pictures)
    assert len(set(pictures)) == len(pictures)
    named = {"run.json", "signals.safetensors", *pictures}
    for condition in record.conditions:
        named |= {condition.file, condition.history, *(layer.file for layer in condition.layers)}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == named


def test_a_transfer_of_the_sweep_is_the_transfer_itself(walk: tuple[Path, RunRecord]) -> None:
    folder, record = walk
    field = load_field(folder / "fields" / "cohort_siren.safetensors")
    for entry in record.transfers:
        if entry.backbone == "siren":
            moved = il.transfer(
                field,
                toys.signal(2, GRID),
                freeze=entry.freeze,
                rest=entry.rest,
                recipe=toys.recipe(None, steps=6),
                seed=entry.seed,
            )
            assert entry.psnr == moved.psnr
            assert entry.signal == 2


@pytest.mark.slow
def test_the_same_plan_gives_the_same_numbers(walk: tuple[Path, RunRecord], tmp_path: Path) -> None:
    members = toys.signals(3, GRID)
    part = _plan().backbones[:1]
    again = run_walkthrough(_plan(backbones=part), members[:2], members[2:], tmp_path)
    assert [c.psnrs for c in again.conditions] == [c.psnrs for c in walk[1].conditions[:2]]
    assert [t.psnr for t in again.transfers] == [t.psnr for t in walk[1].transfers if t.backbone == "siren"]
    assert [layer.quality for layer in again.conditions[1].layers] == [
        layer.quality for layer in walk[1].conditions[1].layers
    ]


def test_progress_rises_from_nothing_to_all(walk: tuple[Path, RunRecord], told: list[Progress]) -> None:
    assert told[0].whole_done == 0.0
    assert told[-1].whole_done == pytest.approx(1.0)
    assert all(one.whole_done <= two.whole_done + 1e-12 for one, two in itertools.pairwise(told))
    assert all(0.0 <= entry.stage_done <= 1.0 for entry in told)
    stages = list(dict.fromkeys(entry.stage for entry in told))
    assert len(stages) == told[0].stages == 10
    assert stages[0] == "single SIREN fit"
    assert any("PSNR" in entry.detail for entry in told)
    assert any("FVU" in entry.detail for entry in told)


@pytest.mark.parametrize(
    ("stage", "after", "conditions", "transfers"),
    [("cohort SIREN fit", 0.0, 2, 0), ("SIREN freeze sweep", 0.0, 4, 0), ("SIREN freeze sweep", 0.25, 4, 2)],
)
def test_control_c_keeps_what_was_measured(
    tmp_path: Path, stage: str, after: float, conditions: int, transfers: int
) -> None:
    pressed: list[str] = []

    def press(progress: Progress) -> None:
        if progress.stage == stage and progress.detail and progress.stage_done >= after and not pressed:
            pressed.append(stage)
            signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)

    members = toys.signals(3, GRID)
    record = run_walkthrough(_plan(), members[:2], members[2:], tmp_path, press)
    assert record.outcome == "interrupted"
    assert (len(record.conditions), len(record.transfers)) == (conditions, transfers)
    assert read_record(tmp_path) == record


def test_the_sweep_has_every_depth_both_ways_and_both_ends() -> None:
    labels = [freeze_label(freeze, rest) for freeze, rest in sweep_settings(5)]
    assert labels == [
        "scratch",
        "none",
        *(f"reinit {tau}" for tau in range(5)),
        *(f"warm {tau}" for tau in range(4)),
    ]


def test_the_demo_is_about_the_full_network_and_share_scales_the_steps_only() -> None:
    plan, small, thorough = demo_plan(), demo_plan(share=0.1), demo_plan(thorough=True)
    for part in (*plan.backbones, *small.backbones, *thorough.backbones):
        for recipe in (part.single, part.cohort):
            assert recipe.backbone is not None
            assert (recipe.backbone.width, recipe.backbone.depth) == (256, 5)
        assert part.transfer.backbone is None
    assert [part.name for part in plan.backbones] == ["siren", "ffmlp"]
    for part, scaled in zip(plan.backbones, small.backbones, strict=True):
        assert scaled.cohort == replace(part.cohort, steps=round(part.cohort.steps * 0.1))
    assert demo_plan(share=1e-9).sae_steps == 1
    assert (thorough.n_atoms, thorough.k, thorough.sae_steps, thorough.transfer_seeds) == (4096, 32, 10_000, 3)
    assert thorough.backbones[0].cohort == il.recipes.cohort("siren")
    for share in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(il.InputError, match="the share of steps must be a positive number, not"):
            demo_plan(share=share)


def test_signals_that_no_walkthrough_can_start_with(tmp_path: Path) -> None:
    one, two, three = toys.signals(3, GRID)
    for cohort, heldout, counts in (([one], [two], "1 and 1"), ([one, two], [], "2 and 0")):
        with pytest.raises(il.InputError, match=f"needs at least 2 cohort signals and 1 held-out, not {counts}"):
            run_walkthrough(_plan(), cohort, heldout, tmp_path)
    for odd in (toys.signal(4, (15, 12)), toys.signal(4, GRID, channels=1)):
        with pytest.raises(il.InputError, match="all signals must share one grid and one number of channels"):
            run_walkthrough(_plan(), [one, two], [odd], tmp_path)
    assert not list(tmp_path.iterdir())
    assert torch.isfinite(three.values).all()


def test_stages_with_a_listener_and_without() -> None:
    Stages({"a": 1.0}, None).tell(0.5, "quiet")
    heard: list[Progress] = []
    stages = Stages({"a": 1.0, "b": 3.0}, heard.append)
    stages.begin("b")
    stages.tell(0.5, "half")
    assert [(entry.number, entry.stages, entry.stage_done, entry.whole_done) for entry in heard] == [
        (2, 2, 0.0, 0.25),
        (2, 2, 0.5, 0.625),
    ]
    il.fit(toys.signal(), toys.recipe(), callback=stages.fit_callback())
    assert heard[-1].stage_done == 1.0
    assert heard[-1].detail.startswith("PSNR ")
