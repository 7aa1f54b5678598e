"""From a fitted field or a trained dictionary to its record."""

from collections.abc import Sequence
from typing import Any

from inrlens.atoms.codes import encode
from inrlens.atoms.effects import Effects, effects
from inrlens.dictionaries.evaluate import evaluate_sae
from inrlens.dictionaries.health import LayerHealth
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.field import Field, initial_field
from inrlens.fitting.history import Fit
from inrlens.metrics import ssim
from inrlens.ranks.advice import freeze_advice
from inrlens.ranks.stable_rank import activation_stable_ranks, weight_stable_ranks
from inrlens.signals.signal import Signal
from inrlens.studies.atom_numbers import atom_numbers
from inrlens.studies.record import AtlasRecord, ConditionRecord, LayerRecord, Ranks


def field_ranks(field: Field) -> Ranks:
    """Stable ranks of a field's weights and, over its grid, of its activations."""
    return Ranks(weight_stable_ranks(field), activation_stable_ranks(field))


def mean_ssim(field: Field, signals: Sequence[Signal]) -> float | None:
    """SSIM of each head against its signal, mean over heads; None where SSIM is not defined: on other grids than
    pictures, on small ones, and where a mask leaves samples out, which its windows would see."""
    if len(signals[0].shape) != 2 or min(signals[0].shape) < 11 or any(signal.left_out for signal in signals):
        return None
    pictures = field.render_all()
    values = [ssim(image.cpu(), signal.image()) for image, signal in zip(pictures, signals, strict=True)]
    return sum(values) / len(values)


def condition_record(
    name: str, fitted: Fit, signals: Sequence[Signal], positions: tuple[int, ...], file: str, history: str
) -> ConditionRecord:
    """The record of a fit, without dictionaries yet; ``positions`` are the signals' in the run's list."""
    field, origin = fitted.field, fitted.field.origin
    advice = freeze_advice(field)
    kind: Any = origin.kind
    return ConditionRecord(
        name=name,
        kind=kind,
        backbone=field.backbone.name,
        file=file,
        history=history,
        signals=positions,
        recipe=origin.recipe,
        seed=origin.seed,
        psnr=fitted.psnr,
        psnrs=fitted.psnrs,
        ssim=mean_ssim(field, signals),
        seconds=fitted.seconds,
        steps=fitted.steps,
        outcome=fitted.outcome,
        divergences=fitted.divergences,
        ranks_initial=None if origin.kind in ("transfer", "imported") else field_ranks(initial_field(field)),
        ranks=Ranks(advice.weight_stable_rank, advice.activation_stable_rank),
        tau=advice.tau,
        margin=advice.margin,
        advice=advice.sentence,
        notes=origin.notes,
        left_out_psnrs=fitted.left_out_psnrs,
    )


def layer_record(
    field: Field,
    sae: SparseAutoencoder,
    signals: Sequence[Signal],
    file: str,
    *,
    steps: int,
    seconds: float | None = None,
    outcome: str = "finished",
    health: LayerHealth | None = None,
    record: AtlasRecord | None = None,
    atlas: Effects | None = None,
) -> LayerRecord:
    """The record of a dictionary; drops are measured on head 0 and its signal.

    ``steps``, ``seconds``, ``outcome``, ``health`` and ``record`` are entered as given; ``atlas`` is what head 0's
    effects are, where they are known.
    """
    atlas = atlas or effects(field, sae, encode(field, sae), head=0, signal=signals[0])
    numbers = atom_numbers(atlas)
    return LayerRecord(
        layer=sae.layer,
        file=file,
        n_atoms=sae.n_atoms,
        k=sae.k,
        steps=steps,
        seconds=seconds,
        outcome=outcome,
        quality=evaluate_sae(field, sae, signals),
        between=evaluate_sae(field, sae, where="between"),
        active_fraction=numbers.active_fraction,
        ipr=numbers.ipr,
        top_atoms=numbers.top_atoms,
        top_magnitude=numbers.top_magnitude,
        top_firing=numbers.top_firing,
        psnr_drop=numbers.drop,
        worst_atom=numbers.worst_atom,
        worst_atom_drop=numbers.worst_drop,
        worst_atom_rank=numbers.worst_rank,
        health=health,
        atlas=record,
    )
