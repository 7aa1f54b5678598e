"""Small study plans made by hand, for tests of what a study costs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

import inrlens as il
from inrlens.dictionaries.recipe import SaeRecipe
from inrlens.fields.backbone import backbone_settings
from inrlens.fitting.recipes import recipe_settings
from inrlens.studies.cells.cell import CODE, Cell, CellKind, SignalRef
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.config.model import (
    BackboneSpec,
    DataSpec,
    DictionarySpec,
    RecipeSpec,
    SingleSpec,
    StudySpec,
    TransferSpec,
)
from toys import SMALL

GRID = (13, 11)


def picture(number: int = 0, data: str = "toys", grid: tuple[int, ...] = GRID, channels: int = 3) -> SignalRef:
    """A picture by name."""
    return SignalRef(data, f"{data} {number}", f"digest of {data} {number}", grid, channels)


def nameless(recipe: il.Recipe) -> dict[str, Any]:
    """A recipe's settings as cells hold them."""
    settings = recipe_settings(recipe)
    del settings["name"]
    return settings


def network(backbone: str = "siren") -> dict[str, Any]:
    """Name and settings of a small backbone."""
    made = il.make_backbone(backbone, **SMALL[backbone])
    return {"name": made.name, **backbone_settings(made)}


def recipe(backbone: str | None = "siren", **numbers: Any) -> il.Recipe:
    """A short recipe."""
    made = None if backbone is None else il.make_backbone(backbone, **SMALL[backbone])
    return replace(il.Recipe("toy", made, steps=6, learning_rate=1e-3), **numbers)


def cell(
    kind: CellKind,
    signals: Sequence[SignalRef],
    settings: dict[str, Any],
    needs: Sequence[str] = (),
    place: dict[str, Any] | None = None,
) -> Cell:
    """A cell with what every kind's settings hold."""
    whole = {"kind": kind, "code": CODE[kind], "device": "cpu", "signals": [one.digest for one in signals], **settings}
    return Cell(kind, whole, tuple(needs), tuple(signals), place or {})


def cohort(
    backbone: str = "siren", *, heads: int = 2, seed: int = 0, grid: tuple[int, ...] = GRID, **numbers: Any
) -> Cell:
    """A cohort of a few pictures."""
    signals = [picture(1000 + number, grid=grid) for number in range(heads)]
    place = {"source": "toys", "backbone": backbone, "seed": seed, "variant": {}}
    return cell("cohort", signals, {"recipe": nameless(recipe(backbone, **numbers)), "seed": seed}, (), place)


def transfer(
    source: Cell | None,
    freeze: int | None,
    rest: str = "reinit",
    *,
    backbone: str = "siren",
    image: int = 0,
    seed: int = 0,
    grid: tuple[int, ...] = GRID,
    metrics: Sequence[str] = ("psnr",),
    **numbers: Any,
) -> Cell:
    """A transfer to one picture, or from scratch."""
    target = picture(image, grid=grid)
    settings = {
        **({"backbone": network(backbone)} if source is None else {"cohort": source.key}),
        "freeze": freeze,
        "rest": rest,
        "recipe": nameless(recipe(None, **numbers)),
        "seed": seed,
        "metrics": list(metrics),
        "lpips": None,
    }
    place = {
        "source": None if source is None else "toys",
        "target": "toys",
        "backbone": backbone,
        "image": target.name,
        "freeze": freeze,
        "rest": rest,
        "seed": seed,
        "cohort_seed": None if source is None else source.settings["seed"],
        "variant": {},
        "split": "test",
        "cohort": None if source is None else source.key,
    }
    return cell("transfer", [target], settings, () if source is None else (source.key,), place)


def dictionary(of: Cell, layer: int = 1, n_atoms: int = 24, k: int = 4, **numbers: Any) -> Cell:
    """A dictionary of a cohort's layer."""
    settings = {
        "network": of.key,
        "layer": layer,
        "recipe": asdict(SaeRecipe(n_atoms, k, **{"steps": 5, "batch": 50, **numbers})),
        "seed": 0,
    }
    place = {
        "network": "cohort",
        "source": "toys",
        "backbone": of.place["backbone"],
        "image": None,
        "layer": layer,
        "n_atoms": n_atoms,
        "k": k,
        "seed": 0,
        "variant": {},
    }
    return cell("dictionary", of.signals, settings, (of.key,), place)


def analysis(of: Cell, made: Cell) -> Cell:
    """The analysis of a dictionary."""
    settings = {"network": of.key, "dictionary": made.key}
    return cell("analysis", of.signals[:1], settings, (of.key, made.key), made.place)


def by_key(*cells: Cell) -> dict[str, Cell]:
    """Cells by their keys."""
    return {one.key: one for one in cells}


def plan(cells: Sequence[Cell], spec: StudySpec | None = None) -> StudyPlan:
    """A plan of these cells."""
    return StudyPlan(spec or study(), "", tuple(cells), {}, ())


def study(**numbers: Any) -> StudySpec:
    """The file of a study of toys."""
    return replace(
        StudySpec(
            name="toys",
            title="Toys",
            data=(DataSpec("toys", "bundled", None),),
            backbones=(BackboneSpec("siren", "siren", RecipeSpec("small"), RecipeSpec("small"), RecipeSpec("small")),),
            transfers=(TransferSpec(freeze=("scratch", "none", 0, 1)),),
        ),
        **numbers,
    )


def whole_study(
    images: int = 12, seeds: int = 3, *, sweep: bool = False, grid: tuple[int, int] = (64, 64), steps: int = 50
) -> StudyPlan:
    """One cohort, transfers of every setting to every picture with every seed, and maybe dictionaries."""
    source = cohort(grid=grid, steps=steps)
    cells = [source]
    for image in range(images):
        for seed in range(seeds):
            for start, freeze, rest in ((None, None, "reinit"), (source, None, "warm"), (source, 0, "reinit")):
                cells.append(transfer(start, freeze, rest, image=image, seed=seed, grid=grid, steps=steps))
    groups: tuple[DictionarySpec, ...] = ()
    if sweep:
        groups = (DictionarySpec(layers=(1,), n_atoms=(16, 32, 64), k=(4, 8), steps=steps),)
        for n_atoms in groups[0].n_atoms:
            for k in groups[0].k:
                made = dictionary(source, 1, n_atoms, k, steps=steps)
                cells += [made, analysis(source, made)]
    spec = study(
        transfers=(TransferSpec(freeze=("scratch", "none", 0)),),
        singles=(SingleSpec(images=3),),
        seeds=tuple(range(seeds)),
        dictionaries=groups,
    )
    return plan(cells, spec)


def rows(grid: tuple[int, ...] = GRID) -> int:
    """Coordinates of a grid."""
    return math.prod(grid)


def _in_place(_, left, right, *rest, **more) -> int:
    """torch counts the product that makes a new tensor, not the one that adds to an old one."""
    return 2 * math.prod(left) * right[-1]


def counted(work: Callable[[], object]) -> float:
    """What torch counts: products and convolutions."""
    with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.baddbmm_: _in_place}) as counter:
        work()
    return float(counter.get_total_flops())
