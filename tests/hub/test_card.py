"""What is shared lies in a folder first: its files, its card, and what must not be in it."""

import getpass
import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, strategies as st

import command
import inrlens as il
import toys
from inrlens.hub.card import model_card
from inrlens.hub.facts import network_facts, quality
from inrlens.hub.front_matter import front_matter
from inrlens.hub.gather import _of_one
from inrlens.hub.private import check_nothing_private
from inrlens.hub.pull import pull
from inrlens.studies.record import read_record
from inrlens.studies.run_folder import open_field, write_fit_run
from prose import says, sentence

GRID = (12, 15)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort's run folder; not to be changed."""
    folder = tmp_path_factory.mktemp("shared") / "run"
    members = toys.signals(2, GRID)
    folder.mkdir()
    write_fit_run(folder, il.fit_cohort(members, toys.recipe(), seed=5), members)
    return folder


def _front(folder: Path) -> dict[str, object]:
    card = (folder / "README.md").read_text(encoding="utf-8")
    found = yaml.safe_load(card.split("---\n")[1])
    assert isinstance(found, dict)
    return found


@pytest.mark.few_backbones
def test_every_backbone_comes_back_bit_for_bit(backbone: str, tmp_path: Path) -> None:
    field = toys.field(backbone)
    assert il.save_pretrained(field, tmp_path / "shared") == ("field.safetensors", "README.md")
    back = il.from_pretrained(tmp_path / "shared")
    assert isinstance(back, il.Field)
    assert back.backbone == field.backbone
    assert all(torch.equal(a, b) for a, b in zip(back.parameters(), field.parameters(), strict=True))
    assert backbone in _front(tmp_path / "shared")["tags"]  # type: ignore[operator]


