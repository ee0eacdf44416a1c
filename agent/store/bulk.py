"""Many rows at once, without what SQLAlchemy does for every single value where SQLite allows that."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Dialect, insert, inspect
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime
from typing_extensions import override

if TYPE_CHECKING:
    from sqlalchemy.sql.type_api import _ResultProcessorType  # pyright: ignore[reportPrivateUsage]  # the type of the method that is overridden

Values = tuple[object, ...]
"""One row, in the order of the named columns."""


def insert_many(
    connection: Connection, table: type[SQLModel], columns: Sequence[str], rows: Sequence[Values]
) -> None:
    """Insert rows whose values stand in the order of `columns`; none is fine.

    The result is that of SQLAlchemy's own insert, for a third of its cost on SQLite.
    """
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    target = SQLModel.metadata.tables[inspect(table).local_table.description]
    by_column = list(zip(*rows, strict=True))
    for place, name in enumerate(columns):
        write = target.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        if write is not None:
            by_column[place] = _written(by_column[place], write)
    marks = ", ".join("?" * len(columns))
    connection.exec_driver_sql(
        f"INSERT INTO {target.name} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608  # names of our own
        list(zip(*by_column, strict=True)),
    )


class ReadInstant(UTCDateTime):
    """Reads instants as `UTCDateTime` does; on SQLite in one step instead of three, as screens read many."""

    cache_ok = True

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> "_ResultProcessorType[datetime] | None":
        """Return what turns a stored value into an instant."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return _read


def _read(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


def _written(values: Sequence[object], write: Callable[[Any], object]) -> tuple[object, ...]:
    """Return the stored form of a column's values, each distinct one made once."""
    distinct = {value: write(value) for value in set(values)}
    return tuple([distinct[value] for value in values])
