"""The state of a running fit beside its run folder, and what ``--resume`` may do with both."""

from pathlib import Path

from inrlens.cli.output import note, shown_path
from inrlens.errors import InputError
from inrlens.files import ensure_free, read_json


def state_file(out: Path) -> Path:
    """Where the fit that writes the run folder ``out`` keeps its state while it runs."""
    return out.with_name(f"{out.name}.resume.safetensors")


def check_start(out: Path, resume: bool, force: bool) -> bool:
    """Whether the run folder may be replaced by what the fit will write.

    Raises:
        InputError: where ``out`` is taken, or an interrupted fit is kept and neither ``--resume`` nor ``--force`` says
            what to do with it.
    """
    state = state_file(out)
    if not state.exists():
        ensure_free(out, force)
        if resume:
            note(f"nothing to resume: {shown_path(state)} does not exist; the fit begins with its first step.")
        return force
    if resume:
        # A killed fit leaves its empty folder behind, an interrupted one its run so far.
        unfinished = out.is_dir() and (not any(out.iterdir()) or _is_interrupted(out))
        ensure_free(out, force or unfinished)
        return True
    if not force:
        raise InputError(
            f"{state} holds a fit that was interrupted: add --resume to go on with it, or --force to begin anew."
        )
    ensure_free(out, force)
    return True


def begin_anew(out: Path, resume: bool) -> None:
    """Drops the state of an earlier fit that is not to be continued."""
    if not resume:
        state_file(out).unlink(missing_ok=True)


def _is_interrupted(out: Path) -> bool:
    try:
        content = read_json(out / "run.json")
    except InputError:
        return False
    return isinstance(content, dict) and content.get("outcome") == "interrupted"
