"""Volumes on the command line: a folder of NIfTI files through every verb."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inrlens as il
from command import BRIEF, done, photo, refused
from inrlens.reports.views import GAP
from inrlens.studies.run_folder import open_field

pytestmark = pytest.mark.usefixtures("undrawn")

nibabel = pytest.importorskip("nibabel", reason="needs the extra nifti")

SHAPE = (8, 9, 10)
RASTER = (9 + GAP + 8, 10 + GAP + 8)
"""Rows and columns of the three slices."""


def scan(path: Path, scale: float = 1.0, shape: tuple[int, ...] = SHAPE) -> Path:
    il.save_volume(il.phantom(shape).image() * scale, path)
    return path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two scans, a cohort's run and a dictionary of its layer 1."""
    folder = tmp_path_factory.mktemp("volumes")
    (folder / "scans").mkdir()
    for index in range(2):
        scan(folder / "scans" / f"scan{index}.nii.gz", 1.0 - 0.3 * index)
    done("cohort", folder / "scans", *BRIEF, "-o", folder / "cohort")
    done("sae", folder / "cohort", "--layer", 1, "-n", 24, "-k", 3, "--steps", 5, "-o", folder / "sae.safetensors")
    return folder


def test_a_cohort_of_scans(bench: Path) -> None:
    field, signals = open_field(bench / "cohort")
    assert (field.grid, field.heads, field.channels) == (SHAPE, 2, 1)
    assert signals is not None
    assert [signal.name for signal in signals] == ["scan0.nii.gz", "scan1.nii.gz"]
    ranks = done("ranks", bench / "cohort", "--grid", "3x4x5", "--json").json
    assert len(ranks["weight_stable_rank"]) == field.depth


def test_a_new_scan_on_the_cohort(bench: Path, tmp_path: Path) -> None:
    new = scan(tmp_path / "new.nii.gz", 0.5)
    found = done("transfer", bench / "cohort", new, *BRIEF, "--freeze", 0, "-o", tmp_path / "moved", "--json").json
    assert found["signals"][0]["name"] == "new.nii.gz"
    assert open_field(tmp_path / "moved")[0].grid == SHAPE
    done("report", tmp_path / "moved")
    assert "volume" in (tmp_path / "moved" / "report.html").read_text()


def test_what_does_not_fit_is_said_in_one_sentence(bench: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for index in range(3):
        scan(folder / f"scan{index}.nii", shape=SHAPE if index else (7, 9, 10))
    told = refused("cohort", folder, *BRIEF, "-o", tmp_path / "run")
    assert "scan0.nii has 7x9x10 samples and 2 of 3 files 8x9x10" in told
    done("cohort", folder, *BRIEF, "--pattern", "*[12].nii", "-o", tmp_path / "run")
    flat = photo(tmp_path / "flat.png", mode="L")
    moved = ("transfer", bench / "cohort", flat, *BRIEF, "-o", tmp_path / "moved")
    assert "flat.png lies on 2 axes, the network's signals on 3 axes" in refused(*moved)
    pair = (bench / "cohort", bench / "sae.safetensors")
    assert "7x9x10 samples, and the grid 8x9x10" in refused(
        "ablate", *pair, "--atom", 0, "--image", folder / "scan0.nii"
    )
    assert "leave size and grey out" in refused("cohort", folder, "--grey", "-o", tmp_path / "other")
    assert "is no grid: write a whole number" in refused("ranks", bench / "cohort", "--grid", "3x0x5")
    assert "2 axes" in refused("ranks", bench / "cohort", "--grid", "3x4")


def test_a_ct_is_fitted_through_its_window(tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    stored = np.linspace(-2000.0, 2000.0, 720, dtype=np.float32).reshape(SHAPE)
    for index in range(2):
        nibabel.save(nibabel.Nifti1Image(np.roll(stored, index, 0), np.eye(4)), folder / f"ct{index}.nii.gz")
    asked = ("cohort", folder, *BRIEF, "-o", tmp_path / "run")
    assert "--window LOW,HIGH of inrlens fit, cohort, transfer and meta" in refused(
        "fit", folder / "ct0.nii.gz", *BRIEF, "-o", tmp_path / "one"
    )
    assert "is no window: write LOW,HIGH with low below high" in refused(*asked, "--window", "400,-1000")
    done(*asked, "--window", "-1000,400")
    _, signals = open_field(tmp_path / "run", None)
    assert signals is not None
    expected = ((stored + 1000.0) / 1400.0).clip(0.0, 1.0)
    assert signals[0].image()[..., 0].numpy() == pytest.approx(expected, abs=1e-4)
    done("transfer", tmp_path / "run", folder / "ct0.nii.gz", *BRIEF, "--window", "-1000,400", "-o", tmp_path / "moved")
    flat = photo(tmp_path / "flat.png", mode="L")
    assert "is an image, for which window means nothing: leave it out" in refused(
        "fit", flat, "--window", "0,1", "-o", tmp_path / "flat"
    )
    assert "is no folder of NIfTI files" in refused("cohort", tmp_path, "--window", "0,1", "-o", tmp_path / "flat")


def test_a_start_is_learned_from_scans_with_a_mask(bench: Path, tmp_path: Path) -> None:
    mask = np.ones(SHAPE, dtype=np.uint8)
    mask[2:5] = 0
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), tmp_path / "mask.nii")
    out = tmp_path / "start.safetensors"
    asked = ("meta", bench / "scans", "--recipe", "small", "--steps", 1, "--mask", tmp_path / "mask.nii", "-o", out)
    assert "small meta siren with steps=1 on 3 axes" in " ".join(done(*asked).out.split())
    field = il.load(out)
    assert (field.coordinates, field.origin.notes["left_out"]) == (3, 270)


