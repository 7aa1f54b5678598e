"""kushalvyas/alpine: ``Siren``, ``Gauss``, ``Finer``, ``FFN`` and ``Strainer``, whose decoders are heads here.

Linear maps and activations take turns in one list. Its coordinates come from ``meshgrid`` with "ij": (row, column) for
``get_coords_nd(height, width)``; its ``get_coords2d`` gives (column, row), of which a square picture that is flattened
row by row sees the transpose. Targets are what the user makes them, [0, 1] in its notebooks.
"""

from inrlens.fields.importers.layout import Encoding, Layout, Usual, enter

_USUAL = Usual(omega_0="30", scale="30", axes="'yx'", output="(0.0, 1.0)")
_RANDOM = Encoding("random", frequencies="model.0.B")

enter(
    Layout("alpine_siren", "Siren of alpine", "siren", "model.#", _USUAL, step=2),
    Layout("alpine_gauss", "Gauss of alpine", "gauss", "model.#", _USUAL, step=2),
    Layout("alpine_finer", "Finer of alpine", "finer", "model.#", _USUAL, step=2),
    Layout(
        "alpine_ffn",
        "FFN of alpine",
        "ffmlp",
        "model.#",
        _USUAL,
        first=1,
        step=2,
        encoding=_RANDOM,
        # One parameter under two names.
        beside=("pos_encode.B",),
    ),
    Layout("strainer", "Strainer of alpine", "siren", "encoder.#", _USUAL, head="decoder.@.#", step=2),
)
