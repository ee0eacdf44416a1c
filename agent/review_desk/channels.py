"""Another channel for the same message: the graph writes its text anew, and a person reviews that one."""

from datetime import datetime

from sqlalchemy import Connection

from agent.domain.cases import Case, CaseState
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.domain.reviewers import Act
from agent.errors import NotFoundError, RefusedError
from agent.review_desk.answers import VerdictAnswer
from agent.review_desk.opening import Desk, draft_and_case, lock_case, move, open_draft, take, write_review
from agent.review_desk.views import ChannelChoice
from agent.store.cases import assign_situations
from agent.store.situations import get_situation, open_situation
from agent.store.work import enqueue
from policies.engine import evaluate_gates
from policies.model import Playbook
from policies.verdict import Outcome
from tools.records.vocabulary import ChannelKind


def change_channel(
    desk: Desk, draft_id: str, *, reviewer: str, channel: ChannelKind, seconds: int | None
) -> VerdictAnswer:
    """Have the message written for another channel of the playbook, if it may be used now."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.CHANNEL)
    with desk.store.write() as tx:
        opened = open_draft(tx.conn, draft_id, actor=actor, shown=None, now=now)
        case = lock_case(tx, opened)
        message = opened.file.draft.message
        if message.channel is channel:
            raise RefusedError(f"draft {draft_id} goes by {channel} already")
        _check_usable(desk, tx.conn, case, desk.playbook(case.scenario), channel, now=now)
        take(tx, opened, to=DraftState.SUPERSEDED, reason="channel")
        write_review(tx, opened, ReviewVerdict.CHANNEL, reason=channel, seconds=seconds)
        before = get_situation(tx.conn, case.situation_id) if case.situation_id else None
        situation_id = open_situation(
            tx,
            case,
            channel=channel,
            # the customer's own: another channel may have a text in their language where this one had none
            locale=before.locale if before else message.locale,
            categories=before.categories if before else (),
            instruction=None,
            at=now,
        )
        assign_situations(tx, {case.id: situation_id})
        move(tx, opened, to=CaseState.SCREENED, reason="channel")
        enqueue(tx, key=f"deliberate:{situation_id}", kind="deliberate", ref=situation_id, at=now)
    return VerdictAnswer(
        outcome="done",
        message=f"A text for {channel} was asked for; it will wait for review.",
        undo_until=now + desk.rules.undo_verdicts,
        situation_id=situation_id,
    )


def other_channels(desk: Desk, draft_id: str) -> tuple[ChannelChoice, ...]:
    """Return every channel but the draft's own, each with why it cannot be used now.

    Raises:
        NotFoundError: There is no such draft, or nothing is known about its customer.
        RefusedError: The playbook is no longer in use.
    """
    now = desk.clock()
    with desk.store.read() as conn:
        file, case = draft_and_case(conn, draft_id)
        playbook = desk.playbook(case.scenario)
        usable = usable_channels(desk, conn, case, playbook, now=now)
    absent = f"The playbook {playbook.scenario} does not use it."
    return tuple(
        ChannelChoice(channel=kind, closed=usable.get(kind, absent))
        for kind in ChannelKind
        if kind is not file.draft.message.channel
    )


def usable_channels(
    desk: Desk, conn: Connection, case: Case, playbook: Playbook, *, now: datetime
) -> dict[ChannelKind, str]:
    """Return each channel of a playbook with why it cannot be used now; an empty reason where it can."""
    candidate = desk.candidates(conn, [case], now=now).get(case.id)
    if candidate is None:
        raise NotFoundError(f"nothing is known about the customer of case {case.id}")
    found: dict[ChannelKind, str] = {}
    for entry in playbook.channels:
        ruling = evaluate_gates(candidate, playbook, desk.limits, now=now, only=entry.kind).ruling
        passes = ruling.outcome in {Outcome.PASS, Outcome.NEEDS_REVIEW}
        found[entry.kind] = "" if passes else ruling.reason
    return found


def _check_usable(
    desk: Desk, conn: Connection, case: Case, playbook: Playbook, channel: ChannelKind, *, now: datetime
) -> None:
    usable = usable_channels(desk, conn, case, playbook, now=now)
    if channel not in usable:
        known = ", ".join(usable)
        raise RefusedError(f"the playbook {playbook.scenario} has no channel {channel}; it has {known}")
    if usable[channel]:
        raise RefusedError(f"{channel} cannot be used now: {usable[channel]}")
