"""EmilienDupont/coin: ``Siren``, a picture a network, on [0, 1].

``util.py`` divides both indices by the height less one: of a picture of H by W pixels rows run from -1 to 1, columns
from -1 to ``2 (W - 1) / (H - 1) - 1``. ``main.py`` keeps the weights in float32 or, converted, in float16.
"""

from inrlens.fields.importers.layout import Layout, Usual, enter

enter(
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
    )
)
