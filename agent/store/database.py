"""Opening the one database: engines with the right pragmas, the schema, and refusals in plain words."""

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, inspect, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel, col, select

from agent.errors import StoreError
from agent.store.migrations import migrate
from agent.store.tables import cases, ledger, mirror, sending, situations
from agent.store.tables.base import SCHEMA_VERSION, Meta

TABLE_MODULES: Final = (cases, ledger, mirror, sending, situations)
"""Imported so that their tables are known to the metadata."""

_BUSY_MILLISECONDS = 30_000
_CACHE_KIBIBYTES = 32 * 1024
"""Per connection; of the default, 2 MB, a page of the screen writes and reads its own pages several times."""
_UPGRADE_LOCK: Final = 0x0A0D18  # any number, the same in every process
_VERSION: Final = select(Meta.value).where(col(Meta.key) == "schema_version")


def open_database(url: str, *, create: bool = True) -> tuple[Engine, Engine]:
    """Return (writer, reader) engines on a database whose schema fits this version.

    A database of an older version is upgraded first, whoever opens it: reading it as it is would be wrong.

    The SQLite writer begins every transaction with ``BEGIN IMMEDIATE``: with the default, two processes
    that read and then write lose updates silently. It runs with ``synchronous=FULL``, because an intent
    to send must survive a power cut before the message leaves. The reader takes no write lock.

    Args:
        url: SQLAlchemy URL, `sqlite:///file.db` or `postgresql+psycopg://…`.
        create: Create missing tables; otherwise a missing schema is refused.

    Raises:
        StoreError: It cannot be opened, is read-only, full, or from a newer version of Outrider.
    """
    parsed = make_url(url)
    sqlite_path = parsed.database if parsed.get_backend_name() == "sqlite" else None
    if sqlite_path:
        _check_folder(Path(sqlite_path), create=create)
    connect_args: dict[str, object] = {"timeout": _BUSY_MILLISECONDS / 1000} if sqlite_path else {}
    try:
        writer = create_engine(parsed, connect_args=connect_args)
        # PostgreSQL's default would let two statements of one reading see different states
        consistent = {} if sqlite_path else {"isolation_level": "REPEATABLE READ"}
        reader = create_engine(parsed, connect_args=connect_args, **consistent)
    except ImportError as exc:
        raise StoreError(
            f"no driver for {parsed.drivername!r}: install it with pip install 'outrider[postgres]'"
        ) from exc
    if sqlite_path:
        _prepare_sqlite(writer, begin="BEGIN IMMEDIATE")
        _prepare_sqlite(reader, begin="BEGIN")
    try:
        _ensure_schema(writer, create=create, place=parsed.render_as_string(hide_password=True))
    except DBAPIError as exc:
        writer.dispose()  # or SQLite would leave its shared memory beside a file we were not to touch
        raise explain(exc, place=parsed.render_as_string(hide_password=True)) from exc
    except StoreError:
        writer.dispose()
        raise
    if sqlite_path:
        Path(sqlite_path).chmod(0o600)
    return writer, reader


_EXPLANATIONS: Final = (
    (("full", "no space left", "disk i/o"), "the disk is full or failing; free space and start again"),
    (("readonly", "read-only", "permission denied"), "not writable; check the rights of file and folder"),
    (("unable to open",), "cannot be opened; check that the folder exists and may be written"),
    (("locked",), f"locked for {_BUSY_MILLISECONDS // 1000} s by another process"),
    (("not a database", "malformed"), "is no SQLite database, or a damaged one"),
    (("connection", "could not", "refused"), "cannot be reached; check address, user and password"),
)


def explain(error: DBAPIError, *, place: str) -> StoreError:
    """Turn a driver's error into one sentence with a remedy."""
    text = str(error.orig).lower()
    for words, meaning in _EXPLANATIONS:
        if any(word in text for word in words):
            return StoreError(f"{place}: {meaning} ({error.orig})")
    return StoreError(f"{place}: {error.orig}")


def _check_folder(path: Path, *, create: bool) -> None:
    folder = path.parent
    if not path.exists() and not create:
        raise StoreError(f"{path}: no such database; `outrider init` makes one")
    if not folder.exists():
        raise StoreError(f"{folder}: no such folder; create it or change `database` in the settings")
    if not os.access(folder, os.W_OK):
        raise StoreError(f"{folder}: this folder is read-only; SQLite needs to write beside its file")
    if path.exists() and not os.access(path, os.W_OK):
        raise StoreError(f"{path}: this file is read-only")


def free_bytes(url: str) -> int | None:
    """Return the free bytes beside a SQLite file; None for a server."""
    database = make_url(url).database
    if make_url(url).get_backend_name() != "sqlite" or not database:
        return None
    return shutil.disk_usage(Path(database).resolve().parent).free


def _prepare_sqlite(engine: Engine, *, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(  # pyright: ignore[reportUnusedFunction]  # called by the event
        connection: DBAPIConnection, _entry: ConnectionPoolEntry
    ) -> None:
        if not isinstance(connection, sqlite3.Connection):
            raise TypeError(f"expected a sqlite3 connection, got {type(connection)!r}")
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={_BUSY_MILLISECONDS}",
            "foreign_keys=ON",
            f"cache_size=-{_CACHE_KIBIBYTES}",
            "secure_delete=ON",  # an erased key must not stay in free pages
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(  # pyright: ignore[reportUnusedFunction]  # called by the event
        connection: Connection,
    ) -> None:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            raise TypeError(f"expected a sqlite3 connection, got {type(driver)!r}")
        try:
            driver.execute(begin)  # without what SQLAlchemy does around a statement: as dear as a small query
        except sqlite3.Error as exc:
            raise OperationalError(begin, None, exc) from exc


def _upgrade(connection: Connection) -> None:
    """Bring an older database up to this version; of several processes that start at once, one does it."""
    if connection.dialect.name == "postgresql":  # SQLite's writer has the lock already
        connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
    found = int(connection.execute(_VERSION).scalar_one())
    if found < SCHEMA_VERSION:
        migrate(connection, found=found)
        from agent.log import get_log  # noqa: PLC0415  # the log takes longer to import than the database to open

        get_log(__name__).warning("database.upgraded", from_schema=found, to_schema=SCHEMA_VERSION)


def _ensure_schema(engine: Engine, *, create: bool, place: str) -> None:
    with engine.begin() as connection:
        if not inspect(connection).has_table("meta"):
            if not create:
                raise StoreError(f"{place}: has no Outrider tables; `outrider init` makes them")
            SQLModel.metadata.create_all(connection)
            connection.execute(insert(Meta), [{"key": "schema_version", "value": str(SCHEMA_VERSION)}])
            return
        found = connection.execute(_VERSION).scalar_one()
        if int(found) < SCHEMA_VERSION:
            _upgrade(connection)
        elif int(found) > SCHEMA_VERSION:
            raise StoreError(
                f"{place}: written by a newer Outrider (schema {found}, this one knows {SCHEMA_VERSION}); "
                "upgrade Outrider or use another database"
            )
