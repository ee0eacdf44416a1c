"""When one more attempt is worth it, and how long to wait before it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
)

from agent.llm.transport import AttemptError

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """How persistent a question is."""

    attempts: int = 3
    """Most requests for one turn."""
    first_wait: timedelta = timedelta(seconds=0.5)
    """Longest wait before the second attempt; it doubles from there."""
    longest_wait: timedelta = timedelta(seconds=8)
    deadline: timedelta = timedelta(seconds=60)
    """For one question with all its turns, attempts and waits."""


async def with_retries(
    attempt: Callable[[], Awaitable[T]], *, rules: RetryRules, sleep: Sleep, random: Random
) -> T:
    """Run an attempt until it succeeds, fails for good, or another would come too late.

    Waits are drawn evenly between nothing and a doubling bound ("full jitter"), and are never shorter than
    what the server asked for.

    Raises:
        AttemptError: The last attempt's.
    """

    def wait(state: RetryCallState) -> float:
        bound = rules.first_wait.total_seconds() * 2 ** (state.attempt_number - 1)
        drawn = random.uniform(0, min(bound, rules.longest_wait.total_seconds()))
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, AttemptError) else None
        return max(drawn, asked or 0.0)

    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda exc: isinstance(exc, AttemptError) and exc.retryable),
        stop=stop_after_attempt(rules.attempts) | stop_before_delay(rules.deadline),
        wait=wait,
        sleep=sleep,
        reraise=True,
    )
    return await retrying(attempt)
