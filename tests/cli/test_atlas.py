"""The verbs around dictionaries: atlas, match, import, export, and a training that is interrupted."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import inrlens as il
import inrlens.cli.progress as progress
from command import BRIEF, SIZE, done, photo, refused, run
from inrlens.checkpoints import load_atlas, load_field, load_sae
from inrlens.cli.resume import only_one_file

pytestmark = pytest.mark.usefixtures("undrawn")

NUMBERS = ("-n", 32, "-k", 4, "--batch", 64)


@pytest.fixture(scope="session")
def other(bench: Path) -> Path:
    """A dictionary of the same layer, trained with another seed."""
    done("sae", bench / "cohort", "--layer", 1, *NUMBERS, "--steps", 5, "--seed", 1, "-o", bench / "other.safetensors")
    return bench / "other.safetensors"


def test_the_atlas_is_that_of_the_library(bench: Path, tmp_path: Path) -> None:
    pair = ("atlas", bench / "cohort", bench / "sae.safetensors")
    found = done(*pair, "--head", 1, "--json", "-o", tmp_path / "a.safetensors").json
    field, sae = load_field(bench / "cohort" / "field.safetensors"), load_sae(bench / "sae.safetensors")
    atlas = load_atlas(tmp_path / "a.safetensors")
    assert atlas.signal is not None
    assert (atlas.head, atlas.signal.name) == (1, found["signal"])
    expected = il.effects(field, sae, il.encode(field, sae), 1, signal=atlas.signal)
    assert torch.equal(atlas.delta, expected.delta)
    assert [row["atom"] for row in found["top"]] == expected.rank()[:10]
    assert found["top"][0]["psnr_drop"] == float(expected.psnr_drop[expected.rank()[0]])
    assert found["alive"] + found["dead"] == found["n_atoms"] == 32
    assert found["grid"] == list(SIZE)
    text = done(*pair, "--top", 3, "--by", "in_radius").out
    assert "all of them, exact, in" in text
    assert "locality" in text


def test_an_atlas_without_a_signal_is_ranked_by_energy(bench: Path) -> None:
    found = done("atlas", bench / "cohort" / "field.safetensors", bench / "sae.safetensors", "--json").json
    assert (found["signal"], found["by"]) == (None, "energy")
    assert "psnr_drop" not in found["top"][0]


def test_the_atlas_describes_itself(bench: Path, tmp_path: Path) -> None:
    done("atlas", bench / "cohort", bench / "sae.safetensors", "-o", tmp_path / "a.safetensors")
    about = done("info", tmp_path / "a.safetensors", "--json").json
    assert (about["kind"], about["layer"], about["n_atoms"], about["k"]) == ("atlas", 1, 32, 4)
    assert about["tensors"]["delta"] == [SIZE[0] * SIZE[1], 4, 3]


def test_a_page_of_one_dictionary(bench: Path, tmp_path: Path) -> None:
    pair = ("atlas", bench / "cohort", bench / "sae.safetensors", "--page", tmp_path / "page.html")
    before = sorted(path.name for path in (bench / "cohort").iterdir())
    outcome = done(*pair, "--seeds", 1, "--untrained")
    assert "training 2 dictionaries to compare with" in outcome.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "seed 1" in page
    assert "ntrained network" in page
    assert sorted(path.name for path in (bench / "cohort").iterdir()) == before


def test_a_page_of_an_imported_network_shows_one_head_beside_a_picture(bench: Path, tmp_path: Path) -> None:
    field, dictionary = bench / "cohort" / "field.safetensors", bench / "sae.safetensors"
    network = load_field(field)
    network.origin = replace(network.origin, kind="imported", recipe={}, notes={"imported": {"source": "theirs.pt"}})
    il.save(network, tmp_path / "theirs.safetensors")
    picture, page = photo(tmp_path / "like.png", seed=1), tmp_path / "page.html"
    done("atlas", tmp_path / "theirs.safetensors", dictionary, "--image", picture, "--head", 1, "--page", page)
    text, alone = page.read_text(encoding="utf-8"), il.load_image(picture)
    reached = il.psnr(network.render(1), alone.image())
    assert f"{reached:.2f}" in text
    assert "theirs.pt" in text
    assert "like.png as a SIREN" in text
    assert "Seed" not in text
    assert "an imported network started from" in refused(
        "atlas",
        tmp_path / "theirs.safetensors",
        dictionary,
        "--image",
        picture,
        "--page",
        page,
        "--force",
        "--untrained",
    )
    assert page.read_text(encoding="utf-8") == text


def test_matching_with_oneself_and_with_another_seed(bench: Path, other: Path) -> None:
    pair = ("match", bench / "cohort", bench / "sae.safetensors")
    own, seed, random = done(*pair, bench / "sae.safetensors", other, "--json").json["matches"]
    assert own["summary"]["cosine"]["pw_mcc"] == pytest.approx(1.0)
    assert own["summary"]["maps"]["paired_above"] == 1.0
    assert own["summary"]["subspace_overlap"] == pytest.approx(1.0)
    assert -1.0 <= seed["summary"]["cosine"]["pw_mcc"] < 0.999
    assert [own["other"], seed["other"], random["other"]] == [
        "sae.safetensors",
        "other.safetensors",
        "random dictionary",
    ]
    assert len(seed["cosine"]) == 21
    assert "PW-MCC" in done(*pair, other).out


def test_matching_across_networks_compares_maps_alone(bench: Path, tmp_path: Path) -> None:
    done("fit", photo(tmp_path / "a.png"), *BRIEF, "-o", tmp_path / "run")
    done("sae", tmp_path / "run", "--layer", 2, *NUMBERS, "--steps", 5, "-o", tmp_path / "b.safetensors")
    command = ("match", bench / "cohort", bench / "sae.safetensors", tmp_path / "b.safetensors")
    outcome = done(*command, "--other", tmp_path / "run", "--json").json["matches"][0]
    assert outcome["cosine"] is None
    assert outcome["summary"]["cosine"] is None
    assert outcome["summary"]["subspace_overlap"] is None
    assert len(outcome["map_correlation"]) == 21
    assert "no cosine where" in done(*command, "--other", tmp_path / "run").err


def test_a_dictionary_leaves_and_comes_back(bench: Path, tmp_path: Path) -> None:
    done("export", bench / "sae.safetensors", "-o", tmp_path / "theirs")
    found = done("import", tmp_path / "theirs", "--layer", 1, "-o", tmp_path / "back.safetensors", "--json").json
    assert (found["source"], found["n_atoms"], found["k"]) == ("sparsify", 32, 4)
    one, two = load_sae(bench / "sae.safetensors"), load_sae(tmp_path / "back.safetensors")
    assert all(torch.equal(value, two.state_dict()[name]) for name, value in one.state_dict().items())
    assert done("atoms", bench / "cohort", tmp_path / "back.safetensors", "--json").err == ""


# -- a training that is interrupted ----------------------------------------------------------------------------------


def test_a_training_goes_on(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(progress.Bar):
        def tell(self, done: float, detail: str) -> None:
            super().tell(done, detail)
            if done == 0.0:
                signal.raise_signal(signal.SIGINT)

    command = ["sae", bench / "cohort", "--layer", 1, *NUMBERS, "--steps", 8, "-o", tmp_path / "s.safetensors"]
    with monkeypatch.context() as patch:
        patch.setattr(progress, "Bar", Impatient)
        outcome = run(*command)
    assert outcome.code == 130
    assert "as it was after step 1; the same command with --resume goes on from there" in outcome.err
    assert (tmp_path / "s.resume.safetensors").is_file()
    assert "holds a training that was interrupted: add --resume to go on with it" in refused(*command)
    done(*command, "--resume")
    assert [path.name for path in tmp_path.iterdir()] == ["s.safetensors"]
    whole = tmp_path / "whole.safetensors"
    done(*command[:-1], whole)
    one, two = load_sae(tmp_path / "s.safetensors"), load_sae(whole)
    assert all(torch.equal(value, two.state_dict()[name]) for name, value in one.state_dict().items())
    assert "exists already" in refused(*command)
    assert "nothing to resume" in run(*command, "--resume", "--force").err


# -- what is refused -------------------------------------------------------------------------------------------------


def test_bad_input_gets_one_sentence(bench: Path, tmp_path: Path) -> None:
    pair = ("atlas", bench / "cohort", bench / "sae.safetensors")
    field = bench / "cohort" / "field.safetensors"
    assert "name it with --image" in refused("atlas", field, bench / "sae.safetensors", "--page", "x.html")
    assert "--page shows head 0" in refused(*pair, "--page", tmp_path / "x.html", "--head", 1)
    assert "name one with --page" in refused(*pair, "--seeds", 1)
    assert "does not end in .html" in refused(*pair, "--page", tmp_path / "x.pdf")
    assert "does not end in .safetensors" in refused(*pair, "-o", tmp_path / "x.pt")
    assert "give the output a file of its own" in refused(*pair, "--force", "-o", bench / "sae.safetensors")
    assert "head 9 does not exist" in refused(*pair, "--head", 9)
    assert "an atlas" in refused("atoms", bench / "cohort", _atlas(bench, tmp_path))
    assert "'beauty'" in refused(*pair, "--by", "beauty")
    assert "does not exist" in refused("match", bench / "cohort", bench / "sae.safetensors", tmp_path / "none")
    assert "holds no dictionary" in refused("import", bench / "cohort", "--layer", 0, "-o", tmp_path / "y.safetensors")
    assert not list(tmp_path.glob("[!a]*"))


def _atlas(bench: Path, folder: Path) -> Path:
    path = folder / "atlas.safetensors"
    done("atlas", bench / "cohort", bench / "sae.safetensors", "-o", path)
    return path


def test_nothing_that_is_read_is_written_over(bench: Path, tmp_path: Path) -> None:
    field = bench / "cohort" / "field.safetensors"
    before = field.read_bytes()
    pair = (bench / "cohort", bench / "sae.safetensors")
    said = "which is read here: give the output a file of its own"
    assert said in refused("atlas", *pair, "--force", "-o", field)
    assert said in refused("sae", bench / "cohort", "--layer", 1, "--force", "-o", field)
    done("export", pair[1], "-o", tmp_path / "theirs")
    inside = tmp_path / "theirs" / "sae.safetensors"
    assert said in refused("import", tmp_path / "theirs", "--layer", 1, "--force", "-o", inside)
    assert field.read_bytes() == before


def test_what_fails_leaves_no_atlas_behind(bench: Path, tmp_path: Path) -> None:
    done("export", bench / "sae.safetensors", "-o", tmp_path / "theirs")
    done("import", tmp_path / "theirs", "--layer", 1, "-o", tmp_path / "back.safetensors")
    out = tmp_path / "a.safetensors"
    page = ("--page", tmp_path / "p.html", "--seeds", 1, "-o", out)
    assert "does not say how it was trained" in refused("atlas", bench / "cohort", tmp_path / "back.safetensors", *page)
    bare = (bench / "cohort" / "field.safetensors", bench / "sae.safetensors")
    assert "--by psnr_drop needs a picture" in refused("atlas", *bare, "--by", "psnr_drop", "-o", out)
    assert not out.exists()


def test_two_trainings_into_one_file_and_a_state_that_is_none(bench: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.safetensors"
    command = ("sae", bench / "cohort", "--layer", 1, *NUMBERS, "--steps", 2, "-o", out)
    with only_one_file(out):
        for more in ((), ("--resume",), ("--force",)):
            assert "another run into" in refused(*command, *more)
    state = tmp_path / "s.resume.safetensors"
    state.write_bytes((bench / "sae.safetensors").read_bytes())
    assert "is a dictionary, where the state" in refused(*command, "--force")
    assert state.read_bytes() == (bench / "sae.safetensors").read_bytes()
    state.unlink()
    done(*command)
    assert [path.name for path in tmp_path.iterdir()] == ["s.safetensors"]
