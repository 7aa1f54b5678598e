"""Tensors out of other people's files: read safely, so that nothing in them is ever run."""

import re
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from inrlens.errors import InputError
from inrlens.files import utf8_path

_BEFORE_HEADER = 8
"""Bytes before the JSON header of a safetensors file, which begins with a brace."""


def read_tensor_file(path: Path) -> Any:
    """What a file of ``torch.save`` or safetensors holds: whatever ``weights_only=True`` allows.

    Raises:
        InputError: where it is missing, damaged, no such file, or would run code.
    """
    return read_safetensors(path) if _is_safetensors(path) else read_pickled(path)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file.

    Raises:
        InputError: where it is missing, cut short or no such file.
    """
    _check_file(path)
    try:
        with utf8_path(path) as named, safe_open(named, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{path} is no safetensors file, or it is cut short or damaged ({error}).") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def read_pickled(path: Path) -> Any:
    """What ``torch.save`` wrote, of which tensors and plain values are read and nothing is run.

    Raises:
        InputError: where it is missing, damaged, holds anything else, or unpacks to more than its size.
    """
    _check_file(path)
    _check_unpacked(path)
    try:
        with warnings.catch_warnings():
            # Of layouts that torch is about to give up; what it cannot read is an error all the same.
            warnings.simplefilter("ignore")
            with torch.serialization.safe_globals(_numpy_s_numbers()):
                return torch.load(path, map_location="cpu", weights_only=True)
    # A damaged or hostile pickle can fail anywhere; torch's own sentence would advise to trust it.
    except Exception as error:
        named = re.search(r"GLOBAL ([\w.]+) was not an allowed global", str(error))
        what = (
            f"holds a {named[1]}" if named else "is no file of torch.save, is damaged, or holds more than plain tensors"
        )
        raise InputError(
            f"{path} {what}, and nothing but tensors and plain values is unpickled here: save the state_dict with "
            "torch.save."
        ) from error


def _numpy_s_numbers() -> list[Any]:
    """What a pickle calls for one of NumPy's numbers, such as a PSNR: it makes the number from its bytes."""
    dtypes = [getattr(np.dtypes, name) for name in dir(np.dtypes) if name.endswith("DType")]
    scalar: Any = np.float64(0.0).__reduce__()[0]
    return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *dtypes]


def is_dense(value: Any) -> bool:
    """Whether it is a tensor whose numbers all lie in memory, which files may also say of sparse or empty ones."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.device.type != "cpu":
        return False
    # A stride of 0 makes one number look like any number of them.
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path} does not exist or is no file.")


def _check_unpacked(path: Path) -> None:
    """Refuses an archive that unpacks to more than itself: ``torch.save`` stores its entries, one beside the other."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    # A damaged directory may also name what is no text, no method and no number.
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OverflowError) as error:
        raise InputError(f"{path} is damaged or could not be read ({error}).") from error
    packed = [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise InputError(f"{path}: {packed[0]!r} in it is compressed, which torch.save never does: save it again.")
    size = sum(entry.file_size for entry in entries)
    if size > path.stat().st_size:
        raise InputError(f"{path} speaks of {size:,} bytes, more than it has: it is damaged, save it again.")


def _is_safetensors(path: Path) -> bool:
    _check_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(_BEFORE_HEADER + 1)
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error
    return path.suffix.lower() == ".safetensors" or start[_BEFORE_HEADER:] == b"{"
