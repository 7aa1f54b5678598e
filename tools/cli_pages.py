"""The command line's pages: what ``inrlens VERB --help`` prints, one page a verb."""

import io
import os
from contextlib import redirect_stdout

# Typer reads these when it is imported, or draws: the pages must not depend on who writes them, or where.
for _name in ("TERMINAL_WIDTH", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "CLICOLOR_FORCE"):
    os.environ.pop(_name, None)
os.environ |= {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "_TYPER_FORCE_DISABLE_TERMINAL": "1"}

from inrlens.cli.main import main  # noqa: E402
from inrlens.cli.program import _VERBS  # noqa: E402
from inrlens.cli.study.app import VERBS as STUDY_VERBS  # noqa: E402

SEE = {
    "fit": "tutorials/fit-and-reuse.md",
    "cohort": "tutorials/fit-and-reuse.md",
    "transfer": "tutorials/fit-and-reuse.md",
    "ranks": "tutorials/fit-and-reuse.md",
    "sae": "tutorials/take-a-layer-apart.md",
    "atoms": "tutorials/take-a-layer-apart.md",
    "atlas": "tutorials/take-a-layer-apart.md",
    "ablate": "tutorials/take-a-layer-apart.md",
    "edit": "tutorials/take-a-layer-apart.md",
    "match": "method.md",
    "sweep": "method.md",
    "explore": "explorer.md",
    "import": "exchange.md",
    "export": "exchange.md",
    "weights": "studies.md",
}
"""The page that says when a verb is of use, beside its own."""


def help_text(*verb: str) -> str:
    """What ``inrlens VERB --help`` prints, 80 columns wide, without trailing blanks."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        main([*verb, "--help"])
    return "\n".join(line.rstrip() for line in printed.getvalue().strip("\n").splitlines()).strip("\n")


def cli_pages() -> dict[str, str]:
    """Every page by its path under ``docs/``."""
    verbs = [(panel, (name,), summary) for panel, name, _, _, summary in _VERBS]
    verbs += [(f"A study: {panel.lower()}", ("study", name), summary) for panel, name, _, _, summary in STUDY_VERBS]
    pages = {_path(verb): _page(verb, summary) for _, verb, summary in verbs}
    pages["cli/index.md"] = _index(verbs)
    return pages


def _path(verb: tuple[str, ...]) -> str:
    return f"cli/{'-'.join(verb)}.md"


def _page(verb: tuple[str, ...], summary: str) -> str:
    guide = SEE.get(verb[0], "studies.md" if verb[0] == "study" else "")
    lines = [f"# inrlens {' '.join(verb)}", "", summary, "", "```text", help_text(*verb), "```"]
    if guide:
        lines += ["", f"See also: [{_title(guide)}](../{guide})."]
    return "\n".join(lines) + "\n"


def _title(guide: str) -> str:
    return guide.rsplit("/", 1)[-1].removesuffix(".md").replace("-", " ")


def _index(verbs: list[tuple[str, tuple[str, ...], str]]) -> str:
    lines = [
        "# The command line",
        "",
        "Every verb that yields numbers takes `--json`. Bad input gets one sentence and exit code 2.",
        "Ctrl-C ends a fit after the running step and keeps what was reached. `python -m inrlens` is the same program.",
    ]
    for panel in dict.fromkeys(panel for panel, _, _ in verbs):
        lines += ["", f"## {panel}", "", "| verb | what it does |", "|---|---|"]
        lines += [
            f"| [`inrlens {' '.join(verb)}`]({_path(verb).removeprefix('cli/')}) | {summary} |"
            for where, verb, summary in verbs
            if where == panel
        ]
    return "\n".join(lines) + "\n"
