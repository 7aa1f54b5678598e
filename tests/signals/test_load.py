"""One reader for all: what a file holds, whatever its name, and what is saved comes back."""

import gzip
import os
import re
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

import command
import inrlens as il
import toys
from inrlens.signals.formats import FORMATS, format_of

nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
soundfile = pytest.importorskip("soundfile", reason="soundfile (the extra audio) is not installed")

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
VOXELS = np.random.default_rng(1).random((3, 4, 5)).astype(np.float32)
NIBABEL_S_OPEN_FILES = "ignore:.*:pytest.PytestUnraisableExceptionWarning"
"""It does not close an MGH file by itself."""
TONE = np.sin(np.arange(400) / 7.0) * 0.5


def _written(folder: Path) -> dict[str, tuple[str, Path]]:
    """A file of every kind by its name, with the kind."""
    found: dict[str, tuple[str, Path]] = {}

    def add(kind: str, name: str) -> Path:
        found[name] = (kind, folder / name)
        return folder / name

    for name in ("a.png", "a.bmp", "a.gif", "a.webp", "a.tif", "a.ppm", "a.tga", "a.jpg", "a.jp2", "a.avif"):
        Image.fromarray(PIXELS).save(add("picture", name))
    for name, kind in (
        ("a.nii", nibabel.Nifti1Image),
        ("b.nii.gz", nibabel.Nifti1Image),
        ("c.nii", nibabel.Nifti2Image),
    ):
        nibabel.save(kind(VOXELS, np.eye(4)), add("volume", name))
    for name in ("a.mgh", "a.mgz"):
        nibabel.save(nibabel.MGHImage(VOXELS, np.eye(4)), add("volume", name))
    nibabel.save(nibabel.Nifti1Pair(VOXELS, np.eye(4)), folder / "pair.hdr")
    found |= {"pair.hdr": ("volume", folder / "pair.hdr"), "pair.img": ("volume", folder / "pair.img")}
    for name in ("a.wav", "a.flac", "a.ogg", "a.aiff", "a.au", "a.caf", "a.w64", "a.mp3"):
        soundfile.write(add("sound", name), TONE, 8000)
    il.save_signal(toys.signal(), add("signal", "a.safetensors"))
    return found


@pytest.mark.filterwarnings(NIBABEL_S_OPEN_FILES)
def test_the_bytes_say_what_a_file_is(tmp_path: Path) -> None:
    for name, (kind, path) in _written(tmp_path).items():
        assert format_of(path).kind == kind, name
        signal = il.load_signal(path)
        assert len(signal.shape) == {"picture": 2, "volume": 3, "sound": 1, "signal": 2}[kind], name
        if kind == "volume":
            np.testing.assert_allclose(signal.image()[..., 0], VOXELS, rtol=1e-6)


@pytest.mark.filterwarnings(NIBABEL_S_OPEN_FILES)
def test_names_that_lie_change_nothing(tmp_path: Path) -> None:
    for name, (kind, path) in _written(tmp_path).items():
        # The pairs are two files, which find one another by their names.
        if name.startswith("pair"):
            continue
        for ending in (".dat", ".png", ".wav", ".nii", ".nii.gz"):
            other = tmp_path / f"other{ending}"
            shutil.copy(path, other)
            assert format_of(other).kind == kind, (name, ending)
            assert torch.equal(il.load_signal(other).values, il.load_signal(path).values), (name, ending)


def test_packed_and_unpacked_volumes_under_each_other_s_name(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(VOXELS, np.eye(4)), tmp_path / "a.nii")
    shutil.copy(tmp_path / "a.nii", tmp_path / "plain.nii.gz")
    (tmp_path / "packed.nii").write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()))
    for name in ("plain.nii.gz", "packed.nii"):
        found = il.load_volume(tmp_path / name)
        assert torch.equal(found.values, il.load_volume(tmp_path / "a.nii").values)
        assert found.affine == il.load_volume(tmp_path / "a.nii").affine


