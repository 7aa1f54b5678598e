"""Values on a grid of any number of axes as rasters of two: slices of a volume, a sound over time and frequency."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inrlens.reports import words
from inrlens.signals.audio import Recording
from inrlens.signals.signal import Signal
from inrlens.signals.spectrogram import FLOOR_DB, spectrogram, window_of

GAP = 2
"""Rows or columns between the parts of a raster."""
SOUND_WIDTH, WAVE_HEIGHT, SPECTRUM_HEIGHT = 320, 64, 128
_WAVE = 0.75
"""The level of a waveform between 0 and 1."""

Cut = Sequence[int]
"""Where the slices of a volume lie, one index an axis."""


def middle(grid: Sequence[int]) -> tuple[int, ...]:
    """The cut through the middle of a grid."""
    return tuple(side // 2 for side in grid)


def peak(values: Float[Tensor, "*grid"]) -> tuple[int, ...]:
    """The cut through the first of the largest values; through the middle where all are 0 or less."""
    if not float(values.max()) > 0.0:
        return middle(values.shape)
    return tuple(int(index) for index in torch.unravel_index(values.argmax().cpu(), values.shape))


def sections(values: Float[Tensor, "*grid c"], cut: Cut | None = None) -> tuple[Float[Tensor, "h w c"], ...]:
    """The slices of values on two axes or more: the whole on two, and on three one slice an axis, through ``cut``.

    Slice a of a volume on axes (i, j, k) has the axes (j, k), (i, k) and (j, i) for a = 0, 1, 2, so that the first
    shares its columns with the second and its rows with the third. Axes before the last three are cut first.
    """
    grid = values.shape[:-1]
    place = middle(grid) if cut is None else tuple(cut)
    while values.ndim > 4:
        values, place = values[place[0]], place[1:]
    if values.ndim == 3:
        return (values,)
    return values[place[0]], values[:, place[1]], values[:, :, place[2]].transpose(0, 1)


def laid_out(
    values: Float[Tensor, "*grid c"], cut: Cut | None = None, longest: int | None = None
) -> Float[Tensor, "h w c"]:
    """``sections`` as one raster: the first at the top left, the second below it, the third at its right, 0 between.

    Where ``longest`` is given and a slice's side is longer, all are averaged over the same square blocks.
    """
    parts = sections(values, cut)
    block = 1 if longest is None else max(block_of(part.shape[:2], longest) for part in parts)
    parts = tuple(_pooled(part, block) for part in parts)
    if len(parts) == 1:
        return parts[0]
    first, below, beside = parts
    height, width = first.shape[:2]
    raster = first.new_zeros(height + GAP + below.shape[0], width + GAP + beside.shape[1], first.shape[2])
    raster[:height, :width] = first
    raster[height + GAP :, :width] = below
    raster[:height, width + GAP :] = beside
    return raster


def block_of(shape: Sequence[int], longest: int) -> int:
    """The side of the square blocks that a raster is averaged over until its longest side is at most ``longest``."""
    return -(-max(shape) // longest)


def over_time(values: Float[Tensor, " n"], top: float) -> Float[Tensor, "h w"]:
    """Values of 0 or more along one axis as bars: each column is as high, and as bright, as the largest of its samples
    over ``top``."""
    level = _columns(values, largest=True) / top if top > 0.0 else torch.zeros(SOUND_WIDTH)
    level = level.clamp(0.0, 1.0)
    rows = torch.arange(WAVE_HEIGHT, 0, -1)[:, None]
    return torch.where(rows <= (level * WAVE_HEIGHT).ceil(), level, 0.0)


def waveform(values: Float[Tensor, "n c"]) -> Float[Tensor, "h w"]:
    """Values in [0, 1] (clamped) along one axis: each column is filled from the least to the largest of its samples,
    0 being the lowest row."""
    shown = values.detach().cpu().float().clamp(0.0, 1.0)
    top, low = _columns(shown.amax(1), largest=True), _columns(shown.amin(1), largest=False)
    rows = torch.arange(WAVE_HEIGHT - 1, -1, -1)[:, None]
    inside = (rows <= (top * (WAVE_HEIGHT - 1)).round()) & (rows >= (low * (WAVE_HEIGHT - 1)).round())
    return torch.where(inside, _WAVE, 0.0)


def spectrum(values: Float[Tensor, "n c"]) -> Float[Tensor, "h w"]:
    """The spectrogram of values along one axis, mean over channels: 0 at ``FLOOR_DB``, 1 at full scale; high
    frequencies at the top. Where several bins or frames share a pixel, the loudest is shown."""
    decibels = spectrogram(values.mean(1)).decibels
    levels = (1.0 - decibels / FLOOR_DB).clamp(0.0, 1.0).float()
    sized = torch.nn.functional.adaptive_max_pool2d(levels[None], (SPECTRUM_HEIGHT, SOUND_WIDTH))
    return sized[0].flip(0)


def stacked(*parts: Float[Tensor, "_ w"]) -> Float[Tensor, "h w"]:
    """Rasters of one width below each other, 0 between."""
    gap = parts[0].new_zeros(GAP, parts[0].shape[1])
    found = [parts[0]]
    for part in parts[1:]:
        found += [gap, part]
    return torch.cat(found)


def between(shape: Sequence[int], longest: int | None = None) -> Bool[Tensor, "h w"]:
    """Which parts of the raster of a grid belong to no slice."""
    return laid_out(torch.ones(*shape, 1), None, longest)[:, :, 0] == 0.0


def slice_note(cut: Cut) -> tuple[str, ...]:
    """The numbers of a volume's three slices as one line of words, in the order of its axes; none for other grids."""
    return (f"slices {', '.join(str(index) for index in cut[-3:])}",) if len(cut) > 2 else ()


