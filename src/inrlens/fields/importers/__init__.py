"""Can a network that somebody else's code saved be used here? One file a project, a table of layouts, one door."""

from inrlens.fields.importers import (
    alpine as alpine,  # importing a project's file enters its layouts
    coin as coin,
    finer as finer,
    inr_collection as inr_collection,
    siren as siren,
    siren_pytorch as siren_pytorch,
    wire as wire,
)
