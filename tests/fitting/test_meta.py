"""Meta-learned starts: their gradients against brute force, what they are, and what a transfer makes of them."""

import itertools
import signal as signals_of_the_system
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from command import BRIEF, done, photos, run
from inrlens.fitting.history import Record
from inrlens.fitting.meta_gradient import Objective, Weights, descend, maml, reptile
from inrlens.fitting.transfer import start_of_transfer

BOTH = pytest.mark.parametrize("learn", [il.fit_maml, il.fit_reptile])


def _recipe(backbone: str = "siren", **numbers: object) -> il.MetaRecipe:
    network = il.make_backbone(backbone, **toys.SMALL[backbone])
    base = il.MetaRecipe("toy", network, steps=8, learning_rate=1e-3, record_every=2)
    return replace(base, **numbers)


def _objective(backbone: str = "siren", tile: int = 1000, **settings: object) -> tuple[Objective, Weights]:
    field = toys.field(backbone, heads=1, **settings).double()
    objective = Objective(field, field.grid_coordinates(), toys.signal().values.double(), tile)
    return objective, {name: value.detach() for name, value in field.named_parameters()}


def _loss(objective: Objective, weights: Weights) -> Tensor:
    out = torch.func.functional_call(objective.field, weights, (objective.x,))
    return (out - objective.target).square().mean()


def _unrolled(objective: Objective, start: Weights, steps: int, rate: float) -> Tensor:
    """The loss after the inner steps, with the graph through all of them."""
    weights = start
    for _ in range(steps):
        found = torch.autograd.grad(_loss(objective, weights), list(weights.values()), create_graph=True)
        weights = {name: value - rate * g for (name, value), g in zip(weights.items(), found, strict=True)}
    return _loss(objective, weights)


# -- the two directions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backbone", "steps"), [*zip(il.backbone_names(), itertools.cycle([3, 1]), strict=False), ("wire", 3)]
)
def test_maml_is_the_gradient_through_unrolled_descent(backbone: str, steps: int) -> None:
    objective, start = _objective(backbone, tile=40)
    leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
    loss = _unrolled(objective, leaves, steps, 0.05)
    found = torch.autograd.grad(loss, list(leaves.values()))
    point = maml(objective, start, steps, 0.05)
    assert float(point.loss) == pytest.approx(float(loss.detach()), rel=1e-10)
    for name, expected in zip(leaves, found, strict=True):
        torch.testing.assert_close(point.gradient[name], expected, rtol=1e-7, atol=1e-12, msg=name)


def test_maml_is_the_slope_of_the_loss_after_descent() -> None:
    objective, start = _objective(width=4, depth=2)
    point = maml(objective, start, 2, 0.3)
    first_order = objective.at(descend(objective, start, 2, 0.3)[-1]).gradient
    for name, value in start.items():
        for place in range(value.numel()):
            sides = []
            for step in (1e-5, -1e-5):
                moved = value.clone()
                moved.view(-1)[place] += step
                end = descend(objective, {**start, name: moved}, 2, 0.3)[-1]
                sides.append(float(_loss(objective, end)))
            slope = (sides[0] - sides[1]) / 2e-5
            assert float(point.gradient[name].view(-1)[place]) == pytest.approx(slope, rel=1e-5, abs=1e-9)
    assert any(not torch.allclose(point.gradient[name], first_order[name], rtol=1e-3) for name in start)


def test_both_on_a_linear_network() -> None:
    """Of the head alone the loss is a quadratic, and k steps shrink the distance W to its minimum by (I - a A)^k."""
    objective, whole = _objective()
    head = {name: whole[name] for name in ("head.weight", "head.bias")}
    h = objective.field.encoder(objective.x).detach()
    features = torch.cat([h, torch.ones(len(h), 1, dtype=h.dtype)], 1)
    curvature = 2.0 / objective.target.numel() * features.T @ features
    best = torch.linalg.lstsq(features, objective.target).solution.T
    away = torch.cat([head["head.weight"], head["head.bias"][:, None]], 1) - best
    shrink = torch.linalg.matrix_power(torch.eye(len(curvature), dtype=h.dtype) - 0.5 * curvature, 3)

    def stacked(weights: Weights) -> Tensor:
        return torch.cat([weights["head.weight"], weights["head.bias"][:, None]], 1)

    expected = away @ shrink @ curvature @ shrink
    torch.testing.assert_close(stacked(maml(objective, head, 3, 0.5).gradient), expected, rtol=1e-7, atol=1e-9)
    expected = (away - away @ shrink) / 0.5
    torch.testing.assert_close(stacked(reptile(objective, head, 3, 0.5).gradient), expected, rtol=1e-7, atol=1e-9)


