"""Records as cases write them: only what differs from an ordinary record, with relative times.

The models are made from the records' own types, so that a new field of a record can be written in a case, is
offered by an editor, and is refused when misspelt, without a line here.
"""

import copyreg
import types
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, cast, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Discriminator, Field, Tag, create_model

from evals.cases.moments import DayText, Moment, MoneyText, day, moment, money
from tools.described import field_meanings
from tools.records.base import Money, Strict
from tools.records.registry import RECORD_TYPES

_INSTANTS: Final = (datetime, AwareDatetime)
_WRITTEN: Final[dict[Any, Any]] = {datetime: Moment, AwareDatetime: Moment, date: DayText, Money: MoneyText}


class Overlay(BaseModel):
    """Base of the generated models."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    def written(self) -> dict[str, Any]:
        """Return the fields that were written, as plain data."""
        return self.model_dump(mode="json", exclude_unset=True)


def _written_type(annotation: Any) -> Any:  # noqa: ANN401  # any type expression
    """Return the type in which a person writes a value of the annotated type."""
    if annotation in _WRITTEN:
        return _WRITTEN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return overlay_of(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _written_type(arguments[0])
    written: Any = tuple(_written_type(one) for one in arguments if one is not Ellipsis)
    if origin in {Union, types.UnionType}:
        return Union[written]  # noqa: UP007  # made at run time
    return tuple[written[0], ...] if origin is tuple else annotation  # pyright: ignore[reportUnknownVariableType]  # made at run time


@cache
def overlay_of(model: type[Strict]) -> type[Overlay]:
    """Return the model of what may be written about a record or a part of one."""
    fields: dict[str, Any] = {}
    meanings = field_meanings(model)
    for name, field in model.model_fields.items():
        written = _written_type(field.annotation)
        fields[name] = (written | None, Field(default=None, description=meanings.get(name)))
    return create_model(model.__name__, __base__=Overlay, **fields)


def one_or_several(value: object) -> str:
    """Tell which of two forms was written, so that only mistakes in that form are named."""
    return "several" if isinstance(value, list | tuple) else "one"


def _records_model() -> type[Overlay]:
    fields: dict[str, Any] = {}
    for name, model in RECORD_TYPES.items():
        one: Any = overlay_of(model)
        several: Any = tuple[one, ...]
        either = Annotated[
            Annotated[one, Tag("one")] | Annotated[several, Tag("several")], Discriminator(one_or_several)
        ]
        description = f"One {name}, or a list of them; an empty list for none."
        fields[name] = (either, Field(default=(), description=description))
    return create_model("Records", __base__=Overlay, **fields)


if TYPE_CHECKING:
    Records = Overlay
else:
    Records = _records_model()
"""Records by type, each as an overlay or a list of overlays."""


def _as_text(records: Overlay) -> tuple[object, tuple[str]]:
    return _from_text, (records.model_dump_json(exclude_unset=True),)


def _from_text(text: str) -> Overlay:
    return Records.model_validate_json(text)


# a generated class has no name by which another process could find it
copyreg.pickle(Records, _as_text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # typed for plain tuples


def overlays(records: Overlay) -> dict[str, list[dict[str, Any]]]:
    """Return what was written by record type; a type that was not named is missing."""
    found = records.written()
    return {name: one if isinstance(one, list) else [one] for name, one in found.items()}


def resolve(record_type: str, values: dict[str, Any], *, start: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return written values in the form in which a record is parsed: instants, days and minor units."""
    return _resolve_fields(RECORD_TYPES[record_type], values, start, zone)


def _resolve_fields(
    model: type[Strict], values: dict[str, Any], start: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    return {
        name: _resolve(model.model_fields[name].annotation, value, start, zone)
        for name, value in values.items()
    }


def _resolve(annotation: Any, value: Any, start: datetime, zone: ZoneInfo) -> Any:  # noqa: ANN401  # any type
    if value is None:
        return None
    kinds = set(_leaves(annotation))
    if kinds.intersection(_INSTANTS):
        return moment(value, start).isoformat()
    if date in kinds:
        return day(value, start, zone).isoformat()
    if Money in kinds:
        minor, currency = money(value)
        return {"minor": minor, "currency": currency}
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Strict) and isinstance(value, list):
            parts = cast("list[dict[str, Any]]", value)
            return [_resolve_fields(kind, one, start, zone) for one in parts]
    return value


def _leaves(annotation: Any) -> list[Any]:  # noqa: ANN401  # any type
    arguments = [one for one in get_args(annotation) if one is not Ellipsis]
    if get_origin(annotation) is Annotated:
        return _leaves(arguments[0])
    return [leaf for one in arguments for leaf in _leaves(one)] if arguments else [annotation]
