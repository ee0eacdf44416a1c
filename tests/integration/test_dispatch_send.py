"""The dispatcher sends what was approved, once, and each answer of a provider has its consequence."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, update
from sqlmodel import select

from agent.clock import SimulatedClock
from agent.dispatch.ports import Result
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryId, DeliveryState
from agent.errors import StoreError
from agent.store.attempts import AttemptState, attempts_of, start_attempt
from agent.store.deliveries import set_delivery_state
from agent.store.tables.cases import CaseFile, WorkRow
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Store
from tests.providers import Act, FakeProvider, Kind
from tests.sending_bench import SYSTEM, Bench


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock)


def attempt_states(bench: Bench, delivery_id: str) -> list[AttemptState]:
    with bench.store.read() as conn:
        return [attempt.state for attempt in attempts_of(conn, delivery_id)]


async def test_what_was_approved_leaves_once_byte_for_byte(bench: Bench) -> None:
    delivery_id = bench.approved()

    for _ in range(3):
        await bench.dispatcher.dispatch_due()

    file = bench.delivery(delivery_id)
    assert bench.provider.accepted == [(delivery_id, file.delivery.message)]
    assert file.delivery.message.content_hash == file.delivery.content_hash
    assert file.delivery.state is DeliveryState.ACCEPTED
    assert bench.case(file.delivery.case_id).state is CaseState.CONTACTED
    assert attempt_states(bench, delivery_id) == [AttemptState.ACCEPTED]


async def test_a_message_that_needs_nobody_leaves_without_review(bench: Bench) -> None:
    delivery_id = bench.auto()

    assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.ACCEPTED


async def test_a_refusal_for_good_fails_the_case(bench: Bench) -> None:
    bench.provider.script = [Act.REFUSE]
    delivery_id = bench.approved()

    await bench.dispatcher.dispatch_due()

    file = bench.delivery(delivery_id)
    assert file.delivery.state is DeliveryState.REJECTED
    assert bench.case(file.delivery.case_id).state is CaseState.FAILED


async def test_a_busy_provider_is_asked_again_with_growing_waits(bench: Bench) -> None:
    bench.provider.script = [Act.BUSY] * 3
    delivery_id = bench.approved()

    waits: list[timedelta] = []
    while (answer := await bench.dispatcher.dispatch(delivery_id)).next_at is not None:
        waits.append(answer.next_at - bench.clock())
        bench.clock.set(answer.next_at)

    assert waits == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert attempt_states(bench, delivery_id) == [AttemptState.NOT_SENT] * 3 + [AttemptState.ACCEPTED]
    assert len(bench.provider.accepted) == 1


async def test_a_provider_that_stays_busy_leads_to_a_new_round_not_to_a_late_message(bench: Bench) -> None:
    bench.provider.script = [Act.BUSY] * 100
    delivery_id = bench.approved()

    while (answer := await bench.dispatcher.dispatch(delivery_id)).next_at is not None:
        bench.clock.set(answer.next_at)

    file = bench.delivery(delivery_id)
    assert file.delivery.state is DeliveryState.CANCELLED
    assert bench.case(file.delivery.case_id).state is CaseState.NEW
    assert bench.clock() <= file.delivery.expires_at


async def test_a_new_round_can_queue_a_message_for_the_same_signal_again(bench: Bench) -> None:
    first = bench.approved()
    bench.world.status = "holds"
    bench.clock.advance(timedelta(hours=5))
    await bench.dispatcher.dispatch_due()
    assert bench.delivery(first).delivery.state is DeliveryState.CANCELLED

    second = bench.redraft_and_approve(first)
    await bench.dispatcher.dispatch_due()

    assert bench.provider.keys() == [second]


@pytest.mark.parametrize("act", [Act.LOSE_ANSWER, Act.LOSE_CALL, Act.BREAK])
async def test_an_unknown_outcome_is_asked_for_again_under_the_same_key(bench: Bench, act: Act) -> None:
    bench.provider.script = [act]
    delivery_id = bench.approved()

    assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.UNKNOWN
    assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.ACCEPTED
    assert bench.provider.keys() == [delivery_id]


async def test_replays_end_after_three_and_a_person_takes_over(bench: Bench) -> None:
    bench.provider.script = [Act.LOSE_CALL] * 10
    delivery_id = bench.approved()

    while (answer := await bench.dispatcher.dispatch(delivery_id)).next_at is not None:
        bench.clock.set(answer.next_at)

    file = bench.delivery(delivery_id)
    assert bench.provider.calls == 4
    assert file.delivery.state is DeliveryState.NEEDS_HUMAN
    assert bench.case(file.delivery.case_id).state is CaseState.ESCALATED


async def test_a_replay_that_surely_failed_stays_unknown_because_the_first_may_have_arrived(
    bench: Bench,
) -> None:
    bench.provider.script = [Act.LOSE_ANSWER, Act.BUSY]
    delivery_id = bench.approved()

    await bench.dispatcher.dispatch(delivery_id)
    answer = await bench.dispatcher.dispatch(delivery_id)

    assert answer.result is Result.UNKNOWN
    assert bench.delivery(delivery_id).delivery.state is DeliveryState.UNKNOWN


class TestLookup:
    @pytest.fixture
    def bench(self, any_store: Store, clock: SimulatedClock) -> Bench:
        return Bench(store=any_store, clock=clock, provider=FakeProvider(kind=Kind.LOOKUP))

    async def test_what_is_found_after_the_lag_counts_as_sent(self, bench: Bench) -> None:
        bench.provider.script = [Act.LOSE_ANSWER]
        delivery_id = bench.approved()
        await bench.dispatcher.dispatch(delivery_id)

        early = await bench.dispatcher.dispatch(delivery_id)
        assert early.next_at == bench.clock() + timedelta(seconds=60)
        assert bench.provider.lookups == 0
        bench.clock.advance(timedelta(seconds=60))

        assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.ACCEPTED
        assert bench.provider.keys() == [delivery_id]

    async def test_what_is_not_found_twice_goes_to_a_person(self, bench: Bench) -> None:
        bench.provider.script = [Act.LOSE_CALL]
        delivery_id = bench.approved()

        while (answer := await bench.dispatcher.dispatch(delivery_id)).next_at is not None:
            bench.clock.set(answer.next_at)

        assert bench.provider.lookups == 2
        assert bench.provider.calls == 1
        assert bench.delivery(delivery_id).delivery.state is DeliveryState.NEEDS_HUMAN


async def test_a_blind_channel_never_sends_again_by_itself(any_store: Store, clock: SimulatedClock) -> None:
    bench = Bench(
        store=any_store, clock=clock, provider=FakeProvider(kind=Kind.BLIND, script=[Act.LOSE_ANSWER])
    )
    delivery_id = bench.approved()

    for _ in range(3):
        await bench.dispatcher.dispatch_due()
        clock.advance(timedelta(minutes=10))

    assert bench.provider.keys() == [delivery_id]
    assert bench.delivery(delivery_id).delivery.state is DeliveryState.NEEDS_HUMAN


@pytest.mark.parametrize("went_out", [True, False])
async def test_a_person_settles_what_nobody_knew(
    any_store: Store, clock: SimulatedClock, went_out: bool
) -> None:
    bench = Bench(
        store=any_store, clock=clock, provider=FakeProvider(kind=Kind.BLIND, script=[Act.LOSE_CALL])
    )
    delivery_id = bench.approved()
    await bench.dispatcher.dispatch_due()
    await bench.dispatcher.dispatch_due()
    assert [file.delivery.id for file in bench.desk.unsettled()] == [delivery_id]

    bench.desk.settle(delivery_id, reviewer="ada", went_out=went_out)

    file = bench.delivery(delivery_id)
    expected = DeliveryState.ACCEPTED if went_out else DeliveryState.CANCELLED
    assert file.delivery.state is expected
    assert bench.case(file.delivery.case_id).state is (CaseState.CONTACTED if went_out else CaseState.NEW)


async def test_a_worker_that_was_paused_too_long_does_not_call(bench: Bench) -> None:
    delivery_id = bench.approved()

    def pause() -> None:
        bench.ticks += 31

    bench.world.while_looking = pause

    assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.NOT_SENT
    assert bench.provider.calls == 0


async def test_a_worker_that_lost_its_lock_does_not_call(bench: Bench) -> None:
    delivery_id = bench.approved()
    bench.owner.release()

    assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.NOT_SENT
    assert bench.provider.calls == 0


async def test_no_more_calls_are_under_way_than_the_channel_allows(bench: Bench) -> None:
    bench.world.candidate = {"sent_last_day": 0, "sent_last_week": 0}
    bench.provider.gate = asyncio.Event()
    for number in range(5):
        bench.approved(f"e{number}")

    sending = asyncio.create_task(bench.dispatcher.dispatch_due())
    while bench.provider.under_way < bench.provider.capability.max_in_flight:
        await asyncio.to_thread(int)
    for _ in range(50):  # time in which a third call would begin
        await asyncio.to_thread(bench.desk.count)
    bench.provider.gate.set()
    await sending

    assert bench.provider.most_at_once == bench.provider.capability.max_in_flight
    assert len(bench.provider.keys()) == 5


async def test_a_repeat_under_the_same_key_does_not_count_against_its_own_cap(bench: Bench) -> None:
    bench.provider.script = [Act.ACCEPT, Act.LOSE_ANSWER]
    first, second = bench.approved("e1"), bench.approved("e2")
    await bench.dispatcher.dispatch(first)
    await bench.dispatcher.dispatch(second)  # the second of two a day, and its answer is lost

    assert (await bench.dispatcher.dispatch(second)).result is Result.ACCEPTED
    assert bench.provider.keys() == [first, second]


async def test_a_failing_database_stops_all_sending(bench: Bench) -> None:
    delivery_id = bench.approved()

    def break_down() -> None:
        event.listen(bench.store.writer, "begin", _no_disk)

    bench.world.while_looking = break_down

    with pytest.raises(StoreError):
        await bench.dispatcher.dispatch(delivery_id)
    event.remove(bench.store.writer, "begin", _no_disk)
    with pytest.raises(StoreError):
        await bench.dispatcher.dispatch(delivery_id)

    assert bench.provider.calls == 0


def _no_disk(_conn: object) -> None:
    raise StoreError("the disk is full")


async def test_nothing_leaves_for_a_case_in_shadow_mode(bench: Bench) -> None:
    delivery_id = bench.approved()
    with bench.store.write() as tx:
        tx.conn.execute(update(CaseFile).values(shadow=True))

    assert (await bench.dispatcher.dispatch(delivery_id)).result is Result.REFUSED
    assert bench.provider.calls == 0


async def test_a_channel_without_a_sender_waits_and_then_runs_out_of_time(bench: Bench) -> None:
    delivery_id = bench.approved()
    with bench.store.write() as tx:
        tx.conn.execute(update(DeliveryRow).values(channel="push"))

    while (answer := await bench.dispatcher.dispatch(delivery_id)).next_at is not None:
        assert answer.result is Result.DEFERRED
        bench.clock.set(answer.next_at)

    file = bench.delivery(delivery_id)
    assert (file.delivery.state, file.state_reason) == (DeliveryState.CANCELLED, "approval_expired")


async def test_a_call_that_is_cancelled_is_unknown_and_not_forgotten(bench: Bench) -> None:
    delivery_id = bench.approved()
    bench.provider.gate = asyncio.Event()
    sending = asyncio.create_task(bench.dispatcher.dispatch(delivery_id))
    while not bench.provider.under_way:
        await asyncio.to_thread(int)

    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    assert bench.delivery(delivery_id).delivery.state is DeliveryState.UNKNOWN


class TestRecovery:
    """Who may take up an attempt that a worker left open."""

    @pytest.fixture
    def left_open(self, bench: Bench) -> DeliveryId:
        delivery_id = bench.approved()
        with bench.store.write() as tx:
            file = bench.delivery(delivery_id)
            at = bench.clock()
            start_attempt(
                tx,
                file,
                provider="fake_key",
                owner="w2",
                at=at,
                deadline=at + bench.pace.window,
                actor=SYSTEM,
            )
            set_delivery_state(
                tx, file, to=DeliveryState.SENDING, reason="", next_at=None, at=at, actor=SYSTEM
            )
        return delivery_id

    async def test_a_living_workers_attempt_is_left_alone(self, bench: Bench, left_open: DeliveryId) -> None:
        assert bench.dispatcher.recover() == 0
        assert bench.delivery(left_open).delivery.state is DeliveryState.SENDING
        again = await bench.dispatcher.dispatch(left_open)
        assert (again.result, again.next_at) == (Result.SKIPPED, bench.clock() + bench.pace.first_wait)

    async def test_a_dead_workers_attempt_is_unknown_and_then_settled(
        self, bench: Bench, left_open: DeliveryId
    ) -> None:
        bench.owner.dead.add("w2")

        assert bench.dispatcher.recover() == 1
        assert bench.dispatcher.recover() == 0
        with bench.store.read() as conn:
            assert list(conn.execute(select(WorkRow.ref)).scalars()) == [left_open]
        assert (await bench.dispatcher.dispatch(left_open)).result is Result.ACCEPTED
        assert bench.provider.keys() == [left_open]

    async def test_where_a_lock_proves_little_the_last_call_must_be_over(
        self, bench: Bench, left_open: DeliveryId
    ) -> None:
        bench.owner.exact = False
        bench.owner.dead.add("w2")

        assert bench.dispatcher.recover() == 0
        bench.clock.advance(bench.pace.window + timedelta(seconds=10))
        assert bench.dispatcher.recover() == 1
        assert bench.delivery(left_open).delivery.state is DeliveryState.UNKNOWN
