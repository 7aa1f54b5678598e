"""What another library's JSON file says about a dictionary, each entry checked when it is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inrlens.errors import InputError
from inrlens.files import plain_json, read_json


@dataclass(frozen=True)
class ForeignConfig:
    """The entries of a JSON object read from ``path``, or of an object inside it."""

    path: Path
    entries: dict[str, Any]

    def inner(self, name: str) -> "ForeignConfig":
        """The object under ``name``.

        Raises:
            InputError: where there is none.
        """
        found = self.entries.get(name)
        if not isinstance(found, dict):
            raise InputError(f"{self.path}: {name!r} is missing or no JSON object.")
        return ForeignConfig(self.path, found)

    def whole(self, name: str, least: int = 1, default: int | None = None) -> int:
        """A whole number of at least ``least``; without a ``default`` it must be there.

        Raises:
            InputError: where it is missing, no whole number or too small.
        """
        found = self.entries.get(name, default)
        if type(found) is not int or found < least:
            raise InputError(f"{self.path}: {name!r} must be a whole number of at least {least}, not {found!r}.")
        return found

    def flag(self, name: str, default: bool) -> bool:
        """True or false.

        Raises:
            InputError: where it is anything else.
        """
        found = self.entries.get(name, default)
        if not isinstance(found, bool):
            raise InputError(f"{self.path}: {name!r} must be true or false, not {found!r}.")
        return found

    def only(self, name: str, allowed: str, default: str | None = None, why: str = "") -> None:
        """Refuses any value of ``name`` but ``allowed``; ``why`` ends the sentence.

        Raises:
            InputError: where it has another value.
        """
        found = self.entries.get(name, default)
        if found != allowed:
            raise InputError(f"{self.path}: {name!r} is {found!r}, only {allowed!r} can be read here{why}.")

    def some(self, *names: str) -> dict[str, Any]:
        """Those of the entries that are there and not null, fit for a checkpoint's description."""
        return {name: plain_json(self.entries[name]) for name in names if self.entries.get(name) is not None}


def read_config(path: Path) -> ForeignConfig:
    """The JSON object in a file.

    Raises:
        InputError: where the file is missing, no JSON, or holds no object.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no JSON object.")
    return ForeignConfig(path, content)
