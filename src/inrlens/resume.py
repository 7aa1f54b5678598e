"""The state of a running loop in one file, from which it continues bit for bit."""

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from inrlens.container import Container, read_container, write_container
from inrlens.errors import InputError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resume:
    """Where a running fit or training keeps its state, the file ``path``, and ``every`` how many seconds.

    A fit that finds the file continues from it; one that ends removes it. After Ctrl-C it stays. The continued fit
    equals one that was never interrupted bit for bit, on the same device with the same threads and ``Compute``. The
    first state is written before the first step.
    """

    path: str | Path
    every: float = 60.0
    keep: bool = False
    """Whether the file stays, with the last state, when the fit has ended: for a caller who still has to write the
    result down, and removes the file then."""

    def __post_init__(self) -> None:
        if not self.every >= 0.0:
            raise InputError(f"a fit's state can be kept every 0 or more seconds, not every {self.every}.")


@runtime_checkable
class LoopState(Protocol):
    """All that a loop's next step depends on and all that it has left behind."""

    def pack(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """The state as plain JSON values and tensors; None where it is not finite and so not worth keeping."""
        ...

    def fill(self, path: Path, description: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Takes over what ``pack`` gave; ``path`` is for the words of an error.

        Raises:
            InputError: where a tensor is missing or of another shape; KeyError, TypeError, ValueError or RuntimeError
                for a damaged description.
        """
        ...


class Keeper:
    """Writes a loop's state when it is due, and reads it back where the file is of this very loop.

    Args:
        resume: where, and how often.
        what: ``fit`` or ``training``, for the file and for words.
        identity: what decides the result, part by part.
        cores: threads that share the work; another number changes the result by rounding.
    """

    def __init__(self, resume: Resume, what: str, identity: dict[str, Any], cores: int) -> None:
        self._path = Path(resume.path)
        self._resume = resume
        self._what = what
        self._identity = identity
        self._cores = cores
        self._last = time.monotonic()

    @property
    def keeps_the_end(self) -> bool:
        """Whether the state of a loop that has ended stays."""
        return self._resume.keep

    def is_due(self) -> bool:
        """Whether the last writing lies long enough back."""
        return time.monotonic() - self._last >= self._resume.every

    def save(self, state: LoopState) -> None:
        """Writes the state in place of an earlier one, whole or not at all.

        A disk that is full for a while costs no fit: what cannot be written is a warning.
        """
        try:
            self._write(state)
        except InputError as error:
            _log.warning("the %s goes on, but its state could not be kept: %s", self._what, error)

    def begin(self, state: LoopState) -> None:
        """Fills ``state`` from the file, or writes the first one where there is none.

        Raises:
            InputError: where the file is no state of a loop, of another one, or damaged; where it cannot be written.
        """
        if not self._path.exists():
            self._write(state)
            return
        found = read_container(self._path)
        if found.kind != self._kind:
            raise InputError(f"{self._path} holds a {found.kind}, not the state of a {self._kind}.")
        self._check_same(found.description.get(self._what))
        if found.description.get("cores") != self._cores:
            _log.warning(
                "the state was kept on %s cores and goes on on %d: the %s will differ by rounding from one that was "
                "never interrupted",
                found.description.get("cores"),
                self._cores,
                self._what,
            )
        try:
            state.fill(self._path, found.description, found.tensors)
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{self._path} is damaged ({error}): remove it to begin anew.") from error

    def end(self) -> None:
        """Removes the file of a loop that has ended, unless the caller keeps it."""
        if not self.keeps_the_end:
            self._path.unlink(missing_ok=True)

    @property
    def _kind(self) -> str:
        return f"running {self._what}"

    def _write(self, state: LoopState) -> None:
        packed = state.pack()
        if packed is None:
            return
        description = {self._what: self._identity, "cores": self._cores, **packed[0]}
        write_container(self._path, Container(self._kind, description, packed[1]), force=True)
        self._last = time.monotonic()

    def _check_same(self, found: Any) -> None:
        if not isinstance(found, dict):
            raise InputError(f"{self._path} does not say which {self._what} it belongs to; the file is damaged.")
        for part, wanted in self._identity.items():
            if found.get(part) != wanted:
                raise InputError(
                    f"{self._path} is the state of a {self._what} with another {part}"
                    f"{_difference(found.get(part), wanted)}; go on as that {self._what} began, or remove the file."
                )


def progress_of(description: dict[str, Any]) -> tuple[int, float]:
    """The step and the seconds of a packed state.

    Raises:
        ValueError: where they cannot be.
    """
    step, seconds = description["step"], float(description["seconds"])
    if type(step) is not int or step < 0 or not 0.0 <= seconds < math.inf:
        raise ValueError(f"step {step!r} after {seconds} seconds")
    return step, seconds


def number_rows(path: Path, tensors: dict[str, Tensor], name: str, columns: int) -> list[list[float]]:
    """The rows of a history that was kept as a matrix of ``columns`` numbers.

    Raises:
        InputError: where it is missing or of another shape.
    """
    found = tensors.get(name)
    if found is None or found.ndim != 2 or found.shape[1] != columns:
        raise InputError(f"{path} lacks its {name!r}; the file is damaged: remove it to begin anew.")
    rows: list[list[float]] = found.tolist()
    return rows


def _difference(there: Any, here: Any) -> str:
    """How two values differ in words, where words help: numbers and the entries of a recipe do, digests do not."""
    if isinstance(there, dict) and isinstance(here, dict):
        key = next(key for key in [*here, *there] if there.get(key) != here.get(key))
        inner = _difference(there.get(key), here.get(key))
        return f", {key}{inner}"
    if isinstance(here, list):
        return ""
    return f": {there} there, {here} here"
