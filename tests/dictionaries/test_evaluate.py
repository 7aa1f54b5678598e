"""A dictionary's measures against plain numpy over every coordinate."""

import itertools
import math

import numpy as np
import pytest
import torch

import inrlens as il
import toys
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder

GRID = (70, 65)
"""More rows than one tile holds."""


def _dense(field: il.Field, sae: SparseAutoencoder, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Activations, codes ``(N, n)`` and reconstruction, in float64."""
    h = layer_rows(field, sae.layer, x=x).double().numpy()
    encoder, bias, decoder, centre = (
        value.double().numpy() for value in (sae.encoder, sae.encoder_bias, sae.decoder, sae.pre_bias)
    )
    u = np.maximum((h - centre) @ encoder.T + bias, 0.0)
    cut = np.sort(u, axis=1)[:, -sae.k][:, None]
    z = np.where((u >= cut) & (u > 0.0), u, 0.0)
    return h, z, z @ decoder + centre


def _psnr(output: np.ndarray, target: np.ndarray) -> float:
    return float(-10.0 * np.log10(((np.clip(output, 0, 1) - np.clip(target, 0, 1)) ** 2).mean()))


CASES = [*itertools.product((0, 2, 3), ("grid", "between"))]


@pytest.mark.parametrize(
    ("backbone", "layer", "where"),
    [(backbone, *CASES[(place + half) % 6]) for place, backbone in enumerate(il.backbone_names()) for half in (0, 3)],
)
def test_every_measure_equals_numpy(backbone: str, layer: int, where: str) -> None:
    field = toys.field(backbone, heads=2).double()
    with torch.no_grad():
        field.head.bias.fill_(0.5)  # most outputs within [0, 1]
    sae = toys.sae(field, layer=layer)
    x = il.coordinates(GRID, torch.float64) if where == "grid" else il.coordinates_between(GRID, torch.float64)
    quality = il.evaluate_sae(field, sae, grid=GRID, where=where)
    h, z, reconstruction = _dense(field, sae, x)
    assert (quality.where, quality.rows) == (where, len(h))
    assert quality.rows == (70 * 65 if where == "grid" else 69 * 64)
    error = ((reconstruction - h) ** 2).sum()
    assert quality.fvu == pytest.approx(error / ((h - h.mean(0)) ** 2).sum(), rel=1e-8)
    assert quality.r2 == 1.0 - quality.fvu
    assert quality.nmse == pytest.approx(error / (h**2).sum(), rel=1e-8)
    assert quality.alive == pytest.approx((z > 0).any(0).mean(), abs=1e-12)
    assert quality.dead == pytest.approx(1.0 - (z > 0).any(0).mean(), abs=1e-12)
    assert quality.spatial_l0 == pytest.approx((z > 0).mean(), rel=1e-12)
    with torch.no_grad():
        replaced = field.head(field.encoder.run(torch.from_numpy(reconstruction), layer + 1, None)).numpy()
        intact = field(x).numpy()
    heads = [slice(0, 3), slice(3, 6)]
    expected = np.mean([_psnr(replaced[:, columns], intact[:, columns]) for columns in heads])
    assert quality.fidelity_psnr == pytest.approx(expected, rel=1e-8)
    assert (quality.psnr, quality.psnr_intact) == (None, None)


def test_the_psnr_against_signals_with_and_without_the_dictionary(cohort: il.Field) -> None:
    members = toys.signals(3)
    sae = il.train_sae(cohort, 2, n_atoms=24, k=4, steps=50, batch=63, learning_rate=1e-2).sae
    quality = il.evaluate_sae(cohort, sae, members)
    h = layer_rows(cohort, 2)
    with torch.no_grad():
        replaced = cohort.head(cohort.encoder.run(sae(h), 3, None))
    expected = [il.psnr(replaced[:, cohort.columns(j)], member.values) for j, member in enumerate(members)]
    assert quality.psnr == pytest.approx(sum(expected) / 3, abs=1e-4)
    intact = [il.psnr(cohort.render(j), member.image()) for j, member in enumerate(members)]
    assert quality.psnr_intact == pytest.approx(sum(intact) / 3, abs=1e-4)
    between = il.evaluate_sae(cohort, sae, members, where="between")
    assert (between.rows, between.psnr) == (8 * 6, None)


def test_dead_is_counted_over_the_whole_grid_and_not_over_one_tile() -> None:
    """An atom that fires at the very last coordinate alone is alive."""
    field = toys.field().double()
    rows = layer_rows(field, 1, GRID)
    last = torch.nn.functional.normalize(rows[-1:], dim=1)
    scores = rows @ last[0]
    assert int(scores.argmax()) == len(rows) - 1 or float(scores[-1]) > 0.0
    sae = SparseAutoencoder(torch.cat([last, -last]), torch.zeros(16, dtype=torch.float64), 1, SaeOrigin(1))
    with torch.no_grad():
        order = scores.sort().values
        sae.encoder_bias.copy_(torch.stack([-(order[-1] + order[-2]) / 2.0, torch.tensor(-1e3).double()]))
    fires = int((scores + sae.encoder_bias.detach()[0] > 0).sum())
    quality = il.evaluate_sae(field, sae.requires_grad_(False), grid=GRID)
    assert fires == 1
    assert (quality.alive, quality.dead) == (0.5, 0.5)
    assert quality.spatial_l0 == pytest.approx(0.5 / len(rows))


def test_a_perfect_dictionary_and_a_layer_that_never_varies() -> None:
    field = toys.field().double()
    eye = torch.eye(16, dtype=torch.float64)
    perfect = SparseAutoencoder(torch.cat([eye, -eye]), eye[0] * 0.0, 16, SaeOrigin(1)).requires_grad_(False)
    quality = il.evaluate_sae(field, perfect)
    assert quality.fvu == pytest.approx(0.0, abs=1e-25)
    assert quality.r2 == pytest.approx(1.0)
    assert quality.fidelity_psnr > 200.0

    with torch.no_grad():
        field.encoder.layer(1).weight.zero_()
    constant = layer_rows(field, 1)[0]
    at_it, beside = (
        SparseAutoencoder(eye, constant + shift, 1, SaeOrigin(1)).requires_grad_(False) for shift in (0.0, 2.0)
    )
    with torch.no_grad():
        beside.encoder_bias.fill_(-10.0)
    assert il.evaluate_sae(field, at_it).fvu == pytest.approx(0.0, abs=1e-20)
    assert il.evaluate_sae(field, beside).fvu > 1e10

    with torch.no_grad():
        field.encoder.layer(1).bias.zero_()  # every activation is 0 exactly
    trained = il.train_sae(field, 1, n_atoms=4, k=1, steps=1, batch=63)
    assert trained.history[-1].fvu == 0.0
    zero = SparseAutoencoder(eye, eye[0] * 0.0, 1, SaeOrigin(1)).requires_grad_(False)
    assert (il.evaluate_sae(field, zero).fvu, il.evaluate_sae(field, zero).nmse) == (0.0, 0.0)
    with torch.no_grad():
        zero.pre_bias.fill_(1.0)
    assert (il.evaluate_sae(field, zero).fvu, il.evaluate_sae(field, zero).nmse) == (math.inf, math.inf)


def test_things_that_do_not_fit_together(cohort: il.Field) -> None:
    sae = toys.sae(cohort, layer=1)
    with pytest.raises(il.InputError, match="the field has 3 heads, 2 signals were given: one a head is needed"):
        il.evaluate_sae(cohort, sae, toys.signals(2))
    with pytest.raises(il.InputError, match=r"signal 'toy 0' of \(7, 9\) does not lie on the grid \(9, 7\)"):
        il.evaluate_sae(cohort, sae, toys.signals(3, (7, 9)))
    with pytest.raises(il.InputError, match="does not lie on the grid"):
        il.evaluate_sae(cohort, sae, toys.signals(3, channels=1))
    wide = SparseAutoencoder(torch.randn(8, 5, generator=toys.generator()), torch.zeros(5), 2, SaeOrigin(1))
    with pytest.raises(il.InputError, match="the dictionary is for layers of 5 units, layer 1 here has 16"):
        il.evaluate_sae(cohort, wide)
    deep = SparseAutoencoder(torch.randn(8, 16, generator=toys.generator()), torch.zeros(16), 2, SaeOrigin(4))
    with pytest.raises(il.InputError, match="layer 4 does not exist: this network has layers 0 to 3"):
        il.evaluate_sae(cohort, deep)
    assert math.isfinite(il.evaluate_sae(cohort, sae).fvu)


def test_psnr_is_over_the_samples_that_the_mask_uses() -> None:
    field = toys.field(heads=2)
    sae = toys.sae(field, 1)
    used = torch.rand(toys.GRID, generator=toys.generator(3)) < 0.4
    signals = [one.masked(used) for one in toys.signals(2)]
    found, x = il.evaluate_sae(field, sae, signals), field.grid_coordinates()
    values, atoms = il.encode(field, sae).values, il.encode(field, sae).indices
    replaced = field.run_on(sae.decode(values, atoms.long()), x, 1)
    rows = used.reshape(-1)
    for output, expected in ((field(x), found.psnr_intact), (replaced, found.psnr)):
        each = [il.psnr(output[rows][:, field.columns(head)], one.values[rows]) for head, one in enumerate(signals)]
        assert expected == pytest.approx(sum(each) / 2.0, abs=1e-4)
