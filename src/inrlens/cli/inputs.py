"""The networks and dictionaries that verbs are given."""

from pathlib import Path
from typing import TYPE_CHECKING

from inrlens.cli.output import warn
from inrlens.errors import InputError

if TYPE_CHECKING:
    from inrlens.dictionaries.topk import SparseAutoencoder
    from inrlens.fields.field import Field
    from inrlens.signals.signal import Signal


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
    """What a head's picture is compared with: ``image`` on the grid, else the run's own signal, else nothing.

    Raises:
        InputError: where the image cannot be read or has another number of channels.
    """
    from inrlens.signals.images import load_image

    field.columns(head)
    if image is None:
        signal = signals[head] if signals is not None else None
        return signal if signal is not None and signal.shape == grid else None
    if len(grid) != 2:
        raise InputError(f"--image {image}: this field draws no picture, its grid has {len(grid)} axes.")
    signal = load_image(image, (grid[0], grid[1]), grey=field.channels == 1)
    if signal.channels != field.channels:
        raise InputError(f"--image {image} has {signal.channels} channels, this field {field.channels}.")
    return signal
