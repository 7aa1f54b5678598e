"""A study's tables hold the numbers of its rows and the paper's, and its page holds its tables."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from inrlens.errors import InputError
from inrlens.reports.published import FREEZE_GAIN, TAU_STAR
from inrlens.reports.study import drawn
from inrlens.reports.study.page import study_page, write_study_report
from inrlens.reports.study.published import TABLES, counterpart, published
from inrlens.reports.study.table import Cell, Column, Interval, PlusMinus, StudyTable, flat, shown, without_empty
from inrlens.reports.study.tables.against import frozen_against_none
from inrlens.reports.study.tables.axes import effects
from inrlens.reports.study.tables.cohorts import cohorts
from inrlens.reports.study.tables.every import study_tables, tables_by_section
from inrlens.reports.study.tables.failures import failures
from inrlens.reports.study.tables.setup import setup
from inrlens.reports.study.tables.table_1 import table_1
from inrlens.reports.study.told import ToldStudy, told
from inrlens.studies.config.model import DataSpec
from inrlens.studies.tables.records import TransferRow
from prose import says, sentence
from study_rows import DATA, IMAGES, STUDY, MadeUpStore, failed, made_up_figure, made_up_store, waiting

NINE = [(source, target) for source in TABLES for target in TABLES]


@pytest.fixture(scope="module", autouse=True)
def _one_figure() -> Iterator[None]:
    """The figures have tests of their own and take seconds; one stands for them here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn, "all_figures", lambda store, study: [made_up_figure()])
        yield


@pytest.fixture(scope="module")
def store() -> MadeUpStore:
    return made_up_store()


@pytest.fixture(scope="module")
def small() -> MadeUpStore:
    """One seed and two pictures, where it does not matter how many."""
    return made_up_store(images=IMAGES[:2], seeds=(0,))


@pytest.fixture(scope="module")
def study(store: MadeUpStore) -> ToldStudy:
    return told(store, STUDY)


@pytest.fixture(scope="module")
def tables(study: ToldStudy) -> dict[str, StudyTable]:
    return {table.name: table for table in study_tables(study)}


@pytest.fixture(scope="module")
def page(store: MadeUpStore) -> str:
    return study_page(store, STUDY)


def line(table: StudyTable, **wanted: Cell) -> dict[str, Any]:
    """The one row with these cells, by full names of columns without units."""
    names = [f"{column.group} {column.name}".strip() for column in table.columns]
    found = [dict(zip(names, row, strict=True)) for row in table.rows]
    (one,) = [row for row in found if all(row[name] == value for name, value in wanted.items())]
    return one


def of(study: ToldStudy, setting: str, **wanted: Any) -> list[TransferRow]:
    return [
        row
        for row in study.rows.transfers
        if row.setting == setting and all(getattr(row, name) == value for name, value in wanted.items())
    ]


def image_means(rows: list[TransferRow], measure: str = "psnr") -> list[float]:
    return [fmean(getattr(row, measure) for row in rows if row.image == image) for image in IMAGES]


@pytest.mark.parametrize("backbone", sorted(FREEZE_GAIN))
def test_the_published_sweep_gives_the_published_table_1(backbone: str) -> None:
    star, gain = TAU_STAR[backbone], FREEZE_GAIN[backbone]
    none, frozen = ([published(*pair, backbone, tau) for pair in NINE] for tau in (None, star))
    assert all(none)
    assert all(frozen)
    assert fmean(one.psnr_mean for one in none if one) == pytest.approx(gain.none, abs=0.006)
    assert fmean(one.psnr_mean for one in frozen if one) == pytest.approx(gain.frozen, abs=0.006)
    ahead = sum(b.psnr_mean > a.psnr_mean for a, b in zip(none, frozen, strict=True) if a and b)
    assert (ahead, len(NINE)) == (gain.ahead, gain.pairs)


def test_every_published_setting_is_there_and_nothing_else() -> None:
    for source, target in NINE:
        for backbone in ("siren", "ffmlp"):
            for tau in range(5):
                one = published(source, target, backbone, tau)
                assert one is not None
                assert one.sr_w is not None
                assert 1.0 <= one.sr_w <= 256.0
                assert 0.0 < one.ssim_mean < 1.0
            unfrozen = published(source, target, backbone, None)
            assert unfrozen is not None
            assert unfrozen.sr_w is None
    assert published("CelebA", "Kodak", "siren", 5) is None
    assert published("CelebA", "photos", "siren", 1) is None
    one = published("CelebA", "Kodak", "siren", 1)
    assert one is not None
    assert (one.psnr_mean, one.psnr_std, one.ssim_mean, one.lpips_mean) == (39.77, 1.99, 0.9754, 0.0111)
    assert (one.sr_w, one.sr_h) == (32.45, 32.26)


