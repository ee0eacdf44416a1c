"""The part of the review desk for those who answer for it: figures and proposals."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.review_desk.opening import Desk
from agent.review_desk.proposals.folders import Folders
from agent.review_desk.stats import Stats, stats
from agent.store.proposals import Proposal

if TYPE_CHECKING:
    from agent.review_desk.proposals.accepting import Accepted

__all__ = ["LeadActs", "Proposal"]


class LeadActs:
    """How the desk does, and what its verdicts suggest to change."""

    _desk: Desk
    _folders: Folders

    def stats(self, *, since: datetime, reviewer: str) -> Stats:
        """Return the figures since an instant, as far as this person may see them.

        Raises:
            RefusedError: The person may not look.
        """
        return stats(self._desk, since=since, reviewer=reviewer)

    def proposals(self) -> list[Proposal]:
        """Return what reviewers' edits, words and rejections suggest to change, the most frequent first."""
        from agent.review_desk.proposals.gathering import proposals

        return proposals(self._desk, self._folders)

    def accept_proposal(
        self, proposal_id: str, *, reviewer: str, words: str = "", patch: Path | None = None
    ) -> "Accepted":
        """Change the file as proposed, or write the change as a patch.

        Raises:
            NotFoundError: There is no such proposal.
            RefusedError: It is not open, its file has changed since, or the person may not accept it.
            ConflictError: Somebody else was faster.
            InputError: The file cannot be written.
        """
        from agent.review_desk.proposals.accepting import accept_proposal

        return accept_proposal(
            self._desk, self._folders, proposal_id, reviewer=reviewer, words=words, patch=patch
        )

    def dismiss_proposal(self, proposal_id: str, *, reviewer: str, words: str) -> None:
        """Put a proposal aside until it has been seen twice as often.

        Raises:
            NotFoundError: There is no such proposal.
            RefusedError: It is not open, or the person may not dismiss it.
            ConflictError: Somebody else was faster.
        """
        from agent.review_desk.proposals.accepting import dismiss_proposal

        dismiss_proposal(self._desk, proposal_id, reviewer=reviewer, words=words)
