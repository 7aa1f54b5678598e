"""Where and how strongly atoms act: brute force over each atom's own picture."""

import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given, strategies as st

import inrlens as il
import toys
from inrlens.atoms.codes import Codes
from inrlens.atoms.footprint import RADIUS, footprint
from inrlens.atoms.pieces import map_pieces
from inrlens.atoms.statistics import ACTIVE_THRESHOLD


def _atlas(grid: tuple[int, ...]) -> il.Effects:
    field = toys.field(channels=2, heads=1, **({} if len(grid) == 2 else {"coordinates": len(grid)}), grid=grid)
    sae = il.train_sae(field, 1, n_atoms=40, k=4, steps=3, batch=32).sae
    sae.encoder_bias[-1] = -1e3
    return il.effects(field, sae, il.encode(field, sae), signal=toys.signal(0, grid, channels=2))


@pytest.fixture(scope="module", params=[(9, 7), (70, 65), (64,), (5, 6, 4)], ids=str)
def atlas(request: pytest.FixtureRequest) -> il.Effects:
    grid: tuple[int, ...] = request.param
    return _atlas(grid)


def test_every_number_is_that_of_the_atoms_own_picture(atlas: il.Effects) -> None:
    found, grid = atlas.footprint, atlas.codes.grid
    x = il.coordinates(grid, torch.float64).numpy().reshape(*grid, len(grid))
    places = np.stack(np.meshgrid(*(np.arange(side) for side in grid), indexing="ij"), axis=-1)
    checked = 0
    for atom in range(40):
        delta, z = atlas.of(atom).double().numpy(), atlas.codes.map(atom).numpy()
        power = (delta**2).sum(-1)
        assert float(found.energy[atom]) == pytest.approx((delta**2).mean(), rel=1e-9)
        assert float(found.largest[atom]) == pytest.approx(np.abs(delta).max(), rel=1e-9)
        assert float(found.support[atom]) == pytest.approx((power > 0).mean())
        active = z > 0.01
        if not active.any():
            assert (found.box[atom] == -1).all()
            assert found.box_share[atom] == 0.0
        else:
            corners = places[active]
            low, high = corners.min(0), corners.max(0)
            assert found.box[atom].tolist() == [[a, b] for a, b in zip(low, high, strict=True)]
            assert float(found.box_share[atom]) == pytest.approx(np.prod(high - low + 1) / power.size)
            inside = ((places >= low) & (places <= high)).all(-1)
            assert float(found.in_box[atom]) == pytest.approx(power[inside].sum() / power.sum(), rel=1e-9)
        if not power.any():
            assert torch.isnan(found.in_radius[atom])
            assert torch.isnan(found.colour[atom]).all()
            continue
        assert found.colour[atom].tolist() == pytest.approx(delta[z > 0].mean(0), rel=1e-6, abs=1e-12)
        centre = (power[..., None] * x).reshape(-1, len(grid)).sum(0) / power.sum()
        assert found.centre[atom].tolist() == pytest.approx(centre, rel=1e-9, abs=1e-9)
        near = ((x - centre) ** 2).sum(-1) <= RADIUS**2
        assert float(found.in_radius[atom]) == pytest.approx(power[near].sum() / power.sum(), abs=1e-9)
        checked += 1
    assert checked >= 10


def test_pieces_are_scipys(atlas: il.Effects) -> None:
    expected = [scipy.ndimage.label(atlas.codes.map(atom).numpy() > 0.0)[1] for atom in range(40)]
    assert atlas.footprint.pieces.tolist() == expected
    assert max(expected) > 1


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(0, 99), st.sampled_from([1, 7, 2**21]))
def test_pieces_of_any_codes(height: int, width: int, n: int, seed: int, block: int) -> None:
    k = min(2, n)
    draws = toys.generator(seed)
    scores = torch.rand(height * width, n, generator=draws)
    indices = scores.topk(k, dim=1).indices.to(torch.int32)
    values = (torch.rand(height * width, k, generator=draws) - 0.3).clamp_min(0.0)
    codes = Codes(indices, values, n, (height, width))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("inrlens.atoms.pieces._BLOCK", block)
        found = map_pieces(codes)
    assert found.tolist() == [scipy.ndimage.label(codes.map(atom).numpy() > 0.0)[1] for atom in range(n)]


# -- ranking ---------------------------------------------------------------------------------------------------------


def test_ranks_are_of_living_atoms_largest_first(atlas: il.Effects) -> None:
    alive = set((~atlas.statistics.dead).nonzero()[:, 0].tolist())
    assert len(alive) < 40
    for by in ("psnr_drop", "energy", "support", "in_radius", "pieces", "mean_magnitude", "firing_rate"):
        order, values = atlas.rank(by), atlas.measure(by)
        assert set(order) == alive
        known = [float(values[atom]) for atom in order if not torch.isnan(values[atom])]
        assert known == sorted(known, reverse=True)
    assert atlas.rank("mean_magnitude") == atlas.statistics.top(40)
    with pytest.raises(il.InputError, match=r"atoms cannot be ranked by 'beauty'; allowed are psnr_drop, energy, "):
        atlas.rank("beauty")


def test_without_a_signal_there_is_no_drop() -> None:
    field = toys.field()
    sae = toys.sae(field)
    nameless = il.effects(field, sae, il.encode(field, sae))
    with pytest.raises(il.InputError, match=r"know no signal, so no PSNR: give effects\(..., signal=...\)"):
        nameless.rank()
    assert nameless.rank("energy")


def test_a_box_holds_the_places_where_a_code_is_above_the_threshold() -> None:
    """Atom 0 fires at 0.5 in the middle, and at half the threshold in a corner."""
    values = torch.zeros(9, 1)
    values[4], values[0] = 0.5, ACTIVE_THRESHOLD / 2.0
    codes = Codes(torch.zeros(9, 1, dtype=torch.int32), values, 1, (3, 3))
    found = footprint(torch.ones(9, 1, 3), codes)
    assert found.box[0].tolist() == [[1, 1], [1, 1]]
    assert found.box_share[0] == pytest.approx(1.0 / 9.0)