@pytest.mark.parametrize(
    ("kind", "named"),
    [("celeba", "CelebA"), ("celeba-hq", "CelebA"), ("kodak", "Kodak"), ("oasis", "OASIS"), ("folder", None)],
)
def test_a_data_set_stands_beside_the_paper_s_of_its_kind(kind: Any, named: str | None) -> None:
    data = DataSpec("mine", kind, "somewhere")
    assert counterpart(data) == named
    assert counterpart(replace(data, counterpart="OASIS")) == "OASIS"


def test_table_1_is_the_rows_beside_the_paper(study: ToldStudy, tables: dict[str, StudyTable]) -> None:
    where = {"source": "faces", "target": "kodak", "backbone": "SIREN"}
    none = of(study, "none", source="faces", target="kodak", backbone="siren")
    frozen = of(study, "reinit 1", source="faces", target="kodak", backbone="siren")
    unfrozen_line = line(tables["table1"], **where, setting="no freeze")
    means = image_means(none)
    assert unfrozen_line["PSNR measured"].mean == pytest.approx(fmean(means))
    assert unfrozen_line["PSNR measured"].sd == pytest.approx(stdev(means))
    assert unfrozen_line["PSNR published"] == 30.93
    assert unfrozen_line["PSNR difference"] == pytest.approx(fmean(means) - 30.93)
    assert (unfrozen_line["pictures"], unfrozen_line["seeds"]) == (3, 2)
    frozen_line = line(tables["table1"], **where, setting="τ = 1, published τ*")
    gains = [b - a for a, b in zip(means, image_means(frozen), strict=True)]
    assert frozen_line["frozen less no freeze measured"] == pytest.approx(fmean(gains))
    assert frozen_line["frozen less no freeze published"] == pytest.approx(39.77 - 30.93)
    interval = frozen_line["frozen less no freeze 95 % interval"]
    assert min(gains) <= interval.low <= fmean(gains) <= interval.high <= max(gains)


def test_table_1_states_the_best_depth_beside_the_published_one(
    study: ToldStudy, tables: dict[str, StudyTable]
) -> None:
    means = {
        tau: fmean(row.psnr for row in of(study, f"reinit {tau}", source="mri", target="mri", backbone="siren"))
        for tau in range(5)
    }
    best = max(means, key=lambda tau: means[tau])
    lines = [row[3] for row in tables["table1"].rows if row[:3] == ("mri", "mri", "SIREN")]
    star = "τ = 1, published τ*"
    assert lines == (
        ["no freeze", star, f"τ = {best}, best here"] if best != 1 else ["no freeze", f"{star}, best here"]
    )


def test_the_last_lines_of_table_1_are_means_over_pairs(study: ToldStudy, tables: dict[str, StudyTable]) -> None:
    row = line(tables["table1"], source="all", backbone="FFMLP", setting="no freeze")
    pairs = [
        fmean(image_means(of(study, "none", source=source, target=target, backbone="ffmlp")))
        for source in DATA
        for target in DATA
    ]
    assert row["PSNR measured"].mean == pytest.approx(fmean(pairs))
    assert row["PSNR measured"].sd is None
    # One of the three data sets has no counterpart, so the published mean is not over the same pairs.
    assert row["PSNR published"] is None
    assert row["target"] == "9 pairs"


