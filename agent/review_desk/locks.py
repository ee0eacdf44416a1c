"""Why a draft cannot be approved now, each reason with what to do about it."""

from collections.abc import Iterator
from datetime import datetime

from agent.domain.cases import Case, CaseState
from agent.domain.drafts import DraftState
from agent.domain.reviewers import Act
from agent.review_desk.opening import Desk
from agent.review_desk.views import Lock
from agent.store.drafts import DraftFile


def locks_of(
    desk: Desk, case: Case, file: DraftFile, *, reviewer: str | None, now: datetime
) -> tuple[Lock, ...]:
    """Return what keeps a draft from being approved, the most lasting reason first.

    Args:
        desk: The desk.
        case: The draft's case.
        file: The draft.
        reviewer: Who would approve; None leaves out what depends on the person.
        now: Now.
    """
    if file.draft.state is not DraftState.PENDING or case.state is not CaseState.IN_REVIEW:
        words = f"The draft is {file.draft.state.value}, its case {case.state.value}."
        return (Lock(kind="case_moved", words=words, remedy="Go on to the next one."),)
    return (
        *_of_the_draft(desk, case, file, now=now),
        *(locks_of_person(desk, file, reviewer, now=now) if reviewer is not None else ()),
        *_of_the_claim(file, reviewer, now=now),
    )


def _of_the_draft(desk: Desk, case: Case, file: DraftFile, *, now: datetime) -> Iterator[Lock]:
    if file.draft.expires_at <= now:
        yield Lock(
            kind="expired",
            words=f"It expired at {file.draft.expires_at:%Y-%m-%d %H:%M} UTC.",
            remedy="The case is drafted anew while there is time; go on to the next one.",
        )
    compiled = desk.playbooks.get(case.scenario)
    current = compiled.playbook.ref if compiled else "no longer in use"
    if current != file.draft.message.policy:
        yield Lock(
            kind="stale_facts",
            words=f"It was written by {file.draft.message.policy}; the playbook is {current} by now.",
            remedy="Approving has the case drafted anew; reject it if the playbook is gone.",
        )


def needs_second(desk: Desk, file: DraftFile) -> bool:
    """Whether two people must approve a draft."""
    compiled = desk.playbooks.get(file.scenario)
    return compiled is not None and desk.rules.needs_second(
        purpose=compiled.playbook.purpose, stake=file.stake
    )


def locks_of_person(desk: Desk, file: DraftFile, reviewer: str, *, now: datetime) -> Iterator[Lock]:
    """Yield what keeps this reviewer from approving a pending draft, the most lasting reason first."""
    if not desk.roster.may(reviewer, Act.APPROVE):
        role = desk.roster.role_of(reviewer)
        yield Lock(
            kind="role",
            words=f"{reviewer} is {role.value if role else 'no reviewer'} and may not approve.",
            remedy="Ask a reviewer.",
        )
    if is_own_edit(desk, file, reviewer):
        yield Lock(
            kind="own_edit",
            words="You wrote this version; somebody else must approve it.",
            remedy="Release it for another reviewer; who works alone sets `own_edits: allow` in the rules.",
        )
    if file.first_approver == reviewer and needs_second(desk, file):
        yield Lock(
            kind="second_person",
            words="You approved it already; a second person must approve it too.",
            remedy="Release it for another reviewer, or take your approval back.",
        )
    left = floor_left(desk, file, reviewer, now=now)
    if left is not None:
        yield Lock(
            kind="floor",
            words=f"It was opened less than {desk.rules.floor.total_seconds():g} s ago.",
            remedy=f"Read it; approving is possible from {left:%H:%M:%S} UTC on.",
        )


def _of_the_claim(file: DraftFile, reviewer: str | None, *, now: datetime) -> Iterator[Lock]:
    if file.claimed_by not in (None, reviewer) and file.claimed_until and file.claimed_until > now:
        yield Lock(
            kind="claimed",
            words=f"{file.claimed_by} has it until {file.claimed_until:%H:%M:%S} UTC.",
            remedy="Take another one; a lead may release it.",
        )


def is_own_edit(desk: Desk, file: DraftFile, reviewer: str) -> bool:
    """Whether a reviewer wrote this version and so may not approve it."""
    return desk.rules.own_edits == "forbid" and file.draft.author == reviewer


def floor_left(desk: Desk, file: DraftFile, reviewer: str, *, now: datetime) -> datetime | None:
    """Return from when on approving is allowed, or None when it is; only what was opened here has to wait."""
    if file.claimed_by != reviewer or file.claimed_at is None:
        return None
    allowed_at = file.claimed_at + desk.rules.floor
    return allowed_at if now < allowed_at else None
