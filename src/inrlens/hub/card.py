"""The model card of what is shared: what it is, how it was made and how well, and how to load it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from inrlens import __version__
from inrlens.hub.facts import AtlasFacts, DictionaryFacts, Facts, NetworkFacts
from inrlens.hub.front_matter import front_matter

CARD_FILE = "README.md"
_VARIANTS = {"post": "activations", "post_centred": "centred", "pre": "pre-activations"}


@dataclass(frozen=True)
class CardFile:
    """A file beside the card: its name, size in bytes and SHA-256."""

    name: str
    size: int
    sha256: str


def model_card(repo_id: str, facts: Sequence[Facts], files: Sequence[CardFile], license: str | None) -> str:
    """The text of ``README.md``: the hub's front matter, and everything in ``facts`` for people to read."""
    networks = [one for one in facts if isinstance(one, NetworkFacts)]
    environment = Environment(
        loader=PackageLoader("inrlens.hub"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Markdown, in which every value goes through a filter of its own.
        autoescape=False,
    )
    environment.filters |= {"cell": _cell, "settings": _settings, "db": _db, "reader": _reader}
    name = repo_id.rpartition("/")[2]
    return environment.get_template("card.md.j2").render(
        name=name,
        repo_id=repo_id,
        front_matter=front_matter(name, facts, license),
        facts=facts,
        networks=networks,
        dictionaries=[one for one in facts if isinstance(one, DictionaryFacts)],
        atlases=[one for one in facts if isinstance(one, AtlasFacts)],
        variants=_VARIANTS,
        files=files,
        stem=lambda file: file.removesuffix(".safetensors"),
        version=__version__,
    )


def _cell(value: object) -> str:
    """A value as one line of plain text inside a Markdown table."""
    text = " ".join(str(value).split())
    for character in "\\`*_|[]<>":
        text = text.replace(
            character, f"\\{character}" if character not in "<>" else {"<": "&lt;", ">": "&gt;"}[character]
        )
    return text


def _reader(network: NetworkFacts) -> str:
    """The call that reads a signal like those that a network knows."""
    grey = ", grey=True" if network.channels == 1 else ""
    calls = ('load_audio("new.wav")', f'load_image("new.jpg"{grey})', 'load_volume("new.nii.gz")')
    return calls[len(network.grid or (1, 1)) - 1]


def _settings(content: dict[str, Any]) -> str:
    """Settings as ``name value, name value``; a table inside stands in brackets."""
    return ", ".join(f"{key} {_value(value)}" for key, value in content.items()) or "-"


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return f"({_settings(value)})"
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(_value(entry) for entry in value) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _db(value: float) -> str:
    return f"{value:.2f}"
