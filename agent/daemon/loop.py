"""The daemon: rounds at a steady pace beside a worker that never waits for them, and an orderly end."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from agent.clock import Clock
from agent.daemon.rounds import Round, Rounds
from agent.daemon.worker import Worker
from agent.dispatch.ports import Owner
from agent.review_desk.desk import ReviewDesk
from agent.store.database import free_bytes
from agent.store.transaction import Store

_LOW_DISK: Final = 512 * 1024 * 1024
_log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

Tick = Callable[[], datetime]
"""Returns the instant of the next round; a simulated company moves its clock here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """Runs the loop on one machine; several machines run one each on PostgreSQL."""

    store: Store
    database_url: str
    rounds: Rounds
    worker: Worker
    desk: ReviewDesk
    owner: Owner
    recover: Callable[[], int]
    """Resolves attempts of workers that are dead; returns how many."""
    clock: Clock
    every: timedelta

    async def once(self) -> Round:
        """Recover, run one round and everything that it makes due, and return what it did."""
        if not self.owner.still_held():
            self.owner.hold()
        await self._recover()
        done = await self._round(self.clock())
        await self.worker.run_until_idle()
        await asyncio.to_thread(self.store.seal_pending)
        return done

    async def serve(self, *, tick: Tick | None = None) -> None:
        """Run until SIGTERM or SIGINT; a second signal ends at once, which is safe by protocol.

        Nothing new is claimed after the signal; what is under way ends; the rest is given back.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, stop, number)
        self.owner.hold()
        recovered = await self._recover()
        _log.info("daemon.started", recovered=recovered, every_seconds=self.every.total_seconds())
        async with asyncio.TaskGroup() as group:
            group.create_task(self.worker.serve())
            try:
                await self._pace(stop, tick or self.clock)
            finally:
                self.worker.request_stop()
        await asyncio.to_thread(self.store.seal_pending)
        _log.info("daemon.stopped")

    async def _recover(self) -> int:
        if self.owner.exact:  # otherwise a worker may only be cut off, and its leases end by themselves
            await self.worker.take_over(self.owner.is_dead)
        return await asyncio.to_thread(self.recover)

    def _end(self, stop: asyncio.Event, number: int) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        _log.info("daemon.stopping", signal=signal.Signals(number).name)
        stop.set()

    async def _pace(self, stop: asyncio.Event, tick: Tick) -> None:
        while not stop.is_set():
            done = await self._round(tick())
            if done.survivors:
                self.worker.nudge()
            try:
                async with asyncio.timeout(self.every.total_seconds()):
                    await stop.wait()
            except TimeoutError:
                continue

    async def _round(self, now: datetime) -> Round:
        free = free_bytes(self.database_url)
        if free is not None and free < _LOW_DISK:
            _log.error("disk.low", free_bytes=free, needed_bytes=_LOW_DISK)
        done = await self.rounds.run(now=now)
        expired = await asyncio.to_thread(self.desk.expire)
        _log.info(
            "round.finished",
            read=done.read,
            stored=done.stored,
            quarantined=done.rejected,
            missed=done.missed,
            evaluated=done.evaluated,
            opened=done.opened,
            resolved=done.resolved,
            screened=done.screened,
            survivors=done.survivors,
            drafts_expired=expired,
        )
        for failure in done.failures:
            _log.warning("source.failed", problem=failure)
        return done
