"""What one network's fit has come to, step by step."""

import logging
import math
from dataclasses import dataclass, field as with_default

from torch import Tensor

from inrlens.fitting.history import Divergence, Outcome, Record, drop

_log = logging.getLogger(__name__)

DIVERGENCE_DB = 6.0
"""A PSNR this far below the best so far counts as a divergence, where all are of the same signals."""


@dataclass
class FitProgress:
    """Grows while a network is fitted; ``kept`` are its parameters as they were at the last row of the history.

    ``fall_db`` is how far a PSNR may stand below the best before it counts as a divergence.

    ``outcome`` is None as long as the fit goes on, and where all steps were taken and the final PSNR decides.
    """

    kept: list[Tensor]
    fall_db: float = DIVERGENCE_DB
    history: list[Record] = with_default(default_factory=list)
    divergences: list[Divergence] = with_default(default_factory=list)
    best_psnr: float = -math.inf
    fallen: bool = False
    outcome: Outcome | None = None
    steps: int = 0
    seconds: float = 0.0

    def enter(self, record: Record, parameters: list[Tensor]) -> None:
        """Takes a finite record and the parameters that it was measured on."""
        self.history.append(record)
        if self.is_far_below(record.psnr):
            if not self.fallen:
                self.note_fall(record.step, record.psnr)
            self.fallen = True
        else:
            self.fallen = False
        self.best_psnr = max(self.best_psnr, record.psnr)
        for kept, parameter in zip(self.kept, parameters, strict=True):
            kept.copy_(parameter)

    def is_far_below(self, psnr: float) -> bool:
        """Whether a PSNR counts as a divergence beside the best so far."""
        return drop(self.best_psnr, psnr) > self.fall_db

    def note_fall(self, step: int, psnr: float) -> None:
        """Records that the PSNR stands far below the best."""
        self.divergences.append(Divergence(step, "PSNR fell", self.best_psnr, psnr))
        _log.warning("PSNR fell from %.2f to %.2f dB by step %d", self.best_psnr, psnr, step)

    def roll_back(self, parameters: list[Tensor]) -> None:
        """Puts the last recorded weights back where the last step's do not give finite numbers, and records it."""
        self.divergences.append(Divergence(self.steps, "non-finite loss", self.best_psnr, math.nan))
        _log.warning("the loss was not finite after step %d; the last finite weights were kept", self.steps)
        self.put_back(parameters)
        self.outcome = "diverged"

    def put_back(self, parameters: list[Tensor]) -> None:
        """Returns to the last row of the history."""
        for kept, parameter in zip(self.kept, parameters, strict=True):
            parameter.copy_(kept)
        self.steps = self.history[-1].step if self.history else 0
