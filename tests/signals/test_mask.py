"""Masks: samples that are left out are seen by no step and count in no error."""

import html
import itertools
import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import command
import inrlens as il
import toys
from inrlens.checkpoints import load_atlas
from inrlens.fitting.fit_fields import Job, engine_of, fit_fields
from inrlens.fitting.loop import Problem, optimise
from inrlens.fitting.prefix import PrefixRows
from inrlens.reports import words
from inrlens.reports.sections.reconstructions import reconstructions
from inrlens.seeding import generator
from inrlens.signals.archive import load_signals, save_signals
from inrlens.studies.cells.image_metrics import image_metrics
from inrlens.studies.measure import mean_ssim
from inrlens.studies.run_folder import write_fit_run
from inrlens.studies.run_reader import OpenRun

MASK = torch.rand(toys.GRID, generator=toys.generator(7)) < 0.7


def masked(seed: int = 0, mask: Tensor = MASK) -> il.Signal:
    return toys.signal(seed).masked(mask)


def spoiled(signal: il.Signal) -> il.Signal:
    """The same signal with other values where its mask leaves them out."""
    assert signal.mask is not None
    values = torch.where(signal.mask[:, None], signal.values, 1.0 - signal.values)
    return replace(signal, values=values)


def equal(one: il.Field, other: il.Field) -> bool:
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_mask_picks_its_samples() -> None:
    signal = masked()
    assert torch.equal(signal.values[signal.used], toys.signal().values[MASK.reshape(-1)])
    assert signal.left_out == int((~MASK).sum()) > 0
    assert toys.signal().used == slice(None)
    assert toys.signal().left_out == 0
    assert signal.masked(None).mask is None
    assert toys.signal().masked(torch.ones(toys.GRID, dtype=torch.bool)).mask is None


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "uint16", "numpy", "numpy uint16", "flipped", "list"])
def test_bools_of_any_kind_and_ones_and_zeros_are_one_mask(kind: str) -> None:
    like = {
        "numpy": MASK.numpy(),
        "numpy uint16": MASK.numpy().astype(np.uint16),
        "flipped": MASK.numpy()[::-1, ::-1].copy()[::-1, ::-1],
        "list": MASK.tolist(),
    }
    mask: Any = like[kind] if kind in like else MASK.to(getattr(torch, kind))
    signal = toys.signal().masked(mask)
    assert signal.mask is not None
    assert signal.mask.dtype is torch.bool
    assert signal.digest == masked().digest
    assert (signal.used_count, signal.left_out) == (int(MASK.sum()), int((~MASK).sum()))
    assert replace(toys.signal(), mask=MASK.reshape(-1).to(torch.uint8)).digest == masked().digest
    found = il.fit(signal, toys.recipe(steps=3), seed=1)
    away = (found.field.render().clamp(0.0, 1.0).double() - toys.signal().image().double()).square()[~MASK].mean()
    assert found.left_out_psnr == pytest.approx(-10.0 * math.log10(float(away)), abs=1e-4)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (MASK.to(torch.uint8) * 255, "uint8 values must be True where a sample is used"),
        (MASK.float(), "float32 values must be True where a sample is used .* compare first, as in mask > 0.5"),
        (MASK.numpy().astype("f8"), "float64 values"),
        (-MASK.long(), "int64 values"),
        ([[True]], "shape \\(1, 1\\) does not lie on the grid"),
        ([[True], [True, False]], "True and False, not this list"),
        ("mask.png", "True and False, not this str"),
    ],
)
def test_anything_else_is_no_mask(mask: Any, message: str) -> None:
    with pytest.raises(il.InputError, match=message):
        toys.signal().masked(mask)


def test_a_digest_knows_the_mask_and_older_digests_stay() -> None:
    assert len({toys.signal().digest, masked().digest, masked(mask=~MASK).digest}) == 3
    assert masked().masked(None).digest == toys.signal().digest


