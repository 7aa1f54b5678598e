"""Every number that the paper states in words, and what this study has for it, or why it has nothing."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from inrlens.reports import words
from inrlens.reports.comparison import TOP, TOPS, agrees
from inrlens.reports.published import COHORT_PSNR, FACTS, FREEZE_GAIN, TAU_STAR, Fact
from inrlens.reports.study.table import Cell, Column, StudyTable
from inrlens.reports.study.tables.common import best_depth, blocks
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.records import AnalysisRow, DictionaryRow
from inrlens.studies.tables.spread import spread

COLUMNS = (
    Column("network"),
    Column("what", "prose"),
    Column("published", group="paper"),
    Column("where", group="paper"),
    Column("measured"),
    Column("agrees"),
    Column("from", "prose"),
    Column("caution, or why nothing is measured", "prose"),
)
_PERCENTS = ("active", "dead", "firing")
_PAIRS, _NETWORKS = 9, 6
_WIDE, _LEAST_ALIVE, _MOST_GAIN = 2048, 0.85, 0.5
_TAU = "\N{GREEK SMALL LETTER TAU}"


@dataclass(frozen=True)
class Found:
    """What a study has for a statement: in words, whether it agrees (None: not to be said), and from how much."""

    measured: str
    agrees: bool | None
    behind: str = ""


Measure = Callable[[ToldStudy], "Found | str"]
"""A study's number for a statement, or the reason why it has none."""


@dataclass(frozen=True)
class Statement:
    """A number of the paper's. ``id`` names it; ``network`` is empty where it is said of all."""

    id: str
    network: str
    what: str
    published: str
    where: str
    measure: Measure


def facts(study: ToldStudy) -> list[StudyTable]:
    """One line a statement, in the paper's order; nothing where no data set stands beside one of the
    paper's, or no cell is done."""
    if not any(study.counterpart(one.name) for one in study.spec.data) or not any(study.done.values()):
        return []
    rows = [_line(one, one.measure(study)) for one in STATEMENTS]
    rows += [row for fact in FACTS for row in _of_atoms(study, fact)]
    note = (
        f"{study.so_far('cohort', 'transfer', 'dictionary', 'analysis')}Least and most over this study's networks or "
        "dictionaries that the paper speaks of. A figure published as about agrees within a factor of 2, a PSNR within "
        "3 dB, a range where all values lie in it, a setting where all are equal to it."
    )
    return [StudyTable("facts", "The paper's statements", note, COLUMNS, tuple(rows), detail=True)]


def _line(one: Statement, found: Found | str) -> tuple[Cell, ...]:
    if isinstance(found, str):
        return one.network or None, one.what, one.published, one.where, None, None, None, found
    verdict = None if found.agrees is None else "yes" if found.agrees else "no"
    return one.network or None, one.what, one.published, one.where, found.measured, verdict, found.behind or None, None


def _setting(task: str, backbone: str | None, *path: str, value: int | float) -> Measure:
    """A recipe's setting over all cells of a task, and of one registered backbone unless that is None."""

    def measure(study: ToldStudy) -> Found | str:
        uses = [
            one
            for one in study.recipes
            if one.task == task and (backbone is None or study.registered(one.backbone) == backbone)
        ]
        values = sorted({float(found) for one in uses if (found := _at(one.settings, path)) is not None})
        if not values:
            return f"no {task} of this study is done, or it has no such setting"
        passes = path == ("steps",) and any(one.settings.get("iteration") == "pass" for one in uses)
        text = words.listed([f"{value:g}" for value in values]) + (" passes" if passes else "")
        return Found(text, values == [value], words.count(len(uses), "recipe"))

    return measure


def _at(settings: Any, path: Sequence[str]) -> Any:
    for name in path:
        settings = (settings or {}).get(name)
    return settings


def _cohort_size(study: ToldStudy) -> Found | str:
    sizes = sorted({len(row.psnrs) for row in study.rows.cohorts})
    if not sizes:
        return "no cohort of this study is done"
    return Found(words.listed(list(map(str, sizes))), sizes == [10], words.count(len(study.rows.cohorts), "cohort"))


def _seeds(study: ToldStudy) -> Found:
    return Found(str(len(study.spec.seeds)), len(study.spec.seeds) == 3)


def _cohort_psnr(study: ToldStudy) -> Found | str:
    values = [row.psnr for row in study.rows.cohorts]
    if not values:
        return "no cohort of this study is done"
    close = all(abs(value - COHORT_PSNR) <= 3.0 for value in values)
    return Found(words.span(words.db(min(values)), words.db(max(values))), close, words.count(len(values), "cohort"))


