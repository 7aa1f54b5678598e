"""A part of a plan: the cells of some data sets alone."""

from dataclasses import replace

import pytest

import priced
from inrlens.errors import InputError
from inrlens.studies.cells.plan import StudyPlan

PLACES = (
    {"source": "faces"},
    {"source": "slices"},
    {"data": "faces"},
    {"source": None, "target": "faces"},
    {"source": "faces", "target": "faces"},
    {"source": "faces", "target": "slices"},
    {"source": "slices", "target": "faces"},
)


@pytest.fixture(scope="module")
def plan() -> StudyPlan:
    whole = priced.whole_study()
    data = tuple(replace(whole.spec.data[0], name=name) for name in ("faces", "slices"))
    cells = tuple(replace(cell, place=place) for cell, place in zip(whole.cells[: len(PLACES)], PLACES, strict=True))
    return replace(whole, spec=replace(whole.spec, data=data), cells=cells)


def test_a_part_holds_what_lies_on_its_data_alone(plan: StudyPlan) -> None:
    assert [cell.place for cell in plan.part(["faces"])] == [PLACES[at] for at in (0, 2, 3, 4)]
    assert [cell.place for cell in plan.part(["slices"])] == [PLACES[1]]
    assert plan.part(["faces", "slices"]) == plan.cells


def test_a_data_set_that_is_not_there(plan: StudyPlan) -> None:
    with pytest.raises(InputError, match="the study has no data set 'kodak'; it has faces, slices"):
        plan.part(["faces", "kodak"])
