"""Whatever is wrong with what was given: one sentence that names it, exit code 2, nothing half-written."""

import errno
import os
import struct
from pathlib import Path

import pytest
import torch
from PIL import Image

from command import BRIEF, leftovers, photo, refused, run

NO_SPACE = os.strerror(errno.ENOSPC)


def damaged_picture(folder: Path, what: str) -> Path:
    path = folder / f"{what}.png"
    if what == "truncated":
        data = photo(folder / "whole.png", size=(40, 40)).read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif what == "text":
        path.write_text("this is no picture\n")
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "folder":
        path.mkdir()
    elif what == "nan":
        path = folder / "nan.tiff"
        pixels = struct.pack("4f", 0.1, float("nan"), 0.3, 0.4)
        Image.frombytes("F", (2, 2), pixels).save(path)
    return path


@pytest.mark.parametrize("what", ["missing", "truncated", "text", "empty", "folder", "nan"])
def test_unreadable_pictures(tmp_path: Path, what: str) -> None:
    path = damaged_picture(tmp_path, what)
    sentence = refused("fit", path, *BRIEF, "-o", tmp_path / "run")
    assert str(path) in sentence
    assert not (tmp_path / "run").exists()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--steps", "0"], "0"),
        (["--steps", "-5"], "-5"),
        (["--steps", "many"], "many"),
        (["--lr", "0"], "--lr must be a positive number, not 0.0"),
        (["--lr", "-1"], "not -1.0"),
        (["--lr", "nan"], "not nan"),
        (["--batch", "0"], "--batch"),
        (["--size", "0x5"], "'0x5'"),
        (["--size", "64"], "'64'"),
        (["--size", "99999999x2"], "'99999999x2'"),
        (["--size", "60000x60000"], "3,600,000,000 pixels"),
        (["--backbone", "mlp"], "'mlp' is not known; allowed are ffmlp, finer, gauss, "),
        (["--recipe", "slow"], "slow"),
        (["--how", "stretch"], "stretch"),
        (["--seed", "-1"], "-1"),
        (["--threads", "0"], "--threads"),
        (["--threads", str((os.cpu_count() or 1) + 1)], "--threads"),
        (["--nonsense"], "--nonsense"),
        (["--how", "crop", "--size", "50x50"], "too small to crop"),
    ],
)
def test_options_out_of_range(tmp_path: Path, options: list[str], named: str) -> None:
    assert named in refused("fit", photo(tmp_path / "a.png"), *BRIEF, *options, "-o", tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_where_there_is_none(tmp_path: Path) -> None:
    sentence = refused("fit", photo(tmp_path / "a.png"), *BRIEF, "--device", "cuda", "-o", tmp_path / "run")
    assert "--device cuda" in sentence


def test_folders_that_make_no_cohort(tmp_path: Path, bench: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    out = ("-o", tmp_path / "run")
    assert str(empty) in refused("cohort", empty, *BRIEF, *out)
    assert "is not a folder" in refused("cohort", tmp_path / "nowhere", *BRIEF, *out)
    assert "at least 2" in refused("cohort", bench / "photos", "--pattern", "photo00*", *BRIEF, *out)
    assert "--limit" in refused("cohort", bench / "photos", "--limit", 1, *BRIEF, *out)
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    photo(mixed / "a.png")
    photo(mixed / "b.png", size=(14, 16))
    sentence = refused("cohort", mixed, *BRIEF, *out)
    assert "'a.png' has (12, 16)" in sentence
    assert "'b.png' (14, 16)" in sentence
    assert not (tmp_path / "run").exists()
    assert leftovers(tmp_path) == []


def test_layers_heads_atoms_and_k_out_of_range(tmp_path: Path, bench: Path) -> None:
    network, file = bench / "cohort", tmp_path / "s.safetensors"
    tiny = ("-n", 16, "-k", 2, "--steps", 2)
    assert "layer 5 does not exist: this network has layers 0 to 4" in refused(
        "sae", network, "--layer", 5, *tiny, "-o", file
    )
    assert "-1" in refused("sae", network, "--layer", -1, *tiny, "-o", file)
    assert "k must be between 1 and the number of atoms, 16, not 17" in refused(
        "sae", network, "--layer", 1, "-n", 16, "-k", 17, "-o", file
    )
    assert "allowed are auto, none" in refused("transfer", network, "x.png", "--freeze", "deep", "-o", tmp_path / "t")
    assert "layer 9 does not exist" in refused("transfer", network, "x.png", "--freeze", 9, "-o", tmp_path / "t")
    pair = (network, bench / "sae.safetensors")
    assert "atom 32 does not exist: this dictionary has atoms 0 to 31" in refused("ablate", *pair, "--atom", 32)
    assert "head 3 does not exist" in refused("ablate", *pair, "--atom", 0, "--head", 3)
    assert "atom 99" in refused("edit", *pair, "--gain", "99=0", "-o", tmp_path / "e.png")
    for gain in ("17", "x=1", "17=inf", "=2"):
        assert repr(gain) in refused("edit", *pair, "--gain", gain, "-o", tmp_path / "e.png")
    assert "twice" in refused("edit", *pair, "--gain", "1=0", "--gain", "1=2", "-o", tmp_path / "e.png")
    assert "--top" in refused("atoms", *pair, "--top", 0)
    assert "does not end in .png" in refused("atoms", *pair, "--maps", tmp_path / "maps.jpg")
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_exist(tmp_path: Path, bench: Path) -> None:
    picture, taken = photo(tmp_path / "a.png"), tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("mine\n")
    assert "--force" in refused("fit", picture, *BRIEF, "-o", taken)
    assert "without a run of ours" in refused("fit", picture, *BRIEF, "--force", "-o", taken)
    assert (taken / "thesis.txt").read_text() == "mine\n"
    assert "is no folder" in refused("fit", picture, *BRIEF, "--force", "-o", picture)
    assert "--force" in refused("cohort", bench / "photos", *BRIEF, "-o", bench / "cohort")
    file = tmp_path / "s.safetensors"
    file.write_text("mine\n")
    assert "--force" in refused("sae", bench / "cohort", "--layer", 1, "-o", file)
    assert "is a folder" in refused("sae", bench / "cohort", "--layer", 1, "-o", taken)
    within = file / "s.safetensors"
    assert f"{within} cannot be written" in refused("sae", bench / "cohort", "--layer", 1, "-o", within)
    pair = (bench / "cohort", bench / "sae.safetensors")
    assert "--force" in refused("ablate", *pair, "--atom", 0, "-o", picture)
    assert "--force" in refused("demo", "-o", taken)
    assert file.read_text() == "mine\n"


def test_a_full_disk(tmp_path: Path, bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, NO_SPACE)

    monkeypatch.setattr("inrlens.container.save_file", full)
    outcome = run("fit", photo(tmp_path / "a.png"), *BRIEF, "--json", "-o", tmp_path / "run")
    assert (outcome.code, outcome.out) == (2, "")
    sentence = outcome.err.splitlines()[-1]
    assert sentence == f"error: {tmp_path / 'run.resume.safetensors'} could not be written: {NO_SPACE}."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png"]


def test_too_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def huge(*arguments: object, **options: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    monkeypatch.setattr("inrlens.fitting.fit.fit", huge)
    sentence = refused("fit", photo(tmp_path / "a.png"), *BRIEF, "-o", tmp_path / "run")
    assert "memory" in sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png"]


def test_command_lines_that_make_no_sense() -> None:
    assert "'nonsense'" in refused("nonsense")
    assert "FILE" in refused("fit")
    assert "--out" in refused("fit", "a.png")
    assert "see inrlens fit --help" in refused("fit")
    assert refused("fitt") == "No such command 'fitt'. Did you mean 'fit'? See inrlens --help."
    assert refused("study", "rnu") == "No such command 'rnu'. Did you mean 'run'? See inrlens study --help."
    assert refused("fit", "--bach", "3") == "No such option: --bach. Did you mean --batch? See inrlens fit --help."
    assert refused("fit", "--bogus") == "No such option: --bogus; see inrlens fit --help."
    assert refused("--bogus") == "No such option: --bogus; see inrlens --help."
    assert refused("fit", "x.png", "-o") == "Option '-o' requires an argument; see inrlens fit --help."
    assert refused("fit", "--grey=3") == "Option '--grey' does not take a value; see inrlens fit --help."
    assert refused("fit", "x.png", "-o", "x", "--steps", "many") == (
        "Invalid value for '--steps': it must be a valid integer, not 'many'; see inrlens fit --help."
    )


def test_what_is_no_run_and_no_file(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    assert refused("ranks", nothing) == (
        f"{nothing} does not exist: give the folder of a run, or a field's .safetensors file."
    )
    ours = f"{nothing} does not exist: give the folder of a run, or a .safetensors file of ours."
    assert refused("info", nothing) == ours
    assert refused("export", nothing, "-o", tmp_path / "field.onnx") == ours
