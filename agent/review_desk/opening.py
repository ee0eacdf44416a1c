"""Opening a draft for a verdict: it exists, is pending, free, and is what the reviewer saw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from agent.clock import Clock
from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import Case, CaseState
from agent.domain.decisions import Decision, DecisionId, DecisionKind, Stage
from agent.domain.drafts import DraftState, Review, ReviewVerdict
from agent.domain.reviewers import Act, Roster
from agent.errors import ConflictError, NotFoundError, RefusedError
from agent.recheck import LoadCandidates, Recheck
from agent.store.cases import get_case, transition
from agent.store.decisions import last_decision, record_decisions
from agent.store.draft_claims import take_draft, why_not
from agent.store.drafts import DraftFile, get_draft
from agent.store.locks import lock_cases
from agent.store.reviews import record_review, reviews_of_draft
from agent.store.transaction import Store, Tx
from policies.model import Limits, Playbook
from policies.review_rules import ReviewRules
from policies.triggers import CompiledPlaybook
from tools.records.vocabulary import ChannelKind

_MILLISECOND: Final = timedelta(milliseconds=1)
"""The resolution of the time in an id."""
SHOWN_LENGTH: Final = 6
"""Characters of the content hash that a reviewer repeats to say what they saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every verdict needs."""

    store: Store
    recheck: Recheck
    candidates: LoadCandidates
    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits
    rules: ReviewRules
    roster: Roster
    login: str
    """The operating system's user, who may act under a reviewer's name."""
    clock: Clock
    zone_of: Callable[[Connection, Case], str]
    """The zone in which times are printed for a case's customer."""
    from_addresses: Mapping[ChannelKind, str]
    """Whom customers see messages of a channel come from, where that is known."""
    at_once: int = 200
    """Drafts of a situation per transaction: few enough that others get their turn, enough for thousands a
    minute."""
    unplantable: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """(reviewer, draft) of drafts that were drawn and no mistake fits; not tried again at every look."""

    def actor(self, reviewer: str, act: Act) -> Actor:
        """Return a reviewer as the audit log names them, if their role allows the act.

        Raises:
            RefusedError: It does not.
        """
        self.roster.check(reviewer, act)
        login = self.login if self.login != reviewer else None
        return Actor(kind=ActorKind.REVIEWER, id=reviewer, login=login or None)

    def playbook(self, scenario: str) -> Playbook:
        """Return the playbook of a scenario.

        Raises:
            RefusedError: It is no longer in use.
        """
        compiled = self.playbooks.get(scenario)
        if compiled is None:
            raise RefusedError(f"the playbook {scenario!r} is no longer in use; reject this draft")
        return compiled.playbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A draft and its case, as read before the verdict."""

    file: DraftFile
    case: Case
    actor: Actor
    """The reviewer."""
    now: datetime

    @property
    def reviewer(self) -> str:
        """The reviewer's name."""
        return self.actor.id

    @property
    def opened_at(self) -> datetime | None:
        """When this reviewer opened it at the desk; None when they never did."""
        return self.file.claimed_at if self.file.claimed_by == self.reviewer else None

    def seconds(self, given: int | None) -> int | None:
        """Return how long the reviewer looked: as measured from opening to verdict, else as given."""
        if self.opened_at is None:
            return given
        return max(0, int((self.now - self.opened_at).total_seconds()))


def draft_and_case(conn: Connection, draft_id: str) -> tuple[DraftFile, Case]:
    """Return a draft and its case, whatever their states.

    Raises:
        NotFoundError: There is no such draft.
    """
    file = get_draft(conn, draft_id)
    case = get_case(conn, file.draft.case_id) if file else None
    if file is None or case is None:
        raise NotFoundError(f"there is no draft {draft_id}")
    return file, case


def open_draft(conn: Connection, draft_id: str, *, actor: Actor, shown: str | None, now: datetime) -> Opened:
    """Return a pending draft that this reviewer may decide on.

    Args:
        conn: The database.
        draft_id: The draft.
        actor: Who decides.
        shown: The content hash of what was on the screen, at least its first six characters; None where
            the verdict sends nothing.
        now: Now.

    Raises:
        NotFoundError: There is no such draft.
        ConflictError: It is not pending, held by another reviewer, or its case has moved on.
        RefusedError: The reviewer saw something else.
    """
    file = get_draft(conn, draft_id)
    if file is None:
        raise NotFoundError(f"there is no draft {draft_id}")
    held = file.claimed_by not in (None, actor.id) and file.claimed_until and file.claimed_until > now
    if file.draft.state is not DraftState.PENDING or held:
        raise why_not(conn, draft_id, now=now)
    if shown is not None:
        check_shown(shown, draft_id, file.content_hash)
    case = get_case(conn, file.draft.case_id)
    if case is None:
        raise NotFoundError(f"draft {draft_id} has no case")
    if case.state is not CaseState.IN_REVIEW:
        raise ConflictError(f"the case of draft {draft_id} is {case.state}; nothing is to be decided")
    return Opened(file=file, case=case, actor=actor, now=now)