def test_reptile_is_the_sum_of_the_inner_gradients(backbone: str) -> None:
    objective, start = _objective(backbone)
    path = descend(objective, start, 3, 0.05)
    total = [objective.at(weights).gradient for weights in path[:-1]]
    for name, value in reptile(objective, start, 3, 0.05).gradient.items():
        torch.testing.assert_close(value, sum(each[name] for each in total), rtol=1e-8, atol=1e-12, msg=name)


# -- a fit -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts in float64: Adam divides by a gradient's size, and so makes much of a small one's rounding."""
    new = il.Field.new
    monkeypatch.setattr(il.Field, "new", lambda *given, **named: new(*given, **named).double())


@pytest.mark.usefixtures("wide")
@pytest.mark.few_backbones
def test_maml_is_adam_on_the_mean_of_the_signals(backbone: str) -> None:
    members = toys.signals(2)
    recipe = _recipe(backbone, steps=3, signals=2, inner_learning_rate=0.05)
    fitted = il.fit_maml(members, recipe, seed=2)
    assert fitted.field.dtype == torch.float64
    oracle = il.Field.new(recipe.backbone, heads=1, channels=3, seed=2, grid=toys.GRID)
    optimizer = torch.optim.Adam(oracle.parameters(), lr=1e-3)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        weights = dict(oracle.named_parameters())
        objectives = [Objective(oracle, oracle.grid_coordinates(), each.values.double(), 1000) for each in members]
        loss = torch.stack([_unrolled(each, weights, 2, 0.05) for each in objectives]).mean()
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    assert fitted.history[0].loss == pytest.approx(losses[0], rel=1e-9)
    for name, value in oracle.state_dict().items():
        torch.testing.assert_close(fitted.field.state_dict()[name], value, rtol=0, atol=1e-8, msg=name)


@BOTH
def test_what_a_meta_learned_start_is(learn: Callable[..., il.Fit], tmp_path: Path) -> None:
    members = toys.signals(3)
    fitted = learn(members, _recipe(steps=20, inner_learning_rate=0.03), seed=4)
    field = fitted.field
    assert (field.heads, field.channels, field.grid, field.kind) == (1, 3, toys.GRID, "meta")
    assert [name for name, _ in field.origin.signals] == ["toy 0", "toy 1", "toy 2"]
    assert field.origin.notes["method"] == learn.__name__.removeprefix("fit_")
    assert (fitted.steps, fitted.outcome, fitted.divergences) == (20, "finished", ())
    assert [row.step for row in fitted.history] == list(range(0, 21, 2))
    for member, psnr in zip(members, fitted.psnrs, strict=True):
        copy = il.Field.new(field.backbone, channels=3, grid=toys.GRID)
        copy.load_state_dict(field.state_dict())
        optimizer = torch.optim.SGD(copy.parameters(), lr=0.03)
        for _ in range(2):
            optimizer.zero_grad()
            (copy(copy.grid_coordinates()) - member.values).square().mean().backward()
            optimizer.step()
        assert psnr == pytest.approx(il.psnr(copy.render(), member.image()), abs=1e-3)
    assert fitted.psnr == pytest.approx(sum(fitted.psnrs) / 3)
    assert fitted.history[-1].loss < fitted.history[0].loss
    il.save(field, tmp_path / "start.safetensors")
    found = il.load(tmp_path / "start.safetensors")
    assert (found.kind, found.origin) == ("meta", field.origin)
    assert torch.equal(found.head.weight, field.head.weight)
    assert "it is a meta-learned start" in il.freeze_advice(found).sentence
    first = il.initial_field(field)
    assert torch.equal(first.head.weight, il.Field.new(field.backbone, channels=3, seed=4).head.weight)


