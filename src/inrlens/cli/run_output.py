"""The folder of a new run, whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inrlens.errors import InputError


@contextmanager
def new_run(out: Path, force: bool) -> Iterator[Path]:
    """``whole_folder``, but errors inside it speak of ``out`` and not of the temporary folder.

    Raises:
        InputError: where ``out`` exists and may not be replaced, or cannot be written.
    """
    from inrlens.files import whole_folder

    with whole_folder(out, force) as folder:
        try:
            yield folder
        except InputError as error:
            raise InputError(str(error).replace(str(folder), str(out))) from error
