"""Taking verdicts back: only while nothing has come of them, and so that the history reads true."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select

from agent.audit.verify import verify
from agent.clock import SimulatedClock
from agent.dispatch.ports import Result
from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind, Stage
from agent.domain.drafts import DeliveryId, DeliveryState, Draft, DraftState
from agent.domain.reviewers import Role
from agent.errors import NotFoundError, RefusedError
from agent.ids import Ids
from agent.review_desk.answers import RejectReason
from agent.store.tables.ledger import AuditEventRow
from agent.store.transaction import Store
from tests.conftest import make_store
from tests.sending_bench import Bench, rules

UNDO = timedelta(seconds=10)


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock, rules=rules(undo=UNDO))


def approve(bench: Bench, draft: Draft, reviewer: str = "ann") -> str:
    approval = bench.desk.approve(draft.id, reviewer=reviewer, shown=draft.message.content_hash)
    assert approval.delivery_id is not None
    return approval.delivery_id


def states(bench: Bench, draft: Draft) -> tuple[DraftState, CaseState]:
    view = bench.desk.show(draft.id)
    return view.draft.draft.state, view.case.state


def events_of(bench: Bench, number: int) -> list[str]:
    with bench.store.read() as conn:
        found = conn.execute(select(AuditEventRow.type).order_by(col(AuditEventRow.id))).scalars()
        return list(found)[-number:]


def is_verified(bench: Bench) -> bool:
    bench.store.seal_pending()
    with bench.store.read() as conn:
        return verify(conn, now=bench.clock()).ok


class TestApproval:
    def test_it_waits_for_a_while_before_it_may_leave(self, bench: Bench) -> None:
        draft = bench.in_review()

        approval = bench.desk.approve(draft.id, reviewer="ann", shown=draft.message.content_hash)

        assert approval.leaves_at == approval.undo_until == bench.clock() + UNDO
        assert approval.delivery_id is not None
        assert bench.delivery(approval.delivery_id).delivery.next_at == bench.clock() + UNDO

    async def test_taken_back_in_time_nothing_is_sent_and_the_draft_waits_again(self, bench: Bench) -> None:
        draft = bench.in_review()
        delivery_id = approve(bench, draft)

        bench.desk.undo(draft.id, reviewer="ann")
        bench.clock.advance(UNDO)
        await bench.dispatcher.dispatch_due()

        view = bench.desk.show(draft.id)
        assert bench.provider.calls == 0
        assert states(bench, draft) == (DraftState.PENDING, CaseState.IN_REVIEW)
        assert view.draft.content_hash == draft.message.content_hash
        assert bench.delivery(delivery_id).delivery.state is DeliveryState.CANCELLED
        last = view.decisions[-1]
        assert (last.stage, last.kind, last.reason) == (Stage.REVIEW, DecisionKind.CONTACT, "approve_undone")
        assert [review.verdict for review in view.reviews] == ["approve", "undo"]
        assert events_of(bench, 5) == [
            "delivery.cancelled",
            "draft.pending",
            "decision.recorded",
            "case.in_review",
            "review.recorded",
        ]
        assert is_verified(bench)

    async def test_it_can_be_approved_again_and_is_sent_once(self, bench: Bench) -> None:
        draft = bench.in_review()
        approve(bench, draft)
        bench.desk.undo(draft.id, reviewer="ann")

        again = approve(bench, draft, "bob")
        bench.clock.advance(UNDO)
        await bench.dispatcher.dispatch_due()

        assert bench.provider.calls == 1
        assert bench.delivery(again).delivery.state is DeliveryState.ACCEPTED
        assert is_verified(bench)

    async def test_what_was_sent_stays_sent(self, bench: Bench) -> None:
        draft = bench.in_review()
        delivery_id = approve(bench, draft)
        bench.clock.advance(UNDO)
        await bench.dispatcher.dispatch_due()

        with pytest.raises(RefusedError, match="it was sent"):
            bench.desk.undo(draft.id, reviewer="ann")

        assert bench.delivery(delivery_id).delivery.state is DeliveryState.ACCEPTED
        assert states(bench, draft) == (DraftState.APPROVED, CaseState.CONTACTED)

    async def test_one_that_is_being_sent_stands(self, bench: Bench) -> None:
        draft = bench.in_review()
        delivery_id = approve(bench, draft)
        bench.clock.advance(UNDO)
        bench.provider.gate, begun = asyncio.Event(), asyncio.Event()
        bench.provider.failpoint = begun.set
        sending = asyncio.create_task(bench.dispatcher.dispatch(DeliveryId(delivery_id)))
        await begun.wait()

        with pytest.raises(RefusedError, match="being sent right now"):
            await asyncio.to_thread(bench.desk.undo, draft.id, reviewer="ann")

        bench.provider.gate.set()
        assert (await sending).result is Result.ACCEPTED

    async def test_one_taken_back_while_the_dispatcher_looks_again_is_not_sent(self, bench: Bench) -> None:
        draft = bench.in_review()
        delivery_id = approve(bench, draft)
        bench.clock.advance(UNDO)
        bench.world.while_looking = lambda: bench.desk.undo(draft.id, reviewer="ann")

        dispatched = await bench.dispatcher.dispatch(DeliveryId(delivery_id))

        assert (dispatched.result, bench.provider.calls) == (Result.SKIPPED, 0)
        assert states(bench, draft) == (DraftState.PENDING, CaseState.IN_REVIEW)

    async def test_at_the_same_moment_it_is_either_undone_or_sent(self, bench: Bench) -> None:
        bench.world.candidate = {"sent_last_day": 0, "sent_last_week": 0}
        for number in range(10):
            draft = bench.in_review(f"e{number}")
            delivery_id = approve(bench, draft)
            bench.clock.advance(UNDO)
            before = bench.provider.calls

            undone = await _race(bench, draft, delivery_id, head_start=number)

            was_sent = bench.provider.calls > before
            assert undone != was_sent
            state = DeliveryState.CANCELLED if undone else DeliveryState.ACCEPTED
            assert bench.delivery(delivery_id).delivery.state is state
        assert is_verified(bench)


async def _race(bench: Bench, draft: Draft, delivery_id: str, *, head_start: int) -> bool:
    """Send and take back at once; return whether it was taken back."""
    sending = asyncio.create_task(bench.dispatcher.dispatch(DeliveryId(delivery_id)))
    for _ in range(head_start * 3):
        await asyncio.sleep(0)
    try:
        await asyncio.to_thread(bench.desk.undo, draft.id, reviewer="ann")
    except RefusedError:
        undone = False
    else:
        undone = True
    await sending
    return undone


class TestOtherVerdicts:
    @pytest.mark.parametrize("verdict", ["reject", "escalate"])
    def test_it_is_taken_back_and_the_draft_waits_again(self, bench: Bench, verdict: str) -> None:
        draft = bench.in_review()
        give(bench, draft, verdict)

        bench.desk.undo(draft.id, reviewer="ann")

        view = bench.desk.show(draft.id)
        assert states(bench, draft) == (DraftState.PENDING, CaseState.IN_REVIEW)
        assert (view.decisions[-1].kind, view.decisions[-1].reason) == (
            DecisionKind.CONTACT,
            f"{verdict}_undone",
        )
        approve(bench, draft, "bob")
        assert is_verified(bench)

    def test_a_snooze_is_taken_back(self, bench: Bench) -> None:
        draft = bench.in_review()
        give(bench, draft, "snooze")
        assert bench.desk.list_drafts() == []

        bench.desk.undo(draft.id, reviewer="ann")

        assert [item.draft_id for item in bench.desk.list_drafts()] == [draft.id]

    @pytest.mark.parametrize("verdict", ["reject", "escalate", "snooze"])
    def test_after_a_while_it_stands(self, bench: Bench, verdict: str) -> None:
        draft = bench.in_review()
        give(bench, draft, verdict)
        bench.clock.advance(bench.rules.undo_verdicts)
        bench.desk.undo(draft.id, reviewer="ann")  # the last instant counts
        give(bench, draft, verdict)
        bench.clock.advance(bench.rules.undo_verdicts + timedelta(seconds=1))

        with pytest.raises(RefusedError, match="more than 5 min ago"):
            bench.desk.undo(draft.id, reviewer="ann")

    def test_verdicts_are_taken_back_one_after_the_other(self, bench: Bench) -> None:
        draft = bench.in_review()
        give(bench, draft, "snooze")
        give(bench, draft, "reject")

        bench.desk.undo(draft.id, reviewer="ann")
        with pytest.raises(RefusedError, match="back in the queue already"):
            bench.desk.undo(draft.id, reviewer="ann")  # the snooze ended with the rejection

    def test_without_a_verdict_there_is_nothing_to_take_back(self, bench: Bench) -> None:
        with pytest.raises(RefusedError, match="no verdict"):
            bench.desk.undo(bench.in_review().id, reviewer="ann")
        with pytest.raises(NotFoundError):
            bench.desk.undo("drf_none", reviewer="ann")


class TestWhose:
    @pytest.fixture
    def bench(self, store: Store, clock: SimulatedClock) -> Bench:
        roles = {"ann": Role.REVIEWER, "bob": Role.REVIEWER, "lea": Role.LEAD}
        return Bench(store=store, clock=clock, rules=rules(undo=UNDO), roles=roles)

    def test_another_reviewers_verdict_stands(self, bench: Bench) -> None:
        draft = bench.in_review()
        give(bench, draft, "reject")

        with pytest.raises(RefusedError, match="ann's; only they or a lead"):
            bench.desk.undo(draft.id, reviewer="bob")

        bench.desk.undo(draft.id, reviewer="lea")
        assert states(bench, draft) == (DraftState.PENDING, CaseState.IN_REVIEW)
        assert bench.desk.show(draft.id).reviews[-1].reviewer == "lea"


def give(bench: Bench, draft: Draft, verdict: str) -> None:
    """Let ann give a verdict."""
    desk, me = bench.desk, "ann"
    match verdict:
        case "reject":
            desk.reject(draft.id, reviewer=me, reason=RejectReason.TONE)
        case "escalate":
            desk.escalate(draft.id, reviewer=me, words="please call")
        case "snooze":
            desk.snooze(draft.id, reviewer=me, until=bench.clock() + timedelta(hours=1))
        case "redraft":
            desk.redraft(draft.id, reviewer=me, instruction="shorter")
        case _:
            text = "Hello, your order 1001 is late."
            desk.edit(
                draft.id, reviewer=me, shown=draft.message.content_hash, subject="Your order 1001", body=text
            )


def test_two_processes_at_one_instant_agree_on_what_came_last(
    database_url: str, clock: SimulatedClock
) -> None:
    # ids of one instant sort by chance: here the first process's always come last
    first = make_store(database_url, Ids(lambda size: b"\xf0" * size))
    second = make_store(database_url, Ids(lambda size: b"\x01" * size))
    draft = Bench(store=first, clock=clock).in_review()
    Bench(store=first, clock=clock).desk.escalate(draft.id, reviewer="ann", words="angry")

    Bench(store=second, clock=clock).desk.undo(draft.id, reviewer="ann")

    with pytest.raises(RefusedError, match="no verdict"):
        Bench(store=first, clock=clock).desk.undo(draft.id, reviewer="ann")
    for store in (first, second):
        store.writer.dispose()
        store.reader.dispose()
