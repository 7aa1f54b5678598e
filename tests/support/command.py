"""Running the program inside the test process, and small things for it to work on."""

import functools
import io
import json
import random
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.main
from PIL import Image

from inrlens.cli.main import main

SIZE = (12, 16)
BRIEF = ("--recipe", "small", "--steps", "3", "--batch", "64")
"""Adam, whose steps are fast on every processor: Muon multiplies in bfloat16, which some only emulate."""

# Typer builds its tree of verbs anew for every command line, which takes longer than most of these commands.
typer.main.get_command = functools.cache(typer.main.get_command)


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON object that it must be."""
        return json.loads(self.out)


def run(*arguments: object) -> Outcome:
    """Runs ``inrlens`` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return Outcome(code, out.getvalue(), err.getvalue())


def done(*arguments: object) -> Outcome:
    """The same, for a command that must succeed."""
    outcome = run(*arguments)
    assert outcome.code == 0, outcome.err
    return outcome


def refused(*arguments: object) -> str:
    """The one sentence of a command that must be refused."""
    outcome = run(*arguments)
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in outcome.err
    return lines[0].removeprefix("error: ")


def photo(path: Path, seed: int = 0, size: tuple[int, int] = SIZE, mode: str = "RGB") -> Path:
    """A small picture file: a gradient with a block that depends on the seed."""
    height, width = size
    image = Image.new("RGB", (width, height))
    draws = random.Random(seed)
    tint = [draws.randrange(256) for _ in range(3)]
    for y in range(height):
        for x in range(width):
            inside = (x + seed) % width < width // 2 and y > height // 3
            image.putpixel((x, y), tuple(tint) if inside else (255 * x // width, 255 * y // height, 40 * seed % 256))
    image.convert(mode).save(path)
    return path


def photos(folder: Path, count: int) -> Path:
    """A folder of them, beside a file that is no picture."""
    folder.mkdir(parents=True)
    for index in range(count):
        photo(folder / f"photo{index:02d}.png", index)
    (folder / "notes.txt").write_text("not a picture\n")
    return folder


def leftovers(folder: Path) -> list[str]:
    """Names of unfinished files in a folder."""
    return [path.name for path in folder.rglob("*") if path.name.endswith(".part")]
