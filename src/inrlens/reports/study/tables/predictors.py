"""Which score of a cohort's layers names the best freeze depth, and what it costs where it does not."""

from collections.abc import Sequence

from inrlens.reports.study.table import Cell, Column, Interval, StudyTable
from inrlens.reports.study.tables.common import DB, IMAGES, SEEDS, interval, split_words
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.predictors import RANDOM, PredictorRecord

_CONFIGURATIONS, _NETWORKS, _LOST = "configurations", "networks", "PSNR lost"
COLUMNS = (
    Column("predictor"),
    Column("right", "number", digits=1, group=_CONFIGURATIONS),
    Column("of", "count", group=_CONFIGURATIONS),
    Column("share right", "number", "%", 0, group=_CONFIGURATIONS),
    Column("95 % interval", "interval", "%", 0, group=_CONFIGURATIONS),
    Column("right", "number", digits=1, group=_NETWORKS),
    Column("of", "count", group=_NETWORKS),
    Column("mean", "number", DB, group=_LOST),
    Column("95 % interval", "interval", DB, group=_LOST),
    Column("worst", "number", DB, group=_LOST),
    Column("to each picture's own best", "number", DB, group=_LOST),
    Column("not tried", "count"),
    IMAGES,
    SEEDS,
)


def predictors(study: ToldStudy) -> list[StudyTable]:
    """The record of every score, then of layer 0, layer 1 and a layer at random, for each start of the rest."""
    return [_table(study, rest, records) for rest, records in study.records.items() if records]


def _table(study: ToldStudy, rest: str, records: Sequence[PredictorRecord]) -> StudyTable:
    start = "reinitialised" if rest == "reinit" else rest
    note = (
        f"{split_words(study)}{study.so_far('transfer')}The depth that a predictor names (for a score, the layer where "
        "it is highest) against the best one found by trying all. A configuration is a source, target, backbone, "
        "cohort seed and recipe; a network averages over targets and cohorts, as the paper counts. PSNR lost is that "
        "at the best depth less that at the named one, with a bootstrap interval over pictures; not tried are "
        "configurations without the depth that is named. At random: exact expectations, the worst of the worst layer."
    )
    return StudyTable(
        "predictors" if rest == "reinit" else f"predictors-{rest}",
        f"Who names the best freeze depth ({start} rest)",
        note,
        COLUMNS,
        tuple(_cells(one) for one in records),
        detail=rest != "reinit",
    )


def _cells(record: PredictorRecord) -> tuple[Cell, ...]:
    share = None if record.low is None or record.high is None else Interval(100 * record.low, 100 * record.high)
    fixed = record.predictor == RANDOM or record.predictor.startswith("layer ")
    return (
        record.predictor if fixed else f"argmax {record.predictor}",
        record.right,
        record.configurations,
        100.0 * record.right / record.configurations,
        share,
        record.networks_right,
        record.networks,
        record.loss_mean,
        interval(record.loss_by_image),
        record.loss_worst,
        record.loss_to_own.mean,
        record.untried,
        record.loss_by_image.images,
        record.seeds,
    )
