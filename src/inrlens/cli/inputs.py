"""The networks and dictionaries that verbs are given."""

from pathlib import Path
from typing import TYPE_CHECKING

from inrlens.cli.output import warn
from inrlens.errors import InputError

if TYPE_CHECKING:
    from inrlens.dictionaries.topk import SparseAutoencoder
    from inrlens.fields.field import Field
    from inrlens.signals.signal import Signal
    from inrlens.signals.sizing import Fitting


def open_network(path: Path, condition: str | None, device: str) -> "tuple[Field, list[Signal] | None]":
    """A field on a device, and its signals where it comes from a run folder.

    Raises:
        InputError: where there is none at ``path``, or ``condition`` is given for a single file.
    """
    from inrlens.studies.run_folder import open_field

    if condition is not None and path.is_file():
        raise InputError(f"--condition {condition!r} names a network of a run folder, but {path} is a single file.")
    field, signals = open_field(path, condition)
    return field.to(device), signals


def open_dictionary(path: Path, field: "Field", device: str) -> "SparseAutoencoder":
    """A dictionary on a device; warns where it was trained on another network than ``field``.

    Raises:
        InputError: where there is none at ``path``, or it does not fit any layer of ``field``.
    """
    from inrlens.checkpoints import load_sae
    from inrlens.dictionaries.activations import encoder_digest
    from inrlens.dictionaries.evaluate import check_fits

    sae = load_sae(path)
    try:
        check_fits(field, sae)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    # A dictionary from elsewhere names no network.
    if sae.origin.field_digest and sae.origin.field_digest != encoder_digest(field, sae.layer):
        warn(f"{path} was trained on another network, so its atoms mean nothing in this one.")
    return sae.to(device)


def target_signal(
    field: "Field", signals: "list[Signal] | None", head: int, grid: tuple[int, ...], image: Path | None
) -> "Signal | None":
    """What a head's output is compared with: the file ``image``, else the run's own signal on the grid, else nothing.

    Raises:
        InputError: where the file cannot be read, or has another grid or number of channels.
    """
    field.columns(head)
    if image is None:
        signal = signals[head] if signals is not None else None
        return signal if signal is not None and signal.shape == grid else None
    return signal_like(image, field, None, "resize", grid)


def signal_like(
    path: Path,
    field: "Field",
    size: tuple[int, int] | None,
    how: "Fitting",
    grid: tuple[int, ...] | None = None,
    window: tuple[float, float] | None = None,
    frames: str | None = None,
) -> "Signal":
    """A file's signal, on as many axes and of as many channels as ``field``.

    Args:
        path: an image, a NIfTI file or a sound.
        field: what it is fitted on, or compared with.
        size: an image's height and width; None: those of ``grid``, or else of the field's own.
        how: how an image comes to them.
        grid: where given, the signal must lie on it.
        window: the values of a NIfTI file that become 0 and 1.
        frames: of a file of several frames ``all``, or the number of one.

    Raises:
        InputError: where the file cannot be read, or does not fit.
    """
    from inrlens.cli.sources import one_signal
    from inrlens.signals.formats import format_of
    from inrlens.signals.sizing import sides

    wanted, own = field.backbone.coordinates, grid or field.grid or ()
    picture = path.is_dir() or format_of(path).kind == "picture"
    if size is None and picture and len(own) == 2:
        size = (own[0], own[1])
    signal = one_signal(path, size, picture and field.channels == 1, how, window, frames)
    if len(signal.shape) != wanted:
        raise InputError(f"{path} lies on {_axes(len(signal.shape))}, the network's signals on {_axes(wanted)}.")
    if signal.channels != field.channels:
        raise InputError(f"{path} has {signal.channels} channels, and the network {field.channels}.")
    if grid is not None and signal.shape != grid:
        raise InputError(f"{path} has {sides(signal.shape)} samples, and the grid {sides(grid)}: they must be equal.")
    return signal


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"
