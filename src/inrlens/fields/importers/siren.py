"""vsitzmann/siren: ``SingleBVPNet`` of its ``modules.py``, and ``Siren`` of its Colab notebook, which others retype.

omega is 30 in every sine of ``modules.py``. Pictures are fitted on [-1, 1] at coordinates (row, column), both from -1
to 1 (``dataio.py``). ``SingleBVPNet`` names its tensors alike whatever its nonlinearity; read here is its "sine".
"""

from inrlens.fields.importers.layout import Layout, Usual, enter

_USUAL = Usual(omega_0="30", axes="'yx'", output="(-1.0, 1.0)")

enter(
    Layout("siren", "SingleBVPNet of vsitzmann/siren", "siren", "net.#.0", _USUAL),
    Layout("siren_colab", "the Colab of vsitzmann/siren", "siren", "net.#.linear", _USUAL, head="net.#"),
)
