"""The part of the queue that is held: some pages around the cursor, read by keyset forwards and backwards."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from agent.review_desk.views import QueueItem, QueuePlace

PAGE: Final = 200
MOST_HELD: Final = 3 * PAGE

Read = Callable[[int, QueuePlace | None], list[QueueItem]]
"""(limit, after) → one page of the queue as it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Consecutive lines of the queue, and where the pages before them start."""

    items: tuple[QueueItem, ...]
    start: QueuePlace | None
    """The line before the first one held; None at the top of the queue."""
    before: tuple[QueuePlace | None, ...]
    """Where each page before the held ones starts, the first one first."""
    ended: bool
    """Whether the last line held is the queue's last."""


EMPTY: Final = Window(items=(), start=None, before=(), ended=True)


def first_page(read: Read) -> Window:
    """Return the top of the queue."""
    items, ended = _page(read, PAGE, None)
    return Window(items=items, start=None, before=(), ended=ended)


def next_page(read: Read, *, held: Window) -> Window:
    """Return the window with one more page below; pages at its top are let go when it grows too long."""
    if held.ended or not held.items:
        return held
    more, ended = _page(read, PAGE, _place(held.items[-1]))
    items = held.items + more
    if len(items) <= MOST_HELD:
        return replace(held, items=items, ended=ended)
    return Window(
        items=items[PAGE:], start=_place(items[PAGE - 1]), before=(*held.before, held.start), ended=ended
    )


def previous_page(read: Read, *, held: Window) -> Window:
    """Return the window with the page above it; lines at its end are let go when it grows too long."""
    if not held.before:
        return held
    start = held.before[-1]
    top = _key(_place(held.items[0])) if held.items else None
    got = [item for item in read(PAGE, start) if top is None or _key(_place(item)) < top]
    items = (*got, *held.items)
    return Window(
        items=items[:MOST_HELD],
        start=start,
        before=held.before[:-1],
        ended=held.ended and len(items) <= MOST_HELD,
    )


def read_again(read: Read, *, held: Window) -> Window:
    """Return the window as the queue is now."""
    limit = max(PAGE, min(MOST_HELD, len(held.items)))
    items, ended = _page(read, limit, held.start)
    again = replace(held, items=items, ended=ended)
    return previous_page(read, held=again) if not items and held.before else again


def _page(read: Read, limit: int, after: QueuePlace | None) -> tuple[tuple[QueueItem, ...], bool]:
    """Return one page and whether the queue ends with it: one line more than the page tells."""
    items = read(limit + 1, after)
    return tuple(items[:limit]), len(items) <= limit


def _place(item: QueueItem) -> QueuePlace:
    return QueuePlace(review_by=item.review_by, draft_id=item.draft_id)


def _key(place: QueuePlace) -> tuple[object, ...]:
    return place.review_by, place.draft_id
