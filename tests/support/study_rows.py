"""A made-up study, whole: rows of every kind with numbers from a seeded generator, and a store that holds it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from inrlens.files import plain_json
from inrlens.reports.study.figures import StudyFigure
from inrlens.studies.store.stored import Attempt, StoredCell, StoredFile
from inrlens.studies.tables.load_records import study_rows
from inrlens.studies.tables.records import StudyRows

STUDY = "made-up"
DATA = ("faces", "kodak", "mri")
BACKBONES = ("siren", "ffmlp")
IMAGES = ("a.png", "b.png", "c.png")
SEEDS = (0, 1)
SETTINGS: tuple[tuple[int | None, str], ...] = (
    (None, "warm"),
    *((tau, rest) for rest in ("reinit", "warm") for tau in range(5)),
)
SCORES = (
    "sr(W)", "sr(H) post", "sr(H) post_centred", "sr(H) pre", "effective rank W", "participation ratio W",
)  # fmt: skip
SOURCE = """format = 1
name = "made-up"
title = "A made-up study"
seeds = [0, 1]
[data.faces]
kind = "celeba"
path = "faces"
size = [109, 89]
cohort = 4
test = 3
[data.kodak]
kind = "kodak"
path = "kodak"
cohort = 4
test = 3
[data.mri]
kind = "folder"
path = "mri"
cohort = 4
test = 3
[backbones.siren]
transfer = { recipe = "paper", batch = 2048 }
[backbones.ffmlp]
[[transfers]]
freeze = ["scratch", "none", 0, 1, 2, 3, 4]
rest = ["reinit", "warm"]
[[dictionaries]]
sources = ["faces"]
"""
_BASE = {"faces": 40.0, "kodak": 32.0, "mri": 46.0}


@dataclass
class MadeUpStore:
    """A store that is a list of cells."""

    cells: list[StoredCell]
    source: str = SOURCE
    name: str = STUDY
    tried: list[Attempt] = field(default_factory=list)

    def study_source(self, name: str, /) -> str:
        assert name == self.name
        return self.source

    def stored(self, study: str, /) -> Iterator[StoredCell]:
        assert study == self.name
        return iter(self.cells)

    def files(self, study: str, /) -> tuple[StoredFile, ...]:
        splits = ("cohort",) * 4 + ("test",) * 3
        return tuple(
            StoredFile(data, f"{number}.png", split, "0" * 64, "1" * 64)
            for data in DATA
            for number, split in enumerate(splits)
        )

    def attempts(self) -> Iterator[Attempt]:
        return iter(self.tried)


def made_up_store(**changes: Any) -> MadeUpStore:
    """All cells of the study done; ``changes`` are those of ``made_up_cells``."""
    cells = list(made_up_cells(**changes))
    tried = [Attempt(cell.key, "a-machine", 1, 1.8e9 + at, 1.8e9 + at + 1.0, "done") for at, cell in enumerate(cells)]
    return MadeUpStore(cells, tried=tried)


def made_up_rows(**changes: Any) -> StudyRows:
    """The rows of the same study."""
    return study_rows(made_up_store(**changes), STUDY)


def made_up_cells(
    images: tuple[str, ...] = IMAGES, seeds: tuple[int, ...] = SEEDS, lpips: bool = True, seed: int = 0
) -> Iterator[StoredCell]:
    """Cohorts of 3 sources, transfers to 3 targets with 2 backbones and 12 settings, and dictionaries on faces."""
    draws = np.random.default_rng(seed)
    for source, backbone in product(DATA, BACKBONES):
        place = {"source": source, "backbone": backbone, "seed": 0, "variant": {}}
        yield _cell("cohort", place, _cohort(draws), steps=5000)
    for target, backbone in product(DATA, BACKBONES):
        hard = {image: draws.normal(0.0, 2.0) for image in images}
        for image, one in product(images, seeds):
            where = {"target": target, "backbone": backbone, "image": image, "seed": one, "split": "test"}
            scratch = {"source": None, "freeze": None, "rest": "reinit", "cohort_seed": None, "cohort": None}
            base = _BASE[target] + hard[image]
            place = {**scratch, **where, "variant": {}}
            yield _cell("transfer", place, _fit(base - 8.0 + draws.normal(0.0, 0.2), lpips))
            for source, (tau, rest) in product(DATA, SETTINGS):
                lost = 0.0 if tau is None else 4.0 * max(0, tau - (1 if backbone == "siren" else 0)) + 1.0
                lost *= 0.5 if rest == "warm" else 1.0
                place = {
                    "source": source,
                    **where,
                    "freeze": tau,
                    "rest": rest,
                    "cohort_seed": 0,
                    "cohort": _key("cohort", {"source": source, "backbone": backbone, "seed": 0, "variant": {}}),
                    "variant": {},
                }
                yield _cell("transfer", place, _fit(base - lost + draws.normal(0.0, 0.2), lpips))
    for network, backbone, layer in product(("cohort", "single"), BACKBONES, range(5)):
        image = None if network == "cohort" else images[0]
        place = {
            "network": network, "source": "faces", "backbone": backbone, "image": image, "layer": layer,
            "n_atoms": 1024, "k": 32, "seed": 0, "variant": {},
        }  # fmt: skip
        yield _cell("dictionary", place, _dictionary(draws))
        yield _cell("analysis", place, _analysis(draws))


def made_up_figure(name: str = "freeze-siren") -> StudyFigure:
    """A figure that takes no time."""

    def draw() -> Figure:
        figure = Figure(figsize=(1.0, 1.0))
        figure.add_axes((0.0, 0.0, 1.0, 1.0)).plot([0.0, 1.0])
        return figure

    return StudyFigure(name, "A figure", "One line, 50 % up.", f'<svg id="drawn-{name}" role="img"></svg>', draw)


def failed(cell: StoredCell, error: str) -> StoredCell:
    """The cell as one that failed."""
    return replace(cell, state="failed", result=None, timing=None, artefact=None, error=error)


def waiting(cell: StoredCell) -> StoredCell:
    """The cell before it ran."""
    return replace(cell, state="waiting", result=None, timing=None, artefact=None)


def _key(kind: str, place: dict[str, Any]) -> str:
    return f"{kind}:{sorted(place.items())!r}"


def _cell(kind: Any, place: dict[str, Any], result: dict[str, Any], steps: int = 500) -> StoredCell:
    recipe = {"steps": steps, "batch": None, "learning_rate": 1e-4, "backbone": {"name": "siren", "omega_0": 30.0}}
    settings = {} if kind == "analysis" else {"recipe": recipe}
    timing: dict[str, Any] = {"seconds": 5.0}
    if "history" in result:
        timing["history_seconds"] = [step / 100.0 for step in result["history"]["step"]]
    return StoredCell(_key(kind, place), kind, place, settings, "done", plain_json(result), timing)


def _history(psnr: float, steps: int) -> dict[str, Any]:
    at = [0, steps // 10, steps // 2, steps - 1]
    return {"step": at, "psnr": [10.0 + (psnr - 10.0) * (one / steps) ** 0.3 for one in at]}


def _cohort(draws: np.random.Generator) -> dict[str, Any]:
    psnrs = draws.normal(40.0, 2.0, 4).tolist()
    mean = sum(psnrs) / 4
    scores = {name: draws.uniform(1.0, 60.0, 5).tolist() for name in SCORES}
    return {
        "psnr": mean, "psnrs": psnrs, "steps": 5000, "outcome": "finished", "history": _history(mean, 5000),
        "scores": scores, "scores_initial": scores,
    }  # fmt: skip


def _fit(psnr: float, lpips: bool) -> dict[str, Any]:
    return {
        "psnr": psnr, "ssim": min(0.999, psnr / 50.0), "lpips": 1.0 / psnr if lpips else None, "steps": 500,
        "outcome": "finished", "history": _history(psnr, 500),
    }  # fmt: skip


def _dictionary(draws: np.random.Generator) -> dict[str, Any]:
    fvu, dead = draws.uniform(0.0, 0.1), draws.uniform(0.0, 0.4)
    quality = {
        "where": "grid", "rows": 9701, "fvu": fvu, "r2": 1.0 - fvu, "nmse": fvu / 2.0, "alive": 1.0 - dead,
        "dead": dead, "spatial_l0": 32 / 1024, "fidelity_psnr": draws.uniform(30.0, 50.0), "psnr": 40.0,
        "psnr_intact": 41.0,
    }  # fmt: skip
    between = {**quality, "where": "between", "psnr": None, "psnr_intact": None}
    return {"quality": quality, "between": between, "steps": 1000, "outcome": "finished"}


def _analysis(draws: np.random.Generator) -> dict[str, Any]:
    magnitude = np.sort(draws.uniform(0.01, 0.5, 16))[::-1].tolist()
    median = draws.uniform(0.001, 0.1)
    return {
        "active_fraction": {"median": median, "low": median / 2.0, "high": median * 2.0},
        "ipr": {"median": 0.01, "low": 0.005, "high": 0.02},
        "dead": draws.uniform(0.0, 0.4),
        "top_atoms": list(range(16)),
        "top_magnitude": magnitude,
        "top_firing": draws.uniform(0.0, 0.2, 16).tolist(),
        "top_drops": draws.uniform(0.0, 9.0, 16).tolist(),
        "drop": {"median": 0.01, "low": 0.001, "high": 0.1},
        "worst_atom": 3,
        "worst_drop": 9.5,
        "worst_rank": 4,
    }
