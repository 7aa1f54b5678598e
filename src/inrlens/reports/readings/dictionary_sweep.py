"""What a dictionary sweep says of n and k: what each buys, what it costs in dead atoms, how local it makes atoms."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.dictionary_grid import ALIVE, CHOSEN, FIDELITY, LIVING_L0, R2, DictionaryGrid, Measure
from inrlens.reports.figures.sweep_curves import Along, curve_cells

Cell = tuple[int, int]
"""n and k."""
FEW_CODES, MANY_ATOMS = 16, 4096
"""The paper sees dead atoms emerge at k of so few or less with n of so many or more (App. A.1)."""


def number(value: int) -> str:
    """A whole number as it is written in prose: 4 096."""
    return words.fixed(float(value), 0)


def equals(name: str, value: int) -> str:
    """n = 4 096, which no line may break."""
    return f"{name}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{number(value)}"


def _at(layer: int, n: int, k: int) -> str:
    return f"layer {layer}, {equals('n', n)}, {equals('k', k)}"


def size_reading(grid: DictionaryGrid) -> str:
    """What the largest n changes against the smallest, and whether every larger one makes living atoms more local."""
    cells = curve_cells(grid, "n")
    if len(cells) < 2:
        return "A single size n was swept, so nothing here says what it changes."
    (first, _), (last, _) = cells[0], cells[-1]
    change = _change(grid, FIDELITY, cells)
    if change is None:
        return f"No layer has a dictionary at both ends, {equals('n', first)} and {number(last)}."
    text = f"with {equals('k', grid.k)}, {number(last)} atoms instead of {number(first)} change "
    text += f"the PSNR to the intact output by {change}"
    falling, pairs = falling_l0(grid, LIVING_L0)
    if pairs:
        text += (
            f"; every larger n makes living atoms fire on less of the grid at {falling} of "
            f"{words.count(pairs, 'pair')} of a layer and a k"
        )
    return words.sentence(text)


def falling_l0(grid: DictionaryGrid, measure: Measure) -> tuple[int, int]:
    """At how many pairs of a layer and a k a measure falls with every larger n, and how many pairs there are."""
    found = []
    for layer in grid.layers:
        for k in grid.ks:
            means = [grid.mean(measure, "trained", layer, n, k) for n in grid.ns if n >= k]
            known = [mean for mean in means if mean is not None]
            if len(known) == len(means) > 1:
                found.append(all(more < less for less, more in pairwise(known)))
    return sum(found), len(found)


def sparsity_reading(grid: DictionaryGrid) -> str:
    """What the largest k changes against the smallest: fidelity, and how many atoms are alive."""
    cells = curve_cells(grid, "k")
    if len(cells) < 2:
        return "A single k was swept, so nothing here says what it changes."
    (_, first), (_, last) = cells[0], cells[-1]
    change = _change(grid, FIDELITY, cells)
    if change is None:
        return f"No layer has a dictionary at both ends, {equals('k', first)} and {last}."
    few, many = (_values(grid, ALIVE, [cell]) for cell in (cells[0], cells[-1]))
    return words.sentence(
        f"with {number(grid.n)} atoms, {equals('k', last)} instead of {first} changes the PSNR to the intact output by "
        f"{change}; of the atoms {_span(few)} are alive at {equals('k', first)}, {_span(many)} at {equals('k', last)}"
    )


def doubling_reading(grid: DictionaryGrid) -> str:
    """What twice the codes and twice the atoms bring on average, and where fidelity is lowest and highest."""
    along: tuple[tuple[Along, str], ...] = (("k", "twice the codes k"), ("n", "twice the atoms n"))
    gains = [(what, fmean(found)) for one, what in along if (found := gains_a_doubling(grid, FIDELITY, one))]
    parts = []
    if gains:
        said = words.listed([f"{words.gain(gain)} with {what}" for what, gain in gains])
        parts.append(f"from one cell to its neighbour fidelity gains, on average, {said}")
    ends = _ends(grid, FIDELITY)
    if ends is not None:
        (low, where_low), (high, where_high) = ends
        parts.append(f"fidelity is lowest at {where_low} ({words.db(low)}), highest at {where_high} ({words.db(high)})")
    return words.sentence("; ".join(parts)) if parts else "No cell's fidelity is a number."


def gains_a_doubling(grid: DictionaryGrid, measure: Measure, along: Along) -> list[float]:
    """Every finite change between neighbouring cells of one layer, divided by the doublings between them."""
    found = []
    for layer in grid.layers:
        for one, two in _neighbours(grid, along):
            before, after = (grid.mean(measure, "trained", layer, *cell) for cell in (one, two))
            if before is not None and after is not None and math.isfinite(after - before):
                found.append((after - before) / math.log2(two[0] * two[1] / (one[0] * one[1])))
    return found


def _neighbours(grid: DictionaryGrid, along: Along) -> Iterable[tuple[Cell, Cell]]:
    if along == "n":
        rows = [[(n, k) for n in grid.ns if n >= k] for k in grid.ks]
    else:
        rows = [[(n, k) for k in grid.ks if k <= n] for n in grid.ns]
    for row in rows:
        yield from pairwise(row)


def alive_reading(grid: DictionaryGrid) -> str:
    """Where most atoms are dead, and whether that is where the paper says."""
    ends = _ends(grid, ALIVE)
    if ends is None:
        return "No cell's atoms were counted."
    (low, where), (high, _) = ends
    if low == high:
        return f"In every cell {words.percent(low)} of the atoms are alive."
    text = f"fewest atoms are alive at {where}: {words.percent(low)}"
    pairs = [(n, k) for n in grid.ns for k in grid.ks]
    inside = _values(grid, ALIVE, [(n, k) for n, k in pairs if n >= MANY_ATOMS and k <= FEW_CODES])
    outside = _values(grid, ALIVE, [(n, k) for n, k in pairs if n < MANY_ATOMS or k > FEW_CODES])
    if inside and outside:
        text += (
            f"; where the paper sees dead atoms emerge (k of {FEW_CODES} or less, n of {number(MANY_ATOMS)} or more) "
            f"{_span(inside)} are alive, {words.percent(fmean(inside))} on average, elsewhere {_span(outside)}, "
            f"{words.percent(fmean(outside))} on average"
        )
    return words.sentence(text)


def between_reading(grid: DictionaryGrid) -> str:
    """How much worse the dictionaries are at coordinates that no training saw."""
    drops = [
        (on - off, _at(layer, n, k))
        for layer in grid.layers
        for n, k in _all_cells(grid)
        if (on := grid.mean(R2, "trained", layer, n, k)) is not None
        and (off := grid.mean(R2, "trained", layer, n, k, True)) is not None
        and math.isfinite(on - off)
    ]
    if not drops:
        return ""
    most, where = max(drops)
    mean = fmean(drop for drop, _ in drops)
    return words.sentence(
        f"between the pixels, where no training was, R\N{SUPERSCRIPT TWO} is {_lower(mean)} on average than on them, "
        f"and {_lower(most)} at most ({where})"
    )


def _lower(drop: float) -> str:
    size = words.significant(abs(drop), 2)
    return "the same" if drop == 0.0 else f"{size} {'lower' if drop > 0.0 else 'higher'}"


def held_said(grid: DictionaryGrid, along: Along) -> str:
    """What curves along n or k hold fixed, and why there."""
    name, value, theirs = ("k", grid.k, CHOSEN[1]) if along == "n" else ("n", grid.n, CHOSEN[0])
    why = "the paper's choice" if value == theirs else f"the nearest here to the paper's choice, {number(theirs)}"
    return f"Here {name} is held at {number(value)}, {why}."


def _all_cells(grid: DictionaryGrid) -> list[Cell]:
    return [(n, k) for n in grid.ns for k in grid.ks]


def _values(grid: DictionaryGrid, measure: Measure, cells: Sequence[Cell]) -> list[float]:
    found = [grid.mean(measure, "trained", layer, *cell) for layer in grid.layers for cell in cells]
    return [value for value in found if value is not None and math.isfinite(value)]


def _span(shares: Sequence[float]) -> str:
    return words.span(words.percent(min(shares)), words.percent(max(shares))) if shares else words.MISSING


def _change(grid: DictionaryGrid, measure: Measure, cells: Sequence[Cell]) -> str | None:
    """From the first cell to the last: the mean over layers, and the least and most of any layer, in dB."""
    found = []
    for layer in grid.layers:
        before, after = (grid.mean(measure, "trained", layer, *cell) for cell in (cells[0], cells[-1]))
        if before is not None and after is not None and math.isfinite(after - before):
            found.append(after - before)
    if not found:
        return None
    if len(found) == 1:
        return words.gain(found[0])
    span = words.span(words.gain(min(found)), words.gain(max(found)))
    return f"{words.gain(fmean(found))} on average over {len(found)} layers ({span})"


def _ends(grid: DictionaryGrid, measure: Measure) -> tuple[tuple[float, str], tuple[float, str]] | None:
    """The least and the largest value of a measure, and where."""
    found = [
        (value, _at(layer, n, k))
        for layer in grid.layers
        for n, k in _all_cells(grid)
        if (value := grid.mean(measure, "trained", layer, n, k)) is not None and math.isfinite(value)
    ]
    return (min(found), max(found)) if found else None
