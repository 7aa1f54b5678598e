"""A field: an encoder and its heads, with everything that decides what its weights mean."""

from dataclasses import dataclass, field as with_default
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from inrlens.errors import InputError
from inrlens.fields.backbone import Backbone, make_backbone
from inrlens.fields.encoder import Encoder, Head
from inrlens.rows import tiles
from inrlens.seeding import generator
from inrlens.signals.signal import coordinates

EVALUATION_TILE = 4096


@dataclass(frozen=True)
class Origin:
    """How a field came to be; travels inside its checkpoint.

    ``kind`` is untrained, single, cohort or transfer; ``signals`` holds a (name, digest) pair a head; ``recipe`` holds
    the recipe's numbers; ``notes`` whatever else a reader of the numbers must know (freeze depth, divergences).
    """

    kind: str = "untrained"
    seed: int = 0
    signals: tuple[tuple[str, str], ...] = ()
    recipe: dict[str, Any] = with_default(default_factory=dict)
    notes: dict[str, Any] = with_default(default_factory=dict)


def check_grid(backbone: Backbone, grid: tuple[int, ...]) -> None:
    """Raises InputError where a grid has another number of axes than the network has coordinates."""
    if len(grid) != backbone.coordinates:
        raise InputError(f"a grid of {len(grid)} axes does not suit a network of {backbone.coordinates} coordinates.")


class Field(nn.Module):
    """A coordinate network from coordinates in [-1, 1] to M signals of c channels in [0, 1].

    ``encoder`` is shared; ``head`` is the linear output of all signals, ``(M*c, d)``; ``grid`` is the grid that the
    field was fitted on, or None.
    """

    coordinate_range = (-1.0, 1.0)
    target_range = (0.0, 1.0)

    def __init__(
        self,
        backbone: Backbone,
        encoder: Encoder,
        head: Head,
        channels: int,
        grid: tuple[int, ...] | None = None,
        origin: Origin | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.encoder = encoder
        self.head = head
        self.channels = channels
        self.grid = grid
        self.origin = origin or Origin()

    @classmethod
    def new(
        cls,
        backbone: str | Backbone,
        *,
        heads: int = 1,
        channels: int = 3,
        seed: int = 0,
        grid: tuple[int, ...] | None = None,
        **settings: Any,
    ) -> "Field":
        """An untrained field; ``settings`` are the backbone's (``width``, ``depth``, ``omega_0``, ``sigma``, ...).

        Raises:
            InputError: for an unknown backbone or setting, or sizes below 1.
        """
        if isinstance(backbone, str):
            backbone = make_backbone(backbone, **settings)
        elif settings:
            raise InputError(f"settings ({', '.join(settings)}) go with a backbone's name, not with {backbone!r}.")
        if heads < 1 or channels < 1:
            raise InputError(f"a field needs at least 1 head and 1 channel, not {heads} and {channels}.")
        encoder = backbone.encoder(generator(seed, "encoder"))
        head = make_head(*backbone.head(heads * channels, generator(seed, "head")))
        return cls(backbone, encoder, head, channels, grid, Origin(seed=seed))

    @property
    def heads(self) -> int:
        """Number of signals M."""
        return self.head.out_features // self.channels

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return self.encoder.depth

    @property
    def device(self) -> torch.device:
        """Where the weights live."""
        return self.head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The weights' number type."""
        return self.head.weight.dtype

    def forward(self, x: Float[Tensor, "n m"]) -> Float[Tensor, "n mc"]:
        """All heads' outputs ``(N, M*c)`` at coordinates ``x``, unclamped; head j owns columns ``j*c .. j*c+c-1``."""
        out: Tensor = self.head(self.encoder(x))
        return out

    def columns(self, head: int) -> slice:
        """The output columns of one head.

        Raises:
            InputError: where there is no such head.
        """
        if not 0 <= head < self.heads:
            raise InputError(f"head {head} does not exist: this field has heads 0 to {self.heads - 1}.")
        return slice(head * self.channels, (head + 1) * self.channels)

    def grid_or(self, grid: tuple[int, ...] | None) -> tuple[int, ...]:
        """``grid``, or the grid that the field was fitted on.

        Raises:
            InputError: where there is neither, or it has another number of axes than the network has coordinates.
        """
        chosen = grid or self.grid
        if chosen is None:
            raise InputError("this field was never fitted on a grid: give grid=(height, width).")
        check_grid(self.backbone, chosen)
        return tuple(chosen)

    def grid_coordinates(self, grid: tuple[int, ...] | None = None) -> Float[Tensor, "n m"]:
        """The coordinates of a grid, in the field's number type and on its device."""
        return coordinates(self.grid_or(grid), self.dtype).to(self.device)

    def render(self, head: int = 0, grid: tuple[int, ...] | None = None) -> Float[Tensor, "*grid c"]:
        """One head's picture on a grid, unclamped, computed in tiles."""
        grid = self.grid_or(grid)
        return self._outputs(grid, self.columns(head)).reshape(*grid, self.channels)

    def render_all(self, grid: tuple[int, ...] | None = None) -> list[Float[Tensor, "*grid c"]]:
        """Every head's picture on a grid, unclamped; the encoder runs once for all of them."""
        grid = self.grid_or(grid)
        out = self._outputs(grid, slice(None))
        return [out[:, self.columns(head)].reshape(*grid, self.channels) for head in range(self.heads)]

    @torch.no_grad()
    def _outputs(self, grid: tuple[int, ...], columns: slice) -> Float[Tensor, "n columns"]:
        x = self.grid_coordinates(grid)
        return torch.cat([self(x[rows])[:, columns] for rows in tiles(x.shape[0], EVALUATION_TILE)])


def make_head(weight: Tensor, bias: Tensor) -> Head:
    """A head with the given weight ``(M*c, d)`` and bias ``(M*c,)``."""
    head = Head(weight.shape[1], weight.shape[0], dtype=weight.dtype, device="meta")
    head.weight = nn.Parameter(weight)
    head.bias = nn.Parameter(bias)
    return head


def initial_field(fitted: Field) -> Field:
    """The network that ``fitted`` started from, drawn again from its recorded seed.

    Raises:
        InputError: where it did not start from a seed alone (a transfer).
    """
    if fitted.origin.kind == "transfer":
        raise InputError("a transferred field started from a cohort, which its seed alone cannot draw again.")
    return Field.new(
        fitted.backbone,
        heads=fitted.heads,
        channels=fitted.channels,
        seed=fitted.origin.seed,
        grid=fitted.grid,
    ).to(fitted.device, fitted.dtype)
