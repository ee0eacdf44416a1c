"""Every mistake in a connector file is named with its file, line and field, before anything is read."""

import sqlite3
from pathlib import Path

import pytest

from tools.errors import InputError
from tools.registry import open_source

GOOD = """\
connector: sql
name: shop
url: ${SHOP_DB_URL}
streams:
  - record: order
    query: select * from web_order
    key: order_no
    cursor: changed_on
    lag: 5s
    page: 500
    reconcile: {every: 24h, lookback: 7d}
    map:
      id: order_no
      number: order_no
      customer_id: person_no
      placed_at:   {col: placed_on, type: datetime, tz: UTC}
      promised_at: {col: promised_on, type: datetime, tz: UTC}
      status: {col: state, enum: {placed: open, shipped: fulfilled, delivered: delivered}}
      total:  {col: total_cents, type: money_minor, currency: currency}
"""


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "create table web_order (order_no text primary key, person_no integer, placed_on text, "
        "promised_on text, state text, total_cents integer, currency text, changed_on text)"
    )
    connection.close()
    return f"sqlite:///{path}"


def opened(tmp_path: Path, text: str, url: str | None) -> InputError:
    """Open a connector file that must be refused; return the refusal."""
    path = tmp_path / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        open_source(path, env={} if url is None else {"SHOP_DB_URL": url})
    assert str(path) in str(refused.value)
    return refused.value


