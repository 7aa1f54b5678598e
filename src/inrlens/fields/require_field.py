"""Is it a field of ours? Some things know its layers by name, and are for nothing else."""

from inrlens.errors import InputError
from inrlens.fields.field import Field


def require_field(thing: object, what: str) -> None:
    """Raises InputError where ``thing`` is no field of ours, which is all that ``what`` takes."""
    if not isinstance(thing, Field):
        raise InputError(
            f"{what} takes a field of ours, not a {type(thing).__name__}: il.read_network makes one of a state dict "
            "whose layout it knows."
        )
