"""The variables that conditions may name, with their types, and their values for the records of one case."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple

from cel_expr_python import cel

from policies.record_fields import FieldKind, record_fields
from tools.records.base import Money, Record

VariableValue = str | int | bool | datetime | timedelta | list[str]


class VariableType(StrEnum):
    """The types of conditions."""

    TEXT = "text"
    NUMBER = "whole number"
    FLAG = "true or false"
    INSTANT = "timestamp"
    SPAN = "duration"
    TEXTS = "list of texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One name that a condition may use."""

    name: str
    type: VariableType
    vocabulary: tuple[str, ...] = ()
    """For codes and lists of codes: the only texts it may be compared with."""
    day: bool = False
    """Whether the text is a calendar day as 2026-11-30."""


_FIELD_TYPES: Final[dict[FieldKind, VariableType]] = {
    FieldKind.TEXT: VariableType.TEXT,
    FieldKind.CODE: VariableType.TEXT,
    FieldKind.NUMBER: VariableType.NUMBER,
    FieldKind.FLAG: VariableType.FLAG,
    FieldKind.DAY: VariableType.TEXT,
    FieldKind.INSTANT: VariableType.INSTANT,
    FieldKind.TEXTS: VariableType.TEXTS,
}

_CEL_TYPES: Final[dict[VariableType, cel.Type]] = {
    VariableType.TEXT: cel.Type.STRING,
    VariableType.NUMBER: cel.Type.INT,
    VariableType.FLAG: cel.Type.BOOL,
    VariableType.INSTANT: cel.Type.TIMESTAMP,
    VariableType.SPAN: cel.Type.DURATION,
    VariableType.TEXTS: cel.Type.List(cel.Type.STRING),
}


_Composed = Callable[[str, Any], Iterator[tuple[str, VariableValue]]]
"""From a field's name and value to its variables."""


def _money(name: str, value: Money) -> Iterator[tuple[str, VariableValue]]:
    yield f"{name}.minor", value.minor
    yield f"{name}.currency", value.currency


def _day(name: str, value: date) -> Iterator[tuple[str, VariableValue]]:
    yield name, value.isoformat()


def _texts(name: str, value: Iterable[str]) -> Iterator[tuple[str, VariableValue]]:
    yield name, list(value)


_COMPOSED: Final[dict[FieldKind, _Composed]] = {
    FieldKind.MONEY: _money,
    FieldKind.DAY: _day,
    FieldKind.TEXTS: _texts,
}
"""Fields whose value is not a variable as it stands."""


class _Reader(NamedTuple):
    """How one field of a record becomes variables."""

    attribute: str
    name: str | None
    """Of its value; None when nobody asks for it."""
    presence: str | None
    """Of whether it has one; None when nobody asks for it."""
    composed: _Composed | None

    @property
    def is_used(self) -> bool:
        """Whether anybody asks for anything."""
        return self.name is not None or self.presence is not None

    def of(self, used: Collection[str]) -> "_Reader":
        """Return what gives values only to the variables in use."""
        names = {self.name, f"{self.name}.minor", f"{self.name}.currency"}
        return self._replace(
            name=None if names.isdisjoint(used) else self.name,
            presence=self.presence if self.presence in used else None,
        )


@cache
def _readers(record_type: str) -> tuple[_Reader, ...]:
    return tuple(
        _Reader(
            field.name,
            f"{record_type}.{field.name}",
            f"has.{record_type}.{field.name}",
            _COMPOSED.get(field.kind),
        )
        for field in record_fields(record_type).values()
        if field.kind is not FieldKind.OTHER
    )


def flatten(record_type: str, record: Record | None) -> dict[str, VariableValue]:
    """Return the variables of one record: `type.field`, `has.type.field` and `has.type`.

    A field that is None is left out, so that a condition naming it is Unknown. A missing record leaves out
    all fields and says that none is there.
    """
    values: dict[str, VariableValue] = {}
    _read(record, f"has.{record_type}", _readers(record_type), values)
    return values


