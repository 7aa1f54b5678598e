"""What each predictor of the freeze depth costs where it is wrong: the number that a user needs."""

from collections.abc import Mapping, Sequence

from inrlens.reports import words
from inrlens.reports.figures.canvas import INK, MUTED, Axes, colour
from inrlens.reports.study.figures.footing import in_order
from inrlens.reports.study.figures.sheet import Figure, Layout, StudyFigure, sheet, study_figure, title_panel
from inrlens.studies.tables.freeze import freeze_sweeps
from inrlens.studies.tables.predictors import LAYER_0, LAYER_1, RANDOM, PredictorRecord, predictor_records
from inrlens.studies.tables.records import StudyRows

_RESTS = {"reinit": "rest reinitialised", "warm": "rest warm"}
_Records = Mapping[str, Sequence[PredictorRecord]]


def predictor_figures(rows: StudyRows) -> list[StudyFigure]:
    """One figure a start of the rest: the dB lost by every predictor, a panel a backbone."""
    sweeps = freeze_sweeps(rows.transfers)
    found = []
    for rest, said in _RESTS.items():
        records = {
            backbone: [
                record
                for record in predictor_records((s for s in sweeps if s.backbone == backbone), rows.cohorts, rest)
                if record.loss_by_image.mean is not None
            ]
            for backbone in in_order(sweep.backbone for sweep in sweeps)
        }
        records = {backbone: own for backbone, own in records.items() if own}
        if records:
            found.append(_figure(rest, said, records))
    return found


def _order(records: _Records) -> list[str]:
    """The predictors' names, the least loss over all backbones first."""
    names = in_order(record.predictor for own in records.values() for record in own)

    def loss(name: str) -> float:
        values = [r.loss_by_image.mean or 0.0 for own in records.values() for r in own if r.predictor == name]
        return sum(values) / len(values)

    return sorted(names, key=loss)


def _figure(rest: str, said: str, records: _Records) -> StudyFigure:
    names = _order(records)
    seeds = max(record.seeds for own in records.values() for record in own)
    pictures = max(record.loss_by_image.images for own in records.values() for record in own)
    few = any(record.loss_by_image.few for own in records.values() for record in own)
    caption = (
        f"PSNR lost by freezing where a predictor says instead of at the best of the tried depths, {said}: mean over "
        f"pictures with its 95{words.THIN}% bootstrap interval ({words.count(pictures, 'picture')}, "
        f"{words.count(seeds, 'seed')}). Beside it, how often the predictor names a best depth, and the worst loss of "
        "a configuration of source, target, cohort and recipe. The three in grey look at no network."
        + (" Intervals from so few pictures are too narrow." if few else "")
    )

    def draw() -> Figure:
        layout = Layout(width=400.0, height=21.0 * len(names) + 8.0, left=212.0, across=30.0)
        figure, axes = sheet(1, len(records), (), layout)
        for place, (backbone, own) in enumerate(records.items()):
            title_panel(axes[0][place], words.backbone_title(backbone))
            _panel(axes[0][place], names, own, colour(backbone, list(records)))
            axes[0][place].set_yticks(range(len(names)), [_label(name) for name in names] if place == 0 else [])
        return figure

    told = "; ".join(
        f"{words.backbone_title(backbone)}: "
        + ", ".join(f"{record.predictor} {words.db(record.loss_by_image.mean, 2)}" for record in own)
        for backbone, own in records.items()
    )
    alt = f"PSNR lost by each predictor of the freeze depth, {said}: {told}."
    return study_figure(f"predictors-{rest}", f"What a predictor of the freeze depth costs, {said}", caption, alt, draw)


def _label(name: str) -> str:
    if name == RANDOM:
        return "a layer at random"
    return f"always {name}" if name in (LAYER_0, LAYER_1) else f"argmax {name}"


def _panel(axes: Axes, names: Sequence[str], records: Sequence[PredictorRecord], hue: str) -> None:
    reach = max(r.loss_by_image.high or r.loss_by_image.mean or 0.0 for r in records) or 1.0
    for record in records:
        loss, y = record.loss_by_image, names.index(record.predictor)
        fixed = record.predictor in (LAYER_0, LAYER_1, RANDOM)
        mean = loss.mean or 0.0
        axes.barh([y], [mean], height=0.62, color=MUTED if fixed else hue, alpha=0.55, linewidth=0.0)
        end = mean
        if loss.low is not None and loss.high is not None:
            axes.plot([loss.low, loss.high], [y, y], color=INK, linewidth=1.3)
            end = max(end, loss.high)
        right = f"{record.right:.1f}" if record.predictor == RANDOM else f"{record.right:g}"
        text = f"{right} of {record.configurations} right, worst {words.fixed(record.loss_worst, 1)}"
        axes.text(end + 0.02 * reach, y, text, va="center", color=MUTED, fontsize=10.0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0.0, 1.75 * reach)
    axes.set_xlabel("dB lost")
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.tick_params(axis="y", length=0.0)
