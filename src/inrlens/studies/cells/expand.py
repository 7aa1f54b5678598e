"""From a study's file to its cells: every combination that it asks for, each cell after those that it needs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inrlens.dictionaries.recipe import SaeRecipe
from inrlens.fields.backbone import Backbone, backbone_settings
from inrlens.fitting.recipes import Recipe, Task as FitTask, recipe_settings
from inrlens.studies.cells.cell import CODE, Cell, CellKind, SignalRef
from inrlens.studies.config.model import BackboneSpec, DictionarySpec, SingleSpec, StudySpec, TransferSpec
from inrlens.studies.config.recipes import recipe_grid
from inrlens.studies.config.variant import Variant

Refs = Mapping[tuple[str, str], tuple[SignalRef, ...]]
"""The pictures of every data set and split (``cohort``, ``validation``, ``test``)."""
SPLITS = ("cohort", "validation", "test")


def expand(spec: StudySpec, base: Path, refs: Refs, weights: str | None, device: str) -> tuple[Cell, ...]:
    """Every cell of a study at every place of its tables, each after those that it needs.

    Args:
        spec: the study.
        base: the folder that relative paths of recipe files start from.
        refs: the pictures.
        weights: the digest of LPIPS's weights; None leaves LPIPS out.
        device: kind of device that the cells are computed on.
    """
    return _Expansion(spec, base, refs, weights, device).run()


@dataclass(frozen=True)
class _Fitted:
    """A cohort or single cell that others need, with the signals it was fitted to and the recipe's variant."""

    key: str
    signals: tuple[SignalRef, ...]
    recipe: Recipe
    variant: Variant


