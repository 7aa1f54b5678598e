"""lucidrains/siren-pytorch: ``SirenNet``, alone or in ``SirenWrapper``.

By default omega is 30 in the first layer and 1 in the others. The wrapper's coordinates are (row, column), both from -1
to 1, and its targets are the pictures as they are given. Dropout does nothing once a network is trained.
"""

from inrlens.fields.importers.layout import Layout, Usual, enter

enter(
    Layout(
        "siren_pytorch",
        "SirenNet of siren-pytorch",
        "siren",
        "layers.#",
        Usual(omega_0="(30.0, 1.0)", axes="'yx'", output="(0.0, 1.0)"),
        head="last_layer",
        beside=("grid",),
    )
)
