"""What a source says when its database fails: one line, whether to try again, and never a secret."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.contract.companies import NOW, UTC_CURSOR, connector
from tools.errors import InputError, ToolError
from tools.sql.source import SqlSource


def source_of(url: str, **settings: Any) -> SqlSource:
    return SqlSource(connector(UTC_CURSOR, **settings), url=url)


def test_a_missing_file_is_named_and_not_created(tmp_path: Path) -> None:
    source = source_of(f"sqlite:///{tmp_path / 'nowhere.db'}")

    with pytest.raises(ToolError, match=r"shop: .*nowhere\.db: there is no such file") as failed:
        source.read("order", None, now=NOW)

    assert failed.value.retryable
    assert failed.value.system == "shop"
    assert not (tmp_path / "nowhere.db").exists()


def test_a_file_that_is_no_database_is_not_worth_another_try(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_text("this is a text, and long enough to be looked at as a database " * 20)

    with pytest.raises(ToolError, match="not a database") as failed:
        source_of(f"sqlite:///{path}").read("order", None, now=NOW)

    assert not failed.value.retryable


def test_a_locked_file_is_worth_another_try(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    owner = sqlite3.connect(path)
    owner.execute("create table web_order (order_no)")
    owner.execute("pragma locking_mode = exclusive")
    owner.execute("begin exclusive")
    source = source_of(f"sqlite:///{path}?timeout=0")

    with pytest.raises(ToolError, match="locked") as failed:
        source.read("order", None, now=NOW)

    owner.close()
    assert failed.value.retryable


def test_a_table_that_went_away_is_told_by_its_place_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    sqlite3.connect(path).close()
    path.touch()

    with pytest.raises(ToolError, match=r"streams\[0\]\.query: .*no such table: web_order") as failed:
        source_of(f"sqlite:///{path}").read("order", None, now=NOW)

    assert not failed.value.retryable
    assert isinstance(failed.value.__cause__, InputError)


@pytest.mark.postgres
def test_an_unreachable_server_is_worth_another_try_and_shows_no_password() -> None:
    url = "postgresql+psycopg://reader:hunter2@127.0.0.1:1/shop?connect_timeout=1"

    with pytest.raises(ToolError) as failed:
        source_of(url).read("order", None, now=NOW)

    assert "hunter2" not in str(failed.value)
    assert "\n" not in str(failed.value)
    assert failed.value.retryable


@pytest.mark.postgres
def test_a_slow_query_is_stopped_by_the_server(postgres_url: str) -> None:
    config = connector(UTC_CURSOR).model_copy(update={"statement_timeout": timedelta(milliseconds=100)})
    source = SqlSource(config, url=postgres_url)

    with (
        pytest.raises(ToolError, match="statement timeout") as failed,
        source.database.transaction() as connection,
    ):
        connection.execute(text("select pg_sleep(30)"))

    source.close()
    assert failed.value.retryable
