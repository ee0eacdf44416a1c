"""Values that drivers or comparisons stumble over: they stop no stream and never become a position."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.contract.companies import FORMS, LONG_AGO, NOW, SECOND, Collector, Company, ids_of
from tools.errors import ToolError

TEXT_FORM = next(form for form in FORMS if form.name == "sqlite-seconds")
NATIVE_FORM = next(form for form in FORMS if form.name == "postgres-timestamptz")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    made = Company(form=TEXT_FORM, url=url, engine=create_engine(url, poolclass=NullPool))
    made.create()
    yield made
    made.close()


@pytest.fixture
def postgres_company(postgres_url: str) -> Iterator[Company]:
    engine = create_engine(postgres_url, poolclass=NullPool)
    made = Company(form=NATIVE_FORM, url=postgres_url, engine=engine)
    made.create()
    yield made
    made.close()


@pytest.mark.parametrize("garbage", ["", "garbage", "2026-11-02", "9999", "0000-00-00 00:00:00"])
@pytest.mark.parametrize("page", [1, 3, 100])
def test_a_row_with_no_time_never_becomes_the_position(company: Company, garbage: str, page: int) -> None:
    source, collector = company.source(page=page), Collector()
    company.put(*[company.order(number, changed_on=garbage) for number in range(10, 15)])
    company.put(*[company.order(number, LONG_AGO + number * SECOND) for number in range(5)])

    collector.poll(source)
    company.put(*[company.order(number, LONG_AGO + number * SECOND) for number in range(5, 8)])
    collector.poll(source)

    assert sorted(collector.records) == [str(number) for number in range(8)]
    assert collector.offered == 8
    assert {rejected.record_id for rejected in collector.rejected} == {"10", "11", "12", "13", "14"}
    assert {(rejected.kind, rejected.field) for rejected in collector.rejected} == {("invalid", "changed_on")}


def test_a_time_in_another_form_cannot_hide_later_rows(company: Company) -> None:
    source, collector = company.source(), Collector()
    company.put(company.order(1, LONG_AGO))
    # sorts after every time of its day, so as a position it would hide the rest of the day
    company.put(company.order(2, changed_on=LONG_AGO.strftime("%Y-%m-%dT00:00:00")))
    collector.poll(source)

    company.put(company.order(3, LONG_AGO + SECOND))
    collector.poll(source)

    assert sorted(collector.records) == ["1", "3"]
    assert {rejected.record_id for rejected in collector.rejected} == {"2"}


def test_a_time_far_in_the_future_waits_and_hides_nothing(company: Company) -> None:
    source, collector = company.source(page=2), Collector()
    company.put(*[company.order(number, changed_on="9999-12-31 23:59:59") for number in range(10, 15)])
    company.put(company.order(1), company.order(2), company.order(3))

    batches = collector.poll(source)

    assert ids_of(batches) == ["1", "2", "3"]
    assert collector.rejected == []


def test_bytes_that_are_no_text_put_one_row_aside(company: Company) -> None:
    collector = Collector()
    company.put(company.order(1), company.order(2), company.order(3))
    company.sql("update web_order set state = cast(x'ff41' as text) where order_no = 2")

    collector.poll(company.source())

    assert sorted(collector.records) == ["1", "3"]
    assert [(rejected.record_id, rejected.value) for rejected in collector.rejected] == [("2", "\\udcffA")]


def text_keys(company: Company, *, broken: str) -> None:
    """Give the company keys that are texts, those under the condition no valid ones."""
    company.sql(
        "create table with_names as select *, cast(order_no as text) as name from web_order",
        f"update with_names set name = cast(x'ff' || order_no as text) where {broken}",
    )


def test_a_key_that_is_no_text_is_put_aside_and_passed(company: Company) -> None:
    company.put(*[company.order(number) for number in range(6)])
    text_keys(company, broken="order_no = 3")
    source, collector = company.source(query="select * from with_names", key="name", page=4), Collector()

    collector.poll(source)

    assert sorted(collector.records) == ["0", "1", "2", "4", "5"]
    assert {rejected.record_id for rejected in collector.rejected} == {"3"}


def test_a_whole_page_of_such_keys_is_an_error_and_not_an_endless_read(company: Company) -> None:
    company.put(*[company.order(number) for number in range(6)])
    text_keys(company, broken="1 = 1")
    source = company.source(query="select * from with_names", key="name", page=3)

    with pytest.raises(ToolError, match="a whole page has keys that are no valid text"):
        list(source.read("order", None, now=NOW))


@pytest.mark.postgres
def test_times_that_only_postgresql_knows_put_one_row_aside(postgres_company: Company) -> None:
    company, collector = postgres_company, Collector()
    company.put(*[company.order(number) for number in range(6)])
    company.sql(
        "alter table web_order alter placed_on type timestamp using placed_on::timestamp",
        "update web_order set placed_on = 'infinity' where order_no = 1",
        "update web_order set placed_on = '0044-03-15 BC' where order_no = 2",
        "update web_order set changed_on = 'infinity' where order_no = 3",
        "update web_order set changed_on = '-infinity' where order_no = 4",
    )
    source = company.source(page=2)

    collector.poll(source)
    company.put(company.order(7, LONG_AGO + SECOND))
    collector.poll(source)

    assert sorted(collector.records) == ["0", "5", "7"]
    assert {rejected.record_id for rejected in collector.rejected} == {"1", "2", "3", "4"}
    assert ids_of(list(source.lookback("order", now=NOW))) == []


@pytest.mark.postgres
def test_keys_may_be_uuids(postgres_company: Company) -> None:
    company, collector = postgres_company, Collector()
    company.put(*[company.order(number) for number in range(25)])
    company.sql("alter table web_order add ref uuid default gen_random_uuid()")
    lines = {
        "id": "ref",
        "number": "ref",
        "customer_id": "ref",
        "placed_at": {"col": "placed_on", "tz": "UTC"},
    }
    more = {"status": {"const": "open"}, "total": {"col": "total_cents", "currency_value": "EUR"}}
    source = company.source(key="ref", map=lines | more, page=10)

    collector.poll(source)
    again = collector.poll(source)

    assert (len(collector.records), ids_of(again)) == (25, [])
    one = next(iter(collector.records))
    assert source.get("order", one, now=NOW) is not None
    assert set(source.ids("order")) == set(collector.records)
