"""The pixels of an image file, decoded by Pillow at the depth that the file declares."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from inrlens.errors import InputError
from inrlens.files import check_no_pipe
from inrlens.signals.colour import deep_grey_to_srgb, to_srgb, told_colours
from inrlens.signals.depths import Depth, declared, head_of, refuse_cut_colour
from inrlens.signals.memory import check_memory
from inrlens.signals.sizing import sides

_GREY = ("1", "L", "LA", "La")
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")


@dataclass(frozen=True, eq=False)
class Picture:
    """A frame of an image file the right way round, in Pillow's mode for it.

    ``frames`` is how many there are that are no previews; ``format`` is Pillow's name of the file's kind,
    ``compression`` that within a TIFF, empty elsewhere.
    """

    image: Image.Image
    depth: Depth
    frames: int
    format: str
    compression: str

    @property
    def is_deep(self) -> bool:
        """Whether it is grey of more than 8 bits, which ``deep_grey`` reads, and ``plain`` does not."""
        return self.image.mode.startswith("I") or self.image.mode == "F"

    @property
    def alpha(self) -> Image.Image | None:
        """How opaque each pixel is, up to 255; None where all are. Of grey of more than 8 bits, ``depth`` tells."""
        if (self.image.mode not in _TRANSPARENT and "transparency" not in self.image.info) or self.is_deep:
            return None
        if self.depth.opaque:
            return None
        alpha = self.image.convert("RGBA").getchannel("A")
        return None if alpha.getextrema() == (255, 255) else alpha

    @property
    def transparent(self) -> bool:
        """Whether any pixel is."""
        return self.alpha is not None or self.depth.transparent is not None


def read_picture(path: Path, frame: int = 0) -> Picture:
    """Decodes a frame of an image file, which Pillow knows by its bytes.

    Raises:
        InputError: as ``load_image``, but for a crop; where there is no such frame.
    """
    return next(read_frames(path, frame))


def read_frames(path: Path, first: int = 0) -> Iterator[Picture]:
    """Decodes the frames, or pages, of an image file one after the other, from ``first`` on.

    Raises:
        InputError: as ``read_picture``.
    """
    check_no_pipe(path)
    with _in_sentences(path), path.open("rb") as file:
        head = head_of(file)
        refuse_cut_colour(path, head)
        file.seek(0)
        # Opened here: Pillow maps a file that it is given by name into memory, and then turns a TIFF the wrong way.
        with _unbothered():
            opened = Image.open(file)
        with opened:
            # A phone's JPEG may carry previews as further frames; they are no loss.
            count = 1 if opened.format == "MPO" else int(getattr(opened, "n_frames", 1))
            if not 0 <= first < count:
                raise InputError(f"{path} has no frame {first}: it holds {count}, the first of which is frame 0.")
            for frame in range(first, count):
                with _unbothered():
                    opened.seek(frame)
                    depth = declared(path, opened, head)
                    check_memory(str(path), (opened.height, opened.width), len(opened.getbands()))
                    opened.load()
                    opened.info.update(told_colours(opened, head))
                if count == 1:
                    # No other frame will be decoded into it: no copy is needed.
                    ImageOps.exif_transpose(opened, in_place=True)
                    image: Image.Image = opened
                else:
                    image = ImageOps.exif_transpose(opened)
                if depth.transparent is not None:
                    image.info["transparency"] = depth.transparent
                if image.mode in _PREMULTIPLIED:
                    image = image.convert(_PREMULTIPLIED[image.mode])
                compression = str(opened.info.get("compression", "")) if opened.format == "TIFF" else ""
                yield Picture(image, depth, count, str(opened.format), compression)


@contextmanager
def _unbothered() -> Iterator[None]:
    """Without Pillow's warning of large files: the memory is asked for, with numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


@contextmanager
def _in_sentences(path: Path) -> Iterator[None]:
    """What Pillow and the system raise of a file, as InputError."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise InputError(
            f"{path} is a folder: give an image file, read a folder of images with il.load_folder, or the slices or "
            "frames in it as one volume with il.load_signal."
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is not an image that Pillow can read{_way_out(path)}.") from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise InputError(
            f"{path} is too large: it holds more than {most:,} pixels, the most that are read of a file, which could "
            "be made to fill the memory: cut it or scale it down with another program first."
        ) from error
    # A damaged file can fail anywhere in Pillow, and in the libraries behind it.
    except Exception as error:
        raise InputError(f"{path} could not be read as an image ({error}); is it cut short or damaged?") from error


_ARRAY = "and give its array, scaled to [0, 1], to il.signal_from_array"
_WAYS_OUT = (
    (
        0,
        (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        f"a TIFF of a kind that it does not know: open it with tifffile {_ARRAY}",
    ),
    (0, (b"\x93NUMPY",), f"a NumPy file: open it with numpy.load {_ARRAY}"),
    (0, (b"MATLAB", b"\x89HDF"), f"an HDF5 or MATLAB file: open it with h5py or scipy.io {_ARRAY}"),
    (4, (b"ftyphei", b"ftypmif", b"ftyphev"), "a HEIC file: convert it to PNG first"),
    (128, (b"DICM",), "a DICOM file: convert its series to NIfTI first, as dcm2niix does"),
)
"""Where in a file which bytes say what it is, and what can be done with it."""


def _way_out(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(160)
    return next((f": it is {words}" for at, starts, words in _WAYS_OUT if head[at:].startswith(starts)), "")


def plain(path: Path, picture: Picture, grey: bool) -> Image.Image:
    """A picture of up to 8 bits in sRGB and without transparency: of mode ``L`` or ``RGB`` up to its depth's top."""
    image = picture.image
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        base = image
    else:
        colours = image.convert("RGBA").convert("RGB") if image.mode in _TRANSPARENT else image.convert("RGB")
        base = colours.convert("L") if image.mode in _GREY else colours
    base = to_srgb(path, base, image.info)
    alpha = picture.alpha
    if alpha is not None:
        _flattened(path)
        base = Image.composite(base, Image.new(base.mode, base.size, "white"), alpha)
    return base.convert("L") if grey else base


def deep_grey(path: Path, picture: Picture) -> np.ndarray:
    """Grey ``(h, w)`` of more than 8 bits without transparency, float32 within [0, 1].

    Raises:
        InputError: for floats that are not finite or leave [0, 1].
    """
    depth = picture.depth
    stored = np.asarray(picture.image)
    values = stored.astype(np.float32)
    if picture.image.mode == "F":
        low, high = float(values.min()), float(values.max())
        if not 0.0 <= low <= high <= 1.0:
            raise InputError(
                f"{path} holds {sides(values.shape)} floats from {low:g} to {high:g}: scale them to [0, 1] first."
            )
    values /= np.float32(depth.top)
    np.clip(values, 0.0, 1.0, out=values)
    if depth.inverted:
        values = np.float32(1.0) - values
    values = deep_grey_to_srgb(path, values, picture.image.info)
    if depth.transparent is not None:
        _flattened(path)
        values[stored == depth.transparent] = 1.0
    return values


def _flattened(path: Path) -> None:
    warnings.warn(f"{path.name}: transparency was flattened on white.", UserWarning, stacklevel=4)
