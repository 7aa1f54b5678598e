"""A network's part of a bundle: its weights, and its heads' pictures."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from inrlens.explorer.arrays import ArrayFile
from inrlens.explorer.gather import GatheredNetwork
from inrlens.explorer.manifest import DictionaryEntry, LayerEntry, NetworkEntry, RanksEntry, SignalEntry
from inrlens.fields.encoding import FourierProjection
from inrlens.metrics import psnr


@torch.no_grad()
def network_entry(
    network: GatheredNetwork, name: str, heads: range, file: ArrayFile, dictionaries: tuple[DictionaryEntry, ...]
) -> NetworkEntry:
    """Writes a network's weights and the pictures of ``heads`` into ``file``; ``name`` is its id."""
    field, record = network.field, network.record
    encoder = field.encoder
    fourier = encoder.encoding if isinstance(encoder.encoding, FourierProjection) else None
    projection = None if fourier is None else file.append(fourier.frequencies)
    layers = []
    for index in range(field.depth):
        layer = encoder.layer(index)
        weight, bias = file.append(layer.weight), file.append(layer.bias)
        layers.append(LayerEntry(weight, bias, float(layer.scale), layer.nonlinearity.name))
    assert field.grid is not None, "a run's field fits its signals' grid"
    return NetworkEntry(
        id=name,
        name=network.name,
        run=network.run_name,
        kind=record.kind,
        backbone=record.backbone,
        seed=record.seed,
        grid=field.grid,
        channels=field.channels,
        depth=field.depth,
        width=encoder.width,
        heads=field.heads,
        projection=projection,
        layers=tuple(layers),
        signals=tuple(_signal(network, head, file) for head in heads),
        ranks=RanksEntry(record.ranks.weight, dict(record.ranks.activation)),
        tau=record.tau,
        advice=record.advice,
        dictionaries=dictionaries,
    )


def _signal(network: GatheredNetwork, head: int, file: ArrayFile) -> SignalEntry:
    field, signal = network.field, network.signals[head]
    output = field.render(head).reshape(-1, field.channels)
    columns = field.columns(head)
    return SignalEntry(
        head=head,
        name=signal.name,
        psnr=psnr(output, signal.values),
        target=file.append(bytes_or_values(signal.values)),
        output=file.append(output),
        weight=file.append(field.head.weight[columns]),
        bias=file.append(field.head.bias[columns]),
    )


def bytes_or_values(values: Float[Tensor, "n c"]) -> UInt8[np.ndarray, "n c"] | Float[np.ndarray, "n c"]:
    """Values in [0, 1] as uint8 where all of them are whole 255ths, else as they are."""
    levels = (values * 255.0).round()
    if torch.equal((levels / 255.0).to(values.dtype), values):
        return levels.to(torch.uint8).numpy()
    return values.numpy()
