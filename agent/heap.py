"""The garbage collector of a process that works through pages of thousands of objects."""

import gc
from typing import Final

_YOUNG: Final = 10_000
"""Objects made, and not freed, between two collections; the default of 700 is made by three candidates."""


def settle_heap() -> None:
    """Let the collector pass over what the program is made of, and come less often to what it works on.

    A page of the screen makes many objects that live to its end and holds no cycles, so the default, a
    collection every few hundred objects and regularly of everything, took a twentieth of its time. To be
    called once, by a process that stays, when all is loaded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
