"""Planted drafts: they look like any other, are judged like any other, and nothing ever comes of them."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import timedelta
from threading import Barrier

import pytest
from sqlmodel import select

from agent.audit.verify import verify
from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.drafts import Draft, DraftState
from agent.domain.reviewers import Role
from agent.errors import ConflictError, NotFoundError, RefusedError
from agent.review_desk.answers import Approval, OwnScore, RejectReason, VerdictAnswer
from agent.review_desk.views import DraftView
from agent.store.tables.cases import DraftRow, ReviewRow, ReviewSeedRow
from agent.store.tables.ledger import AuditEventRow
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Store, count
from policies.model import PPM
from tests.sending_bench import Bench, rules

FLOOR = timedelta(seconds=2)
Give = Callable[[Bench, DraftView], Approval | VerdictAnswer]


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock, rules=rules(seeds=PPM, floor=FLOOR))


def opened(bench: Bench, draft: Draft, reviewer: str = "ann") -> DraftView:
    view = bench.desk.open(draft.id, reviewer=reviewer)
    bench.clock.advance(FLOOR)
    return view


def rows(bench: Bench, table: type) -> int:
    with bench.store.read() as conn:
        return count(conn, table)


GIVE: dict[str, tuple[Give, str]] = {
    "approve": (
        lambda bench, view: bench.desk.approve(
            view.ticket, reviewer="ann", shown=view.draft.content_hash[:6]
        ),
        "seed_missed",
    ),
    "reject": (
        lambda bench, view: bench.desk.reject(view.ticket, reviewer="ann", reason=RejectReason.WRONG_FACTS),
        "seed_caught",
    ),
    "redraft": (
        lambda bench, view: bench.desk.redraft(view.ticket, reviewer="ann", instruction="mind the number"),
        "seed_caught",
    ),
    "escalate": (
        lambda bench, view: bench.desk.escalate(view.ticket, reviewer="ann", words="look at this"),
        "seed_caught",
    ),
    "edit": (
        lambda bench, view: bench.desk.edit(
            view.ticket,
            reviewer="ann",
            shown=view.draft.content_hash,
            subject="Your order 1001",
            body="Hello, your order 1001 comes later than promised.",
        ),
        "seed_caught",
    ),
}


def test_it_looks_like_any_other_view(bench: Bench) -> None:
    draft = bench.in_review()

    view = opened(bench, draft)
    real = bench.desk.show(draft.id, reviewer="ann")

    assert view.ticket.startswith("sed_")
    assert view.draft.draft.message != real.draft.draft.message
    assert view.draft.content_hash == view.draft.draft.message.content_hash != real.draft.content_hash
    differing = {one.name for one in fields(view) if getattr(view, one.name) != getattr(real, one.name)}
    assert differing <= {"draft", "versions", "ticket", "locks", "forecast"}
    text = view.draft.draft
    check = bench.desk.check_text(draft.id, subject=text.message.subject, body=text.message.body)
    assert check.ok
    assert all(finding.ok for finding in check.findings)


def test_wherever_the_reviewer_looks_they_see_the_same_until_they_judged(bench: Bench) -> None:
    draft = bench.in_review()
    real = draft.message.content_hash

    before = bench.desk.look(draft.id, reviewer="ann")
    view = opened(bench, draft)
    after = bench.desk.look(draft.id, reviewer="ann")
    (line,) = bench.desk.list_drafts(reviewer="ann")
    (other,) = bench.desk.list_drafts(reviewer="bob")

    assert before.draft.content_hash == view.draft.content_hash == after.draft.content_hash != real
    assert before.ticket == view.ticket == after.ticket
    message = view.draft.draft.message
    assert (line.subject, line.body, line.content_hash) == (
        message.subject,
        message.body,
        message.content_hash,
    )
    assert other.content_hash == bench.desk.look(draft.id, reviewer="bob").draft.content_hash

    bench.desk.reject(view.ticket, reviewer="ann", reason=RejectReason.WRONG_FACTS)

    assert bench.desk.look(draft.id, reviewer="ann").draft.content_hash == real
    assert bench.desk.list_drafts(reviewer="ann")[0].content_hash == real


def test_what_another_decided_meanwhile_is_shown_as_it_is(bench: Bench) -> None:
    draft = bench.in_review()
    bench.desk.look(draft.id, reviewer="ann")
    bench.desk.escalate(draft.id, reviewer="bob", words="call")

    view = bench.desk.look(draft.id, reviewer="ann")

    assert (view.ticket, view.draft.content_hash) == (draft.id, draft.message.content_hash)


def test_two_looks_at_once_see_one_planted_draft(bench: Bench) -> None:
    draft = bench.in_review()
    together = Barrier(4)

    def look(_: int) -> str:
        together.wait()
        return bench.desk.look(draft.id, reviewer="ann").ticket

    with ThreadPoolExecutor(4) as threads:
        tickets = set(threads.map(look, range(4)))

    assert (len(tickets), rows(bench, ReviewSeedRow)) == (1, 1)


@pytest.mark.parametrize("verdict", GIVE)
def test_a_verdict_is_noted_and_nothing_else_happens(bench: Bench, verdict: str) -> None:
    draft = bench.in_review()
    give, outcome = GIVE[verdict]
    view = opened(bench, draft)

    answer = give(bench, view)

    assert answer.outcome == outcome
    assert "planted" in answer.message
    after = bench.desk.show(draft.id)
    assert (after.draft.draft.state, after.case.state) == (DraftState.PENDING, CaseState.IN_REVIEW)
    assert (rows(bench, DeliveryRow), rows(bench, ReviewRow), rows(bench, DraftRow)) == (0, 0, 1)
    assert bench.world.rechecks == 0
    with bench.store.read() as conn:
        types = [event for event in conn.execute(select(AuditEventRow.type)).scalars() if "seed" in event]
    assert sorted(types) == ["seed.judged", "seed.planted"]


def test_after_the_verdict_the_real_draft_is_opened_and_its_time_begins(bench: Bench) -> None:
    draft = bench.in_review()
    GIVE["reject"][0](bench, opened(bench, draft))

    view = bench.desk.open(draft.id, reviewer="ann")

    assert (view.ticket, view.draft.content_hash) == (draft.id, draft.message.content_hash)
    assert [lock.kind for lock in view.locks] == ["floor"]
    bench.clock.advance(FLOOR)
    answer = bench.desk.approve(view.ticket, reviewer="ann", shown=view.draft.content_hash)
    assert answer.outcome == "approved"
    assert bench.desk.show(draft.id).reviews[0].seconds == FLOOR.total_seconds()


def test_its_hash_approves_nothing_and_its_ticket_is_no_draft(bench: Bench) -> None:
    draft = bench.in_review()
    view = opened(bench, draft)

    with pytest.raises(RefusedError, match="content hash"):
        bench.desk.approve(draft.id, reviewer="ann", shown=view.draft.content_hash)
    with pytest.raises(RefusedError, match="content hash"):
        bench.desk.approve(view.ticket, reviewer="ann", shown=draft.message.content_hash)
    with pytest.raises(NotFoundError):
        bench.desk.show(view.ticket)
    with pytest.raises(NotFoundError):
        bench.desk.undo(view.ticket, reviewer="ann")

    assert rows(bench, DeliveryRow) == 0


def test_it_is_for_its_reviewer_alone_and_judged_once(bench: Bench) -> None:
    draft = bench.in_review()
    view = opened(bench, draft)

    with pytest.raises(NotFoundError):
        bench.desk.reject(view.ticket, reviewer="bob", reason=RejectReason.TONE)
    GIVE["reject"][0](bench, view)
    with pytest.raises(ConflictError, match="judged already"):
        GIVE["approve"][0](bench, view)

    assert bench.desk.own_score(reviewer="ann") == OwnScore(shown=1, caught=1, last=bench.clock())


def test_the_floor_holds_for_it_too(bench: Bench) -> None:
    draft = bench.in_review()
    view = bench.desk.open(draft.id, reviewer="ann")

    with pytest.raises(RefusedError, match="opened less than"):
        GIVE["approve"][0](bench, view)


def test_opening_again_shows_the_same_until_it_is_judged(bench: Bench) -> None:
    draft = bench.in_review()
    view = opened(bench, draft)

    again = bench.desk.open(draft.id, reviewer="ann")
    reread = bench.desk.reread(draft.id, reviewer="ann")

    assert view.ticket == again.ticket == reread.ticket
    assert view.draft.draft.message == again.draft.draft.message == reread.draft.draft.message
    assert rows(bench, ReviewSeedRow) == 1


def test_what_is_no_judgement_reaches_the_real_draft(bench: Bench) -> None:
    draft = bench.in_review()
    view = opened(bench, draft)

    bench.desk.renew(view.ticket, reviewer="ann")
    bench.desk.snooze(view.ticket, reviewer="ann", until=bench.clock() + timedelta(hours=1))

    assert bench.desk.show(draft.id).draft.snoozed_until is not None
    assert bench.desk.own_score(reviewer="ann").shown == 0


def test_an_edit_that_leaves_the_mistake_in_is_refused_like_any(bench: Bench) -> None:
    draft = bench.in_review()
    view = opened(bench, draft)
    message = view.draft.draft.message

    with pytest.raises(RefusedError, match=r"may not leave|same as before"):
        bench.desk.edit(
            view.ticket,
            reviewer="ann",
            shown=view.draft.content_hash,
            subject=message.subject,
            body=f"{message.body}\nThank you.",
        )

    assert bench.desk.own_score(reviewer="ann").shown == 0


def test_the_share_of_openings_is_about_that_of_the_rules_and_repeats(
    store: Store, clock: SimulatedClock
) -> None:
    bench = Bench(store=store, clock=clock, rules=rules(seeds=PPM // 4, floor=timedelta(0)))
    drafts = [bench.in_review(f"e{number}") for number in range(80)]

    first = [bench.desk.open(draft.id, reviewer="ann").ticket for draft in drafts]
    second = [bench.desk.open(draft.id, reviewer="ann").ticket for draft in drafts]

    assert first == second
    assert 8 <= sum(ticket.startswith("sed_") for ticket in first) <= 32


def test_none_are_planted_when_switched_off_in_shadow_or_for_who_could_not_approve(
    store: Store, clock: SimulatedClock
) -> None:
    off = Bench(store=store, clock=clock, rules=rules(seeds=0, floor=timedelta(0)))
    draft = off.in_review()
    assert off.desk.open(draft.id, reviewer="ann").ticket == draft.id
    off.desk.release(draft.id, reviewer="ann")

    silent = Bench(store=store, clock=clock, rules=rules(seeds=PPM, floor=timedelta(0)), shadow=True)
    in_shadow = silent.in_review("e2")
    assert silent.desk.open(in_shadow.id, reviewer="ann").ticket == in_shadow.id

    roles = {"ann": Role.REVIEWER, "vic": Role.VIEWER, "aud": Role.AUDITOR}
    on = Bench(store=store, clock=clock, rules=rules(seeds=PPM, floor=timedelta(0)), roles=roles)
    for name in ("vic", "aud"):
        with pytest.raises(RefusedError):
            on.desk.open(draft.id, reviewer=name)
        assert on.desk.show(draft.id, reviewer=name).ticket == draft.id
    new = on.desk.edit(
        draft.id,
        reviewer="ann",
        shown=draft.message.content_hash,
        subject="Your order 1001",
        body="Hello, your order 1001 is late.",
    )
    assert new.draft_id is not None
    assert on.desk.open(new.draft_id, reviewer="ann").ticket == new.draft_id, "her own words"


def test_the_log_verifies_and_keeps_the_outcome_sealed(bench: Bench) -> None:
    draft = bench.in_review()
    GIVE["approve"][0](bench, opened(bench, draft))
    bench.store.seal_pending()

    with bench.store.read() as conn:
        assert verify(conn, now=bench.clock()).ok
        envelopes = [json.loads(one) for one in conn.execute(select(AuditEventRow.envelope)).scalars()]
    (judged,) = [one for one in envelopes if one["type"] == "seed.judged"]
    assert set(judged["body"]) == {"draft", "seed"}
    assert isinstance(judged["private"], str)
