"""The source contract, kept by the SQL connector on both databases and in every form of times."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool

from tests.contract.companies import FORMS, Company, Form
from tests.contract.source_contract import SourceContract


@pytest.fixture(scope="module")
def shared_postgres(postgres_server: str) -> Iterator[str]:
    """One database for the module: each test makes its table anew."""
    name = f"c{os.urandom(6).hex()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    base, _, query = postgres_server.partition("?")
    stem = base.rsplit("/", 1)[0]
    yield f"{stem}/{name}?{query}".replace("postgresql://", "postgresql+psycopg://", 1)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def lose_on_power_cut(connection: DBAPIConnection, _entry: object) -> None:
    connection.cursor().execute("PRAGMA synchronous=OFF")


@pytest.fixture(
    params=[
        pytest.param(form, id=form.name, marks=[pytest.mark.postgres] if form.postgres else [])
        for form in FORMS
    ]
)
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Company]:
    form: Form = request.param
    url = request.getfixturevalue("shared_postgres") if form.postgres else f"sqlite:///{tmp_path / 'shop.db'}"
    engine = create_engine(url, poolclass=NullPool)
    if not form.postgres:
        event.listen(engine, "connect", lose_on_power_cut)
    made = Company(form=form, url=url, engine=engine)
    made.create()
    yield made
    made.close()


class TestSqlSource(SourceContract):
    """The SQL connector."""
