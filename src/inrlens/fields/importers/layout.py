"""What a layout is: the names that somebody's code gives its tensors, and what they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, field as with_default
from typing import Literal

from inrlens.errors import InputError


@dataclass(frozen=True)
class Usual:
    """What a project's own scripts use where its files are silent, as a user would write it; empty: nothing is."""

    omega_0: str = ""
    scale: str = ""
    axes: str = ""
    coordinates: str = "(-1.0, 1.0)"
    output: str = ""


@dataclass(frozen=True)
class Encoding:
    """A fixed encoding of the coordinates, and the order in which its features enter the first layer.

    ``random``: Fourier features of the matrix stored under ``frequencies``, all sines first. ``waves``: the bare
    coordinates, then sine and cosine of ``2^j first_angle x`` for j = 0, 1, ...; of each j "by kind" the sines of all
    coordinates and then their cosines, "by coordinate" sine and cosine of one coordinate after the other.
    """

    kind: Literal["random", "waves"]
    frequencies: str = ""
    first_angle: float = 0.0
    order: Literal["by kind", "by coordinate"] = "by kind"


@dataclass(frozen=True)
class Layout:
    """One kind of network of one project.

    ``maps`` is the path of a linear map, with ``#`` for its number; they are numbered ``first``, ``first + step``, ...
    in the order in which they run. ``head`` is the path of the linear output: with ``#``, the number that follows;
    with ``@``, the number of the signal; None: the last of ``maps``. ``held`` names the tensor of each setting of the
    backbone that the file does hold, one a map; ``beside`` names tensors that may be there and change nothing.
    """

    name: str
    source: str
    backbone: str
    maps: str
    usual: Usual
    head: str | None = None
    first: int = 0
    step: int = 1
    held: Mapping[str, str] = with_default(default_factory=dict)
    encoding: Encoding | None = None
    beside: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The settings of the backbone that its files do not hold."""
        return tuple(name for name in SETTINGS.get(self.backbone, ()) if name not in self.held)

    @property
    def shown(self) -> str:
        """The tensors' names, for people."""
        head = self.head or self.maps
        return ", ".join(f"{path}.weight" for path in dict.fromkeys((self.maps, head)))


SETTINGS: Mapping[str, tuple[str, ...]] = {
    "siren": ("omega_0",),
    "finer": ("omega_0",),
    "gauss": ("scale",),
    "wire": ("omega_0", "scale"),
}
"""What decides the meaning of a backbone's weights beside their shapes."""

_KNOWN: dict[str, Layout] = {}


def enter(*layouts: Layout) -> None:
    """Makes layouts known to ``read_network``."""
    for layout in layouts:
        _KNOWN[layout.name] = layout


def known_layouts() -> dict[str, Layout]:
    """Every known layout by its name."""
    return dict(_KNOWN)


def layout_named(name: str) -> Layout:
    """The layout of a name.

    Raises:
        InputError: where there is none.
    """
    if name not in _KNOWN:
        raise InputError(f"layout {name!r} is not known; allowed are {', '.join(_KNOWN)}.")
    return _KNOWN[name]
