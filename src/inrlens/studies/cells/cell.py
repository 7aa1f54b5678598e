"""A cell: the smallest piece of a study that is computed, recorded and never computed again."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

CellKind = Literal["cohort", "single", "transfer", "dictionary", "analysis"]
KINDS: tuple[CellKind, ...] = get_args(CellKind)
CODE: dict[CellKind, int] = {"cohort": 1, "single": 1, "transfer": 1, "dictionary": 1, "analysis": 1}
"""Raised by one whenever a kind's result changes for the same settings, so that old results are not taken for new."""


@dataclass(frozen=True)
class SignalRef:
    """A picture that a cell needs: its data set and name for words, its digest for the key, its size for the price."""

    data: str
    name: str
    digest: str
    shape: tuple[int, ...]
    channels: int


@dataclass(frozen=True)
class Cell:
    """What is computed (``settings``, plain JSON), from what (``needs``: keys of cells whose artefacts it takes;
    ``signals``), and where the study's tables put it (``place``, plain JSON, no part of the key).

    ``settings`` of each kind, beside ``kind``, ``code``, ``device`` and ``signals`` (digests):

    - cohort: ``recipe`` (``recipe_settings`` without its name, with the backbone), ``seed``
    - single: the same, ``metrics``, and ``lpips`` (digest of the weights, or None)
    - transfer: ``cohort`` (key) or, from scratch, ``backbone`` (settings); ``freeze`` (tau or None), ``rest``,
      ``recipe``, ``seed``, ``metrics``, ``lpips``
    - dictionary: ``network`` (key), ``layer``, ``recipe`` (of ``SaeRecipe``), ``seed``
    - analysis: ``network`` and ``dictionary`` (keys)
    """

    kind: CellKind
    settings: dict[str, Any]
    needs: tuple[str, ...] = ()
    signals: tuple[SignalRef, ...] = ()
    place: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """SHA-256 of the settings."""
        return content_key(self.settings)


def content_key(settings: dict[str, Any]) -> str:
    """SHA-256 of plain JSON, whatever the order of its keys."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
