"""One door to other libraries' dictionaries: the layout is told from the name of its weights' file."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from inrlens.dictionaries.exchange import dictionary_learning, sae_lens, sparsify
from inrlens.dictionaries.exchange.fold import UnevenRows
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError

READERS: dict[str, Callable[[Path, int, UnevenRows], SparseAutoencoder]] = {
    sparsify.WEIGHTS: sparsify.read_sparsify,
    sae_lens.WEIGHTS: sae_lens.read_sae_lens,
    dictionary_learning.WEIGHTS: dictionary_learning.read_dictionary_learning,
}
"""The reader of each layout, by the file that holds its tensors."""


def read_dictionary(path: str | Path, *, layer: int, uneven_rows: UnevenRows = "refuse") -> SparseAutoencoder:
    """The dictionary in a folder that sparsify, SAELens or dictionary_learning saved, for ``layer`` of a field.

    Its codes and reconstructions are those of the library it comes from, up to rounding, save that a common length of
    its decoder's rows moves into the codes; ``origin.settings`` says what was folded. Half types become float32.

    Decoder rows of unequal length are refused where the library chooses the k largest codes without them, as sparsify's
    default optimiser leaves them. ``uneven_rows="rescale"`` reads them nevertheless: then atoms fire that are largest
    with the lengths, which differ from the library's where codes are close.

    Raises:
        InputError: where the folder holds none of these layouts or more than one, a file of it is missing or damaged,
            or the dictionary cannot be expressed exactly as ours.
    """
    path = Path(path)
    if layer < 0:
        raise InputError(f"layer must be 0 or more, not {layer}.")
    if uneven_rows not in get_args(UnevenRows):
        raise InputError(f"uneven_rows={uneven_rows!r} is not known; allowed are {', '.join(get_args(UnevenRows))}.")
    if path.is_file():
        raise InputError(f"{path} is a file: give the folder that holds it and its configuration.")
    if not path.is_dir():
        raise InputError(f"{path} does not exist.")
    there = [name for name in READERS if (path / name).exists()]
    if not there:
        raise InputError(f"{path} holds no dictionary: one of {', '.join(READERS)} must be in it.")
    if len(there) > 1:
        raise InputError(f"{path} holds {there[0]} and {there[1]}, so it is not clear which dictionary is meant.")
    return READERS[there[0]](path, layer, uneven_rows)
