"""Numbers in every form that people hold them in, and every form that is none."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import inrlens as il
from inrlens.arrays import real_number, tensor_of, values_of, whole_number

VALUES = np.random.default_rng(0).random((4, 6, 3))


class Labelled:
    """An array inside something else, as xarray, pandas and JAX hold theirs."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)


class Broken:
    """Somebody's object that cannot give its array."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise RuntimeError("no array today")


FORMS: dict[str, Any] = {
    "tensor": torch.from_numpy(VALUES),
    "gradient": torch.from_numpy(VALUES).requires_grad_(),
    "array": VALUES,
    "float32": VALUES.astype(np.float32),
    "big-endian": VALUES.astype(">f8"),
    "long double": VALUES.astype(np.longdouble),
    "Fortran": np.asfortranarray(VALUES),
    "backwards": np.ascontiguousarray(VALUES[::-1, ::-1])[::-1, ::-1],
    "every other": np.repeat(VALUES, 2, axis=0)[::2],
    "read-only": np.frombuffer(VALUES.tobytes()).reshape(VALUES.shape),
    "lists": VALUES.tolist(),
    "__array__": Labelled(VALUES),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("unchecked")
def test_every_form_gives_one_signal(form: str) -> None:
    given = FORMS[form]
    wanted = torch.from_numpy(VALUES).float()
    found = il.signal_from_array("a", given)
    assert (found.shape, found.channels, found.bit_depth) == ((4, 6), 3, 8)
    torch.testing.assert_close(found.image(), wanted, rtol=0, atol=0)
    flat = given.reshape(-1, 3) if hasattr(given, "reshape") else np.asarray(given).reshape(-1, 3)
    assert il.Signal("a", flat, (4, 6)).values.float().equal(wanted.reshape(-1, 3))
    assert il.psnr(given, wanted) > 120.0
    assert il.ssim(np.tile(np.asarray(VALUES), (3, 2, 1)), wanted.tile(3, 2, 1)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.bool_, 1), (np.float16, 1), (">u2", 65535)]
)
def test_ranges_are_those_of_the_dtype(dtype: Any, top: int) -> None:
    array = np.random.default_rng(1).integers(0, min(top, 2000) + 1, (5, 3, 1)).astype(dtype)
    wanted = array.astype(np.float64) / top if dtype is not np.float16 else np.clip(array, 0, 1)
    if dtype is np.float16:
        array = np.clip(array, 0, 1)
    found = il.signal_from_array("a", array)
    np.testing.assert_allclose(found.image(), wanted, rtol=1e-6)
    assert found.bit_depth == (16 if top == 65535 else 8)
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    assert il.signal_from_array("a", torch.from_numpy(native)).values.equal(found.values)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint32, np.uint64])
def test_other_whole_numbers_do_not_say_what_is_white(dtype: Any) -> None:
    for given in (np.ones((2, 3, 1), dtype), torch.from_numpy(np.ones((2, 3, 1), dtype))):
        with pytest.raises(il.InputError, match=rf"'a' holds {np.dtype(dtype).name} numbers, of which only uint8 and"):
            il.signal_from_array("a", given)
    assert tensor_of("coordinates", np.ones((2, 3), dtype)).tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.ones((2, 2, 1), complex), "holds complex numbers: give their magnitude"),
        (torch.ones(2, 2, 1, dtype=torch.complex64), "holds complex numbers: give their magnitude"),
        ([[1.0], [1.0, 2.0]], "is ragged or no array of numbers, a list"),
        (np.array([["a"]]), "holds <U1 in a ndarray: give an array of numbers"),
        (np.array([[None]], dtype=object), "holds object in a ndarray: give an array of numbers"),
        (None, "holds object in a NoneType: give an array of numbers"),
        (torch.zeros(2, 2, 1).to_sparse(), "is a tensor sparse: give one that holds every number"),
        (torch.zeros(2, 2, 1, device="meta"), "is a tensor on the meta device, without values"),
        (Broken(), r"could not be read as an array, a Broken \(no array today\)"),
        (np.ma.masked_array(np.ones((2, 1)), mask=True), "is a masked array: give its data, and the mask apart"),
        (
            np.array([["2020-01-01"]], dtype="datetime64[D]"),
            r"holds datetime64\[D\] in a ndarray: give an array of numbers",
        ),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(given: Any, said: str) -> None:
    for work in (tensor_of, values_of):
        with pytest.raises(il.InputError, match=f"^it {said}"):
            work("it", given)
    with pytest.raises(il.InputError, match=said):
        il.signal_from_array("a", given)


@pytest.mark.parametrize("shape", [(3, 16, 20), (1, 9, 9), (4, 8, 8, 8)])
def test_channels_that_come_first_are_refused_with_the_way_to_turn_them(shape: tuple[int, ...]) -> None:
    for given in (torch.rand(shape), np.zeros(shape, np.uint8)):
        with pytest.raises(il.InputError, match=r"channels first, where they come last: turn them with torch\.movedim"):
            il.signal_from_array("a", given)
    turned = torch.rand(shape).movedim(0, -1)
    assert il.signal_from_array("a", turned).channels == shape[0]


def test_an_axis_that_is_missing_is_named() -> None:
    with pytest.raises(il.InputError, match=r"12 samples of 16 channels: channels come last, so .*\[\.\.\., None\]"):
        il.signal_from_array("a", np.zeros((12, 16)))
    with pytest.raises(il.InputError, match="have no axis for channels"):
        il.signal_from_array("a", np.zeros(12))
    many = il.Signal("a", torch.zeros(3 * 16, 20), (3, 16))
    assert many.channels == 20
    assert il.signal_from_array("a", np.zeros((30, 20, 31))).channels == 31


def test_pictures_of_pillow_are_taken_as_their_mode_has_them() -> None:
    rgb = Image.fromarray((VALUES * 255).astype(np.uint8))
    deep = Image.fromarray((VALUES[..., 0] * 65535).astype(np.uint16))
    palette = rgb.convert("P")
    for picture, wanted, bits in (
        (rgb, np.asarray(rgb) / 255, 8),
        (rgb.convert("L"), np.asarray(rgb.convert("L"))[..., None] / 255, 8),
        (rgb.convert("1"), np.asarray(rgb.convert("1"))[..., None], 8),
        (palette, np.asarray(palette.convert("RGB")) / 255, 8),
        (deep, np.asarray(deep)[..., None] / 65535, 16),
    ):
        found = il.signal_from_array("a", picture)
        np.testing.assert_allclose(found.image(), wanted, rtol=1e-6)
        assert found.bit_depth == bits
    for mode in ("RGBA", "CMYK", "LAB", "I"):
        with pytest.raises(il.InputError, match=f"a picture of mode '{mode}' has no values that are meant"):
            il.signal_from_array("a", Image.new(mode, (3, 2)))


def test_arrays_are_saved_like_tensors(tmp_path: Any) -> None:
    colours = (VALUES * 255).round().astype(np.uint8)
    il.save_image(colours, tmp_path / "a.png")
    assert (np.asarray(Image.open(tmp_path / "a.png")) == colours).all()
    with pytest.raises(il.InputError, match=r"three axes \(h, w, c\), not \(4, 6\)"):
        il.save_image(colours[..., 0], tmp_path / "b.png")
    volume = np.random.default_rng(3).random((3, 4, 5, 1))
    il.save_volume(volume, tmp_path / "a.nii")
    np.testing.assert_allclose(il.load_volume(tmp_path / "a.nii").image(), volume, rtol=1e-6)
    il.save_audio(volume.reshape(-1, 1), tmp_path / "a.wav", 8000, bit_depth=64)
    np.testing.assert_allclose(il.load_audio(tmp_path / "a.wav").values, volume.reshape(-1, 1), rtol=1e-6)


def test_masks_are_arrays_too() -> None:
    signal = il.signal_from_array("a", VALUES)
    used = VALUES[..., 0] > 0.5
    for given in (used, torch.from_numpy(used), used.tolist(), used.astype(np.uint8), Labelled(used), used[::-1][::-1]):
        assert signal.masked(given).used_count == used.sum()


@pytest.mark.usefixtures("unchecked")
def test_a_path_before_the_values_is_told(tmp_path: Any) -> None:
    for verb, more in (("save_image", ()), ("save_volume", ()), ("save_audio", (8000,))):
        for given in ((str(tmp_path / "a"), VALUES), (tmp_path / "a", VALUES), (VALUES, VALUES)):
            with pytest.raises(il.InputError, match=rf"il\.{verb} takes the values first and the path second"):
                getattr(il, verb)(*given, *more)
    assert not list(tmp_path.iterdir())


def test_an_opened_picture_whose_file_says_more_is_refused(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (4, 3), (10, 20, 30)).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as opened:
        with pytest.raises(
            il.InputError, match=r"also says that it is turned: read it with il.load_image, or give image"
        ):
            il.signal_from_array("x", opened)
        assert il.signal_from_array("x", opened.copy()).shape == (3, 4)


def test_several_pictures_at_once_are_refused() -> None:
    with pytest.raises(il.InputError, match=r"seem to be 8 pictures with their channels first: give one at a time"):
        il.signal_from_array("x", np.zeros((8, 3, 16, 16)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_halves_become_float32(dtype: torch.dtype) -> None:
    assert il.Signal("x", torch.rand(12, 1).to(dtype), (3, 4)).values.dtype is torch.float32


@pytest.mark.parametrize("number", [7, 7.0, np.int16(7), np.float32(7.0), torch.tensor(7), np.array(7)])
def test_whole_numbers_are_taken_in_every_form(number: Any) -> None:
    found = whole_number("it", number, 1, 9)
    assert found == 7
    assert type(found) is int


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (7.5, "must be a whole number, not 7.5"),
        ("7", "must be a whole number, not '7'"),
        (True, "must be a whole number, not True"),
        (None, "must be a whole number, not None"),
        (math.nan, "must be a whole number, not nan"),
        (math.inf, "must be a whole number, not inf"),
        ([7], r"must be a whole number, not \[7\]"),
        (0, "must lie from 1 to 9, not 0"),
        (10, "must lie from 1 to 9, not 10"),
    ],
)
def test_what_is_no_whole_number_is_refused(number: Any, said: str) -> None:
    with pytest.raises(il.InputError, match=f"^it {said}"):
        whole_number("it", number, 1, 9)


@pytest.mark.parametrize("number", ["7", None, True, [7.0], math.nan, -math.inf, 10**400])
def test_what_is_no_finite_number_is_refused(number: Any) -> None:
    with pytest.raises(il.InputError, match=r"^it must be a finite number, not "):
        real_number("it", number)


@pytest.mark.parametrize("number", [0.5, np.float64(0.5), torch.tensor(0.5), np.array(0.5)])
def test_numbers_are_taken_in_every_form(number: Any) -> None:
    assert real_number("it", number) == 0.5


def test_what_no_file_can_hold_is_not_written(tmp_path: Path) -> None:
    nothing, holes = np.zeros((0, 4, 1)), np.full((3, 4, 1), math.nan)
    for save, values, said in (
        (lambda values: il.save_image(values, tmp_path / "a.png"), nothing, r"values of shape \(0, 4, 1\) are none"),
        (lambda values: il.save_image(values, tmp_path / "a.png"), holes, "12 of 12 values are NaN: replace them"),
        (lambda values: il.save_image(values, tmp_path / "a\0.png"), np.zeros((3, 4, 1)), "which holds no NUL"),
    ):
        with pytest.raises(il.InputError, match=said):
            save(values)
    assert not list(tmp_path.iterdir())


def test_a_picture_whose_file_is_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    il.save_image(np.random.default_rng(0).random((60, 60, 3)), path)
    path.write_bytes(path.read_bytes()[:5000])
    with Image.open(path) as picture, pytest.raises(il.InputError, match=r"picture's file could not be read \(.*trunc"):
        il.signal_from_array("a", picture)
