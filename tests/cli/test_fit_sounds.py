"""Sounds on the command line: a folder of WAV files through every verb."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import inrlens as il
from command import BRIEF, done, photo, refused, run
from inrlens.reports.views import GAP, SOUND_WIDTH, SPECTRUM_HEIGHT, WAVE_HEIGHT
from inrlens.signals.audio import Recording
from inrlens.studies.run_folder import open_field

pytestmark = pytest.mark.usefixtures("undrawn")

soundfile = pytest.importorskip("soundfile", reason="needs the extra audio")

RATE, COUNT = 8000, 2000
SIZE = (SOUND_WIDTH, WAVE_HEIGHT + GAP + SPECTRUM_HEIGHT)


def sound(path: Path, start: int = 500, count: int = COUNT) -> Path:
    il.save_audio(il.spoken_word(RATE).values[start : start + count], path, RATE)
    return path


def stereo(path: Path) -> Path:
    soundfile.write(path, np.zeros((50, 2), dtype=np.float32), RATE)
    return path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two sounds, a cohort's run and a dictionary of its layer 1."""
    folder = tmp_path_factory.mktemp("sounds")
    (folder / "words").mkdir()
    for index in range(2):
        sound(folder / "words" / f"word{index}.wav", 500 + 300 * index)
    done("cohort", folder / "words", *BRIEF, "-o", folder / "cohort")
    done("sae", folder / "cohort", "--layer", 1, "-n", 24, "-k", 3, "--steps", 5, "-o", folder / "sae.safetensors")
    return folder


def test_a_cohort_of_sounds_knows_their_rate(bench: Path) -> None:
    field, signals = open_field(bench / "cohort")
    assert (field.grid, field.heads) == ((COUNT,), 2)
    assert signals is not None
    assert [signal.rate for signal in signals if isinstance(signal, Recording)] == [RATE, RATE]
    assert field.backbone.omega_0[0] == 3000.0
    assert len(done("ranks", bench / "cohort", "--grid", 300, "--json").json["weight_stable_rank"]) == field.depth


def test_a_new_sound_on_the_cohort(bench: Path, tmp_path: Path) -> None:
    new = sound(tmp_path / "new.wav", 900)
    done("transfer", bench / "cohort", new, *BRIEF, "--freeze", 0, "-o", tmp_path / "moved")
    done("report", tmp_path / "moved")
    page = (tmp_path / "moved" / "report.html").read_text()
    assert "Hann window of 128 samples, every 32" in page
    assert "0.250 s" in page


def test_what_does_not_fit_is_said_in_one_sentence(bench: Path, tmp_path: Path) -> None:
    folder = tmp_path / "words"
    folder.mkdir()
    for index in range(3):
        sound(folder / f"word{index}.wav", count=COUNT if index != 1 else 1500)
    told = refused("cohort", folder, *BRIEF, "-o", tmp_path / "run")
    assert "word1.wav has 1500 samples and 2 of 3 files 2000" in told
    both = stereo(tmp_path / "both.wav")
    for verb in (("fit", both), ("transfer", bench / "cohort", both)):
        told = refused(*verb, *BRIEF, "-o", tmp_path / "run")
        assert "has 2 channels where one is needed: mix them down first, as ffmpeg does with -ac 1" in told
    (tmp_path / "mixed").mkdir()
    sound(tmp_path / "mixed" / "a.wav")
    stereo(tmp_path / "mixed" / "b.wav")
    left_out = run("cohort", tmp_path / "mixed", *BRIEF, "-o", tmp_path / "run")
    assert left_out.code == 2
    assert "b.wav was left out" in left_out.err
    assert "holds 1 readable file" in left_out.err
    (tmp_path / "mixed" / "b.wav").rename(tmp_path / "mixed" / "b.nii")
    assert "holds volumes and sounds: choose one kind" in refused("cohort", tmp_path / "mixed", "-o", tmp_path / "run")
    picture = photo(tmp_path / "flat.png", mode="L")
    assert "lies on 2 axes, the network's signals on 1 axis" in refused(
        "transfer", bench / "cohort", picture, "-o", tmp_path / "run"
    )


@pytest.mark.slow
def test_atoms_and_ablations_are_drawn_over_time(bench: Path, tmp_path: Path) -> None:
    pair = (bench / "cohort", bench / "sae.safetensors")
    top = done("atoms", *pair, "--top", 3, "--maps", tmp_path / "maps.png", "--json").json["top"]
    with Image.open(tmp_path / "maps.png") as image:
        assert image.size == (4 * (SIZE[0] + 6) + 6, SIZE[1] + 16 + 6 + 6)
    one = done("ablate", *pair, "--atom", top[0]["atom"], "-o", tmp_path / "one.png", "--json").json
    assert one["coordinates"] == COUNT
    atlas = done("atlas", *pair, "--page", tmp_path / "page.html", "--json").json
    assert atlas["grid"] == [COUNT]
    page = (tmp_path / "page.html").read_text()
    for words in ("One atom out", "Every atom", "a spectrogram", "of the sound", " 3000, then 30<"):
        assert words in page
    settings = il.load(bench / "sae.safetensors").origin.settings
    table = page.split("The dictionaries</caption>")[1].split("</table>")[0]
    assert f"<td>{settings['batch']}</td><td>{settings['learning_rate']:g}</td>" in table


def test_an_edit_is_written_as_a_sound_or_as_a_spectrogram(bench: Path, tmp_path: Path) -> None:
    pair = ("edit", bench / "cohort", bench / "sae.safetensors", "--gain", "2=0")
    done(*pair, "-o", tmp_path / "a.wav")
    done(*pair, "-o", tmp_path / "a.png")
    field, _ = open_field(bench / "cohort")
    values = il.edit(field, il.load(bench / "sae.safetensors"), {2: 0.0})
    heard = il.load_audio(tmp_path / "a.wav")
    assert heard.rate == RATE
    assert torch.allclose(heard.values, values.clamp(0.0, 1.0), atol=1.0 / 32768)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == SIZE
    file = ("edit", bench / "cohort" / "field.safetensors", bench / "sae.safetensors", "--gain", "2=0")
    assert "how many samples a second is not known here" in refused(*file, "-o", tmp_path / "b.wav")
    assert "a volume of 3 axes, not 1 axis" in refused(*pair, "-o", tmp_path / "a.nii")
