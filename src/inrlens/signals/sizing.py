"""Sizes: how a picture is brought to one, and what to call one."""

from collections.abc import Sequence
from typing import Literal

Fitting = Literal["resize", "cover", "crop"]
"""``resize`` scales each side by itself; ``cover`` scales both alike and cuts off what stands out; ``crop`` cuts the
middle out."""


def sides(shape: Sequence[int]) -> str:
    """A grid's samples an axis as sentences have them: ``64x80``."""
    return "x".join(str(side) for side in shape)
