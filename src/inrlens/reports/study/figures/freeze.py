"""The freeze sweep beside the stable ranks of the cohorts: the paper's Fig. 2 for one backbone."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.figures.canvas import INK, MUTED, Axes, colour
from inrlens.reports.figures.lines import Line, Stroke, depth_axis, draw_line, level, star
from inrlens.reports.study.figures.beside import Beside
from inrlens.reports.study.figures.footing import (
    Footing,
    Part,
    behind,
    depths_of,
    footing,
    in_order,
    parts,
)
from inrlens.reports.study.figures.sheet import (
    PAPER_NAME,
    Figure,
    Key,
    Layout,
    StudyFigure,
    share_columns,
    sheet,
    study_figure,
    title_panel,
)
from inrlens.studies.tables.freeze import best
from inrlens.studies.tables.load_records import agrees
from inrlens.studies.tables.predictors import argmax
from inrlens.studies.tables.records import CohortRow, StudyRows, TransferRow
from inrlens.studies.tables.spread import Spread, spread

TAU = "layers 0 to \N{GREEK SMALL LETTER TAU} frozen"
ARROW = "\N{RIGHTWARDS ARROW}"
_RANKS: tuple[tuple[str, str, tuple[tuple[str, str, Stroke, str], ...]], ...] = (
    ("sr(W)", "sr_w", (("sr(W)", "sr(W)", "solid", "o"),)),
    (
        "sr(H)",
        "sr_h",
        (
            ("sr(H) post", "sr(H), H after the nonlinearity", "solid", "o"),
            ("sr(H) post_centred", "centred", "dotted", "^"),
            ("sr(H) pre", "before it", "dashed", "v"),
        ),
    ),
)
"""A panel's title, the published column, and its scores: names, words, strokes and marks."""


@dataclass(frozen=True)
class _Drawn:
    """One backbone's sweeps with one variant of its recipes, and its cohorts."""

    part: Part
    hue: str
    cohorts: tuple[CohortRow, ...]
    pairs: dict[tuple[str, str], Footing]
    beside: Beside


def freeze_figures(rows: StudyRows, theirs: Beside) -> list[StudyFigure]:
    """One figure a backbone and variant: a row a source, a column a target, then sr(W) and sr(H) by layer."""
    backbones = in_order(row.backbone for row in rows.transfers)
    found = []
    for part in parts(rows.transfers):
        pairs = _pairs(part.rows)
        if pairs:
            cohorts = tuple(
                row
                for row in rows.cohorts
                if row.backbone == part.backbone and agrees(row.variant, part.variant) and "sr(W)" in row.scores
            )
            found.append(_figure(_Drawn(part, colour(part.backbone, backbones), cohorts, pairs, theirs)))
    return found


def _pairs(rows: Sequence[TransferRow]) -> dict[tuple[str, str], Footing]:
    """The settings of every source and target that was tried frozen with the rest reinitialised."""
    kept = [row for row in rows if row.freeze is None or row.rest == "reinit"]
    found = {}
    for source in in_order(row.source for row in kept):
        for target in in_order(row.target for row in kept if row.source == source):
            own = footing(row for row in kept if row.target == target and row.source in (source, None))
            if depths_of(own.by_setting, "reinit"):
                found[source, target] = own
    return found


def _figure(drawn: _Drawn) -> StudyFigure:
    title = drawn.part.title
    sources, targets = in_order(s for s, _ in drawn.pairs), in_order(t for _, t in drawn.pairs)
    published = any(drawn.beside.of(*pair, drawn.part.backbone, 0) is not None for pair in drawn.pairs)
    said = "; ".join(_said(drawn, pair) for pair in drawn.pairs)
    every = [row for own in drawn.pairs.values() for rows in own.by_setting.values() for row in rows]
    caption = (
        f"{title}, as Fig. 2 of {PAPER_NAME}: a row a source, a column a target, then the stable ranks of the source's "
        f"cohort. PSNR is the mean over pictures ({behind(every)} in all), the band one standard deviation over "
        "pictures, whiskers one between seeds. Stars mark the highest point of a line."
        + (" In grey, dashed, what the paper has; it does not say which sr(H) it shows." if published else "")
        + ("" if all(own.equal for own in drawn.pairs.values()) else _UNEQUAL)
        + drawn.part.remark
    )

    def draw() -> Figure:
        columns = len(targets) + (len(_RANKS) if drawn.cohorts else 0)
        keys, layout = (
            _keys(drawn.hue, published, bool(drawn.cohorts)),
            Layout(height=148.0, across=44.0).fitted(columns),
        )
        figure, axes = sheet(len(sources), columns, keys, layout)
        share_columns(axes, range(columns))
        for row, source in enumerate(sources):
            for column, target in enumerate(targets):
                panel = axes[row][column]
                title_panel(panel, f"{source} {ARROW} {target}")
                if (source, target) in drawn.pairs:
                    _psnr_panel(panel, drawn, (source, target))
                else:
                    panel.set_axis_off()
            for column, (name, published_name, scores) in enumerate(_RANKS if drawn.cohorts else (), len(targets)):
                title_panel(axes[row][column], f"{name}, {source}")
                _rank_panel(axes[row][column], drawn, source, published_name, scores)
            axes[row][0].set_ylabel("PSNR (dB)")
        for panel in axes[0][len(targets) :]:
            # Now that all rows are drawn, which share this axis.
            panel.set_ylim(bottom=0.0)
        return figure

    name = f"freeze-{drawn.part.name}"
    alt = f"Mean PSNR by freeze depth, {title}, rest reinitialised: {said}."
    return study_figure(name, f"Where to freeze: {title}", caption, alt, draw)


