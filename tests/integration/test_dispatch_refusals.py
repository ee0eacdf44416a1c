"""What must not leave does not: approval, condition, opt-out, kill switch, gates, time (I3 to I9)."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from agent.clock import SimulatedClock
from agent.dispatch.ports import Result
from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind, Stage
from agent.domain.drafts import DeliveryId, DeliveryState, DraftState
from agent.errors import RefusedError
from agent.store.decisions import last_decision
from agent.store.drafts import get_draft
from agent.store.kill_switch import KillScope, lift_kill_switch, set_kill_switch
from agent.store.suppressions import suppress
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Store
from tests.providers import Act
from tests.sending_bench import CUSTOMER, SYSTEM, Bench, fact
from tools.records.vocabulary import ChannelKind, ProtectedFlag


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock)


def opt_out(bench: Bench) -> list[DeliveryId]:
    with bench.store.write() as tx:
        return suppress(
            tx,
            keyring=bench.store.keyring,
            channel=ChannelKind.EMAIL,
            address=" ADA@example.org ",
            purpose="all",
            source="reply:stop",
            at=bench.clock(),
            actor=SYSTEM,
            customer_id=CUSTOMER,
        )


class TestConditionAndFacts:
    async def test_a_condition_that_cleared_after_approval_sends_nothing(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        bench.world.status = "cleared"

        await bench.dispatcher.dispatch_due()

        file = bench.delivery(delivery_id)
        assert bench.provider.calls == 0
        assert file.delivery.state is DeliveryState.SUPPRESSED
        assert bench.case(file.delivery.case_id).state is CaseState.RESOLVED
        with bench.store.read() as conn:
            decision = last_decision(conn, file.delivery.case_id)
        assert decision is not None
        assert (decision.stage, decision.kind) == (Stage.DISPATCH, DecisionKind.ABSTAIN)

    async def test_facts_that_changed_after_approval_bring_the_case_back(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        bench.world.facts = (fact("order.number", "1002"),)

        await bench.dispatcher.dispatch_due()

        file = bench.delivery(delivery_id)
        case = bench.case(file.delivery.case_id)
        with bench.store.read() as conn:
            draft = get_draft(conn, file.delivery.draft_id)
        assert bench.provider.calls == 0
        assert draft is not None
        assert draft.draft.state is DraftState.STALE
        assert (case.state, case.next_at) == (CaseState.NEW, bench.clock())

    async def test_facts_that_no_text_rests_on_may_change(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        bench.world.facts = (fact("order.number", "1001"), fact("shipment.carrier", "other"))

        assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.ACCEPTED

    async def test_facts_that_cannot_be_read_wait_and_then_leave(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        bench.world.status = "unknown"
        answer = await bench.dispatcher.dispatch(delivery_id)
        assert answer.result is Result.DEFERRED
        assert answer.next_at is not None

        bench.world.status = "holds"
        bench.clock.set(answer.next_at)

        assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.ACCEPTED

    async def test_an_address_that_changed_since_the_draft_gets_nothing(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        bench.world.address = "new@example.org"

        await bench.dispatcher.dispatch_due()

        assert bench.provider.calls == 0
        assert bench.case(bench.delivery(delivery_id).delivery.case_id).state is CaseState.NEW


class TestOptOut:
    async def test_it_cancels_what_is_queued_in_the_same_transaction(self, bench: Bench) -> None:
        delivery_id = bench.approved()

        assert opt_out(bench) == [delivery_id]

        await bench.dispatcher.dispatch_due()
        assert bench.provider.calls == 0

    async def test_one_that_the_queue_did_not_see_still_stops_the_intent(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        opt_out(bench)
        with bench.store.write() as tx:
            tx.conn.execute(update(DeliveryRow).values(state="queued", next_at=bench.clock()))

        await bench.dispatcher.dispatch_due()

        file = bench.delivery(delivery_id)
        assert bench.provider.calls == 0
        assert (file.delivery.state, file.state_reason) == (DeliveryState.SUPPRESSED, "suppression")
        assert bench.case(file.delivery.case_id).state is CaseState.ABSTAINED


class TestKillSwitch:
    @pytest.mark.parametrize(
        ("scope", "key"),
        [(KillScope.GLOBAL, ""), (KillScope.SCENARIO, "shipping_delay"), (KillScope.CHANNEL, "email")],
    )
    async def test_no_intent_after_it_commits_and_the_message_waits(
        self, bench: Bench, scope: KillScope, key: str
    ) -> None:
        bench.approved()
        with bench.store.write() as tx:
            set_kill_switch(tx, scope=scope, key=key, reason="drill", operator="op", at=bench.clock())

        await bench.dispatcher.dispatch_due()
        assert bench.provider.calls == 0

        with bench.store.write() as tx:
            lift_kill_switch(tx, scope=scope, key=key, operator="op2", at=bench.clock())
        bench.clock.advance(timedelta(hours=1))
        await bench.dispatcher.dispatch_due()
        assert len(bench.provider.keys()) == 1

    async def test_it_is_looked_at_again_between_intent_and_call(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        reads = 0

        def switch_before_second_read(_conn: Connection) -> None:
            nonlocal reads
            reads += 1
            if reads == 2:  # the first finds the delivery, the second comes after the durable intent
                with bench.store.write() as tx:
                    set_kill_switch(
                        tx,
                        scope=KillScope.GLOBAL,
                        key="",
                        reason="drill",
                        operator="op",
                        at=bench.clock(),
                    )

        event.listen(bench.store.reader, "begin", switch_before_second_read)

        assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.NOT_SENT
        assert bench.provider.calls == 0

    def test_it_needs_a_reason_and_a_scope_that_fits(self, bench: Bench) -> None:
        for scope, key, reason in (
            (KillScope.GLOBAL, "", " "),
            (KillScope.GLOBAL, "x", "why"),
            (KillScope.CHANNEL, "", "why"),
        ):
            with pytest.raises(RefusedError), bench.store.write() as tx:
                set_kill_switch(tx, scope=scope, key=key, reason=reason, operator="op", at=bench.clock())


class TestGates:
    async def test_a_deferral_moves_the_message_to_the_instant_the_gate_names(self, bench: Bench) -> None:
        bench.clock.set(bench.clock().replace(hour=20, minute=59))
        delivery_id = bench.approved()
        bench.clock.advance(timedelta(minutes=2))

        answer = await bench.dispatcher.dispatch(delivery_id)

        assert answer.result is Result.DEFERRED
        assert answer.next_at is not None
        assert answer.next_at <= bench.delivery(delivery_id).delivery.expires_at
        assert bench.provider.calls == 0

    async def test_a_block_that_names_people_goes_to_them(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        bench.world.candidate = {"protected": (ProtectedFlag.DECEASED,)}

        await bench.dispatcher.dispatch_due()

        case = bench.case(bench.delivery(delivery_id).delivery.case_id)
        assert bench.provider.calls == 0
        assert case.state in (CaseState.ESCALATED, CaseState.ABSTAINED)

    async def test_caps_hold_over_all_cases_of_a_customer(self, bench: Bench) -> None:
        for number in range(4):
            bench.approved(f"e{number}")

        await bench.dispatcher.dispatch_due()

        assert len(bench.provider.keys()) == 2

    async def test_what_nobody_approved_goes_to_review_when_a_gate_wants_a_person(self, bench: Bench) -> None:
        delivery_id = bench.auto()
        bench.needs_review()

        await bench.dispatcher.dispatch_due()

        file = bench.delivery(delivery_id)
        assert bench.provider.calls == 0
        assert bench.case(file.delivery.case_id).state is CaseState.IN_REVIEW
        assert [item.draft_id for item in bench.desk.list_drafts()] == [file.delivery.draft_id]

    async def test_a_persons_approval_answers_a_gate_that_wants_one(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        bench.needs_review()

        assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.ACCEPTED


class TestApproval:
    async def test_the_database_refuses_to_send_what_nobody_approved(self, bench: Bench) -> None:
        bench.approved()

        for state in ("sending", "accepted", "unknown", "needs_human", "rejected"):
            with pytest.raises(IntegrityError), bench.store.write() as tx:
                tx.conn.execute(update(DeliveryRow).values(review_id=None, state=state))

    async def test_another_review_is_no_approval(self, bench: Bench) -> None:
        first, second = bench.approved("e1"), bench.approved("e2")
        with bench.store.write() as tx:
            tx.conn.execute(
                update(DeliveryRow)
                .where(col(DeliveryRow.id) == first)
                .values(review_id=bench.delivery(second).delivery.review_id)
            )

        assert (await bench.dispatcher.dispatch(first)).result is Result.REFUSED
        assert bench.provider.calls == 0

    async def test_a_message_that_cannot_be_read_is_taken_out(self, bench: Bench) -> None:
        delivery_id = bench.approved()
        case_id = bench.delivery(delivery_id).delivery.case_id
        with bench.store.write() as tx:
            tx.conn.execute(update(DeliveryRow).values(message="{}"))

        await bench.dispatcher.dispatch_due()

        assert bench.provider.calls == 0
        assert bench.case(case_id).state is CaseState.ESCALATED


async def test_an_approval_that_ran_out_is_not_used(bench: Bench) -> None:
    delivery_id = bench.approved()
    bench.clock.advance(timedelta(hours=5))

    await bench.dispatcher.dispatch_due()

    file = bench.delivery(delivery_id)
    assert bench.provider.calls == 0
    assert (file.delivery.state, file.state_reason) == (DeliveryState.CANCELLED, "approval_expired")
    assert bench.case(file.delivery.case_id).state is CaseState.NEW


async def test_after_the_deadline_the_case_is_over(bench: Bench) -> None:
    delivery_id = bench.approved()
    bench.clock.advance(timedelta(days=4))

    await bench.dispatcher.dispatch_due()

    assert bench.provider.calls == 0
    assert bench.case(bench.delivery(delivery_id).delivery.case_id).state is CaseState.EXPIRED


async def test_a_replay_that_a_gate_forbids_goes_to_a_person(bench: Bench) -> None:
    bench.provider.script = [Act.LOSE_CALL]
    delivery_id = bench.approved()
    await bench.dispatcher.dispatch(delivery_id)
    opt_out(bench)

    await bench.dispatcher.dispatch(delivery_id)

    assert bench.provider.calls == 1
    assert bench.delivery(delivery_id).delivery.state is DeliveryState.NEEDS_HUMAN
