"""One round of the loop: read the sources, sweep, screen. What follows is work for the jobs."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.store.streams import stream_states
from agent.store.transaction import Store
from agent.watch.ingest import Ingest
from agent.watch.screen import Screen
from agent.watch.sweep import Sweep
from tools.errors import ToolError
from tools.ports import Source, StreamSpec

_SCREEN_AT_ONCE = 2_000


@dataclass(slots=True)
class Round:
    """What one round did."""

    read: int = 0
    stored: int = 0
    rejected: int = 0
    missed: int = 0
    """Records that only reconciliation found."""
    evaluated: int = 0
    opened: int = 0
    resolved: int = 0
    screened: int = 0
    survivors: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(kind of decision, reason) of what the screen settled."""
    failures: list[str] = field(default_factory=list[str])
    """Sources that did not answer; their cursors stand where they were."""

    def add(self, other: "Round") -> None:
        """Add another round's numbers."""
        for name in (
            "read",
            "stored",
            "rejected",
            "missed",
            "evaluated",
            "opened",
            "resolved",
            "screened",
            "survivors",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons += other.reasons
        self.failures += other.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Runs rounds; the database work happens in threads, so that the event loop stays free."""

    store: Store
    sources: Sequence[Source]
    ingest: Ingest
    sweep: Sweep
    screen: Screen

    async def run(self, *, now: datetime) -> Round:
        """Read, sweep and screen once; a source that fails does not stop the others."""
        done = Round()
        for source in self.sources:
            await self._read(source, done, now=now)
        swept = await asyncio.to_thread(self.sweep.run, now=now)
        done.evaluated, done.opened, done.resolved = swept.evaluated, swept.opened, swept.resolved
        while True:
            screened = await asyncio.to_thread(self.screen.run, now=now, limit=_SCREEN_AT_ONCE)
            done.screened += screened.cases
            done.survivors += screened.survivors
            done.reasons += screened.reasons
            if screened.cases < _SCREEN_AT_ONCE:
                break
        await asyncio.to_thread(self.store.seal_pending)
        return done

    async def _read(self, source: Source, done: Round, *, now: datetime) -> None:
        for stream in source.streams():
            try:
                pulled = await asyncio.to_thread(self.ingest.pull, source, stream, now=now)
                done.read += pulled.read
                done.stored += pulled.stored
                done.rejected += pulled.rejected
                if await asyncio.to_thread(self._reconcile_due, source, stream, now):
                    again = await asyncio.to_thread(self.ingest.reconcile, source, stream, now=now)
                    done.missed += again.missed
            except ToolError as exc:
                done.failures.append(str(exc))

    def _reconcile_due(self, source: Source, stream: StreamSpec, now: datetime) -> bool:
        if stream.reconcile_every_seconds is None:
            return False
        with self.store.read() as conn:
            state = stream_states(conn, source.name).get(stream.name)
        if state is None:
            return False
        every = timedelta(seconds=stream.reconcile_every_seconds)
        return state.reconciled_at is None or now >= state.reconciled_at + every
