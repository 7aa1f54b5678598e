"""The layouts that are known: the names that other people's code gives its tensors, and what they stand for."""

import math
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


_ALPINE_USUAL = Usual(omega_0="30", scale="30", axes="'yx'", output="(0.0, 1.0)")
_ALPINE_RANDOM = Encoding("random", frequencies="model.0.B")
_ALPINE = (
    Layout("alpine_siren", "Siren of alpine", "siren", "model.#", _ALPINE_USUAL, step=2),
    Layout("alpine_gauss", "Gauss of alpine", "gauss", "model.#", _ALPINE_USUAL, step=2),
    Layout("alpine_finer", "Finer of alpine", "finer", "model.#", _ALPINE_USUAL, step=2),
    Layout(
        "alpine_ffn",
        "FFN of alpine",
        "ffmlp",
        "model.#",
        _ALPINE_USUAL,
        first=1,
        step=2,
        encoding=_ALPINE_RANDOM,
        # One parameter under two names.
        beside=("pos_encode.B",),
    ),
    Layout("strainer", "Strainer of alpine", "siren", "encoder.#", _ALPINE_USUAL, head="decoder.@.#", step=2),
)
"""kushalvyas/alpine: ``Siren``, ``Gauss``, ``Finer``, ``FFN`` and ``Strainer``, whose decoders are heads here.

Linear maps and activations take turns in one list. Its coordinates come from ``meshgrid`` with "ij": (row, column) for
``get_coords_nd(height, width)``; its ``get_coords2d`` gives (column, row), of which a square picture that is flattened
row by row sees the transpose. Targets are what the user makes them, [0, 1] in its notebooks.
"""

_COIN = (
    Layout(
        "coin",
        "Siren of COIN",
        "siren",
        "net.#.linear",
        Usual(
            omega_0="30",
            axes="'yx'",
            coordinates="((-1.0, 1.0), (-1.0, 2 (W - 1) / (H - 1) - 1)) for H by W pixels",
            output="(0.0, 1.0)",
        ),
        head="last_layer.linear",
    ),
)
"""EmilienDupont/coin: ``Siren``, a picture a network, on [0, 1].

``util.py`` divides both indices by the height less one: of a picture of H by W pixels rows run from -1 to 1, columns
from -1 to ``2 (W - 1) / (H - 1) - 1``. ``main.py`` keeps the weights in float32 or, converted, in float16.
"""

_FINER_USUAL = Usual(omega_0="30", scale="30", axes="'yx'", output="(-1.0, 1.0)")
_FINER_WAVES = Encoding("waves", first_angle=1.0, order="by kind")
_FINER_HELD = {"omega_0": "net.#.omega_0", "scale": "net.#.scale_0"}
_FINER = (
    Layout("finer_siren", "Siren of FINER's scripts", "siren", "net.#.linear", _FINER_USUAL, head="net.#"),
    Layout("finer_finer", "Finer of FINER's scripts", "finer", "net.#.linear", _FINER_USUAL, head="net.#"),
    Layout("finer_gauss", "Gauss of FINER's scripts", "gauss", "net.#.linear", _FINER_USUAL, head="net.#"),
    Layout(
        "finer_wire", "Wire of FINER's scripts", "wire", "net.#.linear", _FINER_USUAL, head="net.#", held=_FINER_HELD
    ),
    Layout(
        "finer_pemlp",
        "PEMLP of FINER's scripts",
        "posenc",
        "net.#",
        Usual(axes="'yx'", output="(0.0, 1.0)"),
        step=2,
        encoding=_FINER_WAVES,
    ),
)
"""liuzhen0212/FINER: what ``train_image.py`` saves of ``Siren``, ``Finer``, ``Gauss``, ``Wire`` and ``PEMLP``.

Coordinates are (row, column), both from -1 to 1; pictures lie in [-1, 1], for PEMLP in [0, 1]. ``Wire`` holds omega and
scale as parameters. PEMLP's encoding has the bare coordinates first, then ``sin(2^j x)`` and ``cos(2^j x)`` without pi.
"""