@BOTH
def test_the_same_seed_gives_the_same_bits_and_another_does_not(learn: Callable[..., il.Fit]) -> None:
    one, same, other = (learn(toys.signals(3), _recipe(), seed=seed).field.render() for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.usefixtures("wide")
def test_the_tile_changes_a_start_to_rounding_only() -> None:
    recipe = _recipe(steps=3)
    renders = [
        il.fit_maml(toys.signals(2), recipe, compute=il.Compute(tile=tile)).field.render() for tile in (5, 16, 500)
    ]
    for other in renders[1:]:
        torch.testing.assert_close(other, renders[0], rtol=0, atol=1e-8)


@BOTH
def test_interrupted_at_any_step_and_continued(learn: Callable[..., il.Fit], tmp_path: Path) -> None:
    recipe = _recipe(steps=4, signals=2, record_every=1)
    whole = learn(toys.signals(3), recipe, seed=3)
    for step in range(3):

        def press(record: Record, steps: int, at: int = step) -> None:
            if record.step == at:
                signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)

        resume = il.Resume(tmp_path / f"{step}")
        first = learn(toys.signals(3), recipe, seed=3, resume=resume, callback=press)
        assert (first.outcome, first.steps) == ("interrupted", step + 1)
        with pytest.raises(il.InputError, match="is the state of a fit with another recipe, inner_steps: 2 there, 3"):
            learn(toys.signals(3), replace(recipe, inner_steps=3), seed=3, resume=resume)
        continued = learn(toys.signals(3), recipe, seed=3, resume=resume)
        assert [row.loss for row in continued.history] == [row.loss for row in whole.history]
        assert torch.equal(continued.field.render(), whole.field.render())
    assert list(tmp_path.iterdir()) == []


def test_a_learning_that_is_not_finite_keeps_the_last_finite_start() -> None:
    fitted = il.fit_maml(toys.signals(2), _recipe(inner_learning_rate=1e25))
    assert fitted.outcome == "diverged"
    assert all(bool(torch.isfinite(parameter).all()) for parameter in fitted.field.parameters())


def test_signals_of_unequal_difficulty_are_no_divergence() -> None:
    """Of a start that hardly moves: where the steps begin from one signal, and as far as can be from another."""
    start = toys.drawn(heads=1).render().reshape(-1, 3).clamp(0.0, 1.0)
    easy, hard = (il.Signal(*named, toys.GRID) for named in (("easy", start), ("hard", (start < 0.5).float())))
    recipe = _recipe(steps=12, signals=1, record_every=1, learning_rate=1e-9, inner_learning_rate=1e-9)
    fitted = il.fit_maml([easy, hard], recipe)
    psnrs = [row.psnr for row in fitted.history[:-1]]
    # Every value of the hard one is off by 0.5 or more: at most 6.02 dB.
    assert sorted(psnr < 6.1 for psnr in psnrs) == [False] * 6 + [True] * 6
    assert min(psnr for psnr in psnrs if psnr > 6.1) > 60.0
    assert (fitted.outcome, fitted.divergences) == ("finished", ())


def test_samples_that_a_mask_leaves_out_are_not_seen() -> None:
    mask = torch.rand(toys.GRID, generator=toys.generator(7)) < 0.7
    seen = [member.masked(mask) for member in toys.signals(2)]
    other = [replace(each, values=torch.where(mask.reshape(-1, 1), each.values, 1.0 - each.values)) for each in seen]
    found, spoiled = (il.fit_maml(members, _recipe(), seed=3) for members in (seen, other))
    assert torch.equal(found.field.render(), spoiled.field.render())
    assert found.psnrs == spoiled.psnrs
    assert found.left_out_psnrs != spoiled.left_out_psnrs
    assert found.left_out_psnrs is not None
    assert len(found.left_out_psnrs) == 2
    assert found.field.origin.notes["left_out"] == int((~mask).sum())
    assert il.fit_maml(toys.signals(2), _recipe(steps=1)).left_out_psnrs is None


