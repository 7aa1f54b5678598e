"""Damaged inputs of every kind, through the readers: a result or one sentence, soon, and nothing run or left behind.

``python tools/fuzz.py -n 10000`` makes so many, from whole files of each kind in turn: pictures, volumes, sounds, our
files, other people's checkpoints, runs, bundles, studies, recipes, stores and command lines. Each is damaged by a few
random changes that its number and ``--seed`` decide, so that ``--case 1234`` makes one of them again. What fails is
printed with its number, and kept in ``--keep FOLDER``. The exit code is 1 where anything failed.
"""

import argparse
import contextlib
import io
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import warnings
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "support")]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

import inrlens as il  # noqa: E402
from inrlens.explorer.serve import Server  # noqa: E402

FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect")
"""What no reader may do, by the names of Python's audit events."""
_watched: list[str] = []


@dataclass(frozen=True)
class Subject:
    """A kind of input: ``make`` writes a whole one into an empty folder and returns the file that is damaged, ``read``
    takes it, and where ``text`` is set, words are exchanged beside bytes."""

    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    text: bool = False


def _picture(name: str, deep: bool = False, **options: Any) -> Subject:
    def make(folder: Path) -> Path:
        pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        image = Image.fromarray(pixels)
        if deep:
            image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
        image.save(folder / name, **options)
        return folder / name

    return Subject(make, lambda path: (il.load_signal(path), _frames(path)))


def _frames(path: Path) -> Any:
    with contextlib.suppress(il.InputError):
        return il.load_signal(path, frames="all")


def _stack(folder: Path) -> Path:
    pages = [Image.new("L", (9, 7), 40 * page) for page in range(4)]
    pages[0].save(folder / "stack.tif", save_all=True, append_images=pages[1:])
    return folder / "stack.tif"


def _volume(name: str) -> Subject:
    def make(folder: Path) -> Path:
        il.save_volume(torch.rand(4, 5, 6, 1), folder / name)
        return folder / name

    return Subject(make, il.load_signal)


def _sound(name: str) -> Subject:
    def make(folder: Path) -> Path:
        import soundfile

        soundfile.write(folder / name, np.sin(np.arange(900) / 9.0) * 0.5, 8000)
        return folder / name

    return Subject(make, il.load_signal)


def _field() -> il.Field:
    import toys

    return toys.field("siren")


def _ours(folder: Path) -> Path:
    il.save(_field(), folder / "field.safetensors")
    return folder / "field.safetensors"


def _dictionary(folder: Path) -> Path:
    import toys

    il.save(toys.sae(_field(), 1), folder / "sae.safetensors")
    return folder / "sae.safetensors"


def _signals(folder: Path) -> Path:
    il.save_signal(il.phantom((3, 4, 5)), folder / "signal.safetensors")
    return folder / "signal.safetensors"


def _checkpoint(folder: Path) -> Path:
    shapes = {"net.0.linear": (8, 2), "net.1.linear": (8, 8), "last_layer.linear": (3, 8)}
    state = {f"{name}.weight": torch.rand(shape) for name, shape in shapes.items()}
    state |= {f"{name}.bias": torch.rand(shape[:1]) for name, shape in shapes.items()}
    torch.save({"state_dict": state, "psnr": np.float64(30.0)}, folder / "model.pth")
    return folder / "model.pth"


def _foreign(path: Path) -> Any:
    return il.read_network(path, omega_0=30.0, axes="xy", coordinates=(-1.0, 1.0), output=(0.0, 1.0))


def _run(folder: Path) -> Path:
    import toys
    from inrlens.studies.run_folder import write_fit_run

    (folder / "run").mkdir()
    write_fit_run(folder / "run", il.fit(toys.signal(), toys.recipe(steps=2)), [toys.signal()])
    return folder / "run" / "run.json"


def _open_run(path: Path) -> Any:
    from inrlens.studies.run_folder import open_field
    from inrlens.studies.run_reader import OpenRun

    return open_field(path.parent), OpenRun(path.parent).record


def _study(folder: Path) -> Path:
    from inrlens.studies.config.locate import locate

    (folder / "mine.toml").write_text(locate("bundled", None).source, encoding="utf-8")
    return folder / "mine.toml"


def _store(folder: Path) -> Path:
    import study_toys
    from inrlens.studies.drive.driver import drive

    with il.Store.open(folder / "store", write=True) as store:
        drive(store, study_toys.plan(4, sleep=0.0), study_toys.Inline())
    return folder / "store" / "store.sqlite"


def _open_store(path: Path) -> Any:
    with il.Store.open(path.parent) as store:
        return [(list(store.stored(name)), store.overview(name), store.files(name)) for name in store.studies()]


def _bundle(folder: Path) -> Path:
    import toys

    field = _field()
    il.write_explorer(field, folder / "page", sae=toys.sae(field, 1), signal=toys.signals(2))
    return folder / "page" / "manifest.json"


def _open_bundle(path: Path) -> Any:
    from inrlens.explorer.folder import read_manifest
    from inrlens.explorer.pages import single_page

    return read_manifest(path.parent), single_page(path.parent)


