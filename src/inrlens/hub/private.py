"""What must not leave this machine unseen: paths of it, and who works on it, inside descriptions and records."""

import getpass
import re
from collections.abc import Iterator
from typing import Any

from inrlens.errors import InputError

_PATH = re.compile(
    r"""
    (?:^|(?<=[\s"'`=(,;\[]))  # where a word begins
    (?: ~[\w.-]*[/\\] | /[^/\s]+/ | [A-Za-z]:[/\\] | \\\\[^\\\s]+\\ | file: )
    | (?<![\w/.])/[^/\s]+$    # a path of one part, and nothing behind it
    """,
    re.VERBOSE,
)


def check_nothing_private(where: str, content: Any) -> None:
    """Refuses a description, record or list of names that holds a path of this machine or its user's name in a path.

    Args:
        where: the file that would carry it.
        content: plain JSON values.

    Raises:
        InputError: where there is one; the sentence names the place and the text.
    """
    user = re.compile(rf"(?:^|[/\\]){re.escape(_user())}[/\\]", re.IGNORECASE)
    for place, text in _texts(content, ""):
        if _PATH.search(text) or user.search(text):
            raise InputError(
                f"{where} would tell others {text!r}{f' (at {place})' if place else ''}, a path of this machine: "
                "rename it before it is shared."
            )


def _texts(content: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every text inside plain JSON values, keys included, with the place where it stands."""
    if isinstance(content, str):
        yield place, content
    elif isinstance(content, dict):
        for key, value in content.items():
            inner = f"{place}.{key}" if place else str(key)
            yield place, str(key)
            yield from _texts(value, inner)
    elif isinstance(content, (list, tuple)):
        for index, value in enumerate(content):
            yield from _texts(value, f"{place}.{index}" if place else str(index))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # No name is known: a text that no name can be.
        return "\0"
