"""The shape of a study's file: which fields each table has and what may stand in them."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from inrlens.signals.kinds import DataKind
from inrlens.signals.sizing import Fitting
from inrlens.studies.config.model import Counterpart, Metric, Network, Rest, Split
from inrlens.studies.config.toml_text import toml_value

T = TypeVar("T")
F = TypeVar("F", bound="Form")

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_NAMED = "a name of letters, digits, dots, dashes and underscores"
_COUNT = "a whole number of at least 1"
_FROM_NONE = "a whole number of at least 0"
_LONGEST = 60
"""Of what was found instead, so that one fault does not drown the others."""


def _different(values: list[T]) -> list[T]:
    """Refuses an empty list and one that says a thing twice."""
    if not values or len(set(values)) < len(values):
        raise ValueError
    return values


def _grey_or_colour(channels: int) -> int:
    if channels not in (1, 3):
        raise ValueError
    return channels


Several = Annotated[list[T], AfterValidator(_different)]
Count = Annotated[int, Field(ge=1)]
FromNone = Annotated[int, Field(ge=0)]
# No Literal[1, 3], which takes true for 1.
Channels = Annotated[int, AfterValidator(_grey_or_colour)]
Name = Annotated[str, Field(pattern=_NAME)]


def _one_of(choices: Any) -> str:
    return f"one of {', '.join(str(one) for one in get_args(choices))}"


def _some_of(choices: Any) -> str:
    return f"a list of one or more of {', '.join(str(one) for one in get_args(choices))}, each once"


def _list_of(what: str) -> str:
    return f"a list of one or more {what}, each once"


class Form(BaseModel):
    """A table of the file; each field's description completes the sentence ``FIELD must be``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DataForm(Form):
    """``[data.NAME]``."""

    kind: DataKind = Field(description=_one_of(DataKind))
    path: str | None = Field(None, min_length=1, description="the path of a folder")
    cohort: FromNone = Field(10, description=_FROM_NONE)
    validation: FromNone = Field(0, description=_FROM_NONE)
    test: FromNone | None = Field(None, description=_FROM_NONE)
    split_seed: FromNone = Field(0, description=_FROM_NONE)
    size: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[height, width] of at least 1 pixel each"
    )
    how: Fitting = Field("resize", description=_one_of(Fitting))
    channels: Channels = Field(3, description="1 or 3")
    turn: bool = Field(False, description="true or false")
    pattern: str = Field("*", min_length=1, description='a shell pattern such as "*.png"')
    counterpart: Counterpart | None = Field(None, description=_one_of(Counterpart))


class BackboneForm(Form):
    """``[backbones.NAME]``; what the recipes hold is looked at one by one."""

    backbone: str | None = Field(None, description="the name of a backbone")
    cohort: dict[str, Any] = Field({}, description='a table such as { recipe = "paper", steps = 1000 }')
    transfer: dict[str, Any] = Field({}, description='a table such as { recipe = "paper", steps = 100 }')
    single: dict[str, Any] = Field({}, description='a table such as { recipe = "paper", steps = 100 }')


class TransferForm(Form):
    """``[[transfers]]``."""

    freeze: Several[FromNone | Literal["scratch", "none", "each"]] = Field(
        description=_list_of('layers of at least 0, "each", "none" and "scratch"')
    )
    rest: Several[Rest] = Field(["reinit"], description=_some_of(Rest))
    sources: Several[str] | None = Field(None, description=_list_of("names of data sets"))
    targets: Several[str] | None = Field(None, description=_list_of("names of data sets"))
    backbones: Several[str] | None = Field(None, description=_list_of("names of backbones"))
    split: Split = Field("test", description=_one_of(Split))
    images: Count | None = Field(None, description=_COUNT)


class SingleForm(Form):
    """``[[singles]]``."""

    data: Several[str] | None = Field(None, description=_list_of("names of data sets"))
    backbones: Several[str] | None = Field(None, description=_list_of("names of backbones"))
    split: Split = Field("test", description=_one_of(Split))
    images: Count | None = Field(None, description=_COUNT)


class DictionaryForm(Form):
    """``[[dictionaries]]``."""

    networks: Several[Network] = Field(["cohort"], description=_some_of(Network))
    sources: Several[str] | None = Field(None, description=_list_of("names of data sets"))
    backbones: Several[str] | None = Field(None, description=_list_of("names of backbones"))
    layers: Several[FromNone] | None = Field(None, description=_list_of("layers of at least 0"))
    images: Count = Field(1, description=_COUNT)
    n_atoms: Several[Count] = Field([4096], description=_list_of("whole numbers of at least 1"))
    k: Several[Count] = Field([32], description=_list_of("whole numbers of at least 1"))
    steps: Count = Field(10_000, description=_COUNT)
    batch: Count = Field(4096, description=_COUNT)
    learning_rate: float = Field(1e-4, gt=0.0, le=1e30, description="a positive number of at most 1e30")
    seeds: Several[FromNone] = Field([0], description=_list_of("whole numbers of at least 0"))
    effects: bool = Field(True, description="true or false")


class StudyForm(Form):
    """The top of the file; its tables are looked at one by one."""

    format: Annotated[int, Field(ge=1, le=1)] = Field(description="1")
    name: Name = Field(description=_NAMED)
    title: str | None = Field(None, min_length=1, description="a text")
    seeds: Several[FromNone] = Field([0], description=_list_of("whole numbers of at least 0"))
    cohort_seeds: Several[FromNone] = Field([0], description=_list_of("whole numbers of at least 0"))
    metrics: Several[Metric] = Field(list(get_args(Metric)), description=_some_of(Metric))
    data: dict[Name, Any] = Field(min_length=1, description=f"tables [data.NAME] with {_NAMED}")
    backbones: dict[Name, Any] = Field(min_length=1, description=f"tables [backbones.NAME] with {_NAMED}")
    transfers: list[Any] = Field([], description="tables [[transfers]]")
    singles: list[Any] = Field([], description="tables [[singles]]")
    dictionaries: list[Any] = Field([], description="tables [[dictionaries]]")


def filled(form: type[F], table: Any, where: str, faults: list[str]) -> F | None:
    """The table as its form; where it does not fit, None, and one fault a field in ``faults``, in the form's order."""
    if not isinstance(table, dict):
        faults.append(f"{where} must be a table, not {found(table)}")
        return None
    try:
        return form.model_validate(table)
    except ValidationError as error:
        for name in dict.fromkeys(str(one["loc"][0]) for one in error.errors()):
            faults.append(_fault(form, name, table, where))
    return None


def _fault(form: type[Form], name: str, table: dict[str, Any], where: str) -> str:
    path = f"{where}.{name}" if where else name
    if name not in form.model_fields:
        return f"{path} {unknown(name, form.model_fields)}"
    meant = form.model_fields[name].description
    if name not in table:
        return f"{path} is missing: it must be {meant}"
    return f"{path} must be {meant}, not {found(table[name])}"


def unknown(name: str, known: Iterable[str]) -> str:
    """``is not known``, with the nearest of the known names, or all of them where none is near."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"is not known (did you mean {near[0]}?)" if near else f"is not known (allowed are {', '.join(known)})"


def found(value: Any) -> str:
    """What stood in the file, cut where it is long."""
    text = toml_value(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
