"""Where the weights of LPIPS come from: one ``.safetensors`` file, or the files that other libraries keep."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inrlens.container import Container, read_container, write_container
from inrlens.errors import InputError

KIND = "lpips weights"
TRUNK_FILE, HEADS_FILE = "alexnet_features_f32.npz", "lin_v0.1_alexnet.npz"
TORCH_HEADS_FILE, _TORCH_TRUNK_FILES = "alex.pth", "alexnet*.pth"
CONVOLUTIONS = ("features.0", "features.3", "features.6", "features.8", "features.10")
"""torchvision's names of AlexNet's five convolutions."""
HEADS = tuple(f"lin{tap}" for tap in range(5))
_KERNELS = ((64, 3, 11, 11), (192, 64, 5, 5), (384, 192, 3, 3), (256, 384, 3, 3), (256, 256, 3, 3))
SHAPES: Mapping[str, tuple[int, ...]] = {
    **{f"{name}.weight": kernel for name, kernel in zip(CONVOLUTIONS, _KERNELS, strict=True)},
    **{f"{name}.bias": kernel[:1] for name, kernel in zip(CONVOLUTIONS, _KERNELS, strict=True)},
    **{name: (1, kernel[0], 1, 1) for name, kernel in zip(HEADS, _KERNELS, strict=True)},
}
"""Every tensor of LPIPS v0.1: kernels ``(out, in, height, width)``, biases ``(out,)``, heads ``(1, out, 1, 1)``."""
ALLOWED = (
    f"a .safetensors file that `inrlens weights lpips` wrote, or a folder with {TRUNK_FILE} and {HEADS_FILE} "
    f"or with torchvision's {_TORCH_TRUNK_FILES} and the {TORCH_HEADS_FILE} of lpips"
)


def cache_file() -> Path:
    """The weights' place in the user's cache: in ``$INRLENS_CACHE``, else ``$XDG_CACHE_HOME/inrlens``, else
    ``~/.cache/inrlens``.

    Raises:
        InputError: where none of the variables is set and the user has no home folder.
    """
    own, shared = os.environ.get("INRLENS_CACHE", ""), Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        if own:
            folder = Path(own).expanduser()
        # The XDG base directory specification has relative paths ignored.
        elif shared.is_absolute():
            folder = shared / "inrlens"
        else:
            folder = Path.home() / ".cache" / "inrlens"
    except RuntimeError as error:
        raise InputError("the user's home folder is not known here: set INRLENS_CACHE to a folder.") from error
    return folder / "lpips-alexnet-v0.1.safetensors"


def find_weights(given: Path | None) -> Path | None:
    """The weights to use: those that are given, else those in the user's cache, else None.

    Raises:
        InputError: where what is given does not exist.
    """
    if given is not None:
        if not given.exists():
            raise InputError(f"{given} does not exist: the weights of LPIPS are {ALLOWED}.")
        return given
    with suppress(InputError):
        cached = cache_file()
        return cached if cached.is_file() else None
    return None


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors named in ``SHAPES``, float32 on the processor, from any of the forms that are allowed.

    Raises:
        InputError: where the file or folder is none of them, or a tensor is missing, of another shape, not finite, or,
            in a head, negative.
    """
    path = Path(path)
    if path.is_dir():
        return _from_folder(path)
    if path.suffix.lower() != ".safetensors":
        raise InputError(f"{path} holds no weights of LPIPS that can be read: give {ALLOWED}.")
    content = read_container(path)
    if content.kind != KIND:
        raise InputError(f"{path} holds a {content.kind}, not the weights of LPIPS: give {ALLOWED}.")
    return checked_weights(content.tensors, path)


def write_weights(path: str | Path, tensors: Mapping[str, Tensor], force: bool = False) -> None:
    """Writes weights as one ``.safetensors`` file, whole or not at all.

    Raises:
        InputError: where the tensors are not those of ``SHAPES``, or the path is taken or cannot be written.
    """
    description = {"network": "AlexNet", "version": "0.1"}
    write_container(path, Container(KIND, description, checked_weights(tensors, path)), force)


def weights_from_torch(trunk: Path, heads: Path) -> dict[str, Tensor]:
    """Weights from torchvision's AlexNet (``alexnet-owt-*.pth``) and the heads of lpips (``alex.pth``).

    Both are pickles, of which tensors are read and nothing else.

    Raises:
        InputError: where a file is missing, damaged, or holds other tensors.
    """
    found = {name: value for name, value in _read(trunk, _torch_file).items() if name.startswith("features.")}
    for name, value in _read(heads, _torch_file).items():
        found[name.removesuffix(".model.1.weight")] = value
    return checked_weights(found, trunk.parent)


def checked_weights(tensors: Mapping[str, Any], source: str | Path) -> dict[str, Tensor]:
    """The tensors of ``SHAPES`` among ``tensors`` as float32; ``source`` names their file in sentences.

    Raises:
        InputError: where one is missing, of another shape, no float, not finite, or a head is negative.
    """
    weights = {}
    for name, shape in SHAPES.items():
        found = tensors.get(name)
        if not isinstance(found, Tensor):
            raise InputError(f"{source}: the tensor {name!r} of LPIPS v0.1 on AlexNet is missing.")
        if tuple(found.shape) != shape or not found.is_floating_point():
            raise InputError(
                f"{source}: {name!r} is {found.dtype} of shape {tuple(found.shape)}, but LPIPS v0.1 on AlexNet has "
                f"floating-point numbers of shape {shape}."
            )
        if not bool(torch.isfinite(found).all()) or (name in HEADS and bool((found < 0.0).any())):
            raise InputError(
                f"{source}: {name!r} holds numbers that LPIPS cannot have: weights are finite, heads not negative."
            )
        weights[name] = found.detach().to("cpu", torch.float32)
    return weights


def _from_folder(folder: Path) -> dict[str, Tensor]:
    trunk, heads = folder / TRUNK_FILE, folder / HEADS_FILE
    if trunk.is_file() and heads.is_file():
        return checked_weights({**_read(trunk, _numpy_file), **_read(heads, _numpy_file)}, folder)
    trunks, heads = sorted(folder.glob(_TORCH_TRUNK_FILES)), folder / TORCH_HEADS_FILE
    if len(trunks) == 1 and heads.is_file():
        return weights_from_torch(trunks[0], heads)
    raise InputError(f"{folder} holds no weights of LPIPS that can be read: give {ALLOWED}.")


def _read(path: Path, reader: Callable[[Path], dict[str, Tensor]]) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(f"{path} does not exist or is no file.")
    try:
        return reader(path)
    # A damaged or hostile file can fail anywhere; torch's own sentence would advise to trust it.
    except Exception as error:
        raise InputError(
            f"{path} is damaged or holds more than plain tensors by name, and nothing else is read here: "
            f"get the file anew."
        ) from error


def _torch_file(path: Path) -> dict[str, Tensor]:
    return {str(name): value for name, value in torch.load(path, map_location="cpu", weights_only=True).items()}


def _numpy_file(path: Path) -> dict[str, Tensor]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files if name in SHAPES}
