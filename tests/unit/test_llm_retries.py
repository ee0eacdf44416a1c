"""Attempts and waits are bounded, and only what may pass is tried again."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.retries import RetryRules, with_retries
from agent.llm.transport import AttemptError
from tests.llm_builders import Waits


class Attempts:
    """Fails with each of the errors in turn, then succeeds."""

    def __init__(self, errors: Sequence[Exception]) -> None:
        self.errors = list(errors)
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def fault(*, retryable: bool = True, retry_after: float | None = None) -> AttemptError:
    return AttemptError("no", kind="down", retryable=retryable, retry_after=retry_after)


async def test_a_fault_that_lasts_is_raised_as_it_is() -> None:
    last = fault()
    attempts, waits = Attempts([fault(), fault(), last, fault()]), Waits()

    with pytest.raises(AttemptError) as caught:
        await with_retries(attempts, rules=RetryRules(attempts=3), sleep=waits, random=Random(1))

    assert caught.value is last
    assert (attempts.made, len(waits.seconds)) == (3, 2)


@pytest.mark.parametrize("error", [fault(retryable=False), ValueError("a bug")])
async def test_what_no_retry_mends_is_tried_once(error: Exception) -> None:
    attempts, waits = Attempts([error]), Waits()

    with pytest.raises(type(error)):
        await with_retries(attempts, rules=RetryRules(), sleep=waits, random=Random(1))

    assert (attempts.made, waits.seconds) == (1, [])


@given(seed=st.integers(0, 1_000), asked=st.none() | st.floats(0, 20))
async def test_a_wait_is_jittered_bounded_and_never_shorter_than_asked(
    seed: int, asked: float | None
) -> None:
    rules = RetryRules(attempts=6, longest_wait=timedelta(seconds=2), deadline=timedelta(hours=1))
    attempts, waits = Attempts([fault(retry_after=asked) for _ in range(5)]), Waits()

    assert await with_retries(attempts, rules=rules, sleep=waits, random=Random(seed)) == "answer"

    for wait, bound in zip(waits.seconds, (0.5, 1.0, 2.0, 2.0, 2.0), strict=True):
        assert (asked or 0.0) <= wait <= max(bound, asked or 0.0)


async def test_waits_differ_between_callers() -> None:
    drawn: set[float] = set()
    for seed in range(5):
        waits = Waits()
        await with_retries(Attempts([fault()]), rules=RetryRules(), sleep=waits, random=Random(seed))
        drawn.update(waits.seconds)

    assert len(drawn) == 5
