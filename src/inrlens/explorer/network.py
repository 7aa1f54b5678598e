"""A network's part of a bundle: its weights, and its heads' pictures."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from inrlens.explorer.arrays import ArrayFile
from inrlens.explorer.bundle_input import BundleNetwork
from inrlens.explorer.manifest import (
    DictionaryEntry,
    EncodingEntry,
    LayerEntry,
    NetworkEntry,
    RanksEntry,
    SignalEntry,
)
from inrlens.fields.encoder import HiddenLayer
from inrlens.fields.encoding import Encoding, FourierProjection
from inrlens.fields.field import Field
from inrlens.fields.quality import signal_psnr
from inrlens.signals.audio import Recording


@torch.no_grad()
def network_entry(
    network: BundleNetwork, name: str, heads: range, file: ArrayFile, dictionaries: tuple[DictionaryEntry, ...]
) -> NetworkEntry:
    """Writes the pictures of ``heads``, and the weights of a field of ours, into ``file``; ``name`` is its id."""
    field, facts = network.field, network.facts
    encoder = field.encoder if isinstance(field, Field) else None
    encoding = None if encoder is None else _encoding(encoder.encoding, file)
    layers = None if encoder is None else tuple(_layer(encoder.layer(index), file) for index in range(field.depth))
    return NetworkEntry(
        id=name,
        name=network.name,
        run=None if network.place is None else network.place.name,
        kind=facts.kind,
        backbone=facts.backbone,
        seed=facts.seed,
        grid=network.grid,
        coordinate_range=field.coordinate_range,
        channels=field.channels,
        depth=field.depth,
        width=field.units(field.depth - 1),
        heads=field.heads,
        encoding=encoding,
        layers=layers,
        signals=tuple(_signal(network, head, file) for head in heads),
        ranks=RanksEntry(facts.ranks.weight, dict(facts.ranks.activation)),
        tau=facts.tau,
        advice=facts.advice,
        dictionaries=dictionaries,
    )


def _encoding(encoding: Encoding | None, file: ArrayFile) -> EncodingEntry | None:
    if encoding is None:
        return None
    if isinstance(encoding, FourierProjection):
        if encoding.bare:
            return EncodingEntry("fourier beside the coordinates", None)
        return EncodingEntry("fourier", file.append(encoding.frequencies.float()))
    return EncodingEntry(type(encoding).__name__, None)


def _layer(layer: HiddenLayer, file: ArrayFile) -> LayerEntry:
    phi = layer.nonlinearity
    weight, bias = file.append(layer.weight.float()), file.append(layer.bias.float())
    return LayerEntry(weight, bias, float(layer.scale), phi.name, dict(phi.parameters))


def _signal(network: BundleNetwork, head: int, file: ArrayFile) -> SignalEntry:
    field, signal = network.field, network.signals[head]
    picture = field.render(head, network.grid).cpu().float()
    output = picture.reshape(-1, field.channels)
    target, rendered = file.append(bytes_or_values(signal.values)), file.append(output)
    weight = bias = None
    if isinstance(field, Field):
        columns = field.columns(head)
        weight, bias = (file.append(part[columns].float()) for part in (field.head.weight, field.head.bias))
    rate = signal.rate if isinstance(signal, Recording) else None
    used = None if signal.mask is None else file.append(signal.mask.to(torch.uint8).numpy())
    return SignalEntry(head, signal.name, signal_psnr(picture, signal), rate, target, rendered, weight, bias, used)


def bytes_or_values(values: Float[Tensor, "n c"]) -> UInt8[np.ndarray, "n c"] | Float[np.ndarray, "n c"]:
    """Values in [0, 1] as uint8 where all of them are whole 255ths, else as they are."""
    levels = (values * 255.0).round()
    if torch.equal((levels / 255.0).to(values.dtype), values):
        return levels.to(torch.uint8).numpy()
    return values.numpy()