BATCHES = pytest.mark.parametrize(
    ("backbone", "batch"), [*zip(il.backbone_names(), itertools.cycle([None, 8]), strict=False), ("siren", 8)]
)
"""Each backbone with all rows in a step or with some; one with both."""


@BATCHES
@pytest.mark.few_backbones
def test_no_step_sees_what_is_left_out(backbone: str, batch: int | None) -> None:
    recipe = toys.recipe(backbone, steps=8, batch=batch)
    found = il.fit(masked(), recipe, seed=3)
    other = il.fit(spoiled(masked()), recipe, seed=3)
    assert equal(found.field, other.field)
    assert found.psnr == other.psnr
    assert found.left_out_psnrs != other.left_out_psnrs
    assert not equal(found.field, il.fit(toys.signal(), recipe, seed=3).field)


def test_a_full_batch_is_the_gradient_over_the_kept_rows() -> None:
    """In float64: Adam divides by a gradient's size, and so makes much of a small one's rounding."""
    recipe = toys.recipe(steps=3)
    field, plain = (toys.field(heads=1, seed=1).double() for _ in range(2))
    fit_fields([field], [[masked()]], Job(recipe, "single", 1))
    x, target = plain.grid_coordinates()[MASK.reshape(-1)], masked().values[MASK.reshape(-1)].double()
    optimiser = torch.optim.Adam(plain.parameters(), lr=recipe.learning_rate)
    for _ in range(3):
        optimiser.zero_grad()
        (plain(x) - target).square().mean().backward()
        optimiser.step()
    for name, value in field.state_dict().items():
        torch.testing.assert_close(value, plain.state_dict()[name], rtol=0, atol=1e-9)


@BATCHES
@pytest.mark.few_backbones
def test_a_fit_is_one_of_the_kept_rows_bit_for_bit(backbone: str, batch: int | None) -> None:
    recipe = toys.recipe(backbone, batch=batch)
    found = il.fit(masked(), recipe, seed=3)
    assert recipe.backbone is not None
    plain = il.Field.new(recipe.backbone, seed=3, grid=toys.GRID)
    flat = MASK.reshape(-1)
    x, targets = plain.grid_coordinates()[flat], toys.signal().values[flat][None]
    engine = engine_of([plain], Job(recipe, "single", 3), len(x))
    inputs = PrefixRows(plain.encoder, x, 0, engine.budget)
    problem = Problem(engine.stack, partial(engine.gradient, inputs, targets), len(x), engine.channels)
    optimise(problem, recipe, generator(3, "single", "batches"))
    assert equal(found.field, plain)


def test_a_mask_that_uses_everything_is_none(backbone: str) -> None:
    every = torch.ones(toys.GRID, dtype=torch.bool)
    recipe, signal = toys.recipe(backbone, steps=8, batch=8), replace(toys.signal(), mask=every.reshape(-1))
    assert (signal.mask, signal.digest, signal.used_count) == (None, toys.signal().digest, 63)
    found, plain = il.fit(signal, recipe, seed=3), il.fit(toys.signal(), recipe, seed=3)
    assert equal(found.field, plain.field)
    assert (found.psnrs, found.left_out_psnrs, found.left_out_psnr) == (plain.psnrs, None, None)


def test_a_hole_is_filled_from_what_lies_around_it() -> None:
    """A ramp goes on through a hole that is narrower than the network's waves; what else may lie there is not found."""
    x = il.coordinates((20, 20))
    ramp = torch.stack([0.5 + 0.4 * x[:, 0], 0.5 + 0.4 * x[:, 1], 0.5 + 0.2 * x.sum(1)], 1)
    kept = torch.ones(20, 20, dtype=torch.bool)
    kept[7:12, 12:17] = False
    picture = il.Signal("ramp", ramp, (20, 20)).masked(kept)
    network = il.make_backbone("siren", width=16, depth=2, omega_0=3.0)
    recipe = il.Recipe("toy", network, steps=200, learning_rate=3e-3, schedule="cosine")
    found = il.fit(picture, recipe, seed=0)
    assert found.left_out_psnr is not None
    hidden, mean = ramp[~kept.reshape(-1)], ramp[kept.reshape(-1)].mean(0)
    assert found.left_out_psnr > il.psnr(mean.expand_as(hidden), hidden), "filled no better than by one colour"
    other = il.fit(spoiled(picture), recipe, seed=0)
    assert other.left_out_psnr is not None
    assert other.left_out_psnr < other.psnr


