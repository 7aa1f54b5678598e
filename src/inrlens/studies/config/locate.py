"""Where a study's file and its store are; nothing here loads torch, so that a status answers at once."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from inrlens.errors import InputError
from inrlens.studies.config.shipped import SHIPPED, shipped_study

STORE = "inrlens-store"
"""The folder beside a study's file that keeps results, unless another is named; studies side by side share it."""


@dataclass(frozen=True)
class Located:
    """A study's name, the folder of its store, and the text of its file (None where only its name was given)."""

    name: str
    store: Path
    source: str | None = None


def locate(study: str, store: Path | None = None) -> Located:
    """The name and the store of a study, given as a path, as the name of one that ships, or, with ``store``, as the
    name under which that store knows it.

    Raises:
        InputError: where there is no such study, or its file has no name.
    """
    path = Path(study)
    if study in SHIPPED:
        text = shipped_study(study)
        return Located(_name(text, study), store or Path(STORE), text)
    if path.suffix != ".toml" and not path.exists():
        if store is not None:
            return Located(study, store)
        shipped_study(study)
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text, which a study's file is.") from error
    except OSError as error:
        raise InputError(f"study {path} could not be read: {error.strerror or error}.") from error
    return Located(_name(text, study), store or path.parent / STORE, text)


def _name(text: str, label: str) -> str:
    try:
        name = tomllib.loads(text).get("name")
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"{label} is not valid TOML: {error}.") from error
    if not isinstance(name, str):
        raise InputError(f'{label} has no name: give it name = "...".')
    return name


def title_of(source: str) -> str:
    """The title of a study's file that has been read before; empty where it has none."""
    return str(tomllib.loads(source).get("title", ""))
