"""Who must approve is asked again at the moment of sending; what lacks an approval goes back to review."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import col, select

from agent.audit.verify import verify
from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryId, DeliveryState, Draft, DraftState, ReviewVerdict
from agent.store.deliveries import deliveries_of_case
from agent.store.tables.cases import ReviewRow
from agent.store.tables.ledger import AuditEventRow
from agent.store.tables.situations import SituationOpening
from agent.store.transaction import Store, Tx
from tests.sending_bench import Bench, rules
from tests.situation_bench import Crowd
from tools.records.base import Money

MUCH = Money(minor=200_000, currency="EUR")


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock, stake=MUCH)


def approved(bench: Bench, *reviewers: str) -> tuple[Draft, DeliveryId]:
    draft = bench.in_review()
    answers = [
        bench.desk.approve(draft.id, reviewer=reviewer, shown=draft.message.content_hash)
        for reviewer in reviewers
    ]
    assert answers[-1].delivery_id is not None
    return draft, answers[-1].delivery_id


def reasons(store: Store, event_type: str) -> list[str]:
    with store.read() as conn:
        found = conn.execute(
            select(AuditEventRow.envelope).where(col(AuditEventRow.type) == event_type)
        ).scalars()
        return [json.loads(envelope)["body"]["reason"] for envelope in found]


def change_first(**values: Any) -> Callable[[Tx, Draft], object]:
    """Change the review of ann, who approved first."""
    return lambda tx, draft: tx.conn.execute(
        update(ReviewRow)
        .where(col(ReviewRow.draft_id) == draft.id, col(ReviewRow.reviewer) == "ann")
        .values(**values)
    )


def remove_first(tx: Tx, draft: Draft) -> None:
    tx.conn.execute(
        delete(ReviewRow).where(col(ReviewRow.draft_id) == draft.id, col(ReviewRow.reviewer) == "ann")
    )


def take_first_back(tx: Tx, draft: Draft) -> None:
    """Record that the first approval was taken back, as another version might after the second."""
    first = (
        tx.conn.execute(
            select(ReviewRow.__table__).where(  # type: ignore[attr-defined]  # SQLModel hides its table
                col(ReviewRow.draft_id) == draft.id, col(ReviewRow.reviewer) == "ann"
            )
        )
        .mappings()
        .one()
    )
    undo = {**first, "id": "rev_z", "verdict": "undo", "undoes": first["id"]}
    tx.conn.execute(ReviewRow.__table__.insert(), [undo])  # type: ignore[attr-defined]  # as above


BROKEN: dict[str, Callable[[Tx, Draft], object]] = {
    "it is gone": remove_first,
    "it is by the same person": change_first(reviewer="bob"),
    "it is of another text": change_first(content_hash="0" * 64),
    "it is no approval": change_first(verdict=ReviewVerdict.SNOOZE),
    "it is of another draft": change_first(draft_id="drf_other"),
    "it was taken back": take_first_back,
}


class TestTwoPeople:
    async def test_what_two_people_approved_leaves(self, bench: Bench) -> None:
        _, delivery_id = approved(bench, "ann", "bob")

        await bench.dispatcher.dispatch_due()

        assert bench.delivery(delivery_id).delivery.state is DeliveryState.ACCEPTED

    @pytest.mark.parametrize("how", BROKEN)
    async def test_without_the_first_approval_nothing_is_sent(self, bench: Bench, how: str) -> None:
        draft, delivery_id = approved(bench, "ann", "bob")
        with bench.store.write() as tx:
            BROKEN[how](tx, draft)

        await bench.dispatcher.dispatch_due()

        view = bench.desk.show(draft.id)
        assert bench.provider.calls == 0
        assert bench.delivery(delivery_id).delivery.state is DeliveryState.CANCELLED
        assert (view.draft.draft.state, view.case.state) == (DraftState.PENDING, CaseState.IN_REVIEW)
        assert reasons(bench.store, "delivery.cancelled") == ["second_approval_missing"]

    async def test_after_another_approval_it_leaves(self, bench: Bench) -> None:
        draft, _ = approved(bench, "ann", "bob")
        with bench.store.write() as tx:
            remove_first(tx, draft)
        await bench.dispatcher.dispatch_due()

        answer = bench.desk.approve(draft.id, reviewer="cleo", shown=draft.message.content_hash)
        await bench.dispatcher.dispatch_due()

        assert answer.delivery_id is not None
        assert bench.delivery(answer.delivery_id).delivery.state is DeliveryState.ACCEPTED
        bench.store.seal_pending()
        with bench.store.read() as conn:
            assert verify(conn, now=bench.clock()).ok

    async def test_rules_that_became_stricter_hold_for_what_waits(
        self, store: Store, clock: SimulatedClock
    ) -> None:
        shipped = rules()
        bare = shipped.four_eyes.model_copy(update={"stake": {}})
        bench = Bench(
            store=store, clock=clock, stake=MUCH, rules=shipped.model_copy(update={"four_eyes": bare})
        )
        draft, _ = approved(bench, "ann")

        bench.rules = shipped
        await bench.new_dispatcher(bench.owner).dispatch_due()

        assert (bench.provider.calls, bench.desk.show(draft.id).case.state) == (0, CaseState.IN_REVIEW)


class TestOwnWords:
    async def test_what_its_author_approved_does_not_leave_where_that_is_forbidden(
        self, any_store: Store, clock: SimulatedClock
    ) -> None:
        bench = Bench(store=any_store, clock=clock, rules=rules(own_edits="allow"))
        draft = bench.in_review()
        answer = bench.desk.edit(
            draft.id,
            reviewer="ann",
            shown=draft.message.content_hash,
            subject="Your order 1001",
            body="Hello, we are sorry: your order 1001 comes later than we promised.",
        )
        assert answer.draft_id is not None
        new = bench.desk.show(answer.draft_id).draft
        bench.desk.approve(new.draft.id, reviewer="ann", shown=new.content_hash)

        bench.rules = rules(own_edits="forbid")
        await bench.new_dispatcher(bench.owner).dispatch_due()

        assert (bench.provider.calls, bench.desk.show(new.draft.id).case.state) == (0, CaseState.IN_REVIEW)
        assert reasons(any_store, "delivery.cancelled") == ["own_edit_approved"]


class TestManyAtOnce:
    @pytest.fixture
    def crowd(self, any_store: Store, clock: SimulatedClock) -> Crowd:
        shipped = rules()
        crowd = Crowd(store=any_store, clock=clock)
        four_eyes = shipped.four_eyes.model_copy(update={"recipients": 3})
        crowd.desk = crowd.new_desk(shipped.model_copy(update={"four_eyes": four_eyes}))
        crowd.rules = shipped.model_copy(update={"four_eyes": four_eyes})
        return crowd

    async def dispatched(self, crowd: Crowd, *, number: int = 0) -> DeliveryState:
        """Let the dispatcher take one draft of the crowd; return where its delivery stands then."""
        draft = crowd.drafts[number]
        bench = Bench(store=crowd.store, clock=crowd.clock, rules=crowd.rules)
        bench.world.facts = crowd.facts_of(draft.case_id)
        bench.world.address = draft.message.recipient
        with crowd.store.read() as conn:
            (file,) = deliveries_of_case(conn, draft.case_id)
        await bench.dispatcher.dispatch(file.delivery.id)
        return bench.delivery(file.delivery.id).delivery.state

    def approve(self, crowd: Crowd, number: int) -> None:
        crowd.fill(number)
        for reviewer in ("ann", "bob"):
            crowd.desk.approve_situation(crowd.id, reviewer=reviewer, shown=crowd.opened(reviewer))

    async def test_what_two_people_approved_leaves(self, crowd: Crowd) -> None:
        self.approve(crowd, 3)

        assert await self.dispatched(crowd) is DeliveryState.ACCEPTED

    async def test_without_the_first_approval_nothing_is_sent(self, crowd: Crowd) -> None:
        self.approve(crowd, 3)
        with crowd.store.write() as tx:
            tx.conn.execute(
                update(SituationOpening)
                .where(col(SituationOpening.reviewer) == "ann")
                .values(approved_at=None)
            )

        assert await self.dispatched(crowd) is DeliveryState.CANCELLED
        assert reasons(crowd.store, "delivery.cancelled") == ["second_approval_missing"]

    async def test_few_of_them_need_one_person(self, crowd: Crowd) -> None:
        crowd.fill(3)
        first = crowd.drafts[0].id
        crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=crowd.opened(), leave_out=[first])

        assert await self.dispatched(crowd, number=1) is DeliveryState.ACCEPTED