def _recipe(folder: Path) -> Path:
    import toys
    from inrlens.studies.config.recipe_files import write_recipe_file

    write_recipe_file(folder / "best.toml", toys.recipe(), "single", "siren", [], "mine")
    return folder / "best.toml"


def _read_recipe(path: Path) -> Any:
    from inrlens.studies.config.recipe_files import load_recipe_file

    return load_recipe_file(path)


_LINES = {
    "fit": "a.png --recipe small --steps 2 --batch 8 -o new --size 12x16 --seed 3 --how cover",
    "cohort": "photos --pattern *.png --recipe small --steps 2 --batch 8 --size 8x10 --limit 2 -o new",
    "transfer": "run a.png --freeze 0 --rest warm --recipe small --steps 2 -o new --json",
    "meta": "photos --recipe small --steps 2 --size 8x10 -o start.safetensors",
    "ranks": "run --json",
    "sae": "run --layer 1 -n 16 -k 2 --steps 2 -o new.safetensors",
    "atoms": "run sae.safetensors --top 3 --by firing_rate --maps maps.png",
    "atlas": "run sae.safetensors --by energy --top 2 -o atlas.safetensors",
    "match": "run sae.safetensors sae.safetensors --json",
    "ablate": "run sae.safetensors --atom 3 -o without.png",
    "edit": "run sae.safetensors --gain 3=0 --gain 4=2 -o edited.png",
    "explore": "run/field.safetensors sae.safetensors --image a.png --signals 1 --export page.html",
    "report": "run",
    "info": "sae.safetensors --json",
    "export": "sae.safetensors -o theirs",
    "import": "model.pth --omega-0 30 --axes xy --coordinates -1,1 --output 0,1 -o read.safetensors",
    "study": "status mine.toml --store store",
}
"""A command line for each verb that needs no network and ends by itself."""


def _command(verb: str) -> Subject:
    def make(folder: Path) -> Path:
        pixels = np.random.default_rng(0).integers(0, 256, (3, 7, 9, 3), dtype=np.uint8)
        (folder / "photos").mkdir()
        for name, one in zip(("a.png", "photos/b.png", "photos/c.png"), pixels, strict=True):
            Image.fromarray(one).save(folder / name)
        for part in (_run, _dictionary, _checkpoint, _study):
            part(folder)
        (folder / "line.txt").write_text(f"{verb} {_LINES[verb]}", encoding="utf-8")
        return folder / "line.txt"

    return Subject(make, _typed, text=True)


def _typed(path: Path) -> Any:
    from inrlens.cli.main import main

    line = path.read_bytes().decode(errors="replace").replace("\0", "")
    # A million steps that are asked for, or the thousands of a recipe, are no fault.
    words = re.sub(r"(?<=steps)([ =]*\d{2})\d+", r"\1", line).split()
    if "--steps" in _LINES.get(words[0] if words else "", "") and not any("--steps" in word for word in words):
        words += ["--steps", "2"]
    place = Path.cwd()
    os.chdir(path.parent)
    said, told = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            code = main(words)
    finally:
        os.chdir(place)
    lines = [line for line in told.getvalue().splitlines() if line.startswith("error: ")]
    if code not in (0, 2, 130) or (code == 2 and len(lines) != 1):
        raise AssertionError(f"exit code {code} and {len(lines)} sentences: {told.getvalue()[-300:]}")
    return code


SUBJECTS: dict[str, Subject] = {
    **{name: _picture(name) for name in ("a.png", "a.jpg", "a.gif", "a.webp", "a.bmp", "a.ppm", "a.tif", "a.jp2")},
    "a.avif": _picture("a.avif"),
    "deep.png": _picture("deep.png", deep=True),
    "lzw.tif": _picture("lzw.tif", compression="tiff_lzw"),
    "stack.tif": Subject(_stack, lambda path: il.load_signal(path, frames="all")),
    **{name: _volume(name) for name in ("a.nii", "a.nii.gz")},
    **{name: _sound(name) for name in ("a.wav", "a.flac", "a.ogg", "a.aiff")},
    "signal": Subject(_signals, il.load_signal),
    "field": Subject(_ours, il.load),
    "dictionary": Subject(_dictionary, il.load),
    "checkpoint": Subject(_checkpoint, _foreign),
    "run": Subject(_run, _open_run, text=True),
    "store": Subject(_store, _open_store),
    "study": Subject(_study, il.read_study, text=True),
    "bundle": Subject(_bundle, _open_bundle, text=True),
    "recipe": Subject(_recipe, _read_recipe, text=True),
    **{f"inrlens {verb}": _command(verb) for verb in _LINES},
}


def draws_of(seed: int, number: int) -> random.Random:
    """What decides a case."""
    return random.Random(f"{seed}/{number}")


