"""Which layer transfers: freeze up to the layer whose weights have the highest stable rank."""

from dataclasses import dataclass

from inrlens.fields.field import Field
from inrlens.ranks.stable_rank import activation_stable_ranks, weight_stable_ranks


@dataclass(frozen=True)
class FreezeAdvice:
    """Where to freeze a cohort's encoder, and the ranks behind it.

    ``tau`` is the argmax over layers of ``sr(W_l)``: freeze layers 0..tau (arXiv:2605.08298, Sec. 3.2). ``margin`` is
    its stable rank divided by the runner-up's (1 is a tie). ``activation_stable_rank`` is empty where no grid is known.
    """

    tau: int
    margin: float
    runner_up: int | None
    weight_stable_rank: tuple[float, ...]
    activation_stable_rank: dict[str, tuple[float, ...]]
    sentence: str


def freeze_advice(field: Field, grid: tuple[int, ...] | None = None) -> FreezeAdvice:
    """The freeze depth that the weights' stable ranks advise; ``grid`` defaults to the one the field was fitted on.

    The rule reads the weights alone. It is the paper's finding for SIREN and FFMLP cohorts, not a theorem.
    """
    ranks = weight_stable_ranks(field)
    order = sorted(range(len(ranks)), key=lambda index: (-ranks[index], index))
    tau = order[0]
    runner_up = order[1] if len(order) > 1 else None
    margin = ranks[tau] / ranks[runner_up] if runner_up is not None and ranks[runner_up] > 0.0 else 1.0
    known = grid is not None or field.grid is not None
    activation = activation_stable_ranks(field, grid) if known else {}
    return FreezeAdvice(tau, margin, runner_up, ranks, activation, _sentence(field, tau, runner_up, margin, ranks))


def _sentence(field: Field, tau: int, runner_up: int | None, margin: float, ranks: tuple[float, ...]) -> str:
    if runner_up is None:
        return "The network has a single layer, so there is no depth to choose."
    layers = "layer 0" if tau == 0 else f"layers 0 to {tau}"
    close = "a clear lead" if margin >= 1.25 else "a small lead" if margin >= 1.05 else "nearly a tie"
    text = (
        f"Freeze {layers}: layer {tau} has the highest weight stable rank, {ranks[tau]:.1f}, {close} over layer "
        f"{runner_up} with {ranks[runner_up]:.1f}"
    )
    if field.origin.kind == "untrained":
        return f"{text}; but this network is untrained, so its ranks are those of its initialisation."
    if field.origin.kind == "single":
        return f"{text}; but it was fitted to one signal, and the rule was found on cohorts."
    return f"{text}."
