"""The page: written for every kind of run, self-contained, escaped, and the same twice."""

import math
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

import inrlens as il
import toys
from inrlens.fields.siren import Siren
from inrlens.reports.page import REPORT_FILE, write_report
from inrlens.signals.archive import load_signals, save_signals
from inrlens.studies.progress import Progress
from inrlens.studies.record import RunRecord, read_record, write_record
from inrlens.studies.run_folder import write_fit_run
from inrlens.studies.run_reader import OpenRun
from pages import GRID, Page, page, walk

WITHOUT_ATLAS = [
    "setup", "reconstructions", "ranks", "freeze", "gallery", "atoms", "ablations", "closing", "notes",
]  # fmt: skip


@pytest.fixture(scope="module")
def reported(walked: Path) -> Path:
    """The demo's run with its page; not to be changed."""
    write_report(walked)
    return walked


@pytest.fixture
def copy(walked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(walked, tmp_path / "copy"))


@pytest.fixture(params=["without figures", pytest.param("whole", marks=pytest.mark.slow)])
def drawn(copy: Path, request: pytest.FixtureRequest) -> Path:
    """A copy whose page is written soon, without its figures; slowly, the whole one."""
    if request.param == "without figures":
        request.getfixturevalue("undrawn")
    return copy


def test_a_demo_has_every_section(reported: Path) -> None:
    found = Page((reported / REPORT_FILE).read_text(encoding="utf-8"))
    sections = [attributes["id"] for attributes in found.all("section")]
    assert sections == [*WITHOUT_ATLAS[:-2], "every", "worst", "groups", "controls", "stability", *WITHOUT_ATLAS[-2:]]
    assert len(found.all("h1")) == 1
    for said in ("toy siren", "toy ffmlp", "Outside", "Fidelity", "2 held-out signals \N{MULTIPLICATION SIGN} 2 seeds"):
        assert said in found.text
    assert "Read this first" not in found.text


def test_the_page_is_self_contained_and_accessible(reported: Path) -> None:
    html = (reported / REPORT_FILE).read_text(encoding="utf-8")
    found = Page(html)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    for forbidden in ("http://", "https://", "@import", "<link", "#0102", "#0103", "<!--"):
        assert forbidden not in html
    assert html.count("<script>") == html.count("<script") == 1
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert html.count("url(") == html.count("url(#")
    for _, attributes in found.elements:
        assert attributes.get("src", "data:").startswith("data:image/png;base64,") or "src" not in attributes
        target = attributes.get("href", "#")
        assert target.startswith("#")
        assert target == "#" or target[1:] in found.ids
    images = found.all("img")
    assert len(images) > 100
    assert all(image["alt"].strip() and image["width"] and image["height"] for image in images)
    drawings = [svg for svg in found.all("svg") if "aria-hidden" not in svg]
    assert drawings
    assert all(svg["role"] == "img" and svg["aria-label"].strip() for svg in drawings)
    assert html.count("<figure") == html.count("<figcaption>") == html.count("</figcaption>")
    for caption in html.split("<figcaption>")[1:]:
        first = caption.split('<p class="reading">')[1].split("</p>")[0]
        assert first.strip().endswith(".")
    assert html.count("currentColor") > 0


def test_the_same_run_gives_the_same_bytes_and_nothing_else_is_touched(drawn: Path) -> None:
    write_report(drawn)
    before = {path: path.read_bytes() for path in drawn.rglob("*") if path.is_file()}
    assert write_report(drawn) == drawn / REPORT_FILE
    assert {path: path.read_bytes() for path in drawn.rglob("*") if path.is_file()} == before


def test_signal_names_are_escaped(drawn: Path) -> None:
    name = '<script>alert("x")</script> & $\\alpha_1$'
    record = read_record(drawn)
    write_record(drawn, replace(record, signals=(name, *record.signals[1:])))
    signals = load_signals(drawn / "signals.safetensors")
    signals[0] = replace(signals[0], name=name)
    (drawn / "signals.safetensors").unlink()
    save_signals(signals, drawn / "signals.safetensors")
    html = write_report(drawn).read_text(encoding="utf-8")
    assert html.count("<script") == 1
    assert "&lt;script&gt;" in html
    assert name in Page(html).text


def test_a_run_from_before_atlases_has_the_page_that_it_had(copy: Path, undrawn: None) -> None:
    record = read_record(copy)
    conditions = tuple(
        replace(c, layers=tuple(replace(layer, atlas=None, health=None) for layer in c.layers))
        for c in record.conditions
    )
    write_record(copy, replace(record, conditions=conditions))
    found = page(copy)
    assert [attributes["id"] for attributes in found.all("section")] == WITHOUT_ATLAS
    policy = next(meta["content"] for meta in found.all("meta") if "http-equiv" in meta)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert found.all("script") == found.all("canvas") == found.all("template") == []
    assert "Health of the layers" not in found.text
    assert "Locality" not in found.text


def test_bundled_photographs_are_credited(copy: Path) -> None:
    record = replace(read_record(copy), conditions=(), transfers=(), outcome="interrupted")
    write_record(copy, record)
    assert "Photographs by" not in page(copy).text
    cat, *_, dragonfly = il.photo_sources()
    write_record(copy, replace(record, signals=(cat.file, dragonfly.file, *record.signals[2:])))
    said = page(copy).text
    for source in (cat, dragonfly):
        assert source.author in said
        assert source.licence in said
    assert "NASA" not in said


