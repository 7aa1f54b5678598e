"""The program's verbs, end to end on tiny pictures."""

import math
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import inrlens as il
from command import BRIEF, SIZE, done, leftovers, photo, run
from inrlens.cli.program import _VERBS
from inrlens.cli.progress import told_where_slow
from inrlens.cli.study.app import VERBS as STUDY
from inrlens.studies.record import read_record

pytestmark = pytest.mark.usefixtures("undrawn")

VERBS = [name for _, name, *_ in _VERBS]


def test_json_holds_numbers_that_are_none(tmp_path: Path) -> None:
    picture, out = photo(tmp_path / "a.png"), tmp_path / "run"
    found = run("fit", picture, *BRIEF, "--backbone", "ffmlp", "--steps", 25, "--lr", 1e20, "-o", out, "--json").json
    assert found["outcome"] == "diverged"
    assert math.isnan(float(found["divergences"][0]["psnr"]))
    assert run("info", out, "--json").code == 0


def test_the_verbs_are_those_of_the_design() -> None:
    first = ["demo", "fit", "cohort", "ranks", "transfer", "sae", "atoms", "atlas", "match", "sweep", "ablate", "edit"]
    last = ["explore", "import", "export", "push", "pull", "report", "info", "weights", "meta"]
    assert sorted(VERBS) == sorted([*first, *last])


