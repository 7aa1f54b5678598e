"""Dictionaries to hold another one against: of other seeds, of the untrained network, and of random atoms."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from inrlens.dictionaries.activations import encoder_digest, layer_rows
from inrlens.dictionaries.controls import random_dictionary
from inrlens.dictionaries.loop import SaeCallback
from inrlens.dictionaries.recipe import SaeRecipe
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.dictionaries.train import SaeFit, train_sae
from inrlens.errors import InputError
from inrlens.fields.field import Field, initial_field
from inrlens.fields.network import Network
from inrlens.interrupt import first_interrupt_asks
from inrlens.workers import cores, on_cores


@dataclass(frozen=True, eq=False)
class Companion:
    """A dictionary to hold another one against: what it is, in words, and the field whose layer it describes."""

    name: str
    field: Network
    sae: SparseAutoencoder


UNTRAINED = "untrained network"


def train_companions(
    field: Field,
    sae: SparseAutoencoder,
    *,
    seeds: int = 1,
    untrained: bool = True,
    callbacks: Sequence[SaeCallback] | None = None,
) -> list[Companion]:
    """Trains what a dictionary is compared with, by its own recipe, a core each: with the ``seeds`` seeds that follow
    its own, and on the network as it was before its fit.

    After Ctrl-C those that were not finished are left out.

    Raises:
        InputError: where the dictionary does not say how it was trained, or the network cannot be drawn again.
    """
    recipe = recipe_of(sae)
    first = sae.origin.seed
    jobs = [(f"seed {first + more}", field, first + more) for more in range(1, seeds + 1)]
    if untrained:
        # A seed of its own too: from the same draws its atoms would resemble those that they started as.
        jobs.append((UNTRAINED, initial_field(field), first + seeds + 1))

    def run(number: int) -> SaeFit:
        _, network, seed = jobs[number]
        numbers = {key: value for key, value in asdict(recipe).items() if key != "record_every"}
        callback = callbacks[number] if callbacks is not None else None
        return train_sae(network, sae.layer, **numbers, grid=sae.origin.grid, seed=seed, callback=callback)

    with first_interrupt_asks() as interrupt:

        def ask_the_others() -> None:
            interrupt.asked = True

        if field.device.type == "cpu" and len(jobs) > 1:
            found = on_cores(run, range(len(jobs)), cores(), ask_the_others)
        else:
            # One alone takes every core itself.
            found = [run(number) for number in range(len(jobs))]
    return [
        Companion(name, network, one.sae)
        for (name, network, _), one in zip(jobs, found, strict=True)
        if one.outcome != "interrupted"
    ]


def recipe_of(sae: SparseAutoencoder) -> SaeRecipe:
    """The recipe that a dictionary was trained by.

    Raises:
        InputError: where it does not say.
    """
    settings = sae.origin.settings
    names = [setting.name for setting in fields(SaeRecipe)]
    if any(name not in settings for name in names):
        raise InputError("this dictionary does not say how it was trained, so it cannot be trained again: train one.")
    return SaeRecipe(**{name: settings[name] for name in names})


def random_companion(field: Network, sae: SparseAutoencoder, grid: tuple[int, ...], seed: int) -> Companion:
    """A random dictionary of the same layer, n and k."""
    made = random_dictionary(
        layer_rows(field, sae.layer, grid),
        sae.layer,
        n_atoms=sae.n_atoms,
        k=sae.k,
        seed=seed,
        grid=grid,
        field_digest=encoder_digest(field, sae.layer),
    )
    return Companion("random dictionary", field, made)
