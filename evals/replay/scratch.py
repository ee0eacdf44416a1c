"""Databases that may be lost: a replay that a power cut ends is started again."""

import sqlite3

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from agent.store.transaction import Store


def forgo_sync(store: Store) -> None:
    """Let commits of a SQLite store return before the disk has them; atomicity and order stay as they are.

    A service waits for the disk at every commit, which is most of what a commit costs. Whether it does is
    shown by killing it, not by replaying history.
    """
    forgo_sync_of(store.writer)


def forgo_sync_of(writer: Engine) -> None:
    """Do the same for the writer of a store that is not put together yet."""

    @event.listens_for(writer, "connect")
    def no_waiting(  # pyright: ignore[reportUnusedFunction]  # called by the event
        connection: DBAPIConnection, _entry: ConnectionPoolEntry
    ) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")

    writer.dispose()  # connections that are open already wait
