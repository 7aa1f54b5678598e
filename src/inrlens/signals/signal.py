"""A signal: values on a grid, and the coordinates of that grid."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from PIL import Image
from torch import Tensor

from inrlens.arrays import ArrayLike, tensor_of, values_of, whole_number
from inrlens.errors import InputError
from inrlens.files import readable
from inrlens.signals.affine import Affine, affine_of, check_affine


@dataclass(frozen=True, eq=False)
class Signal:
    """Values sampled on a regular grid.

    ``name`` is what tables and errors call it. ``values`` ``(N, c)`` float32 in [0, 1], row-major over ``shape`` (an
    image's shape is ``(height, width)``, a volume's ``(depth, height, width)``), may be given as whatever NumPy reads,
    as ``signal_from_array`` says; ``bit_depth`` is that of the file it came from (8 or 16). ``mask`` ``(N,)`` is True
    where a sample is used: fits and errors leave the others out; whole numbers 0 and 1, and NumPy's, become bools. None
    uses all, and a mask that is True everywhere becomes None.
    ``affine`` leads from the grid to physical points, ``signals.affine`` says how; None where a grid is no more than a
    grid.

    Raises:
        InputError: where values are not finite, leave [0, 1], or do not fill the grid; where a mask has another length,
            holds anything but True and False or 1 and 0, or uses nothing; where the affine does not suit the grid.
    """

    name: str
    values: Float[Tensor, "n c"]
    shape: tuple[int, ...]
    bit_depth: int = 8
    mask: Shaped[Tensor, "*n_mask"] | None = None
    affine: Affine | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise InputError(f"a signal's name must be a text, not {self.name!r}.")
        # A file's name may hold bytes that are no UTF-8, which no page, table or checkpoint could show.
        object.__setattr__(self, "name", readable(self.name))
        object.__setattr__(self, "shape", _shape(self.name, self.shape))
        depth = whole_number(f"signal {self.name!r}: bit_depth", self.bit_depth, 1, _MOST_BITS)
        object.__setattr__(self, "bit_depth", depth)
        given = self.values
        if not isinstance(given, Tensor) or given.dtype not in (torch.float32, torch.float64) or given.requires_grad:
            object.__setattr__(self, "values", values_of(f"signal {self.name!r}", given).float())
        if self.values.ndim != 2 or self.values.shape[0] != math.prod(self.shape) or not self.values.numel():
            raise InputError(
                f"signal {self.name!r}: values of shape {tuple(self.values.shape)} do not fill the grid {self.shape}; "
                "of their two axes the first must be the product of the grid's sides, and the second the channels."
            )
        # Both are NaN where a value is; what asks every value whether it is finite makes copies of all.
        low, high = map(float, self.values.aminmax()) if self.values.numel() else (0.0, 0.0)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise InputError(f"signal {self.name!r} holds NaN or infinite values; every value must be within [0, 1].")
        if low < 0.0 or high > 1.0:
            raise InputError(f"signal {self.name!r} holds values from {low:g} to {high:g}; scale them to [0, 1] first.")
        if self.mask is not None:
            mask = _bools(self.name, self.mask)
            mask = mask.reshape(-1) if tuple(mask.shape) == self.shape else mask
            if mask.shape != self.values.shape[:1] or not bool(mask.any()):
                raise InputError(
                    f"signal {self.name!r}: a mask of {mask.numel()} samples, {int(mask.sum())} of them used, where "
                    f"the grid has {len(self.values)}: it needs one entry a sample, at least one of them True."
                )
            object.__setattr__(self, "mask", None if bool(mask.all()) else mask)
        if self.affine is not None:
            object.__setattr__(self, "affine", affine_of(self.affine))
            check_affine(f"signal {self.name!r}", self.affine, len(self.shape))

    @property
    def channels(self) -> int:
        """Number of channels c."""
        return int(self.values.shape[1])

    @property
    def is_picture(self) -> bool:
        """Whether it can be written as an image: two axes, and one or three channels."""
        return len(self.shape) == 2 and self.channels in (1, 3)

    @property
    def digest(self) -> str:
        """SHA-256 over grid, channels, values and mask: a network sees no difference between signals of one digest."""
        head = f"{self.shape}/{self.channels}/{self.values.dtype}".encode()
        mask = b"" if self.mask is None else b"mask" + self.mask.cpu().numpy().tobytes()
        return hashlib.sha256(head + self.values.contiguous().cpu().numpy().tobytes() + mask).hexdigest()

    @property
    def mask_digest(self) -> str:
        """SHA-256 of the mask; empty where every sample is used."""
        return "" if self.mask is None else hashlib.sha256(self.mask.cpu().numpy().tobytes()).hexdigest()

    @property
    def used(self) -> slice | Int[Tensor, " u"]:
        """What picks the samples that are used out of anything over the grid: a whole slice, or their numbers."""
        return slice(None) if self.mask is None else self.mask.cpu().nonzero()[:, 0]

    @property
    def used_count(self) -> int:
        """How many samples are used."""
        return len(self.values) - self.left_out

    @property
    def left_out(self) -> int:
        """How many samples the mask leaves out."""
        return 0 if self.mask is None else int((~self.mask).sum())

    def masked(self, mask: ArrayLike | None) -> "Signal":
        """The same signal with only those samples used where ``mask``, of the grid's shape, is True; None uses all.

        Bools in a tensor, an array or lists; whole numbers 0 and 1 count as False and True.

        Raises:
            InputError: where the mask is of another shape than the grid, holds other values, or uses nothing.
        """
        if mask is None:
            return replace(self, mask=None)
        bools = _bools(self.name, mask)
        if tuple(bools.shape) not in (self.shape, (len(self.values),)):
            raise InputError(
                f"signal {self.name!r}: a mask of shape {tuple(bools.shape)} does not lie on the grid {self.shape}: "
                "give one entry a sample."
            )
        return replace(self, mask=bools.reshape(-1))

    def placed(self, affine: Sequence[Any] | np.ndarray | None) -> "Signal":
        """The same signal with its grid at another place: the m rows of ``[A | t]``, or nibabel's square matrix.

        Raises:
            InputError: where the affine does not suit the grid or is singular.
        """
        return replace(self, affine=None if affine is None else affine_of(affine))

    def image(self) -> Float[Tensor, "*grid c"]:
        """The values laid out on the grid: ``(height, width, c)`` for an image."""
        return self.values.reshape(*self.shape, self.channels)


def signal_from_array(name: str, image: ArrayLike, bit_depth: int | None = None) -> Signal:
    """A signal from values on a grid, ``(*grid, c)``, channels last: a tensor, an array of NumPy's, a picture of
    Pillow's, lists, or what says ``__array__``.

    Floats must lie within [0, 1]; uint8 is divided by 255, uint16 by 65535, bools are 0 and 1. A picture of Pillow's is
    taken as its mode has it, grey, RGB, or 16 bits; palettes become RGB. ``bit_depth`` is 8, and 16 for uint16, where
    none is given.

    Raises:
        InputError: for other whole numbers, complex, ragged or no numbers, values that leave [0, 1]; for a picture that
            has another mode; where the axes look as if the channels came first, or were forgotten: up to 4 along the
            first axis, and more along the last.
    """
    if isinstance(image, Image.Image):
        try:
            image = _pixels(name, image)
        except (OSError, SyntaxError) as error:  # Pillow reads a file's samples only here
            raise InputError(f"signal {name!r}: the picture's file could not be read ({error}).") from error
    found = tensor_of(f"signal {name!r}", image)
    if bit_depth is None:
        bit_depth = 16 if found.dtype is torch.uint16 else 8
    values = values_of(f"signal {name!r}", found)
    _check_channels_last(name, tuple(values.shape))
    grid = tuple(int(side) for side in values.shape[:-1])
    return Signal(name, values.reshape(-1, values.shape[-1]).to(torch.float32), grid, bit_depth)


_MOST_CHANNELS = 4
_MOST_BITS = 64


def _shape(name: str, given: Any) -> tuple[int, ...]:
    """A grid's sides as whole numbers of Python's."""
    if isinstance(given, str) or not hasattr(given, "__iter__") or not len(given):
        raise InputError(f"signal {name!r}: shape must be the grid's sides, such as (height, width), not {given!r}.")
    return tuple(whole_number(f"signal {name!r}: a side of the grid", side, 1) for side in given)


def _check_channels_last(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise InputError(
            f"signal {name!r}: values of shape {shape} have no axis for channels: add it at the end, as values[..., "
            "None] does."
        )
    if 0 in shape:
        raise InputError(f"signal {name!r}: values of shape {shape} are none: every axis must have 1 or more.")
    if shape[-1] <= _MOST_CHANNELS:
        return
    meant = f"a grid of {shape[-1]} channels is il.Signal(name, values.reshape(-1, {shape[-1]}), {shape[:-1]})"
    if len(shape) == 2:
        raise InputError(
            f"signal {name!r}: values of shape {shape} would be {shape[0]} samples of {shape[1]} channels: channels "
            f"come last, so add their axis to a grey picture, as values[..., None] does ({meant})."
        )
    if len(shape) > 3 and shape[1] <= _MOST_CHANNELS:
        raise InputError(
            f"signal {name!r}: values of shape {shape} seem to be {shape[0]} pictures with their channels first: give "
            f"one at a time, channels last, as numpy.moveaxis(values[0], 0, -1) does ({meant})."
        )
    if shape[0] <= _MOST_CHANNELS:
        raise InputError(
            f"signal {name!r}: values of shape {shape} seem to have their channels first, where they come last: turn "
            f"them with torch.movedim(values, 0, -1) or numpy.moveaxis(values, 0, -1) ({meant})."
        )


_ORIENTATION = 274
"""EXIF's number of the tag."""


