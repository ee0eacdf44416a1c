"""Turns one stream of a connector file into a plan to read rows by, or says what is wrong with it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from tools.ports import StreamSpec
from tools.records.base import Record
from tools.records.registry import RECORD_TYPES
from tools.sql import convert
from tools.sql.config import ColumnMap, Constant, CursorColumn, SqlConnectorConfig, StreamConfig
from tools.sql.convert import Convert
from tools.sql.fields import READINGS, FieldShape, field_shapes
from tools.sql.position import ChangeColumn
from tools.sql.problems import Problem, nearest
from tools.sql.query import has_id_parameter, statement_problem, trimmed
from tools.yaml_source import Loc

_OWNER_FIELDS: Final = ("customer_id", "owner_id")
_VERSION_LENGTH: Final = 16


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """Everything about a stream that is known before the database is asked."""

    index: int
    config: StreamConfig
    record: type[Record]
    spec: StreamSpec
    version: str
    """Changes when query, key, cursor or mapping change."""
    change: ChangeColumn | None
    """None for a snapshot."""
    id_column: str
    base: dict[str, object]
    """Constants, and the values for NULL."""
    columns: tuple[ColumnPlan, ...]
    amounts: tuple[AmountPlan, ...]
    owner_field: str | None
    """The record's own field that names its customer."""

    @property
    def loc(self) -> Loc:
        """The stream's place in the file."""
        return ("streams", self.index)

    @property
    def needed(self) -> dict[str, Loc]:
        """The columns that the query must return, and where the file asks for them."""
        here = self.loc
        wanted: dict[str, Loc] = {self.config.key: (*here, "key")}
        if self.change is not None:
            wanted[self.change.name] = (*here, "cursor")
        for column, place in ((self.config.deleted, "deleted"), (self.config.customer_ref, "customer_ref")):
            if column is not None:
                wanted.setdefault(column, (*here, place))
        for plan in self.columns:
            wanted.setdefault(plan.column, (*here, "map", plan.field))
        for amount in self.amounts:
            wanted.setdefault(amount.column, (*here, "map", amount.field))
            if amount.currency is not None:
                wanted.setdefault(amount.currency, (*here, "map", amount.field))
        return wanted


def plan_streams(connector: SqlConnectorConfig) -> tuple[tuple[StreamPlan, ...], tuple[Problem, ...]]:
    """Return the plans of all streams, and every problem; plans are complete only without problems."""
    plans: list[StreamPlan] = []
    problems: list[Problem] = []
    for index, stream in enumerate(connector.streams):
        planner = _Planner(connector, stream, index)
        plan = planner.plan()
        problems.extend(planner.problems)
        if plan is not None:
            plans.append(plan)
    # what others point at is read first
    order = {name: rank for rank, name in enumerate(RECORD_TYPES)}
    plans.sort(key=lambda plan: order[plan.spec.record_type])
    return tuple(plans), tuple(problems)


