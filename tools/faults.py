"""Puts deliberate faults into a copy of the source, one at a time, and tells which of them the tests find.

``python tools/faults.py`` takes the faults of ``tests/faults.toml`` that ``tests/faults.csv`` has no answer for yet.
Each meets the tests of its module first, then those that import the module by name, then those of its room; what they
let pass meets the whole suite. Every answer is printed and written as it comes. Tests that fail without a fault are
left out and named. The exit code is 1 where fewer than 95 % are caught.

``--check`` looks at the list alone: every ``old`` stands once in its file, every ``new`` is another text, and the file
compiles with it. Tests run in copies of the checkout in a temporary folder, in processes that are forked from one that
has loaded the libraries already; of the checkout itself only the CSV file is written.
"""

import argparse
import csv
import fnmatch
import hashlib
import importlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST, RESULTS = ROOT / "tests" / "faults.toml", ROOT / "tests" / "faults.csv"
ENOUGH = 0.95
OPTIONS = ("-q", "-p", "no:cacheprovider", "--color=no", "--tb=no", "-rfE")
LOADED = ("torch", "scipy.stats", "matplotlib.pyplot", "pydantic", "PIL.Image", "pytest")
"""What every child needs and no fault is in; plugins of pytest must not be loaded before it."""
_ENTRIES = {"file", "what", "kind", "old", "new"}
_COPIED = (
    *("src", "tests", "tools", "docs", "benchmarks", "pyproject.toml", "mkdocs.yml", "constraints.txt", "Makefile"),
    *("README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", ".gitignore"),
)
_NOTHING_RAN, _BROKE = 5, 70
"""Pytest's exit code where it found no test, and ours where the child ended outside of pytest."""


