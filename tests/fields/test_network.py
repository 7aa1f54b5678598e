"""The range of a network's coordinates: a setting that every analysis follows, and its exact equivalent in [-1, 1]."""

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from inrlens.container import read_container, write_container
from inrlens.dictionaries.evaluate import evaluate_sae
from inrlens.explorer.folder import read_manifest
from inrlens.fields.complex_layer import LiftedLayer
from inrlens.fields.encoding import FourierProjection
from inrlens.signals.signal import coordinates_between

GRID = (7, 9)
UNIT = (0.0, 1.0)


def stated(backbone: str, span: tuple[float, float] = UNIT, **more: object) -> il.Field:
    """A small network over ``span``, float64."""
    settings = {**toys.SMALL[backbone], "coordinate_range": span, **more}
    return il.Field.new(backbone, heads=2, grid=GRID, **settings).double()


def folded(field: il.Field) -> il.Field:
    """The same function over [-1, 1]: of a map ``u x + v`` of every coordinate, u goes into what multiplies it and v
    into what is added; waves that are shifted are sums of waves that are not."""
    low, high = field.coordinate_range
    u, v = (high - low) / 2.0, (high + low) / 2.0
    found = il.Field.new(replace(field.backbone, coordinate_range=(-1.0, 1.0)), heads=2, grid=GRID).double()
    found.load_state_dict(deepcopy(field.state_dict()))
    first, encoding = found.encoder.layer(0), found.encoder.encoding
    with torch.no_grad():
        if isinstance(encoding, FourierProjection):
            waves = len(encoding.frequencies)
            shift = 2.0 * math.pi * v * encoding.frequencies.sum(1)
            encoding.frequencies *= u
            sines, cosines = first.weight[:, :waves].clone(), first.weight[:, waves : 2 * waves].clone()
            first.weight[:, :waves] = sines * shift.cos() - cosines * shift.sin()
            first.weight[:, waves : 2 * waves] = sines * shift.sin() + cosines * shift.cos()
            first.bias += v * first.weight[:, 2 * waves :].sum(1)
            first.weight[:, 2 * waves :] *= u
        elif encoding is None:
            # Complex layers give theirs over real units and keep them under other names.
            weight, bias = (
                (first.real, first.real_bias) if isinstance(first, LiftedLayer) else (first.weight, first.bias)
            )
            bias += v * weight.sum(1)
            weight *= u
    return found


@pytest.mark.parametrize("span", [(0.0, 1.0), (-0.5, 0.5), (3.0, 7.5)])
def test_a_grid_s_coordinates_run_over_the_span(span: tuple[float, float]) -> None:
    low, high = span
    for made in (il.coordinates, coordinates_between):
        whole, ours = made(GRID, torch.float64), made(GRID, torch.float64, span)
        torch.testing.assert_close(ours, low + (whole + 1.0) / 2.0 * (high - low), rtol=0.0, atol=1e-12)
    ends = il.coordinates(GRID, torch.float32, span)
    assert (float(ends.min()), float(ends.max())) == span
    assert il.coordinates((1,), torch.float64, span).item() == (low + high) / 2.0