_UNEQUAL = " Not every setting of every panel has the same pictures yet."


def _psnr_panel(axes: Axes, drawn: _Drawn, pair: tuple[str, str]) -> None:
    own = drawn.pairs[pair].by_setting
    depths = depths_of(own, "reinit")
    points = [spread(own[f"reinit {tau}"]) for tau in depths]
    theirs = [drawn.beside.of(*pair, drawn.part.backbone, tau) for tau in (None, *depths)]
    level(axes, None if theirs[0] is None else theirs[0].psnr_mean, "dashed")
    if "scratch" in own:
        level(axes, spread(own["scratch"]).mean, "dotted")
    if "none" in own:
        mean = spread(own["none"]).mean
        if mean is not None:
            axes.axhline(mean, color=INK, linewidth=1.2)
    paper = [None if one is None else one.psnr_mean for one in theirs[1:]]
    if any(value is not None for value in paper):
        draw_line(axes, Line(depths, paper, MUTED, "dashed", marker="s", hollow=True))
    for tau, point in zip(depths, points, strict=True):
        if point.mean is not None and point.over_seeds is not None:
            ends = [point.mean - point.over_seeds, point.mean + point.over_seeds]
            axes.plot([tau, tau], ends, color=drawn.hue, linewidth=1.0)
    low, high = ([_edge(point, side) for point in points] for side in (-1.0, 1.0))
    draw_line(axes, Line(depths, [point.mean for point in points], drawn.hue, low=low, high=high))
    known = {tau: point.mean for tau, point in zip(depths, points, strict=True) if point.mean is not None}
    if known:
        star(axes, best(known), known[best(known)], drawn.hue)
    depth_axis(axes, max(depths) + 1, TAU)


def _edge(point: Spread, side: float) -> float | None:
    """One standard deviation over pictures to a side."""
    if point.mean is None or point.over_images is None:
        return point.mean
    return point.mean + side * point.over_images


def _rank_panel(
    axes: Axes, drawn: _Drawn, source: str, published_name: str, scores: Sequence[tuple[str, str, Stroke, str]]
) -> None:
    own = [row for row in drawn.cohorts if row.source == source]
    if not own:
        axes.set_axis_off()
        return
    depth = len(own[0].scores["sr(W)"])
    paper = drawn.beside.ranks(source, drawn.part.backbone, published_name, depth)
    if any(value is not None for value in paper):
        draw_line(axes, Line(range(depth), paper, MUTED, "dashed", marker="s", hollow=True))
    for name, _, stroke, marker in scores:
        known = [row.scores[name] for row in own if name in row.scores]
        if known:
            means = [fmean(layer) for layer in zip(*known, strict=True)]
            draw_line(axes, Line(range(depth), means, drawn.hue, stroke, marker=marker))
            top = argmax(means)
            if top is not None:
                star(axes, top, means[top], drawn.hue)
    depth_axis(axes, depth)


def _keys(hue: str, published: bool, ranked: bool) -> list[Key]:
    keys = [Key("measured", Line([], [], hue)), Key("nothing frozen, all warm", Line([], [], INK, marker=None))]
    keys.append(Key("from scratch", Line([], [], MUTED, "dotted", marker=None)))
    if published:
        keys.append(Key("published", Line([], [], MUTED, "dashed", marker="s", hollow=True)))
        keys.append(Key("published, nothing frozen", Line([], [], MUTED, "dashed", marker=None)))
    keys.append(Key("highest", Line([], [], hue), starred=True))
    if ranked:
        keys += [Key(said, Line([], [], hue, stroke, marker=marker)) for _, said, stroke, marker in _RANKS[1][2]]
    return keys


def _said(drawn: _Drawn, pair: tuple[str, str]) -> str:
    own = drawn.pairs[pair].by_setting
    names = [name for name in ("scratch", "none") if name in own]
    names += [f"reinit {tau}" for tau in depths_of(own, "reinit")]
    means = ", ".join(f"{name.replace('reinit', 'tau')} {words.db(spread(own[name]).mean)}" for name in names)
    return f"{pair[0]} to {pair[1]}: {means}"
