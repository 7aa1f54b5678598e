"""What the parts of a study must agree on: names, depths, channels, splits, and the fairness of a search."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import prod

from inrlens.dictionaries.recipe import SaeRecipe
from inrlens.errors import InputError
from inrlens.fitting.recipes import Recipe, Task
from inrlens.studies.config.form import unknown
from inrlens.studies.config.model import BackboneSpec, DataSpec, DictionarySpec, SingleSpec, Split, TransferSpec


@dataclass(frozen=True)
class Parts:
    """What the file declares, by name; None stands for what is itself at fault and can be named but not checked.

    ``grids`` has the recipes of every sound backbone's tasks, in the order of ``recipe_grid``.
    """

    data: Mapping[str, DataSpec | None]
    backbones: Mapping[str, BackboneSpec | None]
    grids: Mapping[tuple[str, Task], Sequence[Recipe]]

    def sets(self, names: Sequence[str]) -> list[DataSpec]:
        """The sound ones of these data sets, or of all where none are named."""
        return [one for name, one in self.data.items() if one is not None and (not names or name in names)]

    def networks(self, names: Sequence[str]) -> list[str]:
        """The sound ones of these backbones, or of all where none are named."""
        return [name for name, one in self.backbones.items() if one is not None and (not names or name in names)]


def transfer_faults(spec: TransferSpec, where: str, parts: Parts) -> Iterator[str]:
    """What is wrong with a group of transfers."""
    yield from _unknown(f"{where}.sources", "data set", spec.sources, parts.data)
    yield from _unknown(f"{where}.targets", "data set", spec.targets, parts.data)
    yield from _unknown(f"{where}.backbones", "backbone", spec.backbones, parts.backbones)
    for tau in (tau for tau in spec.freeze if isinstance(tau, int)):
        yield from _beyond(f"{where}.freeze: tau", tau, "cohort", parts, spec.backbones)
    yield from _empty_splits(where, "targets", spec.targets, spec.split, parts)
    if set(spec.freeze) != {"scratch"}:
        yield from _no_cohort(where, spec.sources, parts)
        yield from _channels(where, spec, parts)
    if spec.split == "validation":
        yield from _unfair(where, ("cohort", "transfer"), parts, spec.backbones)


def single_faults(spec: SingleSpec, where: str, parts: Parts) -> Iterator[str]:
    """What is wrong with a group of single fits."""
    yield from _unknown(f"{where}.data", "data set", spec.data, parts.data)
    yield from _unknown(f"{where}.backbones", "backbone", spec.backbones, parts.backbones)
    yield from _empty_splits(where, "data", spec.data, spec.split, parts)
    if spec.split == "validation":
        yield from _unfair(where, ("single",), parts, spec.backbones)


def dictionary_faults(spec: DictionarySpec, where: str, parts: Parts) -> Iterator[str]:
    """What is wrong with a group of dictionaries."""
    yield from _unknown(f"{where}.sources", "data set", spec.sources, parts.data)
    yield from _unknown(f"{where}.backbones", "backbone", spec.backbones, parts.backbones)
    # Where recipes have axes, dictionaries take the first value of each.
    first = replace(parts, grids={which: grid[:1] for which, grid in parts.grids.items()})
    pairs = [(layer, network) for network in spec.networks for layer in spec.layers]
    beyond = (_beyond(f"{where}.layers: layer", layer, network, first, spec.backbones) for layer, network in pairs)
    yield from dict.fromkeys(chain.from_iterable(beyond))
    if "cohort" in spec.networks:
        yield from _no_cohort(where, spec.sources, parts)
    if "single" in spec.networks:
        yield from _empty_splits(where, "sources", spec.sources, "test", parts)
    for k in (k for k in spec.k if k > max(spec.n_atoms)):
        yield f"{where}.k: {k} is above every n_atoms, of which the largest is {max(spec.n_atoms)}"
    for n_atoms in (n for n in spec.n_atoms if n < min(spec.k) <= max(spec.n_atoms)):
        yield f"{where}.n_atoms: {n_atoms} is below every k, of which the smallest is {min(spec.k)}"
    for n_atoms in spec.n_atoms:
        try:
            SaeRecipe(n_atoms, 1, spec.steps, spec.learning_rate, spec.batch)
        except InputError as error:
            yield f"{where}.{str(error).rstrip('.')}"


def _unknown(where: str, what: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{where}: {what} {name!r} {unknown(name, known)}"


def _beyond(what: str, layer: int, task: Task, parts: Parts, backbones: Sequence[str]) -> Iterator[str]:
    """A layer that a backbone lacks, at any value of its axes."""
    for name in parts.networks(backbones):
        depths = [one.backbone.depth for one in parts.grids.get((name, task), ()) if one.backbone is not None]
        if depths and layer >= min(depths):
            yield f"{what} {layer} is beyond the last layer of {name}, {min(depths) - 1}"


def _empty_splits(where: str, key: str, names: Sequence[str], split: Split, parts: Parts) -> Iterator[str]:
    """A split without pictures, of a data set that is named or of all that are meant."""
    empty = [one.name for one in parts.sets(names) if (one.validation if split == "validation" else one.test) == 0]
    if not empty:
        return
    if names:
        for name in empty:
            yield f"{where}.{key}: data set {name!r} has no {split} pictures, its `{split}` is 0"
    elif len(empty) == len(parts.data):
        yield f"{where}: no data set has {split} pictures, give one a `{split}` of at least 1"


def _no_cohort(where: str, names: Sequence[str], parts: Parts) -> Iterator[str]:
    for one in parts.sets(names):
        if one.cohort == 0:
            yield f"{where}.sources: data set {one.name!r} has no cohort, its `cohort` is 0: name only sources with one"


def _channels(where: str, spec: TransferSpec, parts: Parts) -> Iterator[str]:
    """The first source and target of unlike channels."""
    for source in parts.sets(spec.sources):
        for target in parts.sets(spec.targets):
            if source.channels != target.channels:
                yield (
                    f"{where}: source {source.name} has {_channel_words(source.channels)} and target {target.name} "
                    f"{_channel_words(target.channels)}: give both the same (3 repeats a grey picture's)"
                )
                return


def _channel_words(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"


def _unfair(where: str, tasks: Sequence[Task], parts: Parts, backbones: Sequence[str]) -> Iterator[str]:
    """A search that gives one backbone more settings or steps than another."""
    names = [name for name in parts.networks(backbones) if all((name, task) in parts.grids for task in tasks)]
    sizes = {name: prod(len(parts.grids[name, task]) for task in tasks) for name in names}
    if not sizes or max(sizes.values()) == 1:
        return
    rule = f"{where}: a search on the validation split gives every backbone the same budget, but"
    if len(set(sizes.values())) > 1:
        yield f"{rule} {_each(sizes)} settings"
    for task in tasks:
        steps = {
            name: ", ".join(str(one) for one in sorted({r.steps for r in parts.grids[name, task]})) for name in names
        }
        if len(set(steps.values())) > 1:
            yield f"{rule} {_each(steps)} {task} steps"


def _each(numbers: Mapping[str, object]) -> str:
    """``siren has 6 and ffmlp 4``."""
    first, *others = (f"{name} {number}" for name, number in numbers.items())
    return " and ".join([first.replace(" ", " has ", 1), *others])
