"""The loops that a fitting step is compared with: the field's plain one, and siren-pytorch's network in it."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from inrlens.signals.signal import coordinates


def plain_step(
    network: torch.nn.Module, grid: tuple[int, int], outputs: int = 3, device: str = "cpu"
) -> Callable[[], object]:
    """A step of Adam as the field writes it: the whole image through autograd at once."""
    x, target = coordinates(grid).to(device), random_targets(grid, outputs).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        F.mse_loss(network(x), target).backward()
        optimizer.step()

    return step


def random_targets(grid: tuple[int, int], outputs: int = 3) -> torch.Tensor:
    """Random colours: a step's time does not depend on them."""
    return torch.rand(grid[0] * grid[1], outputs, generator=torch.Generator().manual_seed(0))


def siren_pytorch() -> torch.nn.Module | None:
    """The network of the package siren-pytorch at our size, None where it is not installed."""
    try:
        from siren_pytorch import SirenNet  # type: ignore[import-not-found]
    except ImportError:
        return None
    network: torch.nn.Module = SirenNet(dim_in=2, dim_hidden=256, dim_out=3, num_layers=5, w0_initial=30.0)
    return network