def _tau_star(backbone: str) -> Measure:
    def measure(study: ToldStudy) -> Found | str:
        own = [one for one in study.sweeps if one.rest == "reinit" and study.registered(one.backbone) == backbone]
        depth = best_depth(own)
        if depth is None:
            return "no transfers at all depths are done"
        pictures = len({name for one in own for name in one.by_image})
        pairs = len({(one.source, one.target) for one in own})
        behind = f"{words.count(pictures, 'picture')}, {words.count(pairs, 'pair')} of source and target"
        return Found(f"{_TAU} = {depth}", depth == TAU_STAR[backbone], behind)

    return measure


def _agreement(score: str, right: int) -> Measure:
    def measure(study: ToldStudy) -> Found | str:
        record = next((one for one in study.records.get("reinit", ()) if one.predictor == score), None)
        if record is None or not record.networks:
            return f"no {score} beside transfers at all depths"
        # One network's verdict is how finely a share of six is known.
        same = abs(record.networks_right / record.networks - right / _NETWORKS) < 1.0 / _NETWORKS
        behind = f"{words.count(record.networks, 'network')}, {words.count(record.seeds, 'seed')}"
        return Found(f"{record.networks_right:g} of {record.networks}", same, behind)

    return measure


def _mean_over_pairs(backbone: str, setting: str, published: float) -> Measure:
    def measure(study: ToldStudy) -> Found | str:
        own = [one for one in blocks(study) if study.registered(one.pair.backbone) == backbone and one.pair.source]
        own = [one for one in own if study.published(one.pair.source, one.pair.target, one.pair.backbone, None)]
        known = [one for one in own if one.by_setting.get(setting)]
        pairs = {(one.pair.source, one.pair.target) for one in known}
        if len(pairs) < _PAIRS:
            return f"it is a mean over {_PAIRS} pairs of source and target, of which this study has {len(pairs)}"
        found = [spread(one.by_setting[setting]) for one in known]
        mean = fmean(one.mean for one in found if one.mean is not None)
        behind = words.count(min(one.images for one in found), "picture") + " per pair"
        return Found(words.db(mean, 2), abs(mean - published) <= 3.0, behind)

    return measure


def _sizes(key: str, values: tuple[int, ...]) -> Measure:
    def measure(study: ToldStudy) -> Found | str:
        found = sorted({int(getattr(row, key)) for row in study.rows.dictionaries})
        if not found:
            return "no dictionary of this study is done"
        behind = words.count(len(study.rows.dictionaries), "dictionary", "dictionaries")
        return Found(words.listed(list(map(str, found))), set(values) <= set(found), behind)

    return measure


def _gain_of_size(study: ToldStudy) -> Found | str:
    """The largest mean gain over layers of a doubling of n beyond 2,048, of any cohort FFMLP and k."""
    by_size: dict[tuple[Any, ...], dict[int, list[DictionaryRow]]] = {}
    for row in study.rows.dictionaries:
        if row.network == "cohort" and study.registered(row.backbone) == "ffmlp" and row.n_atoms >= _WIDE:
            by_size.setdefault((row.source, row.variant, row.k), {}).setdefault(row.n_atoms, []).append(row)
    gains = []
    for sizes in by_size.values():
        for n in sorted(sizes):
            before, after = (_psnr_by_layer(sizes.get(size, [])) for size in (n, 2 * n))
            shared = [after[layer] - before[layer] for layer in before if layer in after]
            gains += [fmean(shared)] if shared and all(map(math.isfinite, shared)) else []
    if not gains:
        return f"no FFMLP's dictionaries of n from {_WIDE:,} on and of its double are done"
    return Found(words.gain(max(gains)), max(gains) < _MOST_GAIN, words.count(len(gains), "doubling"))


def _psnr_by_layer(rows: Sequence[DictionaryRow]) -> dict[int, float]:
    known: dict[int, list[float]] = {}
    for row in rows:
        if row.quality.get("psnr") is not None:
            known.setdefault(row.layer, []).append(float(row.quality["psnr"]))
    return {layer: fmean(values) for layer, values in known.items()}


