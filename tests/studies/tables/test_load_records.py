"""Stored cells become rows; numbers that JSON lacks come back; axes and variants are told apart."""

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

import table_rows as made
from inrlens.files import plain_json
from inrlens.studies.tables.load_records import agrees, axes, study_rows, with_variant
from inrlens.studies.tables.records import Curve, StudyRows

HISTORY = {"step": [0, 10], "psnr": [8.0, "Infinity"]}
FIT = {"psnr": 31.5, "steps": 20, "outcome": "finished", "history": HISTORY}
TIMING = {"seconds": 2.5, "history_seconds": [0.0, 1.0]}
PLACES: dict[str, dict[str, Any]] = {
    "cohort": {"source": "faces", "backbone": "siren", "seed": 1, "variant": {"cohort.stop_psnr": 30.0}},
    "single": {"data": "faces", "backbone": "siren", "image": "a", "seed": 2, "variant": {}, "split": "validation"},
    "transfer": {
        "source": "faces", "target": "brains", "backbone": "siren", "image": "a", "freeze": 1, "rest": "warm",
        "seed": 2, "cohort_seed": 1, "variant": {"cohort.stop_psnr": 30.0}, "split": "test", "cohort": "k0",
    },
    "dictionary": {
        "network": "single", "source": "faces", "backbone": "siren", "image": "a", "layer": 2, "n_atoms": 64, "k": 4,
        "seed": 0, "variant": {},
    },
}  # fmt: skip
PLACES["analysis"] = PLACES["dictionary"]
RESULTS: dict[str, dict[str, Any]] = {
    "cohort": {**FIT, "psnrs": [31.0, "NaN"], "scores": {"sr(W)": [1.0, 2.0]}, "scores_initial": {"sr(W)": ["NaN", 1]}},
    "single": {**FIT, "ssim": 0.9, "lpips": None, "scores": {}, "scores_initial": {}},
    "transfer": {**FIT, "psnr": "-Infinity", "ssim": "NaN", "lpips": 0.5},
    "dictionary": {"quality": {"psnr": "Infinity"}, "between": {"fvu": 0.5}, "steps": 5, "outcome": "finished"},
    "analysis": {
        "active_fraction": {"median": 0.1, "low": "NaN", "high": 1.0},
        "dead": 0.5,
        "top_drops": [3, "-Infinity"],
    },
}


@dataclass(frozen=True)
class Cell:
    key: str
    kind: str
    place: dict[str, Any]
    state: str = "done"
    result: dict[str, Any] | None = None
    timing: dict[str, Any] | None = field(default_factory=lambda: dict(TIMING))
    artefact: str | None = "file"


@dataclass(frozen=True)
class Listed:
    cells: list[Cell]

    def stored(self, study: str) -> Iterator[Cell]:
        assert study == "mine"
        return iter(self.cells)


def cell(kind: str, key: str = "k", **changes: Any) -> Cell:
    return replace(Cell(key, kind, PLACES[kind], result=RESULTS[kind]), **changes)


def test_every_kind_becomes_a_row() -> None:
    rows = study_rows(Listed([cell(kind, key=kind) for kind in PLACES]), "mine")
    (cohort,), (transfer,), (single,) = rows.cohorts, rows.transfers, rows.singles
    (dictionary,), (analysis,) = rows.dictionaries, rows.analyses
    assert [row.key for row in (cohort, single, transfer, dictionary, analysis)] == list(PLACES)
    assert (cohort.source, cohort.seed, cohort.steps, cohort.seconds) == ("faces", 1, 20, 2.5)
    assert cohort.variant == transfer.variant == (("cohort.stop_psnr", 30.0),)
    assert cohort.scores == {"sr(W)": (1.0, 2.0)}
    assert math.isnan(cohort.psnrs[1])
    assert math.isnan(cohort.scores_initial["sr(W)"][0])
    assert cohort.curve == Curve((0, 10), (8.0, math.inf), (0.0, 1.0))
    assert (single.data, single.split, single.ssim, single.lpips) == ("faces", "validation", 0.9, None)
    assert (transfer.psnr, transfer.setting, transfer.cohort, transfer.target) == (-math.inf, "warm 1", "k0", "brains")
    assert transfer.ssim is not None
    assert math.isnan(transfer.ssim)
    assert (dictionary.quality, dictionary.between) == ({"psnr": math.inf}, {"fvu": 0.5})
    assert (dictionary.layer, dictionary.n_atoms, dictionary.k, dictionary.image) == (2, 64, 4, "a")
    assert analysis.found["top_drops"] == [3, -math.inf]
    assert analysis.artefact == "file"


@pytest.mark.parametrize("state", ["failed", "running", "waiting"])
def test_only_what_is_done_counts(state: str) -> None:
    cells = [cell("cohort", state=state, result=None, timing=None), cell("cohort", key="other")]
    assert [row.key for row in study_rows(Listed(cells), "mine").cohorts] == ["other"]


def test_a_history_without_times_keeps_its_psnr() -> None:
    (row,) = study_rows(Listed([cell("single", timing={})]), "mine").singles
    assert row.curve.psnr == (8.0, math.inf)
    assert all(math.isnan(one) for one in (row.seconds, *row.curve.seconds))


def test_numbers_survive_the_way_through_json() -> None:
    found = {"a": [1.0, math.inf, {"b": -math.inf, "c": "words"}], "d": None}
    there = json.loads(json.dumps(plain_json(found), allow_nan=False))
    (row,) = study_rows(Listed([cell("analysis", result=there)]), "mine").analyses
    assert row.found == found


def test_the_cells_are_gone_over_once() -> None:
    """A store of many cells is asked once, and lets go of each cell as it hands it out."""
    handed: list[str] = []

    class Passing:
        def stored(self, study: str) -> Iterator[Cell]:
            for number in range(200):
                handed.append(f"{number}")
                yield cell("transfer", key=f"{number}")

    rows = study_rows(Passing(), "mine")
    assert [row.key for row in rows.transfers] == handed == [f"{number}" for number in range(200)]


def grid(**names: list[Any]) -> StudyRows:
    variants = [tuple(zip(names, values, strict=True)) for values in itertools.product(*names.values())]
    return StudyRows(transfers=tuple(made.transfer(30.0, variant=one) for one in variants))


def test_axes_are_what_varies() -> None:
    assert axes(grid(rate=[1, 2], omega=[30.0], steps=[5, 6, 7])) == ("rate", "steps")
    assert axes(StudyRows()) == ()


def test_a_variant_picks_its_rows_and_those_that_lack_the_axis() -> None:
    rows = grid(rate=[1, 2], steps=[5, 6])
    rows = replace(rows, singles=(made.single(20.0),), cohorts=(made.cohort({}, variant=(("rate", 1),)),))
    found = with_variant(rows, (("rate", 2),))
    assert [row.variant for row in found.transfers] == [(("rate", 2), ("steps", 5)), (("rate", 2), ("steps", 6))]
    assert len(found.singles) == 1
    assert found.cohorts == ()
    assert with_variant(rows, ()) == rows


VARIANTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 1)).map(lambda one: tuple(one.items()))


@given(VARIANTS, VARIANTS)
def test_agreement_is_mutual(one: Any, other: Any) -> None:
    both = dict(one).keys() & dict(other).keys()
    assert agrees(one, other) == agrees(other, one) == all(dict(one)[name] == dict(other)[name] for name in both)