def lock_case(tx: Tx, opened: Opened) -> Case:
    """Lock the case and return it as it is now; cases are locked before drafts and deliveries.

    Raises:
        ConflictError: It has moved on since it was read.
    """
    lock_cases(tx.conn, [opened.case.id])
    case = get_case(tx.conn, opened.case.id)
    if case is None or case.state is not CaseState.IN_REVIEW:
        state = case.state if case else "gone"
        raise ConflictError(f"the case of draft {opened.file.draft.id} is {state} by now")
    return case


def take(tx: Tx, opened: Opened, *, to: DraftState, reason: str) -> None:
    """Move the draft on, if nothing happened to it since it was opened.

    Raises:
        ConflictError: Somebody else was faster.
    """
    take_draft(tx, opened.file, actor=opened.actor, to=to, reason=reason, now=opened.now)


def write_review(
    tx: Tx,
    opened: Opened,
    verdict: ReviewVerdict,
    *,
    reason: str,
    seconds: int | None,
    undoes: str | None = None,
) -> str:
    """Record the verdict, bound to the hash of what was shown; return its id."""
    review = Review(
        id=_id_after_the_last(tx, opened),
        draft_id=opened.file.draft.id,
        verdict=verdict,
        reviewer=opened.reviewer,
        content_hash=opened.file.content_hash,
        reason=reason,
        at=opened.now,
        seconds=opened.seconds(seconds),
        undoes=undoes,
    )
    record_review(tx, review, case_id=opened.case.id, customer_id=opened.case.customer_id, actor=opened.actor)
    return review.id


def _id_after_the_last(tx: Tx, opened: Opened) -> str:
    """Return an id that sorts after the draft's last review: what is taken back goes by their order.

    Two processes may review in one instant, as where a demo's clock stands, and then ids sort by chance.
    """
    said = reviews_of_draft(tx.conn, opened.file.draft.id)
    at = opened.now
    new = tx.ids.new("rev", at=at)
    while said and said[-1].at >= opened.now and new <= said[-1].id:
        at += _MILLISECOND
        new = tx.ids.new("rev", at=at)
    return new


def decide_in_review(
    tx: Tx,
    opened: Opened,
    case: Case,
    *,
    kind: DecisionKind,
    reason: str,
    explanation: str,
    queue: str | None = None,
    before: Decision | None = None,
) -> None:
    """Record that a person decided otherwise than the draft, or the decision before, proposed."""
    before = before or last_decision(tx.conn, case.id)
    if before is None:  # a draft without a decision cannot be recorded
        raise NotFoundError(f"case {case.id} has no decision")
    decision = replace(
        before,
        id=DecisionId(tx.ids.new("dec", at=opened.now)),
        turn=case.turn,
        stage=Stage.REVIEW,
        kind=kind,
        reason=reason,
        explanation=explanation,
        at=opened.now,
        until=None,
        queue=queue,
        model_use=None,
    )
    record_decisions(tx, [decision], scenario_of={case.id: case.scenario}, actor=opened.actor)


def move(tx: Tx, opened: Opened, *, to: CaseState, reason: str, next_at: datetime | None = None) -> None:
    """Move the case on."""
    transition(
        tx,
        [opened.case.id],
        to=to,
        at=opened.now,
        next_at=next_at,
        reason=reason,
        actor=opened.actor,
    )


def check_shown(shown: str, draft_id: str, content_hash: str) -> None:
    """Let a verdict pass that is about what is there.

    Raises:
        RefusedError: The reviewer saw something else, or says too little of its hash.
    """
    if len(shown) < SHOWN_LENGTH:
        raise RefusedError(f"give at least {SHOWN_LENGTH} characters of the content hash that was shown")
    if not content_hash.startswith(shown.lower()):
        raise RefusedError(
            f"draft {draft_id} has the content hash {content_hash[:12]}, not {shown!r}; show it again"
        )
