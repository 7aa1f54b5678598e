"""A study as its report is told: its rows, its file's content, how far it is, and what failed."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from inrlens.errors import InputError
from inrlens.reports.study.published import Published, counterpart, published
from inrlens.studies.cells.cell import KINDS
from inrlens.studies.config.model import DataSpec, StudySpec
from inrlens.studies.config.read import parse_study
from inrlens.studies.store.stored import Attempt, StoredCell, StoredFile
from inrlens.studies.tables.freeze import FreezeSweep, freeze_sweeps
from inrlens.studies.tables.load_records import study_rows
from inrlens.studies.tables.predictors import PredictorRecord, predictor_records
from inrlens.studies.tables.records import StudyRows, TransferRow, Variant


@runtime_checkable
class SourceStore(Protocol):
    """What figures ask of a store; those that show pictures also ask for ``artefact``."""

    def study_source(self, name: str, /) -> str: ...


@runtime_checkable
class StudyStore(SourceStore, Protocol):
    """What a report asks of a store."""

    def stored(self, study: str, /) -> Iterator[StoredCell]: ...
    def files(self, study: str, /) -> tuple[StoredFile, ...]: ...
    def attempts(self) -> Iterator[Attempt]: ...


@dataclass(frozen=True)
class Failure:
    """A cell that failed, with its sentence."""

    kind: str
    place: Mapping[str, Any]
    error: str


@dataclass(frozen=True)
class RecipeUse:
    """A recipe as cells ran it: what for (cohort, transfer, ...), on what, with which of the axes' values."""

    task: str
    backbone: str
    variant: Variant
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class ToldStudy:
    """Everything that the tables and the page are made from.

    ``planned`` and ``done`` are numbers of cells by kind, ``running`` of all kinds; ``recipes`` has each once.
    ``hosts`` are the machines that drove it; ``begun`` and ``ended`` seconds since 1970, None before it ran.
    """

    name: str
    spec: StudySpec
    rows: StudyRows
    planned: Mapping[str, int]
    done: Mapping[str, int]
    running: int = 0
    failures: tuple[Failure, ...] = ()
    recipes: tuple[RecipeUse, ...] = ()
    files: tuple[StoredFile, ...] = ()
    hosts: tuple[str, ...] = ()
    begun: float | None = None
    ended: float | None = None

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The splits that transfers were run on, the test's first."""
        found = {row.split for row in self.rows.transfers}
        return tuple(one for one in ("test", "validation") if one in found)

    @cached_property
    def split(self) -> str:
        """The split that most tables are of: the test's, or the validation's in a search that has nothing else."""
        return next(iter(self.splits), "test")

    @cached_property
    def sweeps(self) -> tuple[FreezeSweep, ...]:
        """The freeze sweeps of the main split."""
        return freeze_sweeps(self.rows.transfers, self.split)

    @cached_property
    def records(self) -> dict[str, tuple[PredictorRecord, ...]]:
        """The predictors' records that judge any configuration, by the start of the rest."""
        found = {}
        for rest in dict.fromkeys(one.rest for one in self.sweeps):
            known = predictor_records(self.sweeps, self.rows.cohorts, rest)
            found[rest] = tuple(one for one in known if one.configurations)
        return found

    def registered(self, backbone: str) -> str:
        """The registered backbone behind one of the study's names."""
        return next((one.backbone for one in self.spec.backbones if one.name == backbone), backbone)

    def data(self, name: str | None) -> DataSpec | None:
        """A data set of the study's file."""
        return next((one for one in self.spec.data if one.name == name), None)

    def counterpart(self, name: str | None) -> str | None:
        """The paper's data set that one of the study's is held against."""
        data = self.data(name)
        return None if data is None else counterpart(data)

    def published(self, source: str | None, target: str, backbone: str, tau: int | None) -> Published | None:
        """The paper's numbers for a setting of this study, by the study's own names."""
        theirs, there = self.counterpart(source), self.counterpart(target)
        return published(theirs, there, self.registered(backbone), tau) if theirs and there else None

    def published_for(self, row: TransferRow) -> Published | None:
        """The paper's numbers for a row's setting; it has none for a warm rest, or from scratch."""
        if row.source is None or (row.freeze is not None and row.rest != "reinit"):
            return None
        return self.published(row.source, row.target, row.backbone, row.freeze)

    def so_far(self, *kinds: str) -> str:
        """How many of the cells of these kinds a table has, while some are missing; else empty."""
        done, planned = (sum(counts.get(kind, 0) for kind in kinds) for counts in (self.done, self.planned))
        names = " and ".join(
            {"dictionary": "dictionarie", "analysis": "analyse"}.get(kind, kind) + "s" for kind in kinds
        )
        return f"So far {done:,} of {planned:,} {names} are done. " if done < planned else ""


