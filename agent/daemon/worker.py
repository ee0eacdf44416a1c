"""The worker: claims due work, runs its turns, keeps their leases, and leaves nothing half-done."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from agent.clock import Clock
from agent.daemon.jobs import Engine
from agent.errors import LeaseLostError
from agent.log import get_log, without_personal_data
from agent.store.transaction import Store, Tx
from agent.store.work import Next, WorkItem, WorkStatus
from agent.store.work_claims import (
    MAX_ATTEMPTS,
    anything_due,
    beat,
    begin,
    bury,
    claim,
    doomed,
    end,
    expire_leases,
    fail,
    give_back,
    owners_in_hand,
    suspects_due,
)

ENDED: Final = None
"""What a turn returns that has called `work_claims.end` in its own transaction."""

_ERROR_LENGTH: Final = 300
_log: Final = get_log(__name__)

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkKind:
    """How one kind of work is done."""

    run: Callable[[WorkItem], Awaitable[Next | None]]
    """One turn. Returns what follows, or `ENDED` if it ended the turn in its own transaction."""
    give_up: Callable[[Tx, WorkItem], None] | None = None
    """Called in the transaction that gives an item up, so that a person gets what it was about."""
    timeout: timedelta = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a worker waits for what."""

    lease: timedelta = timedelta(seconds=60)
    """A worker that is silent for so long has lost its work."""
    beat: timedelta = timedelta(seconds=20)
    poll: timedelta = timedelta(seconds=1)
    """Most time between an item being due and being claimed by an idle worker."""
    retry: timedelta = timedelta(seconds=5)
    """Wait after the first clean failure; doubles with each further one."""
    grace: timedelta = timedelta(seconds=30)
    """For turns under way when the worker is told to stop."""


