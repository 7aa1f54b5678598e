"""A network that lies in a file of its own, as a run in memory, for pages that show runs."""

import datetime

from inrlens.errors import InputError
from inrlens.fields.field import Field, make_head
from inrlens.fields.quality import signal_psnr
from inrlens.fitting.history import Fit
from inrlens.signals.signal import Signal
from inrlens.studies.measure import condition_record
from inrlens.studies.record import RunRecord, this_machine, version
from inrlens.studies.run_reader import OpenRun


def given_run(field: Field, signal: Signal, head: int = 0) -> OpenRun:
    """A run of one head of a network, without a folder: quality and ranks are measured now, its fit is not told.

    Args:
        field: the network; the run's is a copy with that head alone, on the signal's grid.
        signal: what that head is compared with.
        head: which one.

    Raises:
        InputError: where there is no such head, or the signal has other axes or channels than the network.
    """
    columns = field.columns(head)
    if len(signal.shape) != field.coordinates or signal.channels != field.channels:
        raise InputError(
            f"signal {signal.name!r} has {len(signal.shape)} axes and {signal.channels} channels, and the network "
            f"{field.coordinates} and {field.channels}: give the picture that it was fitted to."
        )
    head_alone = make_head(field.head.weight[columns].detach(), field.head.bias[columns].detach())
    alone = Field(field.backbone, field.encoder, head_alone, field.channels, signal.shape, field.origin, signal.affine)
    psnr = signal_psnr(alone.render(), signal)
    unknown = Fit(alone, (), psnr, (psnr,), seconds=0.0, steps=0, outcome="finished", divergences=())
    name = f"{field.origin.kind}_{field.backbone.name}"
    condition = condition_record(name, unknown, [signal], (0,), file="", history="")
    record = RunRecord(
        kind="network",
        inrlens_version=version(),
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        outcome="finished",
        machine=this_machine(str(field.device)),
        seed=field.origin.seed,
        plan={},
        signals=(signal.name,),
        conditions=(condition,),
    )
    return OpenRun.of(record, [signal], {name: alone})
