"""The freeze sweep: how well a new signal is fitted with more and more of the cohort's layers held fixed."""

from dataclasses import dataclass

from inrlens.reports import words
from inrlens.reports.figures.canvas import slot
from inrlens.reports.figures.freeze import freeze_panels
from inrlens.reports.parts import Figure, Key, Table
from inrlens.reports.pictures import Picture, picture, picture_file
from inrlens.reports.readings.freeze import best_reading, paper_reading, scratch_reading
from inrlens.reports.sweep import Sweep, summary, sweeps
from inrlens.studies.plan import freeze_label, sweep_settings
from inrlens.studies.record import RunRecord, TransferRecord
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class Strip:
    """One held-out signal under every setting of one backbone: a picture, the setting, its PSNR."""

    title: str
    original: Picture
    shots: tuple[tuple[str, Picture, str], ...]


@dataclass(frozen=True)
class FreezeSection:
    """A figure and a reading of the paper a backbone, one table, and the strips of reconstructions."""

    figures: tuple[tuple[Figure, str], ...]
    table: Table
    strips: tuple[Strip, ...]
    strip_reading: str


def freeze(run: OpenRun) -> FreezeSection | None:
    """None where no transfer was finished."""
    found = sweeps(run.record)
    if not found:
        return None
    figures = tuple(
        (_figure(run.record, sweep), paper_reading(sweep, tau_star(run.record, sweep.backbone))) for sweep in found
    )
    strips = tuple(strip for sweep in found if (strip := _strip(run, sweep)) is not None) if run.pictures else ()
    return FreezeSection(figures, _table(run.record, found), strips, _strip_reading(run.record))


def tau_star(record: RunRecord, backbone: str) -> int | None:
    """tau* of a backbone's cohort."""
    cohort = record.condition("cohort", backbone)
    return None if cohort is None else cohort.tau


def _figure(record: RunRecord, sweep: Sweep) -> Figure:
    tau = tau_star(record, sweep.backbone)
    hue = slot(sweep.backbone, [sweep.backbone])
    keys = [Key("rest reinitialised", hue), Key("rest warm", hue, "dashed", "hollow")]
    keys += [Key("none: nothing frozen, all warm", None, "dashed", "none")]
    keys += [Key("scratch: nothing reused", None, "dotted", "none")]
    if tau is not None:
        keys.append(Key("tau*", hue, marker="star"))
    fits = f"{words.count(sweep.signals, 'held-out signal')} \N{MULTIPLICATION SIGN} {words.count(sweep.seeds, 'seed')}"
    left_out = f" {words.count(sweep.left_out, 'fit')} of an unfinished signal left out." if sweep.left_out else ""
    return Figure(
        name=f"freeze-{sweep.backbone}",
        reading=" ".join(part for part in (best_reading(sweep, tau), scratch_reading(sweep)) if part),
        what=f"Each point is the mean of {words.count(sweep.fits, 'fit')} ({fits}); {_spread(sweep)}.{left_out} "
        "Left: PSNR, every fit as a small dot. Right: the same fits less none on the same signal and seed, which takes "
        "out that some signals are easier than others. At the last depth no layer is left to start either way.",
        panels=tuple(freeze_panels(sweep, tau)),
        keys=tuple(keys),
    )


def _spread(sweep: Sweep) -> str:
    if sweep.fits < 2:
        return "with a single fit there is no spread to show"
    return "whiskers and bands are one sample standard deviation to either side"


def _table(record: RunRecord, found: list[Sweep]) -> Table:
    rows: list[tuple[str, ...]] = []
    marked: set[int] = set()
    for sweep in found:
        tau, best = tau_star(record, sweep.backbone), sweep.best_tau()
        for freeze_depth, rest in sweep_settings(sweep.depth):
            label = freeze_label(freeze_depth, rest)
            psnr = sweep.summary(label)
            if not psnr.count:
                continue
            against = summary(sweep.differences(label, "none").values())
            notes = ["best frozen"] if rest == "reinit" and freeze_depth is not None and freeze_depth == best else []
            notes += ["tau*"] if rest == "reinit" and freeze_depth is not None and freeze_depth == tau else []
            if notes:
                marked.add(len(rows))
            rows.append(
                (
                    words.backbone_title(sweep.backbone),
                    label + (f" ({', '.join(notes)})" if notes else ""),
                    words.fixed(psnr.mean),
                    words.fixed(psnr.deviation),
                    words.span(words.fixed(psnr.low), words.fixed(psnr.high)),
                    words.signed(against.mean) if label != "none" else words.MISSING,
                    words.fixed(against.deviation) if label != "none" else words.MISSING,
                    str(psnr.count),
                    words.fixed(_mean_ssim(record, sweep, label), 3),
                )
            )
    columns = ("backbone", "setting", "PSNR dB", "std", "lowest to highest", "less none", "std", "fits", "SSIM")
    return Table("The freeze sweep", columns, tuple(rows), names=2, marked=frozenset(marked))


def _mean_ssim(record: RunRecord, sweep: Sweep, label: str) -> float | None:
    values = [
        entry.ssim
        for entry in record.transfers
        if entry.backbone == sweep.backbone
        and freeze_label(entry.freeze, entry.rest) == label
        and (entry.signal, entry.seed) in sweep.cells[label]
        and entry.ssim is not None
    ]
    return sum(values) / len(values) if values else None


def _strip(run: OpenRun, sweep: Sweep) -> Strip | None:
    kept = [entry for entry in run.record.transfers if entry.backbone == sweep.backbone and entry.picture is not None]
    if not kept:
        return None
    signal = run.signal(kept[0].signal)
    # Reinitialised first, in the order of depth: with a depth of 5 they fill one row beside the original.
    order = sorted(kept, key=lambda entry: (entry.freeze is None or entry.rest == "warm", entry.freeze is not None))
    shots = tuple(_shot(run, entry, signal.name) for entry in order if entry.signal == kept[0].signal)
    title = f"{words.backbone_title(sweep.backbone)}, {signal.name}"
    return Strip(title, picture(signal.image(), f"{signal.name}, original"), shots)


def _shot(run: OpenRun, entry: TransferRecord, name: str) -> tuple[str, Picture, str]:
    label = freeze_label(entry.freeze, entry.rest)
    alt = f"{name} fitted by the {words.backbone_title(entry.backbone)} transfer {label}, {words.db(entry.psnr)}"
    return label, picture_file(run.path(str(entry.picture)), alt), words.db(entry.psnr, 2)


def _strip_reading(record: RunRecord) -> str:
    kept = [entry for entry in record.transfers if entry.picture is not None and entry.psnr == entry.psnr]
    if not kept:
        return ""
    best, worst = max(kept, key=lambda e: e.psnr), min(kept, key=lambda e: e.psnr)

    def said(entry: TransferRecord) -> str:
        name = words.backbone_title(entry.backbone)
        return f"{words.db(entry.psnr)} ({name}, {freeze_label(entry.freeze, entry.rest)})"

    return words.sentence(f"on this one signal the settings run from {said(worst)} to {said(best)}")