def test_many_fits_of_unlike_masks_equal_each_alone() -> None:
    signals, recipe = [masked(), masked(mask=~MASK), toys.signal()], toys.recipe()
    for signal, found in zip(signals, il.fit_many(signals, recipe, seeds=(5,)), strict=True):
        alone = il.fit(signal, recipe, seed=5)
        assert equal(found.field, alone.field)
        assert found.left_out_psnrs == alone.left_out_psnrs


def test_a_state_is_of_one_mask(tmp_path: Path) -> None:
    recipe, state = toys.recipe(steps=8), il.Resume(tmp_path / "state", 0.0, keep=True)
    whole = il.fit(masked(), recipe, seed=1)
    first = il.fit(masked(), replace(recipe, steps=8), seed=1, resume=state)
    assert equal(first.field, whole.field)
    assert equal(il.fit(masked(), recipe, seed=1, resume=state).field, whole.field)
    with pytest.raises(il.InputError, match="signal"):
        il.fit(masked(mask=~MASK), recipe, seed=1, resume=state)


def test_quality_is_told_of_both_parts() -> None:
    signals = [masked(0), masked(1)]
    found = il.fit_cohort(signals, toys.recipe(), seed=0)
    assert found.left_out_psnrs is not None
    for head, signal in enumerate(signals):
        out, flat = found.field.render(head).reshape(-1, 3), MASK.reshape(-1)
        assert found.psnrs[head] == pytest.approx(il.psnr(out[flat], signal.values[flat]), abs=1e-4)
        assert found.left_out_psnrs[head] == pytest.approx(il.psnr(out[~flat], signal.values[~flat]), abs=1e-4)
    notes = found.field.origin.notes
    assert notes["left_out"] == signals[0].left_out
    assert notes["left_out_psnr_db"] == pytest.approx(sum(found.left_out_psnrs) / 2)
    assert il.fit_cohort(toys.signals(2), toys.recipe(), seed=0).left_out_psnrs is None


def test_many_transfers_of_unlike_masks_equal_each_alone() -> None:
    cohort = toys.field().double()
    cells = [
        il.TransferJob(signal, freeze, seed=2)
        for signal in (masked(), masked(mask=~MASK), toys.signal())
        for freeze in (0, 1)
    ]
    many = il.transfer_many(cohort, cells, recipe=toys.recipe(None))
    for cell, found in zip(cells, many, strict=True):
        alone = il.transfer(cohort, cell.signal, freeze=cell.freeze, recipe=toys.recipe(None), seed=2)
        for name, value in found.field.state_dict().items():
            torch.testing.assert_close(value, alone.field.state_dict()[name], rtol=0, atol=1e-9)
        assert found.psnr == pytest.approx(alone.psnr, abs=1e-6)
        assert (found.left_out_psnrs is None) == (cell.signal.mask is None)


