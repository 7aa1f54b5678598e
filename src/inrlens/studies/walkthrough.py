"""The whole finding on a few photographs: four conditions, their ranks, a freeze sweep, a dictionary a layer.

This is what ``inrlens demo`` runs. Nothing about its outcome is assumed; every number lands in the run's record.
"""

import datetime
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from inrlens.checkpoints import save
from inrlens.dictionaries.train import train_sae
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.fitting.fit import fit, fit_cohort, one_grid
from inrlens.fitting.history import Fit, write_history
from inrlens.fitting.recipes import Recipe, Task, fast, paper, recipe_settings
from inrlens.fitting.transfer import Rest, transfer
from inrlens.interrupt import Interrupt, first_interrupt_asks
from inrlens.signals.archive import save_signals
from inrlens.signals.images import save_image
from inrlens.signals.signal import Signal
from inrlens.studies.measure import condition_record, layer_record, mean_ssim
from inrlens.studies.progress import Listener, Stages
from inrlens.studies.record import (
    ConditionRecord,
    LayerRecord,
    RunRecord,
    TransferRecord,
    this_machine,
    version,
    write_record,
)


@dataclass(frozen=True)
class BackbonePlan:
    """The recipes of one backbone's part: a single fit, a cohort, and the transfers from it."""

    name: str
    single: Recipe
    cohort: Recipe
    transfer: Recipe


@dataclass(frozen=True)
class WalkthroughPlan:
    """Everything that decides a walkthrough besides its photographs.

    ``transfer_seeds`` is how many times each transfer is run with fresh draws; ``n_atoms``, ``k``, ``sae_steps``,
    ``sae_batch`` and ``sae_learning_rate`` are every dictionary's.
    """

    backbones: tuple[BackbonePlan, ...]
    transfer_seeds: int
    n_atoms: int
    k: int
    sae_steps: int
    sae_batch: int
    sae_learning_rate: float
    seed: int = 0
    device: str = "cpu"


def demo_plan(seed: int = 0, device: str = "cpu", thorough: bool = False, share: float = 1.0) -> WalkthroughPlan:
    """The plan of ``inrlens demo``: both backbones at full width and depth, the fast recipes, small dictionaries.

    ``thorough`` takes the paper's recipes, dictionaries of 4,096 atoms with k = 32 trained for 10,000 steps, and three
    seeds a transfer. ``share`` multiplies every number of steps.

    Raises:
        InputError: where ``share`` is not a positive number.
    """
    if not 0.0 < share < float("inf"):
        raise InputError(f"the share of steps must be a positive number, not {share}.")

    def scaled(steps: int) -> int:
        return max(1, round(steps * share))

    def recipe(task: Task, backbone: str) -> Recipe:
        chosen = paper(task, backbone) if thorough else fast(task, backbone)
        return replace(chosen, steps=scaled(chosen.steps))

    parts = tuple(
        BackbonePlan(name, recipe("single", name), recipe("cohort", name), recipe("transfer", name))
        for name in ("siren", "ffmlp")
    )
    if thorough:
        return WalkthroughPlan(parts, 3, 4096, 32, scaled(10_000), 4096, 1e-4, seed, device)
    return WalkthroughPlan(parts, 1, 1024, 16, scaled(400), 1024, 2e-3, seed, device)


def sweep_settings(depth: int) -> list[tuple[int | None, Rest]]:
    """The (freeze, rest) pairs of a freeze sweep: scratch, none, and every tau with the rest reinitialised or warm.

    At the last tau no layer is left to start, so both ways are one and only ``reinit`` is listed.
    """
    pairs: list[tuple[int | None, Rest]] = [(None, "reinit"), (None, "warm")]
    pairs += [(tau, "reinit") for tau in range(depth)]
    pairs += [(tau, "warm") for tau in range(depth - 1)]
    return pairs


class _Interrupted(Exception):
    """Ctrl-C was pressed; what is recorded so far stands."""


