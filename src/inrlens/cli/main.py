"""The program ``inrlens`` from its first line to its exit code; nothing heavy is loaded before Ctrl-C is heard."""

import io
import sys
from collections.abc import Sequence

STOPPED = "stopped by Ctrl-C; nothing half-written was left behind."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program and returns its exit code: 0, 2 for what cannot be done as asked, 130 after Ctrl-C.

    An error that the user can mend is one sentence on standard error; anything else is a bug and keeps its traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file's name may hold bytes that no encoding has.
            stream.reconfigure(errors="backslashreplace")
    try:
        from inrlens.cli.program import run

        return run(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        sys.stderr.write(f"error: {STOPPED}\n")
        return 130
