"""A worker process that is killed at a chosen event, and the provider whose journal is the judge."""

import asyncio
import os
import signal
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, event, func
from sqlmodel import col, select

from agent.clock import SimulatedClock
from agent.dispatch.owners import FileOwner, PostgresOwner, new_owner_id
from agent.dispatch.ports import Owner
from agent.ids import Ids
from agent.store.tables.sending import AttemptRow, DeliveryRow
from agent.store.transaction import Store
from tests.conftest import START, make_store
from tests.providers import Act, FakeProvider, Kind
from tests.sending_bench import Bench, World

WAITING = ("queued", "unknown")
_MOST_ROUNDS = 60


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One setting in which workers are killed."""

    url: str
    folder: Path
    """For lock files and the provider's journal."""
    kind: Kind
    acts: Mapping[int, tuple[Act, ...]]
    """How the first calls of the workers are answered, by generation; all others are accepted."""

    @property
    def journal(self) -> Path:
        return self.folder / "accepted"


class Failpoint:
    """Counts what a worker does to the outside and to the disk, and kills it at one of these events."""

    def __init__(self, kill_at: int | None) -> None:
        self._kill_at = kill_at
        self.passed = 0

    def __call__(self, *_arguments: object) -> None:
        self.passed += 1
        if self.passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, engine: Engine) -> None:
        """Count the begin of every write, the moment before its commit, and the moment after."""
        for name in ("begin", "commit", "checkin"):
            event.listen(engine, name, self)


def bench_for(trial: Trial, *, generation: int = 0) -> Bench:
    """A bench on a trial's database, as a process that starts some minutes after the last one has it."""
    store = make_store(trial.url, Ids())
    clock = SimulatedClock(START + generation * timedelta(minutes=10))
    provider = FakeProvider(kind=trial.kind, journal=trial.journal)
    provider.script = [*trial.acts.get(generation, ())]
    world = World(candidate={"sent_last_day": 0, "sent_last_week": 0})
    return Bench(store=store, clock=clock, provider=provider, world=world)


def run_worker(
    trial: Trial, *, generation: int, kill_at: int | None = None, kill_after: float | None = None
) -> bool:
    """Let a worker send all there is; return whether it was killed at the chosen event or moment."""
    return wait_for(start_worker(trial, generation=generation, kill_at=kill_at, kill_after=kill_after))


def start_worker(
    trial: Trial, *, generation: int, kill_at: int | None = None, kill_after: float | None = None
) -> int:
    """Fork a worker and return its process id.

    Args:
        trial: The setting.
        generation: How many workers came before; each starts ten minutes after the last one.
        kill_at: The event at which it is killed.
        kill_after: Seconds of its own CPU time after which it is killed, wherever it is.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if kill_after is not None:  # nobody catches SIGPROF, so it ends the process as SIGKILL does
                signal.setitimer(signal.ITIMER_PROF, kill_after)
            _work(trial, generation=generation, kill_at=kill_at)
            code = 0
        except BaseException:  # noqa: BLE001  # the parent must hear of everything
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def wait_for(child: int) -> bool:
    """Wait for a worker's end; return whether it was killed."""
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGPROF)
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the worker failed; its traceback is above"
    return False


def _work(trial: Trial, *, generation: int, kill_at: int | None) -> None:
    bench = bench_for(trial, generation=generation)
    failpoint = Failpoint(kill_at)
    bench.provider.failpoint = failpoint
    failpoint.watch(bench.store.writer)
    name = new_owner_id(os.urandom(6))
    owner: Owner
    if bench.store.is_sqlite:
        owner = FileOwner(trial.folder / "workers", owner_id=name)
    else:  # on an engine of its own, so that its connection is none of the counted ones
        owner = PostgresOwner(make_store(trial.url, Ids()).reader, owner_id=name)
    owner.hold()
    _wait_for_the_dead(bench.store, owner)
    asyncio.run(_drain(bench, owner))


def _wait_for_the_dead(store: Store, owner: Owner) -> None:
    """Wait until the lock of a killed worker is free: a server needs a moment to see that it is gone."""
    with store.read() as conn:
        names = set(
            conn.execute(select(AttemptRow.owner).where(col(AttemptRow.state) == "started")).scalars()
        )
    for _ in range(500):
        if all(owner.is_dead(name) for name in names):
            return
        time.sleep(0.01)
    raise TimeoutError("the lock of a killed worker is still held")


async def _drain(bench: Bench, owner: Owner) -> None:
    dispatcher = bench.new_dispatcher(owner)
    dispatcher.recover()
    for _ in range(_MOST_ROUNDS):
        await dispatcher.dispatch_due()
        with bench.store.read() as conn:
            due = conn.execute(
                select(func.min(col(DeliveryRow.next_at))).where(col(DeliveryRow.state).in_(WAITING))
            ).scalar_one()
        if due is None:
            return
        bench.clock.set(max(due, bench.clock()))
    raise TimeoutError("the queue does not become empty")
