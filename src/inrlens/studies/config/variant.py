"""What a recipe's axes were set to."""

from typing import Any

Variant = tuple[tuple[str, Any], ...]
"""Pairs such as ``(("transfer.learning_rate", 1e-4),)``, in the file's order; empty without axes."""