class _Run:
    """The loop's state: what has been measured so far."""

    def __init__(self, plan: WalkthroughPlan, folder: Path, signals: Sequence[Signal], cohort: int, listener: Any):
        self.plan = plan
        self.folder = folder
        self.signals = list(signals)
        self.cohort = cohort
        self.heldout = list(range(cohort, len(signals)))
        self.conditions: dict[str, ConditionRecord] = {}
        self.transfers: list[TransferRecord] = []
        self.fields: dict[str, Field] = {}
        self.stages = Stages(_costs(plan, self), listener)
        self.interrupt = Interrupt()

    def stop_if_asked(self, outcome: str) -> None:
        """Ends the run where Ctrl-C came during a fit, or while its results were measured."""
        if outcome == "interrupted" or self.interrupt.asked:
            raise _Interrupted

    def condition(self, part: BackbonePlan, kind: Literal["single", "cohort"]) -> None:
        name = f"{kind}_{part.name}"
        self.stages.begin(_stage_of(name))
        callback = self.stages.fit_callback()
        if kind == "single":
            positions: tuple[int, ...] = (0,)
            fitted = fit(self.signals[0], part.single, seed=self.plan.seed, device=self.plan.device, callback=callback)
        else:
            positions = tuple(range(self.cohort))
            members = self.signals[: self.cohort]
            fitted = fit_cohort(members, part.cohort, seed=self.plan.seed, device=self.plan.device, callback=callback)
        file, history = f"fields/{name}.safetensors", f"history/{name}.csv"
        save(fitted.field, self.folder / file)
        write_history(self.folder / history, fitted.history)
        members = [self.signals[position] for position in positions]
        self.conditions[name] = condition_record(name, fitted, members, positions, file, history)
        self.fields[name] = fitted.field
        self.stop_if_asked(fitted.outcome)

    def sweep(self, part: BackbonePlan) -> None:
        self.stages.begin(f"{part.name.upper()} freeze sweep")
        cohort = self.fields[f"cohort_{part.name}"]
        settings = sweep_settings(cohort.depth)
        cells = [
            (position, seed, freeze, rest)
            for position in self.heldout
            for seed in range(self.plan.transfer_seeds)
            for freeze, rest in settings
        ]
        for number, (position, seed, freeze, rest) in enumerate(cells):
            label = freeze_label(freeze, rest)
            fitted = transfer(
                cohort,
                self.signals[position],
                freeze=freeze,
                rest=rest,
                recipe=part.transfer,
                seed=self.plan.seed + seed,
                callback=self.stages.fit_callback(number, len(cells), f"{self.signals[position].name}, {label}: "),
            )
            keep = position == self.heldout[0] and seed == 0
            picture = f"transfers/{part.name}_{label.replace(' ', '_')}.png" if keep else None
            if picture is not None:
                save_image(self.folder / picture, fitted.field.render().cpu())
            self.transfers.append(self._transfer_record(part, position, seed, freeze, rest, fitted, picture))
            self.stop_if_asked(fitted.outcome)

    def _transfer_record(
        self,
        part: BackbonePlan,
        position: int,
        seed: int,
        freeze: int | None,
        rest: Rest,
        fitted: Fit,
        picture: str | None,
    ) -> TransferRecord:
        return TransferRecord(
            backbone=part.name,
            signal=position,
            freeze=freeze,
            rest=rest,
            seed=self.plan.seed + seed,
            psnr=fitted.psnr,
            ssim=mean_ssim(fitted.field, [self.signals[position]]),
            seconds=fitted.seconds,
            outcome=fitted.outcome,
            divergences=fitted.divergences,
            picture=picture,
        )

    def dictionaries(self, name: str) -> None:
        self.stages.begin(f"{_title(name)} dictionaries")
        field, condition = self.fields[name], self.conditions[name]
        members = [self.signals[position] for position in condition.signals]
        layers: list[LayerRecord] = []
        for layer in range(field.depth):
            trained = train_sae(
                field,
                layer,
                n_atoms=self.plan.n_atoms,
                k=self.plan.k,
                steps=self.plan.sae_steps,
                batch=self.plan.sae_batch,
                learning_rate=self.plan.sae_learning_rate,
                seed=self.plan.seed,
                callback=self.stages.sae_callback(layer, field.depth, f"layer {layer}: "),
            )
            file = f"dictionaries/{name}_layer{layer}.safetensors"
            save(trained.sae, self.folder / file)
            layers.append(layer_record(field, trained, members, file))
            self.conditions[name] = replace(condition, layers=tuple(layers))
            self.stop_if_asked(trained.outcome)