def test_tables_3_to_5_are_the_rows_beside_the_paper(study: ToldStudy, tables: dict[str, StudyTable]) -> None:
    assert {"table3-faces", "table4-kodak", "settings-mri"} <= set(tables)
    table = tables["table3-faces"]
    row = line(table, target="kodak", backbone="FFMLP", setting="τ = 2")
    theirs = published("CelebA", "Kodak", "ffmlp", 2)
    assert theirs is not None
    rows = of(study, "reinit 2", source="faces", target="kodak", backbone="ffmlp")
    for measure in ("psnr", "ssim", "lpips"):
        title, means = measure.upper(), image_means(rows, measure)
        assert row[f"{title} measured"].mean == pytest.approx(fmean(means))
        assert row[f"{title} measured"].sd == pytest.approx(stdev(means))
        mean, sd = getattr(theirs, f"{measure}_mean"), getattr(theirs, f"{measure}_std")
        assert row[f"{title} published"] == PlusMinus(mean, sd)
        assert row[f"{title} difference"] == pytest.approx(fmean(means) - mean)
    pairs = [[one.psnr for one in rows if one.image == image] for image in IMAGES]
    assert row["PSNR sd over seeds"] == pytest.approx(fmean((a - b) ** 2 / 2.0 for a, b in pairs) ** 0.5)
    cohort = next(one for one in study.rows.cohorts if (one.source, one.backbone) == ("faces", "ffmlp"))
    assert row["sr(W) measured"] == cohort.scores["sr(W)"][2]
    assert row["sr(H) post measured"] == cohort.scores["sr(H) post"][2]
    assert (row["sr(W) published"], row["sr(H) published"]) == (theirs.sr_w, theirs.sr_h)
    warm = line(table, target="kodak", backbone="FFMLP", setting="τ = 2, warm")
    assert warm["PSNR published"] is None
    scratch = line(table, target="kodak", backbone="FFMLP", setting="from scratch")
    assert scratch["PSNR published"] is None
    assert len(table.rows) == len(DATA) * 2 * 12
    assert "PSNR published" not in [f"{one.group} {one.name}" for one in tables["settings-mri"].columns]


def test_warm_is_held_against_reinitialised_at_every_depth(study: ToldStudy, tables: dict[str, StudyTable]) -> None:
    table = tables["warm"]
    assert [row[1] for row in table.rows] == [f"τ = {tau}" for tau in range(5)] * 2
    row = line(table, backbone="SIREN", setting="τ = 3")
    warm, reinit = (fmean(row.psnr for row in of(study, f"{rest} 3", backbone="siren")) for rest in ("warm", "reinit"))
    assert row["difference"] == pytest.approx(warm - reinit)
    assert row["pairs"] == 9
    assert row["pictures"] == 9
    assert row["told apart"] == "yes"
    assert len(tables["warm-pairs"].rows) == 9 * 2 * 5


def test_frozen_is_held_against_no_freeze_with_the_paper_s_gain_over_the_same_pairs(
    tables: dict[str, StudyTable],
) -> None:
    pair = line(tables["frozen-pairs"], source="faces", target="kodak", backbone="SIREN", setting="τ = 1")
    assert pair["published"] == pytest.approx(39.77 - 30.93)
    assert (
        line(tables["frozen-pairs"], source="faces", target="mri", backbone="SIREN", setting="τ = 1")["published"]
        is None
    )
    # Two of nine pairs would pass for all of them.
    assert "published" not in [column.name for column in tables["frozen"].columns]


def test_predictors_stand_beside_fixed_layers_and_chance(tables: dict[str, StudyTable]) -> None:
    table = tables["predictors"]
    assert [row[0] for row in table.rows][-3:] == ["layer 0", "layer 1", "random"]
    for row in table.rows:
        one = dict(zip([f"{column.group} {column.name}".strip() for column in table.columns], row, strict=True))
        assert one["configurations share right"] == pytest.approx(
            100.0 * one["configurations right"] / one["configurations of"]
        )
        assert 0.0 <= one["PSNR lost mean"] <= one["PSNR lost worst"]
        assert one["networks of"] == 6


def test_the_best_for_a_budget_is_the_highest_of_all_settings(study: ToldStudy, tables: dict[str, StudyTable]) -> None:
    row = line(tables["budgets"], backbone="SIREN", budget="500 steps")
    settings = {one.setting for one in study.rows.transfers}
    means = {setting: fmean(one.psnr for one in of(study, setting, backbone="siren")) for setting in settings}
    assert row["best setting"] == "no freeze"
    assert max(means, key=lambda setting: means[setting]) == "none"
    assert row["PSNR"] == pytest.approx(means["none"])


