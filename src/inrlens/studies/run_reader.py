"""A run folder opened for reading: its record, and its files loaded once, when first asked for."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

from inrlens.atoms.codes import encode
from inrlens.atoms.effects import Effects, effects
from inrlens.checkpoints import load_field, load_sae
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.fitting.history import Record, read_history
from inrlens.signals.archive import load_signals
from inrlens.signals.signal import Signal
from inrlens.studies.record import RECORD_FILE, SIGNALS_FILE, ConditionRecord, LayerRecord, RunRecord, read_record


class OpenRun:
    """A run's record together with its signals, fields and dictionaries, each read from disk at most once."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.record: RunRecord = read_record(self.folder)
        self._signals: list[Signal] | None = None
        self._fields: dict[str, Field] = {}
        self._dictionaries: dict[str, SparseAutoencoder] = {}
        self._atlases: dict[str, Effects] = {}

    @classmethod
    def of(cls, record: RunRecord, signals: Sequence[Signal], fields: Mapping[str, Field]) -> "OpenRun":
        """A run that lies in no folder: its record, its signals, and its networks by the names of their conditions."""
        run = cls.__new__(cls)
        run.folder, run.record = Path(), record
        run._signals, run._fields, run._dictionaries, run._atlases = list(signals), dict(fields), {}, {}
        return run

    def path(self, name: str) -> Path:
        """A file that the record names.

        Raises:
            InputError: where the name leads out of the run's folder: a record from elsewhere must not pull other
                files into a page that is passed on.
        """
        inside = (self.folder / name).resolve()
        if not inside.is_relative_to(self.folder.resolve()):
            raise InputError(
                f"{self.folder / RECORD_FILE} names the file {name!r}, which lies outside the run's folder."
            )
        return self.folder / name

    @property
    def has_signals(self) -> bool:
        """Whether the signals are there; a run may be shared without them."""
        return self._signals is not None or (self.folder / SIGNALS_FILE).is_file()

    @property
    def signals(self) -> list[Signal]:
        """Every signal of the run, in the record's order.

        Raises:
            InputError: where they are missing, damaged, or other than the record says.
        """
        if self._signals is not None:
            return self._signals
        if not self.has_signals:
            raise InputError(
                f"{self.folder} holds no {SIGNALS_FILE}: the run was shared without its signals, which are needed here."
            )
        signals = load_signals(self.folder / SIGNALS_FILE)
        if len(signals) != len(self.record.signals):
            raise InputError(
                f"{self.folder / RECORD_FILE} lists {len(self.record.signals)} signals, "
                f"{SIGNALS_FILE} holds {len(signals)}."
            )
        self._signals = signals
        return signals

    def signal(self, position: int) -> Signal:
        """One signal by its position in the record's list.

        Raises:
            InputError: where the record names a signal that it does not list.
        """
        if not 0 <= position < len(self.signals):
            raise InputError(
                f"{self.folder / RECORD_FILE} names signal {position}, its list has 0 to {len(self.signals) - 1}."
            )
        return self.signals[position]

    @property
    def pictures(self) -> bool:
        """Whether the signals are pictures: two axes, and one or three channels."""
        return all(signal.is_picture for signal in self.signals)

    def field(self, condition: ConditionRecord) -> Field:
        """The fitted network of a condition.

        Raises:
            InputError: where its file is missing or damaged, or does not fit the signals that the record gives it.
        """
        if condition.name not in self._fields:
            field = load_field(self.path(condition.file))
            if self.has_signals:
                shapes = [(signal.shape, signal.channels) for signal in map(self.signal, condition.signals)]
            else:
                shapes = [(field.grid or (), field.channels)] * len(condition.signals)
            if [(field.grid, field.channels)] * field.heads != shapes:
                raise InputError(f"{self.path(condition.file)} does not fit the signals that {RECORD_FILE} gives it.")
            self._fields[condition.name] = field
        return self._fields[condition.name]

    def condition(self, name: str | None) -> ConditionRecord:
        """A network's record by name, or the only one's.

        Raises:
            InputError: where there is none of that name, or there are several and none is named.
        """
        names = [entry.name for entry in self.record.conditions]
        if not names:
            raise InputError(f"{self.folder} holds no network: the run was interrupted before its first.")
        if name is None and len(names) > 1:
            raise InputError(f"{self.folder} holds several networks ({', '.join(names)}): name one with --condition.")
        chosen = [entry for entry in self.record.conditions if name in (None, entry.name)]
        if not chosen:
            raise InputError(f"{self.folder} holds no network {name!r}; allowed are {', '.join(names)}.")
        return chosen[0]

    def with_dictionary(
        self, condition: ConditionRecord, layer: LayerRecord, sae: SparseAutoencoder, atlas: Effects
    ) -> "OpenRun":
        """This run as if ``sae`` were the one dictionary of ``condition``, recorded as ``layer``, and there were none
        else; ``atlas`` is its effects."""
        conditions = tuple(
            replace(one, layers=(layer,) if one.name == condition.name else ()) for one in self.record.conditions
        )
        other = copy(self)
        other.record = replace(self.record, conditions=conditions)
        other._dictionaries, other._atlases = {layer.file: sae}, {layer.file: atlas}
        return other

    def dictionary(self, file: str) -> SparseAutoencoder:
        """A dictionary of this run."""
        if file not in self._dictionaries:
            self._dictionaries[file] = load_sae(self.path(file))
        return self._dictionaries[file]

    def atlas(self, condition: ConditionRecord, layer: LayerRecord) -> Effects:
        """The effects of all atoms of a layer on head 0, whose signal is the condition's first.

        Those of layers that were looked at atom by atom are kept, since several sections of a page ask for them.
        """
        if layer.file in self._atlases:
            return self._atlases[layer.file]
        field, sae = self.field(condition), self.dictionary(layer.file)
        signal = self.signal(condition.signals[0])
        found = effects(field, sae, encode(field, sae), head=0, signal=signal)
        if layer.atlas is not None:
            self._atlases[layer.file] = found
        return found

    def history(self, condition: ConditionRecord) -> tuple[Record, ...]:
        """The history of a condition's fit; empty where its file is gone."""
        path = self.path(condition.history)
        if not path.is_file():
            return ()
        try:
            return read_history(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} could not be read as a fit's history ({error}).") from error
