"""Gauss, FINER and WIRE written straight from their papers' equations, in plain torch, with given initial weights."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import inrlens as il
from inrlens.fields.complex_layer import ComplexLayer, LiftedLayer

Wave = Callable[[Tensor], Tensor]


def gauss_wave(scale: float) -> Wave:
    """``exp(-(s u)^2)``: Ramasinghe and Lucey 2022."""
    return lambda u: torch.exp(-((scale * u) ** 2))


def finer_wave(omega: float) -> Wave:
    """``sin(omega (|u| + 1) u)``: Liu et al. 2024."""
    return lambda u: torch.sin(omega * (u.abs() + 1.0) * u)


def finer_wave_held(omega: float) -> Wave:
    """The same value, with ``|u| + 1`` held fixed in its derivative, as the public code does by default."""
    return lambda u: torch.sin(omega * (u.abs() + 1.0).detach() * u)


def wire_wave(omega: float, scale: float) -> Wave:
    """``exp(i omega z - |s z|^2)``: Saragadam et al. 2023."""
    return lambda z: torch.exp(1j * omega * z - (scale * z).abs() ** 2)


class Plain(nn.Module):
    """``f(x) = Re(V phi(... phi(W_0 x + b_0)) + c)``: weights real or complex, as they are given."""

    def __init__(self, weights: list[Tensor], biases: list[Tensor], wave: Wave) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weight.detach().clone() for weight in weights)
        self.biases = nn.ParameterList(bias.detach().clone() for bias in biases)
        self.wave = wave

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            h = self.wave(F.linear(h, weight, bias))
        out = F.linear(h, self.weights[-1], self.biases[-1])
        return out.real if out.is_complex() else out


def from_start(field: il.Field, wave: Wave) -> Plain:
    """The plain network with an untrained field's weights."""
    weights, biases = [], []
    for index in range(field.depth):
        layer = field.encoder.layer(index)
        weights.append(layer.matrix)
        if isinstance(layer, ComplexLayer):
            biases.append(torch.complex(*layer.bias.chunk(2)))
        else:
            biases.append(layer.real_bias if isinstance(layer, LiftedLayer) else layer.bias)
    head, bias = field.head.weight, field.head.bias
    if weights[-1].is_complex():
        real, imaginary = head.chunk(2, dim=1)
        head, bias = torch.complex(real, -imaginary), torch.complex(bias, torch.zeros_like(bias))
    return Plain([*weights, head], [*biases, bias], wave)


def trained(network: Plain, x: Tensor, targets: Tensor, recipe: il.Recipe) -> Tensor:
    """The network's output after the recipe's steps in the usual loop: Adam, all coordinates, ``0.1 ** (t / T)``."""
    assert (recipe.optimizer, recipe.schedule, recipe.batch) == ("adam", "exponential", None)
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.1 ** (step / recipe.steps))
    for _ in range(recipe.steps):
        optimizer.zero_grad()
        F.mse_loss(network(x), targets).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return network(x)