def test_dictionaries_and_atoms_have_a_line_a_layer(study: ToldStudy, tables: dict[str, StudyTable]) -> None:
    assert len(tables["dictionaries"].rows) == len(tables["atoms"].rows) == 2 * 2 * 5
    (one,) = [
        row for row in study.rows.dictionaries if (row.network, row.backbone, row.layer) == ("cohort", "siren", 3)
    ]
    row = line(tables["dictionaries"], network="Cohort SIREN", layer=3)
    assert row["on the grid R²"] == one.quality["r2"]
    assert row["on the grid dead"] == pytest.approx(100.0 * one.quality["dead"])
    atoms = line(tables["atoms"], network="Cohort SIREN", layer=3)
    (found,) = [
        row.found for row in study.rows.analyses if (row.network, row.backbone, row.layer) == ("cohort", "siren", 3)
    ]
    assert atoms["active fraction median"] == pytest.approx(100.0 * found["active_fraction"]["median"])
    assert atoms["strongest atom magnitude"] == found["top_magnitude"][0]
    assert atoms["PSNR lost without one atom worst"] == 9.5
    worst = line(tables["facts"], network="Cohort SIREN", what="most PSNR lost without one atom")
    assert worst["paper published"].startswith("about 9.20")
    assert worst["measured"].startswith("9.50")
    assert worst["agrees"] == "yes"


def test_a_store_without_cells_has_a_page_without_findings() -> None:
    empty = MadeUpStore([])
    assert {table.name for table in study_tables(told(empty, STUDY))} == {"data"}
    assert "A made-up study" in study_page(empty, STUDY)


def test_a_running_study_says_how_far_it_is(small: MadeUpStore) -> None:
    cells = [waiting(cell) if at % 2 and cell.kind == "transfer" else cell for at, cell in enumerate(small.cells)]
    half = MadeUpStore(cells)
    found = told(half, STUDY)
    done, planned = found.done["transfer"], found.planned["transfer"]
    assert done < planned
    (first,) = table_1(found)
    assert says(first.note, "so far", f"{done} of {planned} transfers")
    assert "The study is not finished" in study_page(half, STUDY)
    assert not any("So far" in table.note for table in cohorts(found))


def test_failures_are_told_with_their_sentences(small: MadeUpStore) -> None:
    cells = [*small.cells]
    at = next(at for at, cell in enumerate(cells) if cell.place.get("freeze") == 2)
    cells[at] = failed(cells[at], "the worker <died> of memory.")
    broken = MadeUpStore(cells)
    (table,) = failures(told(broken, STUDY))
    assert [row[0] for row in table.rows] == ["transfer"]
    assert "tau 2, reinit" in str(table.rows[0][1])
    html = study_page(broken, STUDY)
    assert says(sentence(html, "left out"), "1 cell failed")
    assert "the worker &lt;died&gt; of memory." in html


def test_lpips_that_is_lacking_is_said_and_has_no_column() -> None:
    store = made_up_store(images=IMAGES[:1], seeds=(0,), lpips=False)
    found = tables_by_section(told(store, STUDY))["settings"]
    table = next(table for table in found if table.name == "settings-mri")
    assert not any(column.group == "LPIPS" for column in table.columns)
    assert says(study_page(store, STUDY), "LPIPS was not")


def test_axes_are_told_apart_by_their_recipe(small: MadeUpStore) -> None:
    kept = [cell for cell in small.cells if cell.kind in ("cohort", "transfer")]
    varied = []
    for rate, gain in ((1e-4, 0.0), (5e-4, 3.0)):
        for cell in kept:
            if cell.kind == "cohort":
                varied += [cell] if gain == 0.0 else []
                continue
            assert cell.result is not None
            place = {**cell.place, "variant": {"transfer.learning_rate": rate}}
            result = {**cell.result, "psnr": cell.result["psnr"] + gain}
            recipe = {**cell.settings["recipe"], "learning_rate": rate}
            varied.append(
                replace(cell, key=f"{cell.key} {rate}", place=place, result=result, settings={"recipe": recipe})
            )
    found = told(MadeUpStore(varied), STUDY)
    tables = {table.name: table for make in (effects, frozen_against_none, setup) for table in make(found)}
    widths = [row for row in tables["effects"].rows if row[:2] == ("SIREN", "transfer.learning_rate")]
    assert [row[2] for row in widths] == ["0.0001", "0.0005"]
    assert widths[0][4] == pytest.approx(3.0)
    rows = line(tables["frozen"], backbone="SIREN", recipe="transfer.learning_rate = 0.0005", setting="τ = 0")
    plain = line(tables["frozen"], backbone="SIREN", recipe="transfer.learning_rate = 0.0001", setting="τ = 0")
    assert rows["difference"] == pytest.approx(plain["difference"])
    assert len(tables["recipes-transfer"].rows) == 4


