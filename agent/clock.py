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
