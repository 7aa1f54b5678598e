"""Whose network is it? Told from the names of its tensors, and from the user where those fit several."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.importers.layouts import LAYOUTS, Layout, layout_named
from inrlens.fields.importers.tensor_names import belongs, missing, shorter_names, shown_as

_SHOWN = 4


@dataclass(frozen=True)
class Recognised:
    """Layouts that build the same network of these tensors; ``shown`` has the names that the file gives them."""

    layouts: tuple[Layout, ...]
    tensors: dict[str, Tensor]
    shown: dict[str, str]


def recognise(source: str, state: Mapping[str, Tensor], layout: str | None) -> Recognised:
    """The layout of a state dict; with ``layout`` that one alone is tried.

    Raises:
        InputError: where a tensor is missing, nothing fits, or layouts fit that make different networks of it.
    """
    tried = [layout_named(layout)] if layout is not None else list(LAYOUTS.values())
    gaps: dict[str, list[Layout]] = {}
    for names in shorter_names(state):
        part = [each for each in tried if any(belongs(each, name) for name in names)]
        part = [each for each in part if all(belongs(each, name) for name in names)]
        lacking = {each.name: _missing(source, each, names) for each in part}
        whole = [each for each in part if lacking[each.name] is None]
        if whole:
            _check_one(source, whole)
            return Recognised(tuple(whole), {short: state[name] for short, name in names.items()}, names)
        for each in part:
            if _is_another(each, names):
                continue
            gaps.setdefault(shown_as(str(lacking[each.name]), names), []).append(each)
    if gaps:
        raise InputError(f"{source}: {_gap(gaps)}.")
    if "head.weight" in state and any(name.startswith("encoder.layers.0.") for name in state):
        raise InputError(
            f"{source} holds a field of ours, which needs no import: il.load and every command take a file of il.save "
            "as it is."
        )
    nearest, odd = nearest_layouts(state, tried)
    if nearest:
        raise InputError(
            f"{source}: all its tensors but {_shown([repr(name) for name in odd])} are those of layout "
            f"{_either(nearest)}: leave out what plays no part in the network, or il.wrap it."
        )
    what = f"layout {layout!r} ({tried[0].shown})" if layout is not None else f"any known layout ({_known()})"
    raise InputError(f"{source} holds {_found(state)}, which do not fit {what}: build the network and il.wrap it.")


def _is_another(layout: Layout, names: Mapping[str, str]) -> bool:
    """Whether names that belong to a layout are those of a plain ``nn.Sequential`` that is only called like its maps:
    the output that has a name is missing, and so is every other map, where the nonlinearities stand."""
    if layout.head is None or "#" in layout.head or "@" in layout.head or f"{layout.head}.weight" in names:
        return False
    numbers = [int(part) for name in names for part in name.split(".") if part.isdecimal()]
    return len(set(numbers)) > 1 and all(number % 2 == min(numbers) % 2 for number in numbers)


def _gap(gaps: Mapping[str, Sequence[Layout]]) -> str:
    """What is missing, and from which layout: several may be equally near."""
    if len(gaps) > 1:
        each = "; ".join(f"{name!r} for layout {_either(layouts)}" for name, layouts in gaps.items())
        return f"a tensor is missing, {each}"
    name, layouts = next(iter(gaps.items()))
    what = f"{layouts[0].name} network ({layouts[0].source})" if len(layouts) == 1 else f"network of {_either(layouts)}"
    return f"tensor {name!r} is missing, without which it is no {what}"


def _either(layouts: Sequence[Layout]) -> str:
    *first, last = (each.name for each in layouts)
    return f"{', '.join(first)} or {last}" if first else f"{last} ({layouts[0].source})"


def _missing(source: str, layout: Layout, names: Mapping[str, str]) -> str | None:
    try:
        return missing(layout, names)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def _check_one(source: str, layouts: Sequence[Layout]) -> None:
    kinds = {(each.backbone, each.encoding) for each in layouts}
    if len(kinds) > 1:
        fits = ", ".join(f"{each.name} ({each.backbone})" for each in layouts)
        raise InputError(
            f"{source}: the names of its tensors fit {fits}, and no file says which nonlinearity it was: give layout."
        )


def _found(state: Mapping[str, Tensor]) -> str:
    return f"{len(state)} tensors ({_shown([f'{name} {tuple(tensor.shape)}' for name, tensor in state.items()])})"


def _shown(words: Sequence[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (", ..." if len(words) > _SHOWN else "")


def _known() -> str:
    return ", ".join(LAYOUTS)


def nearest_layouts(state: Collection[str], tried: Sequence[Layout]) -> tuple[list[Layout], list[str]]:
    """The layouts that fit once the fewest names are left aside, less than half of them, and these names.

    A name that shares no prefix with the others keeps theirs on: the names behind the commonest prefix are tried too.
    """
    fronts = [name.partition(".")[0] for name in state]
    common = max(fronts, key=fronts.count)
    nearest: list[Layout] = []
    fewest: list[str] = []
    for part in (state, [name for name in state if name.startswith(f"{common}.")]):
        for names in shorter_names(part):
            for layout in tried:
                kept = {short: whole for short, whole in names.items() if belongs(layout, short)}
                odd = sorted(set(state) - set(kept.values()))
                if 2 * len(odd) >= len(state) or not _is_whole(layout, kept):
                    continue
                if not nearest or len(odd) < len(fewest):
                    nearest, fewest = [], odd
                if odd == fewest and layout not in nearest:
                    nearest.append(layout)
    return nearest, fewest


def _is_whole(layout: Layout, names: Collection[str]) -> bool:
    try:
        return missing(layout, names) is None
    except InputError:
        return False