class _Page(HTMLParser):
    """Checks that elements are closed in order; keeps anchors, links and addresses."""

    VOID = frozenset({"meta", "link", "br", "img", "hr", "path", "circle", "use", "rect", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if tag == "a" else []
        self.loaded += [value or "" for name, value in attrs if name in ("src", "data", "action")] + (
            [tag] if tag in ("script", "link", "iframe", "object") else []
        )
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_loads_nothing_and_has_every_table(page: str, tables: dict[str, StudyTable]) -> None:
    found = _Page()
    found.feed(page)
    assert found.open == []
    assert all(address.startswith("data:") for address in found.loaded)
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)
    assert {f"table-{name}" for name in tables} <= set(found.ids)
    # The figure stands in the section that its name tells, before the section's tables.
    assert found.ids.index("freeze") < found.ids.index("figure-freeze-siren") < found.ids.index("table-table1")
    assert len(set(found.ids)) == len(found.ids)


def test_the_page_shows_a_table_s_numbers(page: str, tables: dict[str, StudyTable]) -> None:
    table = tables["warm"]
    (body,) = re.findall(r'<table id="table-warm">.*?</table>', page, re.DOTALL)
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", body[body.index("<tbody>") :])
    assert cells == [shown(cell, column) for row in table.rows for cell, column in zip(row, table.columns, strict=True)]


def test_the_page_says_how_to_get_it_again_and_what_is_not_the_paper_s(page: str) -> None:
    assert "inrlens study report FILE.toml" in page
    assert "1\N{NARROW NO-BREAK SPACE}270 of 1\N{NARROW NO-BREAK SPACE}270 done" in page
    beside = sentence(page, "no published").rpartition(";")[2]
    assert says(beside, "no published", "mri", never=("faces", "kodak"))
    assert "faces 109 × 89" in page


def test_the_same_store_gives_the_same_page(tmp_path: Path) -> None:
    store = made_up_store(images=IMAGES[:1], seeds=(0,))
    path = write_study_report(store, STUDY, tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == study_page(store, STUDY)


def test_a_study_that_names_a_recipe_s_file_that_moved_is_told_all_the_same(store: MadeUpStore) -> None:
    moved = replace(store, source=store.source.replace('recipe = "paper"', 'recipe = "gone/best.toml"'))
    assert told(moved, STUDY).spec.data == told(store, STUDY).spec.data


def test_a_file_that_is_no_study_any_more_is_refused(store: MadeUpStore) -> None:
    with pytest.raises(InputError, match="the file of study 'made-up' has 1 fault"):
        told(replace(store, source=store.source + "\n[unheard_of]\n"), STUDY)


COLUMNS = (
    Column("a"),
    Column("b", "count"),
    Column("c", "number", "dB", 1, sign=True, group="g"),
    Column("d", "spread", "dB"),
    Column("e", "interval", "dB"),
)


def test_cells_are_shown_by_their_columns() -> None:
    row: tuple[Cell, ...] = ("x", 1234, 0.26, PlusMinus(1.0, 0.5), Interval(-1.0, 2.0))
    texts = [shown(cell, column) for cell, column in zip(row, COLUMNS, strict=True)]
    assert texts == ["x", "1\N{NARROW NO-BREAK SPACE}234", "+0.3", "1.00 ± 0.50", "−1.00 to 2.00"]
    assert shown(None, COLUMNS[3]) == "–"
    assert shown(PlusMinus(1.0, None), COLUMNS[3]) == "1.00"


def test_a_flat_table_has_every_number_in_a_column_of_its_own() -> None:
    table = StudyTable("t", "T", "", COLUMNS, (("x", 1, 0.5, PlusMinus(1.0, 0.5), None),))
    headings, rows = flat(table)
    assert headings == ("a", "b", "g c (dB)", "d (dB)", "d (dB), sd over pictures", "e (dB), low", "e (dB), high")
    assert rows == [("x", 1, 0.5, 1.0, 0.5, None, None)]
    kept = without_empty(table)
    assert [column.name for column in kept.columns] == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="not of its 5 columns"):
        StudyTable("t", "T", "", COLUMNS, (("x",),))


def test_every_table_s_headings_are_its_own(tables: dict[str, StudyTable]) -> None:
    for table in tables.values():
        headings, rows = flat(table)
        assert len(set(headings)) == len(headings), table.name
        assert all(len(row) == len(headings) for row in rows)