def _pixels(name: str, image: Image.Image) -> np.ndarray:
    """A picture's samples ``(h, w, c)`` as its mode has them.

    A picture that was opened from a file, and is no copy, may not say more than its samples: only ``il.load_image``
    follows what the file says.
    """
    file = getattr(image, "format", None)
    if file is not None:
        told = ["that it is turned"] if image.getexif().get(_ORIENTATION, 1) != 1 else []
        told += ["what is transparent"] if "transparency" in image.info and image.mode != "P" else []
        told += ["what is white"] if file in ("TIFF", "PNG") and image.mode[0] in "IF" else []
        told += ["how bright its samples are"] if "gamma" in image.info and "srgb" not in image.info else []
        told += ["which colours it means"] if "icc_profile" in image.info else []
        if told:
            raise InputError(
                f"signal {name!r}: the file of this picture also says {', '.join(told)}: read it with il.load_image, "
                "or give image.copy() where its samples are meant as they are."
            )
    if image.mode in ("1", "P"):
        transparent = "transparency" in image.info
        image = image.convert("L" if image.mode == "1" else "RGBA" if transparent else "RGB")
    if image.mode not in ("L", "RGB", "I;16", "F"):
        raise InputError(
            f"signal {name!r}: a picture of mode {image.mode!r} has no values that are meant without doubt: convert it "
            "first, as image.convert('RGB') does, or read its file with il.load_image, which flattens transparency."
        )
    found = np.asarray(image)
    return found if found.ndim == 3 else found[..., None]


