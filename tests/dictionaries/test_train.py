"""Training a dictionary: what each step keeps, what it draws, how it ends."""

import logging
import signal as signals_of_the_system
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import inrlens as il
import toys
from inrlens.container import Container, read_container, write_container
from inrlens.dictionaries.activations import encoder_digest, layer_rows
from inrlens.dictionaries.auxiliary import add_auxiliary_gradient
from inrlens.dictionaries.centre import geometric_median
from inrlens.dictionaries.loop import SaeRecord, train
from inrlens.dictionaries.step import SaeGradients
from inrlens.dictionaries.topk import SparseAutoencoder

KINDS = pytest.mark.parametrize("backbone", ["siren", "wire", "hashgrid"])
"""A training sees rows of numbers, whichever network made them: waves, pairs of complex parts, or of trained tables."""


def _train(field: il.Field, **numbers: Any) -> il.SaeFit:
    settings = {"layer": 1, "n_atoms": 24, "k": 4, "steps": 30, "batch": 20, "learning_rate": 1e-2, **numbers}
    return il.train_sae(field, settings.pop("layer"), **settings)


def _same(one: SparseAutoencoder, two: SparseAutoencoder) -> bool:
    return all(torch.equal(value, two.state_dict()[name]) for name, value in one.state_dict().items())


@KINDS
def test_the_fvu_falls_and_atoms_keep_unit_norm(backbone: str) -> None:
    for layer in (0, 3):
        fitted = _train(toys.field(backbone), layer=layer, steps=110, batch=63)
        assert fitted.history[-1].fvu < fitted.history[0].fvu < 1.0
        torch.testing.assert_close(fitted.sae.decoder.norm(dim=1), torch.ones(24), rtol=0, atol=1e-5)
        assert (fitted.steps, fitted.outcome) == (110, "finished")
        assert [row.step for row in fitted.history] == [0, 50, 100, 110]
        assert not any(parameter.requires_grad or parameter.grad is not None for parameter in fitted.sae.parameters())


def test_training_is_projected_adam_on_all_rows() -> None:
    """With every row in the batch, a dense autograd loop must reach the same dictionary."""
    field = toys.field().double()
    rows = layer_rows(field, 1).double()
    fitted = _train(field, steps=8, batch=63)
    oracle = _train(field, steps=1, batch=63, learning_rate=1e-300).sae.requires_grad_(True)
    optimizer = torch.optim.Adam(oracle.parameters(), lr=1e-2)
    for _ in range(8):
        optimizer.zero_grad()
        u = (rows - oracle.pre_bias) @ oracle.encoder.T + oracle.encoder_bias
        kept = torch.zeros_like(u).scatter_(1, u.detach().topk(4).indices, 1.0)
        reconstruction = (u.relu() * kept) @ oracle.decoder + oracle.pre_bias
        (reconstruction - rows).square().sum(1).mean().backward()
        with torch.no_grad():
            assert oracle.decoder.grad is not None
            oracle.decoder.grad -= (oracle.decoder.grad * oracle.decoder).sum(1, keepdim=True) * oracle.decoder
        optimizer.step()
        with torch.no_grad():
            oracle.decoder.copy_(F.normalize(oracle.decoder, dim=1))
    for name, value in oracle.state_dict().items():
        torch.testing.assert_close(fitted.sae.state_dict()[name], value, rtol=0, atol=1e-7, msg=name)


def test_the_last_row_is_the_fvu_over_the_whole_grid() -> None:
    field = toys.field()
    fitted = _train(field)
    h = layer_rows(field, 1)
    expected = (fitted.sae(h) - h).square().sum() / (h - h.mean(0)).square().sum()
    assert fitted.history[-1].fvu == pytest.approx(float(expected), rel=1e-5)
    assert fitted.history[-1].fvu == pytest.approx(il.evaluate_sae(field, fitted.sae).fvu, rel=1e-5)


