"""What every comparison of two pictures asks of their shapes."""

from torch import Tensor

from inrlens.errors import InputError


def check_same_shape(output: Tensor, target: Tensor) -> None:
    """Refuses two shapes, since broadcasting would hide a mistake.

    Raises:
        InputError: where they differ.
    """
    if output.shape != target.shape:
        raise InputError(f"output {tuple(output.shape)} and target {tuple(target.shape)} must have the same shape.")
