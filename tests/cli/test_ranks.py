"""``inrlens ranks``: every registered score of a network's layers in a table and as JSON."""

from pathlib import Path

import pytest

import inrlens as il
import toys
from command import done, refused
from inrlens.ranks import scores
from inrlens.ranks.scores import SCORES, Score, layer_scores


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, il.Field]:
    field, path = toys.field(), tmp_path_factory.mktemp("ranks") / "a.safetensors"
    il.save(field, path)
    return path, field


@pytest.mark.parametrize("name", [name for name in SCORES if name != "stable-rank"])
def test_every_score_is_shown(name: str, saved: tuple[Path, il.Field]) -> None:
    path, field = saved
    wanted = {which: list(layer_scores(field)[which]) for which in SCORES[name].names}
    found = done("ranks", path, "--score", name, "--json").json
    assert found == {"score": name, "layers": {which: pytest.approx(layers) for which, layers in wanted.items()}}
    table = done("ranks", path, "--score", name).out
    weights = wanted[SCORES[name].weights]
    for layer, value in enumerate(weights):
        (row,) = [line for line in table.splitlines() if line.split()[:1] == [str(layer)]]
        assert f"{value:.{SCORES[name].digits}f}" in row.split()
        assert ("<- highest" in row) == (value == max(weights))


def test_a_score_of_one_entry_is_known_everywhere(
    saved: tuple[Path, il.Field], monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = Score("largest", "largest W", "largest H {}", 3, lambda singular_values: float(singular_values.max()))
    monkeypatch.setitem(scores.SCORES, "largest", largest)
    path, field = saved
    assert set(largest.names) <= set(layer_scores(field))
    assert done("ranks", path, "--score", "largest", "--json").json["score"] == "largest"


def test_the_page_of_help_names_every_score() -> None:
    text = " ".join(done("ranks", "--help").out.replace("│", " ").split())
    assert all(name in text for name in SCORES)


def test_a_score_that_is_not_known(saved: tuple[Path, il.Field]) -> None:
    assert "score 'rank' is not known; allowed are stable-rank, effective-rank, participation-ratio" in (
        refused("ranks", saved[0], "--score", "rank")
    )
