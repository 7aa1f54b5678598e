"""The pages of the documentation: their blocks, run, read or parsed.

A page's ``python`` blocks run in order in one namespace. Where a page presumes something, it says so in a comment that
readers do not see, ``<!-- invisible-code-block: python ... -->``. A block that cannot run in the tests has
``<!-- skip: next "why" -->`` before it. What a block prints stands in the ``output`` block after it; where a training
made its numbers, ``<!-- illustration -->`` stands before it, and what the text claims of them is asserted behind it.
"""

import io
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from sybil import Document, Example
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser
from typer.main import get_command

from inrlens.cli.program import app
from inrlens.studies.config.read import parse_study

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in [ROOT / "README.md", *DOCS.rglob("*.md")])
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*(?:e[-+]\d+)?")
_FENCE = re.compile(r"^```[ \t]*(?P<language>[\w-]*)[ \t]*\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
_PRINTED = "printed by the last block"
_ILLUSTRATION = "<!-- illustration -->"


def page_name(path: Path) -> str:
    """The page's path from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


def fences(path: Path, *languages: str) -> list[str]:
    """The texts of the page's blocks in these languages, ``""`` for none."""
    found = _FENCE.finditer(path.read_text(encoding="utf-8"))
    return [block["body"] for block in found if block["language"] in languages]


def site_sources(root: Path) -> Path:
    """Copies what the site is built from into the folder ``root``, and gives it back."""
    shutil.copytree(DOCS, root / "docs")
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    for name in ("mkdocs.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, root / name)
    return root


class _Python:
    """Runs a block and keeps what it printed for the ``output`` block behind it."""

    def __init__(self) -> None:
        self._run = PythonEvaluator()

    def __call__(self, example: Example) -> None:
        printed = io.StringIO()
        with redirect_stdout(printed):
            self._run(example)
        example.namespace[_PRINTED] = printed.getvalue()


def _output(example: Example) -> str | None:
    """What is wrong with the output shown, if anything is."""
    printed = example.namespace.pop(_PRINTED, "")
    before = example.document.text[: example.start].rstrip()
    return difference(str(example.parsed), printed, illustration=before.endswith(_ILLUSTRATION))


def difference(shown: str, printed: str, illustration: bool = False) -> str | None:
    """Says how a shown output differs from a printed one; None where they say the same.

    Words must be equal, and numbers, unless they illustrate: a training is the same to the bit on one machine only.
    """
    marks = (_NUMBER.sub("#", text) if illustration else text for text in (shown, printed))
    if len({tuple(text.split()) for text in marks}) == 1:
        return None
    return f"the page shows\n{shown}\nbut the block prints\n{printed}"


def examples(path: Path, text: str) -> Iterator[Example]:
    """The page's ``python`` and ``output`` blocks and its comments to the tests, in order."""
    document = Document(text, str(path))
    for parser in (CodeBlockParser("python", _Python()), CodeBlockParser("output", _output), SkipParser()):
        for region in parser(document):
            document.add(region)
    yield from document.examples()


def study_faults(block: str, whole: str, base: Path) -> str | None:
    """What is wrong with a ``toml`` block: a study, or an excerpt, which is read behind the study ``whole``."""
    source = block if re.search(r"^format\b", block, re.MULTILINE) else f"{whole}\n{block}"
    try:
        parse_study(source, "the page", base)
    except ValueError as error:
        return str(error)
    return None


def commands(text: str) -> list[str]:
    """The lines of a block that start the program."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [line.strip().removeprefix("$ ") for line in lines if re.match(r"\s*(\$ )?inrlens ", line)]


def command_fault(line: str) -> str | None:
    """What is wrong with a command, if its verb or one of its options does not exist or misses a value."""
    command: Any = get_command(app)
    context: Any = None
    words = shlex.split(line, comments=True)
    while True:
        name, *words = words
        try:
            context = command.make_context(name, list(words), parent=context)
        except Exception as error:
            if type(error).__name__ == "Exit":
                return None
            return str(getattr(error, "message", "")) or repr(error)
        if not hasattr(command, "commands"):
            return None
        if words[0] not in command.commands:
            return f"there is no verb {words[0]!r}"
        command = command.commands[words[0]]
