"""Other people's networks: their equations written down, and the names under which their code saves the tensors."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from INR_collection.modules import SIREN
from siren_pytorch import SirenNet
from torch import Tensor

import toys

State = dict[str, Tensor]
Phi = Callable[[Tensor], Tensor]
WIDTH, CHANNELS, FREQUENCIES = 8, 3, 4


@dataclass(frozen=True)
class Peer:
    """``make(m, dtype)`` gives a state dict and the function ``(N, m) -> (N, c)`` that it stands for; ``given`` is what
    it does not say."""

    make: Callable[[int, torch.dtype], tuple[State, Phi]]
    given: dict[str, Any] = field(default_factory=dict)


def sine(omega: float) -> Phi:
    return lambda u: torch.sin(omega * u)


def bell(scale: float) -> Phi:
    return lambda u: torch.exp(-((scale * u) ** 2))


def finer(omega: float) -> Phi:
    return lambda u: torch.sin(omega * (u.abs() + 1) * u)


def draw(shape: tuple[int, ...], bound: float, source: torch.Generator, dtype: torch.dtype) -> Tensor:
    return ((torch.rand(shape, generator=source, dtype=torch.float64) * 2 - 1) * bound).to(dtype)


def chain(
    paths: list[str], phis: list[Phi], encode: Callable[[Tensor], Tensor] | None = None, features: int = 0
) -> Callable[[int, torch.dtype], tuple[State, Phi]]:
    """Linear maps at ``paths`` with a function after each but the last."""

    def make(m: int, dtype: torch.dtype) -> tuple[State, Phi]:
        source, state = toys.generator(5), {}
        sizes = [(2 * m * FREQUENCIES + m) if features else m, *[WIDTH] * len(phis), CHANNELS]
        for path, d_in, d_out in zip(paths, sizes[:-1], sizes[1:], strict=True):
            bound = 1 / d_in if path == paths[0] else math.sqrt(6 / d_in) / 10
            state[f"{path}.weight"] = draw((d_out, d_in), bound, source, dtype)
            state[f"{path}.bias"] = draw((d_out,), bound, source, dtype)

        def forward(h: Tensor) -> Tensor:
            h = h if encode is None else encode(h)
            for path, phi in zip(paths, [*phis, lambda u: u], strict=True):
                h = phi(h @ state[f"{path}.weight"].to(h).T + state[f"{path}.bias"].to(h))
            return h

        return state, forward

    return make


def numbered(template: str, count: int, first: int = 0, step: int = 1) -> list[str]:
    return [template.format(first + index * step) for index in range(count)]


def waves_by_kind(x: Tensor) -> Tensor:
    """FINER's PEMLP: x, then sin(2^j x) of all coordinates and cos(2^j x) of all, j after j."""
    return torch.cat([x, *[wave(2.0**j * x) for j in range(FREQUENCIES) for wave in (torch.sin, torch.cos)]], dim=1)


def waves_by_coordinate(x: Tensor) -> Tensor:
    """NeRF's encoding as WIRE's scripts order it: x, then sin and cos of 2^j pi x, coordinate after coordinate."""
    columns = [x]
    for j in range(FREQUENCIES):
        for axis in range(x.shape[1]):
            angle = 2.0**j * math.pi * x[:, axis : axis + 1]
            columns += [angle.sin(), angle.cos()]
    return torch.cat(columns, dim=1)


def fourier(m: int, dtype: torch.dtype) -> tuple[State, Phi]:
    """Alpine's FFN: B under two names, sines first, then three maps."""
    b = torch.randn(6, m, generator=toys.generator(1), dtype=torch.float64).to(dtype)
    paths = numbered("model.{}", 3, first=1, step=2)
    source, state = toys.generator(2), {"model.0.B": b, "pos_encode.B": b}
    for path, (d_out, d_in) in zip(paths, [(WIDTH, 12), (WIDTH, WIDTH), (CHANNELS, WIDTH)], strict=True):
        state[f"{path}.weight"] = draw((d_out, d_in), 1.0, source, dtype)
        state[f"{path}.bias"] = draw((d_out,), 1.0, source, dtype)

    def forward(x: Tensor) -> Tensor:
        angle = 2 * math.pi * x @ b.to(x).T
        h = torch.cat([angle.sin(), angle.cos()], dim=1)
        for path in paths:
            h = h @ state[f"{path}.weight"].to(x).T + state[f"{path}.bias"].to(x)
            h = torch.relu(h) if path != paths[-1] else h
        return h

    return state, forward