def damaged(content: bytes, draws: random.Random, text: bool) -> bytes:
    """The content after one to four random changes."""
    found = bytearray(content)
    for _ in range(draws.choice((1, 1, 2, 4))):
        if text and draws.random() < 0.6:
            words = bytes(found).split(b" ")
            at = draws.randrange(len(words))
            words[at] = draws.choice((*_WORDS, draws.choice(words)))
            found = bytearray(b" ".join(words))
            continue
        # Headers are short, and stand at the ends: half of the changes are made there.
        reach = min(len(found), 600) if draws.random() < 0.5 else len(found)
        at = draws.randrange(reach + 1)
        length = draws.choice((1, 1, 2, 4, 8, 64))
        how = draws.randrange(6)
        if how == 0:
            del found[at:]
        elif how == 1:
            del found[at : at + length]
        elif how == 2:
            found[at:at] = draws.randbytes(length)
        elif how == 3:
            found[at : at + length] = draws.choice((b"\0", b"\xff", b"\x7f")) * length
        elif how == 4 and at < len(found):
            found[at] ^= 1 << draws.randrange(8)
        else:
            found[at : at + length] = found[(other := draws.randrange(reach + 1)) : other + length]
    return bytes(found)


_WORDS = (b"", b"-1", b"0", b"nan", b"1e999", b"[]", b"{}", b'"x"', b"null", b"true", b"\xff", b"--", b"--steps", b"..")
_WORDS += (b"99999999999999999999", b"\xe2\x80\xae", b"=", b"\n", b"1x1", b"-o")


class TooLongError(BaseException):
    """Raised in a reader that takes longer than it may; no Exception, so that none of ours takes it for an error."""


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    def ring(*given: object) -> None:
        raise TooLongError

    # So many seconds of this process, whatever else the machine does; what waits for ever is ended too.
    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, 10.0 * seconds))
    before = [signal.signal(number, ring) for _, number, _ in timers]
    for timer, _, limit in timers:
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for timer, _, _ in timers:
            signal.setitimer(timer, 0.0)
        for (_, number, _), handler in zip(timers, before, strict=True):
            signal.signal(number, handler)


def failure(name: str, path: Path, seconds: float) -> str | None:
    """What is wrong with how a damaged input was taken; None where nothing is."""
    subject, before = SUBJECTS[name], set(path.parent.rglob("*"))
    _watched.clear()
    try:
        with _within(seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            subject.read(path)
    except il.InputError as error:
        if "\n" in str(error):
            return f"a sentence of several lines: {str(error)[:300]!r}"
    except TooLongError:
        return f"longer than {seconds:g} s"
    except MemoryError:
        return "MemoryError"
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if _watched:
        return f"it did {', '.join(_watched)}"
    halves = [one.name for one in path.parent.rglob("*") if one not in before and one.name.endswith(".part")]
    return f"left behind: {', '.join(halves)}" if halves else None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(FORBIDDEN):
        _watched.append(event)


def main() -> int:
    """Makes the cases that were asked for, and sums up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("-n", type=int, default=2000, help="how many cases")
    parser.add_argument("--seed", type=int, default=0, help="other cases")
    parser.add_argument("--case", type=int, help="this one alone")
    parser.add_argument("--only", default="", help="kinds whose names hold this")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long a case may take")
    parser.add_argument("--keep", type=Path, help="a folder for what failed")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    # A look at an explorer would wait for Ctrl-C, and open a browser.
    Server.wait = lambda server: None  # type: ignore[method-assign]
    webbrowser.open = lambda *given: True  # type: ignore[assignment]
    names = [name for name in SUBJECTS if asked.only in name]
    numbers = range(asked.n) if asked.case is None else [asked.case]
    failed: list[str] = []
    longest, began, kinds = 0.0, time.monotonic(), Counter[str]()
    sys.addaudithook(_watch)
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as place:
        whole = {name: _whole(Path(place) / "whole" / str(at), SUBJECTS[name]) for at, name in enumerate(names)}
        for number in numbers:
            name = names[number % len(names)]
            folder = Path(place) / "case"
            shutil.copytree(whole[name][0], folder)
            path = folder / whole[name][1]
            path.write_bytes(damaged(path.read_bytes(), draws_of(asked.seed, number), SUBJECTS[name].text))
            started = time.process_time()
            wrong = failure(name, path, asked.seconds)
            longest = max(longest, time.process_time() - started)
            kinds[name] += 1
            if wrong is not None:
                failed.append(f"case {number}, {name}: {wrong}")
                print(failed[-1], flush=True)
                if asked.keep:
                    asked.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, asked.keep / f"{number}-{path.name}")
            shutil.rmtree(folder, ignore_errors=True)
    total = sum(kinds.values())
    print(
        f"{total:,} damaged inputs of {len(kinds)} kinds in {time.monotonic() - began:.0f} s: {len(failed)} failed, "
        f"the longest took {longest:.1f} s of processor time"
    )
    return bool(failed)


def _whole(folder: Path, subject: Subject) -> tuple[Path, Path]:
    """A folder with a whole input, and where in it the file lies that is damaged."""
    folder.mkdir(parents=True)
    path = subject.make(folder).relative_to(folder)
    # Once as it is, in a copy: what a first reading loads is no part of how long a case takes.
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / "copy"))
        with contextlib.suppress(il.InputError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            subject.read(copy / path)
    return folder, path


if __name__ == "__main__":
    sys.exit(main())
