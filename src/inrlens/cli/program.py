"""The verbs of ``inrlens``, and what becomes of their errors."""

import re
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from inrlens import __version__
from inrlens.cli import (
    ablate,
    atlas,
    atoms,
    cohort,
    demo,
    edit,
    explore,
    exporting,
    fit,
    importing,
    info,
    match,
    meta,
    pull,
    push,
    ranks,
    report,
    sae,
    sweep,
    transfer,
    weights,
)
from inrlens.cli.main import STOPPED
from inrlens.cli.options import examples
from inrlens.cli.output import fail, log_as_lines
from inrlens.cli.study.app import app as study
from inrlens.cli.usage import Verb, Verbs, usage_sentence
from inrlens.errors import InputError

_NO_MEMORY = re.compile("out of memory|allocate memory|not enough memory", re.IGNORECASE)
_TOO_LARGE = "the memory of this machine is too small for that: a smaller --size, --batch or dictionary needs less."


class _Verbs(Verbs):
    """The verbs, which say one sentence where Ctrl-C stops them."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            fail(str(stopped) or STOPPED)
            raise typer.Exit(130) from None


app = typer.Typer(
    name="inrlens",
    cls=_Verbs,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("inrlens demo", "inrlens cohort photos/ --size 64x80 -o runs/cohort", "inrlens ranks runs/cohort"),
)
_FIRST, _FIT, _INSIDE, _READ = "Start here", "Fit", "Look inside", "Read"
_VERBS: tuple[tuple[str, str, Callable[..., None], tuple[str, ...], str], ...] = (
    (_FIRST, "demo", demo.demo, demo.EXAMPLES, "The whole finding on a few photos, ending in a report."),
    (_FIT, "fit", fit.fit, fit.EXAMPLES, "One network for one image, volume or sound."),
    (_FIT, "cohort", cohort.cohort, cohort.EXAMPLES, "One encoder for a folder of signals."),
    (_FIT, "meta", meta.meta, meta.EXAMPLES, "A start that fits after a few steps, learned by MAML."),
    (_FIT, "transfer", transfer.transfer, transfer.EXAMPLES, "A new signal on a cohort's layers."),
    (_INSIDE, "ranks", ranks.ranks, ranks.EXAMPLES, "Which layer transfers."),
    (_INSIDE, "sae", sae.sae, sae.EXAMPLES, "Train a dictionary of atoms on one layer."),
    (_INSIDE, "atoms", atoms.atoms, atoms.EXAMPLES, "List the strongest atoms, draw their maps."),
    (_INSIDE, "atlas", atlas.atlas, atlas.EXAMPLES, "Every atom's exact effect on the output."),
    (_INSIDE, "match", match.match, match.EXAMPLES, "Are atoms found again in other dictionaries?"),
    (_INSIDE, "sweep", sweep.sweep, sweep.EXAMPLES, "Dictionaries of every size and sparsity, layer by layer."),
    (_INSIDE, "ablate", ablate.ablate, ablate.EXAMPLES, "Take one atom out and measure the loss."),
    (_INSIDE, "edit", edit.edit, edit.EXAMPLES, "Turn atoms down, off or up."),
    (_INSIDE, "explore", explore.explore, explore.EXAMPLES, "Touch all of it in the browser."),
    (_READ, "import", importing.import_file, importing.EXAMPLES, "Somebody else's network or dictionary as ours."),
    (_READ, "export", exporting.export_file, exporting.EXAMPLES, "A field as ONNX, a dictionary as sparsify loads it."),
    (_READ, "push", push.push, push.EXAMPLES, "Upload a run or files with a model card."),
    (_READ, "pull", pull.pull, pull.EXAMPLES, "Fetch what somebody has shared."),
    (_READ, "report", report.report, report.EXAMPLES, "Write a run's report.html anew."),
    (_READ, "weights", weights.weights, weights.EXAMPLES, "Fetch the published weights that LPIPS needs."),
    (_READ, "info", info.info, info.EXAMPLES, "What a file or a run says about itself."),
)
for _panel, _name, _verb, _lines, _summary in _VERBS:
    app.command(_name, cls=Verb, short_help=_summary, epilog=examples(*_lines), rich_help_panel=_panel)(_verb)
app.add_typer(study, rich_help_panel="Many at once", short_help="A whole experiment as one file.")


def _print_version(wanted: bool) -> bool:
    if wanted:
        sys.stdout.write(f"inrlens {__version__}\n")
        raise typer.Exit
    return wanted


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Fit coordinate networks to images, volumes and sounds, find the layer that transfers, take every layer apart into
    atoms.
    """


def run(arguments: list[str]) -> int:
    """Runs the verb that is named, or prints help where none is, and returns the exit code of ``main``."""
    if arguments in ([], ["study"]):
        arguments = [*arguments, "--help"]
    with log_as_lines():
        try:
            code = app(args=arguments, prog_name="inrlens", standalone_mode=False)
        except Exception as error:
            sentence = _sentence(error)
            if sentence is None:
                raise
            fail(sentence)
            return 2
    return code if isinstance(code, int) else 0


def _sentence(error: Exception) -> str | None:
    """What to say about an error that the user can mend; None for a bug."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, typer.TyperException):
        return usage_sentence(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error))):
        return _TOO_LARGE
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}."
    return None
