"""The queue as one reviewer sees it: planted texts in its lines, in its searches and in its counts."""

import heapq
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from agent.domain.drafts import DraftId, DraftState
from agent.domain.queue import QueueFilter, QueueItem, QueuePlace
from agent.review_desk.opening import Desk
from agent.review_desk.seeds.drawing import plant_drawn
from agent.review_desk.text_checks import segments_of
from agent.store.drafts import search_text
from agent.store.review_queue import count_queue, list_queue
from agent.store.review_seeds import Seed, open_seeds

_AT_ONCE: Final = 50


def list_for(
    desk: Desk, wanted: QueueFilter, *, reviewer: str, limit: int, after: QueuePlace | None
) -> list[QueueItem]:
    """Return one page of the queue as this reviewer sees it, now and whatever they look at afterwards."""
    while True:
        with desk.store.read() as conn:
            seeds = open_seeds(conn, reviewer=reviewer)
            items = _page(desk, conn, wanted, seeds, limit=limit, after=after)
        pending = [item.draft_id for item in items if item.state is DraftState.PENDING]
        fresh = [one for one in pending if one not in seeds]
        if not plant_drawn(desk, fresh, reviewer=reviewer):
            return items


def count_for(desk: Desk, wanted: QueueFilter, *, reviewer: str) -> int:
    """Return how many drafts a filter matches as this reviewer sees them."""
    with desk.store.read() as conn:
        seeds = open_seeds(conn, reviewer=reviewer) if wanted.search.strip() else {}
        found = _planted(desk, conn, wanted, seeds, after=None) if seeds else []
        return count_queue(conn, wanted, now=desk.clock(), aside=seeds) + len(found)


def next_found(desk: Desk, wanted: QueueFilter, *, reviewer: str, skip: Collection[str]) -> DraftId | None:
    """Return the first draft that a search finds for this reviewer and that they may open, or None."""
    place: QueuePlace | None = None
    while page := list_for(desk, wanted, reviewer=reviewer, limit=_AT_ONCE, after=place):
        now = desk.clock()
        for item in page:
            held = item.claimed_until is not None and item.claimed_until > now
            if item.draft_id not in skip and (not held or item.claimed_by == reviewer):
                return item.draft_id
        place = QueuePlace(review_by=page[-1].review_by, draft_id=page[-1].draft_id)
    return None


def _page(
    desk: Desk,
    conn: Connection,
    wanted: QueueFilter,
    seeds: Mapping[str, Seed],
    *,
    limit: int,
    after: QueuePlace | None,
) -> list[QueueItem]:
    searched = bool(wanted.search.strip() and seeds)
    aside = seeds if searched else ()
    items = list_queue(conn, wanted, now=desk.clock(), limit=limit, after=after, aside=aside)
    if not searched:
        return [_line(item, seeds.get(item.draft_id)) for item in items]
    found = _planted(desk, conn, wanted, seeds, after=after)
    return list(heapq.merge(items, found, key=lambda item: (item.review_by, item.draft_id)))[:limit]


def _planted(
    desk: Desk, conn: Connection, wanted: QueueFilter, seeds: Mapping[str, Seed], *, after: QueuePlace | None
) -> list[QueueItem]:
    """Return the planted drafts that a search finds, by what the reviewer sees of them."""
    words, anything = wanted.search.strip().casefold(), replace(wanted, search="")
    found = list_queue(conn, anything, now=desk.clock(), limit=len(seeds), after=after, among=seeds)
    return [_line(item, seeds[item.draft_id]) for item in found if words in _seen(item, seeds[item.draft_id])]


def _seen(item: QueueItem, seed: Seed) -> str:
    return search_text(
        seed.draft,
        customer_id=item.customer_id,
        customer_name=item.customer_name,
        object_ref=item.object_ref,
    )


def _line(item: QueueItem, seed: Seed | None) -> QueueItem:
    if seed is None or item.state is not DraftState.PENDING:
        return item
    message = seed.draft.message
    return replace(
        item,
        subject=message.subject,
        body=message.body,
        content_hash=message.content_hash,
        segments=segments_of(message, message.body),
    )
