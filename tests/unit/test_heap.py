"""A process that stays tells the collector so once."""

import gc
from collections.abc import Iterator

import pytest

from agent.heap import collect_seldom, settle_heap


@pytest.fixture(autouse=True)
def collector_as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


class _Knot:
    def __init__(self) -> None:
        self.me = self


def test_what_is_loaded_is_passed_over_and_new_garbage_is_not() -> None:
    collect_seldom()
    settle_heap()
    frozen = gc.get_freeze_count()

    _Knot()
    freed = gc.collect()

    assert frozen > 10_000
    assert gc.get_freeze_count() == frozen
    assert freed >= 1
    assert gc.isenabled()
    assert gc.get_threshold()[0] > 700
