"""The engine port: what hands claimed work to running code, and the embedded engine that does so in-process.

The engine only distributes wake-ups. Truth is the work table, so a wake-up that comes twice, late or never
is harmless, and an engine of several machines can take this one's place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import Protocol

from agent.store.transaction import Tx
from agent.store.work import WorkItem

Run = Callable[[WorkItem], Awaitable[None]]
"""Runs one claimed item; raises nothing but cancellation."""


class Engine(Protocol):
    """Distributes claimed work; the dispatcher submits inside the transaction that claims."""

    @property
    def me(self) -> str:
        """This worker's name, unique per start of a process."""
        ...

    @property
    def begins_at_once(self) -> bool:
        """Whether what is submitted begins in this process as soon as the claim has committed."""
        ...

    def register(self, run: Run) -> None:
        """Set what runs an item; once, before the first submission."""
        ...

    def room(self) -> int:
        """Return how many items may be claimed now."""
        ...

    def alone(self) -> bool:
        """Return whether an item that may kill its worker would harm nothing else now."""
        ...

    def submit(self, tx: Tx, item: WorkItem, *, suspect: bool) -> Callable[[], None]:
        """Take an item and return what to call once the transaction has committed.

        Args:
            tx: The transaction that claimed it; an engine with a queue of its own writes to it here.
            item: The item; `claim_id` is the idempotent key.
            suspect: It may kill its worker, so nothing else may run beside it.
        """
        ...

    def cancel(self, claim_ids: Collection[str]) -> None:
        """Interrupt the runs of claims that were lost, as far as they run here."""
        ...

    async def idle(self) -> None:
        """Wait until nothing that was submitted here is under way."""
        ...

    async def stop(self, grace: timedelta) -> None:
        """Wait for what is under way, at most for the grace period, and cancel the rest."""
        ...


class LocalEngine:
    """Runs items as tasks of the running event loop, at most `capacity` at once."""

    def __init__(self, *, me: str, capacity: int) -> None:
        self._me = me
        self._capacity = capacity
        self._run: Run | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._suspect = ""

    @property
    def me(self) -> str:
        """The name given."""
        return self._me

    @property
    def begins_at_once(self) -> bool:
        """There is no queue between the claim and the task."""
        return True

    def register(self, run: Run) -> None:
        """Set what runs an item."""
        self._run = run

    def room(self) -> int:
        """Return the free places; none while a suspect runs."""
        return 0 if self._suspect in self._tasks else self._capacity - len(self._tasks)

    def alone(self) -> bool:
        """Return whether nothing runs."""
        return not self._tasks

    def submit(self, tx: Tx, item: WorkItem, *, suspect: bool) -> Callable[[], None]:
        """Return what begins the run; a second call for the same claim begins nothing."""
        del tx  # the task is lost with the process, and so is the claim when its lease expires
        return lambda: self._begin(item, suspect=suspect)

    def cancel(self, claim_ids: Collection[str]) -> None:
        """Cancel the tasks of these claims."""
        for claim_id in claim_ids:
            if claim_id in self._tasks:
                self._tasks[claim_id].cancel()

    async def idle(self) -> None:
        """Wait until no task is left."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def stop(self, grace: timedelta) -> None:
        """Wait for the tasks, then cancel those that are left and wait for their end."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=grace.total_seconds())
        self.cancel(list(self._tasks))
        await self.idle()

    def _begin(self, item: WorkItem, *, suspect: bool) -> None:
        if self._run is None:
            raise RuntimeError("nothing is registered that could run work")
        if item.claim_id in self._tasks:
            return
        if suspect:
            self._suspect = item.claim_id
        task = asyncio.ensure_future(self._run(item))
        self._tasks[item.claim_id] = task
        task.add_done_callback(lambda _done: self._tasks.pop(item.claim_id, None))
