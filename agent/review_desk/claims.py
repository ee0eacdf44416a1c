"""Opening drafts: a claim keeps others away while a reviewer reads, and the time they spend is measured."""

from collections.abc import Sequence

from agent.domain.drafts import DraftId
from agent.domain.queue import QueueFilter
from agent.domain.reviewers import Act
from agent.errors import ConflictError, NotFoundError
from agent.review_desk.opening import Desk
from agent.review_desk.showing import show
from agent.review_desk.views import DraftView
from agent.store.draft_claims import claim_draft, release_claim, renew_claim
from agent.store.drafts import get_draft
from agent.store.review_queue import next_free


def claim(desk: Desk, draft_id: str, *, reviewer: str) -> int:
    """Reserve a draft for a reviewer; return its lock version."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.CLAIM)
    with desk.store.write() as tx:
        return claim_draft(tx, draft_id, actor=actor, now=now, until=now + desk.rules.claim)


def open_for(desk: Desk, draft_id: str, *, reviewer: str) -> DraftView:
    """Claim a draft and show it."""
    claim(desk, draft_id, reviewer=reviewer)
    return show(desk, draft_id, reviewer=reviewer)


def next_draft(desk: Desk, *, reviewer: str, wanted: QueueFilter, skip: Sequence[str]) -> DraftId | None:
    """Return the first draft of the queue that a reviewer may open, their own claims included."""
    desk.roster.check(reviewer, Act.CLAIM)
    with desk.store.read() as conn:
        found = next_free(conn, wanted, reviewer=reviewer, now=desk.clock(), skip=skip)
    return DraftId(found) if found else None


def renew(desk: Desk, draft_id: str, *, reviewer: str) -> None:
    """Let a reviewer's claim end later."""
    now, actor = desk.clock(), desk.actor(reviewer, Act.CLAIM)
    with desk.store.write() as tx:
        renew_claim(tx, draft_id, actor=actor, now=now, until=now + desk.rules.claim)


def release(desk: Desk, draft_id: str, *, reviewer: str) -> None:
    """End a claim: one's own, or another's where the role allows it."""
    desk.roster.check(reviewer, Act.CLAIM)
    now = desk.clock()
    with desk.store.write() as tx:
        file = get_draft(tx.conn, draft_id)
        if file is None:
            raise NotFoundError(f"there is no draft {draft_id}")
        if file.claimed_by is None:
            raise ConflictError(f"nobody holds draft {draft_id}")
        act = Act.CLAIM if file.claimed_by == reviewer else Act.RELEASE
        release_claim(tx, file, actor=desk.actor(reviewer, act), now=now)
