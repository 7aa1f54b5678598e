"""Runs and dictionaries' files, as an explorer shows them."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from inrlens.checkpoints import load_sae
from inrlens.dictionaries.activations import encoder_digest
from inrlens.dictionaries.evaluate import check_fits
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.explorer.bundle_input import (
    BundleDictionary,
    BundleInput,
    BundleNetwork,
    Facts,
    InRun,
    check_axes_shown,
    named,
)
from inrlens.fields.network import Network
from inrlens.studies.record import ConditionRecord
from inrlens.studies.run_reader import OpenRun

Module = TypeVar("Module", bound=nn.Module)


def gather(paths: Sequence[Path]) -> BundleInput:
    """Opens runs (folders) and dictionaries (files); a dictionary joins every network that it was trained on.

    Networks that share their first layers, as a transfer does with its cohort, share a dictionary of them too.

    Raises:
        InputError: where no run is given, one holds no network or has signals of more than three axes, or a dictionary
            belongs to no network of the runs, or cannot tell to which.
    """
    given = _distinct([Path(path) for path in paths])
    missing = [path for path in given if not path.exists()]
    if missing:
        raise InputError(f"{missing[0]} does not exist: give the folder of a run or the file of a dictionary.")
    folders = [path for path in given if path.is_dir()]
    files = [path for path in given if not path.is_dir()]
    if not folders:
        what = f"only {', '.join(str(file) for file in files)} was given" if files else "nothing was given"
        raise InputError(
            f"the explorer needs the folder of a run or a network's file, and {what}: give the run or network first."
        )
    runs = [_open(folder) for folder in folders]
    names = _run_names(folders)
    shared = Counter(record.name for run in runs for record in run.record.conditions)
    networks = [
        _network(run, name, record, f"{name}: {record.name}" if shared[record.name] > 1 else record.name)
        for run, name in zip(runs, names, strict=True)
        for record in run.record.conditions
    ]
    recorded = {one.file.resolve() for network in networks for one in network.dictionaries if one.file is not None}
    added: list[list[BundleDictionary]] = [list(network.dictionaries) for network in networks]
    for file in files:
        if file.resolve() in recorded:
            continue
        sae = load_sae(file)
        for place in _owners(file, sae, networks):
            added[place].append(BundleDictionary("", _single(sae), file))
    title = " and ".join(_shown(folder) for folder in folders)
    whole = (replace(one, dictionaries=named(more)) for one, more in zip(networks, added, strict=True))
    return BundleInput(title, tuple(runs), tuple(names), tuple(whole))


def _open(folder: Path) -> OpenRun:
    run = OpenRun(folder)
    if not run.record.conditions:
        raise InputError(f"{folder} holds no network: the run was interrupted before its first, so run it again.")
    try:
        check_axes_shown(run.signals[0])
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error
    return run


def _network(run: OpenRun, run_name: str, record: ConditionRecord, name: str) -> BundleNetwork:
    own = [BundleDictionary("", _single(run.dictionary(layer.file)), run.path(layer.file)) for layer in record.layers]
    field = run.field(record)
    for one in own:
        try:
            check_fits(field, one.sae)
        except InputError as error:
            raise InputError(f"{one.file}: {error}") from error
    signals = tuple(run.signal(position) for position in record.signals)
    facts = Facts(record.kind, record.backbone, record.seed, record.ranks, record.tau, record.advice)
    return BundleNetwork(name, _single(field), facts, signals, tuple(own), InRun(run, run_name, record))


def _owners(file: Path, sae: SparseAutoencoder, networks: Sequence[BundleNetwork]) -> list[int]:
    """The places of the networks that a dictionary was trained on, by digest; by fit where it does not say."""
    fitting = [place for place, network in enumerate(networks) if _fits(network.field, sae)]
    digest = sae.origin.field_digest
    if digest:
        same = [place for place in fitting if encoder_digest(_as_saved(networks[place]), sae.layer) == digest]
        if same:
            return same
        raise InputError(
            f"{file} was trained on layer {sae.layer} of none of {_listed(networks)}: give the run of its network too."
        )
    if len(fitting) == 1:
        return fitting
    if not fitting:
        raise InputError(
            f"{file} is a dictionary of layer {sae.layer} with {sae.width} units and fits none of {_listed(networks)}: "
            "give the run of its network."
        )
    raise InputError(
        f"{file} does not say which network it was trained on, and it fits several "
        f"({_listed([networks[place] for place in fitting])}): give a run that holds its network alone."
    )


def _as_saved(network: BundleNetwork) -> Network:
    """The field as its file has it: a digest is over the bytes of its number type."""
    assert network.place is not None, "networks of runs have one"
    return network.place.run.field(network.place.record)


def _fits(field: Network, sae: SparseAutoencoder) -> bool:
    try:
        check_fits(field, sae)
    except InputError:
        return False
    return True


def _listed(networks: Sequence[BundleNetwork]) -> str:
    return ", ".join(network.name for network in networks)


def _run_names(folders: Sequence[Path]) -> list[str]:
    """Each folder's name, with as many folders above it as it takes to tell them apart."""
    whole = [folder.resolve().parts for folder in folders]
    names: list[str] = []
    for count in range(1, max(map(len, whole)) + 1):
        names = ["/".join(parts[-count:]) for parts in whole]
        if len(set(names)) == len(names):
            break
    return names


def _shown(folder: Path) -> str:
    """A folder as it was given, or its name alone where that would tell how this machine is laid out."""
    if folder.is_absolute() or ".." in folder.parts or folder == Path():
        return folder.resolve().name
    return folder.as_posix()


def _distinct(paths: Sequence[Path]) -> list[Path]:
    found: dict[Path, Path] = {}
    for path in paths:
        found.setdefault(path.resolve(), path)
    return list(found.values())


def _single(module: Module) -> Module:
    """``module`` in float32; itself where it is."""
    if all(value.dtype == torch.float32 for value in module.state_dict().values()):
        return module
    return deepcopy(module).float()