# -- transfers -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def start() -> il.Field:
    """A start that was learned from three signals; not to be changed."""
    return il.fit_maml(toys.signals(3), _recipe(steps=40, inner_learning_rate=0.03), seed=5).field


def _first(source: il.Field, **arguments: object) -> tuple[float, dict[str, object]]:
    """The PSNR before the first step, and the notes."""
    fitted = il.transfer(source, toys.signal(9), recipe=toys.recipe(None, steps=1), seed=5, **arguments)
    return fitted.history[0].psnr, fitted.field.origin.notes


def test_a_transfer_begins_from_the_whole_start(start: il.Field) -> None:
    own = il.psnr(start.render(), toys.signal(9).image())
    psnr, notes = _first(start, freeze=None)
    assert psnr == pytest.approx(own, abs=1e-4)
    assert (notes["rest"], notes["head"], notes["source"]) == ("warm", "warm", "meta")
    assert notes["cohort_signals"] == ["toy 0", "toy 1", "toy 2"]
    for freeze, rest, head in ((1, "warm", "warm"), (3, "reinit", "warm"), (1, "reinit", "reinit")):
        psnr, notes = _first(start, freeze=freeze, rest=rest)
        assert notes["head"] == head
        assert (psnr == pytest.approx(own, abs=1e-4)) == (head == "warm")
    assert _first(start, freeze=None, rest="reinit")[1]["head"] == "reinit"
    assert _first(start, freeze=None, head="reinit")[0] != pytest.approx(own, abs=1e-2)


def test_many_transfers_take_the_head_that_one_takes(start: il.Field) -> None:
    recipe = toys.recipe(None, steps=3)
    cells = [il.TransferJob(toys.signal(9), None, head=head) for head in (None, "warm", "reinit")]
    many = [fitted.field.render() for fitted in il.transfer_many(start, cells, recipe=recipe)]
    alone = [il.transfer(start, c.signal, freeze=None, head=c.head, recipe=recipe).field.render() for c in cells]
    for one, other in zip(many, alone, strict=True):
        # Each of many runs on one thread, one alone on all of them, whose sums round otherwise.
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)
    assert torch.equal(many[0], many[1])
    assert float((many[0] - many[2]).abs().max()) > 1e-2


def test_the_start_learns_a_new_signal_faster_than_from_scratch(start: il.Field) -> None:
    """It has learned how signals of this kind look on average; a few steps from scratch do not get there."""
    recipe = toys.recipe(None, steps=3)
    learned, scratch = (
        il.transfer(start, toys.signal(9), freeze=None, rest=rest, recipe=recipe) for rest in ("warm", "reinit")
    )
    assert learned.psnr > scratch.psnr


def test_a_cohort_s_warm_head_is_the_mean_of_its_heads(backbone: str) -> None:
    cohort = toys.field(backbone, heads=3)
    field = start_of_transfer(cohort, 2, "warm", 0, "warm")
    torch.testing.assert_close(
        field.render(grid=toys.GRID), torch.stack(cohort.render_all()).mean(0), rtol=0, atol=1e-5
    )
    assert _first(cohort, freeze=None)[1]["head"] == "reinit"


@pytest.mark.few_backbones
def test_a_meta_learned_start_of_every_backbone(backbone: str, tmp_path: Path) -> None:
    field = il.fit_reptile(toys.signals(2), _recipe(backbone, steps=2)).field
    il.save(field, tmp_path / "start.safetensors")
    found = il.load(tmp_path / "start.safetensors")
    for freeze in (None, 0, 3):
        moved = il.transfer(found, toys.signal(9), freeze=freeze, rest="warm", recipe=toys.recipe(None, steps=2))
        assert moved.outcome == "finished"


# -- what cannot be done ---------------------------------------------------------------------------------------------


