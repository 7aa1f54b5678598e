"""The studies that come with InrLens."""

from importlib.resources import files

from inrlens.errors import InputError

SHIPPED = ("paper", "paper-cut", "paper-small", "readings", "what-decides", "bundled", "backbones", "depth-width")


def shipped_study(name: str) -> str:
    """The text of a study's file.

    Raises:
        InputError: where no study of that name ships.
    """
    if name not in SHIPPED:
        raise InputError(
            f"study {name!r} is not known: give the path of a .toml file, or one that ships, {', '.join(SHIPPED)}."
        )
    return (files("inrlens.studies.config") / "files" / f"{name}.toml").read_text(encoding="utf-8")
