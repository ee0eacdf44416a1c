"""Seeded chance: one stream per part of the simulation, so that parts do not disturb each other."""

from collections.abc import Sequence
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")

MILLION: Final = 1_000_000
"""Probabilities are whole parts per million."""


def chance_of(seed: int, part: str) -> Random:
    """Return the stream of chance of one part; the same seed and part always repeat it."""
    return Random(f"{seed}/{part}")  # noqa: S311  # a simulation must repeat


def happens(chance: Random, ppm: int) -> bool:
    """Draw whether something with this probability happens."""
    return chance.random() * MILLION < ppm


def between(chance: Random, low: int, high: int) -> int:
    """Draw a whole number from `low` to below `high`."""
    return low + int(chance.random() * (high - low))


def one_of(chance: Random, choices: Sequence[T]) -> T:
    """Draw one of the choices, all alike."""
    return choices[int(chance.random() * len(choices))]


def weighted(chance: Random, choices: Sequence[tuple[T, int]]) -> T:
    """Draw one choice by its weight in ppm; the weights add up to a million."""
    left = chance.random() * MILLION
    for choice, weight in choices:
        left -= weight
        if left < 0:
            return choice
    return choices[-1][0]


def clipped_normal(chance: Random, mean: int, spread: int) -> int:
    """Draw a probability in ppm around a mean, kept within 0 to a million."""
    return min(max(int(chance.gauss(mean, spread)), 0), MILLION)
