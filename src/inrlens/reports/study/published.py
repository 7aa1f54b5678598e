"""The paper's freeze sweep as numbers: Tables 3, 4 and 5 of arXiv:2605.08298v1, and with them its Table 1.

The numbers stand in ``published_sweep.csv``, one line a backbone, source, target and freeze depth.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from inrlens.signals.kinds import DataKind
from inrlens.studies.config.model import DataSpec

TABLES: Mapping[str, int] = MappingProxyType({"CelebA": 3, "Kodak": 4, "OASIS": 5})
"""The number of the paper's table for each of its sources."""
_COUNTERPARTS: Mapping[DataKind, str] = MappingProxyType(
    {"celeba": "CelebA", "celeba-hq": "CelebA", "kodak": "Kodak", "oasis": "OASIS"}
)


@dataclass(frozen=True)
class Published:
    """What the paper has for one setting: PSNR in dB, SSIM and LPIPS as mean and standard deviation over images
    (the tables' captions; over images and seeds, Sec. 4); stable ranks of the cohort's layer tau, None where nothing is
    frozen. ``sr_h`` does not say which variant of the activations it is of."""

    psnr_mean: float
    psnr_std: float
    ssim_mean: float
    ssim_std: float
    lpips_mean: float
    lpips_std: float
    sr_w: float | None
    sr_h: float | None


def published(source: str, target: str, backbone: str, tau: int | None) -> Published | None:
    """The paper's numbers for a cohort of ``source`` moved to ``target``, with the rest reinitialised.

    Args:
        source: the paper's name of the cohort's data: CelebA, Kodak or OASIS.
        target: that of the pictures' data.
        backbone: ``siren`` or ``ffmlp``.
        tau: the freeze depth; None: nothing frozen, all warm.

    Returns:
        None where the paper has no such setting.
    """
    return _sweep().get((source, target, backbone, tau))


def counterpart(data: DataSpec) -> str | None:
    """The paper's data set that a study's is held against: what its file says, or else what its kind is."""
    return data.counterpart or _COUNTERPARTS.get(data.kind)


@lru_cache(maxsize=1)
def _sweep() -> Mapping[tuple[str, str, str, int | None], Published]:
    text = resources.files("inrlens.reports.study").joinpath("published_sweep.csv").read_text(encoding="utf-8")
    found = {}
    for line in csv.DictReader(text.splitlines()):
        tau = None if line["tau"] == "none" else int(line["tau"])
        numbers = {one.name: float(line[one.name]) if line[one.name] else None for one in fields(Published)}
        found[line["source"], line["target"], line["backbone"], tau] = Published(**numbers)  # type: ignore[arg-type]
    return MappingProxyType(found)
