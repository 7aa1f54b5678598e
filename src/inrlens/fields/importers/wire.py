"""vishwa91/wire: ``get_INR`` with "siren", "gauss", "wire", and "relu" with and without positional encoding.

The scripts keep pictures and no weights; what is read here is a model's state dict. Coordinates are (column, row), both
from -1 to 1; pictures lie in [0, 1]. The complex network holds omega and scale as parameters. The encoding has the bare
coordinates first, then ``sin(2^j pi x)`` and ``cos(2^j pi x)`` of one coordinate after the other.
"""

import math

from inrlens.fields.importers.layout import Encoding, Layout, Usual, enter

_USUAL = Usual(omega_0="30", scale="10", axes="'xy'", output="(0.0, 1.0)")
_WAVES = Encoding("waves", first_angle=math.pi, order="by coordinate")
_HELD = {"omega_0": "net.#.omega_0", "scale": "net.#.scale_0"}

enter(
    Layout("wire_siren", "'siren' of WIRE's scripts", "siren", "net.#.linear", _USUAL, head="net.#"),
    Layout("wire_gauss", "'gauss' of WIRE's scripts", "gauss", "net.#.linear", _USUAL, head="net.#"),
    Layout("wire_wire", "'wire' of WIRE's scripts", "wire", "net.#.linear", _USUAL, head="net.#", held=_HELD),
    Layout("wire_relu", "'relu' of WIRE's scripts", "relu", "net.#.linear", _USUAL, head="net.#"),
    Layout(
        "wire_posenc", "'posenc' of WIRE's scripts", "posenc", "net.#.linear", _USUAL, head="net.#", encoding=_WAVES
    ),
)
