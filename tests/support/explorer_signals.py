"""Small explorers of a volume and of a sound."""

from dataclasses import replace
from pathlib import Path

import inrlens as il
from explored import Explored, explored
from inrlens.fields.siren import Siren
from inrlens.studies.plan import BackbonePlan, WalkthroughPlan
from inrlens.studies.walkthrough import run_walkthrough

VOLUME, SAMPLES, RATE = (8, 9, 10), 900, 8000


def _walk(place: Path, signals: list[il.Signal], backbone: Siren) -> None:
    recipe = il.Recipe("toy siren", backbone, steps=30, learning_rate=4e-3, record_every=15)
    part = BackbonePlan("siren", recipe, recipe, replace(recipe, backbone=None, steps=2))
    place.mkdir(parents=True)
    run_walkthrough(WalkthroughPlan((part,), 2, 24, 4, 20, 64, 1e-3), signals[:2], signals[2:], place)


def volume(folder: Path) -> Explored:
    """Three heads, of which the third is held out."""
    head = il.phantom(VOLUME)
    signals = [replace(head, name=f"head {at}", values=head.values * (1.0 - 0.2 * at)) for at in range(3)]
    return explored(folder, lambda place: _walk(place, signals, Siren(3, width=16, depth=3, omega_0=8.0)))


def sound(folder: Path) -> Explored:
    """Three parts of a word, of which the third is held out."""
    word = il.spoken_word(RATE).values
    parts = [word[600 + 500 * at : 600 + 500 * at + SAMPLES] for at in range(3)]
    signals: list[il.Signal] = [
        il.Recording(f"part {at}", part, (SAMPLES,), 16, rate=RATE) for at, part in enumerate(parts)
    ]
    omega = (400.0, 30.0, 30.0)
    return explored(folder, lambda place: _walk(place, signals, Siren(1, width=16, depth=3, omega_0=omega)))
