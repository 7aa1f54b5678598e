"""How a picture is brought to a size."""

from typing import Literal

Fitting = Literal["resize", "cover", "crop"]
"""``resize`` scales each side by itself; ``cover`` scales both alike and cuts off what stands out; ``crop`` cuts the
middle out."""