def test_the_documented_file_opens(tmp_path: Path, database: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(GOOD, encoding="utf-8")

    source = open_source(path, env={"SHOP_DB_URL": database})

    (spec,) = source.streams()
    assert (source.name, spec.name, spec.record_type, spec.page) == ("shop", "order", "order", 500)
    assert (spec.reconcile_every_seconds, spec.reconcile_lookback_seconds) == (86_400, 604_800)


MISTAKES = {
    "unknown record type": (
        ("record: order", "record: oder"),
        (5, "streams[0].record", "no record type", "did you mean `order`?"),
    ),
    "unknown field of the file": (
        ("lag: 5s", "leg: 5s"),
        (9, "streams[0].leg", "unknown field", "did you mean `lag`?"),
    ),
    "unknown field of the record": (
        ("      number: order_no", "      number: order_no\n      promised: promised_on"),
        (15, "streams[0].map.promised", "no field 'promised'", "did you mean `promised_"),
    ),
    "required field left out": (
        ("      customer_id: person_no\n", ""),
        (12, "streams[0].map", "`customer_id` of 'order' is required", "add `customer_id: <column>`"),
    ),
    "id left out": (
        ("      id: order_no\n", ""),
        (12, "streams[0].map", "`id` of 'order' is required", "add `id: order_no`"),
    ),
    "computed id": (
        ("      id: order_no\n", "      id: {const: '1'}\n"),
        (13, "streams[0].map.id", "the id is a plain column", "write `id: order_no`"),
    ),
    "type that does not fit": (
        ("{col: placed_on, type: datetime, tz: UTC}", "{col: placed_on, type: integer}"),
        (16, "streams[0].map.placed_at", "is read as datetime", "write `type: datetime`"),
    ),
    "amount read as a number": (
        ("type: money_minor, currency: currency", "type: integer, currency: currency"),
        (19, "streams[0].map.total", "is read as money_minor", "smallest unit"),
    ),
    "naive times": (
        ("{col: placed_on, type: datetime, tz: UTC}", "placed_on"),
        (16, "streams[0].map.placed_at", "the zone of the times is not stated", "tz: UTC"),
    ),
    "naive change times": (
        (
            "promised_at: {col: promised_on, type: datetime, tz: UTC}",
            "promised_at: {col: promised_on, tz: CET}",
        ),
        (8, "streams[0].cursor", "the zone of the change times is not stated", "{col: changed_on, tz: UTC}"),
    ),
    "unknown zone": (
        ("type: datetime, tz: UTC}\n      promised", "type: datetime, tz: Europe/Brelin}\n      promised"),
        (16, "streams[0].map.placed_at.tz", "is no time zone", "did you mean `Europe/Berlin`?"),
    ),
    "no currency": (
        (", currency: currency}", "}"),
        (19, "streams[0].map.total", "the currency of the amount is not stated", "currency_value: EUR"),
    ),
    "currency that is no code": (
        ("currency: currency}", "currency_value: euro}"),
        (19, "streams[0].map.total.currency_value", "match pattern", "ISO 4217"),
    ),
    "word that means nothing here": (
        ("shipped: fulfilled", "shipped: fulfiled"),
        (18, "streams[0].map.status.enum.shipped", "'fulfiled' does not fit", "did you mean `fulfilled`?"),
    ),
    "constant outside the vocabulary": (
        ("{col: state, enum: {placed: open, shipped: fulfilled, delivered: delivered}}", "{const: opn}"),
        (18, "streams[0].map.status", "'opn' does not fit", "did you mean `open`?"),
    ),
    "column and constant": (
        ("customer_id: person_no", "customer_id: {col: person_no, const: '7'}"),
        (15, "streams[0].map.customer_id", "comes from one place", "either `col` or `const`"),
    ),
    "setting that does nothing": (
        ("customer_id: person_no", "customer_id: {col: person_no, tz: UTC}"),
        (15, "streams[0].map.customer_id", "`tz` means nothing", "remove `tz`"),
    ),
    "bad duration": (
        ("lag: 5s", "lag: five seconds"),
        (9, "streams[0].lag", "is no duration", "3d, 36h, 1h30m or 45s"),
    ),
    "page of nothing": (
        ("page: 500", "page: 0"),
        (10, "streams[0].page", "greater than or equal to 1", "Rows per read"),
    ),
    "neither cursor nor snapshot": (
        ("    cursor: changed_on\n", ""),
        (5, "streams[0]", "without a cursor", "add `cursor` or `mode: snapshot`"),
    ),
    "cursor and snapshot": (
        ("    cursor: changed_on\n", "    cursor: changed_on\n    mode: snapshot\n"),
        (5, "streams[0]", "a snapshot reads everything", "remove `cursor`"),
    ),
    "not a SELECT": (
        ("select * from web_order", "delete from web_order"),
        (6, "streams[0].query", "the query is no SELECT", "write one SELECT"),
    ),
    "two statements": (
        ("select * from web_order", "select * from web_order; select 1"),
        (6, "streams[0].query", "several statements", "write one SELECT"),
    ),
    "query with a limit": (
        ("select * from web_order", "select * from web_order limit 100"),
        (6, "streams[0].query", "LIMIT at the end of the query hides rows", "remove it"),
    ),
    "query that the database refuses": (
        ("select * from web_order", "select * form web_order"),
        (6, "streams[0].query", "syntax error", "run it by hand"),
    ),
    "table that does not exist": (
        ("select * from web_order", "select * from orders"),
        (6, "streams[0].query", "no such table: orders", "run it by hand"),
    ),
    "query without the key column": (
        ("select *", "select person_no, placed_on, promised_on, state, total_cents, currency, changed_on"),
        (7, "streams[0].key", "the query returns no column 'order_no'", "known are: person_no"),
    ),
    "query without the cursor column": (
        ("cursor: changed_on", "cursor: changed"),
        (8, "streams[0].cursor", "the query returns no column 'changed'", "did you mean `changed_on`?"),
    ),
    "column twice": (
        ("select *", "select *, state"),
        (6, "streams[0].query", "returns 'state' twice", "name the columns one by one"),
    ),
    "query for one record without its id": (
        ("    key: order_no", "    get: select * from web_order\n    key: order_no"),
        (7, "streams[0].get", "does not name `:id`", "= :id"),
    ),
    "no streams": (
        (GOOD[GOOD.index("streams:") :], "streams: []\n"),
        (1, None, "there are no streams", "add at least one"),
    ),
}


@pytest.mark.parametrize(("change", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_its_place_and_remedy(
    tmp_path: Path, database: str, change: tuple[str, str], expected: tuple[int, str | None, str, str]
) -> None:
    line, field, problem, remedy = expected
    assert GOOD.count(change[0]) >= 1

    error = opened(tmp_path, GOOD.replace(*change, 1), database)

    found = next(one for one in (error, *error.also) if one.field == field)
    assert found.line == line
    assert problem in found.problem
    assert found.remedy is not None
    assert remedy in found.remedy


def test_two_streams_of_one_name_are_refused(tmp_path: Path, database: str) -> None:
    stream = GOOD[GOOD.index("  - record") :]

    error = opened(tmp_path, GOOD + stream, database)

    assert "two streams are called 'order'" in error.problem


def test_all_mistakes_are_named_at_once(tmp_path: Path, database: str) -> None:
    text = GOOD.replace("placed: open", "placed: opn").replace(", currency: currency}", "}")

    error = opened(tmp_path, text, database)

    assert [one.line for one in (error, *error.also)] == [18, 19]


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    error = opened(tmp_path, GOOD, None)

    assert (error.line, error.field) == (3, "url")
    assert "'SHOP_DB_URL' is not set" in error.problem


@pytest.mark.parametrize(
    "url",
    ["shop.db", "mongodb://u:hunter2@host/x", "sqlite://", "sqlite:///:memory:", "mysql://u:hunter2@host/x"],
)
def test_an_unusable_url_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    error = opened(tmp_path, GOOD, url)

    assert (error.line, error.field) == (3, "url")
    assert "hunter2" not in str(error)


def test_a_database_that_is_away_is_no_mistake_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(GOOD, encoding="utf-8")

    source = open_source(path, env={"SHOP_DB_URL": f"sqlite:///{tmp_path / 'later.db'}"})

    assert [spec.name for spec in source.streams()] == ["order"]
    assert not (tmp_path / "later.db").exists()


def test_streams_are_read_customers_first(tmp_path: Path, database: str) -> None:
    path = tmp_path / "shop.yaml"
    customers = """\
  - record: customer
    query: select person_no, max(changed_on) as changed_on from web_order group by person_no
    key: person_no
    cursor: {col: changed_on, tz: UTC}
    map: {id: person_no, name: {const: ''}}
"""
    path.write_text(GOOD + customers, encoding="utf-8")

    source = open_source(path, env={"SHOP_DB_URL": database})

    assert [spec.name for spec in source.streams()] == ["customer", "order"]
