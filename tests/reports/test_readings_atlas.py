"""Readings of hand-written atlases: what they say follows from the numbers, missing ones included."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import spearmanr

from inrlens.atoms.groups import GroupCurve
from inrlens.atoms.interactions import Interaction
from inrlens.atoms.match import LikenessSummary, MatchSummary
from inrlens.atoms.statistics import Spread
from inrlens.dictionaries.health import LayerHealth
from inrlens.reports.figures.canvas import SERIES
from inrlens.reports.figures.cloud import Dot
from inrlens.reports.figures.controls import control_panels
from inrlens.reports.figures.groups import group_panels
from inrlens.reports.figures.stability import stability_panels
from inrlens.reports.parts import Examined, examined
from inrlens.reports.rank_correlation import rank_correlation
from inrlens.reports.readings.controls import control_reading, control_verdict
from inrlens.reports.readings.every import cloud_reading
from inrlens.reports.readings.groups import group_reading, half_way, pair_reading
from inrlens.reports.readings.health import health_reading
from inrlens.reports.readings.stability import found_again, stability_reading
from inrlens.reports.readings.worst import worst_ten_reading
from inrlens.studies.record import AtlasRecord, DictionaryRow, RankedAtom, StabilityRow
from prose import says
from report_records import condition, layer, quality


def ranked(atom: int, drop: float, rank: int) -> RankedAtom:
    return RankedAtom(atom, drop, rank, 0.02, 0.03, 0.9, 3)


def curve(mode: Any, order: str, *psnr: float) -> GroupCurve:
    return GroupCurve(order, mode, (0, 1, 2, 4, 8)[: len(psnr)], psnr, sum(psnr) / len(psnr))


def row(name: str, r2: float, share: float, locality: float, pieces: float, area: float | None) -> DictionaryRow:
    quarter = Spread(0.1, 0.05, 0.2)
    return DictionaryRow(
        name=name,
        n_atoms=64,
        k=4,
        quality=replace(quality(), r2=r2, fvu=1.0 - r2),
        between=replace(quality(), r2=r2, fvu=1.0 - r2),
        active_fraction=Spread(share, share, share),
        locality=Spread(locality, 0.0, 1.0),
        pieces=Spread(pieces, 1.0, 9.0),
        psnr_drop=None if area is None else quarter,
        worst_drop=None if area is None else 3.0,
        removal_area=area,
    )


def likeness(mcc: float | None, above: float | None) -> LikenessSummary:
    return LikenessSummary(9, mcc, above, above, above, 0.5, 0.5)


def match(other: str, maps: float | None, above: float | None, cosine: float | None = 0.3) -> StabilityRow:
    directions = None if cosine is None else likeness(cosine, 0.0)
    summary = MatchSummary(64, 64, 60, 60, directions, likeness(maps, above), 0.25, 0.125)
    steps = tuple(step / 20.0 for step in range(21))
    return StabilityRow(other, summary, None if cosine is None else steps, None if cosine is None else steps, steps, ())


TRAINED = row("trained", 0.9, 0.01, 0.8, 2.0, 15.0)
CONTROLS = (
    row("random dictionary", 0.3, 0.02, 0.79, 8.0, 20.0),
    row("principal components", 0.5, 0.01, 0.1, 9.0, 18.0),
    row("neurons", 0.2, 0.2, 0.1, 9.0, 18.0),
    row("untrained network", 0.95, 0.02, 0.3, 2.0, None),
)
PLAIN = AtlasRecord(
    seconds=1.0,
    worst=(ranked(5, 4.0, 31), ranked(6, 3.0, 2), ranked(7, 1.0, 90)),
    support=None,
    locality=None,
    pieces=None,
    groups=(
        curve("remove", "psnr_drop", 30.0, 18.0, 15.0, 10.0),
        curve("remove", "random", 30.0, 29.0, 25.0, 10.0),
        curve("keep", "psnr_drop", 10.0, 21.0, 28.0, 30.0),
        curve("keep", "random", 10.0, 11.0, 12.0, 30.0),
    ),
    interactions=(Interaction(5, 7, 12, 0.4, 4.0, 1.0, 2.0),),
    rows=(TRAINED, *CONTROLS),
    stability=(match("seed 1", 0.8, 0.9), match("random dictionary", 0.2, 0.0), match("untrained network", 0.3, 0.1)),
)


def entry(**changes: Any) -> Examined:
    atlas = replace(PLAIN, **changes)
    mine = layer(2, atlas=atlas)
    return Examined(condition(layers=(mine,)), mine, atlas)


def test_layers_with_an_atlas_are_found_cohorts_first() -> None:
    single = condition("ffmlp", kind="single", layers=(layer(0), layer(1, atlas=PLAIN)))
    cohort = condition(layers=(layer(2, atlas=PLAIN),))
    assert [one.title for one in examined([single, cohort])] == ["Cohort SIREN, layer 2", "Single FFMLP, layer 1"]
    assert examined([condition(layers=(layer(0),)), condition()]) == []


def test_a_cloud_tells_what_its_atoms_cost() -> None:
    dots = [Dot(0.01, -0.5, 0.9), Dot(0.02, 0.25, math.nan), Dot(0.03, 1.0, 0.6), Dot(0.04, 4.0, 0.1)]
    costs = (4, "living atoms", "layer", 2, "cohort SIREN", "median", 0.62, "dB", "worst", 4, "dB")
    shares = (25, "%", "PSNR rises", 50, "%", "more than half", "rank correlation", "cost", "active fraction", 1)
    assert says(cloud_reading(entry(), dots), *costs, *shares)
    assert "rank correlation" not in cloud_reading(entry(), dots[:1])


def test_the_worst_are_placed_by_magnitude() -> None:
    placed = ("layer", 2, "cohort SIREN", "costs most", 4, "dB", "number", 31, "magnitude", 1, "of the", 3, "among", 3)
    assert says(worst_ten_reading(entry(), -0.25), *placed, "rank correlation", -0.25)
    far = worst_ten_reading(entry(worst=(ranked(5, 4.0, 31),)), None)
    assert says(far, 2, 4, 31, "none", 1, "among", 1, never="rank correlation")
    free = worst_ten_reading(entry(worst=(ranked(5, -0.1, 1),)), 0.5)
    assert says(free, "no atom costs", "layer", 2, "cohort SIREN")


def test_groups_say_how_many_atoms_half_of_the_picture_takes() -> None:
    worth = ("layer", 2, "cohort SIREN", "worth", 20, "dB", 30, "dB with", 10, "dB without")
    halves = ("gone", 1, "by cost", 4, "at random", "kept", 1, "by cost", 4, "at random", "back")
    assert says(group_reading(entry()), *worth, *halves)
    useless = entry(groups=(curve("remove", "psnr_drop", 20.0, 19.0, 21.0),))
    useless_said = ("layer", 2, "cohort SIREN", "not lower", 20, "dB with", 21, "dB without")
    assert says(group_reading(useless), *useless_said, never=("worth", "half"))
    kept = entry(groups=(curve("keep", "psnr_drop", 10.0, 30.0),))
    assert says(group_reading(kept), "20.0 dB", "30.0 dB with", "10.0 dB without", never="gone")
    assert half_way(curve("remove", "random", math.inf, 20.0, 10.0)) is None
    assert half_way(curve("remove", "random", 20.0, 20.0)) is None


def test_pairs_say_what_they_cost_apart_and_together() -> None:
    least = ("layer", 2, "cohort SIREN", 5, 7, "add up least", "excess", 0.4, "alone", 4, 1, "dB", "together", 2, "dB")
    assert says(pair_reading(entry()), *least)
    additive = pair_reading(entry(interactions=(Interaction(1, 2, 3, 0.001, None, None, None),)))
    assert says(additive, "layer", 2, "cohort SIREN", 1, 2, "nearly adds up", "excess", 0.001, never="alone")


def test_controls_say_what_training_gave_and_what_it_did_not() -> None:
    ahead = ("R²", 0.9, "principal components", 0.5, "few pieces", 2, "random dictionary", 8)
    area = ("removal area", 15, "dB", "principal components", 18, "dB", "not ahead")
    behind = ("locality", 80, "%", "random dictionary", 79, "%", "active fraction", 1, "%", "principal components", 1)
    untrained = ("untrained network", "level with it or ahead", "R²", 0.95, "few pieces", 2)
    lost = ("behind", "locality", 30, "%", "active fraction", 2, "%")
    where = ("layer", 2, "cohort SIREN", "trained", "ahead of every untrained one")
    assert says(control_reading(entry()), *where, *ahead, *area, *behind, *untrained, *lost)
    short = ("R²", "few pieces", "removal area", "not ahead", "locality", "active fraction")
    assert says(control_verdict(entry()), *where, *short)
    best = control_reading(entry(rows=(TRAINED, row("neurons", 0.1, 0.5, 0.1, 20.0, 30.0))))
    assert says(best, "ahead of every", never=("not ahead", "untrained network"))
    dead = replace(TRAINED, active_fraction=None, locality=None, pieces=None, removal_area=None)
    dead = replace(dead, quality=replace(quality(), fvu=math.nan, r2=math.nan))
    for read in (control_reading, control_verdict):
        assert says(read(entry(rows=(dead, *CONTROLS))), "layer", 2, "nothing", "measured", never="ahead")


def test_stability_is_read_beside_chance() -> None:
    again = ("layer", 2, "cohort SIREN", "seed", 1, 90, "%", "map", "none", "direction", "most are the same")
    beside = (0.8, "more alike", 0.2, "random dictionary", 0.3, "untrained network", "overlap", 0.25, "random", 0.12)
    assert says(stability_reading(entry()), *again, *beside, never=("other atoms", "no more"))
    chance = entry(stability=(match("seed 1", 0.31, 0.2), match("random dictionary", 0.3, 0.0)))
    assert says(stability_reading(chance), "most are other", "no more alike", "random dictionary", never="same atoms")
    alone = entry(stability=(match("random dictionary", 0.3, 0.0),))
    assert says(found_again(alone), "no other seed", "layer", 2, "cohort SIREN")
    assert stability_reading(alone) == found_again(alone)
    silent = entry(stability=(match("seed 1", None, None, None), match("random dictionary", None, None)))
    assert says(stability_reading(silent), "no map", never="more alike")


def health(number: int, gamma: float, dead_units: float, dimension: float) -> LayerHealth:
    return LayerHealth(number, 16, gamma, gamma, dead_units, dead_units, dimension, dimension)


def test_health_is_held_against_dead_atoms() -> None:
    def layers(*dead: float) -> Any:
        return condition(
            layers=tuple(
                layer(n, quality=quality(share), health=health(n, 1.0 + n, 0.1 * n, 9.0 - n))
                for n, share in enumerate(dead)
            )
        )

    together = (4, "dictionaries", "dead atoms", 1, "gamma", 1, "dead units", -1, "effective dimension")
    assert says(health_reading([layers(0.0, 0.1, 0.2, 0.4)]), *together, "less fit", "more dead", never="not")
    assert says(health_reading([layers(0.4, 0.1, 0.2, 0.3)]), "not go together", never=("loosely", "less fit"))
    assert says(health_reading([layers(0.1, 0.0, 0.2, 0.1, 0.2)]), "go together loosely", never="not")
    assert says(health_reading([layers(0.0, 0.0)]), "no atom", 2, "dictionaries", never="rank correlation")
    assert says(health_reading([layers(0.0, 0.3)]), 2, "dictionaries", "too few", never="rank correlation")
    alive = [layer(n, quality=quality(0.1 * n), health=health(n, 1.0 + n, 0.0, 9.0)) for n in range(4)]
    assert says(health_reading([condition(layers=tuple(alive))]), "undefined with dead units")


def test_panels_of_missing_and_infinite_numbers_are_drawn() -> None:
    odd = entry(
        rows=(TRAINED, replace(CONTROLS[0], active_fraction=None, quality=replace(quality(), r2=-math.inf))),
        groups=(curve("keep", "random", 10.0, math.inf), curve("remove", "random", math.inf, 10.0)),
        stability=(match("seed 1", None, None, None),),
    )
    assert len(control_panels([odd])) == 6
    assert [panel.title for panel in group_panels(odd, "g", SERIES[0])] == [
        "Cohort SIREN, layer 2: taken out",
        "Cohort SIREN, layer 2: kept alone",
    ]
    assert len(stability_panels(odd, "s", SERIES[0])) == 1
    assert len(stability_panels(entry(), "s", SERIES[0])) == 2


@given(
    st.lists(
        st.tuples(st.floats(-5.0, 5.0), st.sampled_from([0.0, 1.0, 2.0, math.nan, math.inf])), min_size=0, max_size=30
    )
)
def test_rank_correlation_is_spearmans(pairs: list[tuple[float, float]]) -> None:
    x, y = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = rank_correlation(x, y)
    kept = [(a, b) for a, b in pairs if math.isfinite(b)]
    if len(kept) < 3 or len({a for a, _ in kept}) == 1 or len({b for _, b in kept}) == 1:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(*np.array(kept).T).statistic, abs=1e-12)
