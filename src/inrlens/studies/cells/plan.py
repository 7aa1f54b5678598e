"""A study taken apart: its cells in an order in which each comes after what it needs."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from inrlens.errors import InputError
from inrlens.studies.cells.cell import KINDS, Cell, CellKind
from inrlens.studies.config.model import StudySpec

_DATA = ("source", "target", "data")
"""The entries of a cell's place that name data sets."""


@dataclass(frozen=True)
class DataFile:
    """A file of a data set as it was found: where it went (cohort, validation, test, or unused), and its hash."""

    data: str
    name: str
    split: str
    sha256: str
    """Of the file's bytes."""
    digest: str
    """Of the signal's values as they were read."""


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """What a study will compute: ``source`` the file's text, ``signals`` (``Signal``) by their digest, ``lpips`` the
    weights' file.

    ``cells`` has one entry a place in the tables; a cell that stands at several places is computed once. The store and
    the driver read plans, and answer at once because nothing here loads torch.
    """

    spec: StudySpec
    source: str
    cells: tuple[Cell, ...]
    signals: Mapping[str, Any]
    files: tuple[DataFile, ...]
    lpips: str | None = None

    def by_key(self) -> dict[str, Cell]:
        """Every cell once, in an order in which each comes after what it needs."""
        found: dict[str, Cell] = {}
        for cell in self.cells:
            found.setdefault(cell.key, cell)
        return found

    def part(self, data: Collection[str]) -> tuple[Cell, ...]:
        """The cells of these data sets alone: fits on one of them, and transfers from one of them to one of them.

        Raises:
            InputError: where the study has no data set of such a name.
        """
        known = [one.name for one in self.spec.data]
        for name in data:
            if name not in known:
                raise InputError(f"the study has no data set {name!r}; it has {', '.join(known)}.")
        return tuple(
            cell for cell in self.cells if {cell.place[key] for key in _DATA if cell.place.get(key)} <= set(data)
        )

    def counts(self) -> dict[CellKind, int]:
        """Cells of each kind, those of a kind that the study lacks as 0."""
        found = Counter(cell.kind for cell in self.by_key().values())
        return {kind: found[kind] for kind in KINDS}
