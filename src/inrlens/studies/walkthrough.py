"""The whole finding on a few photographs: four conditions, their ranks, a freeze sweep, a dictionary a layer.

This is what ``inrlens demo`` runs. Nothing about its outcome is assumed; every number lands in the run's record.
"""

import datetime
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from inrlens.checkpoints import save
from inrlens.dictionaries.health import layer_health
from inrlens.dictionaries.train import SaeFit, train_sae
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.fitting.fit import fit, fit_cohort
from inrlens.fitting.fit_fields import one_grid
from inrlens.fitting.history import Fit, write_history
from inrlens.fitting.transfer import Rest, TransferJob, transfer_many
from inrlens.interrupt import Interrupt, first_interrupt_asks
from inrlens.signals.archive import save_signals
from inrlens.signals.images import save_image
from inrlens.signals.signal import Signal
from inrlens.studies.atlas import atlas_record, timed_effects
from inrlens.studies.comparison_saes import train_companions
from inrlens.studies.measure import condition_record, layer_record, mean_ssim
from inrlens.studies.plan import (
    BackbonePlan,
    WalkthroughPlan,
    atlas_stage,
    dictionary_stage,
    fit_stage,
    freeze_label,
    plan_settings,
    stage_costs,
    sweep_settings,
    sweep_stage,
)
from inrlens.studies.progress import Listener, Stages
from inrlens.studies.record import (
    SIGNALS_FILE,
    ConditionRecord,
    RunRecord,
    TransferRecord,
    this_machine,
    version,
    write_record,
)
from inrlens.workers import cores, on_cores


class _Interrupted(Exception):
    """Ctrl-C was pressed; what is recorded so far stands."""