def test_a_run_is_shared_without_its_signals_and_serves_without_them(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    names = il.save_pretrained(run, folder)
    assert names == ("run.json", "field.safetensors", "history.csv", "README.md")
    assert sorted(path.name for path in folder.rglob("*")) == sorted(names)
    assert (folder / "field.safetensors").read_bytes() == (run / "field.safetensors").read_bytes()
    assert read_record(folder) == read_record(run)
    field, signals = open_field(folder)
    assert signals is None
    assert torch.equal(field.render(), open_field(run)[0].render())
    assert command.done("ranks", folder, "--json").json == command.done("ranks", run, "--json").json
    sentence = command.refused("report", folder)
    assert "holds no signals.safetensors: the run was shared without its signals, which are needed here" in sentence


def test_a_run_with_its_signals_is_a_whole_run(run: Path, tmp_path: Path) -> None:
    names = il.save_pretrained(run, tmp_path / "shared", signals=True)
    assert set(names) >= {"signals.safetensors", "reconstructions/00.png", "reconstructions/01.png"}
    command.done("report", tmp_path / "shared")
    assert isinstance(il.from_pretrained(tmp_path / "shared"), il.Field)


def test_a_demo_s_run_names_no_picture_that_stays_behind(run: Path, tmp_path: Path) -> None:
    content = json.loads((run / "run.json").read_text())
    transfer = {"backbone": "siren", "signal": 0, "freeze": 1, "rest": "warm", "seed": 0, "psnr": 30.0, "ssim": None}
    kept = {"seconds": 1.0, "outcome": "finished", "divergences": [], "picture": "transfers/a.png"}
    copy = tmp_path / "run"
    subprocess.run(["cp", "-r", run, copy], check=True)
    (copy / "run.json").write_text(json.dumps({**content, "transfers": [{**transfer, **kept}]}))
    il.save_pretrained(copy, tmp_path / "shared")
    assert read_record(copy).transfers[0].picture == "transfers/a.png"
    assert read_record(tmp_path / "shared").transfers[0].picture is None


def test_nothing_of_this_machine_is_told(run: Path, tmp_path: Path) -> None:
    il.save_pretrained(run, tmp_path / "shared")
    for path in (tmp_path / "shared").rglob("*"):
        data = path.read_bytes()
        assert str(Path.home()).encode() + b"/" not in data, path
        assert str(tmp_path.parent).encode() not in data, path
        assert platform.node().encode() not in data, path
        assert not re.search(rb"/" + re.escape(getpass.getuser().encode()) + rb"\b", data), path


def test_the_card_tells_the_run_s_own_numbers(run: Path, tmp_path: Path) -> None:
    il.save_pretrained(run, tmp_path / "shared", repo_id="me/faces", license="cc-by-4.0")
    card, front = (tmp_path / "shared" / "README.md").read_text(), _front(tmp_path / "shared")
    (condition,) = read_record(run).conditions
    assert (front["library_name"], front["license"], front["metrics"]) == ("inrlens", "cc-by-4.0", ["psnr"])
    (index,) = front["model-index"]  # type: ignore[misc, attr-defined]
    psnr, ssim = index["results"][0]["metrics"]
    assert psnr["value"] == pytest.approx(condition.psnr, abs=1e-4)
    assert psnr["args"] == {"n": 2, "standard_deviation": pytest.approx(np.std(condition.psnrs, ddof=1), abs=1e-4)}
    assert ssim["value"] == pytest.approx(condition.ssim, abs=1e-6)
    assert says(card, "mean over n = 2 signals", f"standard deviation {np.std(condition.psnrs, ddof=1):.2f} dB")
    for number, signal in enumerate(toys.signals(2, GRID)):
        assert f"| {number} | {signal.name} | `{signal.digest}` | {condition.psnrs[number]:.2f} |" in card
    for layer, rank in enumerate(condition.ranks.weight):
        assert re.search(rf"^\| {layer}( \(tau\\\*\))? \| {rank:.2f} \|", card, re.MULTILINE)
    assert condition.advice in card
    assert f"Written by InrLens {il.__version__}" in card
    for key, value in condition.recipe.items():
        assert key.replace("_", r"\_") in card
        if isinstance(value, int):
            assert f"{key} {value}".replace("_", r"\_") in card


def test_the_card_s_three_lines_run(cohort_fit: il.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = cohort_fit.field
    sae = toys.sae(cohort)
    atlas = il.effects(cohort, sae, il.encode(cohort, sae))
    (tmp_path / "me").mkdir()
    monkeypatch.chdir(tmp_path)
    for things in (cohort_fit, sae, atlas, {"one": cohort, "two": sae}, [sae, atlas], [cohort, sae, atlas]):
        il.save_pretrained(things, "me/faces", force=Path("me/faces").exists(), repo_id="me/faces")
        code = Path("me/faces/README.md").read_text().split("```python\n")[1].split("```")[0]
        assert len(code.strip().splitlines()) <= 4
        names: dict[str, object] = {}
        exec(code, names)
        assert {"image", "atoms", "drops"} & set(names)


@pytest.mark.parametrize("learn", [il.fit_maml, il.fit_reptile])
def test_the_card_of_a_start_tells_of_a_start(
    learn: Callable[..., il.Fit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members, small = toys.signals(3, GRID), replace(il.meta_recipes.small("siren"), inner_steps=3)
    recipe = replace(small, steps=2, backbone=il.make_backbone("siren", width=16, depth=2), inner_learning_rate=0.02)
    start = learn(members, recipe, seed=0)
    after = []
    for member in members:
        copy = il.Field.new(recipe.backbone, seed=0, grid=GRID)
        copy.load_state_dict(start.field.state_dict())
        descent = torch.optim.SGD(copy.parameters(), lr=0.02)
        for _ in range(3):
            descent.zero_grad()
            (copy(copy.grid_coordinates(GRID)) - member.values).square().mean().backward()
            descent.step()
        after.append(il.psnr(copy.render().detach(), member.image()))
    when = "after 3 steps of gradient descent (rate 0.02) on each signal from this start"
    monkeypatch.chdir(tmp_path)
    for thing in (start, start.field):
        il.save_pretrained(thing, "start", repo_id="me/start", force=Path("start").exists())
        card, front = Path("start/README.md").read_text(), _front(Path("start"))
        assert says(sentence(card, "siren network"), "3 channels", "a start", "not a fit")
        told = sentence(card, f"PSNR {np.mean(after):.2f} dB")
        assert says(told, "mean over n = 3 signals", "after 3 steps", "rate 0.02", "[0, 1]", "one seed")
        assert "after the last step" not in card
        assert "| head |" not in card
        assert "A network is a picture" not in card
        assert "inrlens transfer start/field.safetensors NEW --freeze none" in card
        result = front["model-index"][0]["results"][0]  # type: ignore[index]
        assert result["task"]["name"] == f"Reconstruction by field.safetensors {when}"
        assert result["metrics"][0]["name"] == f"PSNR in dB {when}, mean over signals, n = 3"
        assert result["metrics"][0]["value"] == pytest.approx(np.mean(after), abs=1e-3)
    il.save_pretrained(start, "start", force=True)
    card = Path("start/README.md").read_text()
    for member, psnr in zip(members, after, strict=True):
        assert f"| {member.name} | `{member.digest}` | {psnr:.2f} |" in card
    il.save_image(members[0].image(), "new.jpg")
    names: dict[str, object] = {}
    exec(card.split("```python\n")[1].split("```")[0], names)
    assert isinstance(names["fit"], il.Fit)
    assert names["fit"].field.kind == "transfer"


@given(
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=40),
    st.floats(min_value=0, max_value=90),
    st.integers(min_value=2, max_value=9),
)
def test_front_matter_is_yaml_that_reads_back(name: str, psnr: float, n: int) -> None:
    facts = network_facts(name, toys.field(), tuple(psnr + i for i in range(n)), None)
    found = yaml.safe_load(front_matter("faces", [facts], "other"))
    assert found["license"] == "other"
    assert found["model-index"][0]["results"][0]["task"]["name"] == f"Reconstruction by {name}"
    assert found["model-index"][0]["results"][0]["metrics"][0]["args"]["n"] == n


@pytest.mark.parametrize(
    ("grid", "affine", "place"),
    [
        (
            (3, 4, 5),
            ((0.0, -3.0, 0.0, 10.0), (2.0, 0.0, 0.0, -20.0), (0.0, 4.0, 1.5, 5.0)),
            "voxels of 2 x 5 x 1.5 mm, the first at (10, -20, 5) mm, the last at (1, -16, 23) mm",
        ),
        ((9,), ((0.125, 0.0),), "spacing 0.125 s, the first at (0) s, the last at (1) s"),
        ((3, 5), ((2.0, 0.0, 1.0), (0.0, 3.0, 0.0)), "spacing 2 x 3, the first at (1, 0), the last at (5, 12)"),
        ((3, 5), None, None),
    ],
)
def test_the_card_tells_where_a_grid_lies(
    grid: tuple[int, ...], affine: tuple[tuple[float, ...], ...] | None, place: str | None
) -> None:
    field = il.Field.new("siren", coordinates=len(grid), width=8, depth=2, grid=grid)
    field.affine = affine
    card = model_card("me/x", [network_facts("field.safetensors", field, (), None)], [], None)
    assert (f"| place | {place} |" in card) if place else "| place |" not in card


def test_a_signal_s_name_cannot_break_the_card() -> None:
    field = toys.field(heads=1)
    field.origin = replace(field.origin, signals=(("a|b\n## <script>`*x*`", "0" * 64),))
    card = model_card("me/x", [network_facts("field.safetensors", field, (30.0,), None)], [], None)
    assert r"| 0 | a\|b ## &lt;script&gt;\`\*x\*\` | `" in card


def test_a_diverged_fit_has_a_card_too() -> None:
    facts = network_facts("field.safetensors", toys.field(), (float("nan"), 20.0), None)
    assert "model-index" not in front_matter("x", [facts], None)
    assert "PSNR nan dB" in model_card("me/x", [facts], [], None)
    assert quality((float("inf"), 20.0)).deviation is None
    assert quality((20.0,)).deviation is None


@pytest.mark.parametrize(
    "text",
    [
        "/home/anna/photos/a.png",
        "from /data/faces",
        "~/photos",
        "~anna/photos",
        "C:\\Users\\anna",
        "D:/scans/1.nii",
        "\\\\server\\share",
        "file:///tmp/x",
        "source='/srv/x.pt'",
        "/secret",
        f"shared/{getpass.getuser()}/x",
    ],
)
def test_paths_of_this_machine_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(
        il.InputError, match=r"run\.json would tell others .* \(at plan\.notes\.0\), a path of this mach"
    ):
        check_nothing_private("run.json", {"plan": {"notes": [text]}})
    field = toys.field(heads=1)
    field.origin = replace(field.origin, signals=((text, "0" * 64),))
    with pytest.raises(il.InputError, match=r"field\.safetensors would tell others"):
        il.save_pretrained(field, tmp_path / "shared")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["noise 1/f", "male/000016.jpg", "and/or", "a / b", "https://example.org/x", "3:4", "(0, 1]", "N/A", "s/p/q"],
)
def test_other_texts_with_strokes_are_no_paths(text: str) -> None:
    check_nothing_private("run.json", {text: [text]})


def test_what_cannot_be_shared_is_refused_in_one_sentence(cohort: il.Field, tmp_path: Path) -> None:
    sae = toys.sae(cohort)
    wrapped = il.wrap(torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Linear(4, 3)), layers=["0"])
    (tmp_path / "text.safetensors").write_text("no")
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("x")
    folder = tmp_path / "shared"
    for things, words in (
        ([], "there is nothing to share"),
        ([cohort, cohort], r"two of the things to share would both be 'field.safetensors': give each a name"),
        ({"a": cohort, "A": sae}, r"two of the things to share would both be 'a.safetensors'"),
        ({"../a": cohort}, r"'../a' cannot be the name of a shared file: use up to 96 letters"),
        (wrapped, "a wrapped network cannot be shared: its code is not ours"),
        (tmp_path / "none.safetensors", "none.safetensors does not exist or is no file"),
        (tmp_path / "text.safetensors", "text.safetensors is not a checkpoint of InrLens, or it is cut short or dam"),
        (tmp_path / "empty", r"empty holds no run\.json: it is not a run of InrLens"),
        ({"a": tmp_path / "empty"}, r"is the folder of a run, whose files have names: share it without 'a'"),
    ):
        with pytest.raises(il.InputError, match=words):
            il.save_pretrained(things, folder)
    with pytest.raises(il.InputError, match=r"a Signal cannot be shared: give a field"):
        list(toys.unchecked(_of_one)(toys.signal(), None, False))
    with pytest.raises(il.InputError, match=r"'CC BY' is no licence's identifier: give one such as mit, cc-by-4.0"):
        il.save_pretrained(cohort, folder, license="CC BY")
    with pytest.raises(il.InputError, match=r"taken is a folder without a run of ours, so --force will not replace it"):
        il.save_pretrained(cohort, tmp_path / "taken", force=True)
    assert not folder.exists()
    il.save_pretrained(cohort, folder)
    with pytest.raises(il.InputError, match=r"shared exists already"):
        il.save_pretrained(sae, folder)
    il.save_pretrained(sae, folder, force=True)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "dictionary_layer1.safetensors"]
    (folder / "mine.txt").write_text("x")
    with pytest.raises(il.InputError, match=r"shared also holds 'mine.txt', which --force would delete"):
        il.save_pretrained(sae, folder, force=True)
    assert command.leftovers(tmp_path) == []


