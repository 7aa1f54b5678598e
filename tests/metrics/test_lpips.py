"""LPIPS against an implementation of its own in numpy, the published pair, and weights in every form they come in."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import inrlens as il
import perceptual
import toys
from inrlens.container import Container, write_container
from inrlens.metrics.lpips import LEAST_SIDE, Lpips, load_lpips, weights_digest
from inrlens.metrics.lpips_weights import (
    CONVOLUTIONS,
    HEADS,
    HEADS_FILE,
    SHAPES,
    TRUNK_FILE,
    cache_file,
    find_weights,
    read_weights,
    write_weights,
)
from perceptual import Weights


@pytest.fixture(scope="module")
def weights() -> Weights:
    return perceptual.random_weights()


@pytest.fixture(scope="module")
def file(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lpips") / "weights.safetensors"
    write_weights(path, weights)
    return path


@pytest.fixture(scope="module")
def lpips(file: Path) -> Lpips:
    return load_lpips(file)


def _picture(seed: int, height: int, width: int, channels: int) -> Tensor:
    return torch.rand((height, width, channels), generator=toys.generator(seed))


def _windows(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))[::stride, ::stride]


def _numpy_lpips(output: Tensor, target: Tensor, weights: Weights) -> float:
    """In float64, with channels last, one window after another."""
    tensors = {name: tensor.double().numpy() for name, tensor in weights.items()}
    means, deviations = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    taps: list[list[np.ndarray]] = [[], []]
    for one, picture in zip(taps, (output.clamp(0.0, 1.0), target), strict=True):
        colours = np.repeat(picture.double().numpy(), 3 // picture.shape[2], axis=2)
        # (2 v - 1 - shift) / scale, written as the mean and deviation that the shift and scale were made from.
        x = (colours - means) / deviations
        for tap, (name, stride, padding) in enumerate(zip(CONVOLUTIONS, (4, 1, 1, 1, 1), (2, 2, 1, 1, 1), strict=True)):
            if tap in (1, 2):
                x = _windows(x, 3, 2).max((-2, -1))
            kernel = tensors[f"{name}.weight"]
            padded = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
            x = np.einsum("yxcij,ocij->yxo", _windows(padded, kernel.shape[-1], stride), kernel, optimize=True)
            x = np.maximum(x + tensors[f"{name}.bias"], 0.0)
            one.append(x / (np.sqrt((x**2).sum(-1, keepdims=True)) + 1e-10))
    return sum(float(((a - b) ** 2 @ tensors[head].ravel()).mean()) for a, b, head in zip(*taps, HEADS, strict=True))


@pytest.mark.parametrize("shape", [(31, 31, 3), (47, 36, 3), (35, 64, 1)], ids=str)
def test_it_is_that_of_numpy(lpips: Lpips, weights: Weights, shape: tuple[int, int, int]) -> None:
    target = _picture(1, *shape)
    output = target + 0.5 * _picture(2, *shape) - 0.25
    assert output.min() < 0.0
    assert output.max() > 1.0
    expected = _numpy_lpips(output, target, weights)
    assert expected > 0.01
    assert lpips.distance(output, target) == pytest.approx(expected, rel=1e-4)


def test_equal_pictures_have_distance_zero_and_the_order_does_not_matter(lpips: Lpips) -> None:
    one, other = _picture(1, 40, 33, 3), _picture(2, 40, 33, 3)
    assert lpips.distance(one, one) == 0.0
    assert lpips.distance(one, other) == lpips.distance(other, one) > 0.0
    assert lpips.distance(2.0 * one - 0.5, one) == lpips.distance((2.0 * one - 0.5).clamp(0.0, 1.0), one)


def test_grey_is_three_equal_channels_and_a_diverged_output_has_no_distance(lpips: Lpips) -> None:
    one, other = _picture(1, 32, 33, 1), _picture(2, 32, 33, 1)
    assert lpips.distance(one, other) == lpips.distance(one.repeat(1, 1, 3), other.repeat(1, 1, 3))
    assert np.isnan(lpips.distance(torch.full_like(one, torch.nan), other))


def test_the_least_side_is_the_least_that_alexnet_takes(lpips: Lpips) -> None:
    channels = [SHAPES[f"{name}.weight"][0] for name in CONVOLUTIONS]
    trunk = nn.Sequential(
        nn.Conv2d(3, channels[0], 11, 4, 2),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(channels[0], channels[1], 5, padding=2),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(channels[1], channels[2], 3, padding=1),
    ).to("meta")
    assert trunk(torch.zeros(1, 3, LEAST_SIDE, 50, device="meta")).shape[2] == 1
    with pytest.raises(RuntimeError):
        trunk(torch.zeros(1, 3, LEAST_SIDE - 1, 50, device="meta"))
    with pytest.raises(il.InputError, match=r"LPIPS needs sides of at least 31 pixels, not \(50, 30\)"):
        lpips.distance(_picture(0, 50, 30, 3), _picture(1, 50, 30, 3))


def test_other_shapes_and_channels_are_refused(lpips: Lpips) -> None:
    with pytest.raises(il.InputError, match=r"pictures of 1 or 3 channels, not 2"):
        lpips.distance(_picture(0, 40, 40, 2), _picture(1, 40, 40, 2))
    with pytest.raises(il.InputError, match=r"output \(40, 40, 1\) and target \(40, 40, 3\) must have the same"):
        toys.unchecked(Lpips.distance)(lpips, _picture(0, 40, 40, 1), _picture(1, 40, 40, 3))


def test_the_published_pair() -> None:
    folder = Path(os.environ.get("INRLENS_DATA", "")) / "lpips"
    if not os.environ.get("INRLENS_DATA") or not folder.is_dir():
        pytest.skip("INRLENS_DATA names no folder that holds lpips")
    lpips = load_lpips(folder)
    reference, far, near = (il.load_image(folder / f"ex_{name}.png").image() for name in ("ref", "p0", "p1"))
    assert lpips.distance(far, reference) == pytest.approx(0.7219, abs=1e-4)
    assert lpips.distance(near, reference) == pytest.approx(0.1376, abs=1e-4)


def save_numpy(folder: Path, weights: Weights) -> Path:
    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    np.savez(folder / TRUNK_FILE, **{name: array for name, array in arrays.items() if name not in HEADS})
    np.savez(folder / HEADS_FILE, **{name: arrays[name] for name in HEADS if name in arrays})
    return folder


def _save_torch(folder: Path, weights: Weights) -> Path:
    trunk = {name: tensor for name, tensor in weights.items() if name not in HEADS}
    torch.save({**trunk, "classifier.1.weight": torch.zeros(2, 2)}, folder / "alexnet-owt-7be5be79.pth")
    torch.save({f"{name}.model.1.weight": weights[name] for name in HEADS}, folder / "alex.pth")
    return folder


def test_every_form_gives_the_same_weights_and_digest(weights: Weights, file: Path, tmp_path: Path) -> None:
    for save in (save_numpy, _save_torch):
        folder = tmp_path / save.__name__
        folder.mkdir()
        save(folder, weights)
        found = read_weights(folder)
        assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())
        assert weights_digest(folder) == weights_digest(file)
    changed = {**weights, "features.10.bias": weights["features.10.bias"].clone()}
    changed["features.10.bias"][3] += 1e-6
    write_weights(tmp_path / "changed.safetensors", changed)
    assert weights_digest(tmp_path / "changed.safetensors") != weights_digest(file)


@pytest.mark.parametrize(
    ("name", "tensor", "sentence"),
    [
        ("lin3", None, "the tensor 'lin3' of LPIPS v0.1 on AlexNet is missing"),
        ("features.3.bias", torch.zeros(64), r"'features.3.bias' is torch.float32 of shape \(64,\), but .* \(192,\)"),
        ("features.0.bias", torch.zeros(64, dtype=torch.int32), "'features.0.bias' is torch.int32 of shape"),
        ("features.0.bias", torch.full((64,), torch.inf), "'features.0.bias' holds numbers that LPIPS cannot have"),
        ("lin0", torch.full((1, 64, 1, 1), -1.0), "'lin0' holds numbers that LPIPS cannot have: .* heads not negative"),
    ],
)
def test_weights_that_are_not_alexnets(
    weights: Weights, tmp_path: Path, name: str, tensor: Tensor | None, sentence: str
) -> None:
    wrong = {key: value for key, value in {**weights, name: tensor}.items() if value is not None}
    for attempt in (
        lambda: read_weights(save_numpy(tmp_path, wrong)),
        lambda: write_weights(tmp_path / "w.safetensors", wrong),
    ):
        with pytest.raises(il.InputError, match=sentence):
            attempt()
    assert not (tmp_path / "w.safetensors").exists()


def test_files_of_other_kinds_are_refused(weights: Weights, tmp_path: Path) -> None:
    other = tmp_path / "field.safetensors"
    write_container(other, Container("field", {}, {"x": torch.zeros(1)}))
    with pytest.raises(il.InputError, match=r"holds a field, not the weights of LPIPS: give a .safetensors file that"):
        read_weights(other)
    (tmp_path / "alex.pth").write_bytes(b"")
    for path in (tmp_path, tmp_path / "alex.pth", tmp_path / "absent.pth"):
        with pytest.raises(
            il.InputError, match=r"holds no weights of LPIPS that can be read: give .* alexnet_features"
        ):
            read_weights(path)
    with pytest.raises(il.InputError, match=r"absent.safetensors does not exist"):
        read_weights(tmp_path / "absent.safetensors")


class _Touches:
    """A pickle of it makes a file when it is trusted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self._path), "w"))


