"""One ``.safetensors`` file that describes itself: tensors, and a JSON text under a versioned key."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from inrlens.errors import InputError
from inrlens.files import ensure_free_file, utf8_path, whole_file

FORMAT_VERSION = 1
KEY = "inrlens"
"""The entry of a file's metadata that holds the description."""


@dataclass(frozen=True)
class Container:
    """What a file holds: its ``kind`` (field, dictionary), a JSON ``description``, and named tensors."""

    kind: str
    description: dict[str, Any]
    tensors: dict[str, Tensor]


def write_container(path: str | Path, content: Container, force: bool = False) -> None:
    """Writes a container, whole or not at all.

    Raises:
        InputError: where the path is taken (without ``force``) or cannot be written.
    """
    path = Path(path)
    ensure_free_file(path, force)
    header = {"kind": content.kind, "format_version": FORMAT_VERSION, **content.description}
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in content.tensors.items()}
    with whole_file(path) as temporary:
        try:
            save_file(tensors, temporary, metadata={KEY: json.dumps(header, allow_nan=False)})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def read_container(path: str | Path) -> Container:
    """Opens a file that ``write_container`` wrote; never unpickles anything.

    The tensors are mapped: a page of the file is read when it is first looked at, and changes to them stay in memory.

    Raises:
        InputError: where the file is missing, cut short, not ours, or of a newer format version.
    """
    path = Path(path)
    with _opened(path) as file:
        description = _description(path, file.metadata() or {})
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return Container(str(description["kind"]), description, tensors)


def read_description(path: str | Path) -> dict[str, Any] | None:
    """The description alone of a file that ``write_container`` wrote; None for another's safetensors file.

    Raises:
        InputError: as ``read_container``, other than for another's file.
    """
    path = Path(path)
    with _opened(path) as file:
        metadata = file.metadata() or {}
    return _description(path, metadata) if KEY in metadata else None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise InputError(f"{path} does not exist or is no file.")
    try:
        with utf8_path(path) as named, safe_open(named, framework="pt") as file:
            yield file
    except SafetensorError as error:
        if _is_of_torch(path):
            raise InputError(
                f"{path} is a file of torch.save, and no file of InrLens: inrlens import, or il.read_network in "
                "Python, makes a field of a network in it."
            ) from error
        raise InputError(f"{path} is not a checkpoint of InrLens, or it is cut short or damaged ({error}).") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def _is_of_torch(path: Path) -> bool:
    """Whether a file begins as an archive or a pickle does, which ``torch.save`` writes."""
    with path.open("rb") as file:
        return file.read(4).startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04"))


def _description(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    if KEY not in metadata:
        raise InputError(f"{path} is a safetensors file, but not a checkpoint of InrLens: it has no {KEY!r} entry.")
    try:
        description = json.loads(metadata[KEY])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: its description is not valid JSON; the file is damaged.") from error
    if not isinstance(description, dict):
        raise InputError(f"{path}: its description is not a JSON object; the file is damaged.")
    version = description.get("format_version")
    if type(version) is not int or version < 1 or not isinstance(description.get("kind"), str):
        raise InputError(f"{path}: its description lacks 'kind' or 'format_version'; the file is damaged.")
    if version > FORMAT_VERSION:
        raise InputError(
            f"{path} has format version {version}, this InrLens reads up to {FORMAT_VERSION}: install a newer InrLens."
        )
    return description


def take(path: str | Path, tensors: dict[str, Tensor], name: str, like: Tensor) -> Tensor:
    """The tensor ``name`` if it has the shape and number type of ``like`` and is finite.

    Raises:
        InputError: where it is missing, differs, or holds NaN or infinities.
    """
    found = take_unread(path, tensors, name, like)
    if not bool(torch.isfinite(found).all()):
        raise InputError(f"{path}: tensor {name!r} holds NaN or infinite values, so no number from it would mean much.")
    return found


def take_unread(path: str | Path, tensors: dict[str, Tensor], name: str, like: Tensor) -> Tensor:
    """As ``take``, without a look at the numbers, which stay on the disk until they are needed.

    Raises:
        InputError: where it is missing or differs.
    """
    if name not in tensors:
        raise InputError(f"{path}: tensor {name!r} is missing.")
    found = tensors[name]
    if found.shape != like.shape:
        raise InputError(
            f"{path}: tensor {name!r} has shape {tuple(found.shape)}, its description says {tuple(like.shape)}."
        )
    if found.dtype != like.dtype:
        raise InputError(f"{path}: tensor {name!r} holds {found.dtype}, its description says {like.dtype}.")
    return found
