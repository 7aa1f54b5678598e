"""Rows of made-up studies, for the tests of their statistics."""

from collections.abc import Mapping, Sequence
from typing import Any

from inrlens.studies.tables.records import CohortRow, Curve, SingleRow, TransferRow, Variant


def curve(psnr: float, steps: int = 500, start: float = 10.0, rate: float = 0.01) -> Curve:
    """From ``start`` dB at step 0 on a straight line towards ``psnr`` at ``steps``, recorded up to the middle."""
    at = (0, steps // 2)
    return Curve(at, (start, start + (psnr - start) * at[1] / steps), tuple(rate * step for step in at))


def transfer(psnr: float, **changes: Any) -> TransferRow:
    """A transfer that ended at ``psnr`` dB; ``setting`` stands for ``freeze`` and ``rest`` (and, from scratch, for the
    cohort that it lacks)."""
    setting = changes.pop("setting", "none")
    kind, _, tau = setting.partition(" ")
    row: dict[str, Any] = {
        "source": "faces", "target": "faces", "backbone": "siren", "image": "a", "seed": 0, "cohort_seed": 0,
        "freeze": int(tau) if tau else None, "rest": {"scratch": "reinit", "none": "warm"}.get(kind, kind),
        "split": "test", "variant": (), "ssim": None, "lpips": None, "steps": 500, "seconds": 5.0,
        "outcome": "finished", "curve": curve(psnr), **changes,
    }  # fmt: skip
    if kind == "scratch":
        row |= {"source": None, "cohort_seed": None}
    row.setdefault("cohort", cohort_key(row["source"], row["backbone"], row["cohort_seed"], row["variant"]))
    row["key"] = repr((row["cohort"], row["target"], row["image"], row["seed"], setting, row["variant"]))
    return TransferRow(psnr=psnr, **row)


def cohort_key(source: str | None, backbone: str, seed: int | None, variant: Variant = ()) -> str | None:
    """A name instead of a hash."""
    return None if source is None else f"{source}/{backbone}/{seed}/{variant}"


def single(psnr: float, **changes: Any) -> SingleRow:
    """A fit of one picture that ended at ``psnr`` dB."""
    row: dict[str, Any] = {
        "key": repr(sorted(changes.items())), "data": "faces", "backbone": "siren", "image": "a", "seed": 0,
        "split": "test", "variant": (), "ssim": None, "lpips": None, "steps": 500, "seconds": 5.0,
        "outcome": "finished", "curve": curve(psnr), **changes,
    }  # fmt: skip
    return SingleRow(psnr=psnr, **row)


def cohort(scores: Mapping[str, Sequence[float]], **changes: Any) -> CohortRow:
    """A cohort with these scores."""
    row: dict[str, Any] = {"source": "faces", "backbone": "siren", "seed": 0, "variant": (), **changes}
    return CohortRow(
        key=cohort_key(row["source"], row["backbone"], row["seed"], row["variant"]) or "",
        psnr=30.0,
        psnrs=(30.0,),
        steps=5000,
        seconds=50.0,
        outcome="finished",
        scores={name: tuple(values) for name, values in scores.items()},
        scores_initial={},
        curve=curve(30.0, 5000),
        **row,
    )


def sweep_rows(by_image: Mapping[str, Sequence[float]], rest: str = "reinit", **changes: Any) -> list[TransferRow]:
    """One transfer to every picture at every depth, with the PSNR in dB given for it."""
    return [
        transfer(psnr, setting=f"{rest} {tau}", image=image, **changes)
        for image, values in by_image.items()
        for tau, psnr in enumerate(values)
    ]
