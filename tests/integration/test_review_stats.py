"""The figures of the review desk, counted by the database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert

from agent.clock import SimulatedClock
from agent.domain.drafts import ReviewVerdict
from agent.review_desk.answers import RejectReason
from agent.store.tables.cases import ReviewSeedRow
from agent.store.transaction import Store
from tests.situation_bench import Crowd


@pytest.fixture
def crowd(any_store: Store, clock: SimulatedClock) -> Crowd:
    return Crowd(store=any_store, clock=clock)


def planted(crowd: Crowd, *caught: bool | None) -> None:
    now = crowd.clock()
    rows = [
        {
            "id": f"sed_{at}",
            "draft_id": "drf",
            "reviewer": "ann",
            "kind": "amount",
            "mistake": "",
            "content_hash": "",
            "body": "",
            "opened_at": now,
            "verdict": None if one is None else "reject",
            "verdict_at": None if one is None else now,
            "seconds": None,
            "caught": one,
        }
        for at, one in enumerate(caught)
    ]
    with crowd.store.write() as tx:
        tx.conn.execute(insert(ReviewSeedRow), rows)


def test_an_empty_desk_has_figures_too(crowd: Crowd) -> None:
    found = crowd.desk.stats(since=crowd.clock(), reviewer="ann")

    assert (found.queue.waiting, found.queue.oldest) == (0, None)
    assert {name: rate.of for name, rate in found.verdicts} == dict.fromkeys(
        [*[verdict.value for verdict in ReviewVerdict][:-1], "undone"], 0
    )
    assert (found.reasons, found.most_edited, found.seconds) == ((), (), ())


def test_the_queue_is_counted_as_it_stands(crowd: Crowd) -> None:
    now = crowd.clock()
    held, snoozed, over, _ = crowd.fill(4)
    crowd.set(held.id, claimed_by="bob", claimed_at=now, claimed_until=now + timedelta(minutes=9))
    crowd.set(snoozed.id, snoozed_by="bob", snoozed_until=now + timedelta(minutes=9))
    crowd.set(over.id, review_by=now - timedelta(minutes=1), expires_at=now + timedelta(minutes=5))

    queue = crowd.desk.stats(since=now, reviewer="ann").queue

    assert (queue.waiting, queue.overdue, queue.expiring_soon, queue.snoozed) == (3, 1, 1, 1)
    assert (queue.by_scenario, queue.by_holder) == ((("shipping_delay", 3),), (("bob", 1),))
    assert queue.oldest == now


def test_verdicts_reasons_and_edits_are_counted_since_an_instant(crowd: Crowd) -> None:
    old, *drafts = crowd.fill(9)
    crowd.desk.reject(old.id, reviewer="ann", reason=RejectReason.OTHER)
    crowd.clock.advance(timedelta(hours=1))
    since = crowd.clock()
    for draft in drafts[:4]:
        crowd.desk.approve(draft.id, reviewer="ann", shown=draft.message.content_hash)
    crowd.desk.reject(drafts[4].id, reviewer="ann", reason=RejectReason.TONE, words="cold: very")
    crowd.desk.reject(drafts[5].id, reviewer="bob", reason=RejectReason.TONE)
    crowd.desk.escalate(drafts[6].id, reviewer="bob", words="call")
    edited = drafts[7].message
    crowd.desk.edit(
        drafts[7].id,
        reviewer="bob",
        shown=edited.content_hash,
        subject=edited.subject,
        body=edited.body.replace("Hello", "Dear customer"),
    )

    found = crowd.desk.stats(since=since, reviewer="ann")

    assert {name: rate.count for name, rate in found.verdicts if rate.count} == {
        "approve": 4,
        "reject": 2,
        "escalate": 1,
        "edit": 1,
    }
    assert [(reason, rate.count) for reason, rate in found.reasons] == [("tone", 2)]
    (template,) = found.most_edited
    assert (template.template, template.edited.count, template.edited.of) == ("delay", 1, 8)
    assert template.words_changed == 2
    assert [scenario for scenario, _ in found.by_scenario] == ["shipping_delay"]


def test_a_verdict_that_was_taken_back_counts_as_undone_and_as_nothing_else(crowd: Crowd) -> None:
    first, second, third = crowd.fill(3)
    crowd.desk.reject(first.id, reviewer="ann", reason=RejectReason.TONE, seconds=40)
    crowd.desk.undo(first.id, reviewer="ann")
    crowd.desk.approve(first.id, reviewer="ann", shown=first.message.content_hash, seconds=8)
    crowd.desk.undo(first.id, reviewer="ann")
    crowd.desk.reject(first.id, reviewer="ann", reason=RejectReason.OTHER, seconds=4)
    crowd.desk.reject(second.id, reviewer="ann", reason=RejectReason.TONE, seconds=2)
    edited = third.message
    crowd.desk.edit(
        third.id,
        reviewer="ann",
        shown=edited.content_hash,
        subject=edited.subject,
        body=edited.body.replace("Hello", "Dear customer"),
    )

    found = crowd.desk.stats(since=crowd.clock(), reviewer="ann")

    counts = {name: (rate.count, rate.of) for name, rate in found.verdicts if rate.count}
    assert counts == {"reject": (2, 5), "edit": (1, 5), "undone": (2, 5)}
    assert {reason: (rate.count, rate.of) for reason, rate in found.reasons} == {
        "other": (1, 2),
        "tone": (1, 2),
    }
    (template,) = found.most_edited
    assert (template.edited.count, template.edited.of) == (1, 3)
    (ann,) = found.seconds
    assert (ann.verdicts, ann.p90) == (2, 4)


def test_seconds_are_nearest_ranks_by_reviewer(crowd: Crowd) -> None:
    for draft, seconds in zip(crowd.fill(10), range(10, 110, 10), strict=True):
        crowd.desk.reject(draft.id, reviewer="ann", reason=RejectReason.OTHER, seconds=seconds)

    (ann,) = crowd.desk.stats(since=crowd.clock(), reviewer="ann").seconds

    assert (ann.reviewer, ann.verdicts, ann.median, ann.p90) == ("ann", 10, 50, 90)


def test_only_those_who_answer_for_the_team_see_it(crowd: Crowd) -> None:
    (draft,) = crowd.fill(1)
    crowd.desk.reject(draft.id, reviewer="ann", reason=RejectReason.OTHER, seconds=5)
    planted(crowd, True, True, False, None)

    lead = crowd.desk.stats(since=crowd.clock(), reviewer="ann")
    plain = crowd.desk.stats(since=crowd.clock(), reviewer="rex")

    assert lead.attention is not None
    assert (lead.attention.count, lead.attention.of, len(lead.seconds)) == (2, 3, 1)
    assert (plain.attention, plain.seconds) == (None, ())
    assert replace(plain, attention=lead.attention, seconds=lead.seconds) == lead
