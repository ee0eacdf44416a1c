"""What the tests of contracts share."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier


@pytest.fixture(scope="module")
def shared_postgres(postgres_server: str) -> Iterator[str]:
    """URL of one PostgreSQL database for the tests of a module; each makes its table anew."""
    name = f"c{os.urandom(6).hex()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    base, _, query = postgres_server.partition("?")
    stem = base.rsplit("/", 1)[0]
    yield f"{stem}/{name}?{query}".replace("postgresql://", "postgresql+psycopg://", 1)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