def _read(
    record: Record | None, presence: str, readers: Sequence[_Reader], into: dict[str, VariableValue]
) -> None:
    """Write the variables of one record; the screen does it for every case, hence one plain loop."""
    into[presence] = record is not None
    for attribute, name, has, composed in readers:
        value = None if record is None else getattr(record, attribute)
        if has is not None:
            into[has] = value is not None
        if value is None or name is None:
            continue
        if composed is None:
            into[name] = value
        else:
            into.update(composed(name, value))


class VariableSchema:
    """The names and types that the conditions of one playbook may use, and the compiler that checks them."""

    def __init__(self, record_types: Iterable[str], params: Mapping[str, VariableValue]) -> None:
        """Declare the fields of the record types, `now`, and `params.<name>`.

        Raises:
            KeyError: A record type is not one of `RECORD_TYPES`.
        """
        self.record_types = tuple(record_types)
        self.params: dict[str, VariableValue] = {f"params.{name}": value for name, value in params.items()}
        declared = [Variable(name="now", type=VariableType.INSTANT)]
        declared += [Variable(name=name, type=_type_of(value)) for name, value in self.params.items()]
        for record_type in self.record_types:
            declared += _declared(record_type)
        self.variables: dict[str, Variable] = {variable.name: variable for variable in declared}
        self.env = cel.NewEnv(variables={one.name: _CEL_TYPES[one.type] for one in declared})

    def sample(self, *, flags: bool) -> cel.Activation:
        """Return made-up values for every variable, with all flags set to `flags`."""
        values = {name: _sample(variable, flags=flags) for name, variable in self.variables.items()}
        return self.env.Activation(values | self.params)


class Binder:
    """Binds the records of one case to those variables that a playbook's conditions really use."""

    def __init__(self, schema: VariableSchema, used: Iterable[str]) -> None:
        names = set(used)
        self._env = schema.env
        self._fixed = {name: value for name, value in schema.params.items() if name in names}
        self._readers = [
            (
                record_type,
                f"has.{record_type}",
                tuple(reader for one in _readers(record_type) if (reader := one.of(names)).is_used),
            )
            for record_type in schema.record_types
        ]

    def bind(self, records: Mapping[str, Record], *, now: datetime) -> cel.Activation:
        """Return the values for one evaluation; records are keyed by type, missing ones leave Unknown."""
        values: dict[str, VariableValue] = {**self._fixed, "now": now}
        for record_type, presence, readers in self._readers:
            _read(records.get(record_type), presence, readers, values)
        return self._env.Activation(values)


def _declared(record_type: str) -> list[Variable]:
    declared = [Variable(name=f"has.{record_type}", type=VariableType.FLAG)]
    for field in record_fields(record_type).values():
        name = f"{record_type}.{field.name}"
        if field.kind is FieldKind.OTHER:
            continue
        declared.append(Variable(name=f"has.{name}", type=VariableType.FLAG))
        if field.kind is FieldKind.MONEY:
            declared.append(Variable(name=f"{name}.minor", type=VariableType.NUMBER))
            declared.append(Variable(name=f"{name}.currency", type=VariableType.TEXT))
            continue
        declared.append(
            Variable(
                name=name,
                type=_FIELD_TYPES[field.kind],
                vocabulary=field.vocabulary,
                day=field.kind is FieldKind.DAY,
            )
        )
    return declared


def _type_of(value: VariableValue) -> VariableType:
    match value:
        case bool():
            return VariableType.FLAG
        case int():
            return VariableType.NUMBER
        case timedelta():
            return VariableType.SPAN
        case _:
            return VariableType.TEXT


def _sample(variable: Variable, *, flags: bool) -> VariableValue:
    instant = datetime(2026, 11, 2, 12, tzinfo=UTC)
    samples: dict[VariableType, VariableValue] = {
        VariableType.TEXT: variable.vocabulary[0] if variable.vocabulary else "1",
        VariableType.NUMBER: 1,
        VariableType.FLAG: flags,
        VariableType.INSTANT: instant,
        VariableType.SPAN: timedelta(hours=1),
        VariableType.TEXTS: list(variable.vocabulary[:1]) or ["1"],
    }
    return instant.date().isoformat() if variable.day else samples[variable.type]
