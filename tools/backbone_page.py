"""The backbones' page: the settings that each registered dataclass takes, and what its docstring says of them."""

import inspect
from dataclasses import fields
from typing import Any, get_type_hints

from inrlens.fields import ffmlp as ffmlp  # its package registers every backbone
from inrlens.fields.backbone import _KINDS, backbone_names, make_backbone

HEAD = """# Backbones

The settings of every backbone: `il.make_backbone("siren", width=128)` and `il.Field.new("siren", width=128)` take them
by name, and what is not given is the default. In all of them `coordinates` is m (2 for a picture), `width` the d units
of a layer, `depth` the L layers. Recipes choose their own: `il.recipes.single("gauss").backbone` prints them.
[The method](../method.md#backbones) has the equations side by side and their sources, [Recipes](../recipes.md) says
which to take.
"""


def backbone_page() -> dict[str, str]:
    """The page by its path under ``docs/``."""
    sections = [_section(name, type(make_backbone(name))) for name in backbone_names()]
    return {"api/backbones.md": "\n".join([HEAD, *sections])}


def _section(name: str, cls: type[Any]) -> str:
    hints = get_type_hints(cls)
    lines = [f"## {name}", "", inspect.getdoc(cls) or "", "", "| setting | default | what it may be |", "|---|---|---|"]
    lines += [f"| `{one.name}` | `{one.default!r}` | {_KINDS[hints[one.name]][0]} |" for one in fields(cls)]
    lines += ["", f"- Weights start as: {cls.weight_rule}.", f"- Biases start as: {cls.bias_rule}."]
    return "\n".join(lines).replace("``", "`") + "\n"