def test_a_folder_that_cannot_be_loaded_is_refused_in_one_sentence(cohort: il.Field, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    il.save_pretrained(cohort, folder)
    good = (folder / "field.safetensors").read_bytes()
    with pytest.raises(il.InputError, match=r"shared is a folder of this machine, which has no revision 'v1'"):
        il.from_pretrained(folder, revision="v1")
    with pytest.raises(il.InputError, match=r"shared holds no file 'x.safetensors'; it has README.md, field.safet"):
        il.from_pretrained(folder, "x.safetensors")
    with pytest.raises(il.InputError, match=r"field.safetensors is a file: load it with il.load"):
        il.from_pretrained(folder / "field.safetensors")
    for name in (tmp_path / "none", "./none", "a/b/c", "~/none"):
        with pytest.raises(il.InputError, match=r"there is no folder .*: give one that is there, or a repository as"):
            il.from_pretrained(name)
    (folder / "field.safetensors").write_bytes(good[:-10])
    with pytest.raises(il.InputError, match=r"field.safetensors is not a checkpoint of InrLens, or it is cut short"):
        il.from_pretrained(folder)
    (folder / "field.safetensors").unlink()
    with pytest.raises(il.InputError, match=r"shared holds no field, dictionary or atlas of InrLens; it has README.md"):
        il.from_pretrained(folder)


def test_nothing_outside_a_folder_is_read(cohort: il.Field, tmp_path: Path) -> None:
    folder, out = tmp_path / "shared", tmp_path / "out"
    il.save_pretrained(cohort, folder)
    secret = tmp_path / "secret.safetensors"
    secret.write_bytes((folder / "field.safetensors").read_bytes())
    for name in ("../secret.safetensors", str(secret), "a/../../secret.safetensors"):
        for fetch in (il.from_pretrained, lambda *given: pull(given[0], out, given[1])):
            with pytest.raises(il.InputError, match=r"shared: '.*secret.safetensors' leads out of the folder: give a"):
                fetch(folder, name)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"png")
    for link, target in (("README.md", secret), ("b.safetensors", secret), ("reconstructions", tmp_path / "pictures")):
        (folder / link).unlink(missing_ok=True)
        (folder / link).symlink_to(target)
        with pytest.raises(il.InputError, match=rf"shared: '{link}.*' leads out of the folder: give a file inside it"):
            pull(folder, out)
        (folder / link).unlink()
    (folder / "README.md").symlink_to("field.safetensors")
    assert pull(folder, out) == ("field.safetensors", "README.md")