@pytest.mark.few_backbones
def test_atoms_cost_what_they_cost_on_the_samples_used(backbone: str) -> None:
    field = toys.field(backbone).double()
    sae, target = toys.sae(field), masked(1)
    codes, flat = il.encode(field, sae), MASK.reshape(-1)
    atlas = il.effects(field, sae, codes, 1, signal=target)

    def quality(picture: Tensor) -> float:
        return il.psnr(picture.reshape(-1, 3)[flat], target.values[flat].to(picture))

    intact = quality(field.render(1))
    for atom in range(0, sae.n_atoms, 5):
        one = il.ablate(field, sae, atom, head=1, signal=target)
        assert one.psnr_before == pytest.approx(intact, abs=1e-9)
        assert one.psnr_drop == pytest.approx(intact - quality(il.edit(field, sae, {atom: 0.0}, head=1)), abs=1e-9)
        assert float(atlas.psnr_drop[atom]) == pytest.approx(one.psnr_drop, abs=1e-7)
    pair = atlas.rank("energy")[:2]
    gone = quality(il.edit(field, sae, dict.fromkeys(pair, 0.0), head=1))
    curve = il.group_curve(field, sae, codes, pair, target, head=1)
    assert curve.psnr[-1] == pytest.approx(gone, abs=1e-7)
    (both,) = il.interactions(field, sae, atlas, [(pair[0], pair[1])])
    assert both.joint_drop == pytest.approx(intact - gone, abs=1e-7)


def test_a_dictionary_is_measured_on_the_samples_used() -> None:
    field = toys.field().double()
    sae, flat = toys.sae(field), MASK.reshape(-1)
    found = il.evaluate_sae(field, sae, [masked(0), masked(1)])
    whole = il.evaluate_sae(field, sae, toys.signals(2))
    outputs = [field.render(head).reshape(-1, 3)[flat] for head in range(2)]
    expected = [il.psnr(out, toys.signal(head).values[flat].to(out)) for head, out in enumerate(outputs)]
    assert found.psnr_intact == pytest.approx(sum(expected) / 2, abs=1e-9)
    assert found.psnr != whole.psnr
    assert (found.fvu, found.rows, found.fidelity_psnr) == (whole.fvu, whole.rows, whole.fidelity_psnr)


def test_masks_are_kept_in_archives_and_atlases(tmp_path: Path) -> None:
    save_signals([masked(), toys.signal(1)], tmp_path / "signals.safetensors")
    first, second = load_signals(tmp_path / "signals.safetensors")
    assert first.digest == masked().digest
    assert second.mask is None
    field = toys.field()
    sae = toys.sae(field)
    atlas = il.effects(field, sae, il.encode(field, sae), signal=masked())
    il.save(atlas, tmp_path / "atlas.safetensors")
    read = load_atlas(tmp_path / "atlas.safetensors")
    assert read.signal is not None
    assert read.signal.digest == masked().digest
    assert torch.equal(il.psnr_drops(read, read.signal), atlas.psnr_drop)


def test_masks_that_cannot_be_used() -> None:
    with pytest.raises(il.InputError, match=r"a mask of shape \(3, 3\) does not lie on the grid \(9, 7\)"):
        toys.signal().masked(torch.ones(3, 3, dtype=torch.bool))
    with pytest.raises(il.InputError, match="a mask of 63 samples, 0 of them used, where the grid has 63"):
        toys.signal().masked(torch.zeros(toys.GRID, dtype=torch.bool))
    with pytest.raises(il.InputError, match="all signals of a fit must leave out the same samples: 'toy 0' leaves out"):
        il.fit_cohort([masked(0), toys.signal(1)], toys.recipe())
    with pytest.raises(il.InputError, match="signals 'toy 0' and 'toy 1' leave out different samples"):
        il.evaluate_sae(toys.field(), toys.sae(toys.field()), [masked(0), toys.signal(1)])


def test_a_mask_file_says_what_is_not_zero(tmp_path: Path) -> None:
    colour = np.zeros((9, 7, 3), dtype=np.uint8)
    colour[2, 3, 2] = 1  # as grey this is 0
    Image.fromarray(colour).save(tmp_path / "blue.png")
    assert il.load_mask(tmp_path / "blue.png", toys.signal()).nonzero().tolist() == [[2, 3]]
    deep = np.zeros((9, 7), dtype=np.uint16)
    deep[4, 1] = 1
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert il.load_mask(tmp_path / "deep.png", toys.signal()).nonzero().tolist() == [[4, 1]]
    row = np.ones((1, 63), dtype=np.uint8)
    row[0, 5] = 0
    Image.fromarray(row).save(tmp_path / "row.png")
    sound = il.Recording("tone", toys.signal(channels=1).values, (63,), rate=8)
    assert sound.masked(il.load_mask(tmp_path / "row.png", sound)).left_out == 1
    assert isinstance(sound.masked(None), il.Recording)