def _alive(study: ToldStudy) -> Found | str:
    rows = [row for row in study.rows.dictionaries if (row.n_atoms, row.k) == (4096, 32)]
    if not rows:
        return "no dictionary of 4,096 atoms with k = 32 is done"
    least = min(float(row.quality["alive"]) for row in rows)
    behind = words.count(len(rows), "dictionary", "dictionaries")
    return Found(f"at least {words.percent(least)}", least >= _LEAST_ALIVE, behind)


def _protocol(name: str, network: str, what: str, published: str, measure: Measure) -> Statement:
    return Statement(f"protocol.{name}", network, what, published, "Table 2", measure)


STATEMENTS: tuple[Statement, ...] = (
    _protocol("hidden_layers", "", "hidden layers L", "5", _setting("cohort", None, "backbone", "depth", value=5)),
    _protocol("width", "", "hidden width d", "256", _setting("cohort", None, "backbone", "width", value=256)),
    _protocol(
        "fourier_features",
        "FFMLP",
        "Fourier frequencies F",
        "256",
        _setting("cohort", "ffmlp", "backbone", "frequencies", value=256),
    ),
    _protocol("single.iterations", "", "iterations, one picture", "500", _setting("single", None, "steps", value=500)),
    _protocol(
        "single.lr",
        "SIREN",
        "learning rate, one picture",
        "0.0002",
        _setting("single", "siren", "learning_rate", value=2e-4),
    ),
    _protocol(
        "single.lr",
        "FFMLP",
        "learning rate, one picture",
        "0.0005",
        _setting("single", "ffmlp", "learning_rate", value=5e-4),
    ),
    _protocol(
        "single.omega0",
        "SIREN",
        "omega_0, one picture",
        "50",
        _setting("single", "siren", "backbone", "omega_0", value=50),
    ),
    _protocol(
        "single.sigma", "FFMLP", "sigma, one picture", "20", _setting("single", "ffmlp", "backbone", "sigma", value=20)
    ),
    _protocol("cohort.size", "", "pictures of a cohort M", "10", _cohort_size),
    _protocol("cohort.iterations", "", "iterations, cohort", "5000", _setting("cohort", None, "steps", value=5000)),
    _protocol(
        "cohort.lr", "", "learning rate, cohort", "0.0001", _setting("cohort", None, "learning_rate", value=1e-4)
    ),
    _protocol(
        "cohort.omega0", "SIREN", "omega_0, cohort", "30", _setting("cohort", "siren", "backbone", "omega_0", value=30)
    ),
    _protocol(
        "cohort.sigma", "FFMLP", "sigma, cohort", "10", _setting("cohort", "ffmlp", "backbone", "sigma", value=10)
    ),
    _protocol("cohort.psnr", "", "cohort's PSNR at its end", "about 30 dB", _cohort_psnr),
    _protocol("test.iterations", "", "iterations, transfer", "500", _setting("transfer", None, "steps", value=500)),
    _protocol(
        "test.lr", "", "learning rate, transfer", "0.0001", _setting("transfer", None, "learning_rate", value=1e-4)
    ),
    _protocol("test.seeds", "", "seeds of a transfer", "3", _seeds),
    Statement("tau_star", "SIREN", "best freeze depth", f"{_TAU} = 1", "Fig. 2", _tau_star("siren")),
    Statement("tau_star", "FFMLP", "best freeze depth", f"{_TAU} = 0", "Fig. 2", _tau_star("ffmlp")),
    Statement("rank.agreement.weight", "", "argmax sr(W) is the best depth", "6 of 6", "4.1", _agreement("sr(W)", 6)),
    Statement(
        "rank.agreement.activation",
        "",
        "argmax sr(H) is the best depth",
        "4 of 6",
        "4.1",
        _agreement("sr(H) post_centred", 4),
    ),
    *(
        Statement(
            f"transfer.mean.{'no_freeze' if setting == 'none' else 'frozen'}",
            words.backbone_title(backbone),
            f"mean PSNR over pairs, {'no freeze' if setting == 'none' else f'{_TAU} = {TAU_STAR[backbone]}'}",
            words.db(value, 2),
            "Table 1",
            _mean_over_pairs(backbone, setting, value),
        )
        for backbone, gain in FREEZE_GAIN.items()
        for setting, value in (("none", gain.none), (f"reinit {TAU_STAR[backbone]}", gain.frozen))
    ),
    Statement("sae.atoms", "", "dictionary size n", "4096", "4.2", _sizes("n_atoms", (4096,))),
    Statement("sae.k", "", "codes kept, k", "32", "4.2", _sizes("k", (32,))),
    Statement("sae.steps", "", "steps, dictionary", "10000", "4.2", _setting("dictionary", None, "steps", value=1e4)),
    Statement(
        "sae.lr",
        "",
        "learning rate, dictionary",
        "0.0001",
        "4.2",
        _setting("dictionary", None, "learning_rate", value=1e-4),
    ),
    Statement(
        "sae.sweep.n",
        "",
        "dictionary sizes tried",
        "1024, 2048, 4096 and 8192",
        "App. A.1",
        _sizes("n_atoms", (1024, 2048, 4096, 8192)),
    ),
    Statement("sae.sweep.k", "", "k tried", "4, 16, 32, 64 and 128", "App. A.1", _sizes("k", (4, 16, 32, 64, 128))),
    Statement(
        "sae.sweep.gain_beyond_2048",
        "FFMLP",
        "mean PSNR gained by a doubling of n beyond 2,048",
        "under 0.5 dB",
        "App. A.1",
        _gain_of_size,
    ),
    Statement("sae.alive", "", "atoms alive, least of any layer", "at least 85 %", "App. A.1", _alive),
)
"""Every statement but those of single atoms, which are ``published.FACTS``."""


