"""Filters, search and counts say what a plain look at every draft says, and read the index alone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlmodel import col

from agent.clock import SimulatedClock
from agent.domain.cases import CaseId, SituationId
from agent.domain.drafts import DraftState
from agent.domain.queue import QueueFilter, QueuePlace
from agent.domain.reviewers import Role
from agent.review_desk.answers import RejectReason
from agent.store.mirror import apply_envelopes
from agent.store.reviews import reviews_of_case
from agent.store.tables.cases import DraftRow
from agent.store.transaction import Store
from policies.review_rules import Risk
from tests.builders import customer, envelope_of
from tests.sending_bench import Bench
from tools.records.vocabulary import ChannelKind

HOUR = timedelta(hours=1)


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    with any_store.write() as tx:
        apply_envelopes(tx.conn, [envelope_of(customer(name="Ada Lovelace"))])
    return Bench(store=any_store, clock=clock, roles={"ann": Role.REVIEWER, "bob": Role.LEAD})


def change(bench: Bench, draft_id: str, **values: Any) -> None:
    with bench.store.write() as tx:
        tx.conn.execute(update(DraftRow).where(col(DraftRow.id) == draft_id).values(**values))


def listed(bench: Bench, **wanted: Any) -> list[str]:
    """Return the drafts that a filter finds, counted and paged alike."""
    chosen = QueueFilter(**wanted)
    found: list[str] = [item.draft_id for item in bench.desk.list_drafts(chosen)]
    assert bench.desk.count(chosen) == len(found)
    return found


def test_every_filter_narrows(bench: Bench) -> None:
    now = bench.clock()
    a, b, c = (bench.in_review(f"e{number}").id for number in range(3))
    change(bench, b, risk="high", scenario="payment_due", channel="sms", review_reason="band")
    change(bench, c, situation_id="sit_1", snoozed_until=now + HOUR, snoozed_by="ann")
    bench.desk.open(a, reviewer="ann")

    assert listed(bench) == [a, b]
    assert listed(bench, risk=Risk.HIGH) == [b]
    assert listed(bench, scenario="payment_due") == [b]
    assert listed(bench, channel=ChannelKind.SMS) == [b]
    assert listed(bench, reason="band") == [b]
    assert listed(bench, claimed="me", reviewer="ann") == [a]
    assert listed(bench, claimed="me", reviewer="bob") == []
    assert listed(bench, claimed="nobody") == [b]
    assert listed(bench, snoozed=True) == [c]
    assert listed(bench, snoozed=True, situation=SituationId("sit_1")) == [c]

    bench.clock.advance(HOUR)
    assert listed(bench) == [a, b, c]  # what was put off is due again, and the claim has run out
    assert listed(bench, claimed="nobody") == [a, b, c]


@pytest.mark.parametrize(
    "part", ["c1", "ADA love", "order:1001", "Ada@Example.org", "LATER than", "Your order 1001"]
)
def test_a_search_finds_a_part_of_anything_a_person_would_name(bench: Bench, part: str) -> None:
    draft = bench.in_review()

    assert listed(bench, search=part) == [draft.id]
    assert listed(bench, search=draft.id[-6:]) == [draft.id]


@pytest.mark.parametrize("part", ["%", "c_", "c1%", "lovelace ada", "\\"])
def test_a_search_takes_every_character_as_it_is(bench: Bench, part: str) -> None:
    bench.in_review()

    assert listed(bench, search=part) == []


def test_the_counts_are_those_of_a_plain_look(bench: Bench) -> None:
    now = bench.clock()
    ids = [bench.in_review(f"e{number}").id for number in range(8)]
    change(bench, ids[0], review_by=now - HOUR, risk="high")
    change(bench, ids[1], expires_at=now + HOUR)
    change(bench, ids[2], scenario="payment_due")
    change(bench, ids[3], snoozed_until=now + HOUR, review_by=now - HOUR)
    change(bench, ids[4], snoozed_until=now)
    bench.desk.open(ids[5], reviewer="ann")
    bench.desk.open(ids[6], reviewer="bob")
    bench.desk.reject(ids[7], reviewer="ann", reason=RejectReason.TONE)

    counts = bench.desk.counts(reviewer="ann")

    assert (counts.waiting, counts.overdue, counts.expiring_soon) == (6, 1, 1)
    assert (counts.claimed, counts.mine, counts.snoozed) == (2, 1, 1)
    assert counts.by_scenario == (("payment_due", 1), ("shipping_delay", 5))
    assert counts.by_risk == ((Risk.HIGH, 1), (Risk.NORMAL, 5), (Risk.LOW, 0))


def test_an_empty_queue_counts_nothing(bench: Bench) -> None:
    counts = bench.desk.counts(reviewer="ann")

    assert (counts.waiting, counts.snoozed, counts.by_scenario) == (0, 0, ())


def test_an_item_knows_how_many_wait_beside_it(bench: Bench) -> None:
    ids = [bench.in_review(f"e{number}").id for number in range(4)]
    for draft_id in ids[:3]:
        change(bench, draft_id, situation_id="sit_1")
    bench.desk.reject(ids[0], reviewer="ann", reason=RejectReason.TONE)

    sizes = {item.draft_id: item.situation_size for item in bench.desk.list_drafts(QueueFilter(state=None))}

    assert sizes == {ids[0]: 0, ids[1]: 2, ids[2]: 2, ids[3]: 0}


def test_pages_and_counts_read_the_index_and_sort_nothing(store: Store, clock: SimulatedClock) -> None:
    bench = Bench(store=store, clock=clock)
    draft = bench.in_review()
    place = QueuePlace(review_by=clock(), draft_id=draft.id)
    said: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if "FROM draft" in statement:
            said.append((statement, parameters))

    event.listen(store.reader, "before_cursor_execute", note)
    bench.desk.list_drafts(limit=50)
    bench.desk.list_drafts(QueueFilter(risk=Risk.HIGH, claimed="nobody"), limit=50, after=place)
    bench.desk.next_draft(reviewer="ann")
    pages = len(said)
    bench.desk.count(QueueFilter(scenario="x", risk=Risk.LOW, claimed="me", reviewer="ann"))
    bench.desk.counts(reviewer="ann")
    event.remove(store.reader, "before_cursor_execute", note)

    with store.reader.connect() as connection:
        plans = [
            "; ".join(
                str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)
            )
            for text, parameters in said
        ]
    assert pages >= 3
    for plan in plans[:pages]:
        assert "INDEX ix_draft_queue (state=?" in plan
        assert "TEMP B-TREE" not in plan
    assert "USING COVERING INDEX ix_draft_queue (state=?" in plans[pages]
    for plan, index in zip(
        plans[pages + 1 :], ("snoozed", "kind", "claimed", "queue", "expiry"), strict=True
    ):
        assert f"INDEX ix_draft_{index} (" in plan
        assert "SCAN" not in plan


def test_the_reviews_of_a_case_are_found_by_an_index(store: Store) -> None:
    said: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if "FROM review" in statement:
            said.append((statement, parameters))

    event.listen(store.reader, "before_cursor_execute", note)
    with store.read() as conn:
        reviews_of_case(conn, CaseId("cas_1"))
    event.remove(store.reader, "before_cursor_execute", note)

    ((text, parameters),) = said
    with store.reader.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
    assert "INDEX ix_review_case (case_id=?)" in str(plan)


def test_drafts_of_every_state_come_in_one_order(bench: Bench) -> None:
    now = bench.clock()
    ids = [bench.in_review(f"e{number}").id for number in range(3)]
    for offset, draft_id in enumerate(reversed(ids)):
        change(bench, draft_id, review_by=now + offset * HOUR)
    bench.desk.reject(ids[1], reviewer="ann", reason=RejectReason.TONE)

    items = bench.desk.list_drafts(QueueFilter(state=None))

    assert [item.draft_id for item in items] == ids[::-1]
    assert [item.state for item in items] == [DraftState.PENDING, DraftState.REJECTED, DraftState.PENDING]
