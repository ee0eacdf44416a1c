"""Workers run each turn once, survive each other's death, and end in order; on both databases."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.clock import SimulatedClock
from agent.daemon.worker import ENDED, Timing
from agent.store.tables.base import Meta
from agent.store.transaction import Store, Tx, count, insert_new
from agent.store.work import DONE, Next, WorkItem, WorkStatus, again, count_work
from agent.store.work_claims import MAX_ATTEMPTS, end
from tests.conftest import START
from tests.work_team import LEASE, Team, ask, kill, look


@pytest.fixture
def team(any_store: Store, clock: SimulatedClock) -> Iterator[Team]:
    team = Team(any_store, clock)
    yield team
    for worker in team.made:
        worker.close()


async def test_two_workers_begin_each_turn_once(team: Team) -> None:
    begun: list[str] = []

    async def turn(item: WorkItem) -> Next:
        begun.append(item.ref)
        await asyncio.sleep(0)
        return DONE

    refs = [f"{number:02}" for number in range(30)]
    ask(team.store, *refs)
    workers = [team.worker(turn, capacity=3)[0] for _ in range(2)]

    claimed = await asyncio.gather(*(worker.run_until_idle() for worker in workers))

    assert sorted(begun) == refs
    assert sum(claimed) == len(refs)
    assert min(claimed) > 0
    with team.store.read() as conn:
        assert count_work(conn) == {("send", WorkStatus.DONE): len(refs)}


async def test_a_dead_workers_turn_is_taken_over_when_its_lease_ends(
    team: Team, clock: SimulatedClock
) -> None:
    begun = asyncio.Event()

    async def hang(_item: WorkItem) -> Next:
        begun.set()
        await asyncio.Event().wait()
        return DONE

    async def finish(_item: WorkItem) -> Next:
        return DONE

    ask(team.store, "1")
    first, engine = team.worker(hang)
    second, _ = team.worker(finish)
    await first.dispatch()
    await begun.wait()
    await kill(engine, look(team.store, "1").claim_id)

    assert await second.run_until_idle() == 0
    clock.advance(LEASE)
    assert await second.run_until_idle() == 1

    assert look(team.store, "1").status is WorkStatus.DONE


async def test_a_turn_that_was_taken_over_is_interrupted_and_writes_nothing(
    team: Team, clock: SimulatedClock
) -> None:
    begun, interrupted = asyncio.Event(), asyncio.Event()

    async def slow(_item: WorkItem) -> Next:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            interrupted.set()
            raise
        return DONE

    async def finish(_item: WorkItem) -> Next:
        return again(clock() + timedelta(hours=1))

    ask(team.store, "1")
    frozen, engine = team.worker(slow)
    await frozen.dispatch()
    await begun.wait()
    clock.advance(LEASE)
    await team.worker(finish)[0].run_until_idle()

    await frozen.beat()
    async with asyncio.timeout(10):
        await engine.idle()

    assert interrupted.is_set()
    assert look(team.store, "1").next_at == clock() + timedelta(hours=1)


async def test_a_turn_that_lost_its_lease_rolls_its_own_transaction_back(
    team: Team, clock: SimulatedClock
) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def late(item: WorkItem) -> Next | None:
        begun.set()
        await go.wait()
        with team.store.write() as tx:
            insert_new(tx.conn, Meta, [{"key": "late", "value": "x"}])
            end(tx, item, DONE)
        return ENDED

    async def finish(_item: WorkItem) -> Next:
        return DONE

    ask(team.store, "1")
    frozen, engine = team.worker(late)
    await frozen.dispatch()
    await begun.wait()
    clock.advance(LEASE)
    await team.worker(finish)[0].run_until_idle()

    go.set()
    await engine.idle()

    with team.store.read() as conn:
        assert count(conn, Meta) == 1  # the schema version alone
    assert look(team.store, "1").turn == 1


async def test_a_beat_keeps_a_long_turn(team: Team, clock: SimulatedClock) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def long(_item: WorkItem) -> Next:
        begun.set()
        await go.wait()
        return DONE

    ask(team.store, "1")
    worker, engine = team.worker(long)
    await worker.dispatch()
    await begun.wait()
    clock.advance(LEASE / 2)
    await worker.beat()
    clock.advance(LEASE / 2)

    assert await team.worker(long)[0].dispatch() == 0
    go.set()
    await engine.idle()

    assert look(team.store, "1").status is WorkStatus.DONE


async def test_a_turn_that_ends_itself_is_not_ended_again(team: Team) -> None:
    async def turn(item: WorkItem) -> Next | None:
        with team.store.write() as tx:
            end(tx, item, DONE)
        return ENDED

    ask(team.store, "1")
    await team.worker(turn)[0].run_until_idle()

    assert (look(team.store, "1").status, look(team.store, "1").turn) == (WorkStatus.DONE, 1)


async def test_a_failing_turn_waits_longer_each_time_and_is_given_up_with_its_consequence(
    team: Team, clock: SimulatedClock
) -> None:
    async def turn(_item: WorkItem) -> Next:
        raise ValueError("no such thing for ada@example.org")

    def give_up(tx: Tx, item: WorkItem) -> None:
        insert_new(tx.conn, Meta, [{"key": "given up", "value": item.error}])

    ask(team.store, "1")
    worker, _ = team.worker(turn, give_up=give_up)
    waits: list[float] = []
    for _ in range(MAX_ATTEMPTS):
        assert await worker.run_until_idle() == 1
        due = look(team.store, "1").next_at
        assert due is not None or look(team.store, "1").status is WorkStatus.DEAD
        waits.append((due - clock()).total_seconds() if due else 0)
        clock.advance(timedelta(hours=1))
    await worker.run_until_idle()

    assert waits[: MAX_ATTEMPTS - 1] == [5, 10, 20, 40]
    item = look(team.store, "1")
    assert (item.status, item.error) == (WorkStatus.DEAD, "ValueError: no such thing for [hidden]")
    with team.store.read() as conn:
        assert count(conn, Meta) == 2


async def test_a_give_up_that_fails_does_not_stop_the_others(team: Team, clock: SimulatedClock) -> None:
    async def turn(item: WorkItem) -> Next:
        if item.ref == "bad":
            raise ValueError
        return DONE

    def give_up(tx: Tx, item: WorkItem) -> None:
        insert_new(tx.conn, Meta, [{"key": "half", "value": item.key}])
        raise ZeroDivisionError

    ask(team.store, "bad")
    worker, _ = team.worker(turn, give_up=give_up)
    for _ in range(MAX_ATTEMPTS + 1):
        await worker.run_until_idle()
        clock.advance(timedelta(hours=1))
    ask(team.store, "good")
    await worker.run_until_idle()

    assert look(team.store, "good").status is WorkStatus.DONE
    assert look(team.store, "bad").error == "giving up failed: ZeroDivisionError"
    with team.store.read() as conn:
        assert count(conn, Meta) == 1


async def test_a_turn_that_takes_too_long_has_failed(team: Team) -> None:
    async def turn(_item: WorkItem) -> Next:
        await asyncio.Event().wait()
        return DONE

    ask(team.store, "1")
    await team.worker(turn, timeout=timedelta(milliseconds=1))[0].run_until_idle()

    assert look(team.store, "1").error.startswith("TimeoutError")


async def test_drain_gives_back_what_does_not_finish(team: Team) -> None:
    begun = asyncio.Event()

    async def turn(_item: WorkItem) -> Next:
        begun.set()
        await asyncio.Event().wait()
        return DONE

    ask(team.store, "1")
    worker, _ = team.worker(turn, timing=Timing(grace=timedelta(0)))
    await worker.dispatch()
    await begun.wait()

    await worker.drain()

    item = look(team.store, "1")
    assert (item.status, item.next_at, item.attempts) == (WorkStatus.READY, START, 0)


async def test_serving_works_until_told_to_stop(team: Team) -> None:
    done: list[str] = []

    async def turn(item: WorkItem) -> Next:
        done.append(item.ref)
        if len(done) == 5:
            worker.request_stop()
        return DONE

    worker, _ = team.worker(turn, capacity=2)
    ask(team.store, *"12345")

    await worker.serve()

    assert sorted(done) == list("12345")
    with team.store.read() as conn:
        assert count_work(conn) == {("send", WorkStatus.DONE): 5}


async def test_what_a_dead_worker_left_is_taken_over_at_once(team: Team) -> None:
    begun = asyncio.Event()

    async def hang(_item: WorkItem) -> Next:
        begun.set()
        await asyncio.Event().wait()
        return DONE

    async def finish(_item: WorkItem) -> Next:
        second.request_stop()
        return DONE

    ask(team.store, "1")
    first, engine = team.worker(hang)
    second, _ = team.worker(finish)
    await first.dispatch()
    await begun.wait()
    await kill(engine, look(team.store, "1").claim_id)

    assert await second.take_over(lambda _owner: False) == 0
    assert await second.take_over(lambda owner: owner == engine.me) == 1
    await second.serve()

    assert look(team.store, "1").status is WorkStatus.DONE
