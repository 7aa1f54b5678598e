"""The word that a synthesiser speaks."""

import numpy as np
import pytest
import torch

import inrlens as il
from inrlens.signals.speech import spoken_word


def _spectrum(word: il.Recording, start: float, stop: float) -> tuple[np.ndarray, np.ndarray]:
    part = word.values[int(start * word.rate) : int(stop * word.rate), 0].double().numpy() - 0.5
    windowed = part * np.hanning(len(part))
    return np.fft.rfftfreq(16 * len(part), 1.0 / word.rate), np.abs(np.fft.rfft(windowed, 16 * len(part)))


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_half_a_second_within_the_range(rate: int) -> None:
    word = spoken_word(rate)
    assert (word.rate, word.shape, word.channels, word.seconds) == (rate, (round(0.5 * rate),), 1, 0.5)
    assert float((word.values - 0.5).abs().max()) == pytest.approx(0.45, abs=1e-6)
    assert abs(float(word.values[0]) - 0.5) < 1e-6
    assert abs(float(word.values.mean()) - 0.5) < 0.01
    assert torch.equal(word.values, spoken_word(rate).values)


@pytest.mark.parametrize(
    ("start", "stop", "first", "second"), [(0.16, 0.23, 730.0, 1090.0), (0.43, 0.49, 270.0, 2290.0)]
)
def test_a_vowel_is_loudest_at_its_formants(start: float, stop: float, first: float, second: float) -> None:
    frequency, strength = _spectrum(spoken_word(16000), start, stop)

    def peak(low: float, high: float) -> float:
        inside = (frequency > low) & (frequency < high)
        return float(frequency[inside][strength[inside].argmax()])

    # A formant lies between two harmonics, some 100 Hz apart.
    assert peak(150.0, 900.0) == pytest.approx(first, abs=80.0)
    assert peak(950.0, 2700.0) == pytest.approx(second, abs=80.0)


def test_the_pitch_falls() -> None:
    def pitch(start: float, stop: float) -> float:
        word = spoken_word(16000)
        part = word.values[int(start * 16000) : int(stop * 16000), 0].double().numpy() - 0.5
        like = np.correlate(part, part, "full")[len(part) - 1 :]
        lags = np.arange(100, 220)
        return 16000.0 / float(lags[like[lags].argmax()])

    assert pitch(0.05, 0.13) == pytest.approx(135.0 - 40.0 * 0.18, abs=5.0)
    assert pitch(0.40, 0.48) == pytest.approx(135.0 - 40.0 * 0.88, abs=5.0)


def test_a_rate_too_low_for_speech() -> None:
    with pytest.raises(il.InputError, match="at least 6500 samples a second, not 4000"):
        spoken_word(4000)
