"""INR-collection: ``SIREN``. Each of its layers holds its omegas, one a unit; what it is fitted on is the user's."""

from inrlens.fields.importers.layout import Layout, Usual, enter

enter(
    Layout(
        "inr_collection",
        "SIREN of INR-collection",
        "siren",
        "net.#.linear",
        Usual(coordinates=""),
        held={"omega_0": "net.#.omega_0"},
    )
)
