"""Approving one chunk of a situation: every draft's facts are read again before anything is queued."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.domain.cases import CaseId, CaseState
from agent.domain.decisions import DecisionKind
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.errors import NotFoundError
from agent.review_desk.opening import Desk
from agent.review_desk.situations.bulk import Bulk, Fates
from agent.review_desk.situations.opening import why_behind
from agent.review_desk.situations.writing import Chunk, locked
from agent.staleness import Staleness, why_stale_in_review
from agent.store.deliveries import NewDelivery, dedup_key, queue_deliveries, taken_keys
from agent.store.drafts import DraftFile
from agent.store.second_messages import steps_of
from agent.store.situation_openings import approved_by_another, record_first_approval
from agent.store.work import NewWork, enqueue_all
from policies.model import Playbook
from tools.errors import ToolError

_CLEARED = "The condition cleared before the message was approved."


@dataclass(frozen=True, slots=True)
class _Looked:
    """Drafts by what a fresh look at their facts found."""

    holds: list[DraftFile] = field(default_factory=list[DraftFile])
    cleared: list[DraftFile] = field(default_factory=list[DraftFile])
    stale: dict[Staleness, list[DraftFile]] = field(default_factory=lambda: defaultdict(list))


def first_of_two(bulk: Bulk, leave_out: Collection[str]) -> Fates | None:
    """Record this approval and return that all wait, if so many need a second person who has yet to.

    The second person approves the same digest, so both mean the same drafts.
    """
    if bulk.recipients(leave_out) < bulk.desk.rules.four_eyes.recipients:
        return None
    with bulk.desk.store.write() as tx:
        if approved_by_another(tx.conn, bulk.opening):
            return None
        record_first_approval(tx, bulk.opening, at=bulk.now, actor=bulk.actor)
    fates = Fates()
    for draft_id, _ in bulk.opening.covered:
        fates.put(draft_id, "left", "a second person must approve the situation")
    return fates


def approve_chunk(bulk: Bulk, files: Sequence[DraftFile], fates: Fates) -> None:
    """Read the facts of some drafts again and write in one transaction what follows."""
    desk = bulk.desk
    looked = _look(bulk, [file for file in files if not _behind(bulk, file, fates)], fates)
    now = desk.clock()
    with desk.store.write() as tx:
        chunk = locked(tx, files, actor=bulk.actor, now=now)
        cleared = _clear(chunk, looked.cleared, fates)
        stale = [
            file
            for reason, changed in looked.stale.items()
            for file in _put_back(chunk, changed, fates, reason=reason)
        ]
        approved = _approve(desk, chunk, looked.holds, fates)
    fates.put_all(cleared, "cleared")
    fates.put_all(stale, "stale")
    fates.put_all(approved, "done")


def _behind(bulk: Bulk, file: DraftFile, fates: Fates) -> bool:
    """Note why a draft is left for a look of its own, if it is."""
    expired = file.draft.expires_at <= bulk.desk.clock()
    why = "it has expired" if expired else why_behind(bulk.desk, bulk.waiting[file.draft.id])
    if why:
        fates.put(file.draft.id, "left", why)
    return bool(why)


def _look(bulk: Bulk, files: Sequence[DraftFile], fates: Fates) -> _Looked:
    looked = _Looked()
    for file in files:
        draft, playbook = file.draft, bulk.desk.playbook(file.scenario)
        try:
            found = bulk.desk.recheck(draft.case_id, now=bulk.desk.clock())
        except ToolError as exc:
            fates.put(draft.id, "left", f"its facts cannot be read again now: {exc.system} does not answer")
            continue
        except NotFoundError as exc:
            fates.put(draft.id, "left", str(exc))
            continue
        if found.status == "unknown":
            fates.put(draft.id, "left", f"its facts cannot be read again now: {found.detail}")
        elif found.status == "cleared":
            looked.cleared.append(file)
        elif (reason := why_stale_in_review(draft, found, playbook)) is not None:
            looked.stale[reason].append(file)
        else:
            looked.holds.append(file)
    return looked


def _clear(chunk: Chunk, files: Sequence[DraftFile], fates: Fates) -> list[DraftFile]:
    reason = "condition_cleared"
    taken = chunk.take(files, fates, to=DraftState.CLOSED, reason=reason)
    chunk.decide(taken, kind=DecisionKind.ABSTAIN, reason=reason, explanation=_CLEARED)
    chunk.move(taken, to=CaseState.RESOLVED, reason=reason)
    return taken


def _put_back(chunk: Chunk, files: Sequence[DraftFile], fates: Fates, *, reason: str) -> list[DraftFile]:
    taken = chunk.take(files, fates, to=DraftState.STALE, reason=reason)
    chunk.move(taken, to=CaseState.NEW, reason=reason, next_at=chunk.now)
    return taken


def _approve(desk: Desk, chunk: Chunk, files: Sequence[DraftFile], fates: Fates) -> list[DraftFile]:
    steps = steps_of(chunk.tx.conn, [file.draft.case_id for file in files])
    sent = _sent_before(chunk, files, fates, steps)
    free = [file for file in files if file.draft.id not in sent]
    taken = chunk.take(free, fates, to=DraftState.APPROVED, reason="approved")
    if not taken:
        return []
    reviews = chunk.review(taken, ReviewVerdict.APPROVE)
    playbook, leaves_at = desk.playbook(taken[0].scenario), chunk.now + desk.rules.undo
    new = [
        NewDelivery(
            case=chunk.cases[file.draft.case_id],
            draft=file.draft,
            step=steps[file.draft.case_id],
            purpose=playbook.purpose,
            counts_to_cap=playbook.counts_to_cap,
            needs_approval=True,
            review_id=reviews[file.draft.case_id],
            next_at=leaves_at,
            expires_at=_end(file, playbook, chunk.now),
        )
        for file in taken
    ]
    queued = queue_deliveries(chunk.tx, new, at=chunk.now, actor=chunk.actor)
    chunk.move(taken, to=CaseState.APPROVED, reason="approved")
    enqueue_all(
        chunk.tx,
        [
            NewWork(key=f"dispatch:{delivery_id}", kind="dispatch", ref=delivery_id, at=leaves_at)
            for delivery_id in queued.values()
        ],
    )
    return taken


def _sent_before(
    chunk: Chunk, files: Sequence[DraftFile], fates: Fates, steps: Mapping[CaseId, int]
) -> set[str]:
    """Return drafts whose case has a message queued or sent already; one more would stop the whole chunk."""
    keys = {
        file.draft.id: dedup_key(chunk.cases[file.draft.case_id].signal_key, steps[file.draft.case_id])
        for file in files
        if file.draft.case_id in chunk.cases
    }
    taken = taken_keys(chunk.tx.conn, list(keys.values()))
    sent = {str(draft_id) for draft_id, key in keys.items() if key in taken}
    for draft_id in sent:
        fates.put(draft_id, "left", "a message for it is queued or sent already")
    return sent


def _end(file: DraftFile, playbook: Playbook, now: datetime) -> datetime:
    end = now + playbook.draft_ttl
    return min(end, file.deadline) if file.deadline else end
