"""What a sweep's dictionaries have that their controls lack, and whether a layer's health tells of dead atoms."""

from statistics import fmean

from inrlens.reports import words
from inrlens.reports.dictionary_grid import ALIVE, FIDELITY, R2, DictionaryGrid, Measure
from inrlens.reports.rank_correlation import rank_correlation
from inrlens.reports.readings.dictionary_sweep import equals
from inrlens.reports.readings.health import FEW
from inrlens.studies.sweep_plan import Kind

RIVALS: dict[Kind, str] = {
    "principal components": "the principal components do",
    "neurons": "the neurons do",
    "random dictionary": "a random dictionary does",
    "untrained network": "a dictionary of the untrained network does",
}


def control_reading(grid: DictionaryGrid) -> str:
    """Layer by layer, whether the trained dictionary rebuilds it better than every control, or which is ahead."""
    return _reading(grid, R2, "rebuilds", lambda value: words.fixed(value, 4))


def fidelity_reading(grid: DictionaryGrid) -> str:
    """The same of the network's output with the layer replaced."""
    return _reading(grid, FIDELITY, "keeps the output of", words.db)


def _reading(grid: DictionaryGrid, measure: Measure, does: str, say: words.Say) -> str:
    ahead: list[int] = []
    behind: dict[Kind, list[str]] = {}
    for layer in grid.layers:
        mine, *rivals = (grid.mean(measure, kind, layer, grid.n, grid.k) for kind in ("trained", *RIVALS))
        known = [(found, kind) for found, kind in zip(rivals, RIVALS, strict=True) if found is not None]
        if mine is None or not known:
            continue
        best, kind = max(known)
        if mine > best:
            ahead.append(layer)
        else:
            behind.setdefault(kind, []).append(f"{layer} ({say(best)} against {say(mine)})")
    parts = []
    if ahead:
        whole = "every layer" if len(ahead) == len(grid.layers) > 1 else words.layers(ahead)
        parts.append(f"the trained dictionary {does} {whole} better than every control")
    for kind, places in behind.items():
        layers = f"layer{'' if len(places) == 1 else 's'} {words.listed(places)}"
        parts.append(f"{RIVALS[kind]} no worse than the trained one at {layers}")
    if not parts:
        return "No control was measured beside these dictionaries."
    return words.sentence(f"at {equals('n', grid.n)} and {equals('k', grid.k)} {'; '.join(parts)}")


def dead_share(grid: DictionaryGrid, kind: Kind, layer: int) -> float | None:
    """The share of dead atoms of a layer, its mean over all n and k; None where a cell is missing."""
    if layer not in grid.whole:
        return None
    found = [grid.mean(ALIVE, kind, layer, n, k) for n in grid.ns for k in grid.ks]
    known = [value for value in found if value is not None]
    return 1.0 - fmean(known) if known else None


def health_reading(grid: DictionaryGrid) -> str:
    """Whether gamma, or the effective dimension, goes with the share of dead atoms from layer to layer."""
    sentences = [_of_network(grid, "trained", "this network")]
    if grid.record.health_untrained is not None:
        sentences.append(_of_network(grid, "untrained network", "the untrained network"))
    if any("rank correlation" in text for text in sentences):
        sentences.append("over so few points that is a hint and no more")
    return " ".join(words.sentence(text) for text in sentences if text)


def _of_network(grid: DictionaryGrid, kind: Kind, name: str) -> str:
    record = grid.record
    health = record.health if kind == "trained" else record.health_untrained or ()
    known = [(health[layer], share) for layer in grid.layers if (share := dead_share(grid, kind, layer)) is not None]
    dead = [share for _, share in known]
    if not known:
        return ""
    if not any(dead):
        return f"no atom of {name} is dead in any cell, so there is nothing for health to go with"
    if len(known) < FEW:
        return (
            f"{words.count(len(known), 'layer')} of {name} are too few to say whether health and dead atoms go together"
        )
    gamma = rank_correlation([one.gamma for one, _ in known], dead)
    dimension = rank_correlation([one.effective_dimension for one, _ in known], dead)
    said = [
        f"{words.signed(value) if value is not None else 'undefined'} with {what}"
        for what, value in (("gamma", gamma), ("the effective dimension", dimension))
    ]
    return (
        f"over {words.count(len(known), 'layer')} of {name} the rank correlation of the mean share of dead atoms is "
        f"{words.listed(said)}"
    )