def test_a_mask_of_a_volume_lies_where_the_volume_lies(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    turned = np.diag([2.0, 2.0, -3.0, 1.0])
    scan = toys.signal(grid=(1, 4, 5), channels=1).placed(turned)
    array = np.ones((1, 4, 5), dtype=np.int16)
    array[0, 1, 2], array[0, 3, 4] = 0, -2

    def saved(name: str, values: np.ndarray, affine: np.ndarray) -> Path:
        nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / name)
        return tmp_path / name

    used = il.load_mask(saved("mask.nii.gz", array, turned), scan)
    assert used.shape == (1, 4, 5)
    assert (~used).nonzero().tolist() == [[0, 1, 2]]
    nearly = turned + np.array([[0, 0, 0, 0.9], *np.zeros((3, 4))])
    assert torch.equal(il.load_mask(saved("near.nii", array, nearly), scan), used)
    flipped = np.diag([2.0, 2.0, 3.0, 1.0])
    with pytest.raises(il.InputError, match=r"flipped\.nii lies elsewhere in space than .*, up to 8 samples away"):
        il.load_mask(saved("flipped.nii", array, flipped), scan)
    with pytest.raises(il.InputError, match="holds NaN: a mask is 0 where"):
        il.load_mask(saved("nan.nii", np.full((1, 4, 5), np.nan, dtype=np.float32), turned), scan)
    with pytest.raises(il.InputError, match=r"small\.nii holds 4x4 samples, signal 'toy 0' 1x4x5"):
        il.load_mask(saved("small.nii", array[0, :, :4], turned), scan)


def test_mask_files_that_cannot_be_trusted(tmp_path: Path) -> None:
    square = np.zeros((9, 7), dtype=np.uint8)
    Image.fromarray(square).save(tmp_path / "none.png")
    with pytest.raises(il.InputError, match=r"none\.png is 0 everywhere, so that no sample would be used"):
        il.load_mask(tmp_path / "none.png", toys.signal())
    Image.fromarray(square + 255).save(tmp_path / "blurred.jpg")
    with pytest.raises(
        il.InputError, match=r"blurred\.jpg is a JPEG, a format that may blur the border .* save the mask as PNG"
    ):
        il.load_mask(tmp_path / "blurred.jpg", toys.signal())
    clear = np.full((9, 7, 4), 255, dtype=np.uint8)
    clear[3:, :, 3] = 0
    Image.fromarray(clear).save(tmp_path / "clear.png")
    with pytest.raises(il.InputError, match=r"clear\.png is transparent in parts"):
        il.load_mask(tmp_path / "clear.png", toys.signal())
    with pytest.raises(il.InputError, match=r"missing\.png does not exist"):
        il.load_mask(tmp_path / "missing.png", toys.signal())
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(il.InputError, match=r"text\.png is not an image"):
        il.load_mask(tmp_path / "text.png", toys.signal())


def test_windows_see_no_masked_signal() -> None:
    hole = torch.ones(16, 16, dtype=torch.bool)
    hole[4:8] = False
    fitted = il.fit(toys.signal(0, (16, 16)), toys.recipe())
    assert mean_ssim(fitted.field, [toys.signal(0, (16, 16))]) is not None
    assert mean_ssim(fitted.field, [toys.signal(0, (16, 16)).masked(hole)]) is None
    whole = image_metrics(fitted.field, toys.signal(0, (16, 16)), ["ssim"], None, None)
    parts = image_metrics(fitted.field, toys.signal(0, (16, 16)).masked(hole), ["ssim"], None, None)
    assert whole["ssim"] is not None
    assert parts == {"ssim": None, "lpips": None}


