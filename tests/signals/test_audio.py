"""Sound files become signals of one axis and come back, and a network fits one."""

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

import command
import inrlens as il
import toys
from inrlens.fields.ffmlp import FFMLP
from inrlens.fields.siren import Siren
from inrlens.fitting.adapt_recipe import adapt_recipe

soundfile = pytest.importorskip("soundfile", reason="soundfile (the extra audio) is not installed")

RATE = 8000


def _tone(count: int = 1600, hertz: float = 440.0) -> np.ndarray:
    return 0.6 * np.sin(2.0 * np.pi * hertz * np.arange(count) / RATE)


def _write(path: Path, samples: np.ndarray, subtype: str = "PCM_16", rate: int = RATE) -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def test_samples_between_minus_one_and_one_come_to_zero_and_one(tmp_path: Path) -> None:
    whole = np.array([-32768, -16384, 0, 1, 16384, 32767], dtype=np.int16)
    sound = il.load_audio(_write(tmp_path / "a.wav", whole))
    expected = (whole.astype(np.float64) / 32768.0 + 1.0) / 2.0
    assert (sound.name, sound.shape, sound.channels, sound.bit_depth, sound.rate) == ("a.wav", (6,), 1, 16, RATE)
    np.testing.assert_allclose(sound.values.numpy().ravel(), expected, atol=1e-7)
    assert sound.values[2].item() == 0.5
    assert sound.seconds == 6 / RATE


@pytest.mark.parametrize(("name", "subtype"), [("a.flac", "PCM_16"), ("a.wav", "FLOAT"), ("a.wav", "PCM_24")])
def test_other_files_hold_the_same_tone(tmp_path: Path, name: str, subtype: str) -> None:
    sound = il.load_audio(_write(tmp_path / name, _tone(), subtype))
    np.testing.assert_allclose(sound.values.numpy().ravel() * 2.0 - 1.0, _tone(), atol=2.0 / 32768.0)


def test_eight_bits_are_told(tmp_path: Path) -> None:
    assert il.load_audio(_write(tmp_path / "a.wav", _tone(), "PCM_U8")).bit_depth == 8


def test_written_and_read_again_a_file_keeps_every_bit(tmp_path: Path) -> None:
    whole = np.random.default_rng(0).integers(-32768, 32768, (500, 2), dtype=np.int16)
    sound = il.load_audio(_write(tmp_path / "a.wav", whole, rate=44100), mono=False)
    il.save_audio(sound.values, tmp_path / "b.wav", sound.rate)
    again, rate = soundfile.read(tmp_path / "b.wav", dtype="int16")
    assert rate == 44100
    assert np.array_equal(again, whole)


def test_an_output_beyond_its_range_is_clamped(tmp_path: Path) -> None:
    il.save_audio(torch.tensor([[-0.5], [0.5], [1.5]]), tmp_path / "a.wav", RATE)
    assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tolist() == [-32768, 0, 32767]


@pytest.mark.parametrize("peak", [1.0 + 2.0**-23, 1.3, 40.0])
def test_loud_sound_is_clipped_with_a_warning_or_made_quieter(tmp_path: Path, peak: float) -> None:
    samples = np.array([0.0, 0.5, -peak, 0.9 * peak, 0.25])
    path = _write(tmp_path / "loud.wav", samples, "FLOAT")
    with pytest.warns(UserWarning, match=r"loud\.wav: its loudest sample is .* were clipped; .*scale=True"):
        clipped = il.load_audio(path)
    np.testing.assert_allclose(clipped.values[:, 0], (samples.clip(-1.0, 1.0) + 1.0) / 2.0, rtol=0, atol=1e-7)
    quieter = il.load_audio(path, scale=True)
    np.testing.assert_allclose(quieter.values[:, 0], (samples / peak + 1.0) / 2.0, rtol=0, atol=1e-6)


def test_sixty_four_bits_keep_every_value(tmp_path: Path) -> None:
    values = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0)) ** 4
    il.save_audio(values, tmp_path / "a.wav", RATE, bit_depth=64)
    found = il.load_audio(tmp_path / "a.wav", mono=False).values
    assert torch.equal(found[values >= 2.0**-28], values[values >= 2.0**-28])
    torch.testing.assert_close(found, values, rtol=0, atol=1e-16)
    with pytest.raises(il.InputError, match="a sound is written with 16 or 64 bits a sample, not 24"):
        il.save_audio(values, tmp_path / "b.wav", RATE, bit_depth=24)
    with pytest.raises(il.InputError, match=r"two axes \(n, c\), not \(1000,\)"):
        il.save_audio(values[:, 0], tmp_path / "b.wav", RATE)


def test_the_first_seconds_alone_are_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.wav", _tone())
    whole, part = il.load_audio(path), il.load_audio(path, seconds=0.05)
    assert part.shape == (400,)
    assert torch.equal(part.values, whole.values[:400])


