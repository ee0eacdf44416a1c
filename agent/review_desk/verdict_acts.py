"""The part of the review desk that reviewers use on one draft: every verdict, and taking it back."""

from dataclasses import replace
from datetime import datetime

from agent.composition import relevant_facts
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.review_desk import approval, channels, edits, rereading, undo, verdicts
from agent.review_desk.answers import Approval, OwnScore, RejectReason, VerdictAnswer
from agent.review_desk.opening import Desk
from agent.review_desk.seeds import judging, planting
from agent.review_desk.showing import show
from agent.review_desk.text_checks import TextChecks
from agent.review_desk.views import ChannelChoice, DraftView, TextCheck
from tools.records.vocabulary import ChannelKind


class VerdictActs:
    """What can be said about one draft; every verdict is one transaction."""

    _desk: Desk
    _checks: TextChecks

    def check_text(self, draft_id: str, *, subject: str, body: str) -> TextCheck:
        """Return what the guards say about a text as it is typed; nothing is recorded.

        Raises:
            NotFoundError: There is no such draft.
        """
        return self._checks.check(judging.draft_behind(self._desk, draft_id), subject=subject, body=body)

    def approve(self, draft_id: str, *, reviewer: str, shown: str, seconds: int | None = None) -> Approval:
        """Approve exactly what was shown; the facts are read again first.

        Where two people must approve, the first approval leaves the draft in the queue for the other.

        Args:
            draft_id: The draft.
            reviewer: Who approves.
            shown: The content hash of what was on the screen, at least its first six characters.
            seconds: How long the reviewer looked at it, if they did not open it at the desk.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: Somebody else was faster or holds it.
            RefusedError: It expired, something else was shown, the facts cannot be read now, or this person
                may not approve it: their role, their own words, their own first approval, or too early.
        """
        if judging.is_seed(draft_id):
            return judging.approve_seed(self._desk, draft_id, reviewer=reviewer, shown=shown, seconds=seconds)
        return approval.approve(self._desk, draft_id, reviewer=reviewer, shown=shown, seconds=seconds)

    def edit(
        self,
        draft_id: str,
        *,
        reviewer: str,
        shown: str,
        subject: str,
        body: str,
        seconds: int | None = None,
    ) -> VerdictAnswer:
        """Replace the text; the answer's `draft_id` is the new version, which waits for approval.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: Somebody else was faster or holds it.
            RefusedError: A guard refuses the text, or something else was shown.
        """
        change = judging.edit_seed if judging.is_seed(draft_id) else edits.edit
        return change(
            self._desk, draft_id, reviewer=reviewer, shown=shown, subject=subject, body=body, seconds=seconds
        )

    def reject(
        self,
        draft_id: str,
        *,
        reviewer: str,
        reason: RejectReason,
        words: str = "",
        seconds: int | None = None,
    ) -> VerdictAnswer:
        """Decide that the customer is not written to about this case.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: Somebody else was faster or holds it.
        """
        if judging.is_seed(draft_id):
            return judging.judge(
                self._desk, draft_id, ReviewVerdict.REJECT, reviewer=reviewer, seconds=seconds
            )
        return verdicts.reject(
            self._desk, draft_id, reviewer=reviewer, reason=reason, words=words, seconds=seconds
        )

    def redraft(
        self, draft_id: str, *, reviewer: str, instruction: str, seconds: int | None = None
    ) -> VerdictAnswer:
        """Ask for another text in the reviewer's words; a person sees that one too.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: Somebody else was faster or holds it.
            RefusedError: The instruction is empty.
        """
        if judging.is_seed(draft_id) and instruction.strip():
            return judging.judge(
                self._desk, draft_id, ReviewVerdict.REDRAFT, reviewer=reviewer, seconds=seconds
            )
        return verdicts.redraft(
            self._desk, draft_id, reviewer=reviewer, instruction=instruction, seconds=seconds
        )

    def channels(self, draft_id: str, *, reviewer: str) -> tuple[ChannelChoice, ...]:
        """Return every channel but the draft's own, each with why it cannot be used now.

        Raises:
            NotFoundError: There is no such draft.
            RefusedError: The playbook is no longer in use.
        """
        return channels.other_channels(
            self._desk, judging.real_draft(self._desk, draft_id, reviewer=reviewer)
        )

    def change_channel(
        self, draft_id: str, *, reviewer: str, channel: ChannelKind, seconds: int | None = None
    ) -> VerdictAnswer:
        """Have the message written for another channel of the playbook; a person sees that text too.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: Somebody else was faster or holds it.
            RefusedError: The playbook has no such channel, or its gates do not pass now.
        """
        real = judging.real_draft(self._desk, draft_id, reviewer=reviewer)
        return channels.change_channel(self._desk, real, reviewer=reviewer, channel=channel, seconds=seconds)

    def snooze(
        self, draft_id: str, *, reviewer: str, until: datetime, seconds: int | None = None
    ) -> VerdictAnswer:
        """Hide a draft from the queue until an instant before it expires.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: Somebody else was faster or holds it.
            RefusedError: The instant is over, without a zone, or not before the draft expires.
        """
        real = judging.real_draft(self._desk, draft_id, reviewer=reviewer)
        return verdicts.snooze(self._desk, real, reviewer=reviewer, until=until, seconds=seconds)

    def escalate(
        self,
        draft_id: str,
        *,
        reviewer: str,
        words: str,
        queue: str | None = None,
        seconds: int | None = None,
    ) -> VerdictAnswer:
        """Hand the case to people instead of sending a message.

        Args:
            draft_id: The draft.
            reviewer: Who decides.
            words: What the people who take over should know.
            queue: One of the review rules; the playbook's own without it.
            seconds: How long the reviewer looked at it, if they did not open it at the desk.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: Somebody else was faster or holds it.
            RefusedError: There is no such queue, or the playbook is gone.
        """
        if judging.is_seed(draft_id):
            return judging.judge(
                self._desk, draft_id, ReviewVerdict.ESCALATE, reviewer=reviewer, seconds=seconds
            )
        return verdicts.escalate(
            self._desk, draft_id, reviewer=reviewer, words=words, queue=queue, seconds=seconds
        )

    def undo(self, draft_id: str, *, reviewer: str) -> VerdictAnswer:
        """Take back the last verdict on a draft: one's own, or anybody's for a lead.

        An approval can be taken back until sending begins, a first approval while it waits for the second;
        a rejection, an escalation and a snooze within `undo_verdicts`, while the case has not moved on.

        Raises:
            NotFoundError: There is no such draft.
            RefusedError: It is too late, or the verdict is another's; the message says why.
        """
        return undo.undo(self._desk, draft_id, reviewer=reviewer)

    def reread(self, draft_id: str, *, reviewer: str) -> DraftView:
        """Read the facts from their sources again, without approving.

        A draft whose facts changed is stale by then and its case is drafted anew; one whose condition
        cleared is closed. The state of the draft in the view says which.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: It is no longer pending, or another reviewer holds it.
            RefusedError: It expired, or a source does not answer.
        """
        real = judging.real_draft(self._desk, draft_id, reviewer=reviewer)
        rereading.reread(self._desk, real, reviewer=reviewer)
        view = show(self._desk, real, reviewer=reviewer)
        if view.draft.draft.state is not DraftState.PENDING or view.decision is None:
            return view
        rests_on = relevant_facts(
            view.decision.facts, view.draft.draft.used, self._desk.playbook(view.case.scenario)
        )
        states = dict(view.fact_states)
        states.update((fact.name, "fresh") for fact in rests_on)
        fresh = replace(view, fact_states=states)
        return planting.again(self._desk, self._checks, fresh, reviewer=reviewer)

    def look(self, draft_id: str, *, reviewer: str) -> DraftView:
        """Return a draft as this reviewer would see it opened, without holding it.

        Now and then that is a planted draft, the same as when it is opened; until they have judged it they
        see no other.

        Raises:
            NotFoundError: There is no such draft.
        """
        view = show(self._desk, draft_id, reviewer=reviewer)
        return planting.instead(self._desk, self._checks, view, reviewer=reviewer)

    def before(self, draft_id: str, *, reviewer: str) -> DraftView:
        """Return what this reviewer has before them since they saw it, or else the draft as it is.

        For commands, which name a draft by its id: verdicts quote the view's `ticket`.

        Raises:
            NotFoundError: There is no such draft.
        """
        view = show(self._desk, draft_id, reviewer=reviewer)
        return planting.again(self._desk, self._checks, view, reviewer=reviewer)

    def own_score(self, *, reviewer: str) -> OwnScore:
        """Return how many planted mistakes this reviewer noticed; for nobody else to ask.

        Raises:
            RefusedError: The person reviews nothing.
        """
        return judging.own_score(self._desk, reviewer=reviewer)
