"""What cannot be wrapped, and what is said of it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import foreign
import inrlens as il
import toys


class _Twice(nn.Module):
    """Calls one submodule twice, another never."""

    def __init__(self) -> None:
        super().__init__()
        self.step, self.idle, self.out = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.step(self.step(x)))


class _Odd(nn.Module):
    """Gives what it is told to make of a linear map's output."""

    def __init__(self, odd: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.into, self.odd = nn.Linear(2, 3), odd

    def forward(self, x: Tensor) -> Any:
        return self.odd(self.into(x))


class _Passing(nn.Module):
    """Has a layer of odd output that nothing uses."""

    def __init__(self, odd: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.aside, self.out = _Odd(odd), nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.aside(x)
        out: Tensor = self.out(x)
        return out


def _dropped() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 3))


@pytest.mark.parametrize(
    ("module", "layers", "settings", "message"),
    [
        (foreign.plain(), ["11"], {}, r"layer '11' does not exist in this Sequential; the nearest are '1'"),
        (foreign.Skip(), ["bends.0"], {}, r"'bends.0' does not exist in this Skip; the nearest are 'bend.0'"),
        (
            foreign.Skip(),
            ["qqq"],
            {},
            r"'qqq' does not exist in this Skip; there are 'first', 'second', 'last', 'bend'",
        ),
        (foreign.plain(), [], {}, r"layers must be a list of paths of submodules such as '0', '1', .*, not \[\]"),
        (foreign.plain().half(), ["1"], {}, "this Sequential is of torch.float16, .* call module.float()"),
        (foreign.plain().bfloat16(), ["1"], {}, "this Sequential is of torch.bfloat16, .* call module.float()"),
        (foreign.plain().to("meta"), ["1"], {}, "lies on the device meta, without values: load its weights first"),
        (_Odd(lambda u: u + 1e-5 * u.mean(0)), ["into"], {}, "is not pointwise: .* at most tolerance=1e-07 is allowed"),
        (foreign.plain(), "1", {}, r"layers must be a list of paths of submodules such as .*, not '1'"),
        (nn.Linear(2, 3), ["weight"], {}, "this Linear has no submodules that could be layers"),
        (foreign.plain(), ["1", "1"], {}, "layers '1' and '1' are one submodule: name every layer once"),
        (foreign.plain(), ["3", "1"], {}, r"in the order in which they run, \['1', '3'\], not \['3', '1'\]"),
        (_Twice(), ["step"], {}, "layer 'step' is called 2 times in a forward pass of this _Twice"),
        (_Twice(), ["idle"], {}, "layer 'idle' is never called in a forward pass of this _Twice"),
        (
            foreign.normed().train(),
            ["2"],
            {},
            r"this Sequential is not pointwise: its layer '2' deviates by up to .* split",
        ),
        (foreign.normed().train(), ["2"], {}, r"'1' is a batch norm in training mode, which module.eval\(\) may mend"),
        (foreign.Attention(), ["into"], {}, "this Attention is not pointwise: its output deviates by up to"),
        (foreign.Attention(), ["into"], {}, "'mix' is an attention, which mixes coordinates"),
        (_Odd(lambda h: h - h.mean(0)), ["into"], {}, "likely causes are batch norm .*, or a mean over all rows"),
        (_Odd(lambda h: h + torch.arange(len(h))[:, None]), ["into"], {}, "when rows are (permuted|split)"),
        (_dropped(), ["0"], {}, r"'1' of this Sequential is a dropout in training mode.*: call module.eval\(\) first"),
        (
            _Odd(lambda h: h + torch.rand(3)),
            ["into"],
            {},
            "does not give the same values twice: .* dropout, noise, or a",
        ),
        (
            _Odd(lambda h: h[None]),
            ["into"],
            {},
            r"the output of this _Odd at 257 coordinates is of shape \(1, 257, 3\)",
        ),
        (_Odd(lambda h: (h, h)), ["into"], {}, r"at 257 coordinates is a tuple, where \(257, width\) is needed"),
        (_Odd(lambda h: h.to(torch.cfloat)), ["into"], {}, "output of this _Odd is of torch.complex64, where real"),
        (_Odd(lambda h: h / 0.0), ["into"], {}, "the output of this _Odd holds values that are not finite"),
        (
            _Passing(lambda h: {"h": h}),
            ["aside"],
            {},
            "the layer 'aside' of this _Passing at 257 coordinates is a dict",
        ),
        (foreign.plain(3), ["1"], {}, r"this Sequential cannot be run on 257 coordinates xy \(RuntimeError: mat1"),
        (
            foreign.plain(),
            ["1"],
            {"axes": "xz"},
            "axes must name a network's coordinates in its own order, .*, not 'xz'",
        ),
        (foreign.plain(), ["1"], {"axes": ""}, "such as 'xy', 'yx', 'x' or 'zyx', not ''"),
        (foreign.plain(), ["1"], {"coordinates": (1.0, 1.0)}, r"coordinates must be a range .*, not \(1.0, 1.0\)"),
        (foreign.plain(), ["1"], {"coordinates": [(0.0, 1.0)]}, r"or one for each of 'xy', not \[\(0.0, 1.0\)\]"),
        (foreign.plain(), ["1"], {"output": (0.0, math.inf)}, r"output must be a range .*, not \(0.0, inf\)"),
        (
            foreign.plain(),
            ["1"],
            {"grid": (0, 5)},
            r"a grid must be a tuple of positive whole numbers, .*, not \(0, 5\)",
        ),
        (foreign.plain(), ["1"], {"tolerance": 0.0}, "tolerance must lie between 0 and 1, not 0.0"),
        (foreign.plain(), ["1"], {"grid": (3, 4, 5)}, "a grid of 3 axes does not suit a network of 2 coordinates"),
    ],
)
def test_what_cannot_be_wrapped(module: nn.Module, layers: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(il.InputError, match=message) as caught:
        il.wrap(module, layers, **settings)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_module_cannot_be_looked_into() -> None:
    with pytest.raises(il.InputError, match=r"this RecursiveScriptModule cannot be looked into .* compiled from"):
        il.wrap(torch.jit.script(foreign.plain()), ["1"])


def test_dropout_at_rest_is_pointwise() -> None:
    assert il.wrap(_dropped().eval(), ["0"]).depth == 1


def test_the_largest_deviation_is_named() -> None:
    """Rows less their mean: a row alone becomes 0, so that the largest value itself is missing."""
    with pytest.raises(il.InputError, match=r"its output deviates by up to 1(\.0)? of its largest value .* alone"):
        il.wrap(_Odd(lambda h: (h - h.mean(0)) * 0.0 + (len(h) > 1)), ["into"])


def test_a_wrapped_network_is_not_saved(tmp_path: Path) -> None:
    network = il.wrap(nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3)), layers=["1"])
    with pytest.raises(
        il.InputError, match="a wrapped network is not saved here, only a field, a dictionary, an atlas"
    ):
        il.save(network, tmp_path / "network.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("unchecked")
def test_what_takes_fields_of_ours_alone() -> None:
    wrapped: Any = il.wrap(foreign.plain(), ["1", "3"], grid=toys.GRID)
    signal, recipe = toys.signals(1, toys.GRID)[0], toys.recipe(None, steps=3)
    for freeze in (0, "auto"):
        with pytest.raises(
            il.InputError, match=r"a transfer takes a field of ours, not a Wrapped: il.read_network makes"
        ):
            il.transfer(wrapped, signal, freeze=freeze, recipe=recipe)
        with pytest.raises(il.InputError, match="a transfer takes a field of ours, not a Wrapped"):
            il.transfer_many(wrapped, [il.TransferJob(signal, freeze)], recipe=recipe)
    with pytest.raises(il.InputError, match="encoding_stable_rank takes a field of ours, not a Wrapped"):
        il.encoding_stable_rank(wrapped)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("coordinates", [None, 1.0])
def test_coordinates_that_are_no_ranges(coordinates: Any) -> None:
    with pytest.raises(
        il.InputError, match=r"coordinates must be one range \(low, high\) for all axes, or one for each"
    ):
        il.wrap(foreign.plain(), ["1", "3"], coordinates=coordinates)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("module", "layers", "settings", "message"),
    [
        (foreign.plain(), [1, 3], {}, r"layers must be a list of paths of submodules such as '0', .*, not \[1, 3\]"),
        (foreign.plain(), 1, {}, r"layers must be a list of paths of submodules such as '0', .*, not 1\."),
        (torch.sin, ["1"], {}, "a torch.nn.Module is needed, not <built-in .*: put what computes the values into one"),
        (None, ["1"], {}, "a torch.nn.Module is needed, not None"),
        (foreign.plain(), ["1"], {"axes": 2}, "such as 'xy', 'yx', 'x' or 'zyx', not 2"),
        (foreign.plain(), ["1"], {"coordinates": None}, "coordinates must be one range .*, not None"),
        (foreign.plain(), ["1"], {"grid": 5}, "a grid must be a tuple of positive whole numbers, .*, not 5"),
        (foreign.plain(), ["1"], {"grid": (4.5, 5)}, r"a grid must be a tuple of positive whole .*, not \(4.5, 5\)"),
    ],
)
def test_values_of_another_type_are_told_in_a_sentence(
    module: Any, layers: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(il.InputError, match=message):
        il.wrap(module, layers, **settings)
