"""A recipe made for pictures, for a signal of another kind."""

from dataclasses import replace
from typing import Any, TypeVar

from inrlens.fields.siren import Siren
from inrlens.fitting.meta_recipes import MetaRecipe
from inrlens.fitting.recipes import Recipe
from inrlens.signals.audio import Recording
from inrlens.signals.signal import Signal

AnyRecipe = TypeVar("AnyRecipe", Recipe, MetaRecipe)
_AUDIO_OMEGA, _OMEGA = 3000.0, 30.0


def adapt_recipe(recipe: AnyRecipe, signal: Signal) -> AnyRecipe:
    """The recipe with as many coordinates as the signal's grid has axes; all else stays but the name, and a
    picture's recipe whole.

    For a ``Recording``, a SIREN's first layer gets omega 3000 and the others 30: sound has far more periods over its
    axis than a picture over a side (Sitzmann et al. 2020, the audio experiment).
    """
    backbone: Any = recipe.backbone
    if backbone is None or backbone.coordinates == len(signal.shape):
        return recipe
    backbone = replace(backbone, coordinates=len(signal.shape))
    if isinstance(backbone, Siren) and isinstance(signal, Recording):
        backbone = replace(backbone, omega_0=(_AUDIO_OMEGA, *(_OMEGA for _ in range(backbone.depth - 1))))
    axes = "1 axis" if len(signal.shape) == 1 else f"{len(signal.shape)} axes"
    return replace(recipe, name=f"{recipe.name} on {axes}", backbone=backbone)
