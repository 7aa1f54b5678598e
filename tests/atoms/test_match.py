"""Matching two dictionaries, against dense numpy, every possible pairing, and answers that are known."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st

import inrlens as il
import toys
from inrlens.atoms.match import ALIKE, Likeness, Match, Partners, match
from inrlens.atoms.subspaces import evenly_spaced
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder


def _dictionary(atoms: torch.Tensor, k: int = 1) -> SparseAutoencoder:
    return SparseAutoencoder(atoms, torch.zeros(atoms.shape[1], dtype=atoms.dtype), k, SaeOrigin(0))


def _codes(dense: torch.Tensor, grid: tuple[int, ...], k: int | None = None) -> il.Codes:
    """Codes of a dense ``(N, n)`` matrix with at most k entries above 0 in a row, its slots in no particular order."""
    k = k or dense.shape[1]
    values, indices = dense.topk(k, dim=1)
    turn = torch.randperm(k, generator=toys.generator(5))
    return il.Codes(indices[:, turn].to(torch.int32), values[:, turn], dense.shape[1], grid)


def _dense(codes: il.Codes) -> np.ndarray:
    z = torch.zeros(len(codes.values), codes.n_atoms, dtype=torch.float64)
    return z.scatter_(1, codes.indices.long(), codes.values.double()).numpy()


def _random(seed: int, n: int, d: int, k: int, grid: tuple[int, int]) -> tuple[SparseAutoencoder, il.Codes]:
    """A dictionary and codes that were made up: rows with k codes, fewer or none; the last atom may be dead."""
    draws = toys.generator(seed)
    dense = torch.rand(grid[0] * grid[1], n, generator=draws)
    dense *= torch.rand(dense.shape, generator=draws) < 0.7
    dense[:, -1] *= seed % 3 > 0
    dense[seed % len(dense)] = 0.0
    kept = torch.zeros_like(dense).scatter_(1, dense.topk(k, dim=1).indices, 1.0)
    atoms = torch.randn(n, d, generator=draws)
    return _dictionary(atoms, k), _codes(dense * kept, grid, k)


def _measures(likeness: Likeness) -> Iterator[tuple[Partners, str]]:
    for name in ("free_a", "free_b", "paired_a", "paired_b"):
        yield getattr(likeness, name), name


def _check_brute_force(found: Likeness, table: np.ndarray, usable_a: np.ndarray, usable_b: np.ndarray) -> None:
    """All four lists against ``table`` ``(n_a, n_b)``, the pairs against every possible pairing."""
    for partners, usable, other, values in (
        (found.free_a, usable_a, usable_b, table),
        (found.free_b, usable_b, usable_a, table.T),
    ):
        for atom, row in enumerate(values):
            if not usable[atom] or not other.any():
                assert int(partners.atom[atom]) == -1
                assert math.isnan(float(partners.value[atom]))
                continue
            assert float(partners.value[atom]) == pytest.approx(row[other].max(), abs=1e-9)
            assert row[int(partners.atom[atom])] == pytest.approx(row[other].max(), abs=1e-9)
            assert other[int(partners.atom[atom])]
    rows, columns = np.flatnonzero(usable_a), np.flatnonzero(usable_b)
    pairs = {(int(a), int(b)) for a, b in enumerate(found.paired_a.atom) if b >= 0}
    assert pairs == {(int(a), int(b)) for b, a in enumerate(found.paired_b.atom) if a >= 0}
    assert len(pairs) == len({b for _, b in pairs}) == min(len(rows), len(columns))
    assert all(usable_a[a] and usable_b[b] for a, b in pairs)
    short, long, values = (rows, columns, table) if len(rows) <= len(columns) else (columns, rows, table.T)
    best = max(
        sum(values[i, j] for i, j in zip(short, one, strict=True)) for one in itertools.permutations(long, len(short))
    )
    assert sum(table[a, b] for a, b in pairs) == pytest.approx(best, abs=1e-9)
    for a, b in pairs:
        assert float(found.paired_a.value[a]) == pytest.approx(table[a, b], abs=1e-9)
        assert float(found.paired_b.value[b]) == pytest.approx(table[a, b], abs=1e-9)
    alone = set(range(len(usable_a))) - {a for a, _ in pairs}
    assert all(math.isnan(float(found.paired_a.value[a])) for a in alone)


@given(st.integers(0, 9999), st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), st.integers(2, 5))
def test_every_list_equals_brute_force(seed: int, n_a: int, n_b: int, d: int, side: int) -> None:
    grid = (side, 4)
    k_a, k_b = 1 + seed % n_a, 1 + seed % n_b
    a, codes_a = _random(seed, n_a, d, k_a, grid)
    b, codes_b = _random(seed + 1, n_b, d, k_b, grid)
    found = match(a, b, codes_a, codes_b)
    z_a, z_b = _dense(codes_a), _dense(codes_b)
    alive_a, alive_b = z_a.any(0), z_b.any(0)
    assert found.alive_a.tolist() == alive_a.tolist()
    assert found.alive_b.tolist() == alive_b.tolist()
    assert found.cosine is not None
    unit_a, unit_b = (F.normalize(one.decoder.detach().double(), dim=1).numpy() for one in (a, b))
    _check_brute_force(found.cosine, unit_a @ unit_b.T, alive_a, alive_b)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.corrcoef(z_a, z_b, rowvar=False).reshape(n_a + n_b, n_a + n_b)[:n_a, n_a:]
    varies_a, varies_b = (np.ptp(z, axis=0) > 0.0 for z in (z_a, z_b))
    _check_brute_force(found.maps, correlation, varies_a, varies_b)


@given(st.integers(0, 999), st.integers(1, 9), st.integers(1, 7), st.integers(1, 9))
def test_exchanged_dictionaries_exchange_the_answer(seed: int, n_a: int, n_b: int, d: int) -> None:
    a, codes_a = _random(seed, n_a, d, min(3, n_a), (5, 4))
    b, codes_b = _random(seed + 1, n_b, d, min(2, n_b), (5, 4))
    one, other = match(a, b, codes_a, codes_b), match(b, a, codes_b, codes_a)
    assert one.cosine is not None
    assert other.cosine is not None
    for here, there in ((one.cosine, other.cosine), (one.maps, other.maps)):
        torch.testing.assert_close(here.free_a.value, there.free_b.value, equal_nan=True)
        torch.testing.assert_close(here.free_b.value, there.free_a.value, equal_nan=True)
    first, second = one.summary(), other.summary()
    assert (first.atoms_a, first.alive_a) == (second.atoms_b, second.alive_b)
    for here_, there_ in ((first.cosine, second.cosine), (first.maps, second.maps)):
        assert here_ is not None
        assert there_ is not None
        assert here_.pairs == there_.pairs
        assert here_.pw_mcc == pytest.approx(there_.pw_mcc)
        assert (here_.free_above_a, here_.collisions_a) == (there_.free_above_b, there_.collisions_b)
    assert first.subspace_overlap == pytest.approx(second.subspace_overlap)
    assert first.subspace_chance == pytest.approx(second.subspace_chance)


@pytest.mark.parametrize("layer", [0, 2])
def test_a_dictionary_is_found_again_in_itself_however_its_atoms_are_ordered(backbone: str, layer: int) -> None:
    field = toys.field(backbone)
    sae = toys.sae(field, layer=layer)
    order = torch.randperm(24, generator=toys.generator(9))
    turned = toys.sae(field, layer=layer)
    with torch.no_grad():
        for name in ("encoder", "encoder_bias", "decoder"):
            getattr(turned, name).copy_(getattr(sae, name)[order])
    codes = il.encode(field, sae)
    found = match(sae, turned, codes, il.encode(field, turned))
    alive = ~il.atom_statistics(codes).dead
    assert 0 < int(alive.sum()) < 24
    wanted = torch.where(alive, order.argsort(), -1)
    assert found.cosine is not None
    for likeness, exact in ((found.cosine, 1e-12), (found.maps, 1e-9)):
        for partners in (likeness.free_a, likeness.paired_a):
            assert torch.equal(partners.atom, wanted)
            assert float((partners.value[alive] - 1.0).abs().max()) < exact
            assert float(partners.value[alive].max()) <= 1.0
            assert torch.equal(partners.value.isnan(), ~alive)
    assert found.subspaces is not None
    torch.testing.assert_close(found.subspaces.overlap, torch.ones_like(found.subspaces.overlap))
    summary = found.summary()
    assert (summary.atoms_a, summary.alive_a, summary.alive_b) == (24, int(alive.sum()), int(alive.sum()))
    for numbers in (summary.cosine, summary.maps):
        assert numbers is not None
        assert numbers.pw_mcc == pytest.approx(1.0)
        assert (numbers.pairs, numbers.paired_above) == (int(alive.sum()), 1.0)
        assert (numbers.free_above_a, numbers.collisions_a, numbers.collisions_b) == (1.0, 0.0, 0.0)


def test_an_opposite_atom_is_no_match() -> None:
    dense = torch.rand(12, 3, generator=toys.generator())
    codes = _codes(dense, (3, 4))
    found = match(_dictionary(torch.eye(3)), _dictionary(-torch.eye(3)), codes, codes)
    assert found.cosine is not None
    assert found.cosine.free_a.value.tolist() == [0.0, 0.0, 0.0]
    assert all(found.cosine.paired_a.atom[atom] != atom for atom in range(3))
    numbers = found.summary().cosine
    assert numbers is not None
    assert (numbers.pw_mcc, numbers.paired_above, numbers.free_above_a) == (0.0, 0.0, 0.0)
    lonely = _codes(dense[:, :1], (3, 4))
    single = match(_dictionary(torch.eye(3)[:1]), _dictionary(-torch.eye(3)[:1]), lonely, lonely)
    assert single.cosine is not None
    assert single.cosine.free_a.value.tolist() == single.cosine.paired_a.value.tolist() == [-1.0]


def test_the_summary_counts_what_is_above_and_what_collides() -> None:
    slope = math.sqrt(1.0 - 0.8**2)
    a = torch.tensor([[1.0, 0.0, 0.0], [0.8, slope, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.6, 0.8, 0.0]])
    b = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]])
    draws = toys.generator()
    dense_a, dense_b = torch.rand(12, 5, generator=draws), torch.rand(12, 2, generator=draws)
    dense_a[:, 4] = 0.0
    found = match(_dictionary(a), _dictionary(b), _codes(dense_a, (12,)), _codes(dense_b, (12,)))
    assert found.cosine is not None
    # Cosines with b: (1, 0), (0.8, 0.36), (0, 0.8), (0, 0.6); atom 4 is dead.
    assert found.cosine.free_a.atom.tolist() == [0, 0, 1, 1, -1]
    assert found.cosine.free_b.atom.tolist() == [0, 2]
    assert found.cosine.paired_a.atom.tolist() == [0, -1, 1, -1, -1]
    assert found.cosine.paired_b.atom.tolist() == [0, 2]
    summary = found.summary()
    assert (summary.atoms_a, summary.alive_a, summary.atoms_b, summary.alive_b) == (5, 4, 2, 2)
    assert summary.cosine is not None
    expected = {"pairs": 2, "pw_mcc": 0.9, "paired_above": 1.0, "free_above_a": 0.75, "free_above_b": 1.0}
    assert asdict(summary.cosine) == pytest.approx({**expected, "collisions_a": 1.0, "collisions_b": 0.0})


def test_the_opposite_of_an_atom_is_not_found_again() -> None:
    partners = Partners(torch.tensor([0, 1]), torch.tensor([-0.95, 0.9], dtype=torch.float64))
    likeness, alive = Likeness(partners, partners, partners, partners), torch.tensor([True, True])
    numbers = Match(alive, alive, None, likeness, None).summary().maps
    assert (numbers.paired_above, numbers.free_above_a) == (0.5, 0.5)


def test_above_means_above() -> None:
    partners = Partners(torch.tensor([0, 1, -1]), torch.tensor([ALIKE, 0.71, math.nan], dtype=torch.float64))
    likeness = Likeness(partners, partners, partners, partners)
    alive = torch.tensor([True, True, False])
    numbers = Match(alive, alive, None, likeness, None).summary().maps
    assert (numbers.pairs, numbers.paired_above, numbers.free_above_b, numbers.collisions_a) == (2, 0.5, 0.5, 0.0)
    assert numbers.pw_mcc == pytest.approx(0.705)


@pytest.mark.parametrize("value", [0.1, 1.0, 7.3])
def test_dead_atoms_have_no_partner_and_an_atom_that_is_the_same_everywhere_has_no_map_partner(value: float) -> None:
    draws = toys.generator()
    dense = torch.rand(63, 4, generator=draws)
    dense[:, 1] = 0.0
    dense[:, 2] = value
    other = torch.rand(63, 3, generator=draws)
    other[:, 0] = 0.0
    atoms = torch.randn(4, 6, generator=draws)
    found = match(_dictionary(atoms), _dictionary(atoms[:3]), _codes(dense, (9, 7)), _codes(other, (9, 7)))
    assert found.alive_a.tolist() == [True, False, True, True]
    assert found.alive_b.tolist() == [False, True, True]
    assert found.cosine is not None
    for likeness, without_a in ((found.cosine, {1}), (found.maps, {1, 2})):
        for partners, name in _measures(likeness):
            assert torch.equal(partners.atom == -1, partners.value.isnan())
            partnerless = {atom for atom, partner in enumerate(partners.atom.tolist()) if partner == -1}
            if name == "free_a":
                assert partnerless == without_a
            if name == "free_b":
                assert partnerless == {0}
            named = set(partners.atom.tolist()) - {-1}
            assert not named & ({0} if name.endswith("_a") else without_a)
    summary = found.summary()
    assert summary.cosine is not None
    assert (summary.cosine.pairs, summary.maps.pairs) == (2, 2)


def test_a_dictionary_without_any_living_atom() -> None:
    a, codes_a = _random(1, 4, 6, 2, (5, 4))
    b, codes_b = _random(2, 3, 6, 2, (5, 4))
    silent = replace(codes_b, values=torch.zeros_like(codes_b.values))
    found = match(a, b, codes_a, silent)
    assert found.cosine is not None
    for likeness in (found.cosine, found.maps):
        for partners, name in _measures(likeness):
            assert partners.atom.tolist() == [-1] * (4 if name.endswith("_a") else 3)
            assert bool(partners.value.isnan().all())
    assert found.subspaces is not None
    assert found.subspaces.coordinate.numel() == 0
    summary = found.summary()
    assert (summary.alive_b, summary.subspace_overlap, summary.subspace_chance) == (0, None, None)
    assert asdict(summary.maps) == {**dict.fromkeys(asdict(summary.maps), None), "pairs": 0}


def test_a_map_that_hardly_varies_correlates_as_numpy_says_until_it_counts_as_the_same_everywhere() -> None:
    ripple = torch.rand(200, 2, generator=toys.generator(), dtype=torch.float64)
    both = _dictionary(torch.eye(2).double())
    for size, varies in ((1e-1, True), (5e-4, True), (2e-4, False), (1e-7, False)):
        dense = 1.0 + size * ripple
        found = match(both, both, _codes(dense, (20, 10)), _codes(dense.flip(0), (20, 10))).maps.free_a
        expected = np.corrcoef(dense.numpy(), dense.flip(0).numpy(), rowvar=False)[:2, 2:].max(1)
        np.testing.assert_allclose(found.value.numpy(), expected if varies else [math.nan] * 2, atol=1e-6)


def _svd_overlap(w_a: np.ndarray, w_b: np.ndarray) -> tuple[float, float]:
    """Overlap and chance of two spans, from singular vectors."""
    bases = []
    for w in (w_a, w_b):
        _, sizes, directions = np.linalg.svd(w, full_matrices=False)
        bases.append(directions[sizes > 1e-6 * sizes[0]])
    (p, d), q = bases[0].shape, len(bases[1])
    return float(np.linalg.norm(bases[0] @ bases[1].T) ** 2 / min(p, q)), max(p, q) / d


@pytest.mark.parametrize(("d", "k_a", "k_b"), [(12, 4, 6), (3, 5, 4), (1, 2, 2), (20, 1, 8)])
def test_subspace_overlap_equals_singular_vectors_at_every_coordinate(d: int, k_a: int, k_b: int) -> None:
    a, codes_a = _random(4, 12, d, k_a, (13, 9))
    b, codes_b = _random(5, 10, d, k_b, (13, 9))
    with torch.no_grad():
        a.decoder[1], a.decoder[2] = a.decoder[0], -a.decoder[0]
        a.decoder[4] = F.normalize(a.decoder[3] + a.decoder[5], dim=0)
        b.decoder[:4] = a.decoder[:4]
    found = match(a, b, codes_a, codes_b).subspaces
    assert found is not None
    z_a, z_b = _dense(codes_a), _dense(codes_b)
    wanted = [row for row in range(117) if z_a[row].any() and z_b[row].any()]
    assert found.coordinate.tolist() == wanted
    assert len(wanted) < 117
    decoders = [one.decoder.detach().double().numpy() for one in (a, b)]
    expected = [_svd_overlap(decoders[0][z_a[row] > 0], decoders[1][z_b[row] > 0]) for row in wanted]
    np.testing.assert_allclose(found.overlap.numpy(), [overlap for overlap, _ in expected], atol=1e-7)
    np.testing.assert_allclose(found.chance.numpy(), [chance for _, chance in expected])


def test_the_chance_level_is_what_random_subspaces_reach_on_average() -> None:
    draws = toys.generator()
    grid, d, p, q = (40, 50), 24, 3, 7
    sides = []
    for size in (p, q):
        dense = torch.rand(2000, 400, generator=draws)
        codes = _codes(dense * (dense >= dense.topk(size, dim=1).values[:, -1:]), grid, size)
        sides.append((_dictionary(torch.randn(400, d, generator=draws), size), codes))
    (a, codes_a), (b, codes_b) = sides
    found = match(a, b, codes_a, codes_b).subspaces
    assert found is not None
    assert found.overlap.numel() == 2000
    assert set(found.chance.tolist()) == {q / d}
    error = float(found.overlap.std()) / math.sqrt(2000)
    assert float(found.overlap.mean()) == pytest.approx(q / d, abs=4.0 * error)
    assert error < 0.01


@given(st.lists(st.integers(1, 12), min_size=1, max_size=3), st.integers(1, 200))
def test_coordinates_areevenly_spaced_along_every_axis(sides: list[int], rows: int) -> None:
    grid = tuple(sides)
    chosen = evenly_spaced(grid, rows)
    assert 1 <= chosen.numel() <= rows
    axes = [sorted(set(axis.tolist())) for axis in np.unravel_index(chosen.numpy(), grid)]
    assert chosen.tolist() == [int(np.ravel_multi_index(where, grid)) for where in itertools.product(*axes)]
    steps = {later - earlier for axis in axes for earlier, later in itertools.pairwise(axis)}
    assert len(steps) <= 1
    for side, axis in zip(grid, axes, strict=True):
        assert abs(axis[0] - (side - 1 - axis[-1])) <= 1
    if math.prod(grid) <= rows:
        assert chosen.tolist() == list(range(math.prod(grid)))
    elif steps:
        finer = steps.pop() - 1
        assert finer == 0 or math.prod(math.ceil(side / finer) for side in grid) > rows


def test_rows_limits_the_coordinates_of_the_overlap_alone() -> None:
    a, codes_a = _random(1, 8, 6, 3, (12, 10))
    b, codes_b = _random(2, 8, 6, 3, (12, 10))
    whole, part = match(a, b, codes_a, codes_b), match(a, b, codes_a, codes_b, rows=30)
    assert whole.subspaces is not None
    assert part.subspaces is not None
    assert part.subspaces.overlap.numel() <= 30
    every = dict(zip(whole.subspaces.coordinate.tolist(), whole.subspaces.overlap.tolist(), strict=True))
    for coordinate, overlap in zip(part.subspaces.coordinate.tolist(), part.subspaces.overlap.tolist(), strict=True):
        assert overlap == pytest.approx(every[coordinate])
    assert torch.equal(whole.maps.free_a.value, part.maps.free_a.value)


def test_dictionaries_of_different_widths_are_compared_by_their_maps() -> None:
    a, codes_a = _random(1, 8, 6, 3, (5, 4))
    b, codes_b = _random(1, 8, 7, 3, (5, 4))
    found = match(a, b, codes_a, codes_b)
    assert found.cosine is None
    assert found.subspaces is None
    same = match(a, a, codes_a, codes_a)
    alive = same.alive_a
    assert torch.equal(found.maps.paired_a.atom, torch.where(alive, torch.arange(8), -1))
    summary = found.summary()
    assert (summary.cosine, summary.subspace_overlap, summary.subspace_chance) == (None, None, None)
    assert summary.maps == same.summary().maps


def test_what_is_given_is_left_as_it_was_and_threads_change_nothing() -> None:
    a, codes_a = _random(3, 9, 6, 4, (30, 20))
    b, codes_b = _random(4, 7, 6, 3, (30, 20))
    given_ = (a.decoder, b.decoder, codes_a.indices, codes_a.values, codes_b.indices, codes_b.values)
    before = [one.detach().clone() for one in given_]
    one = match(a, b, codes_a, codes_b)
    for now, then in zip(given_, before, strict=True):
        assert torch.equal(now.detach(), then)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = match(a, b, codes_a, codes_b)
    finally:
        torch.set_num_threads(threads)
    assert one.subspaces is not None
    assert two.subspaces is not None
    assert torch.equal(one.subspaces.overlap, two.subspaces.overlap)
    assert one.summary() == two.summary()


def test_what_cannot_be_compared() -> None:
    a, codes_a = _random(1, 8, 6, 3, (5, 4))
    b, codes_b = _random(2, 7, 6, 3, (5, 4))
    with pytest.raises(il.InputError, match="codes_a speak of 7 atoms, dictionary_a has 8: give the codes that it enc"):
        match(a, b, codes_b, codes_b)
    with pytest.raises(il.InputError, match="codes_b speak of 8 atoms, dictionary_b has 7"):
        match(a, b, codes_a, codes_a)
    elsewhere = replace(codes_b, grid=(4, 5))
    with pytest.raises(il.InputError, match=r"different grids, \(5, 4\) and \(4, 5\): encode both on one\."):
        match(a, b, codes_a, elsewhere)
    with pytest.raises(il.InputError, match="rows must be at least 1, not 0"):
        match(a, b, codes_a, codes_b, rows=0)
    broken = replace(codes_b, values=torch.full_like(codes_b.values, math.inf))
    with pytest.raises(il.InputError, match="dictionary_b or its codes hold numbers that are not finite: train it aga"):
        match(a, b, codes_a, broken)
    with torch.no_grad():
        a.decoder[0, 0] = math.nan
    with pytest.raises(il.InputError, match="dictionary_a or its codes hold numbers that are not finite"):
        match(a, b, codes_a, codes_b)