def test_b_pre_starts_at_the_mean_or_at_the_geometric_median() -> None:
    field = toys.field("ffmlp")
    h = layer_rows(field, 1)
    for centre, expected in (("mean", h.mean(0)), ("geometric_median", geometric_median(h))):
        sae = _train(field, steps=1, learning_rate=1e-12, centre=centre).sae
        torch.testing.assert_close(sae.pre_bias, expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(sae.encoder, sae.decoder, rtol=0, atol=1e-6)


@KINDS
def test_the_same_seed_gives_the_same_bits_and_another_does_not(backbone: str) -> None:
    field = toys.field(backbone)
    for auxiliary_k in (0, 6):
        one, same, other = (_train(field, seed=seed, auxiliary_k=auxiliary_k) for seed in (1, 1, 2))
        assert _same(one.sae, same.sae)
        assert [row.fvu for row in one.history] == [row.fvu for row in same.history]
        assert not _same(one.sae, other.sae)
    layers = [_train(field, layer=layer).sae for layer in (1, 2)]
    assert not torch.equal(layers[0].decoder, layers[1].decoder)


def test_the_field_is_not_touched_and_named_in_the_origin() -> None:
    field = toys.field()
    before = {name: value.clone() for name, value in field.state_dict().items()}
    sae = _train(field, layer=2, grid=(5, 6), seed=3).sae
    assert all(torch.equal(value, before[name]) for name, value in field.state_dict().items())
    assert (sae.origin.layer, sae.origin.seed, sae.origin.grid) == (2, 3, (5, 6))
    assert sae.origin.settings["k"] == 4
    assert sae.origin.settings["auxiliary_k"] == 0
    assert sae.origin.field_digest == encoder_digest(field, 2)


def test_the_digest_covers_what_a_layer_depends_on_and_no_more(backbone: str) -> None:
    field = toys.field(backbone)
    digests = [encoder_digest(field, layer) for layer in range(4)]
    assert len(set(digests)) == 4
    with torch.no_grad():
        field.encoder.layer(2).bias += 1.0
        field.head.bias += 1.0
    after = [encoder_digest(field, layer) for layer in range(4)]
    assert [one == two for one, two in zip(digests, after, strict=True)] == [True, True, False, False]


def test_layer_rows_are_the_activations(cohort: il.Field) -> None:
    with torch.no_grad():
        expected = cohort.encoder.activations(cohort.grid_coordinates())
    for layer in range(4):
        torch.testing.assert_close(layer_rows(cohort, layer), expected[layer])
    x = il.coordinates_between(toys.GRID)
    assert layer_rows(cohort, 2, x=x).shape == (48, 16)


# -- AuxK ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auxiliary_k", [1, 5, 24])
def test_the_auxiliary_gradient_equals_autograd_on_its_definition(auxiliary_k: int) -> None:
    """``1/32 mean ||e - e_hat||^2``: e detached, e_hat from the dead atoms' own codes, without b_pre."""
    sae = toys.sae(toys.field(), dtype=torch.float64).requires_grad_(True)
    h = torch.randn(40, 16, generator=toys.generator(1), dtype=torch.float64)
    dead = torch.rand(24, generator=toys.generator(2)) < 0.4
    assert 5 < int(dead.sum()) < 24
    with torch.no_grad():
        sae.encoder_bias += 1.0  # so that dead atoms would have codes, and b_pre is within the gradient's reach
    residual = (h - sae(h)).detach()
    u = ((h - sae.pre_bias) @ sae.encoder.T + sae.encoder_bias).relu() * dead
    count = min(auxiliary_k, int(dead.sum()))
    ranked = torch.where(dead, u.detach(), -1.0)
    kept = torch.zeros_like(u).scatter_(1, ranked.topk(count).indices, 1.0)
    loss = (1.0 / 32.0) * ((u * kept) @ sae.decoder - residual).square().sum(1).mean()
    names = ("encoder", "encoder_bias", "decoder", "pre_bias")
    wanted = torch.autograd.grad(loss, [getattr(sae, name) for name in names])

    SaeGradients(sae)(h)
    plain = {name: getattr(sae, name).grad.clone() for name in names}
    add_auxiliary_gradient(sae, h, dead, auxiliary_k)
    for name, expected in zip(names, wanted, strict=True):
        added = getattr(sae, name).grad - plain[name]
        torch.testing.assert_close(added, expected, rtol=1e-9, atol=1e-12, msg=name)
        if name != "pre_bias":
            assert not added[~dead].any()


def test_without_dead_atoms_nothing_is_added() -> None:
    sae = toys.sae(toys.field()).requires_grad_(True)
    h = torch.randn(40, 16, generator=toys.generator(1))
    SaeGradients(sae)(h)
    before = [parameter.grad.clone() for parameter in sae.parameters() if parameter.grad is not None]
    add_auxiliary_gradient(sae, h, torch.zeros(24, dtype=torch.bool), 5)
    after = [parameter.grad for parameter in sae.parameters()]
    assert all(torch.equal(one, two) for one, two in zip(before, after, strict=True) if two is not None)


def test_the_auxiliary_loss_is_off_by_default_and_moves_dead_atoms_where_it_is_on() -> None:
    field = toys.field("ffmlp")
    numbers = {"n_atoms": 60, "k": 2, "steps": 60, "batch": 63}
    start = _train(field, **{**numbers, "steps": 1}, learning_rate=1e-300).sae
    without, with_it = (_train(field, auxiliary_k=count, **numbers).sae for count in (0, 20))
    assert _same(without, _train(field, **numbers).sae)

    def stayed(sae: SparseAutoencoder) -> int:
        return int(((sae.encoder - start.encoder).abs().amax(1) < 1e-6).sum())

    assert stayed(with_it) < stayed(without)


# -- how it ends -----------------------------------------------------------------------------------------------------


def test_control_c_keeps_what_was_reached() -> None:
    before = signals_of_the_system.getsignal(signals_of_the_system.SIGINT)
    field = toys.field()

    def press(record: SaeRecord, steps: int) -> None:
        if record.step == 50:
            signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)

    fitted = _train(field, steps=5000, callback=press)
    assert signals_of_the_system.getsignal(signals_of_the_system.SIGINT) is before
    assert (fitted.outcome, fitted.steps) == ("interrupted", 51)
    assert _same(fitted.sae, _train(field, steps=51).sae)