def run_walkthrough(
    plan: WalkthroughPlan,
    cohort: Sequence[Signal],
    heldout: Sequence[Signal],
    folder: Path,
    listener: Listener | None = None,
) -> RunRecord:
    """Runs the plan into ``folder`` (which must exist) and returns its record, also written as ``run.json``.

    Ctrl-C once ends it after the running step; the record then holds what was finished, and says so.

    Raises:
        InputError: for fewer than 2 cohort signals, no held-out one, or signals of different grids or channels.
    """
    signals = [*cohort, *heldout]
    if len(cohort) < 2 or not heldout:
        raise InputError(
            f"a walkthrough needs at least 2 cohort signals and 1 held-out, not {len(cohort)} and {len(heldout)}."
        )
    one_grid(signals)
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    save_signals(folder / "signals.safetensors", signals)
    run = _Run(plan, folder, signals, len(cohort), listener)
    outcome: Literal["finished", "interrupted"] = "finished"
    try:
        with first_interrupt_asks() as run.interrupt:
            for part in plan.backbones:
                run.condition(part, "single")
                run.condition(part, "cohort")
            for part in plan.backbones:
                run.sweep(part)
            for name in list(run.conditions):
                run.dictionaries(name)
    except _Interrupted:
        outcome = "interrupted"
    record = RunRecord(
        kind="demo",
        inrlens_version=version(),
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - clock,
        outcome=outcome,
        machine=this_machine(plan.device),
        seed=plan.seed,
        plan=plan_settings(plan),
        signals=tuple(signal.name for signal in signals),
        conditions=tuple(run.conditions.values()),
        transfers=tuple(run.transfers),
    )
    write_record(folder, record)
    return record


def freeze_label(freeze: int | None, rest: Rest) -> str:
    """The name of a freeze setting: ``scratch``, ``none``, ``reinit 2``, ``warm 2``."""
    if freeze is None:
        return "scratch" if rest == "reinit" else "none"
    return f"{rest} {freeze}"


def plan_settings(plan: WalkthroughPlan) -> dict[str, Any]:
    """A plan as plain JSON values."""
    return {
        "backbones": [
            {
                "name": part.name,
                **{task: recipe_settings(getattr(part, task)) for task in ("single", "cohort", "transfer")},
            }
            for part in plan.backbones
        ],
        "transfer_seeds": plan.transfer_seeds,
        "n_atoms": plan.n_atoms,
        "k": plan.k,
        "sae_steps": plan.sae_steps,
        "sae_batch": plan.sae_batch,
        "sae_learning_rate": plan.sae_learning_rate,
        "seed": plan.seed,
        "device": plan.device,
    }


def _title(name: str) -> str:
    kind, _, backbone = name.partition("_")
    return f"{kind} {backbone.upper()}"


def _stage_of(name: str) -> str:
    return f"{_title(name)} fit"


def _costs(plan: WalkthroughPlan, run: _Run) -> dict[str, float]:
    """Rough floating-point operations of every stage; they only place the progress bar."""
    coordinates = run.signals[0].values.shape[0]

    def cost_of(recipe: Recipe, depth_share: float = 1.0) -> float:
        return 4.0e5 * 5 * recipe.steps * min(recipe.batch or coordinates, coordinates) * depth_share

    costs: dict[str, float] = {}
    for part in plan.backbones:
        costs[_stage_of(f"single_{part.name}")] = cost_of(part.single)
        costs[_stage_of(f"cohort_{part.name}")] = cost_of(part.cohort)
    for part in plan.backbones:
        fits = len(run.heldout) * plan.transfer_seeds * len(sweep_settings(5))
        costs[f"{part.name.upper()} freeze sweep"] = fits * cost_of(part.transfer, 0.58)
    a_step = 2048.0 * plan.n_atoms * min(plan.sae_batch, coordinates)
    for part in plan.backbones:
        for kind in ("single", "cohort"):
            costs[f"{_title(f'{kind}_{part.name}')} dictionaries"] = 5 * plan.sae_steps * a_step
    return costs
