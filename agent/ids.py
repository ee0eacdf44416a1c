"""Identifiers that sort by time and name their table: `dec_01K9…`."""

import os
import threading
from collections.abc import Callable
from datetime import datetime
from random import Random

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, as ULIDs use it
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)  # ten bits at a time
_LAST_PAIR = 1023

Entropy = Callable[[int], bytes]
"""Returns that many random bytes."""


class Ids:
    """A source of ids; two from the same millisecond still sort in the order they were made."""

    def __init__(self, entropy: Entropy = os.urandom) -> None:
        self._entropy = entropy
        self._lock = threading.Lock()  # database work runs in threads, and two must not count at once
        self._millisecond = -1
        self._last = 0
        self._prefix = ""
        self._head = ""

    def new(self, kind: str, *, at: datetime) -> str:
        """Return a new id `kind_<ULID>` with the time of `at` to the millisecond."""
        millisecond = int(at.timestamp() * 1000)
        with self._lock:
            if millisecond != self._millisecond:
                self._millisecond, self._prefix = millisecond, _encode(millisecond, 5)
                # 79 random bits leave room to count upwards within one millisecond without overflow
                self._last = int.from_bytes(self._entropy(10), "big") >> 1
                self._head = self._prefix + _encode(self._last >> 10, 7)
            else:
                self._last += 1
                if not self._last & _LAST_PAIR:  # it ran over into the pairs before
                    self._head = self._prefix + _encode(self._last >> 10, 7)
            return f"{kind}_{self._head}{_PAIRS[self._last & _LAST_PAIR]}"

    def secret(self, size: int) -> bytes:
        """Return random bytes for keys and nonces."""
        return self._entropy(size)


def seeded_ids(seed: int) -> Ids:
    """Return ids that repeat for the same seed, for the demo, replays and tests; never for real keys."""
    return Ids(Random(seed).randbytes)  # noqa: S311  # determinism is the point here


def _encode(number: int, pairs: int) -> str:
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(10 * (pairs - 1), -1, -10)])