def test_requests_that_cannot_be_met(start: il.Field) -> None:
    with pytest.raises(il.InputError, match="needs at least 1 signal, not 0"):
        il.fit_maml([], _recipe())
    with pytest.raises(il.InputError, match="all signals must share one grid"):
        il.fit_maml([toys.signal(), toys.signal(1, (3, 4))], _recipe())
    with pytest.raises(il.InputError, match="coordinates"):
        il.fit_reptile([toys.signal(0, (2, 3, 4))], _recipe())
    with pytest.raises(il.InputError, match=r"head='warm' has no meaning on a last layer that is drawn afresh"):
        _first(start, freeze=1, head="warm")
    with pytest.raises(il.InputError, match="head='cold' is not known; allowed are 'reinit' and 'warm'"):
        toys.unchecked(il.transfer)(start, toys.signal(), freeze=None, head="cold", recipe=toys.recipe(None))
    with pytest.raises(il.InputError, match="recipe 'fast' is not known; allowed are paper, small"):
        il.meta_recipes.named("fast", "siren")


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"inner_steps": 0}, "inner_steps must be at least 1, not 0"),
        ({"signals": 0}, "signals must be at least 1, not 0"),
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive and at most 1e30, not 0.0"),
        ({"inner_learning_rate": -1.0}, "inner_learning_rate must be positive and at most 1e30, not -1.0"),
    ],
)
def test_numbers_that_mean_nothing(numbers: dict[str, object], words: str) -> None:
    with pytest.raises(il.InputError, match=f"recipe 'toy': {words}"):
        replace(_recipe(), **numbers)


def test_the_recipes_are_there_for_every_backbone(backbone: str) -> None:
    paper, small = il.meta_recipes.named("paper", backbone), il.meta_recipes.named("small", backbone)
    assert paper.backbone == small.backbone == il.recipes.cohort(backbone).backbone
    numbers = (paper.steps, paper.learning_rate, paper.inner_steps, paper.inner_learning_rate, paper.signals)
    assert numbers == (150_000, 1e-5, 2, 1e-2, 3)


# -- the program -----------------------------------------------------------------------------------------------------


def test_the_program_learns_a_start_and_fits_on_it(tmp_path: Path) -> None:
    folder, out = photos(tmp_path / "photos", 3), tmp_path / "start.safetensors"
    tiny = ("--size", "8x10", "--recipe", "small", "--threads", 1)
    found = run("meta", folder, *tiny, "--steps", 3, "--inner-lr", 0.02, "-o", out, "--json").json
    assert (found["kind"], found["steps"], found["outcome"]) == ("meta", 3, "finished")
    assert len(found["signals"]) == 3
    assert il.load(out).origin.recipe["inner_learning_rate"] == 0.02
    assert (
        "after 2 steps on each, mean over 2 signals"
        in done("meta", folder, *tiny, "--steps", 1, "--limit", 2, "-o", tmp_path / "other.safetensors").out
    )
    picture = folder / "photo00.png"
    moved = done("transfer", out, picture, "--freeze", "none", *BRIEF, "-o", tmp_path / "moved")
    assert "every layer warm from the meta-learned start, the head too" in " ".join(moved.out.split())
    assert "warning" not in moved.err
    done("report", tmp_path / "moved")
    page = (tmp_path / "moved" / "report.html").read_text(encoding="utf-8")
    assert "meta-learned start&#39;s layers" in page
    warned = done("transfer", out, picture, *BRIEF, "-o", tmp_path / "frozen")
    assert "is meant to be taken whole: give --freeze none" in " ".join(warned.err.split())
    assert run("meta", folder, *tiny, "-o", out).code == 2


@BOTH
def test_the_history_of_several_signals_is_their_mean(learn: Callable[..., il.Fit]) -> None:
    """A start that does not move has the same PSNR in its history as at its end, which measures signal by signal."""
    members = [il.Signal("dark", torch.zeros(63, 3), toys.GRID), il.Signal("light", torch.ones(63, 3), toys.GRID)]
    still = _recipe(steps=2, signals=2, record_every=1, learning_rate=1e-12, inner_learning_rate=1e-12)
    fitted = learn(members, still)
    assert fitted.history[0].psnr == pytest.approx(sum(fitted.psnrs) / 2.0, abs=1e-3)
