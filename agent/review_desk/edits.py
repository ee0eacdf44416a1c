"""Editing: a reviewer's text becomes a new version that passes the same guards and waits for approval."""

from dataclasses import replace

from agent.domain.drafts import Draft, DraftId, DraftState, ReviewVerdict
from agent.domain.reviewers import Act
from agent.errors import NotFoundError, RefusedError
from agent.review_desk.answers import VerdictAnswer
from agent.review_desk.opening import Desk, Opened, lock_case, open_draft, take, write_review
from agent.review_desk.text_checks import Surroundings, with_text
from agent.store.decisions import last_decision
from agent.store.drafts import NewDraft, next_versions, record_drafts
from policies.guards.channels import segments
from policies.value import send_cost
from tools.records.vocabulary import ChannelKind


def edit(
    desk: Desk, draft_id: str, *, reviewer: str, shown: str, subject: str, body: str, seconds: int | None
) -> VerdictAnswer:
    """Replace the text by a new pending version; approvals of the old one do not carry over."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.EDIT)
    with desk.store.read() as conn:
        opened = open_draft(conn, draft_id, actor=actor, shown=shown, now=now)
        decision = last_decision(conn, opened.case.id)
        zone = desk.zone_of(conn, opened.case)
    if decision is None:
        raise NotFoundError(f"draft {draft_id} has no decision")
    old = opened.file.draft
    if (subject, body) == (old.message.subject, old.message.body):
        raise RefusedError("the text is the same as before")
    around = Surroundings.of(old, decision.facts, zone=zone, limits=desk.limits)
    findings = around.findings(subject, body)
    problems = [f"{finding.guard}: {finding.detail}" for finding in findings if not finding.ok]
    if problems:
        raise RefusedError("this text may not leave\n  " + "\n  ".join(problems))
    edited = with_text(old, subject=subject, body=body, findings=findings)
    new_id = _record(desk, opened, edited, seconds=seconds)
    return VerdictAnswer(
        outcome="done",
        message="Saved as a new version, which waits for approval.",
        undo_until=now + desk.rules.undo_verdicts,
        draft_id=new_id,
    )


def _record(desk: Desk, opened: Opened, edited: Draft, *, seconds: int | None) -> DraftId:
    case, now = opened.case, opened.now
    channel = edited.message.channel
    parts = segments(edited.message.body) if channel is ChannelKind.SMS else 1
    with desk.store.write() as tx:
        lock_case(tx, opened)
        take(tx, opened, to=DraftState.SUPERSEDED, reason="edited")
        write_review(tx, opened, ReviewVerdict.EDIT, reason="", seconds=seconds)
        new = replace(
            edited,
            id=DraftId(tx.ids.new("drf", at=now)),
            version=next_versions(tx.conn, [case.id])[case.id],
            state=DraftState.PENDING,
            created_at=now,
            review_reason=edited.review_reason or "edited",
            cost_micros=send_cost(desk.limits, channel) * parts,
            segments=parts,
            author=opened.reviewer,
        )
        record_drafts(
            tx,
            [
                NewDraft(
                    draft=new,
                    case=case,
                    value_micros=opened.file.value_micros,
                    stake=opened.file.stake,
                    risk=opened.file.risk,  # an edit does not make it wait longer
                    review_by=min(opened.file.review_by, new.expires_at),
                )
            ],
            actor=opened.actor,
        )
    return new.id
