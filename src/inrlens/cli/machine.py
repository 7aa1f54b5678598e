"""Where a verb computes."""

import os

from inrlens.errors import InputError


def prepare(device: str, threads: int | None) -> str:
    """Sets torch's threads and resolves ``auto``; the device is ``cpu`` or ``cuda``.

    Raises:
        InputError: for more threads than the machine has processors, and where cuda is asked for and torch sees none.
    """
    import torch

    processors = os.cpu_count() or 1
    if threads is not None and threads > processors:
        raise InputError(f"--threads {threads} is more than this machine has: allowed are 1 to {processors}.")
    if threads is not None:
        torch.set_num_threads(threads)
    if device == "cpu":
        return "cpu"
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise InputError("--device cuda is not possible here, torch sees no CUDA device: allowed are auto and cpu.")
    return "cuda" if available else "cpu"
