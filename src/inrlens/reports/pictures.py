"""Values and maps on any grid as PNG data URIs, small enough to travel inside a page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from inrlens.errors import InputError
from inrlens.reports.views import Cut, between, laid_out, over_time, spectrum, stacked, waveform

LONGEST_SIDE = 160
"""Pixels: anything larger is averaged down before it enters the page."""
COLOURMAP = "inferno"
"""Perceptually uniform and readable in grey; black is 0."""
_STRIPES = (96, 176)
_BETWEEN = 200
"""The grey between slices: none that black, white, or the middle grey of no change could be taken for."""


@dataclass(frozen=True)
class Picture:
    """A picture in a page: its data URI, its alternative text, and its size in pixels."""

    uri: str
    alt: str
    width: int
    height: int


def picture(
    values: Float[Tensor, "*grid c"],
    alt: str,
    cut: Cut | None = None,
    longest: int | None = LONGEST_SIDE,
    left_out: Bool[Tensor, "*grid"] | None = None,
) -> Picture:
    """Values in [0, 1] (clamped) as people see or read them: a picture of one or three channels as it is, a volume as
    three slices through ``cut`` (default: the middle), a sound as its waveform above its spectrogram.

    Any other number of channels is shown as the mean over them.

    Args:
        values: on the grid, channels last.
        alt: what is seen, in words.
        cut: one index an axis.
        longest: pixels of a picture's or slice's longest side; more are averaged down. None shows every sample.
        left_out: where a picture or slice is hatched, since a mask leaves the samples out.
    """
    plain = values.detach().cpu().float().clamp(0.0, 1.0)
    if plain.ndim == 2:
        return _heated(stacked(waveform(plain), spectrum(plain)), alt)
    if plain.shape[-1] not in (1, 3):
        plain = plain.mean(-1, keepdim=True)
    array = (laid_out(plain, cut, longest) * 255.0).round().to(torch.uint8).numpy()
    encoded = _parted(Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array), plain.shape[:-1], longest)
    return _encoded(_hatched(encoded, left_out, cut, longest), alt)


def heat_map(
    values: Float[Tensor, "*grid"],
    alt: str,
    top: float | None = None,
    cut: Cut | None = None,
    sound: Float[Tensor, "n c"] | None = None,
    longest: int | None = LONGEST_SIDE,
    left_out: Bool[Tensor, "*grid"] | None = None,
) -> Picture:
    """Values from 0 (black) to ``top`` (default: the largest shown) through the colour map, as a palette PNG.

    A volume's are three slices through ``cut`` (default: the middle). Along one axis they are bars over time, above
    the spectrogram of ``sound`` where it is given. ``left_out`` is hatched as in ``picture``.
    """
    plain = values.detach().cpu().float()
    if plain.ndim == 1:
        bars = over_time(plain, float(plain.max()) if top is None else top)
        return _heated(bars if sound is None else stacked(bars, spectrum(sound)), alt)
    shown = laid_out(plain[..., None], cut, longest)[:, :, 0]
    top = float(shown.max()) if top is None else top
    levels = (shown / top).clamp(0.0, 1.0) if top > 0.0 else torch.zeros_like(shown)
    return _encoded(_hatched(_parted(_coloured(levels), plain.shape, longest), left_out, cut, longest), alt)


def signed_picture(
    delta: Float[Tensor, "*grid c"], alt: str, cut: Cut | None = None, longest: int | None = LONGEST_SIDE
) -> Picture:
    """A signed difference around 1/2, which is no change, scaled to its largest size, as ``picture`` shows values."""
    top = float(delta.abs().max())
    return picture(0.5 + 0.5 * delta / top if top > 0.0 else 0.5 + delta, alt, cut, longest)


def picture_file(path: Path, alt: str) -> Picture:
    """An image file of a run, read and written again so that nothing but pixels enters the page.

    Raises:
        InputError: where it is missing or no image.
    """
    try:
        with Image.open(path) as opened:
            array = np.asarray(opened.convert("L" if opened.mode == "L" else "RGB"), dtype=np.float32) / 255.0
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} could not be read as an image ({error}).") from error
    return picture(torch.from_numpy(array.copy()).reshape(*array.shape[:2], -1), alt)


def is_shrunk(shape: tuple[int, ...]) -> bool:
    """Whether pictures or slices of this grid enter the page averaged down."""
    return len(shape) > 1 and max(shape) > LONGEST_SIDE


@cache
def palette() -> list[int]:
    """The colour map's 256 colours: red, green, blue of the first, and so on."""
    from matplotlib import colormaps

    colours: Any = colormaps[COLOURMAP](np.linspace(0.0, 1.0, 256))
    return [round(255.0 * float(channel)) for colour in colours for channel in colour[:3]]


def pixels(shown: Picture) -> Image.Image:
    """What a picture holds, in RGB."""
    with Image.open(io.BytesIO(base64.b64decode(shown.uri.partition(",")[2]))) as opened:
        return opened.convert("RGB")


def _heated(levels: Float[Tensor, "h w"], alt: str) -> Picture:
    return _encoded(_coloured(levels), alt)


def _coloured(levels: Float[Tensor, "h w"]) -> Image.Image:
    encoded = Image.fromarray((levels * 255.0).round().to(torch.uint8).numpy())
    encoded.putpalette(palette())
    return encoded


def _parted(image: Image.Image, shape: Sequence[int], longest: int | None) -> Image.Image:
    """The image of a volume's slices with grey between them; any other as it is."""
    if len(shape) < 3:
        return image
    array = np.array(image if image.mode == "L" else image.convert("RGB"))
    array[between(shape, longest).numpy()] = _BETWEEN
    return Image.fromarray(array)


def _hatched(
    image: Image.Image, left_out: Bool[Tensor, "*grid"] | None, cut: Cut | None, longest: int | None
) -> Image.Image:
    """The image with diagonal grey stripes over every pixel that mostly stands for samples left out."""
    if left_out is None:
        return image
    mostly = (laid_out(left_out.cpu().float()[..., None], cut, longest)[:, :, 0] > 0.5).numpy()
    array = np.array(image.convert("RGB"))
    row, column = np.indices(mostly.shape)
    stripes = np.where((row + column) // 2 % 2 == 0, *_STRIPES).astype(np.uint8)
    array[mostly] = stripes[mostly][:, None]
    return Image.fromarray(array)


def _encoded(image: Image.Image, alt: str) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(uri, alt, image.width, image.height)
