"""From a store's cells to the rows that tables are made of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

from inrlens.studies.tables.records import (
    AnalysisRow,
    CohortRow,
    Curve,
    DictionaryRow,
    SingleRow,
    StudyRows,
    TransferRow,
    Variant,
)

_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
Row = CohortRow | TransferRow | SingleRow | DictionaryRow | AnalysisRow
_Row = TypeVar("_Row", bound=Row)


@runtime_checkable
class StoredCell(Protocol):
    """What rows are made from: a cell of a study as a store holds it."""

    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def place(self) -> Mapping[str, Any]: ...
    @property
    def state(self) -> str: ...
    @property
    def result(self) -> Mapping[str, Any] | None: ...
    @property
    def timing(self) -> Mapping[str, Any] | None: ...
    @property
    def artefact(self) -> str | None: ...


@runtime_checkable
class Stored(Protocol):
    """Whatever lists a study's cells, such as a store."""

    def stored(self, study: str, /) -> Iterable[StoredCell]:
        """The cells of ``study`` in the plan's order."""
        ...


def study_rows(store: Stored, study: str) -> StudyRows:
    """Everything that ``study`` has found so far: one row a done cell, in the plan's order.

    The words that stand for numbers JSON lacks become floats again.
    """
    found: dict[str, list[Any]] = {kind: [] for kind in _READ}
    for cell in store.stored(study):
        if cell.state == "done" and cell.kind in _READ:
            found[cell.kind].append(_READ[cell.kind](cell))
    return StudyRows(
        cohorts=tuple(found["cohort"]),
        transfers=tuple(found["transfer"]),
        singles=tuple(found["single"]),
        dictionaries=tuple(found["dictionary"]),
        analyses=tuple(found["analysis"]),
    )


def axes(rows: StudyRows) -> tuple[str, ...]:
    """The names of the variants' settings that take more than one value, in the order in which they appear."""
    values: dict[str, set[Any]] = {}
    for row in _every(rows):
        for name, value in row.variant:
            values.setdefault(name, set()).add(value)
    return tuple(name for name, known in values.items() if len(known) > 1)


def agrees(variant: Variant, wanted: Variant) -> bool:
    """Whether no setting that both name has two values; a setting that one lacks does not concern it.

    So a fit from scratch, which has no cohort, agrees with every value of a cohort's setting.
    """
    if not wanted or not variant:
        return True
    own = dict(variant)
    return all(name not in own or own[name] == value for name, value in wanted)


def with_variant(rows: StudyRows, variant: Variant) -> StudyRows:
    """The rows whose variant agrees with ``variant``, which may name some of the axes only."""
    return replace(rows, **{one.name: tuple(_agreeing(getattr(rows, one.name), variant)) for one in fields(rows)})


def _agreeing(rows: Iterable[_Row], variant: Variant) -> Iterable[_Row]:
    return (row for row in rows if agrees(row.variant, variant))


def _every(rows: StudyRows) -> Iterable[Row]:
    return (row for one in fields(rows) for row in getattr(rows, one.name))


def _floats(values: Iterable[Any]) -> tuple[float, ...]:
    # float() reads the words for NaN and the infinities itself.
    return tuple(map(float, values))


def _maybe(value: Any) -> float | None:
    return None if value is None else float(value)


def _numbers(content: Any) -> Any:
    """The reverse of ``plain_json``."""
    if isinstance(content, str):
        return _NUMBERS.get(content, content)
    if isinstance(content, Mapping):
        return {key: _numbers(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_numbers(value) for value in content]
    return content


def _common(cell: StoredCell) -> dict[str, Any]:
    """What the rows of all kinds have."""
    assert cell.result is not None
    return {"key": cell.key, "variant": tuple(cell.place["variant"].items())}


def _fitted(cell: StoredCell) -> dict[str, Any]:
    """What the rows of all fits have."""
    result, timing = cell.result or {}, cell.timing or {}
    steps = tuple(result["history"]["step"])
    # A store without the times of a history still has its PSNR against steps.
    seconds = timing.get("history_seconds") or [float("nan")] * len(steps)
    return {
        **_common(cell),
        "psnr": float(result["psnr"]),
        "steps": result["steps"],
        "seconds": float(timing.get("seconds", "NaN")),
        "outcome": result["outcome"],
        "curve": Curve(steps, _floats(result["history"]["psnr"]), _floats(seconds)),
    }


def _measured(cell: StoredCell) -> dict[str, Any]:
    """What the rows of all fits of one picture have."""
    result, place = cell.result or {}, cell.place
    return {
        **_fitted(cell),
        "backbone": place["backbone"],
        "image": place["image"],
        "seed": place["seed"],
        "split": place["split"],
        "ssim": _maybe(result.get("ssim")),
        "lpips": _maybe(result.get("lpips")),
    }


def _scores(content: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    return {name: _floats(values) for name, values in content.items()}


def _cohort(cell: StoredCell) -> CohortRow:
    result, place = cell.result or {}, cell.place
    return CohortRow(
        source=place["source"],
        backbone=place["backbone"],
        seed=place["seed"],
        psnrs=_floats(result["psnrs"]),
        scores=_scores(result["scores"]),
        scores_initial=_scores(result["scores_initial"]),
        **_fitted(cell),
    )


def _transfer(cell: StoredCell) -> TransferRow:
    names = ("source", "target", "cohort_seed", "cohort", "freeze", "rest")
    return TransferRow(**{name: cell.place[name] for name in names}, **_measured(cell))


def _single(cell: StoredCell) -> SingleRow:
    return SingleRow(data=cell.place["data"], **_measured(cell))


def _of_layer(cell: StoredCell) -> dict[str, Any]:
    """What dictionaries and analyses have in common."""
    names = ("network", "source", "backbone", "image", "layer", "n_atoms", "k", "seed")
    return {**_common(cell), **{name: cell.place[name] for name in names}}


def _dictionary(cell: StoredCell) -> DictionaryRow:
    result, timing = cell.result or {}, cell.timing or {}
    return DictionaryRow(
        steps=result["steps"],
        seconds=float(timing.get("seconds", "NaN")),
        outcome=result["outcome"],
        quality=_numbers(result["quality"]),
        between=_numbers(result["between"]),
        **_of_layer(cell),
    )


def _analysis(cell: StoredCell) -> AnalysisRow:
    return AnalysisRow(found=_numbers(cell.result), artefact=cell.artefact, **_of_layer(cell))


_READ: Mapping[str, Callable[[StoredCell], Row]] = {
    "cohort": _cohort,
    "transfer": _transfer,
    "single": _single,
    "dictionary": _dictionary,
    "analysis": _analysis,
}
