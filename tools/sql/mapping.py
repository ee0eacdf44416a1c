"""Turns rows into records in their envelopes; what does not fit is put aside with its raw form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, cast

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from tools.ports import Rejected
from tools.records.base import Envelope, Record
from tools.safe_text import safe_text
from tools.sql.convert import Convert, UnmappedError, is_deleted, to_money, to_text
from tools.sql.plan import StreamPlan

Row = Sequence[object]

_SHOWN_LENGTH: Final = 200
_VOCABULARY_ERRORS: Final = frozenset({"enum", "literal_error"})
_ESCAPED_NUL: Final = "\\u0000"
_FIRST_SURROGATE: Final = "\ud800"
_LAST_SURROGATE: Final = "\udfff"


class RowError(ValueError):
    """A row that cannot become a record, by the field at fault."""

    def __init__(
        self, problem: str, *, field: str, value: object, kind: Literal["unmapped", "invalid"] = "invalid"
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field
        self.value = value
        self.kind: Literal["unmapped", "invalid"] = kind


@dataclass(frozen=True, slots=True)
class _Amount:
    field: str
    index: int
    currency_index: int | None
    currency_value: str | None


class RowMapper:
    """Maps the rows of a result with known columns.

    Args:
        plan: What the connector file says.
        source: Name of the system, for the envelopes.
        columns: The result's columns in order; all that the plan needs are among them.
    """

    def __init__(self, plan: StreamPlan, source: str, columns: Sequence[str]) -> None:
        place = {name: index for index, name in enumerate(columns)}
        self._plan = plan
        self._source = source
        self._names = tuple(columns)
        self._columns: list[tuple[str, int, Convert]] = [
            (item.field, place[item.column], item.convert) for item in plan.columns
        ]
        self._amounts = [
            _Amount(
                item.field,
                place[item.column],
                None if item.currency is None else place[item.currency],
                item.currency_value,
            )
            for item in plan.amounts
        ]
        config = plan.config
        self._id = place[plan.id_column]
        self._deleted = None if config.deleted is None else place[config.deleted]
        self._customer = None if config.customer_ref is None else place[config.customer_ref]
        self._owner_field = "id" if plan.spec.record_type == "customer" else plan.owner_field
        self.key = place[config.key]
        """Index of the key column."""
        self.position = None if plan.change is None else place[plan.change.name]
        """Index of the change column; None for a snapshot."""

    def envelope(
        self, row: Row, *, version: str, changed_at: datetime, observed_at: datetime
    ) -> Envelope | Rejected:
        """Return the record of one row, or the row set aside; never raises for what a row holds."""
        try:
            record = self._record(row)
            body = _body(record)
            return Envelope(
                source=self._source,
                stream=self._plan.spec.name,
                type=self._plan.spec.record_type,
                id=record.id,
                version=version,
                source_updated_at=changed_at,
                observed_at=observed_at,
                deleted=self._is_deleted(row),
                customer_ref=self._owner(record, row),
                body=body,
            )
        except RowError as exc:
            return self.reject(row, exc)

    def reject(self, row: Row, error: RowError) -> Rejected:
        """Return a row set aside with everything it holds."""
        spec = self._plan.spec
        found = row[self._id]
        raw = dict(zip(self._names, row, strict=True))
        return Rejected(
            stream=spec.name,
            record_type=spec.record_type,
            record_id=None if found is None else safe_text(str(found))[:_SHOWN_LENGTH],
            kind=error.kind,
            field=error.field,
            value=safe_text(str(error.value))[:_SHOWN_LENGTH],
            problem=safe_text(error.problem),
            raw=json.dumps(raw, default=str),
        )

    def _record(self, row: Row) -> Record:
        values = self._values(row)
        try:
            return self._plan.record.model_validate(values)
        except ValidationError as exc:
            raise _first_error(exc, values) from exc
        except OverflowError as exc:  # year 1 in a zone east of Greenwich is before all time
            raise _out_of_range(values) from exc

    def _values(self, row: Row) -> dict[str, object]:
        values = dict(self._plan.base)
        field, raw = "", None
        try:
            for field, index, read in self._columns:
                raw = row[index]
                if raw is not None and (value := read(raw)) is not None:
                    values[field] = value
            for amount in self._amounts:
                field, raw = amount.field, row[amount.index]
                if raw is not None and (money := to_money(raw, _currency(amount, row))) is not None:
                    values[field] = money
        except (ValueError, OverflowError, RecursionError) as exc:
            raise _conversion_error(exc, field, raw) from exc
        return values

    def _is_deleted(self, row: Row) -> bool:
        if self._deleted is None:
            return False
        try:
            return is_deleted(row[self._deleted])
        except ValueError as exc:
            raise RowError(str(exc), field="deleted", value=row[self._deleted]) from exc

    def _owner(self, record: Record, row: Row) -> str | None:
        if self._customer is None:
            found = None if self._owner_field is None else getattr(record, self._owner_field)
            return found or None
        raw = row[self._customer]
        if raw is None or raw == "":
            return None
        try:
            owner = to_text(raw)
        except ValueError as exc:
            raise RowError(str(exc), field="customer_ref", value=raw) from exc
        if _holds_unkeepable(owner):
            raise RowError("the text cannot be kept", field="customer_ref", value=owner)
        return owner


def _currency(amount: _Amount, row: Row) -> object:
    """Return the currency of an amount: the column's, the constant's, or both when they agree."""
    if amount.currency_index is None:
        return amount.currency_value
    found = row[amount.currency_index]
    if amount.currency_value is not None and found != amount.currency_value:
        raise ValueError(f"the currency is {found!r}, and {amount.currency_value!r} is expected")
    return found


def _conversion_error(error: Exception, field: str, raw: object) -> RowError:
    if isinstance(error, ValidationError):
        return _first_error(error, {}, within=field, value=raw)
    if isinstance(error, UnmappedError):
        return RowError(str(error), field=field, value=raw, kind="unmapped")
    return RowError(str(error) or type(error).__name__, field=field, value=raw)


def _first_error(
    error: ValidationError, values: Mapping[str, object], *, within: str | None = None, value: object = None
) -> RowError:
    """Return the first thing that a model refuses."""
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in ((within,) if within else ()) + first["loc"]]
    kind: Literal["unmapped", "invalid"] = "unmapped" if first["type"] in _VOCABULARY_ERRORS else "invalid"
    if first["type"] == "missing":
        return RowError("the value is missing", field=".".join(place), value=None)
    shown = values.get(place[0], value) if place else value
    message = first["msg"].replace("Input should", "must")
    return RowError(message, field=".".join(place), value=shown, kind=kind)


def _out_of_range(values: Mapping[str, object]) -> RowError:
    """Return the error that names the time outside the years 1 to 9999."""
    for field, value in values.items():
        if isinstance(value, datetime):
            try:
                value.astimezone(UTC)
            except OverflowError:
                return RowError("the time lies outside the years 1 to 9999", field=field, value=value)
    return RowError("a time lies outside the years 1 to 9999", field="", value="")


def _body(record: Record) -> str:
    """Return a record as JSON.

    Raises:
        RowError: A text holds what a database cannot keep: a NUL character, or bytes that are no UTF-8.
    """
    try:
        body = record.model_dump_json()
    except PydanticSerializationError as exc:
        raise _unkeepable(record) or RowError(str(exc), field="", value="") from exc
    # the source's own text may hold a backslash and `u0000`, so the record itself is looked at
    if _ESCAPED_NUL in body and (error := _unkeepable(record)) is not None:
        raise error
    return body


def _unkeepable(record: Record) -> RowError | None:
    for field, value in record.model_dump().items():
        if _holds_unkeepable(value):
            problem = "the text holds a NUL character, or bytes that are no UTF-8"
            return RowError(problem, field=field, value=value)
    return None


def _holds_unkeepable(value: object) -> bool:
    if isinstance(value, str):
        return any(char == "\0" or _FIRST_SURROGATE <= char <= _LAST_SURROGATE for char in value)
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value)
        return any(map(_holds_unkeepable, (*entries, *entries.values())))
    return isinstance(value, tuple) and any(map(_holds_unkeepable, cast("tuple[object, ...]", value)))
