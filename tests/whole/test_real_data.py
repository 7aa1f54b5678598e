"""Real faces and photographs, where the environment variable INRLENS_DATA says where they are."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inrlens as il

DATA = Path(os.environ.get("INRLENS_DATA", ""))
pytestmark = pytest.mark.skipif(not os.environ.get("INRLENS_DATA"), reason="INRLENS_DATA names no folder of real data")


def _folder(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"INRLENS_DATA holds no folder {name}")
    return folder


@pytest.mark.slow
def test_a_cohort_of_faces_and_the_advice_that_it_gives() -> None:
    """The finding's own network and sizes; fewer steps than it takes, so only the argmax is claimed."""
    faces = il.load_folder(_folder("faces_89x109"), limit=11)
    assert {(face.shape, face.channels) for face in faces} == {((109, 89), 3)}
    assert not faces.skipped
    recipe = replace(il.recipes.fast("cohort", "siren"), steps=60)
    cohort = il.fit_cohort(faces[:10], recipe, seed=0)
    assert cohort.outcome == "finished"
    assert cohort.psnr > cohort.history[0].psnr + 5.0
    advice = il.freeze_advice(cohort.field)
    ranks = []
    for index in range(5):
        values = np.linalg.svd(cohort.field.encoder.layer(index).weight.detach().double().numpy(), compute_uv=False)
        ranks.append(float((values**2).sum() / values[0] ** 2))
    assert advice.weight_stable_rank == pytest.approx(ranks, rel=1e-6)
    assert advice.tau == int(np.argmax(ranks))
    assert ranks[0] < 2.0 + 1e-6
    moved = il.transfer(
        cohort.field,
        faces[10],
        freeze=advice.tau,
        rest="reinit",
        recipe=replace(il.recipes.fast("transfer", "siren"), steps=20),
    )
    assert moved.field.origin.notes["freeze"] == advice.tau
    assert moved.psnr > moved.history[0].psnr


def test_kodak_pictures_of_both_orientations_keep_their_own() -> None:
    folder = _folder("kodak")
    shapes = set()
    for name in ("kodim01.png", "kodim04.png"):
        picture = il.load_image(folder / name)
        shapes.add(picture.shape)
        with Image.open(folder / name) as opened:
            expected = np.asarray(opened, dtype=np.float32) / 255.0
        assert np.array_equal(picture.image().numpy(), expected)
        height, width = picture.shape
        x = il.coordinates(picture.shape)
        assert (float(x.min()), float(x.max())) == (-1.0, 1.0)
        row = 100 * width + 37
        assert np.array_equal(picture.values[row].numpy(), expected[100, 37])
        assert x[row].tolist() == pytest.approx([-1 + 2 * 37 / (width - 1), -1 + 2 * 100 / (height - 1)], abs=1e-6)
    assert shapes == {(512, 768), (768, 512)}


def test_grey_slices_load_as_one_channel() -> None:
    slices = il.load_folder(_folder("mri_128x128"), limit=3)
    assert {(slice_.shape, slice_.channels) for slice_ in slices} == {((128, 128), 1)}
