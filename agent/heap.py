"""The garbage collector of a process that works through pages of thousands of objects."""

import gc
from typing import Final

_COLLECT_AFTER: Final = (200_000, 20, 100)
"""Objects made and not freed before the young are looked through; how often that is done to older ones."""


def collect_seldom() -> None:
    """Look for cycles less often than Python does by default, which costs rounds a quarter of their time.

    Rounds make many objects and hardly a cycle.
    """
    gc.set_threshold(*_COLLECT_AFTER)


def settle_heap() -> None:
    """Let the collector pass over what the program is made of.

    To be called once, by a process that stays, when all is loaded.
    """
    gc.collect()
    gc.freeze()