@pytest.mark.parametrize("steps", [1, 40])
def test_a_loss_that_is_not_finite_keeps_the_last_finite_dictionary(
    steps: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="inrlens.dictionaries.loop"):
        fitted = _train(toys.field(), steps=steps, learning_rate=1e30)
    assert fitted.outcome == "diverged"
    assert all(bool(torch.isfinite(value).all()) for value in fitted.sae.state_dict().values())
    start = _train(toys.field(), steps=1, learning_rate=1e-300).sae.state_dict()
    for name, value in fitted.sae.state_dict().items():
        torch.testing.assert_close(value, start[name], rtol=0, atol=1e-6)
    assert [row.step for row in fitted.history] == [0]
    assert "the last finite dictionary was kept" in caplog.text


@pytest.mark.parametrize(("until", "outcome"), [(3, "finished"), (6, "diverged")])
def test_an_fvu_that_rises_is_noticed(until: int, outcome: str, caplog: pytest.LogCaptureFixture) -> None:
    """From the record of step 1 on b_pre lies elsewhere, until that of another step, or to the end."""
    field = toys.field()
    sae, rows = toys.sae(field).requires_grad_(True), layer_rows(field, 1)
    recipe = il.SaeRecipe(sae.n_atoms, sae.k, steps=6, learning_rate=1e-9, batch=63, record_every=1)

    @torch.no_grad()
    def meddle(record: SaeRecord, steps: int) -> None:
        sae.pre_bias += {1: 100.0, until: -100.0}.get(record.step, 0.0)

    history, found = train(sae, rows, recipe, toys.generator(), 1, meddle, None)
    best = min(row.fvu for row in history)
    assert [row.step for row in history if row.fvu > 4.0 * best] == list(range(2, until + 1))
    assert (found, len(history)) == (outcome, 7)
    assert len([line for line in caplog.messages if "more than 6 dB above its best" in line]) == 1