class _Planner:
    """Plans one stream and gathers what is wrong with it."""

    def __init__(self, connector: SqlConnectorConfig, stream: StreamConfig, index: int) -> None:
        self.problems: list[Problem] = []
        self._connector = connector
        self._stream = stream
        self._loc: Loc = ("streams", index)
        self._index = index
        self._record = RECORD_TYPES[stream.record]
        self._shapes = field_shapes(self._record)
        self._base: dict[str, object] = {}
        self._columns: list[ColumnPlan] = []
        self._amounts: list[AmountPlan] = []

    def plan(self) -> StreamPlan | None:
        """Return the plan, or None when there is a problem."""
        self._check_queries()
        for name, written in self._stream.map.items():
            self._field(name, ColumnMap(col=written) if isinstance(written, str) else written)
        self._check_required()
        change = self._change()
        id_column = next((plan.column for plan in self._columns if plan.field == "id"), None)
        if self.problems or id_column is None:
            return None
        stream = self._stream
        reconcile = None if change is None else stream.reconcile
        return StreamPlan(
            index=self._index,
            config=stream,
            record=self._record,
            spec=StreamSpec(
                name=stream.title,
                record_type=stream.record,
                page=stream.page,
                snapshot=change is None,
                reconcile_every_seconds=None if reconcile is None else int(reconcile.every.total_seconds()),
                reconcile_lookback_seconds=None
                if reconcile is None
                else int(reconcile.lookback.total_seconds()),
            ),
            version=_version(stream, change),
            change=change,
            id_column=id_column,
            base=self._base,
            columns=tuple(self._columns),
            amounts=tuple(self._amounts),
            owner_field=next((name for name in _OWNER_FIELDS if name in self._shapes), None),
        )

    def _refuse(self, problem: str, remedy: str, *loc: str) -> None:
        self.problems.append(Problem((*self._loc, *loc), problem, remedy))

    def _check_queries(self) -> None:
        for place, query in (("query", self._stream.query), ("get", self._stream.get)):
            if query is not None and (found := statement_problem(query)):
                self._refuse(*found, place)
        if self._stream.get is not None and not has_id_parameter(self._stream.get):
            self._refuse("the query for one record does not name `:id`", "add `where … = :id`", "get")

    def _check_required(self) -> None:
        for shape in self._shapes.values():
            if not shape.required or shape.name in self._stream.map:
                continue
            example = self._stream.key if shape.name == "id" else "<column>"
            self._refuse(
                f"the field `{shape.name}` of {self._stream.record!r} is required and has no line",
                f"add `{shape.name}: {example}`",
                "map",
            )
        written = self._stream.map.get("id")
        if isinstance(written, ColumnMap) and written != ColumnMap(col=written.col or "?"):
            self._refuse(
                "the id is a plain column", f"write `id: {written.col or self._stream.key}`", "map", "id"
            )

    def _field(self, name: str, written: ColumnMap) -> None:
        shape = self._shapes.get(name)
        if shape is None:
            self._refuse(
                f"{self._stream.record!r} has no field {name!r}", nearest(name, self._shapes), "map", name
            )
            return
        before = len(self.problems)
        if written.col is None:
            self._base[name] = self._value(shape, written.const, name)
            return
        if "default" in written.model_fields_set:
            self._base[name] = self._value(shape, written.default, name)
        if shape.kind == "money":
            self._amount(shape, written)
            return
        reading = self._reading(shape, written)
        if reading is not None and len(self.problems) == before:
            words = self._words(shape, written)
            self._columns.append(ColumnPlan(field=name, column=written.col, convert=reading, words=words))

    @staticmethod
    def _words(shape: FieldShape, written: ColumnMap) -> frozenset[str] | None:
        if shape.kind == "list":
            return None
        if written.enum is not None:
            return frozenset(written.enum)
        return None if shape.vocabulary is None else frozenset(word.value for word in shape.vocabulary)

    def _reading(self, shape: FieldShape, written: ColumnMap) -> Convert | None:
        allowed = READINGS[shape.kind]
        kind = written.type or allowed[0]
        if kind not in allowed:
            self._refuse(
                f"{shape.name!r} is read as {' or '.join(allowed)}, not as {kind}",
                f"write `type: {allowed[0]}`, or leave `type` out",
                "map",
                shape.name,
            )
            return None
        self._check_extras(shape, written)
        zone = self._zone(written.tz)
        if kind == "datetime":
            if zone is None:
                self._refuse(
                    "the zone of the times is not stated",
                    f"state it: `{shape.name}: {{col: {written.col}, type: datetime, tz: UTC}}`",
                    "map",
                    shape.name,
                )
            return convert.to_instant(zone)
        if kind == "epoch_s" or kind == "epoch_ms" or kind == "epoch_us":  # noqa: PLR1714  # narrows the type
            return convert.to_epoch_instant(kind)
        if kind == "date":
            return convert.to_date(zone)
        if kind == "json":
            return convert.to_nested(_adapter(self._record, shape.name))
        if kind == "list":
            return convert.to_list(self._item(shape, written), written.sep)
        return self._item(shape, written)

    def _item(self, shape: FieldShape, written: ColumnMap) -> Convert:
        """Return the reading of one word, number or text."""
        if written.enum is not None:
            return convert.to_mapped(self._meanings(shape, written.enum))
        if shape.vocabulary is not None:
            return convert.to_word(shape.vocabulary)
        if shape.kind == "integer":
            return convert.to_integer
        if shape.kind == "boolean":
            return convert.to_boolean
        return convert.to_linked if shape.linked else convert.to_text

    def _meanings(self, shape: FieldShape, enum: dict[str, str | int | bool | None]) -> dict[str, object]:
        """Return the source's words with their meanings as the field holds them."""
        meanings: dict[str, object] = {}
        for word, meaning in enum.items():
            if meaning is None and shape.nullable:
                meanings[word] = None
            elif shape.vocabulary is not None:
                known = [member.value for member in shape.vocabulary]
                if meaning in known:
                    meanings[word] = shape.vocabulary(meaning)
                else:
                    self._refuse(
                        f"{meaning!r} is no value of {shape.name!r}",
                        nearest(str(meaning), known),
                        *("map", shape.name, "enum", word),
                    )
            else:
                item: Constant = (meaning,) if shape.kind == "list" and meaning is not None else meaning
                value = self._value(shape, item, shape.name, "enum", word)
                meanings[word] = value[0] if isinstance(value, tuple) and value else value
        return meanings

    def _amount(self, shape: FieldShape, written: ColumnMap) -> None:
        name = shape.name
        if written.type not in {None, "money_minor"}:
            self._refuse(
                f"{name!r} is read as money_minor, not as {written.type}",
                "write `type: money_minor` over a column of the currency's smallest unit",
                *("map", name),
            )
        if written.currency is None and written.currency_value is None:
            self._refuse(
                "the currency of the amount is not stated",
                "add `currency: <column>` or `currency_value: EUR`",
                *("map", name),
            )
        if written.enum is not None or written.sep is not None or written.tz is not None:
            self._refuse("an amount has no `enum`, `sep` or `tz`", "remove it", "map", name)
        self._amounts.append(
            AmountPlan(
                field=name,
                column=written.col or "",
                currency=written.currency,
                currency_value=written.currency_value,
            )
        )

    def _check_extras(self, shape: FieldShape, written: ColumnMap) -> None:
        """Refuse settings that would do nothing: someone believes that they do something."""
        idle = {
            "currency": written.currency is not None or written.currency_value is not None,
            "sep": written.sep is not None and shape.kind != "list",
            "enum": written.enum is not None and shape.kind in {"instant", "date", "nested"},
            "tz": written.tz is not None and shape.kind not in {"instant", "date"},
        }
        for setting, is_idle in idle.items():
            if is_idle:
                self._refuse(
                    f"`{setting}` means nothing for {shape.name!r}", f"remove `{setting}`", "map", shape.name
                )

    def _value(self, shape: FieldShape, written: Constant, *loc: str) -> object:
        """Return a constant as the field holds it."""
        try:
            return _adapter(self._record, shape.name).validate_json(json.dumps(written))
        except ValidationError as exc:
            message = exc.errors(include_url=False)[0]["msg"]
            words = [member.value for member in shape.vocabulary] if shape.vocabulary else []
            remedy = nearest(str(written), words) if words else f"see what {shape.name!r} holds"
            self._refuse(f"{written!r} does not fit {shape.name!r}: {message}", remedy, "map", *loc)
            return None

    def _zone(self, name: str | None) -> ZoneInfo | None:
        chosen = name or self._connector.tz
        return None if chosen is None else ZoneInfo(chosen)

    def _change(self) -> ChangeColumn | None:
        cursor = self._stream.cursor
        if cursor is None:
            return None
        if isinstance(cursor, str):
            cursor = CursorColumn(col=cursor, tz=self._only_zone())
        zone = self._zone(cursor.tz if cursor.type == "datetime" else "UTC")
        if zone is None:
            self._refuse(
                "the zone of the change times is not stated",
                f"state it: `cursor: {{col: {cursor.col}, tz: UTC}}`",
                "cursor",
            )
            return None
        return ChangeColumn(name=cursor.col, kind=cursor.type, zone=zone)

    def _only_zone(self) -> str | None:
        """Return the one zone that all mapped times state, if they agree."""
        zones = {
            written.tz
            for written in self._stream.map.values()
            if isinstance(written, ColumnMap) and written.tz
        }
        return zones.pop() if len(zones) == 1 else None


def _adapter(record: type[Record], name: str) -> TypeAdapter[object]:
    """Return the parser of one field's values, with the field's own constraints."""
    field = record.model_fields[name]
    return TypeAdapter(cast("type[object]", Annotated[field.annotation, *field.metadata]))


def _version(stream: StreamConfig, change: ChangeColumn | None) -> str:
    """Return the version of a stream: a change of meaning makes it be read again from its beginning."""
    position: Sequence[str] = () if change is None else (change.name, change.kind, str(change.zone))
    content = {
        "query": " ".join(trimmed(stream.query).split()),
        "key": stream.key,
        "cursor": position,
        "map": stream.model_dump(mode="json", include={"map", "deleted", "customer_ref", "record"}),
    }
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_VERSION_LENGTH]
