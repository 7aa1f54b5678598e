"""Saving and loading anything that InrLens trains."""

from pathlib import Path

from inrlens import __version__
from inrlens.atoms import checkpoint as atlas_checkpoint
from inrlens.atoms.effects import Effects
from inrlens.container import read_container, write_container
from inrlens.dictionaries import checkpoint as dictionary_checkpoint
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields import checkpoint as field_checkpoint
from inrlens.fields.field import Field
from inrlens.fields.network import Network

_WHAT: dict[type, str] = {Field: "a field", SparseAutoencoder: "a dictionary", Effects: "an atlas"}
_LONGEST, _TAIL = 400, 60
"""Characters of a sentence about a file, and how many of them are its end where it is cut."""


def save(thing: Network | SparseAutoencoder | Effects, path: str | Path, *, force: bool = False) -> None:
    """Writes a field, a dictionary or an atlas as one self-describing ``.safetensors`` file, whole or not at all.

    Raises:
        InputError: where the path is taken (without ``force``) or cannot be written, or a network is not ours.
    """
    if isinstance(thing, Network):
        if not isinstance(thing, Field):
            raise InputError(
                f"{path}: a wrapped network is not saved here, only {', '.join(_WHAT.values())}: keep it as its own "
                "code does, and wrap it again."
            )
        write_container(path, field_checkpoint.pack_field(thing, __version__), force)
    elif isinstance(thing, SparseAutoencoder):
        write_container(path, dictionary_checkpoint.pack_sae(thing, __version__), force)
    else:
        write_container(path, atlas_checkpoint.pack_atlas(thing, __version__), force)


def load(path: str | Path) -> Field | SparseAutoencoder | Effects:
    """Rebuilds, bit for bit, what ``save`` wrote; nothing is ever unpickled. An atlas is read as it is looked at.

    Raises:
        InputError: where the file is missing, damaged, not ours, or of a newer format version.
    """
    try:
        return _load(path)
    except InputError as error:
        text = " ".join(str(error).split())
        if len(text) - len(str(path)) <= _LONGEST:
            raise
        # A stranger's description may hold anything, at any length.
        start = len(str(path)) + _LONGEST - _TAIL
        raise InputError(f"{text[:start]} ... {text[-_TAIL:]}") from error


def _load(path: str | Path) -> Field | SparseAutoencoder | Effects:
    container = read_container(path)
    if container.kind == field_checkpoint.KIND:
        return field_checkpoint.unpack_field(path, container)
    if container.kind == dictionary_checkpoint.KIND:
        return dictionary_checkpoint.unpack_sae(path, container)
    if container.kind == atlas_checkpoint.KIND:
        return atlas_checkpoint.unpack_atlas(path, container)
    raise InputError(f"{path} holds a {container.kind!r}, which this InrLens does not know.")


def load_field(path: str | Path) -> Field:
    """A field from its file.

    Raises:
        InputError: as ``load``, or where the file holds something else.
    """
    thing = load(path)
    if not isinstance(thing, Field):
        raise InputError(f"{path} holds {_WHAT[type(thing)]}, a field is needed here.")
    return thing


def load_sae(path: str | Path) -> SparseAutoencoder:
    """A dictionary from its file.

    Raises:
        InputError: as ``load``, or where the file holds something else.
    """
    thing = load(path)
    if not isinstance(thing, SparseAutoencoder):
        raise InputError(f"{path} holds {_WHAT[type(thing)]}, a dictionary is needed here.")
    return thing


def load_atlas(path: str | Path) -> Effects:
    """An atlas from its file.

    Raises:
        InputError: as ``load``, or where the file holds something else.
    """
    thing = load(path)
    if not isinstance(thing, Effects):
        raise InputError(f"{path} holds {_WHAT[type(thing)]}, an atlas is needed here.")
    return thing
