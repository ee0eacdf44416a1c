"""Work that kills its worker does not take other work with it; on both databases."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator

import pytest

from agent.clock import SimulatedClock
from agent.store.transaction import Store
from agent.store.work import DONE, Next, WorkItem, WorkStatus
from agent.store.work_claims import MAX_ATTEMPTS, SUSPECT_ATTEMPTS
from tests.work_team import LEASE, Team, ask, kill, look


@pytest.fixture
def team(any_store: Store, clock: SimulatedClock) -> Iterator[Team]:
    team = Team(any_store, clock)
    yield team
    for worker in team.made:
        worker.close()


async def test_a_poison_kills_no_innocent(team: Team, clock: SimulatedClock) -> None:
    innocents = [f"innocent{number}" for number in range(6)]
    ask(team.store, *innocents, "poison")
    deaths = 0
    for _ in range(20):
        died = asyncio.Event()
        worker, engine = team.worker(_until_death(died))
        finished = asyncio.ensure_future(worker.run_until_idle())
        death = asyncio.ensure_future(died.wait())
        await asyncio.wait([finished, death], return_when=asyncio.FIRST_COMPLETED)
        if not died.is_set():
            death.cancel()
            break
        deaths += 1
        finished.cancel()
        await kill(engine, *(look(team.store, ref).claim_id for ref in [*innocents, "poison"]))
        clock.advance(LEASE)

    assert deaths == MAX_ATTEMPTS
    assert look(team.store, "poison").status is WorkStatus.DEAD
    assert {look(team.store, ref).status for ref in innocents} == {WorkStatus.DONE}


def _until_death(died: asyncio.Event) -> Callable[[WorkItem], Awaitable[Next]]:
    """Turns of a process that dies as soon as the poison runs; the others take a little longer than it."""

    async def turn(item: WorkItem) -> Next:
        if item.ref == "poison":
            died.set()
        for _ in range(200):
            await asyncio.sleep(0)
        if died.is_set():
            await asyncio.Event().wait()
        return DONE

    return turn


async def test_a_suspect_waits_until_nothing_runs_and_then_runs_alone(
    team: Team, clock: SimulatedClock
) -> None:
    begun: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
    go: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def turn(item: WorkItem) -> Next:
        begun[item.ref].set()
        await go[item.ref].wait()
        return DONE

    ask(team.store, "suspect")
    for _ in range(SUSPECT_ATTEMPTS):
        clock.advance(LEASE)
        worker, engine = team.worker(turn)
        await worker.dispatch()
        await begun["suspect"].wait()
        begun["suspect"].clear()
        await kill(engine, look(team.store, "suspect").claim_id)
    ask(team.store, "other")
    worker, engine = team.worker(turn)

    assert await worker.dispatch() == 1
    await begun["other"].wait()
    clock.advance(LEASE)
    assert await worker.dispatch() == 0
    go["other"].set()
    await engine.idle()
    ask(team.store, "another")
    assert await worker.dispatch() == 1
    assert await worker.dispatch() == 0
    go["suspect"].set()
    await engine.idle()

    assert look(team.store, "suspect").status is WorkStatus.DONE
    assert look(team.store, "another").status is WorkStatus.READY
