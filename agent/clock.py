"""The only place that reads the wall clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the current instant: aware, UTC."""

Monotonic = Callable[[], float]
"""Returns seconds that never step back."""


def system_clock() -> datetime:
    """Return the current instant from the operating system."""
    return datetime.now(UTC)  # noqa: TID251  # this is the one reader


def system_monotonic() -> float:
    """Return the operating system's monotonic seconds."""
    return time.monotonic()


class SimulatedClock:
    """A clock that stands until it is told to move, for the demo, replays and tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        """Return the simulated instant."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move forward and return the new instant.

        Raises:
            ValueError: The step is negative; time that runs back would reorder the record.
        """
        if by < timedelta(0):
            raise ValueError(f"cannot move the clock back by {-by}")
        self._now += by
        return self._now

    def set(self, instant: datetime) -> datetime:
        """Move forward to an instant and return it; earlier instants are refused like in `advance`."""
        return self.advance(instant - self._now)


def ticking(clock: SimulatedClock, monotonic: Monotonic = system_monotonic) -> Clock:
    """Return a clock that lets a simulated one move with real time, whenever it is asked.

    A person who works in a simulated company spends real seconds there.
    """
    last = monotonic()

    def now() -> datetime:
        nonlocal last
        passed, last = monotonic() - last, monotonic()
        return clock.advance(timedelta(seconds=max(passed, 0)))

    return now