def slice_lines(cut: Cut) -> tuple[str, ...]:
    """Axis, number and place of each of a volume's three slices, a line each; none for other grids."""
    names = (("first axis", "top left"), ("second axis", "below"), ("third axis", "right"))
    if len(cut) < 3:
        return ()
    return tuple(f"{axis} {index}: {place}" for (axis, place), index in zip(names, cut[-3:], strict=True))


def how_cut(grid: Sequence[int], where: str | None = None) -> str:
    """What a reader must know of how values on a grid are drawn: a sentence for a volume, none for the rest."""
    if len(grid) < 3:
        return ""
    where = where or f"through the middle ({', '.join(slice_note(middle(grid)))})"
    return (
        f" Three slices of each are shown, {where}: at the top left across the first axis, below it across the second, "
        "at its right across the third."
    )


def how_heard(signal: Signal) -> str:
    """What a reader must know of how a sound is drawn; nothing for other signals."""
    if len(signal.shape) != 1:
        return ""
    (count,) = signal.shape
    window = window_of(count)
    rate = signal.rate if isinstance(signal, Recording) else None
    reach = f"{count:,} samples" if rate is None else f"{words.significant(count / rate)} s"
    high = "half a cycle a sample" if rate is None else f"{words.significant(rate / 2000.0)} kHz"
    return (
        f" Across: time, {reach}. Above: the wave, or what is measured along it. Below: a spectrogram, frequencies "
        f"from 0 to {high} upwards, from {words.fixed(FLOOR_DB, 0)} dB (black) to 0 dB, a sine of full scale; Hann "
        f"window of {window} samples, every {window // 4}."
    )


def _pooled(image: Tensor, block: int) -> Tensor:
    if block <= 1:
        return image
    return torch.nn.functional.avg_pool2d(image.permute(2, 0, 1)[None], block, ceil_mode=True)[0].permute(1, 2, 0)


def _columns(values: Tensor, largest: bool) -> Tensor:
    """The largest or least value of the samples that share each of the raster's columns."""
    plain = values.detach().cpu().float()
    sign = 1.0 if largest else -1.0
    return sign * torch.nn.functional.adaptive_max_pool1d(sign * plain[None], SOUND_WIDTH)[0]
