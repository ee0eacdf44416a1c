"""The company in memory of eval cases keeps what a source must keep."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from evals.cases.model import USUAL_START
from evals.cases.overlay import Records
from evals.cases.world import Frame, build_records
from evals.world.company import CompanySource
from tests.contract.companies import ids_of
from tools.errors import ToolError
from tools.ports import Cursor
from tools.records.base import Envelope, Record
from tools.records.commerce import Order
from tools.records.registry import parse_body

NOW = USUAL_START
LONG_AGO = NOW - timedelta(days=3)
FRAME = Frame(NOW, ZoneInfo("UTC"))


def order(number: int, **changes: object) -> Record:
    written = Records.model_validate({"order": {"id": f"{number}", **changes}})
    return build_records(written, "", FRAME)["order", f"{number}"]


def source(*numbers: int, page: int = 100, at: datetime = LONG_AGO) -> CompanySource:
    made = CompanySource(["order"], page=page)
    for number in numbers:
        made.tell(order(number), at=at)
    return made


def test_an_empty_stream_reads_as_one_complete_batch() -> None:
    (batch,) = source().read("order", None, now=NOW)

    assert (batch.envelopes, batch.next_cursor, batch.complete, batch.watermark) == ((), None, True, NOW)


def test_a_read_after_the_cursor_brings_only_what_is_new() -> None:
    made = source(1, 2)
    (first,) = made.read("order", None, now=NOW)

    assert ids_of(list(made.read("order", first.next_cursor, now=NOW))) == []

    made.tell(order(3), at=NOW)
    made.tell(order(1, total="1.00 EUR"), at=NOW)

    assert ids_of(list(made.read("order", first.next_cursor, now=NOW))) == ["3", "1"]


def test_pages_are_small_and_only_the_last_is_complete() -> None:
    batches = list(source(*range(25), page=10).read("order", None, now=NOW))

    assert ids_of(batches) == [f"{number}" for number in range(25)]
    assert [batch.complete for batch in batches] == [False, False, True]


def test_a_crash_before_the_batch_is_stored_reads_it_again() -> None:
    made = source(*range(30), page=10)
    pages = made.read("order", None, now=NOW)
    kept, lost = next(pages), next(pages)

    assert next(made.read("order", kept.next_cursor, now=NOW)).envelopes == lost.envelopes


def test_nothing_is_read_before_it_was_told() -> None:
    made = source(1, at=NOW + timedelta(seconds=1))

    assert ids_of(list(made.read("order", None, now=NOW))) == []
    assert ids_of(list(made.read("order", None, now=NOW + timedelta(seconds=1)))) == ["1"]


def test_envelopes_carry_what_tells_repeats_from_news() -> None:
    made = source(1)
    first = made.get("order", "1", now=NOW)
    made.tell(order(1, total="1.00 EUR"), at=NOW)
    edited = made.get("order", "1", now=NOW)

    assert isinstance(first, Envelope)
    assert isinstance(edited, Envelope)
    assert (first.source_updated_at, first.observed_at) == (LONG_AGO, NOW)
    assert first.version != edited.version
    assert first.content_hash != edited.content_hash


def test_late_news_do_not_change_what_a_fresh_look_finds() -> None:
    made = source(1, at=NOW)
    made.tell(order(1, total="1.00 EUR"), at=NOW, as_of=LONG_AGO)

    found = made.get("order", "1", now=NOW)

    assert isinstance(found, Envelope)
    assert '"minor":4990' in found.body
    assert len(ids_of(list(made.read("order", None, now=NOW)))) == 2


def test_records_are_typed_and_belong_to_their_customer() -> None:
    (batch,) = source(17).read("order", None, now=NOW)
    (envelope,) = batch.envelopes

    parsed = parse_body("order", envelope.body)

    assert isinstance(parsed, Order)
    assert (envelope.source, envelope.stream, envelope.customer_ref) == ("company", "order", "c1")


def test_a_deletion_is_a_change_like_any_other() -> None:
    made = source(1, 2)
    made.remove("order", "1", at=NOW)

    last = list(made.read("order", None, now=NOW))[-1].envelopes[-1]

    assert (last.id, last.deleted, last.source_updated_at) == ("1", True, NOW)
    assert made.get("order", "1", now=NOW) is None
    assert list(made.ids("order")) == ["2"]


def test_everything_comes_once_more_the_newest_first() -> None:
    made = source(1, 2)
    (before,) = made.read("order", None, now=NOW)
    made.redeliver(at=NOW)

    assert ids_of(list(made.read("order", before.next_cursor, now=NOW))) == ["2", "1"]


def test_a_system_that_is_down_fails_every_call() -> None:
    made = source(1)
    made.down = True

    for call in (
        lambda: made.get("order", "1", now=NOW),
        lambda: list(made.read("order", None, now=NOW)),
        lambda: list(made.ids("order")),
    ):
        with pytest.raises(ToolError, match="company: does not answer"):
            call()


def test_a_cursor_is_a_plain_value() -> None:
    (batch,) = source(1, 2).read("order", None, now=datetime.max.replace(tzinfo=UTC))

    assert batch.next_cursor == Cursor(
        stream_version="1", value_kind="integer", value="2", key_kind="integer", key="2"
    )
