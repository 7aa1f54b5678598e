"""Which layouts the names of a file's tensors fit, and where each linear map is."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from inrlens.errors import InputError
from inrlens.fields.importers.layouts import Layout


@dataclass(frozen=True)
class Places:
    """Paths of the linear maps: the layers' in the order in which they run, and one output's a signal."""

    layers: tuple[str, ...]
    heads: tuple[str, ...]


class Gap(LookupError):
    """The path of a linear map that is missing among others of its layout."""


def shorter_names(names: Collection[str]) -> Iterator[dict[str, str]]:
    """The names of tensors by what they become as one wrapper's prefix after another is taken off.

    ``_orig_mod`` (torch.compile) is no one's own name and goes first; then whatever all names have in front: ``module``
    (DataParallel), ``model`` (Lightning), or the attribute of a module around the network. Names without a dot stay.
    """
    short = {re.sub(r"(^|(?<=\.))_orig_mod\.", "", name): name for name in names}
    while True:
        yield short
        fronts = {name.partition(".")[0] for name in short if "." in name}
        if len(fronts) != 1 or all(name.count(".") < 2 for name in short):
            return
        short = {name.partition(".")[2] or name: whole for name, whole in short.items()}


def shown_as(name: str, names: Mapping[str, str]) -> str:
    """What a missing tensor would be called in a file whose ``names`` are by their shorter form."""
    fronts = [whole.removesuffix(short) for short, whole in names.items() if whole.endswith(short)]
    return max(fronts, key=len, default="") + name


def belongs(layout: Layout, name: str) -> bool:
    """Whether a tensor of that name is part of a layout."""
    path, _, kind = name.rpartition(".")
    if kind in ("weight", "bias"):
        number = _number(layout.maps, path)
        if number is not None and number >= layout.first and (number - layout.first) % layout.step == 0:
            return True
        if layout.head is not None and _pattern(layout.head).fullmatch(path):
            return True
    stored = (*layout.held.values(), *layout.beside, *_frequencies(layout))
    return any(_pattern(template).fullmatch(name) for template in stored)


def missing(layout: Layout, names: Collection[str]) -> str | None:
    """The first tensor that a layout needs and that is not among names which belong to it; None: all are there.

    Raises:
        InputError: where several signals have layers of their own.
    """
    try:
        places = find(layout, names)
    except Gap as gap:
        return f"{gap}.weight"
    needed = [f"{path}.weight" for path in (*places.layers, *places.heads)]
    biases = [f"{path}.bias" for path in (*places.layers, *places.heads)]
    if any(bias in names for bias in biases):
        needed += biases
    needed += [
        template.replace("#", str(layout.first + index * layout.step))
        for template in layout.held.values()
        for index in range(len(places.layers))
    ]
    return next((name for name in (*needed, *_frequencies(layout)) if name not in names), None)


def find(layout: Layout, names: Collection[str]) -> Places:
    """The paths of a layout's linear maps among names that belong to it.

    Raises:
        Gap: with the first path that is missing.
        InputError: where several signals have layers of their own, where a field's share all of them.
    """
    paths = {name.rpartition(".")[0] for name in names if name.endswith((".weight", ".bias"))}
    numbers = sorted(number for path in paths if (number := _number(layout.maps, path)) is not None)
    wanted = [layout.first + index * layout.step for index in range(len(numbers))]
    for number, expected in zip(numbers, wanted, strict=True):
        if number != expected:
            raise Gap(layout.maps.replace("#", str(expected)))
    maps = tuple(layout.maps.replace("#", str(number)) for number in numbers)
    following = str(layout.first + len(numbers) * layout.step)
    if not maps:
        raise Gap(layout.maps.replace("#", str(layout.first)))
    if layout.head is None:
        if len(maps) == 1:
            raise Gap(layout.maps.replace("#", following))
        return Places(maps[:-1], maps[-1:])
    if "@" in layout.head:
        return _private_heads(layout, layout.head, maps, paths)
    head = layout.head.replace("#", following)
    if head not in paths:
        raise Gap(head)
    return Places(maps, (head,))


def path_after(layout: Layout, path: str) -> str | None:
    """The path of the map that would follow an output; None where the output has a name that no layer has."""
    template = layout.head or layout.maps
    if layout.head is not None and "@" not in layout.head:
        return None
    match = _pattern(template).fullmatch(path)
    assert match is not None, "an output lies where its layout has it"
    *signals, number = match.groups()
    return template.replace("@", "".join(signals)).replace("#", str(int(number) + layout.step))


def _private_heads(layout: Layout, template: str, maps: tuple[str, ...], paths: set[str]) -> Places:
    """Every signal's own maps: all but one signal's last go with the shared layers where there is one signal alone."""
    own: dict[int, list[int]] = {}
    for path in paths:
        match = _pattern(template).fullmatch(path)
        if match is not None:
            own.setdefault(int(match[1]), []).append(int(match[2]))

    def place(signal: int, number: int) -> str:
        return template.replace("@", str(signal)).replace("#", str(number))

    for signal in range(max(len(own), 1)):
        numbers = sorted(own.get(signal, []))
        for index in range(max(len(numbers), 1)):
            if index * layout.step not in numbers:
                raise Gap(place(signal, index * layout.step))
    depths = {len(numbers) for numbers in own.values()}
    if depths == {1}:
        return Places(maps, tuple(place(signal, 0) for signal in range(len(own))))
    if len(own) == 1:
        private = tuple(place(0, number) for number in sorted(own[0]))
        return Places((*maps, *private[:-1]), private[-1:])
    raise InputError(
        f"its {len(own)} signals have layers of their own behind those that they share, where a field's share all "
        "but the linear output: keep the tensors of one of them, as decoder.0, and read that."
    )


def _number(template: str, path: str) -> int | None:
    match = _pattern(template).fullmatch(path)
    return int(match[1]) if match is not None else None


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace(r"\#", r"(\d{1,6})").replace("@", r"(\d{1,6})"))


def _frequencies(layout: Layout) -> tuple[str, ...]:
    return () if layout.encoding is None or not layout.encoding.frequencies else (layout.encoding.frequencies,)