def coordinates(
    shape: tuple[int, ...], dtype: torch.dtype = torch.float32, span: Sequence[float] = (-1.0, 1.0)
) -> Float[Tensor, "n m"]:
    """The grid's coordinates ``(N, m)``, row-major, every axis over ``span`` whatever the aspect ratio.

    The last axis is ``(x, y[, z])``: x runs along the grid's last side. The corner samples lie exactly on the ends of
    the span; a side of one sample lies in its middle.
    """
    return _mesh([_samples(side, span) for side in shape], dtype)


def coordinates_between(
    shape: tuple[int, ...], dtype: torch.dtype = torch.float32, span: Sequence[float] = (-1.0, 1.0)
) -> Float[Tensor, "n m"]:
    """The centres of the grid's cells: coordinates between the samples, one fewer along every side longer than 1.

    A network fitted on ``coordinates(shape)`` is defined here too, but never saw these points: held-out rows.
    """
    axes = []
    for side in shape:
        samples = _samples(side, span)
        axes.append((samples[1:] + samples[:-1]) / 2 if side > 1 else samples)
    return _mesh(axes, dtype)


def _bools(name: str, mask: object) -> Bool[Tensor, "*grid"]:
    """A mask as bools, from bools or from whole numbers that are 0 and 1, in a tensor or in what NumPy reads."""
    try:
        found = tensor_of("it", mask)
    except InputError as error:
        raise InputError(
            f"signal {name!r}: a mask must be a tensor or array of True and False, not this {type(mask).__name__}."
        ) from error
    if found.dtype is torch.bool:
        return found
    truth = found.bool()
    if found.is_floating_point() or found.is_complex() or not bool((found.long() == truth.long()).all()):
        raise InputError(
            f"signal {name!r}: a mask of {str(found.dtype).removeprefix('torch.')} values must be True where a sample "
            "is used and False elsewhere, or whole numbers 1 and 0: compare first, as in mask > 0.5."
        )
    return truth


def _samples(side: int, span: Sequence[float]) -> Tensor:
    if side < 1:
        raise InputError(f"a grid's side must be 1 or more, not {side}.")
    low, high = span
    if side == 1:
        return torch.tensor([(low + high) / 2.0], dtype=torch.float64)
    return torch.linspace(low, high, side, dtype=torch.float64)


def _mesh(axes: list[Tensor], dtype: torch.dtype) -> Tensor:
    mesh = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([axis.reshape(-1) for axis in reversed(mesh)], dim=1).to(dtype)