def test_help_needs_no_torch() -> None:
    program = (
        "import sys; from inrlens.cli.main import main; "
        "main(['--help']); main(['sae', '--help']); main(['--version']); "
        "heavy = {'torch', 'numpy', 'PIL', 'matplotlib', 'safetensors'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_page_ends_with_an_example_that_fits(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = done(verb, "--help").out
    lines = [line.strip() for line in page.partition("Example")[2].splitlines()[1:] if line.strip()]
    assert lines
    assert all(line.startswith(f"inrlens {verb}") for line in lines)
    assert "--json" in page


@pytest.mark.parametrize("verb", [(), ("study",), *((name,) for name in VERBS), *(("study", v[1]) for v in STUDY)])
def test_help_speaks_of_values_in_words(verb: tuple[str, ...]) -> None:
    page = done(*verb, "--help").out
    assert not re.search(r"<\w", page)
    assert "...}" not in page


def test_flags_have_no_value_on_a_help_page() -> None:
    page = done("fit", "--help").out
    assert re.search(r"--force +Replace the output", page)
    assert re.search(r"--recipe +paper\|fast\|small ", page)
    assert re.search(r"FILE +An image, a NIfTI or a sound file", page)
    assert "Usage: inrlens push [OPTIONS] {RUN|FILE}... {OWNER/NAME}" in done("push", "--help").out


def test_no_arguments_show_the_help() -> None:
    assert "Usage: inrlens" in done().out
    assert done("study").out == done("study", "--help").out
    assert "Usage: inrlens study" in done("study").out


def test_ctrl_c_before_the_program_is_loaded_is_one_sentence(tmp_path: Path) -> None:
    press = "import signal, sys; signal.raise_signal(signal.SIGINT)"
    (tmp_path / "typer.py").write_text(press)
    (tmp_path / "rich.py").write_text(press)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from inrlens.cli.main import main; sys.exit(main())"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "error: stopped by Ctrl-C; nothing half-written was left behind.\n"


def test_version() -> None:
    assert done("--version").out == f"inrlens {il.__version__}\n"


def test_fit_writes_a_run_and_tells_its_numbers(tmp_path: Path) -> None:
    picture = photo(tmp_path / "a.png")
    outcome = done("fit", picture, *BRIEF, "--backbone", "ffmlp", "--seed", 5, "--json", "-o", tmp_path / "runs" / "a")
    record = read_record(tmp_path / "runs" / "a")
    assert outcome.json["psnr"] == record.conditions[0].psnr
    assert outcome.json["backbone"] == "ffmlp"
    assert outcome.json["seed"] == record.seed == 5
    assert outcome.json["recipe"]["name"] == "small single ffmlp with steps=3, batch=64"
    assert il.load(tmp_path / "runs" / "a" / "field.safetensors").grid == SIZE
    with Image.open(tmp_path / "runs" / "a" / "reconstructions" / "00.png") as image:
        assert (image.height, image.width) == SIZE
    assert leftovers(tmp_path) == []


def test_fit_shows_a_table_and_one_plain_line_of_progress(tmp_path: Path) -> None:
    outcome = done("fit", photo(tmp_path / "a.png"), *BRIEF, "--size", "11x13", "--grey", "-o", tmp_path / "run")
    assert re.search(r"PSNR +\d+\.\d\d dB", outcome.out)
    assert "run" in outcome.out
    assert outcome.err.startswith("fitting a.png: ")
    assert len(outcome.err.splitlines()) == 1
    field = il.load(tmp_path / "run" / "field.safetensors")
    assert (field.grid, field.channels) == ((11, 13), 1)


def test_what_a_large_fit_costs_is_told_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inrlens.cli.recipe._MANY", 10)
    lines = done(
        "fit", photo(tmp_path / "a.png"), "--recipe", "small", "--steps", 2, "-o", tmp_path / "run"
    ).err.splitlines()
    rows = SIZE[0] * SIZE[1]
    assert re.fullmatch(
        rf"every step visits {rows} samples and takes about \S+ s, all 2 about \S+ s: .*--batch.*", lines[0]
    )
    assert lines[1].startswith("fitting a.png: ")


def test_a_slow_reading_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with told_where_slow("reading scan.nii", 0.01):
        time.sleep(0.2)
    with told_where_slow("reading another", 60.0):
        pass
    assert capsys.readouterr().err == "reading scan.nii ...\n"


def test_force_replaces_a_run(tmp_path: Path) -> None:
    picture = photo(tmp_path / "a.png")
    for seed in (1, 2):
        done("fit", picture, *BRIEF, "--seed", seed, "--force", "-o", tmp_path / "run")
    assert read_record(tmp_path / "run").seed == 2


def test_the_same_seed_twice_gives_the_same_file(tmp_path: Path) -> None:
    picture = photo(tmp_path / "a.png")
    for name in ("one", "two"):
        done("fit", picture, *BRIEF, "--seed", 3, "--device", "cpu", "-o", tmp_path / name)
    one, two = ((tmp_path / name / "field.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_transparent_picture_gives_one_warning_line(tmp_path: Path) -> None:
    picture = photo(tmp_path / "a.png", mode="RGBA")
    with Image.open(picture) as opened:
        opened.putalpha(128)
        opened.save(picture)
    outcome = done("fit", picture, *BRIEF, "-o", tmp_path / "run")
    warned = [line for line in outcome.err.splitlines() if line.startswith("warning: ")]
    assert warned == ["warning: a.png: transparency was flattened on white."]


def test_a_cohort_lists_what_it_left_out(bench: Path, tmp_path: Path) -> None:
    outcome = done("cohort", bench / "photos", *BRIEF, "--json", "-o", tmp_path / "run")
    assert [entry["name"] for entry in outcome.json["signals"]] == [f"photo{index:02d}.png" for index in range(4)]
    assert [entry["file"] for entry in outcome.json["skipped"]] == ["notes.txt"]
    assert "warning: notes.txt was left out: not an image file by its ending" in outcome.err
    assert outcome.json["tau"] == max(range(5), key=lambda layer: outcome.json["weight_stable_rank"][layer])


@pytest.mark.parametrize(("freeze", "rest", "start"), [("1", None, 1), ("none", None, None), ("auto", "warm", ...)])
def test_transfer(bench: Path, tmp_path: Path, freeze: str, rest: str | None, start: object) -> None:
    picture = photo(tmp_path / "new.png", 9, size=(30, 20))
    extra = () if rest is None else ("--rest", rest)
    outcome = done(
        "transfer", bench / "cohort", picture, "--freeze", freeze, *extra, *BRIEF, "--json", "-o", tmp_path / "run"
    )
    advised = done("ranks", bench / "cohort", "--json").json["tau"]
    assert outcome.json["notes"]["freeze"] == (advised if start is ... else start)
    assert outcome.json["notes"]["rest"] == (rest or ("warm" if start is None else "reinit"))
    moved = il.load(tmp_path / "run" / "field.safetensors")
    assert moved.grid == SIZE


def test_ranks_of_a_run_and_of_its_file_agree(bench: Path) -> None:
    run_json = done("ranks", bench / "cohort", "--json").json
    file_json = done("ranks", bench / "cohort" / "field.safetensors", "--json").json
    assert run_json == file_json
    assert set(run_json["activation_stable_rank"]) == {"post", "post_centred", "pre"}
    table = done("ranks", bench / "cohort").out
    marked = [line for line in table.splitlines() if "tau*" in line]
    assert len(marked) == 1
    assert marked[0].split()[0] == str(run_json["tau"])
    assert run_json["sentence"] in table


def test_ranks_on_another_grid(bench: Path) -> None:
    other = done("ranks", bench / "cohort", "--grid", "7x9", "--json").json
    assert other["activation_stable_rank"] != done("ranks", bench / "cohort", "--json").json["activation_stable_rank"]


def test_sae_is_saved_and_measured(bench: Path, tmp_path: Path) -> None:
    file = tmp_path / "new" / "l0.safetensors"
    numbers = ("-n", 24, "-k", 3, "--steps", 4, "--batch", 64, "--centre", "geometric_median", "--auxiliary-k", 2)
    outcome = done("sae", bench / "cohort", "--layer", 0, *numbers, "--json", "-o", file)
    quality, between = outcome.json["quality"], outcome.json["between"]
    assert quality["rows"] == SIZE[0] * SIZE[1]
    assert between["rows"] == (SIZE[0] - 1) * (SIZE[1] - 1)
    assert quality["psnr"] is not None
    assert between["psnr"] is None
    sae = il.load(file)
    assert (sae.n_atoms, sae.k, sae.layer) == (24, 3, 0)
    assert "between its samples" in done("sae", bench / "cohort", "--layer", 0, *numbers, "--force", "-o", file).out


def test_info_names_what_matters(bench: Path) -> None:
    run_page = done("info", bench / "cohort").out
    assert "cohort_siren" in run_page
    assert done("info", bench / "cohort" / "run.json", "--json").json == done("info", bench / "cohort", "--json").json
    about = done("info", bench / "cohort" / "field.safetensors", "--json").json
    assert about["architecture"]["scale_per_layer"] == [30.0] * 5
    assert about["coordinate_range"] == [-1.0, 1.0]
    assert about["tensors"]["head.weight"] == [9, 256]
    page = done("info", bench / "cohort" / "field.safetensors").out
    assert "photo00.png, photo01.png, photo02.png" in page
    assert "k" in done("info", bench / "sae.safetensors").out
    assert "photo02.png" in done("info", bench / "cohort" / "signals.safetensors").out


def test_report_is_written_anew(bench: Path, tmp_path: Path) -> None:
    done("fit", photo(tmp_path / "a.png"), *BRIEF, "-o", tmp_path / "run")
    page = Path(done("report", tmp_path / "run", "--json").json["report"])
    assert page == tmp_path / "run" / "report.html"
    assert page.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    assert run("report", bench / "photos").code == 2