def told(store: StudyStore, study: str) -> ToldStudy:
    """Reads a study from its store, finished or not.

    Raises:
        InputError: where the store has no such study, or its file cannot be understood any more.
    """
    cells = list(store.stored(study))
    states: Counter[tuple[str, str]] = Counter(
        (cell.kind, cell.state) for cell in {cell.key: cell for cell in cells}.values()
    )
    keys = {cell.key for cell in cells}
    attempts = [one for one in store.attempts() if one.key in keys]
    return ToldStudy(
        name=study,
        spec=told_spec(store, study),
        rows=study_rows(_Listed(cells), study),
        planned={kind: sum(states[kind, state] for state in _STATES) for kind in KINDS},
        done={kind: states[kind, "done"] for kind in KINDS},
        running=sum(states[kind, "running"] for kind in KINDS),
        failures=tuple(Failure(cell.kind, cell.place, cell.error or "") for cell in cells if cell.state == "failed"),
        recipes=tuple(_recipes(cells)),
        files=store.files(study),
        hosts=tuple(dict.fromkeys(one.host for one in attempts)),
        begun=min((one.begun for one in attempts), default=None),
        ended=max((one.ended or one.begun for one in attempts), default=None),
    )


_STATES = ("done", "failed", "running", "waiting")


@dataclass(frozen=True)
class _Listed:
    """Cells that were read once, for those who ask a store for them."""

    cells: list[StoredCell]

    def stored(self, study: str, /) -> Iterator[StoredCell]:
        return iter(self.cells)


def _base(store: SourceStore) -> Path:
    """Where relative paths of recipe files start: the store lies beside the study's file unless it was moved."""
    folder: Path | None = getattr(store, "folder", None)
    return Path.cwd() if folder is None else folder.absolute().parent


def told_spec(store: SourceStore, study: str) -> StudySpec:
    """The study as its recorded file asks for it; where a recipe's file has moved, the paper's stands in its place.

    Raises:
        InputError: where the store has no such study, or its file cannot be understood any more.
    """
    source, base = store.study_source(study), _base(store)
    found: StudySpec | None = None
    for place in (base, Path.cwd()):
        with suppress(InputError):
            found = found or parse_study(source, f"the file of study {study!r}", place)
    # A recipe's file may have moved; what it says stands in the cells, and the tables need only names and data.
    return found or parse_study(_without_files(source), f"the file of study {study!r}", base)


def _without_files(source: str) -> str:
    return re.sub(r"""(\brecipe\s*=\s*)(["'])[^"'\n]*\.toml\2""", r"\1\2paper\2", source)


def _recipes(cells: Iterable[StoredCell]) -> Iterator[RecipeUse]:
    known: set[tuple[Any, ...]] = set()
    for cell in cells:
        recipe = cell.settings.get("recipe")
        if recipe is None:
            continue
        # A transfer's own axes alone tell its recipes apart; those of its cohort are listed with the cohort.
        own = tuple(item for item in cell.place.get("variant", {}).items() if item[0].startswith(f"{cell.kind}."))
        where = (cell.kind, cell.place.get("backbone"), own, repr(recipe))
        if where not in known:
            known.add(where)
            yield RecipeUse(cell.kind, str(cell.place.get("backbone")), own, recipe)
