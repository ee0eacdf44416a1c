"""What the fields of a record accept, read off the record models themselves."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from tools.records.base import Money, Record
from tools.sql.config import ColumnType

FieldKind = Literal["instant", "date", "money", "integer", "boolean", "text", "list", "nested"]

READINGS: Final[dict[FieldKind, tuple[ColumnType, ...]]] = {
    "instant": ("datetime", "epoch_s", "epoch_ms", "epoch_us"),
    "date": ("date",),
    "money": ("money_minor",),
    "integer": ("integer",),
    "boolean": ("boolean",),
    "text": ("text",),
    "list": ("list", "json"),
    "nested": ("json",),
}
"""The column types a field may be read by, the usual one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShape:
    """What one field of a record holds."""

    name: str
    kind: FieldKind
    vocabulary: type[StrEnum] | None
    """The closed vocabulary of the field, or of its items when it is a list."""
    required: bool
    nullable: bool
    linked: bool
    """Whether the field points at another record; an empty text then points at nothing."""


@cache
def field_shapes(record: type[Record]) -> dict[str, FieldShape]:
    """Return the shapes of a record's fields by name, in the order of the model."""
    linked = {field for _, field in record.LINKS}
    shapes: dict[str, FieldShape] = {}
    for name, field in record.model_fields.items():
        inner = _without_none(field.annotation)
        shapes[name] = FieldShape(
            name=name,
            kind=_kind(inner),
            vocabulary=_vocabulary(inner),
            required=field.is_required(),
            nullable=inner is not field.annotation,
            linked=name in linked,
        )
    return shapes


def _without_none(annotation: object) -> object:
    if get_origin(annotation) in {Union, UnionType}:
        rest = [part for part in get_args(annotation) if part is not NoneType]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def _plain(annotation: object) -> object:
    """Take off `Annotated` and `NewType`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    supertype = getattr(annotation, "__supertype__", None)
    return annotation if supertype is None else _plain(supertype)


_SIMPLE: Final[dict[object, FieldKind]] = {
    AwareDatetime: "instant",
    datetime: "instant",
    date: "date",
    Money: "money",
    int: "integer",
    bool: "boolean",
    str: "text",
}


def _kind(annotation: object) -> FieldKind:
    plain = _plain(annotation)
    if plain in _SIMPLE:
        return _SIMPLE[plain]
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return "text"
    if get_origin(plain) is tuple:
        item = _plain(get_args(plain)[0])
        return "nested" if isinstance(item, type) and issubclass(item, BaseModel) else "list"
    return "nested"


def _vocabulary(annotation: object) -> type[StrEnum] | None:
    plain = _plain(annotation)
    if get_origin(plain) is tuple:
        plain = _plain(get_args(plain)[0])
    return plain if isinstance(plain, type) and issubclass(plain, StrEnum) else None
