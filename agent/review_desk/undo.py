"""Taking the last verdict on a draft back, while nothing has come of it that cannot be taken back.

Every undo is a review of its own, so that the history reads as it went. Where the verdict decided about the
case, the undo decides again: contact, as the draft proposes, once a person approves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.domain.audit import Actor
from agent.domain.cases import CaseState
from agent.domain.decisions import Decision, DecisionKind, Stage
from agent.domain.drafts import DeliveryState, DraftState, Review, ReviewVerdict
from agent.domain.reviewers import Act, Role
from agent.errors import NotFoundError, RefusedError
from agent.review_desk.answers import VerdictAnswer
from agent.review_desk.opening import Desk, Opened, decide_in_review, move, write_review
from agent.store.cases import get_case
from agent.store.decisions import get_decision, last_decision
from agent.store.deliveries import DeliveryFile, cancel_queued, deliveries_of_case, get_delivery
from agent.store.draft_claims import clear_first_approval, reopen_draft, snooze_draft
from agent.store.drafts import DraftFile, drafts_of_case, get_draft, set_draft_states
from agent.store.locks import lock_cases
from agent.store.reviews import reviews_of_draft, standing
from agent.store.transaction import Tx

_LEADS: Final = frozenset({Role.LEAD, Role.ADMIN})
_PROPOSED_AGAIN: Final = "A reviewer took their verdict back; the message is proposed again."
_NO_DECISION: Final = frozenset({ReviewVerdict.APPROVE, ReviewVerdict.REDRAFT, ReviewVerdict.CHANNEL})
"""Verdicts that follow the decision on the case, and are none themselves."""
_TOO_LATE: Final[Mapping[DeliveryState, str]] = {
    DeliveryState.SENDING: "it is being sent right now",
    DeliveryState.ACCEPTED: "it was sent",
    DeliveryState.REJECTED: "the provider refused it",
    DeliveryState.UNKNOWN: "it may have been sent; nobody knows yet",
    DeliveryState.NEEDS_HUMAN: "it may have been sent; a person finds out, see `outrider review unsettled`",
    DeliveryState.SUPPRESSED: "it was stopped before it left; nothing is sent",
    DeliveryState.CANCELLED: "it was stopped before it left; nothing is sent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Undo:
    """A verdict that is being taken back, with everything locked that it touched."""

    desk: Desk
    tx: Tx
    opened: Opened
    review: Review
    decision: Decision | None
    """The last one on the case."""

    @property
    def file(self) -> DraftFile:
        """The draft."""
        return self.opened.file

    def refuse(self, why: str) -> RefusedError:
        """Return the error that says why this verdict stands."""
        return RefusedError(
            f"the verdict {self.review.verdict.value!r} on {self.file.draft.id} stands: {why}"
        )


def undo(desk: Desk, draft_id: str, *, reviewer: str) -> VerdictAnswer:
    """Take back the last verdict on a draft that still stands."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.UNDO)
    with desk.store.write() as tx:
        undoing = _open(desk, tx, draft_id, actor=actor, now=now)
        message = _UNDO[undoing.review.verdict](undoing)
        write_review(
            tx,
            undoing.opened,
            ReviewVerdict.UNDO,
            reason=undoing.review.verdict,
            seconds=None,
            undoes=undoing.review.id,
        )
    return VerdictAnswer(outcome="done", message=message)


def _open(desk: Desk, tx: Tx, draft_id: str, *, actor: Actor, now: datetime) -> _Undo:
    """Return the last standing verdict on a draft, which is this reviewer's or a lead may take back.

    The case is locked first and everything is read after that, so that the dispatcher, which locks it too,
    has either begun to send or will find nothing to send.
    """
    known = get_draft(tx.conn, draft_id)
    if known is None:
        raise NotFoundError(f"there is no draft {draft_id}")
    lock_cases(tx.conn, [known.draft.case_id])
    file, case = get_draft(tx.conn, draft_id), get_case(tx.conn, known.draft.case_id)
    if file is None or case is None:
        raise NotFoundError(f"draft {draft_id} has no case")
    verdicts = standing(reviews_of_draft(tx.conn, draft_id))
    if not verdicts:
        raise RefusedError(f"there is no verdict on draft {draft_id} to take back")
    review = verdicts[-1]
    if review.reviewer != actor.id and desk.roster.role_of(actor.id) not in _LEADS:
        raise RefusedError(
            f"the verdict {review.verdict.value!r} on {draft_id} is {review.reviewer}'s; "
            "only they or a lead can take it back"
        )
    opened = Opened(file=file, case=case, actor=actor, now=now)
    return _Undo(desk=desk, tx=tx, opened=opened, review=review, decision=last_decision(tx.conn, case.id))


