"""What kind of value each field of each record type holds, read from the record models."""

import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, NewType, Union, get_args, get_origin

from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

from tools.records.base import Money
from tools.records.forms import REFERENCE, Form
from tools.records.registry import RECORD_TYPES


class FieldKind(StrEnum):
    """The shape of one field, as conditions and facts see it."""

    TEXT = "text"
    CODE = "code"
    """A value of a closed vocabulary."""
    NUMBER = "number"
    FLAG = "flag"
    MONEY = "money"
    DAY = "day"
    INSTANT = "instant"
    TEXTS = "texts"
    """A list of texts or codes."""
    OTHER = "other"
    """Nested data that neither a condition nor a fact can name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordField:
    """One field of a record type."""

    name: str
    kind: FieldKind
    optional: bool
    """Whether the field may be None."""
    vocabulary: tuple[str, ...] = ()
    """The allowed values of a code or of the codes in a list, in their own order."""
    form: Form | None = None
    """For texts: what they must look like to be printed; `REFERENCE` where nothing else is declared."""


@cache
def record_fields(record_type: str) -> dict[str, RecordField]:
    """Return the fields of a record type by name, in the model's order.

    Raises:
        KeyError: The type is not one of `RECORD_TYPES`.
    """
    model = RECORD_TYPES[record_type]
    return {name: _described(name, field) for name, field in model.model_fields.items()}


_PLAIN: dict[object, FieldKind] = {
    bool: FieldKind.FLAG,
    int: FieldKind.NUMBER,
    str: FieldKind.TEXT,
    datetime: FieldKind.INSTANT,
    AwareDatetime: FieldKind.INSTANT,
    date: FieldKind.DAY,
    Money: FieldKind.MONEY,
}


def _described(name: str, field: FieldInfo) -> RecordField:
    plain = _describe(name, field.annotation)
    if plain.kind is not FieldKind.TEXT:
        return plain
    declared = (one for one in (*field.metadata, *_metadata(field.annotation)) if isinstance(one, Form))
    return replace(plain, form=next(declared, REFERENCE))


def _metadata(annotation: object) -> Iterator[object]:
    """Yield what the parts of a union are annotated with."""
    for part in get_args(annotation):
        if get_origin(part) is Annotated:
            yield from get_args(part)[1:]


def _describe(name: str, annotation: object) -> RecordField:
    inner, optional = _without_none(annotation)
    if get_origin(inner) is tuple:
        element, _ = _without_none(get_args(inner)[0])
        kind = FieldKind.TEXTS if element is str or _words(element) else FieldKind.OTHER
        return RecordField(name=name, kind=kind, optional=optional, vocabulary=_words(element))
    if words := _words(inner):
        return RecordField(name=name, kind=FieldKind.CODE, optional=optional, vocabulary=words)
    return RecordField(name=name, kind=_PLAIN.get(inner, FieldKind.OTHER), optional=optional)


def _without_none(annotation: object) -> tuple[object, bool]:
    """Strip Annotated, NewType and `| None` from a type."""
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if isinstance(annotation, NewType):
        return _without_none(annotation.__supertype__)
    if get_origin(annotation) in {Union, types.UnionType}:
        rest = [part for part in get_args(annotation) if part is not types.NoneType]
        if len(rest) == 1:
            return _without_none(rest[0])[0], True
    return annotation, False


def _words(annotation: object) -> tuple[str, ...]:
    """Return the values of a closed vocabulary, nothing for other types."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(member.value for member in annotation)
    return ()
