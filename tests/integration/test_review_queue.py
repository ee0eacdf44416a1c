"""The queue: paged and filtered by SQL, claimed by compare-and-set, emptied of what expired."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.drafts import DraftId, DraftState
from agent.domain.queue import QueueFilter, QueuePlace
from agent.errors import ConflictError
from agent.review_desk.answers import RejectReason
from agent.store.drafts import draft_from_json, draft_to_json, record_drafts
from agent.store.tables.cases import DraftRow
from agent.store.transaction import Store
from tests.sending_bench import SYSTEM, Bench, new_draft
from tools.records.vocabulary import ChannelKind


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock)


def set_deadlines(bench: Bench, hours: dict[str, int | None]) -> None:
    with bench.store.write() as tx:
        for draft_id, offset in hours.items():
            deadline = None if offset is None else bench.clock() + timedelta(hours=offset)
            tx.conn.execute(update(DraftRow).where(col(DraftRow.id) == draft_id).values(deadline=deadline))


def set_review_by(bench: Bench, hours: dict[str, int]) -> None:
    with bench.store.write() as tx:
        for draft_id, offset in hours.items():
            review_by = bench.clock() + timedelta(hours=offset)
            tx.conn.execute(update(DraftRow).where(col(DraftRow.id) == draft_id).values(review_by=review_by))


@pytest.mark.parametrize("page", [1, 2, 3, 10])
def test_pages_follow_each_other_by_urgency_and_miss_nothing(bench: Bench, page: int) -> None:
    ids = [bench.in_review(f"e{number}").id for number in range(6)]
    set_review_by(bench, dict(zip(ids, [9, 7, 1, 1, 7, 5], strict=True)))
    expected = [ids[2], ids[3], ids[5], ids[1], ids[4], ids[0]]

    seen: list[str] = []
    place: QueuePlace | None = None
    while items := bench.desk.list_drafts(limit=page, after=place):
        seen += [item.draft_id for item in items]
        place = QueuePlace(review_by=items[-1].review_by, draft_id=items[-1].draft_id)

    assert seen == expected


def test_filters_narrow_the_list_and_the_count(bench: Bench) -> None:
    first, second = bench.in_review("e1"), bench.in_review("e2")
    bench.desk.reject(first.id, reviewer="ada", reason=RejectReason.TONE)

    def ids(wanted: QueueFilter) -> list[str]:
        assert bench.desk.count(wanted) == len(bench.desk.list_drafts(wanted))
        return [item.draft_id for item in bench.desk.list_drafts(wanted)]

    assert ids(QueueFilter()) == [second.id]
    assert ids(QueueFilter(state=None)) == [first.id, second.id]
    assert ids(QueueFilter(state=DraftState.REJECTED)) == [first.id]
    assert ids(QueueFilter(channel=ChannelKind.SMS)) == []
    assert ids(QueueFilter(scenario="payment_due")) == []


def test_a_claim_keeps_others_away_until_it_runs_out(bench: Bench) -> None:
    draft = bench.in_review()
    bench.desk.claim(draft.id, reviewer="ada")

    with pytest.raises(ConflictError, match="ada"):
        bench.desk.claim(draft.id, reviewer="bob")
    with pytest.raises(ConflictError, match="ada"):
        bench.desk.reject(draft.id, reviewer="bob", reason=RejectReason.TONE)
    bench.desk.claim(draft.id, reviewer="ada")  # renewed

    bench.clock.advance(timedelta(minutes=15))
    bench.desk.claim(draft.id, reviewer="bob")
    assert bench.desk.list_drafts()[0].claimed_by == "bob"


def test_drafts_expire_in_bulk_and_their_cases_go_where_there_is_time(bench: Bench) -> None:
    early, late, fresh = (bench.in_review(f"e{number}") for number in range(3))
    set_deadlines(bench, {late.id: 2})
    with bench.store.write() as tx:
        tx.conn.execute(
            update(DraftRow)
            .where(col(DraftRow.id) == fresh.id)
            .values(expires_at=bench.clock() + timedelta(days=1))
        )
    bench.clock.advance(timedelta(hours=4))

    assert bench.desk.expire() == 2
    assert bench.desk.expire() == 0

    states = {
        draft.id: (bench.desk.show(draft.id).draft.draft.state, bench.case(draft.case_id).state)
        for draft in (early, late, fresh)
    }
    assert states == {
        early.id: (DraftState.EXPIRED, CaseState.NEW),
        late.id: (DraftState.EXPIRED, CaseState.EXPIRED),
        fresh.id: (DraftState.PENDING, CaseState.IN_REVIEW),
    }


def test_a_new_version_supersedes_the_pending_one_and_repeating_it_does_nothing(bench: Bench) -> None:
    draft = bench.in_review()
    bench.record_again(draft)
    newer = bench.record_again(draft, version=2)

    versions = bench.desk.show(draft.id).versions
    assert [file.draft.state for file in versions] == [DraftState.SUPERSEDED, DraftState.PENDING]
    assert [item.draft_id for item in bench.desk.list_drafts()] == [newer.id]


def test_a_repeated_draft_beside_a_new_one_stays_as_it_is(bench: Bench) -> None:
    known, other = bench.in_review("e1"), bench.in_review("e2")
    newer = replace(other, id=DraftId("drf_newer"), version=2)

    with bench.store.write() as tx:
        recorded = record_drafts(
            tx,
            [new_draft(known, bench.case(known.case_id)), new_draft(newer, bench.case(other.case_id))],
            actor=SYSTEM,
        )

    assert recorded == [newer.id]
    assert {item.draft_id for item in bench.desk.list_drafts()} == {known.id, newer.id}


def test_a_draft_survives_its_json(bench: Bench) -> None:
    draft = bench.in_review()

    assert draft_from_json(draft_to_json(draft)) == draft
    assert bench.desk.show(draft.id).draft.draft == draft


def test_the_card_shows_what_the_draft_rests_on(bench: Bench) -> None:
    draft = bench.in_review()

    view = bench.desk.show(draft.id)

    assert view.decision is not None
    assert view.decision.facts == bench.world.facts
    assert view.case.id == draft.case_id