def test_channels_stay_channels_and_are_refused_where_one_is_needed(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.wav", np.stack([_tone(), -_tone()], axis=1))
    both = il.load_audio(path, mono=False)
    assert (both.shape, both.channels) == ((1600,), 2)
    torch.testing.assert_close(both.values.sum(1), torch.ones(1600), atol=1e-4, rtol=0)
    with pytest.raises(il.InputError, match=r"a\.wav has 2 channels where one is needed: mix them down .* mono=False"):
        il.load_audio(path)
    assert "has 2 channels where one is needed" in command.refused("fit", path, "-o", tmp_path / "run")


def test_a_file_that_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    flac = _write(tmp_path / "a.flac", _tone(16000)).read_bytes()
    (tmp_path / "cut.flac").write_bytes(flac[: len(flac) // 2])
    _write(tmp_path / "nan.wav", np.array([0.0, math.nan]), "FLOAT")
    _write(tmp_path / "empty.wav", np.zeros(0))
    for name, words in {
        "missing.wav": "missing.wav does not exist",
        ".": "is a folder: give a sound file",
        "text.wav": "text.wav could not be read as sound",
        "cut.flac": "cut.flac (ends after .* cut short or damaged|could not be read as sound)",
        "nan.wav": "nan.wav holds NaN or infinite samples, 1 of the 2 after the first 0: replace them first",
        "empty.wav": "empty.wav holds no samples",
    }.items():
        with pytest.raises(il.InputError, match=words):
            il.load_audio(tmp_path / name)


def test_more_or_less_than_there_is_cannot_be_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.wav", _tone())
    with pytest.raises(il.InputError, match=r"lasts 0.2 s, 3 s are asked for"):
        il.load_audio(path, seconds=3.0)
    with pytest.raises(il.InputError, match=r"at least one sample's, 1/8000, not 0.0"):
        il.load_audio(path, seconds=0.0)
    for endless in (math.nan, math.inf):
        with pytest.raises(
            il.InputError, match=rf"seconds \(None takes the whole file\) must be a finite number, not {endless}"
        ):
            il.load_audio(path, seconds=endless)
    with pytest.raises(il.InputError, match=r"seconds .* must be a finite number, not a"):
        toys.unchecked(il.load_audio)(path, seconds="a")


def test_a_chunk_of_odd_length_before_the_samples_hides_no_cut(tmp_path: Path) -> None:
    """Chunks begin at even places: one of five bytes is followed by one that fills up."""
    content = _write(tmp_path / "a.wav", _tone()).read_bytes()
    at = content.index(b"data")
    padded = content[:at] + b"note" + (5).to_bytes(4, "little") + b"hello\0" + content[at:]
    path = tmp_path / "b.wav"
    path.write_bytes(padded)
    assert torch.equal(il.load_audio(path).values, il.load_audio(tmp_path / "a.wav").values)
    path.write_bytes(padded[:-1000])
    with pytest.raises(il.InputError, match=r"b.wav is cut short"):
        il.load_audio(path)


@pytest.mark.parametrize(("name", "order", "chunk"), [("a.wav", "little", b"data"), ("a.aiff", "big", b"SSND")])
def test_a_file_that_is_cut_short_is_refused_and_one_of_open_length_read(
    tmp_path: Path, name: str, order: Literal["little", "big"], chunk: bytes
) -> None:
    path = _write(tmp_path / name, _tone())
    whole, expected = path.read_bytes(), il.load_audio(path)
    path.write_bytes(whole[:-1000])
    with pytest.raises(il.InputError, match=rf"{name} is cut short: it holds [\d,]+ of the [\d,]+ bytes of samples"):
        il.load_audio(path)
    at = whole.index(chunk) + 4
    path.write_bytes(whole[:at] + (0xFFFF_FFFF).to_bytes(4, order) + whole[at + 4 :])
    if chunk == b"data":
        assert torch.equal(il.load_audio(path).values, expected.values)


@pytest.mark.parametrize(
    ("kind", "endian"),
    [("W64", ""), ("RF64", ""), ("AU", "BIG"), ("AU", "LITTLE"), ("NIST", ""), ("CAF", ""), ("WAV", "BIG")],
)
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_a_sound_of_any_container_is_whole_or_refused(tmp_path: Path, kind: str, endian: str, subtype: str) -> None:
    path = tmp_path / "a"
    soundfile.write(path, np.stack([_tone()] * 2, 1), RATE, subtype=subtype, endian=endian or None, format=kind)
    assert il.load_audio(path, mono=False).shape == (1600,)
    for lost in (1, 1000):
        (tmp_path / "b").write_bytes(path.read_bytes()[:-lost])
        with pytest.raises(il.InputError, match=r"b (is cut short: it holds|could not be read as sound)"):
            il.load_audio(tmp_path / "b", mono=False)


def test_several_ogg_sounds_in_a_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    soundfile.write(path, _tone(), RATE, format="OGG", subtype="VORBIS")
    assert il.load_audio(path).shape == (1600,)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(il.InputError, match=r"a\.ogg holds several sounds one after the other"):
        il.load_audio(path)


@pytest.mark.parametrize(
    ("rate", "channels", "said"),
    [
        (8000.5, 1, "the rate in samples per second must be a whole number, not 8000.5"),
        (0, 1, "the rate in samples per second must lie from 1 to 2,147,483,647, not 0"),
        (2**31, 1, "the rate in samples per second must lie from 1 to 2,147,483,647, not 2147483648"),
        (8000, 1025, "a sound of 1,025 channels cannot be written, 1,024 is the most"),
    ],
)
def test_sounds_that_no_file_can_hold(tmp_path: Path, rate: Any, channels: int, said: str) -> None:
    with pytest.raises(il.InputError, match=said):
        toys.unchecked(il.save_audio)(np.zeros((4, channels)), tmp_path / "a.wav", rate)
    assert not list(tmp_path.iterdir())


def test_more_than_the_memory_holds_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inrlens.signals.memory.physical_memory", lambda: 1000)
    with pytest.raises(il.InputError, match=r"a\.wav holds 1600 samples of 1 channel, for which a fit needs"):
        il.load_audio(_write(tmp_path / "a.wav", _tone()))


def test_without_soundfile_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    for work in (il.load_audio, lambda path: il.save_audio(torch.zeros(2, 1), path, RATE)):
        with pytest.raises(il.InputError, match=r'a.wav is a sound file, .* pip install "inrlens\[audio\]"'):
            work(tmp_path / "a.wav")


def test_what_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match="must lie on one axis, time"):
        il.Recording("a", torch.zeros(6, 1), (2, 3), rate=RATE)
    with pytest.raises(il.InputError, match="samples per second must lie from 1 to"):
        il.Recording("a", torch.zeros(6, 1), (6,), rate=0)
    with pytest.raises(il.InputError, match=r"sound is written as WAV, so its name must end in \.wav"):
        il.save_audio(torch.zeros(2, 1), tmp_path / "a.mp3", RATE)
    with pytest.raises(il.InputError, match="samples per second must lie from 1 to"):
        il.save_audio(torch.zeros(2, 1), tmp_path / "a.wav", 0)


# Fitted


def test_a_siren_fits_a_tone_with_the_first_omega_of_its_paper(tmp_path: Path) -> None:
    """The tone turns by 942 rad between the middle and an end: far more than omega 30 and its harmonics do."""
    sound = il.load_audio(_write(tmp_path / "a.wav", _tone(800, 3000.0)))
    backbone = Siren(coordinates=1, width=32, depth=3, omega_0=(3000.0, 30.0, 30.0))
    recipe = il.Recipe("tone", backbone, steps=100, learning_rate=1e-3, schedule="cosine")
    silence = il.psnr(torch.full_like(sound.values, 0.5), sound.values)
    assert silence == pytest.approx(-10.0 * math.log10(0.3**2 / 2.0), abs=0.05)
    assert il.fit(sound, recipe).psnr > silence + 3.0
    slow = il.fit(sound, replace(recipe, backbone=replace(backbone, omega_0=30.0)))
    assert slow.psnr < silence + 1.0


def test_a_recipe_for_pictures_is_suited_to_a_volume(backbone: str) -> None:
    recipe = il.Recipe("toy", il.make_backbone(backbone), steps=1, learning_rate=1e-3)
    assert adapt_recipe(recipe, toys.signal()) is recipe
    changed = adapt_recipe(recipe, il.phantom((4, 5, 6))).backbone
    assert changed == il.make_backbone(backbone, coordinates=3)


def test_only_a_siren_on_a_sound_gets_the_omegas_of_audio() -> None:
    sound = il.Recording("a", torch.zeros(6, 1), (6,), rate=RATE)
    recipe = il.Recipe("toy", Siren(depth=3, omega_0=50.0), steps=1, learning_rate=1e-3)
    assert adapt_recipe(recipe, sound).backbone == Siren(coordinates=1, depth=3, omega_0=(3000.0, 30.0, 30.0))
    assert adapt_recipe(recipe, il.phantom((4, 5, 6))).backbone == Siren(coordinates=3, depth=3, omega_0=50.0)
    other = replace(recipe, backbone=FFMLP(sigma=7.0))
    assert adapt_recipe(other, sound).backbone == FFMLP(coordinates=1, sigma=7.0)
    assert adapt_recipe(replace(recipe, backbone=None), sound).backbone is None


def test_a_sound_is_fitted_from_the_command_line(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.wav", _tone(400))
    numbers = command.done("fit", path, "--steps", 2, "-o", tmp_path / "run", "--json").json
    assert numbers["recipe"]["backbone"]["omega_0"] == [3000.0, 30.0, 30.0, 30.0, 30.0]
    assert numbers["ssim"] is None
    assert il.load(tmp_path / "run" / "field.safetensors").grid == (400,)
    refusal = command.refused("fit", path, "--size", "6x8", "-o", tmp_path / "other")
    assert refusal.endswith("a.wav is a sound, for which size means nothing: leave it out.")
