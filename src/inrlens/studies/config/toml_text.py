"""Plain values as TOML, which Python reads but does not write."""

import json
import re
from collections.abc import Mapping
from typing import Any


def toml_value(value: Any) -> str:
    """A string, number, truth value, list or (inline) table; ``tomllib`` reads back the very same.

    Entries of a table that are None, for which TOML has no word, are left out.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(one) for one in value)}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(toml_lines(value))
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (int, float)):
        return repr(value)
    return str(value)


def toml_lines(table: Mapping[str, Any]) -> list[str]:
    """``key = value`` for every entry that is not None."""
    return [f"{_key(key)} = {toml_value(value)}" for key, value in table.items() if value is not None]


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)