@pytest.mark.slow
def test_atoms_and_ablations_are_drawn_as_slices(bench: Path, tmp_path: Path) -> None:
    pair = (bench / "cohort", bench / "sae.safetensors")
    top = done("atoms", *pair, "--top", 3, "--maps", tmp_path / "maps.png", "--json").json["top"]
    atom = int(top[0]["atom"])
    enlarged = -(-128 // RASTER[1])
    with Image.open(tmp_path / "maps.png") as image:
        assert image.width == 4 * (RASTER[1] * enlarged + 6) + 6
    one = done("ablate", *pair, "--atom", atom, "-o", tmp_path / "one.png", "--json").json
    assert one["coordinates"] == 720
    assert one["psnr_drop"] is not None
    alone = done("ablate", bench / "cohort" / "field.safetensors", pair[1], "--atom", atom, "--image",
                 bench / "scans" / "scan0.nii.gz", "--json").json  # fmt: skip
    assert alone["psnr_before"] == one["psnr_before"]
    atlas = done("atlas", *pair, "-o", tmp_path / "atlas.safetensors", "--page", tmp_path / "page.html", "--json").json
    assert atlas["grid"] == list(SHAPE)
    page = (tmp_path / "page.html").read_text()
    for words in ("One atom out", "Every atom", "across the first axis", "of the volume", "<span>slices "):
        assert words in page


def test_an_edit_is_written_as_a_volume_or_as_slices(bench: Path, tmp_path: Path) -> None:
    pair = ("edit", bench / "cohort", bench / "sae.safetensors", "--gain", "2=0")
    done(*pair, "-o", tmp_path / "a.nii.gz")
    done(*pair, "-o", tmp_path / "a.png")
    field, _ = open_field(bench / "cohort")
    sae = il.load(bench / "sae.safetensors")
    values = il.edit(field, sae, {2: 0.0})
    assert np.array_equal(nibabel.load(tmp_path / "a.nii.gz").get_fdata(dtype=np.float32), values[..., 0].numpy())
    with Image.open(tmp_path / "a.png") as image:
        drawn = np.asarray(image)
    assert drawn.shape[:2] == RASTER
    assert np.array_equal(drawn[:9, :10, 0], (values[4, ..., 0].clamp(0, 1) * 255).round().numpy())
    assert "a sound has 1 axis, not 3 axes" in refused(*pair, "-o", tmp_path / "a.wav")
    assert "must end in one of .png, .nii" in refused(*pair, "-o", tmp_path / "a.jpg")
