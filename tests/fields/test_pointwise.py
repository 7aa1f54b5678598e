"""Deviations are relative to the size of the values in which they are found."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from inrlens.errors import InputError
from inrlens.fields.pointwise import Outputs, check_pointwise, probes

X = probes(2)


def outputs(scale: float, share: float) -> Outputs:
    """A module whose values move by ``share`` of the largest where rows are not all there."""

    def run(x: Tensor) -> Mapping[str, Tensor]:
        return {"output": scale * (x[:, :1] + share * float(len(x) != len(X)))}

    return run


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_deviation_is_a_share_of_the_largest_value(scale: float) -> None:
    check_pointwise(nn.Identity(), outputs(scale, 1e-6), X, tolerance=1e-5)
    with pytest.raises(InputError, match=r"is not pointwise: its output deviates by up to 0\.001 of its largest value"):
        check_pointwise(nn.Identity(), outputs(scale, 1e-3), X, tolerance=1e-5)


def test_values_that_are_zero_everywhere_deviate_from_nothing() -> None:
    check_pointwise(nn.Identity(), lambda x: {"output": torch.zeros(len(x), 1)}, X, tolerance=0.0)
