"""Whether a WAV or AIFF file is as long as its own header says; libsndfile reads a cut one as a shorter sound."""

from pathlib import Path
from typing import Literal

from inrlens.errors import InputError

_FORMS: dict[bytes, tuple[Literal["little", "big"], bytes]] = {b"RIFF": ("little", b"data"), b"FORM": ("big", b"SSND")}
_UNKNOWN = 0x7FFF_F000
"""From here on a size is a stand-in of a writer that could not go back to the header, as 0 is."""


def check_whole(path: Path) -> None:
    """Raises InputError where the samples of a WAV or AIFF file end before its header says.

    Other files, and those whose writer left the size open, pass.
    """
    held = path.stat().st_size
    with path.open("rb") as file:
        order, wanted = _FORMS.get(file.read(12)[:4], ("little", b""))
        while wanted and len(head := file.read(8)) == 8:
            size = int.from_bytes(head[4:], order)
            if head[:4] == wanted:
                there = held - file.tell()
                if 0 < size < _UNKNOWN and there < size:
                    raise InputError(
                        f"{path} is cut short: it holds {there:,} of the {size:,} bytes of samples that its header "
                        "tells of: copy it again, or save what is left with a sound editor."
                    )
                return
            file.seek(size + size % 2, 1)
