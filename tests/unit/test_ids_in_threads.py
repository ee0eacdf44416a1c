"""Ids are drawn from threads that write to the database at the same time."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.ids import seeded_ids
from tests.conftest import START


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("eager_threads")
def test_no_id_is_drawn_twice() -> None:
    ids = seeded_ids(1)

    def draw(_: int) -> list[str]:
        return [ids.new("x", at=START) for _ in range(1_000)]

    with ThreadPoolExecutor(4) as pool:
        drawn = [one for part in pool.map(draw, range(4)) for one in part]

    assert len(set(drawn)) == len(drawn)