def _approval(undoing: _Undo) -> str:
    file = undoing.file
    if file.draft.state is DraftState.PENDING and file.first_review_id == undoing.review.id:
        clear_first_approval(undoing.tx, file, actor=undoing.opened.actor, now=undoing.opened.now)
        return "The first approval is taken back; two people must approve it still."
    delivery = _delivery(undoing)
    if delivery is None:
        raise undoing.refuse(f"the draft is {file.draft.state} by now")
    state = delivery.delivery.state
    if state is not DeliveryState.QUEUED:
        raise undoing.refuse(_TOO_LATE[state])
    now, actor = undoing.opened.now, undoing.opened.actor
    stopped = cancel_queued(
        undoing.tx, [delivery.delivery.id], to=DeliveryState.CANCELLED, reason="undone", at=now, actor=actor
    )
    if not stopped:  # it was locked as queued in this very transaction
        raise undoing.refuse(_TOO_LATE[DeliveryState.SENDING])
    _back_in_review(undoing, case_in=CaseState.APPROVED, draft_in=DraftState.APPROVED)
    return "The approval is taken back before anything was sent; the draft waits for review again."


def _delivery(undoing: _Undo) -> DeliveryFile | None:
    """Return the delivery of an approval, locked until the transaction ends."""
    tx, review = undoing.tx, undoing.review
    for one in deliveries_of_case(tx.conn, undoing.opened.case.id):
        if one.delivery.review_id == review.id:
            return get_delivery(tx.conn, one.delivery.id, lock=True)
    return None


def _rejection(undoing: _Undo) -> str:
    _check_in_time(undoing)
    _back_in_review(undoing, case_in=CaseState.ABSTAINED, draft_in=DraftState.REJECTED)
    return "The rejection is taken back; the draft waits for review again."


def _escalation(undoing: _Undo) -> str:
    _check_in_time(undoing)
    _back_in_review(undoing, case_in=CaseState.ESCALATED, draft_in=DraftState.CLOSED)
    return "The hand-over is taken back; the draft waits for review again."


def _snooze(undoing: _Undo) -> str:
    _check_in_time(undoing)
    file, now = undoing.file, undoing.opened.now
    if file.draft.state is not DraftState.PENDING:
        raise undoing.refuse(f"the draft is {file.draft.state} by now")
    if file.snoozed_until is None or file.snoozed_until <= now:
        raise undoing.refuse("the draft is back in the queue already")
    snooze_draft(undoing.tx, file, until=None, actor=undoing.opened.actor, now=now)
    return "The draft is back in the queue."


def _another_text(undoing: _Undo) -> str:
    """Take back what asked for another text: before the graph has written it, or while nobody touched it."""
    _check_in_time(undoing)
    case, was = undoing.opened.case, "the text before waits for review again."
    if case.state is CaseState.SCREENED and _is_last_word(undoing):
        _reopen_before(undoing)
        move(undoing.tx, undoing.opened, to=CaseState.IN_REVIEW, reason=f"{undoing.review.verdict}_undone")
        _decide_again(undoing)
        return f"No other text is written; {was}"
    _drop_newer(undoing)
    _reopen_before(undoing)
    _decide_again(undoing)
    return f"The newer text is dropped; {was}"


def _edit(undoing: _Undo) -> str:
    _check_in_time(undoing)
    _drop_newer(undoing)
    _reopen_before(undoing)
    return "The edit is taken back; the text before waits for review again."


