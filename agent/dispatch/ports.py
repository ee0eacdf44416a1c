"""What dispatch needs from its surroundings, and the words in which it answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Owner(Protocol):
    """A worker's proof of life: a lock that ends with the process, whatever ends it."""

    @property
    def id(self) -> str:
        """The name in the attempts; a new one for each start of a process."""
        ...

    @property
    def exact(self) -> bool:
        """Whether a freed lock proves that nothing is under way.

        True where the kernel of the same machine keeps the lock. A database server also frees the lock of
        a worker that lives but is cut off, so recovery then waits until its calls must be over.
        """
        ...

    def hold(self) -> None:
        """Take the lock; done before the first attempt."""
        ...

    def still_held(self) -> bool:
        """Return whether the lock is ours right now."""
        ...

    def is_dead(self, owner: str) -> bool:
        """Return whether the worker of that name surely holds its lock no more."""
        ...

    def release(self) -> None:
        """Give the lock back; nothing may be under way."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast dispatch tries again and when it gives up."""

    window: timedelta = timedelta(seconds=30)
    """Between looking at the facts and the provider call; a paused worker that wakes later does not call."""
    first_wait: timedelta = timedelta(seconds=30)
    """Before the first retry; doubles with each attempt."""
    longest_wait: timedelta = timedelta(hours=1)
    look_again: timedelta = timedelta(minutes=5)
    """After something stood in the way that gives no time of its own, such as a source that is down."""
    replays: int = 3
    """How often an unknown outcome is asked for again under the same idempotency key."""
    key_share: int = 80
    """Percent of a key's lifetime in which it is trusted."""
    call_grace: timedelta = timedelta(seconds=5)
    """Beyond the provider's own timeout, before the call is given up as unknown."""

    def wait(self, attempts: int) -> timedelta:
        """Return how long to wait after that many attempts."""
        return min(self.first_wait * (1 << min(max(attempts - 1, 0), 20)), self.longest_wait)


class Result(StrEnum):
    """What came of one look at a delivery."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    """Surely not sent; it waits for another try."""
    UNKNOWN = "unknown"
    DEFERRED = "deferred"
    REFUSED = "refused"
    """It will not be sent; the delivery says why."""
    NEEDS_HUMAN = "needs_human"
    SKIPPED = "skipped"
    """Not due, finished, or taken by another worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """The answer about one delivery."""

    result: Result
    next_at: datetime | None
    """When to look again; None when it is finished or waits for a person."""