@pytest.mark.filterwarnings(NIBABEL_S_OPEN_FILES)
def test_the_command_line_reads_what_python_reads(tmp_path: Path) -> None:
    files = _written(tmp_path)
    for name in ("a.au", "pair.img", "a.mgz", "a.safetensors", "a.jp2"):
        steps = ("--recipe", "paper", "--steps", 1, "--batch", 50)
        command.done("fit", files[name][1], *steps, "-o", tmp_path / f"run {name}")
        field = il.load(tmp_path / f"run {name}" / "field.safetensors")
        assert isinstance(field, il.Field)
        assert field.grid == il.load_signal(files[name][1]).shape


@pytest.mark.filterwarnings(NIBABEL_S_OPEN_FILES)
def test_options_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    options = {"size": (4, 4), "grey": True, "how": "cover", "frames": "all", "window": (0.0, 1.0), "seconds": 0.1}
    options |= {"mono": False, "scale": True}
    one_of_each = dict(_written(tmp_path).values())
    assert set(one_of_each) == {one.kind for one in FORMATS}
    for one in FORMATS:
        for name, value in options.items():
            if name not in one.options:
                with pytest.raises(il.InputError, match=f"is {one.what}, for which {name} means nothing: leave it out"):
                    il.load_signal(one_of_each[one.kind], **{name: value})  # type: ignore[arg-type]
    with pytest.raises(il.InputError, match="for which seconds and scale mean nothing: leave them out"):
        il.load_signal(one_of_each["picture"], seconds=1.0, scale=True)


