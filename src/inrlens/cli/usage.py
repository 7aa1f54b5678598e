"""What a wrong command line is told, and how help pages name values."""

import re
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption


class _Worded:
    """Help in words: ``FILE`` or ``N`` for a value, choices as they are typed, nothing for a flag.

    Every error of its command line knows whose help to name, which Typer's parser does not always say.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if not isinstance(param, TyperOption):
                # An argument's name is the word already; Typer would add its Python type.
                param.display_type_rich = _nothing
            elif param.is_flag:
                param.metavar = ""
            elif param.metavar is None:
                param.metavar = param.display_type(ctx).strip("<>")
        return params

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc, no-any-return]
        except typer.TyperException as error:
            if getattr(error, "ctx", None) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise


class Verb(_Worded, TyperCommand):
    """A verb."""


class Verbs(_Worded, TyperGroup):
    """A group of verbs."""


def _nothing(ctx: Any) -> None:
    return None


def usage_sentence(error: typer.TyperException) -> str:
    """What is wrong with a command line: the value given, what was perhaps meant, and where its help is."""
    context: Any = getattr(error, "ctx", None)
    where = f"{context.command_path if context is not None else 'inrlens'} --help."
    message = _message(error)
    return f"{message} See {where}" if message.endswith("?") else f"{message}; see {where}"


def _message(error: typer.TyperException) -> str:
    unknown = getattr(error, "option_name", None)
    if unknown is not None and hasattr(error, "possibilities"):
        near = _near(unknown, error.possibilities or ())
        return f"{error.message}. Did you mean {near}?" if near else error.message
    message = error.format_message().strip().rstrip(".")
    message = re.sub(", unable to parse .*", "", message.replace("Input should", "it must")).replace(
        "Value error, ", ""
    )
    details = getattr(error.__cause__, "errors", None)
    given = repr(details()[0]["input"]) if details is not None else ""
    return message if given in message else f"{message}, not {given}"


def _near(option: str, known: Any) -> str | None:
    """The option that was meant; the dashes, which all have in common, make none alike."""
    names = {name.lstrip("-"): name for name in known}
    found = get_close_matches(option.lstrip("-"), names, n=1)
    return names[found[0]] if found else None