def test_a_report_counts_and_shows_what_is_used(tmp_path: Path) -> None:
    """Whatever lies under the mask, the page's numbers and pictures are the same."""
    hole = torch.ones(20, 24, dtype=torch.bool)
    hole[6:12, 6:12] = False
    pages = []
    for number, signal in enumerate(
        [toys.signal(0, (20, 24)).masked(hole), spoiled(toys.signal(0, (20, 24)).masked(hole))]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = il.fit(signal, toys.recipe(), seed=0)
        write_fit_run(folder, found, [signal])
        section = reconstructions(OpenRun(folder))
        assert section is not None
        (shot,) = section.first
        pages.append(shot)
        assert shot.psnr == words.db(found.psnr, 2)
        assert shot.ssim == words.MISSING
    assert pages[0] == pages[1]


def test_a_mask_on_the_command_line(tmp_path: Path, undrawn: None) -> None:
    photo, holes = command.photo(tmp_path / "photo.png"), tmp_path / "mask.png"
    used = np.ones(command.SIZE, dtype=np.uint8)
    used[2:5, 3:9] = 0
    Image.fromarray(used).save(holes)
    assert torch.equal(il.load_mask(holes, il.load_image(photo)), torch.from_numpy(used).bool())
    out = tmp_path / "run"
    shown = command.done("fit", photo, *command.BRIEF, "--mask", holes, "-o", out).out
    assert "left out 18 of 192 samples by the mask; PSNR there" in " ".join(shown.split())
    assert "SSIM none: its windows would see samples that are left out" in " ".join(shown.split())
    notes = command.done("info", out, "--json").json
    assert "left_out" in str(notes)
    command.done("transfer", out, photo, *command.BRIEF, "--freeze", 0, "--mask", holes, "-o", tmp_path / "moved")
    two = command.done(
        *("cohort", command.photos(tmp_path / "photos", 2), *command.BRIEF, "--mask", holes),
        *("-o", tmp_path / "two", "--json"),
    ).json
    assert (two["left_out"], two["ssim"]) == (18, None)
    assert two["left_out_psnr"] == pytest.approx(sum(one["left_out_psnr"] for one in two["signals"]) / 2)
    assert two["psnr"] == pytest.approx(sum(one["psnr"] for one in two["signals"]) / 2)
    plain = command.done("fit", photo, *command.BRIEF, "-o", tmp_path / "plain", "--json").json
    assert (plain["left_out"], plain["left_out_psnr"], plain["signals"][0]["left_out_psnr"]) == (0, None, None)
    command.done("report", out)
    page = html.unescape((out / "report.html").read_text(encoding="utf-8"))
    assert "18 of 192 samples (9.4" in page
    assert page.count("without the samples left out") == 2
    assert "Hatched are samples that a mask leaves out" in page
    command.done("report", tmp_path / "plain")
    assert "atched" not in (tmp_path / "plain" / "report.html").read_text(encoding="utf-8")
    said = command.refused("fit", photo, "--size", "6x8", "--mask", holes, "-o", tmp_path / "other")
    assert said == f"{holes} holds 12x16 samples, signal 'photo.png' 6x8: give a mask of the size that is fitted."


def test_a_meta_learned_start_sees_no_more() -> None:
    assert toys.recipe().backbone is not None
    recipe = il.MetaRecipe("toy", toys.recipe().backbone, steps=2, learning_rate=1e-3, signals=2)
    found, other = (
        il.fit_reptile(own, recipe) for own in ([masked(0), masked(1)], [spoiled(masked(0)), spoiled(masked(1))])
    )
    assert equal(found.field, other.field)


def test_a_mask_on_the_grid_is_one_entry_a_sample_too() -> None:
    used = torch.arange(12).reshape(3, 4) > 3
    one, other = (il.Signal("x", torch.rand(12, 1), (3, 4), mask=mask) for mask in (used, used.reshape(-1)))
    assert one.mask is not None
    assert other.mask is not None
    assert torch.equal(one.mask, other.mask)
