"""The dispatcher sends what was approved, once, and each answer of a provider has its consequence."""

from datetime import timedelta

import pytest

from agent.clock import SimulatedClock
from agent.dispatch.ports import Result
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryState
from agent.store.attempts import AttemptState, attempts_of
from agent.store.transaction import Store
from tests.providers import Act, FakeProvider, Kind
from tests.sending_bench import Bench


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
    bench.provider.meet = bench.provider.capability.max_in_flight
    for number in range(5):
        bench.approved(f"e{number}")

    await bench.dispatcher.dispatch_due()

    assert bench.provider.most_at_once == bench.provider.capability.max_in_flight
    assert len(bench.provider.keys()) == 5
