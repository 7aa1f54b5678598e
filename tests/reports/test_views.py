"""Grids of any number of axes as rasters: slices that equal the values, bars, waves, and spectra with closed forms."""

import base64
import math

import numpy as np
import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from inrlens.atoms.codes import Codes
from inrlens.reports.packed import LONGEST_SIDE, pack_maps
from inrlens.reports.pictures import Picture, heat_map, palette, picture, pixels, signed_picture
from inrlens.reports.sheet import Tile, sheet
from inrlens.reports.views import (
    GAP,
    SOUND_WIDTH,
    SPECTRUM_HEIGHT,
    WAVE_HEIGHT,
    how_cut,
    how_heard,
    laid_out,
    middle,
    over_time,
    peak,
    sections,
    slice_lines,
    slice_note,
    spectrum,
    waveform,
)
from inrlens.signals.audio import Recording
from inrlens.signals.spectrogram import FLOOR_DB, spectrogram, window_of

VOLUME = (4, 5, 6)


def volume(channels: int = 1) -> Tensor:
    return torch.rand(*VOLUME, channels, generator=toys.generator())


def unpacked(text: str, atoms: int, cells: int) -> np.ndarray:
    """What the page's script makes of packed maps: levels ``(atoms, cells)``."""
    stream = iter(base64.b64decode(text))
    found = np.zeros((atoms, cells), dtype=int)
    for atom in range(atoms):
        cell = -1
        while gap := next(stream):
            cell += gap if gap < 128 else gap - 128 + 128 * next(stream)
            found[atom, cell] = next(stream)
    assert next(stream, None) is None
    return found


@pytest.mark.parametrize("cut", [(0, 0, 0), (3, 1, 5), None])
def test_the_slices_of_a_volume_are_its_values(cut: tuple[int, int, int] | None) -> None:
    values = volume(3)
    i, j, k = cut or (2, 2, 3)
    assert middle(VOLUME) == (2, 2, 3)
    first, below, beside = sections(values, cut)
    assert torch.equal(first, values[i])
    assert torch.equal(below, values[:, j])
    assert torch.equal(beside, values[:, :, k].transpose(0, 1))
    raster = laid_out(values, cut)
    assert raster.shape == (5 + GAP + 4, 6 + GAP + 4, 3)
    assert torch.equal(raster[:5, :6], first)
    assert torch.equal(raster[5 + GAP :, :6], below)
    assert torch.equal(raster[:5, 6 + GAP :], beside)
    assert float(raster[5 : 5 + GAP].abs().max()) == float(raster[:, 6 : 6 + GAP].abs().max()) == 0.0


def test_axes_before_the_last_three_are_cut_first_and_a_picture_stays_whole() -> None:
    values = torch.rand(3, *VOLUME, 1, generator=toys.generator())
    for mine, other in zip(sections(values, (2, 1, 0, 4)), sections(values[2], (1, 0, 4)), strict=True):
        assert torch.equal(mine, other)
    (whole,) = sections(values[0, 0])
    assert torch.equal(whole, values[0, 0])


def test_the_peak_is_where_the_largest_value_lies() -> None:
    values = volume()[..., 0]
    assert float(values[peak(values)]) == float(values.max())
    assert peak(torch.zeros(VOLUME)) == middle(VOLUME)
    assert float(heat_levels(heat_map(values, "", cut=peak(values))).max()) == 255


def heat_levels(shown: Picture) -> np.ndarray:
    """The levels of a palette PNG."""
    colours = np.array(palette()).reshape(256, 3)
    found = np.asarray(pixels(shown), dtype=int)
    return np.abs(found[:, :, None] - colours).sum(-1).argmin(-1)


def test_large_slices_are_averaged_over_one_kind_of_block() -> None:
    values = torch.rand(2, 8, 6, 1, generator=toys.generator())
    raster = laid_out(values, (1, 3, 4), longest=4)
    assert raster.shape == (4 + GAP + 1, 3 + GAP + 1, 1)
    assert torch.allclose(raster[0, 0], values[1, :2, :2].mean((0, 1)))
    assert torch.allclose(raster[4 + GAP, 0], values[:, 3, :2].mean((0, 1)))