def test_a_folder_of_the_hub_s_own_cache_is_read(cohort: il.Field, tmp_path: Path) -> None:
    il.save_pretrained(cohort, tmp_path / "blobs")
    folder = tmp_path / "snapshots" / "0123abcd"
    folder.mkdir(parents=True)
    for file in (tmp_path / "blobs").iterdir():
        (folder / file.name).symlink_to(file)
    assert isinstance(il.from_pretrained(folder), il.Field)
    with pytest.raises(il.InputError, match="leads out of the folder"):
        il.from_pretrained(folder, "../../../secret.safetensors")


def test_the_address_of_a_page_is_refused_with_the_repository_s_name() -> None:
    for address in ("https://huggingface.co/me/vols", "http://hf.co/me/vols/tree/main"):
        with pytest.raises(il.InputError, match=r"vols.* is the address of a page: give 'me/vols', as a repository"):
            il.from_pretrained(address)
    with pytest.raises(il.InputError, match=r"https://huggingface\.co is the address of a page: give OWNER/NAME"):
        il.from_pretrained("https://huggingface.co")


@pytest.mark.slow
def test_a_folder_needs_no_client_and_a_repository_says_what_to_install(cohort: il.Field, tmp_path: Path) -> None:
    il.save_pretrained(cohort, tmp_path / "shared")
    lines = (
        "import sys; sys.modules['huggingface_hub'] = None",
        "import inrlens as il",
        f"assert isinstance(il.from_pretrained({str(tmp_path / 'shared')!r}), il.Field)",
        "try: il.from_pretrained('me/faces')",
        "except il.InputError as error: print(error)",
        "try: il.push_to_hub(il.Field.new('siren', width=4, depth=2), 'me/faces')",
        "except il.InputError as error: print(error)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True)
    said = 'sharing through the hub needs huggingface_hub: install it with pip install "inrlens[hub]".'
    assert done.stdout.splitlines() == [said, said]


def test_push_into_a_folder_and_pull_from_it(bench: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "look", tmp_path / "pulled"
    done = command.done(
        "push", bench / "cohort", bench / "sae.safetensors", "me/run", "--folder", folder, "--json"
    ).json
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert done["files"] == sizes
    assert 'il.from_pretrained("me/run")' in (folder / "README.md").read_text()
    assert "written to" in command.done("pull", folder, "-o", out).out
    assert {path.name: path.stat().st_size for path in out.iterdir()} == sizes
    sentence = command.refused("push", bench / "cohort", "cohort")
    assert sentence.startswith("'cohort' is no name of a repository: write OWNER/NAME")
