"""Cells that ask what a dictionary's atoms do: their statistics, their exact effects, and pictures for figures."""

import time
from dataclasses import asdict

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from inrlens import __version__
from inrlens.atoms.codes import encode
from inrlens.atoms.effects import Effects, effects
from inrlens.atoms.statistics import mean_map
from inrlens.container import Container
from inrlens.files import plain_json
from inrlens.metrics import psnr
from inrlens.signals.signal import Signal
from inrlens.studies.atom_numbers import atom_numbers
from inrlens.studies.cells.inputs import device_of, field_of, sae_of, signals_of
from inrlens.studies.cells.serialise import container_bytes
from inrlens.studies.cells.task import Done, Task

MAPS = 8
REMOVED = 4
PICTURES = "study pictures"
"""The kind of the container that holds an analysis's pictures."""


def analysis_cell(task: Task) -> Done:
    """The numbers of all atoms on head 0 and its signal, and the pictures of the first ones.

    Raises:
        InputError: where network, dictionary and signal do not fit together.
    """
    started = time.perf_counter()
    device = device_of(task)
    network, sae = field_of(task.inputs[0], device), sae_of(task.inputs[1], device)
    (signal,) = signals_of(task)
    atlas = effects(network, sae, encode(network, sae), head=0, signal=signal)
    result, artefact = plain_json(asdict(atom_numbers(atlas))), container_bytes(study_pictures(atlas, signal))
    return Done(task.key, result, {"seconds": time.perf_counter() - started}, artefact)


def study_pictures(atlas: Effects, signal: Signal) -> Container:
    """Pictures of 8 bits for figures, of the first atoms by mean magnitude, fewer where fewer live.

    ``target`` and ``intact`` (the network's output), ``(h, w, c)``; ``maps`` ``(8, h, w)`` of ``atoms``, ``mean_map``
    ``(h, w)`` of all of these; ``removed`` ``(4, h, w, c)``, the output without each of ``removed_atoms``, and
    ``effects`` ``(4, h, w)``, the mean of ``|Delta_a(x)|`` over channels. A map or effect is scaled to its own largest
    value, which ``map_scales``, ``mean_map_scale`` and ``effect_scales`` state; 255 stands for 1 elsewhere.
    ``psnr_before`` and, for each removed atom, ``psnr_after`` are in dB.
    """
    codes, grid = atlas.codes, atlas.codes.grid
    atoms = atlas.statistics.top(MAPS)
    removed_atoms = atoms[:REMOVED]
    intact = atlas.output.cpu().reshape(*grid, -1)
    target = signal.image().to(intact)
    deltas = _stacked([atlas.of(atom).cpu() for atom in removed_atoms], intact)
    removed = intact - deltas
    maps, map_scales = _scaled(_stacked([codes.map(atom).cpu() for atom in atoms], intact[..., 0]))
    mean = mean_map(codes, atoms).cpu() if atoms else torch.zeros_like(intact[..., 0])
    mean_maps, mean_scales = _scaled(mean[None])
    strengths, effect_scales = _scaled(deltas.abs().mean(-1))
    description = {
        "inrlens_version": __version__,
        "layer": atlas.layer,
        "atoms": atoms,
        "map_scales": map_scales,
        "mean_map_scale": mean_scales[0],
        "removed_atoms": removed_atoms,
        "effect_scales": effect_scales,
        "psnr_before": psnr(intact, target),
        "psnr_after": [psnr(picture, target) for picture in removed],
    }
    pictures = {
        "target": _bytes(target),
        "intact": _bytes(intact),
        "maps": maps,
        "mean_map": mean_maps[0],
        "removed": _bytes(removed),
        "effects": strengths,
    }
    return Container(PICTURES, plain_json(description), pictures)


def _stacked(values: list[Tensor], like: Tensor) -> Tensor:
    """Tensors of the shape of ``like`` under a leading axis, which is empty where there are none."""
    return torch.stack(values) if values else like.new_zeros(0, *like.shape)


def _scaled(values: Float[Tensor, "a *grid"]) -> tuple[UInt8[Tensor, "a *grid"], list[float]]:
    """Each entry in 8 bits, scaled to its own largest value, and those values."""
    scales = [float(entry.max()) for entry in values]
    parts = [entry / scale if scale > 0.0 else entry for entry, scale in zip(values, scales, strict=True)]
    return _bytes(_stacked(parts, values.new_zeros(values.shape[1:]))), scales


def _bytes(values: Float[Tensor, "*any"]) -> UInt8[Tensor, "*any"]:
    """Values in [0, 1], clamped, in 8 bits."""
    return (values.clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)
