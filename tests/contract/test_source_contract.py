"""The source contract, kept by the SQL connector on both databases and in every form of times."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool

from tests.contract.companies import FORMS, Company, Form
from tests.contract.source_contract import SourceContract


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