class Worker:
    """One worker of a database; several may run, on SQLite within one machine."""

    def __init__(
        self,
        *,
        store: Store,
        engine: Engine,
        kinds: Mapping[str, WorkKind],
        clock: Clock,
        timing: Timing | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._kinds = dict(kinds)
        self._clock = clock
        self._timing = timing or Timing()
        self._claimed: dict[str, WorkItem] = {}
        """By claim: handed to the engine and not ended."""
        self._running: dict[str, WorkItem] = {}
        """By claim: begun and not ended."""
        self._wake = asyncio.Event()
        self._stopping = False
        # threads of its own: turns that block the others must not keep a lease from being renewed
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="work")
        engine.register(self._run)

    def request_stop(self) -> None:
        """Ask `serve` to end: nothing new is claimed from now on."""
        self._stopping = True
        self._wake.set()

    def nudge(self) -> None:
        """Look for due work now instead of at the next poll."""
        self._wake.set()

    async def take_over(self, is_dead: Callable[[str], bool]) -> int:
        """Make due what provably dead workers left in hand, instead of when its lease expires.

        Args:
            is_dead: Whether a worker has ended; must be certain.
        """
        return await self._in_thread(lambda: self._take_over(is_dead))

    async def serve(self) -> None:
        """Work until `request_stop`, then let turns finish and give the rest back."""
        finished = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_beating(finished))
            try:
                while not self._stopping:
                    self._wake.clear()
                    if not await self._try(self.dispatch, "work.claim_failed"):
                        await _wait(self._wake, self._timing.poll)
                await self.drain()
            finally:
                finished.set()

    async def run_until_idle(self) -> int:
        """Run turns until nothing is due at the clock's instant; return how many were claimed."""
        turns = 0
        while claimed := await self.dispatch():
            turns += claimed
            await self._engine.idle()
        return turns

    async def dispatch(self) -> int:
        """Claim what is due and there is room for, and begin it; return how many."""
        starts = await self._in_thread(self._claim)
        for item, start in starts:
            self._claimed[item.claim_id] = item
            start()
        return len(starts)

    async def beat(self) -> None:
        """Extend the leases of the turns under way; interrupt those that another worker has taken over."""
        running = dict(self._running)  # before the query: what begins meanwhile is not lost
        if not running:
            return
        tokens = {item.key: item.token for item in running.values()}
        gone = await self._in_thread(lambda: self._beat(tokens))
        lost = [
            claim_id for claim_id, item in running.items() if item.key in gone and claim_id in self._running
        ]
        for claim_id in lost:
            _log.warning("work.lost", key=running[claim_id].key)
            self._forget(running[claim_id])
        self._engine.cancel(lost)

    async def drain(self) -> None:
        """Let turns under way finish within the grace period and give everything else back."""
        await self._engine.stop(self._timing.grace)
        left = {item.key: item.token for item in self._claimed.values()}
        if left:
            given = await self._in_thread(lambda: self._give_back(left))
            _log.info("work.given_back", number=given)
        self._claimed.clear()

    def close(self) -> None:
        """End the worker's threads."""
        self._threads.shutdown()

    async def _keep_beating(self, finished: asyncio.Event) -> None:
        while not finished.is_set():
            await _wait(finished, self._timing.beat)
            await self._try(self.beat, "work.beat_failed")

    async def _run(self, claimed: WorkItem) -> None:
        item: WorkItem | None = claimed
        if claimed.status is not WorkStatus.RUNNING:
            item = await self._try(lambda: self._in_thread(lambda: self._begin(claimed)), "work.begin_failed")
        if item is None:  # stale: somebody else has it, or will have it when the lease expires
            self._forget(claimed)
            return
        self._running[item.claim_id] = item
        try:
            await self._turn(item)
        except LeaseLostError:
            _log.warning("work.lost", key=item.key)
        except Exception as exc:  # noqa: BLE001  # whatever a turn raises, the item gets its next try
            _log.warning("work.failed", key=item.key, attempt=item.attempts, exc_info=exc)
            error = without_personal_data(f"{type(exc).__name__}: {exc}")[:_ERROR_LENGTH]
            await self._try(lambda: self._in_thread(lambda: self._fail(item, error)), "work.failure_lost")
        finally:
            self._running.pop(item.claim_id, None)  # `_claimed` keeps a cancelled one, to be given back
        self._forget(item)

    async def _turn(self, item: WorkItem) -> None:
        kind = self._kinds[item.kind]
        async with asyncio.timeout(kind.timeout.total_seconds()):
            following = await kind.run(item)
        if following is not None:
            await self._in_thread(lambda: self._end(item, following))

    def _forget(self, item: WorkItem) -> None:
        self._running.pop(item.claim_id, None)
        self._claimed.pop(item.claim_id, None)
        self._wake.set()  # there is room again

    async def _try(self, action: Callable[[], Awaitable[ResultT]], event: str) -> ResultT | None:
        """Return what the action returns; None when it fails, for the database may be away for a while."""
        try:
            return await action()
        except Exception as exc:  # noqa: BLE001  # the daemon outlives a database that restarts
            _log.error(event, exc_info=exc)
            return None

    async def _in_thread(self, action: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._threads, action)

    # what follows runs in the worker's threads

    def _claim(self) -> list[tuple[WorkItem, Callable[[], None]]]:
        now, room = self._clock(), self._engine.room()
        with self._store.read() as conn:
            if not anything_due(conn, now=now, kinds=self._kinds):
                return []
            hopeless = doomed(conn, now=now, kinds=self._kinds)
            suspects = suspects_due(conn, now=now, kinds=self._kinds)
        for item in hopeless:
            self._bury(item)
        if suspects:  # first let what is in hand finish: a suspect may take the process with it
            room = 1 if self._engine.alone() else 0
        if room < 1:
            return []
        with self._store.write() as tx:
            items = claim(
                tx,
                now=now,
                limit=room,
                kinds=self._kinds,
                owner=self._engine.me,
                lease=self._timing.lease,
                suspects=suspects,
                begun=self._engine.begins_at_once,
            )
            return [(item, self._engine.submit(tx, item, suspect=suspects)) for item in items]

    def _begin(self, claimed: WorkItem) -> WorkItem | None:
        with self._store.write() as tx:
            return begin(
                tx,
                key=claimed.key,
                token=claimed.token,
                now=self._clock(),
                owner=self._engine.me,
                lease=self._timing.lease,
            )

    def _end(self, item: WorkItem, following: Next) -> None:
        with self._store.write() as tx:
            end(tx, item, following)

    def _fail(self, item: WorkItem, error: str) -> None:
        now = self._clock()
        wait = (
            timedelta(0) if item.attempts >= MAX_ATTEMPTS else self._timing.retry * 2 ** (item.attempts - 1)
        )
        with self._store.write() as tx:
            fail(tx, item, retry_at=now + wait, error=error)

    def _bury(self, item: WorkItem) -> None:
        kind = self._kinds[item.kind]
        try:
            with self._store.write() as tx:
                if not bury(tx, item):
                    return
                if kind.give_up:
                    kind.give_up(tx, item)
        except Exception as exc:  # noqa: BLE001  # giving up must not keep the other work from running
            with self._store.write() as tx:
                bury(tx, item, error=f"giving up failed: {type(exc).__name__}")
            _log.error("work.give_up_failed", key=item.key, exc_info=exc)
        _log.error("work.given_up", key=item.key, error=item.error)

    def _beat(self, tokens: Mapping[str, int]) -> set[str]:
        with self._store.write() as tx:
            return beat(tx, tokens, now=self._clock(), lease=self._timing.lease)

    def _give_back(self, tokens: Mapping[str, int]) -> int:
        with self._store.write() as tx:
            return give_back(tx, tokens, now=self._clock())

    def _take_over(self, is_dead: Callable[[str], bool]) -> int:
        with self._store.read() as conn:
            dead = [owner for owner in owners_in_hand(conn) if is_dead(owner)]
        if not dead:
            return 0
        with self._store.write() as tx:
            taken = expire_leases(tx, now=self._clock(), owners=dead)
        _log.info("work.taken_over", number=taken)
        return taken


async def _wait(event: asyncio.Event, at_most: timedelta) -> None:
    try:
        async with asyncio.timeout(at_most.total_seconds()):
            await event.wait()
    except TimeoutError:
        return
