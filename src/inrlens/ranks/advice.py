"""Which layer transfers: freeze up to the layer whose weights have the highest stable rank."""

import math
from dataclasses import dataclass

from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.fields.network import Network
from inrlens.ranks.stable_rank import activation_stable_ranks, weight_stable_ranks


@dataclass(frozen=True)
class FreezeAdvice:
    """Where to freeze a cohort's encoder, and the ranks behind it.

    ``tau`` is the argmax over layers of ``sr(W_l)``: freeze layers 0..tau (arXiv:2605.08298, eq. 4). ``margin`` is its
    stable rank divided by that of ``runner_up``, the layer that comes second (1: a tie, or no such layer, which is
    None). ``weight_stable_rank`` has a number a layer, ``activation_stable_rank`` one a layer under each name of
    ``activation_stable_ranks``; it is empty where no grid is known. Ranks are NaN where a layer of a wrapped network
    has no one matrix; such a layer is never tau. ``sentence`` says all this to a reader.
    """

    tau: int
    margin: float
    runner_up: int | None
    weight_stable_rank: tuple[float, ...]
    activation_stable_rank: dict[str, tuple[float, ...]]
    sentence: str


def freeze_advice(field: Network, grid: tuple[int, ...] | None = None) -> FreezeAdvice:
    """The freeze depth that the weights' stable ranks advise; ``grid`` defaults to the one the field was fitted on.

    The rule reads the weights alone. It is the paper's finding for SIREN and FFMLP cohorts, not a theorem.

    Raises:
        InputError: where no layer of a wrapped network has one matrix whose rank could be read.
    """
    ranks = weight_stable_ranks(field)
    known_layers = [index for index, rank in enumerate(ranks) if not math.isnan(rank)]
    if not known_layers:
        raise InputError(
            "no layer of this network runs exactly one torch.nn.functional.linear, in it or right before it, so there "
            "is no sr(W) to advise a freeze depth: wrap it with other layers, or look at activation_stable_ranks."
        )
    order = sorted(known_layers, key=lambda index: (-ranks[index], index))
    tau = order[0]
    runner_up = order[1] if len(order) > 1 else None
    margin = ranks[tau] / ranks[runner_up] if runner_up is not None and ranks[runner_up] > 0.0 else 1.0
    known = grid is not None or field.grid is not None
    activation = activation_stable_ranks(field, grid) if known else {}
    return FreezeAdvice(tau, margin, runner_up, ranks, activation, _sentence(field, tau, runner_up, margin, ranks))


def _sentence(field: Network, tau: int, runner_up: int | None, margin: float, ranks: tuple[float, ...]) -> str:
    if len(ranks) == 1:
        return "The network has a single layer, so there is no depth to choose."
    layers = "layer 0" if tau == 0 else f"layers 0 to {tau}"
    close = "a clear lead" if margin >= 1.25 else "a small lead" if margin >= 1.05 else "nearly a tie"
    text = f"Freeze {layers}: layer {tau} has the highest weight stable rank, {ranks[tau]:.1f}"
    if runner_up is not None:
        text += f", {close} over layer {runner_up} with {ranks[runner_up]:.1f}"
    unknown = [str(index) for index, rank in enumerate(ranks) if math.isnan(rank)]
    if unknown:
        named = f"layer {unknown[0]} is" if len(unknown) == 1 else f"layers {', '.join(unknown)} are"
        text += f"; {named} left out, without one matrix whose rank could be read"
    return text + _caveat(field)


def _caveat(field: Network) -> str:
    if (
        isinstance(field, Field)
        and field.kind not in ("untrained", "imported")
        and field.backbone.name not in _FOUND_ON
    ):
        return (
            f"; but the rule was found on cohorts of SIREN and FFMLP, and this is a network of {field.backbone.name}."
        )
    return _CAVEATS.get(field.kind, ".")


_FOUND_ON = ("siren", "ffmlp")
"""The backbones of arXiv:2605.08298."""
_CAVEATS = {
    "imported": "; but how it was fitted is not known, and the rule was found on cohorts of SIREN and FFMLP.",
    "untrained": "; but this network is untrained, so its ranks are those of its initialisation.",
    "meta": "; but it is a meta-learned start, and the rule was found on cohorts.",
    "transfer": "; but it was fitted to one signal from a network's layers, and the rule was found on cohorts.",
    "single": "; but it was fitted to one signal, and the rule was found on cohorts.",
    "wrapped": "; but where it came from is not known, and the rule was found on cohorts of SIREN and FFMLP.",
}
