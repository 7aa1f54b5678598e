"""One row a cell, with the names that tables group by and the numbers that they show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inrlens.studies.config.variant import Variant as Variant


@dataclass(frozen=True)
class Curve:
    """PSNR in dB against steps and seconds since the start; the PSNR is that of the step's own rows."""

    steps: tuple[int, ...]
    psnr: tuple[float, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class CohortRow:
    """A cohort: PSNR in dB (mean over signals), and the scores of its layers by name (``ranks.scores``)."""

    key: str
    source: str
    backbone: str
    seed: int
    variant: Variant
    psnr: float
    psnrs: tuple[float, ...]
    steps: int
    seconds: float
    outcome: str
    scores: Mapping[str, tuple[float, ...]]
    scores_initial: Mapping[str, tuple[float, ...]]
    curve: Curve


@dataclass(frozen=True)
class TransferRow:
    """A transfer to one picture with one seed; ``source`` and ``cohort`` (key) are None from scratch."""

    key: str
    source: str | None
    target: str
    backbone: str
    image: str
    seed: int
    cohort_seed: int | None
    cohort: str | None
    freeze: int | None
    rest: str
    split: str
    variant: Variant
    psnr: float
    ssim: float | None
    lpips: float | None
    steps: int
    seconds: float
    outcome: str
    curve: Curve

    @property
    def setting(self) -> str:
        """``scratch``, ``none``, ``reinit 1`` or ``warm 1``."""
        if self.freeze is None:
            return "scratch" if self.rest == "reinit" else "none"
        return f"{self.rest} {self.freeze}"


@dataclass(frozen=True)
class SingleRow:
    """A fit of one picture from scratch."""

    key: str
    data: str
    backbone: str
    image: str
    seed: int
    split: str
    variant: Variant
    psnr: float
    ssim: float | None
    lpips: float | None
    steps: int
    seconds: float
    outcome: str
    curve: Curve


@dataclass(frozen=True)
class DictionaryRow:
    """A dictionary: ``quality`` on the grid and ``between`` its samples, as ``SaeQuality`` names them."""

    key: str
    network: str
    source: str
    backbone: str
    image: str | None
    layer: int
    n_atoms: int
    k: int
    seed: int
    variant: Variant
    steps: int
    seconds: float
    outcome: str
    quality: Mapping[str, Any]
    between: Mapping[str, Any]


@dataclass(frozen=True)
class AnalysisRow:
    """What a dictionary's atoms do: ``found`` is the analysis cell's result; ``artefact`` its pictures' hash."""

    key: str
    network: str
    source: str
    backbone: str
    image: str | None
    layer: int
    n_atoms: int
    k: int
    seed: int
    variant: Variant
    found: Mapping[str, Any]
    artefact: str | None


@dataclass(frozen=True)
class StudyRows:
    """Everything that a study has found so far."""

    cohorts: tuple[CohortRow, ...] = ()
    transfers: tuple[TransferRow, ...] = ()
    singles: tuple[SingleRow, ...] = ()
    dictionaries: tuple[DictionaryRow, ...] = ()
    analyses: tuple[AnalysisRow, ...] = ()