def _drop_newer(undoing: _Undo) -> None:
    """Withdraw the version that came of the verdict, if nothing was said or decided about it since."""
    tx, case, opened = undoing.tx, undoing.opened.case, undoing.opened
    versions = drafts_of_case(tx.conn, case.id)
    newer, between = versions[-1], versions[undoing.file.draft.version : -1]
    if case.state is not CaseState.IN_REVIEW or newer.draft.state is not DraftState.PENDING:
        raise undoing.refuse(f"its case is {case.state} by now")
    by = newer.claimed_by if newer.claimed_until and newer.claimed_until > opened.now else None
    for holds, why in (
        (any(reviews_of_draft(tx.conn, one.draft.id) for one in between), "there are newer texts by now"),
        (bool(reviews_of_draft(tx.conn, newer.draft.id)), f"{newer.draft.id} was reviewed already"),
        (by not in (None, opened.reviewer), f"{by} is reading the newer text, {newer.draft.id}"),
    ):
        if holds:
            raise undoing.refuse(why)
    set_draft_states(
        tx,
        [newer.draft.id],
        to=DraftState.SUPERSEDED,
        reason=f"{undoing.review.verdict}_undone",
        at=opened.now,
        actor=opened.actor,
    )


def _reopen_before(undoing: _Undo) -> None:
    """Let the draft that the verdict was about wait again."""
    file, opened = undoing.file, undoing.opened
    if file.draft.state is not DraftState.SUPERSEDED:
        raise undoing.refuse(f"the draft is {file.draft.state} by now")
    if file.draft.expires_at <= opened.now:
        raise undoing.refuse("the text before has expired")
    reason = f"{undoing.review.verdict}_undone"
    reopen_draft(undoing.tx, file, reason=reason, actor=opened.actor, now=opened.now)


def _decide_again(undoing: _Undo) -> None:
    """Decide as the draft proposes; what the graph may be deciding meanwhile comes too late by that."""
    decide_in_review(
        undoing.tx,
        undoing.opened,
        undoing.opened.case,
        kind=DecisionKind.CONTACT,
        reason=f"{undoing.review.verdict}_undone",
        explanation=_PROPOSED_AGAIN,
        before=get_decision(undoing.tx.conn, undoing.file.draft.decision_id),
    )


def _never(undoing: _Undo) -> str:
    raise undoing.refuse("an undo is not undone; give the verdict again")


_UNDO: Final[Mapping[ReviewVerdict, Callable[[_Undo], str]]] = {
    ReviewVerdict.APPROVE: _approval,
    ReviewVerdict.REJECT: _rejection,
    ReviewVerdict.ESCALATE: _escalation,
    ReviewVerdict.SNOOZE: _snooze,
    ReviewVerdict.EDIT: _edit,
    ReviewVerdict.REDRAFT: _another_text,
    ReviewVerdict.CHANNEL: _another_text,
    ReviewVerdict.UNDO: _never,
}


def _check_in_time(undoing: _Undo) -> None:
    allowed = undoing.desk.rules.undo_verdicts
    if undoing.opened.now - undoing.review.at > allowed:
        minutes = allowed.total_seconds() / 60
        raise undoing.refuse(f"it was given more than {minutes:g} min ago")


def _back_in_review(undoing: _Undo, *, case_in: CaseState, draft_in: DraftState) -> None:
    """Let the draft wait again, if its case is as the verdict left it."""
    case, file = undoing.opened.case, undoing.file
    if case.state is not case_in or not _is_last_word(undoing):
        raise undoing.refuse(f"its case is {case.state} by now")
    if file.draft.state is not draft_in:
        raise undoing.refuse(f"the draft is {file.draft.state} by now")
    opened, verdict = undoing.opened, undoing.review.verdict
    reopen_draft(undoing.tx, file, reason=f"{verdict}_undone", actor=opened.actor, now=opened.now)
    decide_in_review(
        undoing.tx,
        opened,
        case,
        kind=DecisionKind.CONTACT,
        reason=f"{verdict}_undone",
        explanation=_PROPOSED_AGAIN,
    )
    move(undoing.tx, opened, to=CaseState.IN_REVIEW, reason=f"{verdict}_undone")


def _is_last_word(undoing: _Undo) -> bool:
    """Whether nothing was decided about the case since the verdict."""
    decision = undoing.decision
    if decision is None:
        return False
    if undoing.review.verdict in _NO_DECISION:
        return decision.at <= undoing.review.at
    return decision.stage is Stage.REVIEW and decision.at == undoing.review.at