def test_pictures_of_volumes_and_of_many_channels() -> None:
    values = volume()
    shown = picture(values, "volume", (1, 2, 3))
    assert np.array_equal(np.asarray(pixels(shown))[:5, :6, 0], (values[1, :, :, 0] * 255).round().numpy())
    for drawn in (shown, heat_map(values[..., 0], "", cut=(1, 2, 3))):
        found = np.asarray(pixels(drawn))
        assert (found[5 : 5 + GAP] == 200).all()
        assert (found[:, 6 : 6 + GAP] == 200).all()
        assert (found[5:, 6:] == 200).all()
        assert not (found[:5, :6] == 200).all(-1).any()
    assert slice_note((1, 2, 3)) == ("slices 1, 2, 3",)
    assert slice_lines((1, 2, 3)) == ("first axis 1: top left", "second axis 2: below", "third axis 3: right")
    assert (slice_note((1, 2)), slice_lines((1,))) == ((), ())
    two = torch.rand(3, 4, 2, generator=toys.generator())
    mean = (two.mean(-1) * 255).round().numpy()
    assert np.array_equal(np.asarray(pixels(picture(two, "two")))[:, :, 0], mean)
    delta = torch.tensor([[[-0.2], [0.0], [0.1]]])
    assert [int(v) for v in np.asarray(pixels(signed_picture(delta, "")))[0, :, 0]] == [0, 128, 191]


@pytest.mark.parametrize(("samples", "window"), [(1, 16), (2_000, 128), (4_000, 256), (48_000, 1024), (10**9, 2048)])
def test_the_window_follows_the_length(samples: int, window: int) -> None:
    assert window_of(samples) == window