@pytest.mark.parametrize("span", [(0.0, 1.0), (-2.0, 0.5)])
@pytest.mark.parametrize("backbone", il.backbone_names())
def test_a_range_and_its_fold_are_one_function(backbone: str, span: tuple[float, float]) -> None:
    field = stated(backbone, span)
    same = folded(field)
    assert (field.coordinate_range, same.coordinate_range) == (span, (-1.0, 1.0))
    for ours, theirs in zip(field.render_all(), same.render_all(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0.0, atol=1e-9)
    for variant in ("post", "post_centred", "pre"):
        ranks, others = il.activation_stable_ranks(field)[variant], il.activation_stable_ranks(same)[variant]
        assert ranks == pytest.approx(others, rel=1e-6), variant
    weights, again = il.weight_stable_ranks(field), il.weight_stable_ranks(same)
    kept = 0 if field.encoder.encoding is None or backbone == "hashgrid" else 1
    assert weights[kept:] == pytest.approx(again[kept:], rel=1e-9)


@pytest.mark.parametrize("backbone", ["siren", "ffmlp", "hashgrid"])
def test_analyses_follow_the_range(backbone: str) -> None:
    field = stated(backbone)
    same, sae = folded(field), toys.sae(field, 1, dtype=torch.float64)
    for where in ("grid", "between"):
        ours, theirs = (evaluate_sae(one, sae, where=where) for one in (field, same))
        assert ours.fvu == pytest.approx(theirs.fvu, rel=1e-6)
        assert ours.fidelity_psnr == pytest.approx(theirs.fidelity_psnr, rel=1e-6)
    one, other = (il.effects(each, sae, il.encode(each, sae)) for each in (field, same))
    torch.testing.assert_close(one.delta, other.delta, rtol=0.0, atol=1e-9)


def test_a_fit_sees_the_range_and_its_files_keep_it(tmp_path: Path) -> None:
    recipe = toys.recipe()
    assert recipe.backbone is not None
    over = replace(recipe, backbone=replace(recipe.backbone, coordinate_range=UNIT))
    seen: list[Tensor] = []
    fitted = il.fit(toys.signal(), over, seed=3).field
    fitted.encoder.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    fitted.render()
    rows = torch.cat(seen) if seen else fitted.grid_coordinates()
    assert (float(rows.min()), float(rows.max())) == UNIT
    il.save(fitted, tmp_path / "f.safetensors")
    again = il.load(tmp_path / "f.safetensors")
    assert isinstance(again, il.Field)
    assert again.coordinate_range == UNIT
    assert torch.equal(again.render(), fitted.render())
    whole = il.Field(recipe.backbone, fitted.encoder, fitted.head, fitted.channels, fitted.grid)
    assert not torch.equal(whole.render(), fitted.render())
    assert whole.digest(0) != fitted.digest(0)


def test_files_without_the_setting_mean_the_whole_range_and_contradictions_are_refused(tmp_path: Path) -> None:
    field = toys.field("siren")
    il.save(field, tmp_path / "new.safetensors")
    held = read_container(tmp_path / "new.safetensors")
    older, wrong = deepcopy(held.description), deepcopy(held.description)
    del older["architecture"]["settings"]["coordinate_range"]
    wrong["coordinate_range"] = [0.0, 1.0]
    for name, about in (("old", older), ("wrong", wrong)):
        write_container(tmp_path / f"{name}.safetensors", replace(held, description=about))
    old = il.load(tmp_path / "old.safetensors")
    assert isinstance(old, il.Field)
    assert old.coordinate_range == (-1.0, 1.0)
    with pytest.raises(il.InputError, match=r"says coordinate_range \[0.0, 1.0\], the network it describes has \[-1.0"):
        il.load(tmp_path / "wrong.safetensors")


@pytest.mark.parametrize("span", [(1.0, 0.0), (0.5, 0.5), (0.0, math.inf), (0.0,), (0.0, 0.5, 1.0)])
@pytest.mark.parametrize("backbone", il.backbone_names())
def test_a_range_that_is_none_is_refused(backbone: str, span: tuple[float, ...]) -> None:
    with pytest.raises(
        il.InputError, match=rf"{backbone}: coordinate_range must be two finite numbers, .* the smaller"
    ):
        il.make_backbone(backbone, coordinate_range=span)
    with pytest.raises(il.InputError, match=rf"{backbone}: coordinate_range must be numbers, not 'unit'"):
        il.make_backbone(backbone, coordinate_range="unit")


@pytest.mark.parametrize("backbone", ["siren", "ffmlp", "wire"])
def test_what_leaves_takes_the_range(backbone: str, tmp_path: Path) -> None:
    field = stated(backbone).float()
    x = field.grid_coordinates()
    torch.testing.assert_close(il.to_sequential(field)(x), field(x), rtol=0.0, atol=1e-5)
    wrapped = il.wrap(il.to_sequential(field, 0), ["1"] if backbone != "ffmlp" else ["2"], coordinates=UNIT, grid=GRID)
    torch.testing.assert_close(wrapped.render(), field.render(0), rtol=0.0, atol=1e-5)
    il.write_explorer(field, tmp_path / "page", signal=toys.signals(2, GRID))
    (about,) = read_manifest(tmp_path / "page")["networks"]
    assert about["coordinate_range"] == [0.0, 1.0]


def test_physical_points_come_to_the_range() -> None:
    signal = replace(toys.signal(), affine=((2.0, 0.0, 5.0), (0.0, 3.0, -1.0)))
    recipe = toys.recipe()
    assert recipe.backbone is not None
    field = il.fit(signal, replace(recipe, backbone=replace(recipe.backbone, coordinate_range=UNIT)), seed=1).field
    rows, columns = signal.shape
    corners = [[5.0, -1.0], [5.0 + 2.0 * (rows - 1), -1.0 + 3.0 * (columns - 1)]]
    picture = field.render()
    torch.testing.assert_close(field.at(corners), torch.stack([picture[0, 0], picture[-1, -1]]), rtol=0.0, atol=1e-5)
