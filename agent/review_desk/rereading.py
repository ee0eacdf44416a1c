"""Reading the facts of a draft from their sources again, without deciding anything about the text."""

from agent.domain.reviewers import Act
from agent.review_desk.answers import Approval
from agent.review_desk.approval import look_again, refuse_expired
from agent.review_desk.opening import Desk, open_draft


def reread(desk: Desk, draft_id: str, *, reviewer: str) -> Approval | None:
    """Read the facts again; None when the draft still rests on what is true.

    What changed or cleared leaves the queue, as it would on approval, and the answer says so.
    """
    now, actor = desk.clock(), desk.actor(reviewer, Act.CLAIM)
    with desk.store.read() as conn:
        opened = open_draft(conn, draft_id, actor=actor, shown=None, now=now)
    refuse_expired(desk, opened)
    return look_again(desk, opened, desk.playbook(opened.case.scenario))
