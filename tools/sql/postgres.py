"""Times that PostgreSQL knows and Python does not, such as `infinity`, come as texts and fail no page.

Imported only when a PostgreSQL database is read, because its driver is an optional dependency.
"""

from typing import Final

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.pq import Format

_TYPES: Final = ("date", "timestamp", "timestamptz")


class TolerantLoader:
    """Loads a time as usual, or as the server's text where Python has no value for it."""

    format = Format.TEXT

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        usual = psycopg.adapters.get_loader(oid, Format.TEXT)
        if usual is None:
            raise TypeError(f"no loader for the type {oid}")
        self._usual = usual(oid, context)

    def load(self, data: Buffer) -> object:
        """Return a date or datetime, or the text."""
        try:
            return self._usual.load(data)
        except psycopg.DataError:
            return bytes(data).decode()


def tolerate_impossible_times(connection: object, _entry: object) -> None:
    """Make a new connection of a pool return times outside Python's range as texts."""
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"expected a psycopg connection, got {type(connection)!r}")
    for name in _TYPES:
        connection.adapters.register_loader(name, TolerantLoader)
