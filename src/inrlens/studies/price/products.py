"""Floating-point operations of fits, dictionaries and effects from the sizes of their matrices alone.

A product of an ``(m, k)`` and a ``(k, n)`` matrix counts ``2 m n k``; nonlinearities, sums and optimisers that go over
every entry once are left out, as they are in published counts. Muon's products are counted.
"""

from dataclasses import dataclass

from inrlens.studies.price.shapes import NetworkShape

_NEWTON_SCHULZ_STEPS = 5
_SMALLEST_MUON_SIDE = 8
_ACTIVATION_GRAMS = 2


@dataclass(frozen=True)
class FitSize:
    """A fit's numbers: ``start`` is the first trained layer (L where only heads are trained); ``per_step`` the mean
    number of rows of a step; ``kept`` whether what enters the first trained layer is computed once."""

    rows: int
    per_step: float
    steps: int
    start: int
    kept: bool
    muon: bool


@dataclass(frozen=True)
class DictionarySize:
    """A dictionary's numbers: n atoms of width d, k codes a row, on layer ``layer`` of a network."""

    n_atoms: int
    k: int
    layer: int
    width: int


def rows_per_step(rows: int, batch: int | None) -> float:
    """Mean rows of a step where each round over all rows is split evenly into batches of at most ``batch``."""
    return float(rows if batch is None else rows / -(-rows // batch))


def forward(network: NetworkShape, start: int, stop: int) -> float:
    """Of one row through layers ``start``..``stop - 1``; with ``start`` 0 the encoding too; without heads."""
    found = sum((2.0 * d_out * d_in for d_out, d_in in network.layers[start:stop]), 0.0)
    if start == 0 and network.encoding is not None:
        found += network.encoding.operations
    return found


def prefix(network: NetworkShape, start: int) -> float:
    """Of one row, what comes before all that is trained from layer ``start`` on."""
    return 0.0 if network.trains_encoding(start) else forward(network, 0, start)


def head(network: NetworkShape) -> float:
    """Of one row through all heads."""
    return 2.0 * network.width * network.outputs


def gradient_of_row(network: NetworkShape, start: int) -> float:
    """Of one row of a step, from what enters layer ``start``: forward, weight gradients, and input gradients of all
    but the first product."""
    products = [2.0 * d_out * d_in for d_out, d_in in network.layers[start:]] + [head(network)]
    if network.trains_encoding(start) and network.encoding is not None:
        products.insert(0, float(network.encoding.operations))
    return 3.0 * sum(products) - products[0]


def muon_step(network: NetworkShape, start: int) -> float:
    """Of Muon's orthogonal steps (Jordan et al. 2024): five Newton-Schulz iterations of three products a matrix."""
    found = 0.0
    for sides in network.layers[start:]:
        short, long = min(sides), max(sides)
        if short >= _SMALLEST_MUON_SIDE:
            found += _NEWTON_SCHULZ_STEPS * (4.0 * short * short * long + 2.0 * short**3)
    return found


def step(network: NetworkShape, size: FitSize) -> float:
    """Of one step of a fit, without what is computed once."""
    found = size.per_step * gradient_of_row(network, size.start)
    if not size.kept:
        found += size.per_step * prefix(network, size.start)
    return found + (muon_step(network, size.start) if size.muon else 0.0)


def fit(network: NetworkShape, size: FitSize) -> float:
    """Of a whole fit: the frozen layers once where they are kept, all steps, and the final output over the grid."""
    once = size.rows * prefix(network, size.start) if size.kept else 0.0
    final = size.rows * (forward(network, 0, network.depth) + head(network))
    return once + size.steps * step(network, size) + final


def scores(network: NetworkShape, rows: int) -> float:
    """Of the layers' activations over a grid and their Gram matrices, before and after the nonlinearity."""
    grams = sum(_ACTIVATION_GRAMS * 2.0 * d_out * d_out for d_out, _ in network.layers)
    return rows * (forward(network, 0, network.depth) + grams)


def dictionary_step(size: DictionarySize, rows: float, auxiliary_k: int = 0) -> float:
    """Of one training step over ``rows``: one dense encode product; decoding, the codes' gradient and both weight
    gradients touch k of n codes a row; the biases' gradient one product over all atoms.

    An auxiliary loss adds two dense encode products and three dense gradients at most: how many atoms are dead is not
    known beforehand, and all are counted.
    """
    n, d, k = size.n_atoms, size.width, size.k
    found = rows * (2.0 * n * d + 8.0 * k * d) + 2.0 * n * d
    if auxiliary_k:
        found += rows * (8.0 * n * d + 2.0 * (k + 3 * auxiliary_k) * d)
    return found


def encode_and_decode(size: DictionarySize) -> float:
    """Of one row's reconstruction."""
    return 2.0 * size.n_atoms * size.width + 2.0 * size.k * size.width


def dictionary(
    network: NetworkShape,
    size: DictionarySize,
    *,
    rows: int,
    between: int,
    per_step: float,
    steps: int,
    auxiliary_k: int = 0,
) -> float:
    """Of a dictionary's activations, training, last error over all rows, and measures on the grid and between its
    samples (``between`` rows): there the layers before it run twice, those after it with and without it."""
    before = forward(network, 0, size.layer + 1)
    after = forward(network, size.layer + 1, network.depth) + head(network)
    training = rows * before + steps * dictionary_step(size, per_step, auxiliary_k) + rows * encode_and_decode(size)
    measured = (rows + between) * (2.0 * before + encode_and_decode(size) + 2.0 * after)
    return training + measured


def analysis(network: NetworkShape, size: DictionarySize, rows: int, channels: int) -> float:
    """Of one head's codes and exact effects of all atoms over a grid: the layer that follows the dictionary is taken
    once for every atom and once a row; what comes after it runs for the row and for each of its k codes."""
    before = forward(network, 0, size.layer + 1)
    products = [2.0 * d_out * d_in for d_out, d_in in network.layers[size.layer + 1 :]]
    products.append(2.0 * network.width * channels)
    encode = before + 2.0 * size.n_atoms * size.width
    exact = before + products[0] + (1 + size.k) * sum(products[1:])
    return rows * (encode + exact) + size.n_atoms * products[0]
