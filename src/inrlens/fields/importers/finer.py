"""liuzhen0212/FINER: what ``train_image.py`` saves of ``Siren``, ``Finer``, ``Gauss``, ``Wire`` and ``PEMLP``.

Coordinates are (row, column), both from -1 to 1; pictures lie in [-1, 1], for PEMLP in [0, 1]. ``Wire`` holds omega and
scale as parameters. PEMLP's encoding has the bare coordinates first, then ``sin(2^j x)`` and ``cos(2^j x)`` without pi.
"""

from inrlens.fields.importers.layout import Encoding, Layout, Usual, enter

_USUAL = Usual(omega_0="30", scale="30", axes="'yx'", output="(-1.0, 1.0)")
_WAVES = Encoding("waves", first_angle=1.0, order="by kind")
_HELD = {"omega_0": "net.#.omega_0", "scale": "net.#.scale_0"}

enter(
    Layout("finer_siren", "Siren of FINER's scripts", "siren", "net.#.linear", _USUAL, head="net.#"),
    Layout("finer_finer", "Finer of FINER's scripts", "finer", "net.#.linear", _USUAL, head="net.#"),
    Layout("finer_gauss", "Gauss of FINER's scripts", "gauss", "net.#.linear", _USUAL, head="net.#"),
    Layout("finer_wire", "Wire of FINER's scripts", "wire", "net.#.linear", _USUAL, head="net.#", held=_HELD),
    Layout(
        "finer_pemlp",
        "PEMLP of FINER's scripts",
        "posenc",
        "net.#",
        Usual(axes="'yx'", output="(0.0, 1.0)"),
        step=2,
        encoding=_WAVES,
    ),
)
