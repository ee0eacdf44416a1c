"""Decides how each field of a record is read from a result, or says what is wrong with its line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from tools.records.base import Record
from tools.sql import convert
from tools.sql.config import ColumnMap, ColumnType, Constant, Scalar
from tools.sql.convert import Convert
from tools.sql.fields import READINGS, FieldShape, field_shapes
from tools.sql.problems import Problem, nearest
from tools.yaml_source import Loc


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlan:
    """One field that is read from one column."""

    field: str
    column: str
    convert: Convert
    words: frozenset[str] | None
    """The source's words that have a meaning; None when the column is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountPlan:
    """One amount that is read from a column of minor units and a currency."""

    field: str
    column: str
    currency: str | None
    currency_value: str | None


class FieldPlanner:
    """Plans the fields of one stream, line by line, and gathers what is wrong with them.

    Args:
        record: The record the rows become.
        title: Its type's name, for messages.
        loc: Place of the lines in the file.
        zone: Zone of times where a line states none.
    """

    def __init__(self, record: type[Record], *, title: str, loc: Loc, zone: str | None) -> None:
        self.problems: list[Problem] = []
        self.base: dict[str, object] = {}
        """Constants, and the values for NULL."""
        self.columns: list[ColumnPlan] = []
        self.amounts: list[AmountPlan] = []
        self._record = record
        self._title = title
        self._loc = loc
        self._zone = zone
        self._shapes = field_shapes(record)

    def add(self, name: str, written: ColumnMap) -> None:
        """Plan one field."""
        shape = self._shapes.get(name)
        if shape is None:
            self._refuse(f"{self._title!r} has no field {name!r}", nearest(name, self._shapes), name)
            return
        before = len(self.problems)
        if written.col is None:
            self.base[name] = self._value(shape, written.const)
            return
        if "default" in written.model_fields_set:
            self.base[name] = self._value(shape, written.default)
        if shape.kind == "money":
            self._amount(shape, written, written.col)
            return
        reading = self._reading(shape, written)
        if reading is not None and len(self.problems) == before:
            words = _words(shape, written)
            self.columns.append(ColumnPlan(field=name, column=written.col, convert=reading, words=words))

    def require(self, key: str, lines: Mapping[str, ColumnMap]) -> None:
        """Refuse lines that leave out what a record cannot do without."""
        for shape in self._shapes.values():
            if shape.required and shape.name not in lines:
                example = key if shape.name == "id" else "<column>"
                self._refuse(
                    f"the field `{shape.name}` of {self._title!r} is required and has no line",
                    f"add `{shape.name}: {example}`",
                )
        identity = lines.get("id")
        if identity is not None and identity.model_fields_set != {"col"}:
            self._refuse("the id is a plain column", f"write `id: {identity.col or key}`", "id")

    def _refuse(self, problem: str, remedy: str, *loc: str) -> None:
        self.problems.append(Problem((*self._loc, *loc), problem, remedy))

    def _reading(self, shape: FieldShape, written: ColumnMap) -> Convert | None:
        allowed = READINGS[shape.kind]
        kind = written.type or allowed[0]
        if kind not in allowed:
            self._refuse(
                f"{shape.name!r} is read as {' or '.join(allowed)}, not as {kind}",
                f"write `type: {allowed[0]}`, or leave `type` out",
                shape.name,
            )
            return None
        self._check_idle(shape, written)
        return self._convert(kind, shape, written)

    def _convert(self, kind: ColumnType, shape: FieldShape, written: ColumnMap) -> Convert:
        chosen = written.tz or self._zone
        zone = None if chosen is None else ZoneInfo(chosen)
        match kind:
            case "datetime":
                if zone is None:
                    self._refuse(
                        "the zone of the times is not stated",
                        f"state it: `{shape.name}: {{col: {written.col}, type: datetime, tz: UTC}}`",
                        shape.name,
                    )
                return convert.to_instant(zone)
            case "epoch_s" | "epoch_ms" | "epoch_us":
                return convert.to_epoch_instant(kind)
            case "date":
                return convert.to_date(zone)
            case "json":
                return convert.to_nested(_adapter(self._record, shape.name))
            case "list":
                return convert.to_list(self._item(shape, written), written.sep)
            case "integer" | "boolean" | "text" | "money_minor":
                return self._item(shape, written)

    def _item(self, shape: FieldShape, written: ColumnMap) -> Convert:
        """Return the reading of one word, number or text."""
        if written.enum is not None:
            reading = convert.to_mapped(self._meanings(shape, written.enum))
        elif shape.vocabulary is not None:
            reading = convert.to_word(shape.vocabulary)
        elif shape.kind == "integer":
            reading = convert.to_integer
        elif shape.kind == "boolean":
            reading = convert.to_boolean
        else:
            reading = convert.to_linked if shape.linked else convert.to_text
        return reading

    def _meanings(self, shape: FieldShape, enum: Mapping[str, Scalar | None]) -> dict[str, object]:
        """Return the source's words with their meanings as the field holds them."""
        meanings: dict[str, object] = {}
        for word, meaning in enum.items():
            if meaning is None and shape.nullable:
                meanings[word] = None
            elif meaning is not None and shape.kind == "list":
                value = self._value(shape, (meaning,), "enum", word)
                meanings[word] = value[0] if isinstance(value, tuple) else None
            else:
                meanings[word] = self._value(shape, meaning, "enum", word)
        return meanings

    def _amount(self, shape: FieldShape, written: ColumnMap, column: str) -> None:
        if written.type not in {None, "money_minor"}:
            self._refuse(
                f"{shape.name!r} is read as money_minor, not as {written.type}",
                "write `type: money_minor` over a column of the currency's smallest unit",
                shape.name,
            )
        if written.currency is None and written.currency_value is None:
            self._refuse(
                "the currency of the amount is not stated",
                "add `currency: <column>` or `currency_value: EUR`",
                shape.name,
            )
        self._check_idle(shape, written)
        self.amounts.append(
            AmountPlan(
                field=shape.name,
                column=column,
                currency=written.currency,
                currency_value=written.currency_value,
            )
        )

    def _check_idle(self, shape: FieldShape, written: ColumnMap) -> None:
        """Refuse settings that would do nothing: someone believes that they do something."""
        has_currency = written.currency is not None or written.currency_value is not None
        idle = {
            "currency": has_currency and shape.kind != "money",
            "sep": written.sep is not None and shape.kind != "list",
            "enum": written.enum is not None and shape.kind not in {"text", "list", "boolean", "integer"},
            "tz": written.tz is not None and shape.kind not in {"instant", "date"},
        }
        for setting, is_idle in idle.items():
            if is_idle:
                self._refuse(
                    f"`{setting}` means nothing for {shape.name!r}", f"remove `{setting}`", shape.name
                )

    def _value(self, shape: FieldShape, written: Constant, *loc: str) -> object:
        """Return a constant as the field holds it."""
        try:
            return _adapter(self._record, shape.name).validate_json(json.dumps(written), strict=True)
        except ValidationError as exc:
            message = exc.errors(include_url=False)[0]["msg"].replace("Input should", "must")
            words = [member.value for member in shape.vocabulary] if shape.vocabulary else []
            shown = written[0] if isinstance(written, tuple) and len(written) == 1 else written
            remedy = nearest(str(shown), words) if words else "correct the value"
            self._refuse(f"{shown!r} does not fit {shape.name!r}: {message}", remedy, shape.name, *loc)
            return None


def _words(shape: FieldShape, written: ColumnMap) -> frozenset[str] | None:
    """Return the words that a column may hold, where they are a closed set."""
    if shape.kind == "list":
        return None
    if written.enum is not None:
        return frozenset(written.enum)
    return None if shape.vocabulary is None else frozenset(word.value for word in shape.vocabulary)


def _adapter(record: type[Record], name: str) -> TypeAdapter[object]:
    """Return the parser of one field's values, with the field's own constraints."""
    field = record.model_fields[name]
    return TypeAdapter(cast("type[object]", Annotated[field.annotation, field]))
