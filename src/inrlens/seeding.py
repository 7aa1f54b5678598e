"""Random streams that are named, so that two uses of one seed never share their draws."""

import hashlib

import torch

from inrlens.errors import InputError


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator for one purpose under one seed.

    The stream depends on ``seed`` and on every word of ``purpose`` (for example ``"transfer", "layers"``), so
    that a cohort and a transfer with the same seed start from different weights.

    Raises:
        InputError: where ``seed`` is negative.
    """
    if seed < 0:
        raise InputError(f"seed must be 0 or more, not {seed}.")
    words = "/".join(str(word) for word in (seed, *purpose))
    digest = hashlib.sha256(words.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
