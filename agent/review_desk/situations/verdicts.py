"""The four verdicts on a situation: approve, reject, redraft, escalate."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.domain.reviewers import Act
from agent.errors import RefusedError
from agent.review_desk.answers import RejectReason
from agent.review_desk.opening import Desk
from agent.review_desk.situations.approving import approve_chunk, first_of_two
from agent.review_desk.situations.bulk import Bulk, Fates, Progress, answer, begin
from agent.review_desk.situations.shown import SituationAnswer
from agent.review_desk.situations.writing import locked
from agent.review_desk.verdicts import named_queue
from agent.store.cases import assign_situations
from agent.store.drafts import DraftFile
from agent.store.situations import get_situation, open_situation
from agent.store.work import enqueue


def approve_situation(
    desk: Desk,
    situation_id: str,
    *,
    reviewer: str,
    shown: str,
    leave_out: Collection[str] = (),
    progress: Progress | None = None,
) -> SituationAnswer:
    """Approve what was shown, each draft on facts that are read again."""
    bulk = begin(
        desk, situation_id, reviewer=reviewer, act=Act.APPROVE, shown=shown, verdict=ReviewVerdict.APPROVE
    )
    looked_for = bulk.now - bulk.opening.opened_at
    if timedelta(0) < looked_for < desk.rules.floor:  # a clock that stands, as after a demo, measures nothing
        seconds = desk.rules.floor.total_seconds()
        raise RefusedError(f"nobody reads a situation in less than {seconds:g} s; look at it first")
    waits = first_of_two(bulk, leave_out)
    if waits is not None:
        return answer(waits, "Approved by you; a second person must approve the same drafts.")
    fates = bulk.run(
        lambda files, found: approve_chunk(bulk, files, found), leave_out=leave_out, progress=progress
    )
    return answer(fates, _sentence(fates, "approved and queued"))


def reject_situation(
    desk: Desk,
    situation_id: str,
    *,
    reviewer: str,
    shown: str,
    reason: RejectReason,
    words: str = "",
    leave_out: Collection[str] = (),
    progress: Progress | None = None,
) -> SituationAnswer:
    """Decide that none of these customers is written to about this."""
    bulk = begin(
        desk, situation_id, reviewer=reviewer, act=Act.REJECT, shown=shown, verdict=ReviewVerdict.REJECT
    )
    code = f"rejected_{reason}"

    def step(files: Sequence[DraftFile], fates: Fates) -> None:
        with desk.store.write() as tx:
            chunk = locked(tx, files, actor=bulk.actor, now=desk.clock())
            taken = chunk.take(files, fates, to=DraftState.REJECTED, reason=reason)
            chunk.review(taken, ReviewVerdict.REJECT, reason=f"{reason}: {words}".rstrip(": "))
            explanation = "A reviewer decided against the message."
            chunk.decide(taken, kind=DecisionKind.ABSTAIN, reason=code, explanation=explanation)
            chunk.move(taken, to=CaseState.ABSTAINED, reason=code)
        fates.put_all(taken, "done")

    fates = bulk.run(step, leave_out=leave_out, progress=progress)
    return answer(fates, _sentence(fates, f"rejected as {reason}"))


def redraft_situation(
    desk: Desk,
    situation_id: str,
    *,
    reviewer: str,
    shown: str,
    instruction: str,
    leave_out: Collection[str] = (),
    progress: Progress | None = None,
) -> SituationAnswer:
    """Ask for another text for all of them in the reviewer's words; one deliberation serves each chunk."""
    if not instruction.strip():
        raise RefusedError("say what the new text should do differently")
    bulk = begin(
        desk, situation_id, reviewer=reviewer, act=Act.REDRAFT, shown=shown, verdict=ReviewVerdict.REDRAFT
    )
    fates = bulk.run(
        lambda files, found: _redraft_chunk(bulk, files, found, instruction.strip()),
        leave_out=leave_out,
        progress=progress,
    )
    return answer(fates, _sentence(fates, "sent back for another text"))


def escalate_situation(
    desk: Desk,
    situation_id: str,
    *,
    reviewer: str,
    shown: str,
    words: str,
    queue: str | None = None,
    leave_out: Collection[str] = (),
    progress: Progress | None = None,
) -> SituationAnswer:
    """Hand all these cases to people instead of sending messages."""
    bulk = begin(
        desk, situation_id, reviewer=reviewer, act=Act.ESCALATE, shown=shown, verdict=ReviewVerdict.ESCALATE
    )
    with desk.store.read() as conn:
        situation = get_situation(conn, situation_id)
    to = named_queue(desk, situation.scenario if situation else "", queue)

    def step(files: Sequence[DraftFile], fates: Fates) -> None:
        with desk.store.write() as tx:
            chunk = locked(tx, files, actor=bulk.actor, now=desk.clock())
            taken = chunk.take(files, fates, to=DraftState.CLOSED, reason="escalated")
            chunk.review(taken, ReviewVerdict.ESCALATE, reason=words)
            if taken:
                chunk.decide(
                    taken,
                    kind=DecisionKind.ESCALATE,
                    reason="reviewer",
                    explanation="A reviewer asked people to take over.",
                    queue=to,
                )
            chunk.move(taken, to=CaseState.ESCALATED, reason="reviewer")
        fates.put_all(taken, "done")

    fates = bulk.run(step, leave_out=leave_out, progress=progress)
    return answer(fates, _sentence(fates, f"handed to {to.replace('_', ' ')}"))


def _redraft_chunk(bulk: Bulk, files: Sequence[DraftFile], fates: Fates, instruction: str) -> None:
    desk, now = bulk.desk, bulk.desk.clock()
    with desk.store.write() as tx:
        chunk = locked(tx, files, actor=bulk.actor, now=now)
        taken = chunk.take(files, fates, to=DraftState.SUPERSEDED, reason="redraft")
        chunk.review(taken, ReviewVerdict.REDRAFT, reason=instruction)
        if taken:
            before = get_situation(tx.conn, bulk.opening.situation_id)
            message = taken[0].draft.message
            situation_id = open_situation(
                tx,
                chunk.cases[taken[0].draft.case_id],
                channel=message.channel,
                locale=taken[0].draft.written_for or message.locale,
                categories=before.categories if before else (),
                instruction=instruction,
                at=now,
            )
            assign_situations(tx, {file.draft.case_id: situation_id for file in taken})
            chunk.move(taken, to=CaseState.SCREENED, reason="redraft")
            enqueue(tx, key=f"deliberate:{situation_id}", kind="deliberate", ref=situation_id, at=now)
    fates.put_all(taken, "done")


def _sentence(fates: Fates, done: str) -> str:
    counts = fates.counts()
    parts = [f"{counts.get('done', 0)} drafts {done}"]
    parts += [
        f"{counts[fate]} {words}"
        for fate, words in (("stale", "stale and drafted anew"), ("cleared", "cleared"), ("left", "left"))
        if fate in counts
    ]
    return ", ".join(parts) + "."