def gabor(m: int, dtype: torch.dtype) -> tuple[State, Phi]:
    """WIRE: exp(i omega z - |s z|^2) with complex maps after the first; the real part comes out."""
    source, state, pairs = (
        toys.generator(3),
        {},
        torch.complex(torch.zeros(1, dtype=dtype), torch.zeros(1, dtype=dtype)),
    )
    sizes = [("net.0.linear", WIDTH, m), ("net.1.linear", WIDTH, WIDTH), ("net.2.linear", WIDTH, WIDTH)]
    for path, d_out, d_in in [*sizes, ("net.3", CHANNELS, WIDTH)]:
        for kind, shape in (("weight", (d_out, d_in)), ("bias", (d_out,))):
            real, imaginary = draw((2, *shape), 0.3, source, dtype)
            state[f"{path}.{kind}"] = real if path == "net.0.linear" else torch.complex(real, imaginary)
    for index, (omega, scale) in enumerate([(3.0, 2.0), (5.0, 1.5), (5.0, 1.5)]):
        state[f"net.{index}.omega_0"] = torch.tensor([omega], dtype=dtype)
        state[f"net.{index}.scale_0"] = torch.tensor([scale], dtype=dtype)

    def forward(x: Tensor) -> Tensor:
        wide = pairs.dtype if x.dtype == dtype else torch.complex128
        h = x.to(wide)
        for index in range(3):
            z = h @ state[f"net.{index}.linear.weight"].to(wide).T + state[f"net.{index}.linear.bias"].to(wide)
            omega, scale = float(state[f"net.{index}.omega_0"]), float(state[f"net.{index}.scale_0"])
            h = torch.exp(1j * omega * z - (scale * z).abs() ** 2)
        return (h @ state["net.3.weight"].to(wide).T + state["net.3.bias"].to(wide)).real

    return state, forward


def strainer(m: int, dtype: torch.dtype) -> tuple[State, Phi]:
    """Two shared layers of sines and three linear heads, side by side."""
    state, _ = chain(numbered("encoder.{}", 3, step=2), [sine(10.0), sine(20.0)])(m, dtype)
    for kind in ("weight", "bias"):
        del state[f"encoder.4.{kind}"]
    source = toys.generator(4)
    for head in range(3):
        state[f"decoder.{head}.0.weight"] = draw((CHANNELS, WIDTH), 0.3, source, dtype)
        state[f"decoder.{head}.0.bias"] = draw((CHANNELS,), 0.3, source, dtype)

    def forward(h: Tensor) -> Tensor:
        for path, omega in (("encoder.0", 10.0), ("encoder.2", 20.0)):
            h = torch.sin(omega * (h @ state[f"{path}.weight"].to(h).T + state[f"{path}.bias"].to(h)))
        heads = [f"decoder.{head}.0" for head in range(3)]
        return torch.cat([h @ state[f"{head}.weight"].to(h).T + state[f"{head}.bias"].to(h) for head in heads], dim=1)

    return state, forward


def _package(build: Callable[[int], torch.nn.Module]) -> Callable[[int, torch.dtype], tuple[State, Phi]]:
    """A package's own module."""

    def make(m: int, dtype: torch.dtype) -> tuple[State, Phi]:
        torch.manual_seed(0)
        module = build(m).to(dtype).requires_grad_(False)
        return dict(module.state_dict()), module

    return make


_SCRIPT = [*numbered("net.{}.linear", 3), "net.3"]
_THREE = [sine(7.0), sine(5.0), sine(5.0)]
_RELU: list[Phi] = [torch.relu] * 3

PEERS: dict[str, Peer] = {
    "siren": Peer(chain(numbered("net.net.{}.0", 4), [sine(30.0)] * 3), {"omega_0": 30.0}),
    "siren_colab": Peer(chain(_SCRIPT, _THREE), {"omega_0": (7.0, 5.0)}),
    "siren_pytorch": Peer(_package(lambda m: SirenNet(m, WIDTH, CHANNELS, 3)), {"omega_0": (30.0, 1.0)}),
    "alpine_siren": Peer(
        chain(numbered("model.{}", 4, step=2), [sine(9.0), sine(8.0), sine(7.0)]), {"omega_0": (9.0, 8.0, 7.0)}
    ),
    "alpine_gauss": Peer(chain(numbered("model.{}", 3, step=2), [bell(3.0)] * 2), {"scale": 3.0}),
    "alpine_finer": Peer(chain(numbered("model.{}", 3, step=2), [finer(4.0)] * 2), {"omega_0": 4.0}),
    "alpine_ffn": Peer(fourier),
    "strainer": Peer(strainer, {"omega_0": (10.0, 20.0)}),
    "finer_siren": Peer(chain(_SCRIPT, _THREE), {"omega_0": (7.0, 5.0)}),
    "finer_finer": Peer(chain(_SCRIPT, [finer(5.0)] * 3), {"omega_0": 5.0}),
    "finer_gauss": Peer(chain(_SCRIPT, [bell(3.0)] * 3), {"scale": 3.0}),
    "finer_wire": Peer(gabor),
    "finer_pemlp": Peer(chain(numbered("net.{}", 4, step=2), _RELU, waves_by_kind, features=1)),
    "wire_siren": Peer(chain(_SCRIPT, _THREE), {"omega_0": (7.0, 5.0)}),
    "wire_gauss": Peer(chain(_SCRIPT, [bell(3.0)] * 3), {"scale": 3.0}),
    "wire_wire": Peer(gabor),
    "wire_relu": Peer(chain(_SCRIPT, _RELU)),
    "wire_posenc": Peer(chain(_SCRIPT, _RELU, waves_by_coordinate, features=1)),
    "coin": Peer(chain([*numbered("net.{}.linear", 3), "last_layer.linear"], [sine(30.0)] * 3), {"omega_0": 30.0}),
    "inr_collection": Peer(_package(lambda m: SIREN(m, CHANNELS, num_hidden=WIDTH))),
}
"""A network of every layout."""
