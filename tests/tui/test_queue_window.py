"""The window over the queue shows every line once, in order, however it is walked through."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.domain.cases import CaseId
from agent.domain.drafts import DraftId, DraftState
from agent.domain.queue import QueueItem, QueuePlace
from agent.tui.queue_window import MOST_HELD, PAGE, first_page, next_page, previous_page, read_again
from policies.review_rules import Risk
from tests.builders import NOW
from tools.records.base import CustomerId
from tools.records.vocabulary import ChannelKind

PLAIN = QueueItem(
    draft_id=DraftId("drf_0"),
    case_id=CaseId("cas_0"),
    customer_id=CustomerId("c1"),
    customer_name="Ada",
    object_ref="order:1",
    scenario="shipping_delay",
    channel=ChannelKind.EMAIL,
    locale="en_US",
    version=1,
    state=DraftState.PENDING,
    subject="Late",
    body="Late.",
    author="template",
    review_reason="policy",
    risk=Risk.NORMAL,
    review_by=NOW,
    stake=None,
    value_micros=1,
    segments=1,
    content_hash="ab" * 32,
    created_at=NOW,
    expires_at=NOW,
    deadline=None,
    claimed_by=None,
    claimed_until=None,
    snoozed_until=None,
    first_approver=None,
    situation_id=None,
    situation_size=0,
)


def queue(length: int) -> list[QueueItem]:
    """Return a queue in which several drafts are due at the same instant."""
    return [
        replace(PLAIN, draft_id=DraftId(f"drf_{at:06}"), review_by=NOW + timedelta(minutes=at // 3))
        for at in range(length)
    ]


def reader(items: list[QueueItem]) -> Callable[[int, QueuePlace | None], list[QueueItem]]:
    """Read a list as the desk reads its queue."""

    def read(limit: int, after: QueuePlace | None) -> list[QueueItem]:
        beyond = (
            items
            if after is None
            else [one for one in items if (one.review_by, one.draft_id) > (after.review_by, after.draft_id)]
        )
        return beyond[:limit]

    return read


@settings(max_examples=25, deadline=None)
@example(length=2 * PAGE, steps=[True])
@given(length=st.integers(0, 5 * PAGE), steps=st.lists(st.booleans(), max_size=14))
def test_the_window_is_always_a_part_of_the_queue_without_gap(length: int, steps: list[bool]) -> None:
    items = queue(length)
    read = reader(items)
    held = first_page(read)
    for down in steps:
        held = next_page(read, held=held) if down else previous_page(read, held=held)
        assert len(held.items) <= MOST_HELD
        if held.items:
            start = items.index(held.items[0])
            assert list(held.items) == items[start : start + len(held.items)]
            assert held.ended == (start + len(held.items) == length)
            assert bool(held.before) == (start > 0)


def test_the_whole_queue_is_walked_down_and_up_again() -> None:
    items = queue(4 * PAGE + 17)
    read = reader(items)
    held = first_page(read)
    seen = [*held.items]
    while not held.ended:
        held = next_page(read, held=held)
        seen += [one for one in held.items if one.draft_id > seen[-1].draft_id]
    assert seen == items

    while held.before:
        held = previous_page(read, held=held)
    assert held.items[0] == items[0]


def test_what_was_decided_meanwhile_is_gone_when_it_is_read_again() -> None:
    items = queue(PAGE + 50)
    held = next_page(reader(items), held=first_page(reader(items)))

    again = read_again(reader(items[7:]), held=held)

    assert list(again.items) == items[7:]


def test_an_emptied_window_goes_back_to_the_page_above() -> None:
    items = queue(5 * PAGE)
    held = first_page(reader(items))
    while not held.ended:
        held = next_page(reader(items), held=held)
    above = [one for one in items if one.draft_id < held.items[0].draft_id]

    again = read_again(reader(above), held=held)

    assert list(again.items) == above[-PAGE:]
