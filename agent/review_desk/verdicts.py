"""The verdicts beside approving and editing: reject, redraft, escalate, snooze."""

from datetime import UTC, datetime

from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.domain.reviewers import Act
from agent.errors import RefusedError
from agent.review_desk.answers import RejectReason, VerdictAnswer
from agent.review_desk.opening import (
    Desk,
    decide_in_review,
    lock_case,
    move,
    open_draft,
    take,
    write_review,
)
from agent.store.cases import assign_situations
from agent.store.draft_claims import snooze_draft
from agent.store.situations import get_situation, open_situation
from agent.store.work import enqueue
from policies.model import Playbook


def reject(
    desk: Desk, draft_id: str, *, reviewer: str, reason: RejectReason, words: str, seconds: int | None
) -> VerdictAnswer:
    """Decide that the customer is not written to about this case."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.REJECT)
    with desk.store.write() as tx:
        opened = open_draft(tx.conn, draft_id, actor=actor, shown=None, now=now)
        case = lock_case(tx, opened)
        take(tx, opened, to=DraftState.REJECTED, reason=reason)
        said = f"{reason}: {words}".rstrip(": ")
        write_review(tx, opened, ReviewVerdict.REJECT, reason=said, seconds=seconds)
        code = f"rejected_{reason}"
        decide_in_review(
            tx,
            opened,
            case,
            kind=DecisionKind.ABSTAIN,
            reason=code,
            explanation="A reviewer decided against the message.",
        )
        move(tx, opened, to=CaseState.ABSTAINED, reason=code)
    words = f"Rejected: {reason.replace('_', ' ')}."
    return VerdictAnswer(outcome="done", message=words, undo_until=now + desk.rules.undo_verdicts)


def redraft(
    desk: Desk, draft_id: str, *, reviewer: str, instruction: str, seconds: int | None
) -> VerdictAnswer:
    """Ask for another text in the reviewer's words."""
    if not instruction.strip():
        raise RefusedError("say what the new text should do differently")
    now, actor = desk.clock(), desk.actor(reviewer, Act.REDRAFT)
    with desk.store.write() as tx:
        opened = open_draft(tx.conn, draft_id, actor=actor, shown=None, now=now)
        case = lock_case(tx, opened)
        take(tx, opened, to=DraftState.SUPERSEDED, reason="redraft")
        write_review(tx, opened, ReviewVerdict.REDRAFT, reason=instruction, seconds=seconds)
        before = get_situation(tx.conn, case.situation_id) if case.situation_id else None
        message = opened.file.draft.message
        situation_id = open_situation(
            tx,
            case,
            channel=message.channel,
            locale=opened.file.draft.written_for or message.locale,
            categories=before.categories if before else (),
            instruction=instruction.strip(),
            at=now,
        )
        assign_situations(tx, {case.id: situation_id})
        move(tx, opened, to=CaseState.SCREENED, reason="redraft")
        enqueue(tx, key=f"deliberate:{situation_id}", kind="deliberate", ref=situation_id, at=now)
    return VerdictAnswer(
        outcome="done",
        message="A new text was asked for; it will wait for review.",
        undo_until=now + desk.rules.undo_verdicts,
        situation_id=situation_id,
    )


def escalate(
    desk: Desk, draft_id: str, *, reviewer: str, words: str, queue: str | None, seconds: int | None
) -> VerdictAnswer:
    """Hand the case to people instead of sending a message: to a named queue, or the playbook's own."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.ESCALATE)
    with desk.store.write() as tx:
        opened = open_draft(tx.conn, draft_id, actor=actor, shown=None, now=now)
        case = lock_case(tx, opened)
        to = named_queue(desk, case.scenario, queue)
        take(tx, opened, to=DraftState.CLOSED, reason="escalated")
        write_review(tx, opened, ReviewVerdict.ESCALATE, reason=words, seconds=seconds)
        decide_in_review(
            tx,
            opened,
            case,
            kind=DecisionKind.ESCALATE,
            reason="reviewer",
            explanation="A reviewer asked people to take over.",
            queue=to,
        )
        move(tx, opened, to=CaseState.ESCALATED, reason="reviewer")
    return VerdictAnswer(
        outcome="done",
        message=f"Handed to {to.replace('_', ' ')}; nothing is sent.",
        undo_until=now + desk.rules.undo_verdicts,
    )


def snooze(
    desk: Desk, draft_id: str, *, reviewer: str, until: datetime, seconds: int | None
) -> VerdictAnswer:
    """Put a draft off until an instant; it then stands in the queue again by itself."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.SNOOZE)
    if until.tzinfo is None:
        raise RefusedError("say in which zone that time is")
    until = until.astimezone(UTC)
    if until <= now:
        raise RefusedError(f"{until:%Y-%m-%d %H:%M} UTC is over; give a time to come")
    with desk.store.write() as tx:
        opened = open_draft(tx.conn, draft_id, actor=actor, shown=None, now=now)
        expires_at = opened.file.draft.expires_at
        if until >= expires_at:
            raise RefusedError(
                f"draft {draft_id} expires at {expires_at:%Y-%m-%d %H:%M} UTC; "
                "put it off to a time before that"
            )
        lock_case(tx, opened)
        write_review(tx, opened, ReviewVerdict.SNOOZE, reason=until.isoformat(), seconds=seconds)
        snooze_draft(tx, opened.file, until=until, actor=actor, now=now)
    return VerdictAnswer(
        outcome="done",
        message=f"Put off until {until:%Y-%m-%d %H:%M} UTC.",
        undo_until=min(now + desk.rules.undo_verdicts, until),
    )


def queues_of(desk: Desk, playbook: Playbook | None) -> tuple[str, ...]:
    """Return where a case may be escalated to, the playbook's own queue first."""
    own = (playbook.queue,) if playbook else ()
    return tuple(dict.fromkeys((*own, *desk.rules.queues)))


def named_queue(desk: Desk, scenario: str, wanted: str | None) -> str:
    """Return where a case of a scenario goes: to the queue that is named, or the playbook's own.

    Raises:
        RefusedError: There is no such queue, or the playbook is gone and none is named.
    """
    if wanted is None:
        return desk.playbook(scenario).queue
    compiled = desk.playbooks.get(scenario)
    known = queues_of(desk, compiled.playbook if compiled else None)
    if wanted not in known:
        raise RefusedError(f"no queue is called {wanted!r}; use one of {', '.join(known)}")
    return wanted
