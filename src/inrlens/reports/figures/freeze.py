"""PSNR against freeze depth, as measured and as a difference to freezing nothing."""

from inrlens.reports import words
from inrlens.reports.figures.canvas import Axes, Panel, colour, panel
from inrlens.reports.figures.lines import Line, depth_axis, draw_line, level, star
from inrlens.reports.sweep import Summary, Sweep, summary

_AXIS = "layers 0 to \N{GREEK SMALL LETTER TAU} frozen"


def freeze_panels(sweep: Sweep, tau: int | None) -> list[Panel]:
    """PSNR by freeze depth, and the same less ``none`` for the same signal and seed; ``tau`` is tau*, starred."""
    title = words.backbone_title(sweep.backbone)
    hue = colour(sweep.backbone, [sweep.backbone])
    taus = range(sweep.depth)

    def draw_psnr(axes: Axes) -> None:
        level(axes, sweep.summary("none").mean, "dashed")
        level(axes, sweep.summary("scratch").mean, "dotted")
        for rest, shift in (("warm", 0.08), ("reinit", -0.08)):
            for t in taus:
                fits = list(sweep.cells.get(f"{rest} {t}", {}).values())
                axes.plot([t + shift] * len(fits), fits, ".", color=hue, alpha=0.5, markersize=5.0)
                # Whiskers, not a band: signals differ so much in difficulty that bands would hide each other.
                low, high = _edges(sweep.summary(f"{rest} {t}"))
                if low is not None and high is not None:
                    axes.plot([t + shift] * 2, [low, high], color=hue, linewidth=1.0, alpha=0.5)
            _line(axes, rest, [sweep.summary(_label(sweep, rest, t)) for t in taus], hue)
        _starred(axes, [sweep.summary(f"reinit {t}") for t in taus], tau, hue)
        depth_axis(axes, sweep.depth, _AXIS)
        axes.set_ylabel("PSNR (dB)")

    def draw_gain(axes: Axes) -> None:
        def against_none(label: str) -> Summary:
            return summary(sweep.differences(label, "none").values())

        level(axes, 0.0, "dashed")
        level(axes, against_none("scratch").mean, "dotted")
        for rest in ("warm", "reinit"):
            _line(axes, rest, [against_none(_label(sweep, rest, t)) for t in taus], hue, band=True)
        _starred(axes, [against_none(f"reinit {t}") for t in taus], tau, hue)
        depth_axis(axes, sweep.depth, _AXIS)
        axes.set_ylabel("difference to none (dB)")

    means = ", ".join(f"tau {t}: {words.db(sweep.summary(f'reinit {t}').mean)}" for t in taus)
    base = f"none {words.db(sweep.summary('none').mean)}, scratch {words.db(sweep.summary('scratch').mean)}"
    panels = [
        panel(
            f"freeze-{sweep.backbone}",
            f"{title}, PSNR",
            f"Mean PSNR by freeze depth for {title}, rest reinitialised: {means}; {base}.",
            draw_psnr,
        )
    ]
    if sweep.cells.get("none"):
        gains = ", ".join(
            f"tau {t}: {words.gain(summary(sweep.differences(f'reinit {t}', 'none').values()).mean)}" for t in taus
        )
        alt = f"Mean PSNR difference to freezing nothing by freeze depth for {title}, rest reinitialised: {gains}."
        panels.append(panel(f"freeze-gain-{sweep.backbone}", f"{title}, same photo and seed", alt, draw_gain))
    return panels


def _label(sweep: Sweep, rest: str, tau: int) -> str:
    """A setting's label; at the last depth no layer is left to start, so warm and reinitialised are one fit."""
    label = f"{rest} {tau}"
    return label if label in sweep.cells or tau < sweep.depth - 1 else f"reinit {tau}"


def _line(axes: Axes, rest: str, points: list[Summary], hue: str, band: bool = False) -> None:
    reinit = rest == "reinit"
    edges = [_edges(point) for point in points]
    line = Line(
        x=list(range(len(points))),
        y=[point.mean for point in points],
        colour=hue,
        stroke="solid" if reinit else "dashed",
        hollow=not reinit,
        low=[low for low, _ in edges] if band else None,
        high=[high for _, high in edges] if band else None,
    )
    draw_line(axes, line)


def _edges(point: Summary) -> tuple[float | None, float | None]:
    """One standard deviation to either side."""
    if point.mean is None or point.deviation is None:
        return None, None
    return point.mean - point.deviation, point.mean + point.deviation


def _starred(axes: Axes, points: list[Summary], tau: int | None, hue: str) -> None:
    if tau is not None and tau < len(points):
        mean = points[tau].mean
        if mean is not None:
            star(axes, tau, mean, hue)
