"""The verbs of ``inrlens study``."""

from collections.abc import Callable

import typer

from inrlens.cli.options import examples
from inrlens.cli.study import best, plan, report, run, status
from inrlens.cli.usage import Verb, Verbs

_BEFORE, _RUN, _AFTER = "Before", "While it runs", "After"
VERBS: tuple[tuple[str, str, Callable[..., None], tuple[str, ...], str], ...] = (
    (_BEFORE, "list", status.list_studies, status.LIST_EXAMPLES, "The studies that come with InrLens."),
    (_BEFORE, "plan", plan.plan, plan.EXAMPLES, "What a study computes, and what it will cost."),
    (_RUN, "run", run.run, run.RUN_EXAMPLES, "Run a study, or go on with it."),
    (_RUN, "status", status.status, status.STATUS_EXAMPLES, "How far it is, and what failed."),
    (_RUN, "retry", run.retry, run.RETRY_EXAMPLES, "Run the failed cells again."),
    (_AFTER, "report", report.report, report.REPORT_EXAMPLES, "Its page, beside the published numbers."),
    (_AFTER, "export", report.export, report.EXPORT_EXAMPLES, "Its tables as CSV, LaTeX or Parquet."),
    (_AFTER, "best", best.best, best.EXAMPLES, "The recipes that a search found best."),
)
app = typer.Typer(
    name="study",
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("inrlens study plan bundled", "inrlens study run bundled", "inrlens study report bundled"),
)
for _panel, _name, _verb, _lines, _summary in VERBS:
    app.command(_name, cls=Verb, short_help=_summary, epilog=examples(*_lines), rich_help_panel=_panel)(_verb)


@app.callback()
def _study() -> None:
    """The whole experiment as one file: planned, priced, run anywhere, told as tables."""
