"""What fits it? Encoders, heads and backbones."""

from inrlens.fields import (
    ffmlp as ffmlp,  # importing a backbone's file registers it
    siren as siren,
)
