"""What fits it? Encoders, heads and backbones."""

from inrlens.fields import (
    ffmlp as ffmlp,  # importing a backbone's file registers it
    finer as finer,
    gauss as gauss,
    hashgrid as hashgrid,
    posenc as posenc,
    relu as relu,
    siren as siren,
    wire as wire,
    wire_real as wire_real,
)