@pytest.mark.parametrize(
    ("channels", "figures"), [(1, "unwritten"), pytest.param(3, "written", marks=pytest.mark.slow)]
)
def test_a_fit_a_cohort_and_a_transfer_have_a_page(
    tmp_path: Path, request: pytest.FixtureRequest, channels: int, figures: str
) -> None:
    if figures == "unwritten":
        request.getfixturevalue("unwritten")
    photos = toys.signals(3, GRID, channels)
    recipe = toys.recipe("ffmlp")
    one, many = il.fit(photos[0], recipe), il.fit_cohort(photos[:2], recipe)
    moved = il.transfer(many.field, photos[2], freeze=1, recipe=replace(recipe, backbone=None))
    for name, fitted, members in (("fit", one, photos[:1]), ("cohort", many, photos[:2]), ("moved", moved, photos[2:])):
        (tmp_path / name).mkdir()
        write_fit_run(tmp_path / name, fitted, members)
        found = page(tmp_path / name)
        sections = [attributes["id"] for attributes in found.all("section")]
        assert sections[:3] == ["setup", "reconstructions", "ranks"]
        assert "freeze" not in sections
        assert len(found.all("img")) == 3 * len(members)
    assert "layers 0 to 1 stayed frozen" in found.text


def test_a_sound_is_shown_as_wave_and_spectrogram(tmp_path: Path, unwritten: None) -> None:
    wave = toys.signal(0, (40,), 1)
    fitted = il.fit(wave, replace(toys.recipe(), backbone=Siren(coordinates=1, width=8, depth=2)))
    write_fit_run(tmp_path, fitted, [wave])
    found = page(tmp_path)
    assert len(found.all("img")) == 3
    assert "40, 1 channel" in found.text
    assert "Hann window of 32 samples, every 8" in found.text
    assert "SSIM are" not in found.text


@pytest.mark.parametrize(
    "stage",
    [
        "cohort SIREN fit",
        *(pytest.param(late, marks=pytest.mark.slow) for late in ("SIREN freeze sweep", "SIREN dictionaries")),
    ],
)
def test_an_interrupted_run_says_so_on_top(tmp_path: Path, unwritten: None, stage: str) -> None:
    asked: list[str] = []

    def listener(progress: Progress) -> None:
        if progress.stage == stage and progress.stage_done > 0.15 and not asked:
            asked.append(stage)
            signal.raise_signal(signal.SIGINT)

    record = walk(tmp_path / "run", listener)
    assert record.outcome == "interrupted"
    found = page(tmp_path / "run")
    assert found.text.index("Read this first") < found.text.rindex("What was run")
    assert "This run was interrupted" in found.text


def test_a_run_without_any_network_still_has_a_page(copy: Path, undrawn: None) -> None:
    write_record(copy, replace(read_record(copy), conditions=(), transfers=(), outcome="interrupted"))
    assert [a["id"] for a in page(copy).all("section")] == ["setup"]


def test_dead_dictionaries_and_values_that_are_no_numbers_are_shown(drawn: Path) -> None:
    record = read_record(drawn)
    conditions = []
    for condition in record.conditions:
        layers = tuple(
            replace(
                layer,
                active_fraction=None,
                ipr=None,
                top_atoms=(),
                top_magnitude=(),
                top_firing=(),
                psnr_drop=None,
                worst_atom=None,
                worst_atom_drop=None,
                worst_atom_rank=None,
                quality=replace(layer.quality, fidelity_psnr=math.inf, dead=1.0, alive=0.0, fvu=math.nan, psnr=None),
            )
            for layer in condition.layers
        )
        conditions.append(replace(condition, psnr=math.inf, psnrs=(math.nan,) * len(condition.psnrs), layers=layers))
    transfers = [replace(entry, psnr=math.nan if entry.freeze == 1 else math.inf) for entry in record.transfers]
    write_record(drawn, replace(record, conditions=tuple(conditions), transfers=tuple(transfers)))
    found = page(drawn)
    assert "No atom of this layer is alive" in found.text
    assert "\N{INFINITY}" in found.text


def test_damaged_runs_are_refused_in_one_sentence(copy: Path, undrawn: None) -> None:
    record = read_record(copy)
    with pytest.raises(il.InputError, match=r"holds no run\.json"):
        write_report(copy / "fields")

    def written(changed: RunRecord) -> Path:
        write_record(copy, changed)
        return copy

    first = record.conditions[0]
    outside = replace(record, conditions=(replace(first, file="../demo/fields/x.safetensors"),))
    with pytest.raises(il.InputError, match="lies outside the run's folder"):
        write_report(written(outside))
    with pytest.raises(il.InputError, match="lists 6 signals"):
        write_report(written(replace(record, signals=(*record.signals, "more"))))
    with pytest.raises(il.InputError, match="names signal 9"):
        write_report(written(replace(record, conditions=(replace(first, signals=(9,), psnrs=(30.0,)),))))
    with pytest.raises(il.InputError, match="does not fit the signals"):
        write_report(written(replace(record, conditions=(replace(first, signals=(0, 1), psnrs=(30.0, 30.0)),))))
    written(record)
    (copy / first.history).write_text("step,loss\nx,y\n", encoding="utf-8")
    with pytest.raises(il.InputError, match="could not be read as a fit's history"):
        write_report(copy)
    (copy / first.history).unlink()  # which alone is no fault: the next one is found behind it
    picture = next(copy.glob("transfers/*.png"))
    picture.write_bytes(picture.read_bytes()[:40])
    with pytest.raises(il.InputError, match="could not be read as an image"):
        write_report(copy)


def test_a_run_opens_each_field_once(reported: Path) -> None:
    run = OpenRun(reported)
    first = run.record.conditions[0]
    assert run.field(first) is run.field(first)
