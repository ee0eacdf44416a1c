"""The shape of a connector file for SQL databases: what a person may write in it."""

import difflib
from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from tools.durations import Duration, parse_duration
from tools.records.base import Currency, Strict
from tools.records.registry import RECORD_TYPES

ColumnType = Literal[
    "datetime",
    "epoch_s",
    "epoch_ms",
    "epoch_us",
    "date",
    "money_minor",
    "integer",
    "boolean",
    "text",
    "list",
    "json",
]
"""How a column is read; `epoch_*` are integers since 1970 in seconds, milliseconds or microseconds."""
EpochType = Literal["epoch_s", "epoch_ms", "epoch_us"]
Scalar = str | int | bool
Span = Annotated[Duration, Field(le=timedelta(days=3650))]
Constant = Scalar | tuple[Scalar, ...] | None


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        near = difflib.get_close_matches(name, sorted(available_timezones()), n=1)
        remedy = f"did you mean `{near[0]}`?" if near else "write an IANA name such as Europe/Berlin or UTC"
        raise ValueError(f"{name!r} is no time zone; {remedy}") from exc
    return name


def _known_record(name: str) -> str:
    if name not in RECORD_TYPES:
        near = difflib.get_close_matches(name, RECORD_TYPES, n=1)
        remedy = f"did you mean `{near[0]}`?" if near else f"use one of: {', '.join(RECORD_TYPES)}"
        raise ValueError(f"{name!r} is no record type; {remedy}")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
RecordType = Annotated[str, AfterValidator(_known_record)]
StreamName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
ColumnName = Annotated[str, Field(min_length=1, max_length=200)]


class ColumnMap(Strict):
    """Where one field of a record comes from."""

    col: ColumnName | None = None
    """Column of the query's result."""
    const: Constant = None
    """The same value for every row, instead of a column."""
    type: ColumnType | None = None
    """How the column is read; may be left out where the field allows one reading only."""
    tz: Zone | None = None
    """Zone of times that carry none."""
    enum: dict[str, Scalar | None] | None = None
    """The source's words and what they mean here; a word that is not listed puts the row in quarantine."""
    currency: ColumnName | None = None
    """Column with the ISO 4217 code of an amount."""
    currency_value: Currency | None = None
    """The ISO 4217 code of every amount; with `currency` too, a row that differs is refused."""
    sep: str | None = Field(default=None, min_length=1)
    """What stands between the items of a list; a comma unless told."""
    default: Constant = None
    """The value where the column is NULL."""

    @model_validator(mode="after")
    def _one_origin(self) -> "ColumnMap":
        written = self.model_fields_set
        if ("col" in written) == ("const" in written):
            raise ValueError("a field comes from one place; write either `col` or `const`")
        if "const" in written and written != {"const"}:
            raise ValueError("a constant needs nothing else; remove the other lines beside `const`")
        return self


class CursorColumn(Strict):
    """The column that moves forward with every change of a row."""

    col: ColumnName
    type: Literal["datetime"] | EpochType = "datetime"
    tz: Zone | None = None
    """Zone of times that carry none."""


def _column(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    """Accept a bare column name for `{col: name}`; errors then name no branch of a union."""
    return validate({"col": value} if isinstance(value, str) else value)


FieldLine = Annotated[ColumnMap, WrapValidator(_column)]
CursorLine = Annotated[CursorColumn, WrapValidator(_column)]


class Reconcile(Strict):
    """How often what the stream may have missed is looked for, and how far back."""

    every: Span = parse_duration("24h")
    lookback: Span = parse_duration("7d")


class StreamConfig(Strict):
    """One query and how its rows become records."""

    record: RecordType
    """Record type, for example `order`."""
    name: StreamName | None = None
    """Name of the stream; the record type unless told."""
    query: str
    """One SELECT without LIMIT; it is wrapped, so it may join, filter and name as it likes."""
    key: ColumnName
    """Column that is unique in the result."""
    cursor: CursorLine | None = None
    """Column with the time of the last change."""
    mode: Literal["changes", "snapshot"] = "changes"
    """`snapshot` reads everything each time, for tables without a time of change."""
    lag: Span = parse_duration("5s")
    """How far behind the server's clock reading stays: longer than the longest writing transaction."""
    page: int = Field(default=500, ge=1, le=10_000)
    """Rows per read."""
    reconcile: Reconcile = Reconcile()
    map: dict[str, FieldLine]
    """Field of the record → column, or how to read it."""
    customer_ref: ColumnName | None = None
    """Column with the customer the record belongs to, where the record has no field for it."""
    deleted: ColumnName | None = None
    """Column that says the row is deleted: a boolean, 0 or 1, or a time that is NULL until then."""
    get: str | None = None
    """SELECT for one record by `:id`, where the wrapped query would be too slow."""

    @model_validator(mode="after")
    def _cursor_or_snapshot(self) -> "StreamConfig":
        if self.mode == "changes" and self.cursor is None:
            raise ValueError("changes cannot be followed without a cursor; add `cursor` or `mode: snapshot`")
        if self.mode == "snapshot" and self.cursor is not None:
            raise ValueError("a snapshot reads everything; remove `cursor` or `mode: snapshot`")
        return self

    @property
    def title(self) -> str:
        """The stream's name."""
        return self.name or self.record


class SqlConnectorConfig(Strict):
    """A connector file: one database and its streams."""

    connector: Literal["sql"]
    name: StreamName
    """Name of this system in envelopes and reports."""
    url: str = Field(min_length=1)
    """SQLAlchemy URL; `${VAR}` is taken from the environment."""
    tz: Zone | None = None
    """Zone of times that carry none, wherever a column does not state its own."""
    statement_timeout: Span = parse_duration("30s")
    """How long one query may run, where the database can enforce it."""
    streams: tuple[StreamConfig, ...]

    @model_validator(mode="after")
    def _distinct_streams(self) -> "SqlConnectorConfig":
        if not self.streams:
            raise ValueError("there are no streams; add at least one")
        titles = [stream.title for stream in self.streams]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"two streams are called {title!r}; give one of them another `name`")
        return self
