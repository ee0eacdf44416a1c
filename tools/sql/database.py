"""A company's database, opened so that it cannot be written, and its failures in plain words."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tools.errors import InputError, ToolError

_CONNECT_SECONDS: Final = 10
_BUSY_SECONDS: Final = 10
_CLOCKS: Final = {
    # of these, sqlite and postgresql are proven by the contract tests
    "sqlite": "select strftime('%Y-%m-%d %H:%M:%f', 'now')",
    "postgresql": "select now()",
    "mysql": "select utc_timestamp(6)",
    "mariadb": "select utc_timestamp(6)",
    "mssql": "select sysutcdatetime()",
    "oracle": "select sys_extract_utc(systimestamp) from dual",
}
_RETRYABLE_STATES: Final = ("08", "40", "53", "55", "57", "58")
"""SQLSTATE classes that pass: connection, rollback, resources, locks, operator intervention, system."""
_IMPOSSIBLE_VALUES: Final = frozenset({"22P02", "22003", "22007", "22008", "22021"})
"""SQLSTATEs of a text that is no number, UUID or time, a number too large, and a text with a NUL."""
_RETRYABLE_WORDS: Final = ("locked", "busy", "disk i/o", "unable to open", "timeout", "timed out", "refused")


class CompanyDatabase:
    """One database that is only ever read, a short transaction at a time.

    Args:
        url: SQLAlchemy URL. A SQLite file is opened with `mode=ro`.
        system: Name in error messages.
        statement_timeout: How long one statement may run, where the server enforces it.
        server_now: Replaces the server's clock, for companies whose time is simulated.

    Raises:
        InputError: The URL cannot be used; its password is never shown.
    """

    def __init__(
        self,
        url: str,
        *,
        system: str,
        statement_timeout: timedelta,
        server_now: Callable[[], datetime] | None = None,
    ) -> None:
        self.url = _parse(url)
        self.system = system
        self.backend = self.url.get_backend_name()
        self._timeout = statement_timeout
        self._server_now = server_now
        self._engine = _open(self.url)

    @property
    def enforces_read_only(self) -> bool:
        """Whether a write is refused here, whatever the role may do."""
        return self.backend in {"sqlite", "postgresql"}

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """Open a short read-only transaction.

        Raises:
            ToolError: The database failed or refused.
        """
        try:
            with self._engine.connect() as connection:
                if self.backend == "postgresql":
                    connection.execute(text("SET TRANSACTION READ ONLY"))
                    milliseconds = int(self._timeout.total_seconds() * 1000)
                    connection.execute(
                        text(
                            "SELECT set_config('statement_timeout', :limit, true), "
                            "set_config('TimeZone', 'UTC', true)"
                        ),
                        {"limit": str(milliseconds)},
                    )
                yield connection
        except SQLAlchemyError as exc:
            raise self.explain(exc) from exc

    def now(self, connection: Connection) -> datetime:
        """Return the server's clock, UTC.

        Raises:
            ToolError: This kind of database does not tell its time with a zone.
        """
        if self._server_now is not None:
            return self._server_now().astimezone(UTC)
        found: object = connection.execute(
            text(_CLOCKS.get(self.backend, "select current_timestamp"))
        ).scalar_one()
        if isinstance(found, str):
            found = datetime.fromisoformat(found)
        if isinstance(found, datetime):
            if found.tzinfo is not None:
                return found.astimezone(UTC)
            if self.backend in _CLOCKS:
                return found.replace(tzinfo=UTC)
        raise ToolError("the server's clock cannot be read", system=self.system, retryable=False)

    def explain(self, error: SQLAlchemyError) -> ToolError:
        """Return a driver's failure as one line without addresses' secrets."""
        origin: object = error.orig if isinstance(error, DBAPIError) else error
        lines = str(origin).strip().splitlines() or [type(origin).__name__]
        message = lines[0]
        if self.url.password:
            message = message.replace(str(self.url.password), "***")
        retryable = _is_retryable(error, message)
        if self.backend == "sqlite" and "unable to open" in message:
            message = f"{self.url.database}: there is no such file, or it may not be read"
        return ToolError(message, system=self.system, retryable=retryable)

    def close(self) -> None:
        """Give back pooled connections."""
        self._engine.dispose()


def is_query_mistake(error: BaseException | None) -> bool:
    """Whether a failure is the query's own: syntax, or a table or column that does not exist."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return state.startswith("42") and state != "42501"
    found = str(error.orig).lower()
    return any(
        word in found for word in ("no such", "syntax error", "near ", "incomplete input", "ambiguous")
    )


def is_impossible_value(error: BaseException | None) -> bool:
    """Whether a server refused a parameter as no value of its column's type."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(state, str) and state in _IMPOSSIBLE_VALUES


def _is_retryable(error: SQLAlchemyError, message: str) -> bool:
    if not isinstance(error, DBAPIError):
        return True  # waiting for a pooled connection took too long
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return state.startswith(_RETRYABLE_STATES)
    if "authentication failed" in message or "does not exist" in message:
        return False
    return error.connection_invalidated or any(word in message.lower() for word in _RETRYABLE_WORDS)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as exc:
        raise InputError(
            "the URL is no address of a database",
            field="url",
            remedy="write for example sqlite:///shop.db or postgresql+psycopg://reader@host/shop",
        ) from exc
    except ImportError as exc:
        raise _no_driver(url) from exc
    if parsed.get_backend_name() == "sqlite" and (
        not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:")
    ):
        raise InputError("the URL names no SQLite file", field="url", remedy="write sqlite:///folder/file.db")
    return parsed


def _no_driver(url: str) -> InputError:
    scheme = url.partition(":")[0]
    return InputError(
        f"no driver is installed for {scheme!r}",
        field="url",
        remedy="for PostgreSQL: pip install 'outrider[postgres]' and write postgresql+psycopg://…",
    )


def _open(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            path = Path(url.database or "").resolve()
            busy = _busy_seconds(url)
            return create_engine(
                "sqlite+pysqlite://", creator=lambda: _open_sqlite(path, busy), poolclass=NullPool
            )
        arguments: dict[str, Any] = {}
        if url.get_driver_name() == "psycopg":
            # no prepared statements: a pooler between may hand each transaction to another session
            arguments = {"prepare_threshold": None}
            if "connect_timeout" not in url.query:
                arguments["connect_timeout"] = _CONNECT_SECONDS
        engine = create_engine(
            url,
            connect_args=arguments,
            pool_pre_ping=True,
            pool_size=2,
            pool_recycle=1800,
            hide_parameters=True,
        )
    except ImportError as exc:
        raise _no_driver(url.drivername) from exc
    if url.get_driver_name() == "psycopg":
        from tools.sql.postgres import tolerate_impossible_times  # noqa: PLC0415  # an optional dependency

        event.listen(engine, "connect", tolerate_impossible_times)
    return engine


def _busy_seconds(url: URL) -> float:
    """Return how long to wait for a lock: `?timeout=` of the URL, as SQLAlchemy's own driver reads it."""
    written = url.query.get("timeout", str(_BUSY_SECONDS))
    try:
        return float(str(written))
    except ValueError as exc:
        raise InputError(
            f"the timeout {written!r} is no number of seconds", field="url", remedy="write ?timeout=10"
        ) from exc


def _open_sqlite(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open a file that cannot be written, created or locked for long through this connection."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=ro", uri=True, timeout=busy_seconds, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = ON")
    # a text that is no UTF-8 must reach the mapping, where it puts one row aside, not fail the page
    connection.text_factory = _decode
    return connection


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
