"""The dictionary's equations against dense brute force, and its gradient against autograd."""

import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from inrlens.dictionaries.step import SaeGradients, remove_parallel_part, renormalise
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder

NAMES = ("encoder", "encoder_bias", "decoder", "pre_bias")


def _dense_codes(sae: SparseAutoencoder, h: Tensor) -> Tensor:
    """``TopK(ReLU(W_enc (h - b_pre) + b_enc), k)`` as an ``(N, n)`` matrix, in autograd's sight."""
    u = ((h - sae.pre_bias) @ sae.encoder.T + sae.encoder_bias).relu()
    kept = torch.zeros_like(u)
    kept.scatter_(1, u.detach().topk(sae.k, dim=1).indices, 1.0)
    return u * kept


def _dense(sae: SparseAutoencoder, h: Tensor) -> Tensor:
    return _dense_codes(sae, h) @ sae.decoder + sae.pre_bias


def _scatter(sae: SparseAutoencoder, h: Tensor) -> Tensor:
    values, indices = sae.encode(h)
    return torch.zeros(len(h), sae.n_atoms, dtype=h.dtype).scatter_(1, indices, values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [1, 4, 24])
def test_codes_and_reconstruction_equal_the_dense_formula(k: int, dtype: torch.dtype) -> None:
    field = toys.field()
    sae = toys.sae(field, k=k, dtype=dtype)
    h = torch.randn(50, 16, generator=toys.generator(), dtype=dtype)
    torch.testing.assert_close(_scatter(sae, h), _dense_codes(sae, h))
    torch.testing.assert_close(sae(h), _dense(sae, h))
    values, indices = sae.encode(h)
    assert values.shape == indices.shape == (50, k)
    assert bool((values >= 0.0).all())
    assert all(len(set(row.tolist())) == k for row in indices)


def test_codes_of_a_row_with_fewer_than_k_firing_atoms_are_padded_with_zeros() -> None:
    decoder = torch.eye(4)
    sae = SparseAutoencoder(decoder, torch.zeros(4), 3, SaeOrigin(0)).requires_grad_(False)
    values, indices = sae.encode(torch.tensor([[-1.0, 2.0, -3.0, -4.0]]))
    assert sorted(values[0].tolist()) == [0.0, 0.0, 2.0]
    assert int(indices[0, values[0].argmax()]) == 1
    torch.testing.assert_close(sae(torch.tensor([[-1.0, 2.0, -3.0, -4.0]])), torch.tensor([[0.0, 2.0, 0.0, 0.0]]))


def test_a_new_dictionary_has_unit_atoms_and_their_transpose_as_encoder() -> None:
    sae = SparseAutoencoder(torch.randn(9, 5, generator=toys.generator()) * 7.0, torch.ones(5), 2, SaeOrigin(3))
    torch.testing.assert_close(sae.decoder.detach().norm(dim=1), torch.ones(9))
    assert torch.equal(sae.encoder, sae.decoder)
    assert sae.encoder.data_ptr() != sae.decoder.data_ptr()
    assert not sae.encoder_bias.any()
    assert torch.equal(sae.pre_bias, torch.ones(5))
    assert (sae.n_atoms, sae.width, sae.layer) == (9, 5, 3)


@pytest.mark.parametrize("k", [0, 10])
def test_k_beyond_the_atoms(k: int) -> None:
    with pytest.raises(il.InputError, match=f"k must be between 1 and the number of atoms, 9, not {k}"):
        SparseAutoencoder(torch.ones(9, 5), torch.zeros(5), k, SaeOrigin(0))


@pytest.mark.parametrize(("dtype", "relative"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
@pytest.mark.parametrize(("n", "k", "rows"), [(24, 4, 50), (24, 24, 50), (24, 1, 50), (24, 4, 1), (200, 8, 30)])
def test_the_written_out_gradient_equals_dense_autograd(
    n: int, k: int, rows: int, dtype: torch.dtype, relative: float
) -> None:
    sae = toys.sae(toys.field(), n_atoms=n, k=k, dtype=dtype).requires_grad_(True)
    h = torch.randn(rows, 16, generator=toys.generator(3), dtype=dtype)
    with torch.no_grad():
        sae.encoder_bias[::5] -= 1e3
    codes = _dense_codes(sae, h).detach()
    assert not codes[:, ::5].any()
    assert codes.any()
    loss = (_dense(sae, h) - h).square().sum(1).mean()
    expected = torch.autograd.grad(loss, [getattr(sae, name) for name in NAMES])
    found = SaeGradients(sae)(h)
    assert found.rows == rows
    assert found.squared_error == pytest.approx(float(loss.detach()) * rows, rel=1e-5)
    assert torch.equal(found.fired, (codes > 0).any(0))
    for name, wanted in zip(NAMES, expected, strict=True):
        gradient = getattr(sae, name).grad
        scale = float(wanted.abs().max())
        assert gradient.shape == wanted.shape
        assert float((gradient - wanted).abs().max()) <= relative * max(scale, 1e-12), name


def test_rows_without_any_code_still_move_the_centre() -> None:
    sae = toys.sae(toys.field(), dtype=torch.float64).requires_grad_(True)
    with torch.no_grad():
        sae.encoder_bias.fill_(-1e3)
    h = torch.randn(6, 16, generator=toys.generator(), dtype=torch.float64)
    found = SaeGradients(sae)(h)
    assert not found.fired.any()
    torch.testing.assert_close(sae.pre_bias.grad, 2.0 * (sae.pre_bias.detach() - h).mean(0))
    for name in ("encoder", "encoder_bias", "decoder"):
        assert not getattr(sae, name).grad.any()


def test_the_parallel_part_is_removed_and_the_norm_restored() -> None:
    sae = toys.sae(toys.field(), dtype=torch.float64).requires_grad_(True)
    SaeGradients(sae)(torch.randn(40, 16, generator=toys.generator(), dtype=torch.float64))
    assert sae.decoder.grad is not None
    before = sae.decoder.grad.clone()
    remove_parallel_part(sae)
    along = (sae.decoder.grad * sae.decoder.detach()).sum(1)
    torch.testing.assert_close(along, torch.zeros_like(along), rtol=0, atol=1e-12)
    taken = before - sae.decoder.grad
    torch.testing.assert_close(taken, (before * sae.decoder).sum(1, keepdim=True).detach() * sae.decoder.detach())
    with torch.no_grad():
        sae.decoder *= torch.rand(24, 1, generator=toys.generator()).double() + 0.5
    directions = torch.nn.functional.normalize(sae.decoder.detach(), dim=1)
    renormalise(sae)
    torch.testing.assert_close(sae.decoder.detach(), directions)