class _Expansion:
    """The cells found so far, by key, in the order in which they can be computed."""

    def __init__(self, spec: StudySpec, base: Path, refs: Refs, weights: str | None, device: str) -> None:
        self._spec, self._base, self._refs, self._device = spec, base, refs, device
        self._metrics = [name for name in spec.metrics if name != "lpips" or weights is not None]
        self._weights = weights
        self._recipes: dict[tuple[str, str], list[tuple[Variant, Recipe]]] = {}
        self._cells: dict[tuple[str, str], Cell] = {}

    def run(self) -> tuple[Cell, ...]:
        """Every group of the study in the file's order; cohorts come when they are first needed."""
        for transfers in self._spec.transfers:
            self._transfers(transfers)
        for singles in self._spec.singles:
            self._singles(singles)
        for dictionaries in self._spec.dictionaries:
            self._dictionaries(dictionaries)
        return tuple(self._cells.values())

    def _transfers(self, group: TransferSpec) -> None:
        for backbone in self._backbones(group.backbones):
            for target in self._names(group.targets):
                pictures = self._refs[target, group.split][: group.images]
                for variant, recipe in self._grid(backbone, "transfer"):
                    for picture in pictures:
                        for seed in self._spec.seeds:
                            self._transfer_cells(group, backbone, target, picture, variant, recipe, seed)

    def _transfer_cells(
        self,
        group: TransferSpec,
        backbone: BackboneSpec,
        target: str,
        picture: SignalRef,
        variant: Variant,
        recipe: Recipe,
        seed: int,
    ) -> None:
        settings = {
            "recipe": _nameless(recipe),
            "seed": seed,
            "metrics": self._metrics,
            "lpips": self._weights,
        }
        where = {"target": target, "backbone": backbone.name, "image": picture.name, "seed": seed, "split": group.split}
        if "scratch" in group.freeze:
            for network, own in self._networks_drawn(backbone).items():
                alone = {"backbone": {"name": network.name, **backbone_settings(network)}, "freeze": None}
                self._add(
                    "transfer",
                    {**alone, "rest": "reinit", **settings},
                    signals=(picture,),
                    place={
                        "source": None,
                        **where,
                        "freeze": None,
                        "rest": "reinit",
                        "cohort_seed": None,
                        "variant": {**dict(own), **dict(variant)},
                        "cohort": None,
                    },
                )
        for source in self._names(group.sources) if set(group.freeze) != {"scratch"} else ():
            for cohort_seed in self._spec.cohort_seeds:
                for cohort in self._cohorts(source, backbone, cohort_seed):
                    assert cohort.recipe.backbone is not None
                    for freeze, rest in _settings(group, cohort.recipe.backbone.depth):
                        self._add(
                            "transfer",
                            {"cohort": cohort.key, "freeze": freeze, "rest": rest, **settings},
                            needs=(cohort.key,),
                            signals=(picture,),
                            place={
                                "source": source,
                                **where,
                                "freeze": freeze,
                                "rest": rest,
                                "cohort_seed": cohort_seed,
                                "variant": {**dict(cohort.variant), **dict(variant)},
                                "cohort": cohort.key,
                            },
                        )

    def _networks_drawn(self, backbone: BackboneSpec) -> dict[Backbone, Variant]:
        """The networks that cohorts begin with, each with what its axes set in it: all that scratch knows of them."""
        drawn: dict[Backbone, Variant] = {}
        for variant, recipe in self._grid(backbone, "cohort"):
            assert recipe.backbone is not None
            settings = backbone_settings(recipe.backbone)
            own = tuple((name, value) for name, value in variant if name.removeprefix("cohort.") in settings)
            drawn.setdefault(recipe.backbone, own)
        return drawn

    def _cohorts(self, source: str, backbone: BackboneSpec, seed: int) -> list[_Fitted]:
        signals = self._refs[source, "cohort"]
        found = []
        for variant, recipe in self._grid(backbone, "cohort"):
            place = {"source": source, "backbone": backbone.name, "seed": seed, "variant": dict(variant)}
            settings = {"recipe": _nameless(recipe), "seed": seed}
            found.append(_Fitted(self._add("cohort", settings, (), signals, place), signals, recipe, variant))
        return found

    def _singles(self, group: SingleSpec) -> None:
        for backbone in self._backbones(group.backbones):
            for name in self._names(group.data):
                for picture in self._refs[name, group.split][: group.images]:
                    for seed in self._spec.seeds:
                        for variant, recipe in self._grid(backbone, "single"):
                            self._single(backbone, picture, seed, variant, recipe, group.split)

    def _single(
        self, backbone: BackboneSpec, picture: SignalRef, seed: int, variant: Variant, recipe: Recipe, split: str
    ) -> _Fitted:
        place = {
            "data": picture.data,
            "backbone": backbone.name,
            "image": picture.name,
            "seed": seed,
            "variant": dict(variant),
            "split": split,
        }
        settings = {
            "recipe": _nameless(recipe),
            "seed": seed,
            "metrics": self._metrics,
            "lpips": self._weights,
        }
        return _Fitted(self._add("single", settings, (), (picture,), place), (picture,), recipe, variant)

    def _dictionaries(self, group: DictionarySpec) -> None:
        for backbone in self._backbones(group.backbones):
            for source in self._names(group.sources):
                for network in group.networks:
                    for fitted, image in self._networks(group, network, backbone, source):
                        assert fitted.recipe.backbone is not None
                        for layer in group.layers or range(fitted.recipe.backbone.depth):
                            where = {"network": network, "source": source, "backbone": backbone.name, "image": image}
                            self._dictionary_cells(group, fitted, {**where, "layer": layer})

    def _networks(
        self, group: DictionarySpec, network: str, backbone: BackboneSpec, source: str
    ) -> Iterable[tuple[_Fitted, str | None]]:
        if network == "cohort":
            yield self._cohorts(source, backbone, self._spec.cohort_seeds[0])[0], None
            return
        variant, recipe = self._grid(backbone, "single")[0]
        for picture in self._refs[source, "test"][: group.images]:
            yield self._single(backbone, picture, self._spec.seeds[0], variant, recipe, "test"), picture.name

    def _dictionary_cells(self, group: DictionarySpec, fitted: _Fitted, where: dict[str, Any]) -> None:
        for n_atoms in group.n_atoms:
            for k in (k for k in group.k if k <= n_atoms):
                for seed in group.seeds:
                    recipe = SaeRecipe(n_atoms, k, group.steps, group.learning_rate, group.batch)
                    place = {**where, "n_atoms": n_atoms, "k": k, "seed": seed, "variant": dict(fitted.variant)}
                    settings = {
                        "network": fitted.key,
                        "layer": where["layer"],
                        "recipe": asdict(recipe),
                        "seed": seed,
                    }
                    key = self._add("dictionary", settings, (fitted.key,), fitted.signals, place)
                    if group.effects:
                        needs = (fitted.key, key)
                        made = {"network": fitted.key, "dictionary": key}
                        self._add("analysis", made, needs, fitted.signals[:1], place)

    def _add(
        self,
        kind: CellKind,
        settings: dict[str, Any],
        needs: tuple[str, ...] = (),
        signals: tuple[SignalRef, ...] = (),
        place: dict[str, Any] | None = None,
    ) -> str:
        """Enters a cell at a place, once however often it is asked for there, and gives its key."""
        whole = {
            "kind": kind,
            "code": CODE[kind],
            "device": self._device,
            "signals": [signal.digest for signal in signals],
            **settings,
        }
        cell = Cell(kind, whole, needs, signals, place or {})
        self._cells.setdefault((cell.key, json.dumps(cell.place)), cell)
        return cell.key

    def _grid(self, backbone: BackboneSpec, task: FitTask) -> list[tuple[Variant, Recipe]]:
        where = (backbone.name, task)
        if where not in self._recipes:
            self._recipes[where] = recipe_grid(getattr(backbone, task), task, backbone, self._base)
        return self._recipes[where]

    def _backbones(self, names: Sequence[str]) -> list[BackboneSpec]:
        return [one for one in self._spec.backbones if not names or one.name in names]

    def _names(self, names: Sequence[str]) -> list[str]:
        return [one.name for one in self._spec.data if not names or one.name in names]


def _settings(group: TransferSpec, depth: int) -> Iterable[tuple[int | None, str]]:
    """Freeze depth and start of the rest of every setting that reuses a cohort of ``depth`` layers."""
    for freeze in group.freeze:
        if freeze == "none":
            yield None, "warm"
        elif freeze != "scratch":
            layers = range(depth) if freeze == "each" else (freeze,)
            yield from ((tau, rest) for tau in layers for rest in group.rest)


def _nameless(recipe: Recipe) -> dict[str, Any]:
    settings = recipe_settings(recipe)
    del settings["name"]
    return settings
