"""A field as a plain ``nn.Sequential``: linear maps and activations in turns."""

import copy

from torch import Tensor, nn

from inrlens.fields.exports.stack import plain_stack
from inrlens.fields.field import Field
from inrlens.fields.nonlinearity import Nonlinearity


class Activation(nn.Module):
    """``phi(scale * u)``, without parameters of its own."""

    def __init__(self, nonlinearity: Nonlinearity, scale: float) -> None:
        super().__init__()
        self.nonlinearity = nonlinearity
        self.scale = scale

    def forward(self, u: Tensor) -> Tensor:
        """Of each unit; of each pair of units where it is complex."""
        return self.nonlinearity.value(self.scale * u, None)

    def extra_repr(self) -> str:
        """Which phi, what it depends on, and the scale."""
        phi = self.nonlinearity
        return ", ".join([phi.name, f"scale={self.scale:g}", *(f"{key}={at:g}" for key, at in phi.parameters.items())])


def to_sequential(field: Field, head: int | None = None) -> nn.Sequential:
    """The field's function from coordinates ``(N, m)`` in its range to values ``(N, c)`` as a plain module.

    Fourier features come first, where the field has them; then ``nn.Linear`` and an activation in turns, and a last
    ``nn.Linear``. Complex layers are linear maps by their real block matrix. The weights are copies, and the state dict
    holds tensors alone. ``wrap`` takes it: its layers are its activations.

    Args:
        field: a field of ours.
        head: the signal that is meant; None: all of them, ``(N, M*c)``.

    Raises:
        InputError: where it is no field of ours, there is no such head, or its encoding is not known here.
    """
    stack = plain_stack(field, head)
    modules: list[nn.Module] = [] if stack.projection is None else [copy.deepcopy(stack.projection)]
    for stage in stack.stages:
        plain = stage.nonlinearity.name == "relu" and stage.scale == 1.0
        modules += [_linear(stage.weight, stage.bias)]
        modules += [nn.ReLU() if plain else Activation(stage.nonlinearity, stage.scale)]
    return nn.Sequential(*modules, _linear(stack.weight, stack.bias))


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype, device="meta")
    linear.weight, linear.bias = nn.Parameter(weight), nn.Parameter(bias)
    return linear
