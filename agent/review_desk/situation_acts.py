"""The part of the review desk that decides many drafts at once."""

from collections.abc import Collection

from agent.review_desk.answers import RejectReason
from agent.review_desk.opening import Desk
from agent.review_desk.situations import opening, verdicts
from agent.review_desk.situations.bulk import Progress
from agent.review_desk.situations.shown import SituationAnswer, SituationItem, SituationView


class SituationActs:
    """Situations: listed, opened with a sample and everyone who stands out, decided as one."""

    _desk: Desk

    def situations(self, *, limit: int = 50) -> list[SituationItem]:
        """Return situations with more than one waiting draft, the most urgent first."""
        return opening.situations(self._desk, limit=limit)

    def open_situation(self, situation_id: str, *, reviewer: str) -> SituationView:
        """Return a situation as a reviewer sees it; what was shown is kept, and a verdict is bound to it.

        Raises:
            NotFoundError: No such situation waits with several drafts.
            RefusedError: The reviewer may not decide.
        """
        return opening.open_situation(self._desk, situation_id, reviewer=reviewer)

    def approve_situation(
        self,
        situation_id: str,
        *,
        reviewer: str,
        shown: str,
        leave_out: Collection[str] = (),
        progress: Progress | None = None,
    ) -> SituationAnswer:
        """Approve what was shown; the facts of every draft are read again first.

        A run that was killed is resumed by the same call: what is decided stays decided.

        Args:
            situation_id: The situation.
            reviewer: Who approves.
            shown: The digest of what was on the screen, at least its first six characters.
            leave_out: Drafts that stay for a look of their own.
            progress: Called after each chunk.

        Raises:
            RefusedError: It was not shown to this reviewer, changed since, or may not be approved by them.
        """
        return verdicts.approve_situation(
            self._desk, situation_id, reviewer=reviewer, shown=shown, leave_out=leave_out, progress=progress
        )

    def reject_situation(
        self,
        situation_id: str,
        *,
        reviewer: str,
        shown: str,
        reason: RejectReason,
        words: str = "",
        leave_out: Collection[str] = (),
        progress: Progress | None = None,
    ) -> SituationAnswer:
        """Decide that none of these customers is written to about this.

        Raises:
            RefusedError: As `approve_situation`.
        """
        return verdicts.reject_situation(
            self._desk,
            situation_id,
            reviewer=reviewer,
            shown=shown,
            reason=reason,
            words=words,
            leave_out=leave_out,
            progress=progress,
        )

    def redraft_situation(
        self,
        situation_id: str,
        *,
        reviewer: str,
        shown: str,
        instruction: str,
        leave_out: Collection[str] = (),
        progress: Progress | None = None,
    ) -> SituationAnswer:
        """Ask for another text for all of them in the reviewer's words.

        Raises:
            RefusedError: As `approve_situation`, or the instruction is empty.
        """
        return verdicts.redraft_situation(
            self._desk,
            situation_id,
            reviewer=reviewer,
            shown=shown,
            instruction=instruction,
            leave_out=leave_out,
            progress=progress,
        )

    def escalate_situation(
        self,
        situation_id: str,
        *,
        reviewer: str,
        shown: str,
        words: str,
        queue: str | None = None,
        leave_out: Collection[str] = (),
        progress: Progress | None = None,
    ) -> SituationAnswer:
        """Hand all these cases to people, of the playbook's queue if none is named.

        Raises:
            RefusedError: As `approve_situation`, or there is no such queue.
        """
        return verdicts.escalate_situation(
            self._desk,
            situation_id,
            reviewer=reviewer,
            shown=shown,
            words=words,
            queue=queue,
            leave_out=leave_out,
            progress=progress,
        )
