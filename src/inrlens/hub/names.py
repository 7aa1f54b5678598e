"""The names of what is shared: files inside a repository, and repositories."""

import re

from inrlens.errors import InputError

SUFFIX = ".safetensors"
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_OWNER_AND_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


def check_name(name: str) -> str:
    """``name`` as the name of a shared file, without its ending.

    Raises:
        InputError: where it holds anything but letters, digits, ``-``, ``_`` and ``.``, or does not begin with one of
            the first two.
    """
    if not _FILE.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a shared file: use up to 96 letters, digits, '-', '_' and '.', the first "
            "a letter or digit."
        )
    return name


def check_licence(licence: str) -> str:
    """``licence`` as the identifier that a model card's front matter holds.

    Raises:
        InputError: where it is none by its form; which ones there are, the hub knows.
    """
    if not _LICENCE.fullmatch(licence):
        raise InputError(f"{licence!r} is no licence's identifier: give one such as mit, cc-by-4.0 or other.")
    return licence


def check_repo_id(repo_id: str) -> str:
    """``repo_id`` as ``OWNER/NAME``, by the hub's own rules.

    Raises:
        InputError: for anything else.
    """
    plain = "--" not in repo_id and ".." not in repo_id and not repo_id.endswith((".git", "-", "."))
    if len(repo_id) > 96 or not plain or not _OWNER_AND_NAME.fullmatch(repo_id):
        raise InputError(
            f"{repo_id!r} is no name of a repository: write OWNER/NAME, up to 96 letters, digits, '-', '_' and '.', "
            "without '--' or '..', such as me/faces."
        )
    return repo_id
