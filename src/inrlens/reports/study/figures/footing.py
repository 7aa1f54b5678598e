"""Settings on an equal footing: means over the same pictures, also while a study is still running."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inrlens.reports import words
from inrlens.studies.tables.keys import Picture, picture, run, seed_count
from inrlens.studies.tables.load_records import agrees
from inrlens.studies.tables.phrases import variant_words
from inrlens.studies.tables.records import TransferRow, Variant

MOST_VARIANTS = 4
"""So many variants of a recipe have figures of their own; the tables have all."""
_Fit = tuple[str | None, Picture, int | None, int]


@dataclass(frozen=True)
class Part:
    """One backbone's rows with one variant of its recipes; ``others`` more variants have no figure."""

    backbone: str
    variant: Variant
    rows: tuple[TransferRow, ...]
    others: int

    @property
    def title(self) -> str:
        """SIREN; SIREN (transfer.learning_rate = 0.0001)."""
        name = words.backbone_title(self.backbone)
        return f"{name} ({variant_words(self.variant)})" if self.variant else name

    @property
    def name(self) -> str:
        """The end of a figure's name."""
        return self.backbone + "".join(f"-{name}-{value}" for name, value in self.variant)

    @property
    def remark(self) -> str:
        """What a caption ends with where not all variants have figures."""
        if not self.others:
            return ""
        return f" The tables have {words.count(self.others, 'more variant')} of this backbone's recipes."


@dataclass(frozen=True)
class Footing:
    """Rows by setting, in the order of their appearance; ``equal``: all settings that reuse a cohort have the same
    sources, pictures and seeds."""

    by_setting: Mapping[str, list[TransferRow]]
    equal: bool

    @property
    def behind(self) -> str:
        """What stands behind the means: 3 pictures, 1 seed."""
        rows = [row for own in self.by_setting.values() for row in own]
        return behind(rows) + ("" if self.equal else ", not the same ones for every setting yet")


def behind(rows: Iterable[TransferRow]) -> str:
    """How many pictures and seeds rows are of: 3 pictures, 1 seed."""
    rows = list(rows)
    seeds = seed_count(run(row) for row in rows if row.source is not None) or seed_count(run(row) for row in rows)
    return f"{words.count(len({picture(row) for row in rows}), 'picture')}, {words.count(seeds, 'seed')}"


def footing(rows: Iterable[TransferRow]) -> Footing:
    """The fits whose source, picture and seeds every setting has that reuses a cohort, and those from scratch of these
    pictures and seeds; all fits where there is none that all have."""
    found: dict[str, list[TransferRow]] = {}
    for row in rows:
        found.setdefault(row.setting, []).append(row)
    reusing = [{_fit(row) for row in own} for name, own in found.items() if name != "scratch"]
    shared = set.intersection(*reusing) if reusing else set()
    if not shared:
        return Footing(found, equal=len(reusing) < 2)
    pictures = {(where, seed) for _, where, _, seed in shared}
    kept = {
        name: [
            row for row in own if (_fit(row) in shared if name != "scratch" else (picture(row), row.seed) in pictures)
        ]
        for name, own in found.items()
    }
    return Footing({name: own for name, own in kept.items() if own}, equal=True)


def _fit(row: TransferRow) -> _Fit:
    return row.source, picture(row), row.cohort_seed, row.seed


def depths_of(by_setting: Mapping[str, Sequence[TransferRow]], rest: str) -> list[int]:
    """The freeze depths that were run with the rest started so, upwards."""
    found = {row.freeze for own in by_setting.values() for row in own if row.rest == rest and row.freeze is not None}
    return sorted(found)


def parts(transfers: Iterable[TransferRow], split: str = "test") -> list[Part]:
    """Every backbone with the first variants of its recipes; fits from scratch, which say nothing of a cohort's axes,
    stand in every variant that agrees with theirs."""
    found: dict[str, dict[Variant, list[TransferRow]]] = {}
    scratch: list[TransferRow] = []
    for row in transfers:
        if row.split != split:
            continue
        if row.source is None:
            scratch.append(row)
        else:
            found.setdefault(row.backbone, {}).setdefault(row.variant, []).append(row)
    return [
        Part(
            backbone,
            variant,
            (*rows, *(row for row in scratch if row.backbone == backbone and agrees(row.variant, variant))),
            max(0, len(variants) - MOST_VARIANTS),
        )
        for backbone, variants in found.items()
        for variant, rows in list(variants.items())[:MOST_VARIANTS]
    ]


def in_order(values: Iterable[str | None]) -> list[str]:
    """Each name once, in the order of appearance."""
    return [value for value in dict.fromkeys(values) if value is not None]