def _of_atoms(study: ToldStudy, fact: Fact) -> list[tuple[Cell, ...]]:
    """A line a kind of network that a fact about atoms is stated for; of those without a number the reason."""
    rows: list[tuple[Cell, ...]] = []
    for network in fact.kinds:
        own = [
            row
            for row in study.rows.analyses
            if row.network == network
            and (fact.backbone is None or study.registered(row.backbone) == fact.backbone)
            and (fact.layers is None or row.layer in fact.layers)
        ]
        values = [value for row in own for value in _values(fact, row.found)]
        title = words.condition_title(network, fact.backbone or "")
        rows.append((title, fact.what, _stated(fact), fact.where, *_held(fact, own, values)))
    return rows


def _held(fact: Fact, rows: Sequence[AnalysisRow], values: Sequence[float]) -> tuple[Cell, ...]:
    """Measured, agreement, what from, and the caution."""
    if fact.measure == "threshold":
        return f"{fact.low:g}", "yes", None, fact.caution
    if not values:
        why = (
            "the single costs of all atoms are kept by their atlas, and not in a study's table"
            if fact.measure == "drop_all"
            else "no dictionary that it is said of is analysed"
        )
        return None, None, None, why
    if fact.measure == "drop_worst":
        values = [max(values)]
    unit = _unit(fact)
    pictures = {row.image for row in rows if row.image}
    behind = words.count(len(rows), "dictionary", "dictionaries")
    behind += f", {words.count(len(pictures), 'picture')}" if pictures else ""
    return (
        words.span(unit(min(values)), unit(max(values))),
        "yes" if agrees(fact.rule, fact.low, fact.high, values) else "no",
        behind,
        fact.caution or None,
    )


def _unit(fact: Fact) -> words.Say:
    if fact.measure.startswith("drop"):
        return _decibels
    return words.percent if fact.measure in _PERCENTS else _plain


def _stated(fact: Fact) -> str:
    unit = _unit(fact)
    bounds = words.span(unit(fact.low), unit(fact.high))
    return {"about": f"about {bounds}", "at most": f"at most {unit(fact.high)}", "within": bounds}[fact.rule]


def _values(fact: Fact, found: Any) -> Iterable[float]:
    """What an analysis has for a statement; nothing for those about all atoms' single costs, which it does not list."""
    top = [float(one) for one in found.get("top_magnitude") or ()]
    drops = [float(one) for one in found.get("top_drops") or ()]
    firing = [float(one) for one in found.get("top_firing") or ()]
    spread = found.get("active_fraction")
    worst = found.get("worst_drop")
    known: dict[str, Iterable[float]] = {
        "active": [spread["median"]] if spread else [],
        "dead": [found["dead"]] if found.get("dead") is not None else [],
        "magnitude": top[:1],
        "dominance": [top[0] / top[1]] if len(top) > 1 and top[1] > 0.0 else [],
        # "At most" is said of all 16; a range is said of the strongest.
        "firing": firing if fact.rule == "at most" else firing[:1],
        "drop_top": drops[:TOP],
        "drop_tops": drops[:TOPS],
        "drop_worst": [float(worst)] if worst is not None else [],
    }
    return known.get(fact.measure, ())


def _plain(value: float | None) -> str:
    return words.significant(value, 2)


def _decibels(value: float | None) -> str:
    return words.db(value, 2)