@dataclass(frozen=True)
class Fault:
    """``new`` in the place of ``old``, which stands once in ``file`` below ``src/inrlens``."""

    number: int
    file: str
    what: str
    kind: str
    old: str
    new: str

    @property
    def id(self) -> str:
        """What tells it from every other change."""
        return hashlib.sha256("\0".join((self.file, self.old, self.new)).encode()).hexdigest()[:10]

    def flaw(self) -> str:
        """What is wrong with it; empty where it can be put into the source."""
        path = ROOT / "src" / "inrlens" / self.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if text.count(self.old) != 1 or self.new == self.old:
            return f"its old text stands there {text.count(self.old)} times, and must once, and not be the new one"
        try:
            compile(text.replace(self.old, self.new), self.file, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            return f"the file does not compile with it ({error})"
        return ""


@dataclass(frozen=True)
class Row:
    """What became of a fault: ``caught`` is yes, no or timeout; ``stage`` module or suite; ``test`` the first to
    fail."""

    number: int
    id: str
    file: str
    what: str
    kind: str
    caught: str
    stage: str
    test: str
    seconds: float


@dataclass
class Trial:
    """A fault in a copy, and the runs of tests that it has yet to pass."""

    fault: Fault
    copy: "Copy"
    stages: list[tuple[str, list[str]]]
    began: float = field(default_factory=time.monotonic)


class Copy:
    """A copy of the checkout in which one run of pytest goes on at a time, in a child of this process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(ROOT / name, root / name)
        self._child = 0
        self._until = 0.0

    def put(self, fault: Fault, new: bool) -> None:
        """Puts a fault into the source, or takes it out."""
        path = self.root / "src" / "inrlens" / fault.file
        sound = (ROOT / "src" / "inrlens" / fault.file).read_text(encoding="utf-8")
        path.write_text(sound.replace(fault.old, fault.new) if new else sound, encoding="utf-8")
        # A compiled file of the same size and second would be taken for the new one's.
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink(missing_ok=True)

    def begin(self, arguments: Sequence[str], limit: float) -> None:
        """Starts pytest in a child; what has not ended after ``limit`` seconds is killed."""
        self._until = time.monotonic() + limit
        self._child = os.fork()
        if self._child == 0:
            try:
                os._exit(_in_child(self.root, [*OPTIONS, *arguments]))
            except BaseException:
                traceback.print_exc()
                os._exit(_BROKE)

    def ended(self) -> int | None:
        """Pytest's exit code, -1 where its time was up, None while it runs."""
        found, status = os.waitpid(self._child, os.WNOHANG)
        if found:
            self._kill()
            if (code := os.waitstatus_to_exitcode(status)) == _BROKE:
                raise SystemExit(f"the tests could not be started:\n{self.said()}")
            return code
        if time.monotonic() < self._until:
            return None
        self._kill()
        os.waitpid(self._child, 0)
        return -1

    def said(self) -> str:
        """The end of what the last run printed."""
        return (self.root / "output").read_text(encoding="utf-8", errors="replace")[-20_000:]

    def failed(self) -> list[str]:
        """The tests that failed in the last run."""
        return re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", self.said(), re.MULTILINE)

    def _kill(self) -> None:
        """Ends the child and all that it has begun."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child, signal.SIGKILL)


def _in_child(root: Path, arguments: Sequence[str]) -> int:
    os.setsid()
    os.chdir(root)
    output = os.open(root / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    (root / "tmp").mkdir(exist_ok=True)
    source = str(root / "src")
    os.environ |= {"PYTHONPATH": source, "TMPDIR": str(root / "tmp")}
    tempfile.tempdir = None
    sys.path.insert(0, source)
    package = importlib.import_module("inrlens")
    if not str(package.__file__).startswith(source):
        raise RuntimeError(f"{package.__file__} would be tested, which is not the copy's source")
    return int(importlib.import_module("pytest").main(list(arguments)))


def read_faults(path: Path = LIST) -> list[Fault]:
    """The faults of a list, in its order.

    Raises:
        SystemExit: where an entry lacks something, has something else, or cannot be put into the source.
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["fault"]
    for number, entry in enumerate(entries, start=1):
        if set(entry) != _ENTRIES or not all(entry["what"] and isinstance(value, str) for value in entry.values()):
            raise SystemExit(f"{path.name}: fault {number} must have {', '.join(sorted(_ENTRIES))}, each a text.")
    faults = [Fault(number, **entry) for number, entry in enumerate(entries, start=1)]
    flaws = [f"fault {one.number}, {one.file}, {one.what}: {flaw}." for one in faults if (flaw := one.flaw())]
    flaws += [f"a fault stands twice in the list ({key})." for key, n in Counter(x.id for x in faults).items() if n > 1]
    if flaws:
        raise SystemExit("\n".join(flaws))
    return faults


def module_tests(fault: Fault) -> list[list[str]]:
    """The tests that a fault meets first: its module's, or where it has none those beside where they would be; then
    others that import the module by name. Either may be empty."""
    tests, place = ROOT / "tests", Path(fault.file)
    folder = tests / place.parent
    while not folder.is_dir():
        folder = folder.parent
    first = sorted(folder.glob(f"test_{place.stem}*.py"))
    if not first and folder != tests:
        first = sorted(folder.glob("test_*.py"))
    parent, name = ".".join(("inrlens", *place.parent.parts)), place.stem
    by_name = re.compile(rf"\b{re.escape(parent)}\.{name}\b|from {re.escape(parent)} import (\([^)]*|[^\n]*)\b{name}\b")
    others = [path for path in sorted(tests.rglob("test_*.py")) if path not in first]
    importing = [path for path in others if by_name.search(path.read_text(encoding="utf-8"))]
    return [[path.relative_to(ROOT).as_posix() for path in paths] for paths in (first, importing)]


class Answers:
    """The rows of a CSV file, kept in the order of the list and written anew after each."""

    def __init__(self, path: Path, faults: Sequence[Fault]) -> None:
        self._path = path
        self._order = {fault.id: fault for fault in faults}
        self.rows: dict[str, Row] = {}
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                rows = [Row(**row) for row in csv.DictReader(file)]  # type: ignore[arg-type]
            self.rows = {row.id: row for row in rows if row.id in self._order}

    def enter(self, fault: Fault, caught: str, stage: str, test: str, began: float) -> None:
        """Writes a row, whole or not at all, and prints it."""
        seconds = round(time.monotonic() - began, 1)
        self.rows[fault.id] = Row(
            fault.number, fault.id, fault.file, fault.what, fault.kind, caught, stage, test, seconds
        )
        part = self._path.with_name(f".{self._path.name}.part")
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [entry.name for entry in fields(Row)], lineterminator="\n")
            writer.writeheader()
            # Number and words are those of the list as it is now.
            for one in self._order.values():
                if (row := self.rows.get(one.id)) is not None:
                    writer.writerow(asdict(replace(row, number=one.number, what=one.what, kind=one.kind)))
        part.replace(self._path)
        print(f"{caught:8}{stage:7}{seconds:5.0f} s  {fault.file}: {fault.what}  {test}", flush=True)