@pytest.mark.parametrize("cycles", [8, 20, 40])
@pytest.mark.parametrize("amplitude", [1.0, 0.1])
def test_a_pure_tone_peaks_in_its_bin_at_its_level(cycles: int, amplitude: float) -> None:
    count = 2_000
    window = window_of(count)
    phase = 2.0 * math.pi * cycles * torch.arange(count, dtype=torch.float64) / window
    found = spectrogram((amplitude * phase.sin() + 1.0) / 2.0)
    assert (found.window, found.hop) == (window, window // 4)
    assert found.decibels.shape == (window // 2 + 1, count // found.hop + 1)
    inner = found.decibels
    assert (inner.argmax(0) == cycles).all()
    # A Hann window reaches exactly one bin to each side, at half the size.
    assert torch.allclose(inner[cycles], torch.full_like(inner[cycles], 20.0 * math.log10(amplitude)), atol=1e-6)
    assert torch.allclose(inner[cycles + 1], inner[cycles] - 20.0 * math.log10(2.0), atol=1e-6)
    far = torch.cat([inner[: cycles - 1], inner[cycles + 2 :]])
    assert (far == FLOOR_DB).all()


def test_a_chirp_is_narrow_up_to_its_ends() -> None:
    count, time = 4_000, torch.arange(4_000, dtype=torch.float64)
    found = spectrogram(((2.0 * math.pi * (0.05 * time + 0.1 * time**2 / count)).cos() + 1.0) / 2.0)
    loud = (found.decibels > -60.0).sum(0)
    assert int(loud.max()) <= 1.2 * int(loud[20:-20].max())
    middle = 0.05 + 0.2 * found.hop * torch.arange(found.decibels.shape[1]) / count
    assert (
        float((found.decibels.argmax(0) / found.window - middle).abs().max()) <= 1.5 / found.window + 0.2 * 128 / count
    )


def test_silence_is_black_and_one_sample_is_enough() -> None:
    assert (spectrogram(torch.full((900,), 0.5)).decibels == FLOOR_DB).all()
    assert float(spectrum(torch.full((900, 1), 0.5)).max()) == 0.0
    assert spectrum(torch.ones(1, 1)).shape == (SPECTRUM_HEIGHT, SOUND_WIDTH)
    assert waveform(torch.ones(1, 1)).shape == (WAVE_HEIGHT, SOUND_WIDTH)


def test_high_tones_stand_above_low_ones() -> None:
    count = 4_000
    low, high = (((math.pi * share * torch.arange(count)).sin() + 1.0) / 2.0 for share in (0.1, 0.8))
    rows = [int(spectrum(one[:, None])[:, SOUND_WIDTH // 2].argmax()) for one in (low, high)]
    assert rows == pytest.approx([0.9 * SPECTRUM_HEIGHT, 0.2 * SPECTRUM_HEIGHT], abs=2.0)


def test_bars_and_waves_reach_their_samples() -> None:
    values = torch.zeros(10 * SOUND_WIDTH)
    values[10 * 7 + 3] = 2.0
    values[10 * 9] = 1.0
    bars = over_time(values, 2.0)
    assert torch.equal((bars > 0).sum(0).nonzero()[:, 0], torch.tensor([7, 9]))
    assert [int((bars[:, column] > 0).sum()) for column in (7, 9)] == [WAVE_HEIGHT, WAVE_HEIGHT // 2]
    assert [float(bars[:, column].max()) for column in (7, 9)] == [1.0, 0.5]
    assert bool((bars[-1, [7, 9]] > 0).all())
    wave = waveform(torch.linspace(0.0, 1.0, SOUND_WIDTH)[:, None])
    assert bool(wave[-1, 0] > 0)
    assert bool(wave[0, -1] > 0)
    assert ((wave > 0).sum(0) == 1).all()


def test_a_sounds_map_stands_above_its_spectrogram() -> None:
    word = il.spoken_word()
    alone = heat_map(word.values[:, 0], "")
    both = heat_map(word.values[:, 0], "", sound=word.values)
    assert (alone.width, alone.height) == (SOUND_WIDTH, WAVE_HEIGHT)
    assert (both.width, both.height) == (SOUND_WIDTH, WAVE_HEIGHT + GAP + SPECTRUM_HEIGHT)
    heard = picture(word.values, "")
    assert np.array_equal(np.asarray(pixels(heard))[WAVE_HEIGHT:], np.asarray(pixels(both))[WAVE_HEIGHT:])


def test_what_the_reader_must_know() -> None:
    assert how_cut((4, 5)) == how_cut((9,)) == how_heard(toys.signal(0, (4, 5))) == ""
    assert "through the middle (slices 2, 2, 3)" in how_cut(VOLUME)
    told = how_heard(il.spoken_word(8000))
    for word in ("0.500 s", "4.00 kHz", "Hann window of 256 samples, every 64", "0 dB"):
        assert word in told, told
    plain = Recording("x", torch.rand(100, 1, generator=toys.generator()), (100,), rate=50)
    assert "half a cycle" in how_heard(il.Signal("x", plain.values, (100,)))


@pytest.mark.parametrize("grid", [(7,), (250,), (5, 6), (4, 5, 6), (3, 60, 50), (2, 3, 4, 5)])
def test_packed_maps_are_those_that_pictures_show(grid: tuple[int, ...]) -> None:
    draws, count, atoms, k = toys.generator(), math.prod(grid), 5, 2
    indices = torch.stack([torch.randperm(atoms, generator=draws)[:k] for _ in range(count)]).int()
    codes = Codes(indices, torch.rand(count, k, generator=draws).clamp_min(0.2) - 0.2, atoms, grid)
    order = [3, 0, 4]
    found = pack_maps(codes, order)
    assert max(found.width, found.height) <= LONGEST_SIDE
    levels = unpacked(found.text, len(order), found.width * found.height).reshape(-1, found.height, found.width)
    for place, atom in enumerate(order):
        values = codes.map(atom)
        if len(grid) == 1:
            block = -(-grid[0] // LONGEST_SIDE)
            means = torch.nn.functional.avg_pool1d(values[None, None], block, ceil_mode=True)[0, 0]
            wanted = (means / means.max() * 255).round().int()
            assert np.array_equal(levels[place].max(0), wanted.numpy())
            assert np.array_equal((levels[place] > 0).sum(0), np.ceil(wanted.numpy() * found.height / 255))
            assert (np.diff((levels[place] > 0).astype(int), axis=0) >= 0).all()
        else:
            raster = laid_out(values[..., None], peak(values), (LONGEST_SIDE - GAP) // 2 if len(grid) > 2 else 96)[
                ..., 0
            ]
            assert np.abs(levels[place] - (raster / raster.max() * 255).numpy()).max() <= 0.51


def test_sheets_take_tiles_of_any_size() -> None:
    tiles = [Tile(picture(torch.rand(4, 5, 3), ""), ("a",)), Tile(heat_map(torch.rand(30), ""), ("b", "c"))]
    page = sheet(tiles, 2)
    assert page.width == 2 * (SOUND_WIDTH + 6) + 6
    assert page.height == 26 * 4 + 2 * 16 + 6 + 6
