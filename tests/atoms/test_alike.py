"""The atoms most like each, against numpy on dense maps and directions."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import inrlens as il
import toys
from inrlens.atoms.alike import Alike, closest, most_alike
from inrlens.dictionaries.topk import SparseAutoencoder


def _codes(seed: int, n: int, k: int, grid: tuple[int, ...] = (9, 11)) -> il.Codes:
    """Made-up codes; the last atom is dead, the one before it fires everywhere with code 1."""
    draws = toys.generator(seed)
    dense = torch.rand(math.prod(grid), n, generator=draws)
    dense *= torch.rand(dense.shape, generator=draws) < 0.6
    dense[:, -1], dense[:, -2] = 0.0, 1.0
    values, indices = dense.topk(k, dim=1)
    return il.Codes(indices.to(torch.int32), values, n, grid)


def _dense(codes: il.Codes) -> np.ndarray:
    return np.stack([codes.map(atom).double().numpy().reshape(-1) for atom in range(codes.n_atoms)])


def _check(found: Alike, table: np.ndarray, usable_a: np.ndarray, usable_b: np.ndarray, same: bool, count: int) -> None:
    """Against a measure ``(n_a, n_b)``: the best are the best, in order, and no others."""
    assert found.atom.shape == found.value.shape == (len(usable_a), count)
    for atom in range(len(usable_a)):
        others = [b for b in np.flatnonzero(usable_b) if not (same and b == atom)] if usable_a[atom] else []
        best = sorted((table[atom, b] for b in others), reverse=True)[:count]
        partners = found.atom[atom].tolist()
        assert partners[len(best) :] == [-1] * (count - len(best))
        assert bool(found.value[atom, len(best) :].isnan().all())
        assert found.value[atom, : len(best)].tolist() == pytest.approx(best, abs=1e-6)
        kept = partners[: len(best)]
        assert len(set(kept)) == len(kept)
        assert set(kept) <= {int(b) for b in others}
        assert [table[atom, b] for b in kept] == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(("n_a", "n_b"), [(12, 17), (300, 20), (4, 7)])
def test_maps_against_numpy(n_a: int, n_b: int) -> None:
    a, b = _codes(1, n_a, 3), _codes(2, n_b, 4)
    dense_a, dense_b = _dense(a), _dense(b)
    with np.errstate(invalid="ignore", divide="ignore"):
        table = np.corrcoef(dense_a, dense_b)[:n_a, n_a:]
    _check(most_alike(a, b), table, dense_a.std(1) > 1e-9, dense_b.std(1) > 1e-9, False, 5)


def test_a_dictionary_with_itself_leaves_the_atom_itself_out() -> None:
    codes = _codes(3, 280, 6)
    dense = _dense(codes)
    with np.errstate(invalid="ignore", divide="ignore"):
        table = np.corrcoef(dense)
    varies = dense.std(1) > 1e-9
    _check(most_alike(codes, codes, 3), table, varies, varies, True, 3)
    twin = most_alike(codes, replace(codes), 1)
    assert twin.value[torch.from_numpy(varies), 0].tolist() == pytest.approx([1.0] * int(varies.sum()))


def test_fewer_partners_than_asked_for_leave_gaps() -> None:
    codes = _codes(4, 4, 2)
    found = most_alike(codes, codes, 5)
    assert found.atom[0, 1:].tolist() == [-1] * 4
    assert found.atom[2:].unique().tolist() == [-1]
    assert bool(found.value[2:].isnan().all())


def test_equal_maps_come_in_the_order_of_their_numbers() -> None:
    wave = torch.rand(20, generator=toys.generator(0)) + 0.1
    dense = torch.stack([wave, 1.0 / wave, wave, wave], dim=1)
    codes = il.Codes(torch.arange(4, dtype=torch.int32).repeat(20, 1), dense, 4, (4, 5))
    found = most_alike(codes, codes)
    assert found.atom[:, :3].tolist() == [[2, 3, 1], [0, 2, 3], [0, 3, 1], [0, 2, 1]]
    assert float(found.value.nan_to_num().max()) <= 1.0


def _dictionaries() -> tuple[SparseAutoencoder, SparseAutoencoder, torch.Tensor, torch.Tensor]:
    field = toys.field()
    a, b = toys.sae(field, n_atoms=300), toys.sae(field, n_atoms=20, seed=1)
    alive_a, alive_b = (~il.atom_statistics(il.encode(field, one)).dead for one in (a, b))
    assert not bool(alive_a[-1])
    return a, b, alive_a, alive_b


def test_directions_against_numpy() -> None:
    a, b, alive_a, alive_b = _dictionaries()
    cosine = (a.decoder.double() @ b.decoder.double().T).numpy()
    _check(closest(a, b, alive_a, alive_b), cosine, alive_a.numpy(), alive_b.numpy(), False, 5)
    cosine = (a.decoder.double() @ a.decoder.double().T).numpy()
    _check(closest(a, a, alive_a, alive_a, 2), cosine, alive_a.numpy(), alive_a.numpy(), True, 2)
    fewer = alive_a.clone()
    fewer[[0, 7]] = False
    for one, other in ((fewer, alive_a), (alive_a, fewer)):
        _check(closest(a, a, one, other, 2), cosine, one.numpy(), other.numpy(), True, 2)


def test_refusals() -> None:
    a, b, alive_a, alive_b = _dictionaries()
    for other in (replace(b.origin, layer=2), replace(b.origin, field_digest="other")):
        stranger = SparseAutoencoder(b.decoder, b.pre_bias, 2, other)
        one = SparseAutoencoder(a.decoder, a.pre_bias, 2, replace(a.origin, field_digest="own"))
        with pytest.raises(il.InputError, match=r"same layer of the same network; compare their maps with most_alike"):
            closest(one, stranger, alive_a, alive_b)
    broken = SparseAutoencoder(a.decoder, a.pre_bias, 2, a.origin)
    broken.requires_grad_(False).decoder[0, 0] = math.nan
    with pytest.raises(il.InputError, match=r"not finite: train it again"):
        closest(broken, b, alive_a, alive_b)
    codes = _codes(0, 12, 3)
    with pytest.raises(il.InputError, match=r"must be at least 1, not 0"):
        most_alike(codes, codes, 0)
    with pytest.raises(il.InputError, match=r"different grids, \(9, 11\) and \(11, 9\): encode both on one"):
        most_alike(codes, replace(codes, grid=(11, 9)))
    with pytest.raises(il.InputError, match=r"not finite: train their dictionary again"):
        most_alike(codes, replace(codes, values=codes.values * math.inf))
