"""Which queries are taken, and what is sent in their place."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import StaticPool

from tools.sql.query import (
    Statements,
    build_statements,
    columns_statement,
    get_statement,
    statement_problem,
    trimmed,
    wrap,
)


@pytest.mark.parametrize(
    "query",
    [
        "select * from web_order",
        "  SELECT a FROM t;  ",
        "with late as (select * from t where x = 'limit') select * from late",
        "select ';' as semicolon, 'insert into' as words from t",
        "select * from (select * from t order by a limit 5) x",
        "select a -- only; the first\nfrom t /* delete from t */",
        'select "limit", `offset` from t',
        "select $$ ; delete from t $$ as text from t",
        "select updated, deleted_from, forward from t",
        "select t.a as a, 'it''s; fine' as b from t",
    ],
)
def test_one_select_is_taken(query: str) -> None:
    assert statement_problem(query) is None


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "no SELECT"),
        ("-- nothing", "no SELECT"),
        ("update t set a = 1", "no SELECT"),
        ("explain select 1", "no SELECT"),
        ("pragma user_version", "no SELECT"),
        ("select 1; select 2", "several statements"),
        ("select 1; -- ;\n drop table t", "several statements"),
        ("with gone as (delete from t returning *) select * from gone", "DELETE FROM"),
        ("with new as (insert into t values (1) returning *) select * from new", "INSERT INTO"),
        ("select * into copy from t", "INTO"),
        ("select * from t for update", "FOR UPDATE"),
        ("select * from t for\n  share", "FOR SHARE"),
        ("select * from t limit 10", "LIMIT"),
        ("select * from t offset 10", "OFFSET"),
        ("select * from t fetch first 10 rows only", "FETCH"),
    ],
)
def test_anything_else_is_refused(query: str, problem: str) -> None:
    found = statement_problem(query)

    assert found is not None
    assert problem in found[0]


def statements(query: str = "select a, b from t") -> Statements:
    return build_statements(wrap(query, ("a", "b")), key="b", cursor="a", record_id="b", deleted=None)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql+psycopg"])
def test_the_position_is_compared_without_a_cast(dialect: str) -> None:
    compiled = str(statements().after.compile(dialect=make_url(f"{dialect}://").get_dialect()()))

    assert "::" not in compiled
    assert "CAST" not in compiled.upper()
    assert "ORDER BY q.a, q.b" in compiled


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), unique_by=lambda row: row[1], max_size=30),
    st.integers(1, 7),
)
def test_pages_bring_every_row_once_in_order(rows: list[tuple[int, int]], size: int) -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("create table t (a integer, b integer)")
        if rows:
            connection.exec_driver_sql("insert into t values (?, ?)", rows)
        asked = statements()
        found = [tuple(row) for row in connection.execute(asked.first, {"size": size})]
        page = found
        while page:
            position, key = page[-1]
            parameters = {"size": size, "position": position, "key": key}
            page = [tuple(row) for row in connection.execute(asked.after, parameters)]
            found = found + page
    engine.dispose()

    assert found == sorted(rows)


@pytest.mark.parametrize(
    "query",
    [
        "select ':name' as a, '100%' as b -- a closing comment",
        "select 'a' as a, 'b' as b;",
        "with x as (select 1 as a, 2 as b) select * from x",
    ],
)
def test_nothing_in_a_query_is_taken_for_a_parameter(query: str) -> None:
    with sqlite3.connect(":memory:") as plain:
        expected = plain.execute(trimmed(query)).fetchall()
    plain.close()
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        assert list(connection.execute(columns_statement(query)).keys()) == ["a", "b"]
        found = connection.execute(statements(query).first, {"size": 5}).fetchall()
    engine.dispose()

    assert [tuple(row) for row in found] == expected


def test_a_query_for_one_record_has_one_parameter() -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        found = connection.execute(get_statement("select :id as a, '12:30 :name' as b"), {"id": "7"}).one()
    engine.dispose()

    assert tuple(found) == ("7", "12:30 :name")
