"""Whether the people approved a draft who must, asked again at the moment of sending."""

from dataclasses import dataclass

from sqlalchemy import Connection

from agent.domain.drafts import DraftState, Review, ReviewVerdict
from agent.store.drafts import DraftFile
from agent.store.reviews import reviews_of_draft, standing
from agent.store.situation_openings import lacks_first_approval
from policies.model import Playbook
from policies.review_rules import ReviewRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The approvals of one draft's text that were not taken back."""

    deciding: Review
    """The one that the delivery was made from."""
    others: tuple[Review, ...]
    """Those by other people."""


def approvals_of(conn: Connection, file: DraftFile, review_id: str | None) -> Approvals | None:
    """Return the approvals that stand, all of them of what the draft says now.

    None when the one that the delivery was made from is missing, taken back, or of something else.
    """
    found = [
        review
        for review in standing(reviews_of_draft(conn, file.draft.id))
        if review.verdict is ReviewVerdict.APPROVE and review.content_hash == file.content_hash
    ]
    deciding = next((review for review in found if review.id == review_id), None)
    if deciding is None or file.draft.state is not DraftState.APPROVED:
        return None
    others = tuple(review for review in found if review.reviewer != deciding.reviewer)
    return Approvals(deciding=deciding, others=others)


def why_not_enough(
    conn: Connection, file: DraftFile, approvals: Approvals, *, playbook: Playbook, rules: ReviewRules
) -> tuple[str, str] | None:
    """Return a code and a sentence when the rules, as they are now, want more people than approved.

    Args:
        conn: The database.
        file: The draft.
        approvals: Who approved it.
        playbook: The one in force.
        rules: Whom the rules want.
    """
    author = file.draft.author if rules.own_edits == "forbid" else None
    if approvals.deciding.reviewer == author:
        return "own_edit_approved", "Its author approved it; the rules want somebody else."
    second = any(review.reviewer != author for review in approvals.others)
    if second:
        return None
    words = "Two different people must approve it, and only one approval of this text stands."
    if rules.needs_second(purpose=playbook.purpose, stake=file.stake):
        return "second_approval_missing", words
    if file.situation_id and lacks_first_approval(
        conn, file.situation_id, approvals.deciding, recipients=rules.four_eyes.recipients
    ):
        return "second_approval_missing", "So many drafts at once must be approved by two people; one did."
    return None