def test_files_and_folders_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match=r"none\.png does not exist"):
        il.load_signal(tmp_path / "none.png")
    with pytest.raises(il.InputError, match="holds no image that matches"):
        il.load_signal(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(il.InputError, match="is not an image that Pillow can read"):
        il.load_signal(tmp_path / "text.png")


# -- several frames --------------------------------------------------------------------------------------------------


def _pages(path: Path, count: int = 3) -> np.ndarray:
    pages = np.random.default_rng(2).integers(0, 256, (count, 5, 7), dtype=np.uint8)
    images = [Image.fromarray(page) for page in pages]
    lossless = {} if path.suffix in (".tif", ".gif") else {"lossless": True}
    images[0].save(path, save_all=True, append_images=images[1:], **lossless)
    return pages


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.webp", "a.png"])
def test_pages_are_a_volume_or_a_picture_as_asked(name: str, tmp_path: Path) -> None:
    pages = _pages(tmp_path / name)
    whole = il.load_signal(tmp_path / name, frames="all", grey=True)
    assert whole.shape == (3, 5, 7)
    np.testing.assert_allclose(whole.image()[..., 0] * 255, pages, atol=1e-3)
    assert torch.equal(il.load_volume(tmp_path / name).values[:, :1], whole.values)
    for frame in range(3):
        one = il.load_signal(tmp_path / name, frames=frame, grey=True)
        assert torch.equal(one.image(), whole.image()[frame])
    with pytest.warns(UserWarning, match="of 3 frames the first was taken; .*frames='all'"):
        assert torch.equal(il.load_signal(tmp_path / name, grey=True).image(), whole.image()[0])
    with pytest.raises(il.InputError, match="has no frame 3: it holds 3, the first of which is frame 0"):
        il.load_signal(tmp_path / name, frames=3)
    with pytest.raises(il.InputError, match="frames must be 'all', the number of one, or None"):
        toys.unchecked(il.load_signal)(tmp_path / name, frames="some")
    assert il.load_signal(tmp_path / name, frames="all", size=(2, 3)).shape == (3, 2, 3)


def test_a_deep_stack_keeps_its_depth(tmp_path: Path) -> None:
    stack = np.stack([np.linspace(0, 65535 // part, 32).reshape(4, 8) for part in (1, 2, 4)]).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    found = il.load_volume(tmp_path / "a.tif")
    assert (found.shape, found.bit_depth) == ((3, 4, 8), 16)
    np.testing.assert_allclose(found.image()[..., 0], stack / 65535.0, rtol=1e-6)
    command.done("fit", tmp_path / "a.tif", "--frames", "all", "--steps", 1, "-o", tmp_path / "run")
    assert il.load(tmp_path / "run" / "field.safetensors").grid == (3, 4, 8)
    Image.fromarray(PIXELS).save(tmp_path / "one.png")
    with pytest.raises(il.InputError, match=r"holds one picture, and no volume: read it with il\.load_image"):
        il.load_volume(tmp_path / "one.png")


def test_grey_frames_among_coloured_ones_become_colour(tmp_path: Path) -> None:
    (tmp_path / "slices").mkdir()
    for index, part in enumerate((PIXELS[..., 0], PIXELS, PIXELS[..., 1])):
        Image.fromarray(part).save(tmp_path / "slices" / f"{index}.png")
    found = il.load_signal(tmp_path / "slices").image()
    for index, channel in ((0, 0), (2, 1)):
        wanted = np.repeat(PIXELS[..., channel, None], 3, -1) / 255.0
        np.testing.assert_allclose(found[index], wanted, rtol=1e-6)
    np.testing.assert_allclose(found[1], PIXELS / 255.0, rtol=1e-6)
    cohort = il.load_folder(tmp_path / "slices")
    assert [signal.channels for signal in cohort] == [3, 3, 3]
    assert torch.equal(torch.stack([signal.image() for signal in cohort]), found)


# -- saved and loaded ------------------------------------------------------------------------------------------------


def _signals() -> dict[str, il.Signal]:
    affine = ((0.5, 0.1, 0.0, -3.0), (0.0, 2.0, 0.0, 4.0), (0.2, 0.0, 1.0, 5.0))
    deep = np.random.default_rng(3).integers(0, 65536, (5, 6, 1)).astype(np.uint16)
    floats = torch.rand(5, 6, 3, generator=torch.Generator().manual_seed(0))
    return {
        "a.png": il.signal_from_array("a.png", PIXELS),
        "grey.png": il.signal_from_array("grey.png", PIXELS[..., :1]),
        "deep.png": il.signal_from_array("deep.png", deep),
        "a.nii": replace(il.signal_from_array("a.nii", VOXELS[..., None], 16), affine=affine),
        "b.nii.gz": replace(il.signal_from_array("b.nii.gz", floats[..., None, :], 16), affine=affine),
        "a.wav": il.Recording(
            "a.wav", torch.rand(300, 1, generator=torch.Generator().manual_seed(1)), (300,), rate=8000
        ),
        "b.wav": il.spoken_word(8000),
        "a.safetensors": il.signal_from_array("a.safetensors", floats).masked(floats[..., 0] > 0.3),
        "b.safetensors": il.phantom((3, 4, 5)),
        "c.safetensors": il.spoken_word(8000),
    }


@pytest.mark.parametrize("name", _signals())
def test_what_is_saved_comes_back(name: str, tmp_path: Path) -> None:
    signal = _signals()[name]
    il.save_signal(signal, tmp_path / name)
    found = il.load_signal(tmp_path / name)
    assert type(found) is type(signal)
    assert (found.shape, found.channels) == (signal.shape, signal.channels)
    assert found.digest == signal.digest
    assert found.mask_digest == signal.mask_digest
    assert getattr(found, "rate", None) == getattr(signal, "rate", None)
    if signal.affine is not None:
        np.testing.assert_allclose(found.affine, signal.affine, rtol=1e-6)


@pytest.mark.parametrize(
    ("signal", "name", "said"),
    [
        ("a.safetensors", "x.png", "has a mask, which this format cannot hold: save it as .safetensors"),
        ("b.safetensors", "x.png", "is no picture of 8 bits, or grey picture of 16, without a rounding error"),
        ("b.nii.gz", "x.wav", "is no recording, and has no rate"),
        ("a.wav", "x.nii", "has 1 axes, and a volume has three"),
        ("a.png", "x.jpg", "a signal is saved as .safetensors, .png, .nii, .nii.gz or .wav"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(signal: str, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match=said):
        il.save_signal(_signals()[signal], tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_of_several_signals_is_no_signal(tmp_path: Path) -> None:
    from inrlens.signals.archive import save_signals

    save_signals([toys.signal(), toys.signal(1)], tmp_path / "a.safetensors")
    with pytest.raises(il.InputError, match="holds 2 signals, where one is needed"):
        il.load_signal(tmp_path / "a.safetensors")


@pytest.mark.filterwarnings("ignore")
def test_noise_is_no_format(tmp_path: Path) -> None:
    """Whatever stands at the beginning, a kind is found, and reading ends in a signal or a sentence."""
    draws = np.random.default_rng(4)
    starts = (b"", b"\x1f\x8b", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x01", b"\xff\xfb", struct.pack("<i", 348), b"II*\0")
    for index, start in enumerate(starts):
        path = tmp_path / f"{index}"
        path.write_bytes(start + draws.integers(0, 256, 600, dtype=np.uint8).tobytes())
        assert format_of(path) in FORMATS
        with pytest.raises(il.InputError):
            il.load_signal(path)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    for path in (tmp_path / "a.png", Path("/dev/zero")):
        with pytest.raises(il.InputError, match=r"is a pipe or a device and no file: write what comes from it"):
            il.load_signal(path)
        with pytest.raises(il.InputError, match=r"is a pipe or a device and no file: write what comes from it"):
            il.load_image(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x93NUMPY\x01\0", "a NumPy file: open it with numpy.load"),
        (b"\x89HDF\r\n", "an HDF5 or MATLAB file: open it with h5py"),
        (b"\0\0\0\x18ftypheic" + bytes(30), "a HEIC file: convert it to PNG"),
        (bytes(128) + b"DICM" + bytes(50), "a DICOM file: convert its series to NIfTI"),
        (b"hello", "is not an image that Pillow can read."),
    ],
)
def test_files_that_nothing_here_reads_get_a_way_out(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(il.InputError, match=re.escape(words)):
        il.load_signal(tmp_path / "a.bin")


def test_a_tiff_of_floats_in_colour_gets_a_way_out(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5, 3), np.float32), photometric="rgb")
    with pytest.raises(
        il.InputError, match=r"a TIFF of a kind that it does not know: open it with tifffile and give its"
    ):
        il.load_signal(tmp_path / "a.tif")


# -- oracles: the libraries' own readers --------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "CMYK"])
@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.gif", "a.jpg", "a.webp", "a.ppm"])
def test_pictures_have_pillow_s_own_values(tmp_path: Path, name: str, mode: str) -> None:
    image = Image.fromarray(PIXELS).convert(mode)
    try:
        image.save(tmp_path / name)
    except (OSError, ValueError):
        pytest.skip(f"Pillow writes no {mode} as {name}")
    with Image.open(tmp_path / name) as opened:
        grey = opened.mode in ("L", "1")
        theirs = np.asarray(opened.convert("L" if grey else "RGB"), dtype=np.float64) / 255.0
    ours = il.load_signal(tmp_path / name).image().numpy()
    np.testing.assert_allclose(ours if ours.shape[2] == 3 else ours[..., 0], theirs, atol=1e-7)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pages_have_tifffile_s_own_values(tmp_path: Path, dtype: type, order: str, compression: str | None) -> None:
    top = np.iinfo(dtype).max
    pages = np.random.default_rng(2).integers(0, top, (3, 6, 9), dtype=dtype, endpoint=True)
    options = {"photometric": "minisblack", "byteorder": order, "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", pages, **options)
    theirs = tifffile.imread(tmp_path / "a.tif").astype(np.float64) / top
    ours = il.load_signal(tmp_path / "a.tif", frames="all").image()[..., 0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-7)


@pytest.mark.parametrize("scaling", [None, (2.0, 5.0), (0.5, 0.0)])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_volumes_have_nibabel_s_own_values(
    tmp_path: Path, dtype: type, order: str, scaling: tuple[float, float] | None
) -> None:
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
    stored = np.random.default_rng(3).integers(0, 200, (3, 4, 5)).astype(dtype)
    affine = np.diag([1.5, 2.0, 3.0, 1.0])
    image = nibabel.Nifti1Image(stored, affine, header)
    if scaling is not None:
        image.header.set_slope_inter(*scaling)
    nibabel.save(image, tmp_path / "a.nii.gz")
    loaded = nibabel.load(tmp_path / "a.nii.gz")
    theirs = loaded.get_fdata()
    ours = il.load_signal(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(ours.image()[..., 0].numpy(), theirs / max(theirs.max(), 1.0), atol=1e-6)
    np.testing.assert_allclose(np.array(ours.affine), loaded.affine[:3], atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        *(("a.wav", kind) for kind in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM")),
        *(("a.flac", kind) for kind in ("PCM_S8", "PCM_16", "PCM_24")),
        *(("a.aiff", kind) for kind in ("PCM_S8", "PCM_16", "FLOAT")),
        ("a.ogg", "VORBIS"),
    ],
)
def test_sounds_have_soundfile_s_own_values(tmp_path: Path, name: str, subtype: str, channels: int) -> None:
    tone = np.stack([TONE, TONE[::-1]], axis=1)[:, :channels]
    soundfile.write(tmp_path / name, tone, 8000, subtype=subtype)
    theirs, rate = soundfile.read(tmp_path / name, dtype="float64", always_2d=True)
    ours = il.load_audio(tmp_path / name, mono=False)
    assert ours.rate == rate
    np.testing.assert_allclose(ours.values.numpy() * 2.0 - 1.0, theirs, atol=1e-6)


# -- files and pictures that say less or more than they seem to ------------------------------------------------------


def test_the_header_of_a_pair_is_no_volume(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(VOXELS, np.eye(4)), tmp_path / "pair.img")
    for name in ("alone.nii", "alone"):
        shutil.copy(tmp_path / "pair.hdr", tmp_path / name)
        with pytest.raises(il.InputError, match=r"is the header of a NIfTI pair, whose values lie in an .img file"):
            il.load_signal(tmp_path / name)


def test_what_a_format_cannot_hold_is_refused_when_saving(tmp_path: Path) -> None:
    grey = (torch.arange(12) / 255.0).reshape(12, 1)
    placed = il.Signal("x", grey, (3, 4), affine=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    flat = il.Signal("x", torch.rand(12, 1), (3, 4, 1))
    for signal, name, words in (
        (placed, "a.png", "has an affine"),
        (flat, "a.nii", "would come back as a slice of fewer axes"),
    ):
        with pytest.raises(il.InputError, match=words):
            il.save_signal(signal, tmp_path / name)
        il.save_signal(signal, tmp_path / f"{name}.safetensors")
        assert torch.equal(il.load_signal(tmp_path / f"{name}.safetensors").values, signal.values)
    with pytest.raises(il.InputError, match=r"takes the signal first and the path second, and a str was given"):
        toys.unchecked(il.save_signal)("a.png", flat)


def test_a_fourth_sample_that_nobody_named_is_no_transparency(tmp_path: Path) -> None:
    four = np.concatenate([PIXELS, np.full((6, 9, 1), 9, np.uint8)], axis=2)
    tifffile.imwrite(tmp_path / "a.tif", four, photometric="rgb", extrasamples=("unspecified",))
    content = bytearray((tmp_path / "a.tif").read_bytes())
    # The tag that names it becomes one that nobody reads.
    at = content.index(struct.pack("<HHI", 338, 3, 1))
    content[at : at + 2] = struct.pack("<H", 65000)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.warns(UserWarning, match="of 4 channels the first 3 were read"):
        found = il.load_signal(tmp_path / "a.tif")
    np.testing.assert_allclose(found.image().numpy(), PIXELS / 255.0, atol=1e-6)


def test_grey_with_premultiplied_transparency_is_read(tmp_path: Path) -> None:
    grey = np.stack([np.full((4, 5), 100, np.uint8), np.full((4, 5), 255, np.uint8)], axis=2)
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric="minisblack", extrasamples=("assocalpha",))
    assert il.load_signal(tmp_path / "a.tif").values.unique().tolist() == pytest.approx([100 / 255])


@pytest.mark.parametrize("ending", [".safetensors", ".png"])
def test_a_file_that_is_there_is_replaced_only_with_force(tmp_path: Path, ending: str) -> None:
    first, second = (il.signal_from_array("a", np.full((2, 3, 1), value)) for value in (0.0, 1.0))
    path = tmp_path / f"a{ending}"
    il.save_signal(first, path)
    with pytest.raises(il.InputError, match="exists already: give another path"):
        il.save_signal(second, path)
    assert torch.equal(il.load_signal(path).values, first.values)
    il.save_signal(second, path, force=True)
    assert torch.equal(il.load_signal(path).values, second.values)
