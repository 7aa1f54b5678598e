"""Every statement of the paper has a line: a number, or the reason why there is none."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from inrlens.reports.published import FACTS
from inrlens.reports.study.tables.facts import COLUMNS, STATEMENTS, facts
from inrlens.reports.study.told import RecipeUse, ToldStudy, told
from study_rows import STUDY, made_up_store

NAMES = [f"{column.group} {column.name}".strip() for column in COLUMNS]
WHY = NAMES[-1]


@pytest.fixture(scope="module")
def study() -> ToldStudy:
    return told(made_up_store(), STUDY)


def line(study: ToldStudy, what: str, network: str | None = None) -> dict[str, Any]:
    """The only line of a statement, of a network where that is given."""
    (table,) = facts(study)
    rows = [dict(zip(NAMES, row, strict=True)) for row in table.rows]
    (found,) = [row for row in rows if row["what"] == what and network in (None, row["network"])]
    return found


def test_every_line_has_a_number_or_a_reason(study: ToldStudy) -> None:
    (table,) = facts(study)
    for row in table.rows:
        one = dict(zip(NAMES, row, strict=True))
        assert one["measured"] or one[WHY], row
        assert one["agrees"] in ("yes", "no", None)
        assert (one["agrees"] is None) == (one["measured"] is None)


def test_the_statements_are_those_of_the_paper() -> None:
    """17 of its protocol, 8 of freezing, 8 of dictionaries' sizes, 15 of atoms, some of them said in two parts."""
    counted = Counter(one.id.split(".")[0] for one in STATEMENTS)
    assert counted == {"protocol": 17, "tau_star": 2, "rank": 2, "transfer": 4, "sae": 8}
    assert len({(one.id, one.backbone, one.layers, one.where) for one in FACTS}) >= 15


def with_recipe(study: ToldStudy, *uses: RecipeUse) -> ToldStudy:
    return replace(study, recipes=uses)


def test_settings_agree_where_every_recipe_has_them(study: ToldStudy) -> None:
    paper = {"steps": 5000, "learning_rate": 1e-4, "backbone": {"name": "siren", "depth": 5, "width": 256}}
    same = with_recipe(study, RecipeUse("cohort", "siren", (), paper))
    other = with_recipe(study, *same.recipes, RecipeUse("cohort", "ffmlp", (), paper | {"steps": 600}))
    assert (line(same, "iterations, cohort")["measured"], line(same, "iterations, cohort")["agrees"]) == ("5000", "yes")
    assert line(other, "iterations, cohort")["measured"] == "600 and 5000"
    assert line(other, "iterations, cohort")["agrees"] == "no"
    assert line(same, "iterations, one picture")["measured"] is None
    assert "no single of this study is done" in line(same, "iterations, one picture")[WHY]


def test_passes_are_called_passes(study: ToldStudy) -> None:
    use = RecipeUse("transfer", "siren", (), {"steps": 500, "iteration": "pass", "batch": 16384})
    assert line(with_recipe(study, use), "iterations, transfer")["measured"] == "500 passes"


def test_means_over_pairs_are_those_of_all_nine(study: ToldStudy) -> None:
    found = line(study, "mean PSNR over pairs, no freeze", "SIREN")
    assert found["measured"] is None or found["agrees"] in ("yes", "no")
    few = replace(study, rows=replace(study.rows, transfers=study.rows.transfers[:1]))
    assert (
        "a mean over 9 pairs of source and target, of which this study has"
        in (line(few, "mean PSNR over pairs, no freeze", "SIREN")[WHY])
    )


def test_a_gain_by_size_is_the_mean_over_layers_of_a_doubling(study: ToldStudy) -> None:
    one = next(row for row in study.rows.dictionaries if (row.network, row.backbone) == ("cohort", "ffmlp"))
    rows = [
        replace(one, layer=layer, n_atoms=n, quality={**one.quality, "psnr": psnr})
        for n, psnrs in ((2048, (30.0, 20.0)), (4096, (30.2, 20.4)), (8192, (30.2, 20.2)))
        for layer, psnr in enumerate(psnrs)
    ]
    found = line(replace(study, rows=replace(study.rows, dictionaries=tuple(rows))), STATEMENTS[-2].what)
    assert float(found["measured"].split("\N{NARROW NO-BREAK SPACE}")[0]) == 0.3
    assert (found["agrees"], found["from"]) == ("yes", "2 doublings")


def test_without_a_counterpart_nothing_is_said(study: ToldStudy) -> None:
    data = tuple(replace(one, kind="folder", counterpart=None) for one in study.spec.data)
    assert facts(replace(study, spec=replace(study.spec, data=data))) == []
