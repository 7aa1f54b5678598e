"""Single atoms taken out of the cohorts' middle layer: where they fire, what is left, and what it costs."""

from dataclasses import dataclass

import torch

from inrlens.atoms.edit import Ablation, ablate
from inrlens.reports import words
from inrlens.reports.parts import middle
from inrlens.reports.pictures import Picture, heat_map, picture
from inrlens.reports.readings.ablations import layer_of, outside_reading, support_reading, worst_reading
from inrlens.reports.views import how_cut, how_heard, peak, slice_note
from inrlens.studies.record import ConditionRecord, LayerRecord
from inrlens.studies.run_reader import OpenRun

TOP = 2


@dataclass(frozen=True)
class AblationPanel:
    """One atom taken out; shares are of all coordinates, ``largest`` is the largest absolute effect."""

    atom: int
    why: str
    map: Picture
    map_max: str
    intact: Picture
    after: Picture
    effect: Picture
    largest: str
    before_after: str
    drop_text: str
    support: float
    support_text: str
    outside: float


@dataclass(frozen=True)
class AblationGroup:
    """One network's panels."""

    title: str
    panels: tuple[AblationPanel, ...]


@dataclass(frozen=True)
class AblationSection:
    """All networks' panels at one layer."""

    layer: int
    signal: str
    thing: str
    how: str
    reading: str
    outside: str
    worst: str
    groups: tuple[AblationGroup, ...]


def ablations(run: OpenRun) -> AblationSection | None:
    """None where no network has a dictionary."""
    conditions = [c for c in run.record.conditions if c.layers and c.kind == "cohort"]
    conditions = conditions or [c for c in run.record.conditions if c.layers]
    number = middle(conditions)
    if number is None:
        return None
    groups = [_group(run, condition, number) for condition in conditions]
    panels = [panel for group in groups for panel in group.panels]
    supports = [(c, [panel.support for panel in group.panels]) for c, group in zip(conditions, groups, strict=True)]
    shown = run.signal(conditions[0].signals[0])
    return AblationSection(
        layer=number,
        signal=shown.name,
        thing=words.thing(shown.shape),
        how=how_cut(shown.shape, "through the map's largest value") + how_heard(shown),
        reading=support_reading(supports, words.thing(shown.shape)),
        outside=outside_reading(max((panel.outside for panel in panels), default=0.0), len(panels)),
        worst=worst_reading(conditions, number),
        groups=tuple(groups),
    )


def _group(run: OpenRun, condition: ConditionRecord, number: int) -> AblationGroup:
    layer = layer_of(condition, number)
    assert layer is not None
    title = words.condition_title(condition.kind, condition.backbone)
    atoms: dict[int, str] = {
        atom: f"number {place + 1} by mean magnitude" for place, atom in enumerate(layer.top_atoms[:TOP])
    }
    if layer.worst_atom is not None:
        rank = f" (number {layer.worst_atom_rank} by mean magnitude)" if layer.worst_atom_rank else ""
        also = atoms.get(layer.worst_atom)
        atoms[layer.worst_atom] = f"{also}, and costs most of all" if also else f"costs most of all{rank}"
    panels = tuple(_panel(run, condition, layer, atom, why) for atom, why in atoms.items())
    return AblationGroup(title, panels)


def _panel(run: OpenRun, condition: ConditionRecord, layer: LayerRecord, atom: int, why: str) -> AblationPanel:
    signal = run.signal(condition.signals[0])
    one = ablate(run.field(condition), run.dictionary(layer.file), atom, head=0, signal=signal)
    strength = one.delta.abs().mean(-1)
    who = f"atom {atom} of {words.condition_title(condition.kind, condition.backbone)}, layer {layer.layer}"
    cut, sounds = peak(one.map), len(one.map.shape) == 1
    thing = words.thing(one.map.shape)
    intact = f"Reconstruction of the {words.condition_title(condition.kind, condition.backbone)} network, all in place"
    support = float((one.map > 0.0).double().mean())
    return AblationPanel(
        atom=atom,
        why=", ".join((why, *slice_note(cut))),
        map=heat_map(
            one.map,
            f"Map of {who}: it fires on {words.percent(support)} of the {thing}",
            cut=cut,
            sound=one.before if sounds else None,
        ),
        map_max=words.significant(float(one.map.max()), 2),
        intact=picture(one.before, intact, cut),
        after=picture(one.after, f"Reconstruction without {who}", cut),
        effect=heat_map(
            strength,
            f"Absolute effect of {who} on the {thing}",
            cut=cut,
            sound=0.5 + one.delta if sounds else None,
        ),
        largest=words.significant(float(strength.max()), 2),
        before_after=f"{words.db(one.psnr_before, 2)} \N{RIGHTWARDS ARROW} {words.db(one.psnr_after, 2)}",
        drop_text=words.gain(None if one.psnr_drop is None else -one.psnr_drop),
        support=support,
        support_text=words.percent(support),
        outside=_outside(one),
    )


def _outside(one: Ablation) -> float:
    """The largest absolute effect where the atom's code is 0."""
    silent = one.map == 0.0
    return float(one.delta[silent].abs().max()) if bool(torch.any(silent)) else 0.0