_INR_COLLECTION = (
    Layout(
        "inr_collection",
        "SIREN of INR-collection",
        "siren",
        "net.#.linear",
        Usual(coordinates=""),
        held={"omega_0": "net.#.omega_0"},
    ),
)
"""INR-collection: ``SIREN``. Each of its layers holds its omegas, one a unit; what it is fitted on is the user's."""

_SIREN_USUAL = Usual(omega_0="30", axes="'yx'", output="(-1.0, 1.0)")
_SIREN = (
    Layout("siren", "SingleBVPNet of vsitzmann/siren", "siren", "net.#.0", _SIREN_USUAL),
    Layout("siren_colab", "the Colab of vsitzmann/siren", "siren", "net.#.linear", _SIREN_USUAL, head="net.#"),
)
"""vsitzmann/siren: ``SingleBVPNet`` of its ``modules.py``, and ``Siren`` of its Colab notebook, which others retype.

omega is 30 in every sine of ``modules.py``. Pictures are fitted on [-1, 1] at coordinates (row, column), both from -1
to 1 (``dataio.py``). ``SingleBVPNet`` names its tensors alike whatever its nonlinearity; read here is its "sine".
"""

_SIREN_PYTORCH = (
    Layout(
        "siren_pytorch",
        "SirenNet of siren-pytorch",
        "siren",
        "layers.#",
        Usual(omega_0="(30.0, 1.0)", axes="'yx'", output="(0.0, 1.0)"),
        head="last_layer",
        beside=("grid",),
    ),
)
"""lucidrains/siren-pytorch: ``SirenNet``, alone or in ``SirenWrapper``.

By default omega is 30 in the first layer and 1 in the others. The wrapper's coordinates are (row, column), both from -1
to 1, and its targets are the pictures as they are given. Dropout does nothing once a network is trained.
"""

_WIRE_USUAL = Usual(omega_0="30", scale="10", axes="'xy'", output="(0.0, 1.0)")
_WIRE_WAVES = Encoding("waves", first_angle=math.pi, order="by coordinate")
_WIRE_HELD = {"omega_0": "net.#.omega_0", "scale": "net.#.scale_0"}
_WIRE = (
    Layout("wire_siren", "'siren' of WIRE's scripts", "siren", "net.#.linear", _WIRE_USUAL, head="net.#"),
    Layout("wire_gauss", "'gauss' of WIRE's scripts", "gauss", "net.#.linear", _WIRE_USUAL, head="net.#"),
    Layout("wire_wire", "'wire' of WIRE's scripts", "wire", "net.#.linear", _WIRE_USUAL, head="net.#", held=_WIRE_HELD),
    Layout("wire_relu", "'relu' of WIRE's scripts", "relu", "net.#.linear", _WIRE_USUAL, head="net.#"),
    Layout(
        "wire_posenc",
        "'posenc' of WIRE's scripts",
        "posenc",
        "net.#.linear",
        _WIRE_USUAL,
        head="net.#",
        encoding=_WIRE_WAVES,
    ),
)
"""vishwa91/wire: ``get_INR`` with "siren", "gauss", "wire", and "relu" with and without positional encoding.

The scripts keep pictures and no weights; what is read here is a model's state dict. Coordinates are (column, row), both
from -1 to 1; pictures lie in [0, 1]. The complex network holds omega and scale as parameters. The encoding has the bare
coordinates first, then ``sin(2^j pi x)`` and ``cos(2^j pi x)`` of one coordinate after the other.
"""

LAYOUTS: Mapping[str, Layout] = {
    layout.name: layout for layout in (*_ALPINE, *_COIN, *_FINER, *_INR_COLLECTION, *_SIREN, *_SIREN_PYTORCH, *_WIRE)
}
"""Every known layout by its name."""


def layout_named(name: str) -> Layout:
    """The layout of a name.

    Raises:
        InputError: where there is none.
    """
    if name not in LAYOUTS:
        raise InputError(f"layout {name!r} is not known; allowed are {', '.join(LAYOUTS)}.")
    return LAYOUTS[name]
