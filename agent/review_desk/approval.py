"""Approving: the facts are read again, then review, delivery and work row commit together."""

from datetime import datetime

from agent.composition import relevant_facts
from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.domain.reviewers import Act
from agent.errors import RefusedError
from agent.recheck import Rechecked
from agent.review_desk.answers import Approval
from agent.review_desk.locks import floor_left
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
from agent.store.deliveries import NewDelivery, queue_delivery
from agent.store.work import enqueue
from policies.model import Playbook
from tools.errors import ToolError
from tools.records.facts import facts_hash


def approve(desk: Desk, draft_id: str, *, reviewer: str, shown: str, seconds: int | None) -> Approval:
    """Approve exactly what was shown, if it still holds."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.APPROVE)
    with desk.store.read() as conn:
        opened = open_draft(conn, draft_id, actor=actor, shown=shown, now=now)
    draft = opened.file.draft
    _check_floor(desk, opened)
    if draft.expires_at <= now:
        _expire(desk, opened)
        raise RefusedError(f"draft {draft_id} expired at {draft.expires_at:%Y-%m-%d %H:%M} UTC")
    playbook = desk.playbook(opened.case.scenario)
    looked = _look(desk, opened)
    if looked.status == "cleared":
        return _cleared(desk, opened)
    if draft.message.policy != playbook.ref:
        return _stale(desk, opened, f"The playbook is {playbook.ref} by now", reason="policy_changed")
    if facts_hash(relevant_facts(looked.facts, draft.used, playbook)) != draft.facts_hash:
        return _stale(desk, opened, "The facts changed since it was written", reason="facts_changed")
    return _approved(desk, opened, playbook, seconds=seconds)


def _check_floor(desk: Desk, opened: Opened) -> None:
    allowed_at = floor_left(desk, opened.file, opened.reviewer, now=opened.now)
    if allowed_at is not None:
        raise RefusedError(
            f"draft {opened.file.draft.id} was opened less than {desk.rules.floor.total_seconds():g} s ago; "
            "read it before you approve it"
        )


def after_expiry(deadline: datetime | None, now: datetime) -> tuple[CaseState, datetime | None]:
    """Return where a case goes when nobody looked at its draft in time, and when it is looked at again."""
    if deadline is not None and deadline > now:
        return CaseState.NEW, now
    return CaseState.EXPIRED, None


def _look(desk: Desk, opened: Opened) -> Rechecked:
    try:
        looked = desk.recheck(opened.case.id, now=opened.now)
    except ToolError as exc:
        raise RefusedError(f"the facts cannot be read again now: {exc.system} does not answer") from exc
    if looked.status == "unknown":
        raise RefusedError(f"the facts cannot be read again now: {looked.detail}")
    return looked


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


def _stale(desk: Desk, opened: Opened, words: str, *, reason: str) -> Approval:
    with desk.store.write() as tx:
        lock_case(tx, opened)
        take(tx, opened, to=DraftState.STALE, reason=reason)
        move(tx, opened, to=CaseState.NEW, reason=reason, next_at=opened.now)
    return Approval(outcome="stale", message=f"{words}; the case is screened and drafted anew.")


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
            step=0,
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
    words = "Approved; it is queued."
    if leaves_at > now:
        seconds_left = f"{(leaves_at - now).total_seconds():g}"
        words = f"Approved; it may leave in {seconds_left} s and can be undone until then."
    return Approval(
        outcome="approved",
        message=words,
        delivery_id=delivery_id,
        leaves_at=leaves_at,
        undo_until=leaves_at if leaves_at > now else None,
    )
