"""Collects what will happen to the company's tables, including what arrives late."""

from random import Random
from typing import Final

from tools.sim.chance import between
from tools.sim.moments import HOUR, MINUTE, Second, stamp
from tools.sim.rows import TABLES, Row

Cell = str | int | None
Planned = tuple[int, int, *tuple[Cell, ...]]
"""One planned write: the second it becomes visible, its number, the cells of the row, `changed_on`."""

_LATE_SHARE: Final = 0.08
_LATE_MOST: Final = MINUTE
_MISSED_SHARE: Final = 0.0015
_MISSED_MOST: Final = 3 * HOUR


class Journal:
    """Plans row images: the whole row as it stands from a second on.

    Some become visible after the time they are stamped with, as rows of long transactions do: most of these
    within a minute, a few up to three hours, which only a reconciling reader finds.
    """

    def __init__(self, chance: Random, *, since: Second) -> None:
        """Start a journal whose past, everything stamped before `since`, is visible from `since` on."""
        self._chance = chance
        self._since = since
        self._planned: dict[type[Row], list[Planned]] = {row_type: [] for row_type in TABLES}
        self._visible: dict[type[Row], dict[str | int, Second]] = {row_type: {} for row_type in TABLES}

    def write(self, row: Row, at: Second, *, visible: Second | None = None) -> Second:
        """Plan that a row stands like this from `at` on; return when it can first be read.

        Args:
            row: All columns but `changed_on`.
            at: The second stamped into `changed_on`; never before the one of the row's previous image.
            visible: When the row can first be read if that is known; by chance a little after `at` otherwise.
        """
        row_type = type(row)
        due = self._late(at) if visible is None else max(at, visible)
        seen = self._visible[row_type]
        # an image never overtakes the one before it: the row's own history stays in order
        due = max(due, seen.get(row[0], self._since))
        seen[row[0]] = due
        planned = self._planned[row_type]
        planned.append((due, len(planned), *row, stamp(at)))
        return due

    def planned(self, row_type: type[Row]) -> list[Planned]:
        """Return what is planned for one table, in the order it becomes visible."""
        return sorted(self._planned[row_type], key=_order)

    def _late(self, at: Second) -> Second:
        drawn = self._chance.random()
        if drawn < _MISSED_SHARE:
            return at + between(self._chance, 10 * MINUTE, _MISSED_MOST)
        if drawn < _LATE_SHARE:
            return at + between(self._chance, 1, _LATE_MOST)
        return at


def _order(planned: Planned) -> tuple[int, int]:
    return planned[0], planned[1]
