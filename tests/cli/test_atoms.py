"""The verbs that look at atoms."""

from pathlib import Path

import pytest
from PIL import Image

import inrlens as il
from command import BRIEF, SIZE, done, photo
from inrlens.studies.run_folder import open_field


@pytest.fixture(scope="module")
def strongest(bench: Path) -> int:
    """The atom with the largest mean magnitude."""
    return int(done("atoms", bench / "cohort", bench / "sae.safetensors", "--json").json["top"][0]["atom"])


def test_atoms_are_listed_in_order(bench: Path) -> None:
    outcome = done("atoms", bench / "cohort", bench / "sae.safetensors", "--top", 5, "--json").json
    magnitudes = [row["mean_magnitude"] for row in outcome["top"]]
    assert len(magnitudes) == 5
    assert magnitudes == sorted(magnitudes, reverse=True)
    assert outcome["alive"] + outcome["dead"] == outcome["n_atoms"] == 32
    by_rate = done("atoms", bench / "cohort", bench / "sae.safetensors", "--by", "firing_rate", "--json").json
    rates = [row["firing_rate"] for row in by_rate["top"]]
    assert rates == sorted(rates, reverse=True)


def test_atoms_draw_their_maps(bench: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "maps.png"
    outcome = done("atoms", bench / "cohort", bench / "sae.safetensors", "--top", 5, "--maps", sheet)
    assert "fire somewhere" in outcome.out
    with Image.open(sheet) as image:
        height, width = image.height, image.width
    enlarged = 8
    assert width == 6 * (SIZE[1] * enlarged + 6) + 6
    assert height == SIZE[0] * enlarged + 16 + 6 + 6


def test_ablate_agrees_with_the_library(bench: Path, strongest: int, tmp_path: Path) -> None:
    arguments = ("ablate", bench / "cohort", bench / "sae.safetensors", "--atom", strongest, "--head", 1)
    outcome = done(*arguments, "-o", tmp_path / "panel.png", "--json").json
    field, signals = open_field(bench / "cohort")
    assert signals is not None
    one = il.ablate(field, il.load(bench / "sae.safetensors"), strongest, head=1, signal=signals[1])
    assert outcome["psnr_before"] == one.psnr_before
    assert outcome["psnr_drop"] == one.psnr_drop
    assert outcome["support"] == int((one.map > 0).sum()) > 0
    assert (tmp_path / "panel.png").is_file()
    assert "coordinates" in done(*arguments).out


def test_ablate_compares_with_a_given_picture(bench: Path, strongest: int, tmp_path: Path) -> None:
    arguments = ("ablate", bench / "cohort" / "field.safetensors", bench / "sae.safetensors", "--atom", strongest)
    alone = done(*arguments, "--json").json
    assert alone["psnr_before"] is None
    assert "unknown" in done(*arguments).out
    picture = photo(tmp_path / "big.png", 0, size=(24, 32))
    compared = done(*arguments, "--image", picture, "--json").json
    assert compared["signal"] == "big.png"
    assert compared["psnr_before"] is not None


def test_edit_draws_and_counts(bench: Path, strongest: int, tmp_path: Path) -> None:
    pair = ("edit", bench / "cohort", bench / "sae.safetensors", "--gain")
    removed = done(*pair, f"{strongest}=0", "--json", "-o", tmp_path / "without.png").json
    kept = done(*pair, f"{strongest}=1", "--json", "-o", tmp_path / "same.png").json
    assert removed["gains"] == {str(strongest): 0.0}
    assert 0 < removed["changed"] <= SIZE[0] * SIZE[1]
    assert kept["changed"] == 0
    assert kept["psnr_before"] == kept["psnr_after"]
    with Image.open(tmp_path / "without.png") as image:
        assert (image.height, image.width) == SIZE
    text = done(*pair, f"{strongest}=2", "--gain", f"{(strongest + 1) % 32}=0.5", "-o", tmp_path / "b.png").out
    assert f"atom {strongest} x 2" in text


def test_a_dictionary_of_another_network_is_noticed(bench: Path, tmp_path: Path) -> None:
    done("fit", photo(tmp_path / "a.png"), *BRIEF, "-o", tmp_path / "other")
    outcome = done("atoms", tmp_path / "other", bench / "sae.safetensors", "--json")
    assert "was trained on another network" in outcome.err
    assert outcome.json["n_atoms"] == 32
