"""Approving: the facts are read again, then review, delivery and work row commit together.

Where two people must approve, the first approval is a review of a draft that stays pending; the delivery
comes with the second one, by somebody else and on facts that were read again.
"""

from datetime import datetime, timedelta

from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.domain.reviewers import Act
from agent.errors import RefusedError
from agent.recheck import Rechecked
from agent.review_desk.answers import Approval
from agent.review_desk.locks import locks_of_person, needs_second
from agent.review_desk.opening import (
    Desk,
    Opened,
    decide_in_review,
    lock_case,
    move,
    open_draft,
    take,
    write_review,
)
from agent.staleness import STALE_WORDS, Staleness, why_stale_in_review
from agent.store.deliveries import NewDelivery, queue_delivery
from agent.store.draft_claims import record_first_approval
from agent.store.second_messages import steps_of
from agent.store.work import enqueue
from policies.model import Playbook
from tools.errors import ToolError


def approve(desk: Desk, draft_id: str, *, reviewer: str, shown: str, seconds: int | None) -> Approval:
    """Approve exactly what was shown, if it still holds."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.APPROVE)
    with desk.store.read() as conn:
        opened = open_draft(conn, draft_id, actor=actor, shown=shown, now=now)
    refuse_expired(desk, opened)
    playbook = desk.playbook(opened.case.scenario)
    refuse_locked(desk, opened)
    changed = look_again(desk, opened, playbook)
    if changed is not None:
        return changed
    if needs_second(desk, opened.file) and opened.file.first_approver is None:
        return _first_approved(desk, opened, seconds=seconds)
    return _approved(desk, opened, playbook, seconds=seconds)


def refuse_locked(desk: Desk, opened: Opened) -> None:
    """Let an approval pass that nothing about the person keeps back.

    Raises:
        RefusedError: Something does: their role, their own words, their own first approval, or too early.
    """
    for lock in locks_of_person(desk, opened.file, opened.reviewer, now=opened.now):
        raise RefusedError(f"draft {opened.file.draft.id}: {lock.words} {lock.remedy}")


def refuse_expired(desk: Desk, opened: Opened) -> None:
    """Take a draft whose time has passed out of the queue.

    Raises:
        RefusedError: Its time has passed.
    """
    draft = opened.file.draft
    if draft.expires_at <= opened.now:
        _expire(desk, opened)
        raise RefusedError(f"draft {draft.id} expired at {draft.expires_at:%Y-%m-%d %H:%M} UTC")


def look_again(desk: Desk, opened: Opened, playbook: Playbook) -> Approval | None:
    """Read the facts from their sources; a draft that rests on them no more leaves the queue, with an answer.

    Raises:
        RefusedError: They cannot be read now.
    """
    draft = opened.file.draft
    looked = _look(desk, opened)
    if looked.status == "cleared":
        return _cleared(desk, opened)
    reason = why_stale_in_review(draft, looked, playbook)
    return None if reason is None else _stale(desk, opened, reason)


def after_expiry(deadline: datetime | None, now: datetime) -> tuple[CaseState, datetime | None]:
    """Return where a case goes when nobody looked at its draft in time, and when it is looked at again."""
    if deadline is not None and deadline > now:
        return CaseState.NEW, now
    return CaseState.EXPIRED, None


def _look(desk: Desk, opened: Opened) -> Rechecked:
    try:
        looked = desk.recheck(opened.case.id, now=opened.now)
    except ToolError as exc:
        raise RefusedError(_unread(f"{exc.system} does not answer")) from exc
    if looked.status == "unknown":
        raise RefusedError(_unread(looked.detail))
    return looked


def _unread(why: str) -> str:
    return f"the facts cannot be read again now: {why}; try again when it answers, or snooze the draft"


def _expire(desk: Desk, opened: Opened) -> None:
    with desk.store.write() as tx:
        lock_case(tx, opened)
        take(tx, opened, to=DraftState.EXPIRED, reason="expired")
        state, next_at = after_expiry(opened.case.deadline, opened.now)
        move(tx, opened, to=state, reason="draft_expired", next_at=next_at)


def _cleared(desk: Desk, opened: Opened) -> Approval:
    words = "The condition cleared before the message was approved."
    with desk.store.write() as tx:
        case = lock_case(tx, opened)
        take(tx, opened, to=DraftState.CLOSED, reason="condition_cleared")
        decide_in_review(
            tx,
            opened,
            case,
            kind=DecisionKind.ABSTAIN,
            reason="condition_cleared",
            explanation=words,
        )
        move(tx, opened, to=CaseState.RESOLVED, reason="condition_cleared")
    return Approval(outcome="cleared", message=f"{words} Nothing is sent.")


def _stale(desk: Desk, opened: Opened, reason: Staleness) -> Approval:
    with desk.store.write() as tx:
        lock_case(tx, opened)
        take(tx, opened, to=DraftState.STALE, reason=reason)
        move(tx, opened, to=CaseState.NEW, reason=reason, next_at=opened.now)
    return Approval(outcome="stale", message=f"{STALE_WORDS[reason]}; the case is screened and drafted anew.")


def _first_approved(desk: Desk, opened: Opened, *, seconds: int | None) -> Approval:
    with desk.store.write() as tx:
        lock_case(tx, opened)
        review_id = write_review(tx, opened, ReviewVerdict.APPROVE, reason="first of two", seconds=seconds)
        record_first_approval(tx, opened.file, review_id=review_id, actor=opened.actor, now=opened.now)
    return Approval(
        outcome="second_needed",
        message="Approved by you; it waits for a second person, for two must approve it.",
        undo_until=opened.file.draft.expires_at,
    )


def _approved(desk: Desk, opened: Opened, playbook: Playbook, *, seconds: int | None) -> Approval:
    now, end = opened.now, opened.now + playbook.draft_ttl
    deadline = opened.case.deadline
    expires_at = min(end, deadline) if deadline else end
    # what would be too late then leaves at once
    leaves_at = now + desk.rules.undo if now + desk.rules.undo < expires_at else now
    with desk.store.write() as tx:
        case = lock_case(tx, opened)
        take(tx, opened, to=DraftState.APPROVED, reason="approved")
        review_id = write_review(tx, opened, ReviewVerdict.APPROVE, reason="", seconds=seconds)
        new = NewDelivery(
            case=case,
            draft=opened.file.draft,
            step=steps_of(tx.conn, [case.id])[case.id],
            purpose=playbook.purpose,
            counts_to_cap=playbook.counts_to_cap,
            needs_approval=True,
            review_id=review_id,
            next_at=leaves_at,
            expires_at=expires_at,
        )
        delivery_id = queue_delivery(tx, new, at=now, actor=opened.actor)
        move(tx, opened, to=CaseState.APPROVED, reason="approved")
        enqueue(tx, key=f"dispatch:{delivery_id}", kind="dispatch", ref=delivery_id, at=leaves_at)
    return Approval(
        outcome="approved",
        message=_words(leaves_at - now),
        delivery_id=delivery_id,
        leaves_at=leaves_at,
        undo_until=leaves_at if leaves_at > now else None,
    )


def _words(wait: timedelta) -> str:
    if not wait:
        return "Approved; it is queued."
    return f"Approved; it may leave in {wait.total_seconds():g} s and can be undone until then."