class _Run:
    """The loop's state: what has been measured so far."""

    def __init__(
        self, plan: WalkthroughPlan, folder: Path, signals: Sequence[Signal], cohort: int, listener: Listener | None
    ):
        self.plan = plan
        self.folder = folder
        self.signals = list(signals)
        self.cohort = cohort
        self.heldout = list(range(cohort, len(signals)))
        self.conditions: dict[str, ConditionRecord] = {}
        self.transfers: list[TransferRecord] = []
        self.fields: dict[str, Field] = {}
        self.saes: dict[tuple[str, int], SaeFit] = {}
        self.stages = Stages(stage_costs(plan, signals[0].values.shape[0], len(self.heldout)), listener)
        self.interrupt = Interrupt()

    def stop_if_asked(self, outcome: str) -> None:
        """Ends the run where Ctrl-C came during a fit, or while its results were measured."""
        if outcome == "interrupted" or self.interrupt.asked:
            raise _Interrupted

    def condition(self, part: BackbonePlan, kind: Literal["single", "cohort"]) -> None:
        name = f"{kind}_{part.name}"
        self.stages.begin(fit_stage(kind, part.name))
        callback = self.stages.fit_callback()
        positions = (0,) if kind == "single" else tuple(range(self.cohort))
        members = [self.signals[position] for position in positions]
        seed, device = self.plan.seed, self.plan.device
        if kind == "single":
            fitted = fit(members[0], part.single, seed=seed, device=device, callback=callback)
        else:
            fitted = fit_cohort(members, part.cohort, seed=seed, device=device, callback=callback)
        file, history = f"fields/{name}.safetensors", f"history/{name}.csv"
        save(fitted.field, self.folder / file)
        write_history(self.folder / history, fitted.history)
        self.conditions[name] = condition_record(name, fitted, members, positions, file, history)
        self.fields[name] = fitted.field
        self.stop_if_asked(fitted.outcome)

    def sweep(self, part: BackbonePlan) -> None:
        self.stages.begin(sweep_stage(part.name))
        cohort = self.fields[f"cohort_{part.name}"]
        settings = sweep_settings(cohort.depth)
        cells = [
            (position, seed, freeze, rest)
            for position in self.heldout
            for seed in range(self.plan.transfer_seeds)
            for freeze, rest in settings
        ]
        fits = transfer_many(
            cohort,
            [
                TransferJob(self.signals[position], freeze, rest, self.plan.seed + seed)
                for position, seed, freeze, rest in cells
            ],
            recipe=part.transfer,
            callback=self.stages.many_callback(
                [
                    f"{self.signals[position].name}, {freeze_label(freeze, rest)}: "
                    for position, _, freeze, rest in cells
                ]
            ),
        )
        for (position, seed, freeze, rest), fitted in zip(cells, fits, strict=True):
            if fitted.outcome == "interrupted":
                continue
            keep = position == self.heldout[0] and seed == 0 and self.signals[position].is_picture
            picture = f"transfers/{part.name}_{freeze_label(freeze, rest).replace(' ', '_')}.png" if keep else None
            if picture is not None:
                save_image(fitted.field.render().cpu(), self.folder / picture)
            self.transfers.append(self._transfer_record(part, position, seed, freeze, rest, fitted, picture))
        for fitted in fits:
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

    def dictionaries(self, part: BackbonePlan) -> None:
        """One for every layer of the backbone's networks, a core each."""
        self.stages.begin(dictionary_stage(part.name))
        names = [name for name, condition in self.conditions.items() if condition.backbone == part.name]
        jobs = [(name, layer) for name in names for layer in range(self.fields[name].depth)]
        callback = self.stages.sae_callback([f"{self.conditions[name].kind}, layer {layer}: " for name, layer in jobs])

        def train(number: int) -> SaeFit:
            name, layer = jobs[number]
            return train_sae(
                self.fields[name],
                layer,
                n_atoms=self.plan.n_atoms,
                k=self.plan.k,
                steps=self.plan.sae_steps,
                batch=self.plan.sae_batch,
                learning_rate=self.plan.sae_learning_rate,
                seed=self.plan.seed,
                callback=callback(number),
            )

        trained = on_cores(train, range(len(jobs)), cores())
        for (name, layer), one in zip(jobs, trained, strict=True):
            if one.outcome == "interrupted":
                continue
            condition = self.conditions[name]
            file = f"dictionaries/{name}_layer{layer}.safetensors"
            save(one.sae, self.folder / file)
            members = [self.signals[position] for position in condition.signals]
            health = layer_health(self.fields[name])[layer]
            record = layer_record(
                self.fields[name],
                one.sae,
                members,
                file,
                steps=one.steps,
                seconds=one.seconds,
                outcome=one.outcome,
                health=health,
            )
            self.conditions[name] = replace(condition, layers=(*condition.layers, record))
            self.saes[name, layer] = one
        self.stop_if_asked("interrupted" if any(one.outcome == "interrupted" for one in trained) else "finished")

    def atlas(self, part: BackbonePlan) -> None:
        """All atoms of the cohort's middle layer, beside controls and another seed's."""
        self.stages.begin(atlas_stage(part.name))
        name = f"cohort_{part.name}"
        field, condition = self.fields[name], self.conditions[name]
        layer = (field.depth - 1) // 2
        trained = self.saes[name, layer]
        callback = self.stages.sae_callback(["another seed: ", "untrained network: "])
        companions = train_companions(field, trained.sae, callbacks=[callback(number) for number in range(2)])
        self.stop_if_asked("interrupted" if len(companions) < 2 else "finished")
        members = [self.signals[position] for position in condition.signals]
        found, seconds = timed_effects(field, trained.sae, members[0])
        record = atlas_record(field, trained.sae, members, found, seconds, companions, seed=self.plan.seed)
        layers = [replace(one, atlas=record) if one.layer == layer else one for one in condition.layers]
        self.conditions[name] = replace(condition, layers=tuple(layers))


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
    save_signals(signals, folder / SIGNALS_FILE)
    run = _Run(plan, folder, signals, len(cohort), listener)
    outcome: Literal["finished", "interrupted"] = "finished"
    try:
        with first_interrupt_asks() as run.interrupt:
            for part in plan.backbones:
                run.condition(part, "single")
                run.condition(part, "cohort")
            for part in plan.backbones:
                run.sweep(part)
            for part in plan.backbones:
                run.dictionaries(part)
            for part in plan.backbones:
                run.atlas(part)
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
