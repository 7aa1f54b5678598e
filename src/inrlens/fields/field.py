"""A field: an encoder and its heads, with everything that decides what its weights mean."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field as with_default
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Inexact
from torch import Tensor, nn

from inrlens.arrays import tensor_of
from inrlens.errors import InputError
from inrlens.fields.backbone import WHOLE, Backbone, make_backbone
from inrlens.fields.encoder import Encoder, Head
from inrlens.fields.network import EVALUATION_TILE as EVALUATION_TILE, Chain, Network, check_axes
from inrlens.rows import tiles
from inrlens.seeding import generator
from inrlens.signals.affine import Affine, on_grid, outside, to_points, to_unit

KINDS = ("untrained", "single", "cohort", "meta", "transfer", "imported")
"""How a field can have come to be."""


@dataclass(frozen=True)
class Origin:
    """How a field came to be; travels inside its checkpoint.

    ``kind`` is one of ``KINDS`` (meta is a meta-learned start); ``signals`` holds a (name,
    digest) pair a head, or for each signal that a start was learned from; ``recipe`` holds the recipe's numbers;
    ``notes`` whatever else a reader of the numbers must know (freeze depth, divergences, whose file it was).
    """

    kind: str = "untrained"
    seed: int = 0
    signals: tuple[tuple[str, str], ...] = ()
    recipe: dict[str, Any] = with_default(default_factory=dict)
    notes: dict[str, Any] = with_default(default_factory=dict)


def check_grid(backbone: Backbone, grid: tuple[int, ...]) -> None:
    """Raises InputError where a grid has another number of axes than the network has coordinates."""
    check_axes(backbone.coordinates, grid)


class Field(Network):
    """A coordinate network from its backbone's ``coordinate_range`` to M signals of c channels in [0, 1].

    ``encoder`` is shared; ``head`` is the linear output of all signals, ``(M*c, d)``; ``grid`` is the grid that the
    field was fitted on, or None, and ``affine`` where it lies (``signals.affine``), None where its signals did not say
    or did not agree.
    """

    target_range = (0.0, 1.0)

    def __init__(
        self,
        backbone: Backbone,
        encoder: Encoder,
        head: Head,
        channels: int,
        grid: tuple[int, ...] | None = None,
        origin: Origin | None = None,
        affine: Affine | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.encoder = encoder
        self.head = head
        self.channels = channels
        self.grid = grid
        self.affine = affine
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
        """An untrained field; ``settings`` are the backbone's (``width``, ``depth``, ``omega_0``, ``sigma``, ...), all
        of which ``docs/api/backbones.md`` lists.

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
    def coordinates(self) -> int:
        """Number of coordinates m."""
        return self.backbone.coordinates

    @property
    def coordinate_range(self) -> tuple[float, ...]:
        """What the first and the last sample of every axis have for their coordinate, as the backbone says."""
        return self.backbone.coordinate_range

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

    def forward(self, x: Any) -> Float[Tensor, "n mc"]:
        """All heads' outputs ``(N, M*c)`` at coordinates ``x``, unclamped; head j owns columns ``j*c .. j*c+c-1``.

        An array of NumPy's and lists are taken in the weights' dtype and on their device; a tensor must have both.
        """
        if not isinstance(x, Tensor):
            x = tensor_of("the array of coordinates", x).to(next(self.parameters()))
        out: Tensor = self.head(self.encoder(x))
        return out

    @torch.no_grad()
    def at(self, points: Tensor | np.ndarray | Sequence[Any], head: int = 0) -> Float[Tensor, "n c"]:
        """One head's values, unclamped, at physical points (millimetres, seconds: what the signals' affine leads to).

        ``points`` ``(n, m)`` is a tensor, an array or a list of points.

        Raises:
            InputError: where the field knows no affine, there is no such head, the points have another number of
                coordinates, or some lie outside the grid, where the network was never fitted.
        """
        if self.affine is None or self.grid is None:
            raise InputError("this field knows no affine: fit it to signals that have one, or call it on coordinates.")
        try:
            points = torch.as_tensor(points)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"points must be n rows of {self.coordinates} numbers ({error}).") from error
        if not points.is_floating_point():
            points = points.double()
        if points.ndim != 2:
            raise InputError(
                f"points of shape {tuple(points.shape)} are no n rows of {self.coordinates} numbers: give one point as "
                "a list of one."
            )
        if points.shape[1] != self.coordinates:
            raise InputError(f"points of {points.shape[1]} coordinates do not suit a field of {self.coordinates}.")
        columns = self.columns(head)
        beyond = int(outside(points.cpu(), self.affine, self.grid).sum())
        if beyond:
            last = torch.tensor([self.grid], dtype=torch.float64) - 1.0
            corners = [_words(to_points(index, self.affine)[0]) for index in (torch.zeros_like(last), last)]
            raise InputError(
                f"{beyond} of {len(points)} points lie outside the grid, whose first sample is at {corners[0]} and "
                f"its last at {corners[1]}: leave them out."
            )
        low, high = self.coordinate_range
        unit = to_unit(points.cpu(), self.affine, self.grid)
        x = (unit if self.coordinate_range == WHOLE else low + (unit + 1.0) * ((high - low) / 2.0)).to(
            self.device, self.dtype
        )
        found = [self(x[rows])[:, columns] for rows in tiles(len(x), EVALUATION_TILE)]
        return torch.cat(found) if found else x.new_empty(0, self.channels)

    def affine_on(self, grid: tuple[int, ...]) -> Affine | None:
        """Where the samples of another grid over the same place lie, None where this field's own do not say: what
        ``save_volume`` needs beside ``render(grid=grid)``.

        Raises:
            InputError: where the grid has another number of axes than the network has coordinates.
        """
        check_axes(self.coordinates, grid)
        return None if self.affine is None or self.grid is None else on_grid(self.affine, self.grid, grid)

    @property
    def kind(self) -> str:
        """How it came to be, as its origin says."""
        return self.origin.kind

    def units(self, layer: int) -> int:
        """Units d of a layer, two for each complex one."""
        return int(self.encoder.layer(layer).weight.shape[0])

    def matrix(self, layer: int) -> Inexact[Tensor, "d_out d_in"]:
        """The matrix whose stable rank is the layer's, complex where the layer is."""
        return self.encoder.layer(layer).matrix

    def run_to(self, x: Float[Tensor, "n m"], layer: int) -> Float[Tensor, "n d"]:
        """The activations of a layer at coordinates ``x``."""
        self.encoder.check_layer(layer)
        return self.encoder.run(x, 0, layer + 1)

    def run_on(self, h: Float[Tensor, "n d"], x: Float[Tensor, "n m"], layer: int) -> Float[Tensor, "n mc"]:
        """All heads' outputs from the activations ``h`` of a layer, which are all that they depend on."""
        out: Tensor = self.head(self.encoder.run(h, layer + 1, None))
        return out

    def layer_values(self, x: Float[Tensor, "n m"]) -> Iterator[tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]]:
        """Every layer's pre-activations and activations at ``x``, first layer to last."""
        h = self.encoder.run(x, 0, 0)
        for index in range(self.depth):
            layer = self.encoder.layer(index)
            u = layer.preactivation(h)
            h = layer.nonlinearity.value(layer.scale * u, None)
            yield u, h

    def chain(self, layer: int, head: int) -> Chain:
        """The layers after ``layer``, and the rows of the head matrix that are one head's."""
        columns = self.columns(head)
        layers = [self.encoder.layer(index) for index in range(layer + 1, self.depth)]
        products = [(each.weight.detach(), each.bias.detach()) for each in layers]
        return Chain(layers, [*products, (self.head.weight.detach()[columns], self.head.bias.detach()[columns])])

    def digest(self, layer: int) -> str:
        """SHA-256 of the encoding and of layers 0..``layer``."""
        digest = hashlib.sha256()
        if self.coordinate_range != WHOLE:
            digest.update(repr(self.coordinate_range).encode())
        if self.encoder.encoding is not None:
            for value in (*self.encoder.encoding.parameters(), *self.encoder.encoding.buffers()):
                digest.update(value.detach().cpu().numpy().tobytes())
        for index in range(layer + 1):
            for value in self.encoder.layer(index).state_dict().values():
                digest.update(value.cpu().numpy().tobytes())
        return digest.hexdigest()


def _words(point: Tensor) -> str:
    return f"({', '.join(f'{number:g}' for number in point.tolist())})"


def make_head(weight: Tensor, bias: Tensor) -> Head:
    """A head with the given weight ``(M*c, d)`` and bias ``(M*c,)``."""
    head = Head(weight.shape[1], weight.shape[0], dtype=weight.dtype, device="meta")
    head.weight = nn.Parameter(weight)
    head.bias = nn.Parameter(bias)
    return head


def initial_field(fitted: Field) -> Field:
    """The network that ``fitted`` started from, drawn again from its recorded seed.

    Raises:
        InputError: where it did not start from a seed alone (a transfer), or its start is not known (imported).
    """
    if fitted.origin.kind == "imported":
        raise InputError("an imported network started from weights that its file does not hold.")
    if fitted.origin.kind == "transfer":
        raise InputError("a transferred field started from a cohort, which its seed alone cannot draw again.")
    return Field.new(
        fitted.backbone,
        heads=fitted.heads,
        channels=fitted.channels,
        seed=fitted.origin.seed,
        grid=fitted.grid,
    ).to(fitted.device, fitted.dtype)
