"""What commits first counts: opt-outs and kill switches against intents, under real concurrency."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from agent.clock import SimulatedClock
from agent.dispatch.ports import Dispatched, Result
from agent.domain.drafts import DeliveryState
from agent.ids import Ids
from agent.store.kill_switch import KillScope, set_kill_switch
from agent.store.suppressions import suppress
from agent.store.tables.ledger import AuditEventRow
from agent.store.transaction import Store
from tests.conftest import make_store
from tests.sending_bench import ADDRESS, SYSTEM, Bench
from tools.records.vocabulary import ChannelKind


@pytest.fixture
def server(postgres_url: str, ids: Ids) -> Iterator[Store]:
    store = make_store(postgres_url, ids)
    yield store
    store.writer.dispose()
    store.reader.dispose()


@pytest.fixture
def bench(server: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=server, clock=clock)


async def until_somebody_waits(store: Store) -> None:
    """Return when a session waits for a lock by name that another holds."""
    for _ in range(500):
        with store.reader.connect() as connection:
            waiting = connection.execute(
                text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            ).scalar_one()
        if waiting:
            return
        await asyncio.to_thread(time.sleep, 0.01)
    raise TimeoutError("nobody waits")


@pytest.mark.postgres
async def test_an_intent_waits_for_an_opt_out_that_is_being_written(bench: Bench) -> None:
    with bench.store.write() as tx:
        suppress(
            tx,
            keyring=bench.store.keyring,
            channel=ChannelKind.EMAIL,
            address=ADDRESS,
            purpose="all",
            source="reply:stop",
            at=bench.clock(),
            actor=SYSTEM,
        )
        delivery_id = await asyncio.to_thread(bench.approved)  # too late for the opt-out to see it
        sending: asyncio.Task[Dispatched] = asyncio.create_task(bench.dispatcher.dispatch(delivery_id))
        await until_somebody_waits(bench.store)

    assert (await sending).result is Result.REFUSED
    assert bench.provider.calls == 0
    assert bench.delivery(delivery_id).delivery.state is DeliveryState.SUPPRESSED


@pytest.mark.postgres
async def test_an_intent_waits_for_a_kill_switch_that_is_being_written(bench: Bench) -> None:
    delivery_id = bench.approved()
    with bench.store.write() as tx:
        set_kill_switch(tx, scope=KillScope.GLOBAL, key="", reason="drill", operator="op", at=bench.clock())
        sending: asyncio.Task[Dispatched] = asyncio.create_task(bench.dispatcher.dispatch(delivery_id))
        await until_somebody_waits(bench.store)

    assert (await sending).result is Result.DEFERRED
    assert bench.provider.calls == 0


@pytest.mark.postgres
async def test_two_workers_count_one_customers_messages_one_after_the_other(bench: Bench) -> None:
    queued = [bench.approved(f"e{number}") for number in range(6)]
    others = [bench.new_dispatcher(bench.owner) for _ in range(3)]

    await asyncio.gather(
        *(others[place % 3].dispatch(delivery_id) for place, delivery_id in enumerate(queued))
    )

    assert len(bench.provider.keys()) == 2  # the cap of a day


async def test_every_step_of_a_send_is_in_the_audit_log(any_store: Store, clock: SimulatedClock) -> None:
    bench = Bench(store=any_store, clock=clock)
    bench.approved()
    with any_store.read() as conn:
        before = len(conn.execute(select(AuditEventRow.id)).all())

    await bench.dispatcher.dispatch_due()

    with any_store.read() as conn:
        types = conn.execute(select(AuditEventRow.type).order_by(col(AuditEventRow.id))).scalars()
        assert list(types)[before:] == [
            "attempt.started",
            "delivery.sending",
            "attempt.accepted",
            "delivery.accepted",
            "case.contacted",
        ]