@pytest.mark.parametrize("form", ["numpy", "torch"])
def test_a_file_with_objects_in_it_is_refused_and_not_run(weights: Weights, tmp_path: Path, form: str) -> None:
    bad = _Touches(tmp_path / "touched")
    if form == "numpy":
        save_numpy(tmp_path, weights)
        np.savez(tmp_path / HEADS_FILE, lin0=np.array([bad], dtype=object))
    else:
        _save_torch(tmp_path, weights)
        torch.save({"lin0.model.1.weight": bad}, tmp_path / "alex.pth")
    with pytest.raises(il.InputError, match="is damaged or holds more than plain tensors by name"):
        read_weights(tmp_path)
    assert not (tmp_path / "touched").exists()


def test_the_cache_is_where_the_variables_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("INRLENS_CACHE", raising=False)
    assert cache_file().parent == tmp_path / "home" / ".cache" / "inrlens"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_file().parent == tmp_path / "home" / ".cache" / "inrlens"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_file().parent == tmp_path / "xdg" / "inrlens"
    monkeypatch.setenv("INRLENS_CACHE", str(tmp_path / "own"))
    assert cache_file().parent == tmp_path / "own"


def test_weights_are_found_where_they_are_given_else_in_the_cache(
    weights: Weights, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INRLENS_CACHE", str(tmp_path))
    assert find_weights(None) is None
    assert find_weights(file) == file
    write_weights(cache_file(), weights)
    assert find_weights(None) == cache_file()
    with pytest.raises(il.InputError, match=r"absent does not exist: the weights of LPIPS are a .safetensors file"):
        find_weights(tmp_path / "absent")