@contextmanager
def copies(count: int) -> Iterator[list[Copy]]:
    """Copies of the checkout in a temporary folder, and what runs in them ended behind the block."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as name:
        made = [Copy(Path(name) / str(number)) for number in range(count)]
        try:
            yield made
        finally:
            for copy in made:
                if copy._child:
                    copy._kill()


def broken_tests(copy: Copy, limit: float) -> list[str]:
    """The tests of the suite that fail without any fault."""
    copy.begin(["-n", "2", "--dist", "loadscope", "tests"], limit)
    while (code := copy.ended()) is None:
        time.sleep(1.0)
    if code != 0 and (code != 1 or not copy.failed()):
        raise SystemExit(f"the suite cannot be run ({code}):\n{copy.said()}")
    return copy.failed()


def run(faults: Sequence[Fault], answers: Answers, options: argparse.Namespace) -> list[str]:
    """Puts faults to the tests and enters what becomes of them; the tests that fail without any."""
    for name in LOADED:
        importlib.import_module(name)
    with copies(options.jobs) as made:
        broken = [] if options.trust else broken_tests(made[0], options.suite_timeout)
        left_out = [f"--deselect={test}" for test in broken]
        waiting, free, trials, survivors = list(faults), list(made), list[Trial](), list[Fault]()
        while waiting or trials:
            while waiting and free:
                fault, copy = waiting.pop(0), free.pop()
                copy.put(fault, True)
                stages = [("module", ["-x", *tests]) for tests in module_tests(fault) if tests]
                if (room := ROOT / "tests" / Path(fault.file).parts[0]).is_dir():
                    stages.append(("room", ["-x", room.relative_to(ROOT).as_posix()]))
                trials.append(Trial(fault, copy, stages))
                copy.begin([*stages[0][1], *left_out], options.timeout)
            if (trial := next((one for one in trials if (code := one.copy.ended()) is not None), None)) is None:
                time.sleep(0.1)
                continue
            stage, _ = trial.stages.pop(0)
            if code in (0, _NOTHING_RAN) and trial.stages:
                trial.copy.begin([*trial.stages[0][1], *left_out], options.timeout)
                continue
            if code in (0, _NOTHING_RAN):
                survivors.append(trial.fault)
            else:
                test = next(iter(trial.copy.failed()), f"pytest ended with code {code}")
                answers.enter(trial.fault, "timeout" if code == -1 else "yes", stage, test, trial.began)
            trials.remove(trial)
            trial.copy.put(trial.fault, False)
            free.append(trial.copy)
        for fault in survivors:
            _by_suite(made[0], fault, answers, ["-n", "2", "-x", "tests", *left_out], options.suite_timeout)
    return broken


def _by_suite(copy: Copy, fault: Fault, answers: Answers, arguments: list[str], limit: float) -> None:
    began = time.monotonic()
    copy.put(fault, True)
    copy.begin(arguments, limit)
    while (code := copy.ended()) is None:
        time.sleep(0.2)
    copy.put(fault, False)
    caught = {0: "no", -1: "timeout"}.get(code, "yes")
    test = next(iter(copy.failed()), f"pytest ended with code {code}") if caught == "yes" else ""
    answers.enter(fault, caught, "" if caught == "no" else "suite", test, began)


def summary(rows: Sequence[Row]) -> str:
    """How many faults were caught, and how."""
    caught = [row for row in rows if row.caught != "no"]
    by_module = sum(row.stage == "module" for row in caught)
    share = 100.0 * len(caught) / len(rows) if rows else 100.0
    return f"{len(rows)} faults, {len(caught)} caught ({share:.1f} %), {by_module} by the tests of their modules"


def main() -> int:
    """Checks the list, runs what is asked for, and sums up; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="look at the list alone and run no tests")
    parser.add_argument("--only", default="*", help="a pattern of files, or a part of a file's name or of what it is")
    parser.add_argument("--again", action="store_true", help="run those too that have an answer already")
    parser.add_argument("--trust", action="store_true", help="take every test to pass without a fault")
    parser.add_argument("--jobs", type=int, default=2, help="faults at the same time before the modules' tests")
    parser.add_argument("--csv", type=Path, default=RESULTS, help="where the answers are kept")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for the tests of a module")
    parser.add_argument("--suite-timeout", type=float, default=1800.0, help="seconds for the whole suite")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    faults = read_faults()
    chosen = [x for x in faults if fnmatch.fnmatch(x.file, options.only) or options.only in f"{x.file}: {x.what}"]
    if options.check:
        rooms = Counter(fault.file.rpartition("/")[0].partition("/")[0] or "all rooms" for fault in chosen)
        print(f"{len(chosen)} faults: {', '.join(f'{room} {count}' for room, count in rooms.items())}")
        return 0
    answers = Answers(options.csv, faults)
    left = [fault for fault in chosen if options.again or fault.id not in answers.rows]
    try:
        broken = run(left, answers, options) if left else []
    except KeyboardInterrupt:
        print(f"ended early: {options.csv} holds what is known so far.", file=sys.stderr)
        return 130
    rows = [answers.rows[fault.id] for fault in chosen if fault.id in answers.rows]
    for row in rows:
        if row.caught == "no":
            print(f"not caught: {row.file}: {row.what}")
    for test in broken:
        print(f"fails without any fault: {test}")
    print(summary(rows))
    return int(sum(row.caught != "no" for row in rows) < ENOUGH * len(rows))


if __name__ == "__main__":
    sys.exit(main())
