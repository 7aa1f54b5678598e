"""From what a user gives to the files that are shared: what each is called, and what is known of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import copyfile

from inrlens.atoms.effects import Effects
from inrlens.checkpoints import load, save
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.dictionaries.train import SaeFit
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.fields.network import Network
from inrlens.fitting.history import Fit
from inrlens.hub.facts import Facts, atlas_facts, dictionary_facts, network_facts
from inrlens.hub.names import SUFFIX, check_name
from inrlens.studies.record import RECORD_FILE, SIGNALS_FILE, ConditionRecord, LayerRecord, RunRecord, write_record
from inrlens.studies.run_reader import OpenRun

Thing = Field | SparseAutoencoder | Effects
Given = Network | SparseAutoencoder | Effects | Fit | SaeFit | str | Path
Things = Given | Sequence[Given] | Mapping[str, Given]


@dataclass(frozen=True)
class Piece:
    """One file that is shared.

    ``write`` puts it at a path; ``facts`` is what a model card says of it, None for what is no field, dictionary or
    atlas.
    """

    name: str
    write: Callable[[Path], object]
    facts: Facts | None = None


def gather(things: Things, signals: bool) -> list[Piece]:
    """The files of a field, a dictionary, an atlas, a fit, a checkpoint's path, a run's folder, or several of them.

    ``signals`` lets what a run was fitted to, its reconstructions, and the signal inside an atlas come along.

    Raises:
        InputError: where there is nothing, something else, two of one name, or an atlas whose signal may not come.
    """
    pieces = list(_pieces(things, signals))
    names = [piece.name.lower() for piece in pieces]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(
            f"two of the things to share would both be {twice[0]!r}: give each a name of its own, as in "
            '{"layer1": first, "layer2": second}.'
        )
    if not any(piece.facts for piece in pieces):
        raise InputError("there is nothing to share: give a field, a dictionary, an atlas, or the folder of a run.")
    return pieces


def _pieces(things: Things, signals: bool) -> Iterator[Piece]:
    if isinstance(things, Mapping):
        for name, thing in things.items():
            yield from _of_one(thing, check_name(name), signals)
    elif isinstance(things, Sequence) and not isinstance(things, str):
        for thing in things:
            yield from _of_one(thing, None, signals)
    else:
        yield from _of_one(things, None, signals)


def _of_one(thing: Given, name: str | None, signals: bool) -> Iterator[Piece]:
    if isinstance(thing, (str, Path)):
        path = Path(thing)
        if path.is_dir():
            if name is not None:
                raise InputError(f"{path} is the folder of a run, whose files have names: share it without {name!r}.")
            yield from _of_run(path, signals)
        else:
            file = f"{name or check_name(path.stem)}{SUFFIX}"
            yield Piece(file, partial(copyfile, path), _facts(file, load(path), signals))
    elif isinstance(thing, Fit):
        yield _made(thing.field, name, signals, thing.psnrs)
    elif isinstance(thing, SaeFit):
        yield _made(thing.sae, name, signals)
    elif isinstance(thing, (Network, SparseAutoencoder, Effects)):
        yield _made(thing, name, signals)
    else:
        raise InputError(
            f"a {type(thing).__name__} cannot be shared: give a field, a dictionary, an atlas, a fit, or the folder of "
            "a run."
        )


def _made(
    thing: Network | SparseAutoencoder | Effects, name: str | None, signals: bool, psnrs: tuple[float, ...] = ()
) -> Piece:
    """The piece of something in memory."""
    if isinstance(thing, Network) and not isinstance(thing, Field):
        raise InputError("a wrapped network cannot be shared: its code is not ours, so others could not load it.")
    default = (
        "field"
        if isinstance(thing, Field)
        else f"{'dictionary' if isinstance(thing, SparseAutoencoder) else 'atlas'}_layer{thing.layer}"
    )
    file = f"{name or default}{SUFFIX}"
    return Piece(file, partial(save, thing), _facts(file, thing, signals, psnrs=psnrs))


def _facts(
    file: str,
    thing: Thing,
    signals: bool,
    record: ConditionRecord | LayerRecord | None = None,
    psnrs: tuple[float, ...] = (),
) -> Facts:
    if isinstance(thing, Field):
        of_run = record if isinstance(record, ConditionRecord) else None
        return network_facts(file, thing, psnrs if of_run is None else of_run.psnrs, of_run)
    if isinstance(thing, SparseAutoencoder):
        return dictionary_facts(file, thing, record if isinstance(record, LayerRecord) else None)
    if thing.signal is not None and not signals:
        raise InputError(
            f"{file} holds its signal {thing.signal.name!r}, and signals are not shared unless asked: give "
            "signals=True (--signals), or make the atlas without signal=."
        )
    return atlas_facts(file, thing)


def _of_run(folder: Path, signals: bool) -> Iterator[Piece]:
    """The pieces of a run: its record, networks, histories and dictionaries; its signals and pictures where asked."""
    run = OpenRun(folder)
    record = run.record if signals else _without_pictures(run.record)
    # The writer of records names the file itself.
    yield Piece(RECORD_FILE, lambda path: write_record(path.parent, record))
    for condition in record.conditions:
        facts = _facts(condition.file, run.field(condition), signals, condition)
        yield Piece(condition.file, partial(copyfile, run.path(condition.file)), facts)
        if run.path(condition.history).is_file():
            yield Piece(condition.history, partial(copyfile, run.path(condition.history)))
        for layer in condition.layers:
            facts = _facts(layer.file, run.dictionary(layer.file), signals, layer)
            yield Piece(layer.file, partial(copyfile, run.path(layer.file)), facts)
    if signals and run.signals:
        yield Piece(SIGNALS_FILE, partial(copyfile, run.path(SIGNALS_FILE)))
        for picture in sorted([*folder.glob("reconstructions/*.png"), *folder.glob("transfers/*.png")]):
            name = picture.relative_to(folder).as_posix()
            yield Piece(name, partial(copyfile, run.path(name)))


def _without_pictures(record: RunRecord) -> RunRecord:
    return replace(record, transfers=tuple(replace(one, picture=None) for one in record.transfers))
