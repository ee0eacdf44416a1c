"""Computing proposals from what reviewers did, and keeping what leads decided about them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from agent.canonical import text_hash
from agent.domain.audit import Actor, ActorKind
from agent.domain.drafts import ReviewVerdict
from agent.review_desk.answers import RejectReason
from agent.review_desk.intervals import share
from agent.review_desk.opening import Desk
from agent.review_desk.proposals.folders import Folders
from agent.review_desk.proposals.from_edits import from_edits
from agent.review_desk.proposals.from_rejects import Rejections, from_rejects
from agent.review_desk.proposals.from_words import from_words
from agent.review_desk.proposals.proposed import Proposed
from agent.store.lessons import count_verdicts, edits_since, judged_since, said_since
from agent.store.proposals import (
    Proposal,
    ProposalState,
    all_proposals,
    decide_proposal,
    record_proposals,
    renew_proposal,
)

_SYSTEM: Final = Actor(kind=ActorKind.SYSTEM, id="review_desk")
_ENDS: Final = frozenset({ReviewVerdict.APPROVE, ReviewVerdict.REJECT, ReviewVerdict.ESCALATE})
"""Verdicts that end a draft; the others ask for another text."""
_ANSWERABLE: Final = (RejectReason.NOT_USEFUL, RejectReason.BAD_TIMING, RejectReason.WRONG_FACTS)
_TWICE: Final = 2


def proposals(desk: Desk, folders: Folders) -> list[Proposal]:
    """Compute what reviews suggest now, keep it, and return the open proposals, the most frequent first.

    One that was dismissed stays so until it has been seen twice as often; one that was accepted counts only
    what happened since.
    """
    now = desk.clock()
    with desk.store.read() as conn:
        known = {one.id: one for one in all_proposals(conn)}
        found = list(_compute(desk, conn, folders, known, now=now))
    current = {one.id: _kept(one, known.get(one.id), now=now) for one in found}
    new = [one for one in current.values() if one.id not in known]
    renewed = [one for one in current.values() if one.id in known and one != known[one.id]]
    gone = [one for one in known.values() if one.state is ProposalState.OPEN and one.id not in current]
    if new or renewed or gone:
        with desk.store.write() as tx:
            record_proposals(tx, new, at=now, actor=_SYSTEM)
            for one in renewed:
                renew_proposal(tx, one, at=now, actor=_SYSTEM)
            for one in gone:
                words = "nothing speaks for it any more"
                decide_proposal(tx, one, to=ProposalState.WITHDRAWN, words=words, at=now, actor=_SYSTEM)
    open_ones = [one for one in current.values() if one.state is ProposalState.OPEN]
    return sorted(open_ones, key=lambda one: (-one.count, one.id))


def _compute(
    desk: Desk, conn: Connection, folders: Folders, known: Mapping[str, Proposal], *, now: datetime
) -> Iterator[Proposed]:
    rule, since = desk.rules.proposals, now - desk.rules.proposals.window
    accepted = {
        one.id: one.decided_at
        for one in known.values()
        if one.state is ProposalState.ACCEPTED and one.decided_at is not None
    }
    yield from from_edits(
        edits_since(conn, since),
        folder=folders.templates,
        playbooks=desk.playbooks,
        at_least=rule.min_edits,
        accepted=accepted,
    )
    said = said_since(conn, since, code=RejectReason.TONE)
    yield from from_words(said, folder=folders.prompts, at_least=rule.min_edits, accepted=accepted)
    rejections = list(_rejections(desk, conn, known, since=since))
    yield from from_rejects(rejections, folder=folders.playbooks, now=now)


def _rejections(
    desk: Desk, conn: Connection, known: Mapping[str, Proposal], *, since: datetime
) -> Iterator[Rejections]:
    """Yield the reasons to reject that are surely frequent, counted since a change was last accepted."""
    rule = desk.rules.proposals
    for scenario, compiled in desk.playbooks.items():
        for reason in _ANSWERABLE:
            start = max([since, *_answered(known, compiled.path.name, reason)])
            counts = [
                one
                for one in count_verdicts(conn, start, codes=[reason.value])
                if one.scenario == scenario and one.verdict in _ENDS
            ]
            rejected = sum(one.count for one in counts if one.code == reason)
            seen = share(rejected, sum(one.count for one in counts))
            if rejected >= rule.min_rejects and seen.low_ppm > rule.min_share:
                yield Rejections(
                    compiled=compiled,
                    reason=reason,
                    share=seen,
                    rejected=tuple(judged_since(conn, start, scenario=scenario, code=reason)),
                    approved=tuple(judged_since(conn, start, scenario=scenario, code=None)),
                )


def _answered(known: Mapping[str, Proposal], file_name: str, reason: RejectReason) -> Iterator[datetime]:
    """Yield from when on rejections count after changes of a playbook for this reason were accepted."""
    for one in known.values():
        same = one.kind == "rule" and one.key.startswith(f"{reason}:") and Path(one.target).name == file_name
        if same and one.state is ProposalState.ACCEPTED and one.decided_at:
            yield one.decided_at + timedelta.resolution


def _kept(found: Proposed, before: Proposal | None, *, now: datetime) -> Proposal:
    """Return a computed proposal with what is known about it."""
    fresh = Proposal(
        id=found.id,
        kind=found.kind,
        key=found.key,
        target=found.target,
        base=found.base,
        title=found.title,
        why=found.why,
        count=found.count,
        reviewers=found.reviewers,
        examples=found.examples,
        diff=found.diff,
        patch=found.patch,
        before_hash=text_hash(found.before),
        after=found.after,
        state=ProposalState.OPEN,
        created_at=before.created_at if before else now,
        decided_by=None,
        decided_at=None,
        words="",
    )
    if before is None or before.state in {ProposalState.WITHDRAWN, ProposalState.ACCEPTED}:
        return fresh
    if before.state is ProposalState.DISMISSED and found.count < _TWICE * before.count:
        return before
    return replace(fresh, created_at=before.created_at)