def test_a_training_in_far_too_long_steps_diverges() -> None:
    fitted = _train(toys.field(), steps=10, batch=63, learning_rate=1e3)
    assert fitted.history[-1].fvu > 4.0 * fitted.history[0].fvu
    assert (fitted.outcome, fitted.steps) == ("diverged", 10)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"layer": 4}, "layer 4 does not exist: this network has layers 0 to 3"),
        ({"layer": -1}, "layer -1 does not exist"),
        ({"k": 25}, "k must be between 1 and the number of atoms, 24, not 25"),
        ({"k": 0}, "k must be at least 1, not 0"),
        ({"n_atoms": 0}, "n_atoms must be at least 1, not 0"),
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"batch": 0}, "batch must be at least 1, not 0"),
        ({"auxiliary_k": 25}, "auxiliary_k must be between 0 and 24, not 25"),
        ({"auxiliary_k": -1}, "auxiliary_k must be between 0 and 24, not -1"),
        ({"n_atoms": 2**20 + 1}, "n_atoms must be at most 1,048,576, not 1,048,577"),
        ({"rows": torch.zeros(10, 3)}, r"rows of shape \(10, 3\) are not those of layer 1 on this grid, \(63, 16\)"),
        ({"learning_rate": 0.0}, "learning_rate must be positive and at most 1e30, not 0.0"),
        ({"learning_rate": float("inf")}, "learning_rate must be positive and at most 1e30, not inf"),
        ({"grid": (3,)}, "a grid of 1 axis does not suit a network of 2 coordinates"),
    ],
)
def test_numbers_that_no_dictionary_can_be_trained_with(numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(il.InputError, match=message):
        _train(toys.field(), **numbers)


def test_a_centre_that_is_not_known_and_a_grid_that_is_not() -> None:
    recipe = il.SaeRecipe()
    object.__setattr__(recipe, "centre", "median")  # past the type checker
    with pytest.raises(il.InputError, match="centre='median' is not known; allowed are mean, geometric_median"):
        recipe.__post_init__()
    with pytest.raises(il.InputError, match="never fitted on a grid"):
        il.train_sae(il.Field.new("siren", width=4), 0, n_atoms=4, k=1, steps=1)


# -- many at once, and interrupted ones ------------------------------------------------------------------------------


def test_many_are_each_what_one_alone_is() -> None:
    field = toys.field()
    recipes = [il.SaeRecipe(24, k, steps=12, batch=20, learning_rate=1e-2) for k in (1, 4)]
    told: list[tuple[int, int]] = []
    fits = il.train_sae_many(
        field, 1, recipes, seeds=(0, 3), callback=lambda number, record, steps: told.append((number, record.step))
    )
    assert [(fitted.sae.origin.seed, fitted.sae.k) for fitted in fits] == [(0, 1), (0, 4), (3, 1), (3, 4)]
    for fitted in fits:
        assert _same(fitted.sae, _train(field, k=fitted.sae.k, steps=12, seed=fitted.sae.origin.seed).sae)
    assert {number for number, _ in told} == {0, 1, 2, 3}
    assert [step for number, step in told if number == 2] == [0, 12]


def test_a_fault_in_one_of_many_is_raised() -> None:
    def fail(number: int, record: SaeRecord, steps: int) -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        il.train_sae_many(toys.field(), 1, [il.SaeRecipe(24, 4, steps=3)], callback=fail)


def test_cores_share_the_rows_of_a_step() -> None:
    sae = toys.sae(toys.field(), dtype=torch.float64).requires_grad_(True)
    h = torch.randn(41, 16, generator=toys.generator(1), dtype=torch.float64)
    alone = SaeGradients(sae)(h)
    wanted = [parameter.grad.clone() for parameter in sae.parameters() if parameter.grad is not None]
    for count in (2, 3, 60):
        shared = SaeGradients(sae, count)(h)
        assert shared.squared_error == pytest.approx(alone.squared_error, rel=1e-12)
        assert torch.equal(shared.fired, alone.fired)
        for parameter, expected in zip(sae.parameters(), wanted, strict=True):
            torch.testing.assert_close(parameter.grad, expected, rtol=1e-10, atol=1e-13)


class _Press:
    """Ctrl-C at the record of one step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, record: SaeRecord, steps: int) -> None:
        if record.step == self.step:
            signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)


@pytest.mark.parametrize("auxiliary_k", [0, 6])
def test_a_training_goes_on_bit_for_bit(tmp_path: Path, auxiliary_k: int) -> None:
    field = toys.field("ffmlp")
    numbers = {"steps": 120, "auxiliary_k": auxiliary_k, "n_atoms": 60, "k": 2}
    whole = _train(field, **numbers)
    resume = il.Resume(tmp_path / "state")
    for step in (0, 50, 100):
        part = _train(field, **numbers, resume=resume, callback=_Press(step))
        assert (part.outcome, part.steps) == ("interrupted", step + 1)
    continued = _train(field, **numbers, resume=resume)
    assert (continued.outcome, continued.steps) == ("finished", 120)
    assert _same(continued.sae, whole.sae)
    assert [(row.step, row.fvu) for row in continued.history] == [(row.step, row.fvu) for row in whole.history]
    assert list(tmp_path.iterdir()) == []


def test_the_state_of_another_training_is_refused(tmp_path: Path) -> None:
    resume = il.Resume(tmp_path / "state")
    field = toys.field()
    _train(field, resume=resume, callback=_Press(0))
    for numbers, message in (
        ({"k": 5}, "is the state of a training with another recipe, k: 4 there, 5 here; go on as that training began"),
        ({"layer": 2}, "is the state of a training with another layer: 1 there, 2 here"),
        ({"seed": 1}, "is the state of a training with another seed: 0 there, 1 here"),
        ({"grid": (5, 6)}, "is the state of a training with another grid"),
    ):
        with pytest.raises(il.InputError, match=message):
            _train(field, resume=resume, **numbers)
    with pytest.raises(il.InputError, match="is the state of a training with another network"):
        _train(toys.field(seed=1), resume=resume)
    with pytest.raises(il.InputError, match="state holds a running training, not the state of a running fit"):
        il.fit(toys.signal(), toys.recipe(), resume=resume)
    kept = read_container(resume.path)
    for change in ({"part": 10**30}, {"part": -1}, {"step": -5}, {"step": 1.5}, {"seconds": -1e9}):
        write_container(resume.path, Container(kept.kind, {**kept.description, **change}, kept.tensors), force=True)
        with pytest.raises(il.InputError, match=r"state is damaged \(.*remove it to begin anew"):
            _train(field, resume=resume)
    write_container(resume.path, kept, force=True)
    whole = resume.path.read_bytes()
    resume.path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(il.InputError, match="state is not a checkpoint of InrLens, or it is cut short or damaged"):
        _train(field, resume=resume)
