"""What every source must keep, whatever system is behind it; a test module brings the companies."""

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.companies import LONG_AGO, NOW, Collector, Company, ids_of
from tools.errors import ToolError
from tools.ports import Cursor, Rejected
from tools.records.base import Envelope
from tools.records.commerce import Order
from tools.records.registry import parse_body


class SourceContract:
    """Inherit from this in a module that has a fixture `company`."""

    def test_the_first_read_brings_everything_in_order_of_change(self, company: Company) -> None:
        step = company.form.step
        company.put(*[company.order(number, LONG_AGO - number * step) for number in range(250)])

        batches = list(company.source().read("order", None, now=NOW))

        assert ids_of(batches) == [str(number) for number in reversed(range(250))]
        assert [batch.complete for batch in batches] == [False, False, True]

    def test_an_empty_table_reads_as_one_complete_batch(self, company: Company) -> None:
        (batch,) = company.source().read("order", None, now=NOW)

        assert (batch.envelopes, batch.next_cursor, batch.complete) == ((), None, True)
        assert batch.watermark == NOW - timedelta(seconds=5)

    def test_a_read_after_the_cursor_brings_only_what_is_new(self, company: Company) -> None:
        source, collector = company.source(), Collector()
        company.put(company.order(1), company.order(2))
        collector.poll(source)

        assert ids_of(collector.poll(source)) == []

        company.put(company.order(1, LONG_AGO + timedelta(seconds=1), state="placed"), company.order(3))

        assert ids_of(collector.poll(source)) == ["3", "1"]

    def test_a_crash_before_the_batch_is_stored_reads_it_again(self, company: Company) -> None:
        source, collector = company.source(page=10), Collector()
        company.put(*[company.order(number) for number in range(30)])
        pages = source.read("order", None, now=NOW)
        collector.apply(next(pages))
        lost = next(pages)

        again = next(source.read("order", collector.cursor, now=NOW))

        assert again.envelopes == lost.envelopes

    def test_a_cursor_survives_being_stored_as_json(self, company: Company) -> None:
        source, collector = company.source(page=10), Collector()
        company.put(*[company.order(number, LONG_AGO + number * company.form.step) for number in range(25)])
        collector.apply(next(source.read("order", None, now=NOW)))
        assert collector.cursor is not None
        stored = json.dumps(dataclasses.asdict(collector.cursor))

        rest = list(source.read("order", Cursor(**json.loads(stored)), now=NOW))

        assert ids_of(rest) == [str(number) for number in range(10, 25)]

    def test_a_bulk_update_with_one_time_is_read_whole_in_small_pages(self, company: Company) -> None:
        collector = Collector()
        company.put(*[company.order(number) for number in range(5000)])

        batches = collector.poll(company.source(page=100))

        assert (len(collector.records), collector.offered) == (5000, 5000)
        assert max(len(batch.envelopes) for batch in batches) == 100

    def test_ties_that_arrive_in_the_page_of_the_cursor_are_not_lost(self, company: Company) -> None:
        source, collector = company.source(page=2), Collector()
        company.put(company.order(1), company.order(2))
        collector.apply(next(source.read("order", None, now=NOW)))

        company.put(company.order(3), company.order(4))

        assert ids_of(collector.poll(source)) == ["3", "4"]

    def test_changes_one_step_apart_keep_their_order_and_their_positions(self, company: Company) -> None:
        source, step = company.source(page=1), company.form.step
        company.put(*[company.order(9 - number, LONG_AGO + number * step) for number in range(9)])

        batches = list(source.read("order", None, now=NOW))

        assert ids_of(batches) == [str(9 - number) for number in range(9)]

    def test_nothing_younger_than_the_lag_is_read(self, company: Company) -> None:
        source, collector = company.source(lag="10s"), Collector()
        horizon = NOW - timedelta(seconds=10)
        company.put(company.order(1, horizon), company.order(2, horizon + company.form.step))

        assert ids_of(collector.poll(source)) == ["1"]

        company.now += company.form.step
        assert ids_of(collector.poll(source)) == ["2"]

    def test_the_horizon_goes_by_the_servers_clock(self, company: Company) -> None:
        source = company.source(server_clock=True, lag="1h")
        (batch,) = source.read("order", None, now=NOW)
        server_now = batch.watermark + timedelta(hours=1)
        company.put(
            company.order(1, server_now - timedelta(minutes=59)),
            company.order(2, server_now - timedelta(minutes=61)),
        )

        far_ahead = NOW + timedelta(days=3650)
        batches = list(source.read("order", None, now=far_ahead))

        assert ids_of(batches) == ["2"]
        assert batches[0].envelopes[0].observed_at == far_ahead

    def test_envelopes_carry_what_tells_repeats_from_news(self, company: Company) -> None:
        source = company.source()
        company.put(company.order(1))
        first = source.get("order", "1", now=NOW)
        company.put(company.order(1, LONG_AGO + timedelta(seconds=1)))
        touched = source.get("order", "1", now=NOW)
        company.put(company.order(1, LONG_AGO + timedelta(seconds=1), total_cents=1))
        edited = source.get("order", "1", now=NOW)

        assert isinstance(first, Envelope)
        assert isinstance(touched, Envelope)
        assert isinstance(edited, Envelope)
        assert (first.source, first.stream, first.type, first.id) == ("shop", "order", "order", "1")
        assert first.version != touched.version
        assert first.content_hash == touched.content_hash
        assert touched.version == edited.version
        assert touched.content_hash != edited.content_hash

    def test_envelopes_say_when_the_source_changed_them(self, company: Company) -> None:
        company.put(company.order(1, LONG_AGO))

        (batch,) = company.source().read("order", None, now=NOW)

        assert batch.envelopes[0].source_updated_at == LONG_AGO
        assert batch.envelopes[0].observed_at == NOW

    def test_records_are_typed_and_belong_to_their_customer(self, company: Company) -> None:
        company.put(company.order(17))

        (batch,) = company.source().read("order", None, now=NOW)

        order = parse_body("order", batch.envelopes[0].body)
        assert isinstance(order, Order)
        assert order.model_dump_json() == batch.envelopes[0].body
        assert (order.customer_id, order.total.minor, order.status) == ("7", 1999, "fulfilled")
        assert batch.envelopes[0].customer_ref == "7"

    def test_a_fresh_look_ignores_the_horizon(self, company: Company) -> None:
        source = company.source(lag="1h")
        company.put(company.order(1, NOW, state="placed"))

        found = source.get("order", "1", now=NOW)

        assert isinstance(found, Envelope)
        assert '"open"' in found.body

    def test_a_record_is_asked_for_by_the_stated_query(self, company: Company) -> None:
        own = (
            "select 9 as order_no, person_no, placed_on, state, 1 as total_cents, currency, gone, changed_on"
        )
        source = company.source(get=f"{own} from web_order where order_no = :id -- ':id'")
        company.put(company.order(1), company.order(2))

        found = source.get("order", "2", now=NOW)

        assert isinstance(found, Envelope)
        assert (found.id, found.customer_ref, '"minor":1,' in found.body) == ("9", "2", True)
        assert source.get("order", "3", now=NOW) is None

    def test_a_stated_query_that_leaves_out_a_column_is_refused(self, company: Company) -> None:
        source = company.source(get="select order_no from web_order where order_no = :id")
        company.put(company.order(1))

        with pytest.raises(ToolError, match="`get`: the query returns no column"):
            source.get("order", "1", now=NOW)

    @pytest.mark.parametrize("missing", ["2", "no number", "99999999999999999999999", "", "1 or 1=1"])
    def test_a_record_that_does_not_exist_is_none(self, company: Company, missing: str) -> None:
        company.put(company.order(1))

        assert company.source().get("order", missing, now=NOW) is None

    def test_the_look_back_window_is_read_again_and_nothing_older(self, company: Company) -> None:
        source = company.source(reconcile={"lookback": "7d"})
        horizon = NOW - timedelta(seconds=5)
        since = horizon - timedelta(days=7)
        company.put(
            company.order(1, since - company.form.step),
            company.order(2, since),
            company.order(3, horizon),
            company.order(4, horizon + company.form.step),
        )

        batches = list(source.lookback("order", now=NOW))

        assert ids_of(batches) == ["2", "3"]
        assert {batch.next_cursor for batch in batches} == {None}

    def test_the_look_back_finds_what_came_too_late_for_the_stream(self, company: Company) -> None:
        source, collector = company.source(), Collector()
        company.put(company.order(1, NOW - timedelta(hours=1)))
        collector.poll(source)

        company.put(company.order(2, NOW - timedelta(hours=2)))

        assert ids_of(collector.poll(source)) == []
        assert ids_of(list(source.lookback("order", now=NOW))) == ["2", "1"]

    def test_all_ids_that_are_not_deleted_are_listed(self, company: Company) -> None:
        company.put(
            company.order(1),
            company.order(2, gone=1),
            company.order(3, NOW + timedelta(days=1)),
            company.order(4, state="unheard of"),
        )

        assert sorted(company.source().ids("order")) == ["1", "3", "4"]

    def test_a_deletion_mark_is_a_change_like_any_other(self, company: Company) -> None:
        source, collector = company.source(), Collector()
        company.put(company.order(1))
        collector.poll(source)

        company.put(company.order(1, LONG_AGO + timedelta(seconds=1), gone=1))
        collector.poll(source)

        assert collector.records["1"].deleted

    def test_an_unmapped_word_puts_its_row_aside_and_nothing_else(self, company: Company) -> None:
        collector = Collector()
        company.put(company.order(1), company.order(2, state="teleported"), company.order(3))

        collector.poll(company.source())

        assert sorted(collector.records) == ["1", "3"]
        (rejected,) = collector.rejected
        assert (rejected.kind, rejected.field, rejected.value) == ("unmapped", "status", "teleported")
        assert rejected.record_id == "2"

    @pytest.mark.parametrize(
        ("poison", "field"),
        [
            ({"placed_on": "yesterday"}, "placed_at"),
            ({"placed_on": None}, "placed_at"),
            ({"currency": "euro"}, "total"),
            ({"currency": "eur"}, "total"),
            ({"person_no": None}, "customer_id"),
        ],
        ids=["no time", "missing", "no currency", "small letters", "no customer"],
    )
    def test_a_poisoned_row_is_kept_raw_and_stops_nothing(
        self, company: Company, poison: dict[str, object], field: str
    ) -> None:
        source, collector = company.source(page=2), Collector()
        company.put(*[company.order(number) | (poison if number == 3 else {}) for number in range(6)])

        collector.poll(source)

        assert sorted(collector.records) == ["0", "1", "2", "4", "5"]
        (rejected,) = collector.rejected
        assert (rejected.kind, rejected.field, rejected.record_id) == ("invalid", field, "3")
        raw = json.loads(rejected.raw)
        assert {name: raw[name] for name in poison} == poison
        assert ids_of(collector.poll(source)) == []
        assert len(collector.rejected) == 1

    def test_a_poisoned_row_looks_the_same_when_asked_for(self, company: Company) -> None:
        company.put(company.order(1, currency="euro"))

        assert isinstance(company.source().get("order", "1", now=NOW), Rejected)

    def test_a_write_is_refused(self, company: Company) -> None:
        company.put(company.order(1))
        database = company.source().database

        with pytest.raises(ToolError, match=r"read-?only") as refused, database.transaction() as connection:
            connection.exec_driver_sql("delete from web_order")

        assert not refused.value.retryable
        assert list(company.source().ids("order")) == ["1"]

    @pytest.mark.parametrize(
        "change",
        [
            {"query": "select * from web_order where gone = 0"},
            {"cursor": {"col": "placed_on", "tz": "UTC"}},
            {"customer_ref": "person_no"},
        ],
        ids=["query", "cursor", "mapping"],
    )
    def test_a_cursor_of_another_version_is_not_used(self, company: Company, change: dict[str, Any]) -> None:
        collector = Collector()
        company.put(company.order(1), company.order(2))
        collector.poll(company.source())

        assert ids_of(collector.poll(company.source(**change))) == ["1", "2"]

    def test_a_snapshot_reads_everything_each_time(self, company: Company) -> None:
        source = company.source(cursor=None, mode="snapshot", page=2)
        company.put(*[company.order(number) for number in range(5)])

        for _ in range(2):
            batches = list(source.read("order", None, now=NOW))
            assert ids_of(batches) == ["0", "1", "2", "3", "4"]
            assert [batch.complete for batch in batches] == [False, False, True]
            assert {batch.next_cursor for batch in batches} == {None}
        assert source.streams()[0].snapshot

    def test_a_row_without_a_time_of_change_is_listed_and_can_be_asked_for(self, company: Company) -> None:
        source = company.source()
        company.put(company.order(1), company.order(2, changed_on=None))

        assert ids_of(list(source.read("order", None, now=NOW))) == ["1"]
        assert sorted(source.ids("order")) == ["1", "2"]
        assert isinstance(source.get("order", "2", now=NOW), Rejected)
