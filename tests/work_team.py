"""Workers over one store, for tests of the work table and its workers."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from agent.clock import SimulatedClock
from agent.daemon.jobs import LocalEngine
from agent.daemon.worker import Timing, Worker, WorkKind
from agent.store.transaction import Store, Tx
from agent.store.work import Next, WorkItem, enqueue, get_work
from tests.conftest import START

LEASE = timedelta(seconds=60)
QUICK = Timing(lease=LEASE, poll=timedelta(milliseconds=1), beat=timedelta(milliseconds=1))


def ask(store: Store, *refs: str) -> None:
    with store.write() as tx:
        for ref in refs:
            enqueue(tx, key=f"send:{ref}", kind="send", ref=ref, at=START)


def look(store: Store, ref: str) -> WorkItem:
    with store.read() as conn:
        item = get_work(conn, f"send:{ref}")
    assert item is not None
    return item


class Team:
    """Makes workers over one store and ends their threads."""

    def __init__(self, store: Store, clock: SimulatedClock) -> None:
        self.store = store
        self.clock = clock
        self.made: list[Worker] = []

    def worker(
        self,
        run: Callable[[WorkItem], Awaitable[Next | None]],
        *,
        capacity: int = 10,
        give_up: Callable[[Tx, WorkItem], None] | None = None,
        timeout: timedelta = timedelta(seconds=90),
        timing: Timing = QUICK,
        engine: LocalEngine | None = None,
    ) -> tuple[Worker, LocalEngine]:
        engine = engine or LocalEngine(me=f"w{len(self.made)}", capacity=capacity)
        kind = WorkKind(run=run, give_up=give_up, timeout=timeout)
        worker = Worker(
            store=self.store, engine=engine, kinds={"send": kind}, clock=self.clock, timing=timing
        )
        self.made.append(worker)
        return worker, engine


async def kill(engine: LocalEngine, *items: str) -> None:
    """End a worker's tasks as SIGKILL would: nothing more is written."""
    engine.cancel([*items])
    await engine.idle()
