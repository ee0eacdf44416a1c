"""The review desk: list, show, claim, approve, edit, reject, redraft, escalate."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from agent.clock import Clock
from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import Case, CaseId, CaseState
from agent.domain.drafts import DeliveryState, DraftId, DraftState
from agent.domain.queue import QueueCounts, QueueFilter, QueueItem, QueuePlace
from agent.domain.reviewers import Act, Roster
from agent.errors import ConflictError, NotFoundError
from agent.recheck import LoadCandidates, Recheck
from agent.review_desk.approval import after_expiry
from agent.review_desk.claims import claim, next_draft, open_for, release, renew
from agent.review_desk.lead_acts import LeadActs
from agent.review_desk.opening import Desk
from agent.review_desk.proposals.folders import Folders
from agent.review_desk.seeds.judging import real_draft
from agent.review_desk.seeds.listing import count_for, list_for, next_found
from agent.review_desk.seeds.planting import instead
from agent.review_desk.showing import show
from agent.review_desk.situation_acts import SituationActs
from agent.review_desk.text_checks import TextChecks
from agent.review_desk.verdict_acts import VerdictActs
from agent.review_desk.views import DraftView
from agent.store.audit_log import events_so_far
from agent.store.cases import transition
from agent.store.deliveries import (
    DeliveryFile,
    deliveries_in,
    get_delivery,
    set_delivery_state,
)
from agent.store.drafts import DraftFile, set_draft_states
from agent.store.locks import lock_cases
from agent.store.review_queue import count_queue, expired_drafts, list_queue, queue_counts
from agent.store.transaction import Store, Tx
from policies.model import Limits
from policies.review_rules import ReviewRules
from policies.triggers import CompiledPlaybook
from tools.records.vocabulary import ChannelKind

_SYSTEM: Final = Actor(kind=ActorKind.SYSTEM, id="review_desk")
_EXPIRE_AT_ONCE: Final = 5_000


class ReviewDesk(VerdictActs, SituationActs, LeadActs):
    """The one service under the terminal UI and the command line; every verdict is one transaction."""

    def __init__(
        self,
        *,
        store: Store,
        recheck: Recheck,
        candidates: LoadCandidates,
        playbooks: Mapping[str, CompiledPlaybook],
        limits: Limits,
        clock: Clock,
        zone_of: Callable[[Connection, Case], str],
        rules: ReviewRules,
        roster: Roster,
        login: str = "",
        folders: Folders | None = None,
        from_addresses: Mapping[ChannelKind, str] | None = None,
        at_once: int = 200,
    ) -> None:
        """Take the ports.

        Args:
            store: The database.
            recheck: Looks at a case again through its sources.
            candidates: Gathers what the gates look at.
            playbooks: Those in force, by scenario.
            limits: The limits over all scenarios.
            clock: The current instant.
            zone_of: The zone in which times are printed for a case's customer.
            rules: How people review.
            roster: Who may do what.
            login: The operating system's user; the audit log names it where a reviewer has another name.
            folders: Where playbooks, templates and prompts are read from; those that come with the product
                without it.
            from_addresses: Whom customers see messages of a channel come from, where that is known.
            at_once: Drafts of a situation that are decided in one transaction.
        """
        self._folders = folders or Folders()
        self._desk = Desk(
            store=store,
            recheck=recheck,
            candidates=candidates,
            playbooks=playbooks,
            limits=limits,
            rules=rules,
            roster=roster,
            login=login,
            clock=clock,
            zone_of=zone_of,
            from_addresses=from_addresses or {},
            at_once=at_once,
        )
        self._checks = TextChecks(self._desk)

    @property
    def rules(self) -> ReviewRules:
        """How people review."""
        return self._desk.rules

    @property
    def roster(self) -> Roster:
        """Who may do what."""
        return self._desk.roster

    def list_drafts(
        self,
        wanted: QueueFilter | None = None,
        *,
        limit: int = 50,
        after: QueuePlace | None = None,
        reviewer: str | None = None,
    ) -> list[QueueItem]:
        """Return one page of the queue, the draft to be reviewed first at the top.

        Args:
            wanted: What to list; everything without it.
            limit: Most lines.
            after: Where the page before ended.
            reviewer: Who looks: what is planted for them stands here, and is searched, as they will see it
                opened. Without one, all drafts as they are.
        """
        wanted = wanted or QueueFilter()
        if reviewer is not None:
            return list_for(self._desk, wanted, reviewer=reviewer, limit=limit, after=after)
        with self._desk.store.read() as conn:
            return list_queue(conn, wanted, now=self._desk.clock(), limit=limit, after=after)

    def count(self, wanted: QueueFilter | None = None, *, reviewer: str | None = None) -> int:
        """Return how many drafts a filter matches; for a reviewer, as they see them."""
        wanted = wanted or QueueFilter()
        if reviewer is not None:
            return count_for(self._desk, wanted, reviewer=reviewer)
        with self._desk.store.read() as conn:
            return count_queue(conn, wanted, now=self._desk.clock())

    def changes_so_far(self) -> int:
        """Return a number that grows with every change of state, for who reads again what costs much."""
        with self._desk.store.read() as conn:
            return events_so_far(conn)

    def counts(self, *, reviewer: str) -> QueueCounts:
        """Return how full the queue is, and how much of it this reviewer has."""
        desk = self._desk
        with desk.store.read() as conn:
            return queue_counts(conn, reviewer=reviewer, now=desk.clock(), soon=desk.rules.expiring_soon)

    def show(self, draft_id: str, *, reviewer: str | None = None) -> DraftView:
        """Return everything a reviewer needs to judge a draft; nothing is claimed.

        Args:
            draft_id: The draft.
            reviewer: Whose locks to tell; without one, only those that hold for everybody.

        Raises:
            NotFoundError: There is no such draft.
        """
        return show(self._desk, draft_id, reviewer=reviewer)

    def open(self, draft_id: str, *, reviewer: str) -> DraftView:
        """Claim a draft, which starts the clock of the time spent on it, and show it.

        Now and then a planted draft is shown first; verdicts quote the view's `ticket` to reach it.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: It is no longer pending, or another reviewer holds it.
            RefusedError: The role does not allow it.
        """
        view = open_for(self._desk, draft_id, reviewer=reviewer)
        return instead(self._desk, self._checks, view, reviewer=reviewer)

    def next_draft(
        self, *, reviewer: str, wanted: QueueFilter | None = None, skip: Sequence[str] = ()
    ) -> DraftId | None:
        """Return the first draft of the queue that this reviewer may open, or None; `skip` leaves some out.

        Raises:
            RefusedError: The role does not allow it.
        """
        wanted = wanted or QueueFilter()
        if wanted.search.strip():
            self._desk.roster.check(reviewer, Act.CLAIM)
            return next_found(self._desk, wanted, reviewer=reviewer, skip=skip)
        return next_draft(self._desk, reviewer=reviewer, wanted=wanted, skip=skip)

    def claim(self, draft_id: str, *, reviewer: str) -> int:
        """Reserve a draft for a reviewer; return its lock version.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: It is no longer pending, or another reviewer holds it.
            RefusedError: The role does not allow it.
        """
        return claim(self._desk, draft_id, reviewer=reviewer)

    def renew(self, draft_id: str, *, reviewer: str) -> None:
        """Let one's own claim end later.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: The claim has run out, or the draft is no longer pending.
            RefusedError: The role does not allow it.
        """
        renew(self._desk, real_draft(self._desk, draft_id, reviewer=reviewer), reviewer=reviewer)

    def release(self, draft_id: str, *, reviewer: str) -> None:
        """End one's own claim; a lead may end another's.

        Raises:
            NotFoundError: There is no such draft.
            ConflictError: Nobody holds it, or it changed hands just now.
            RefusedError: The role does not allow it.
        """
        release(self._desk, real_draft(self._desk, draft_id, reviewer=reviewer), reviewer=reviewer)

    def expire(self) -> int:
        """Take drafts out of the queue whose time has passed; return how many.

        A case with time left before its deadline is screened and drafted anew.
        """
        now = self._desk.clock()
        total = 0
        while True:
            with self._desk.store.write() as tx:
                files = expired_drafts(tx.conn, now=now, limit=_EXPIRE_AT_ONCE)
                total += _expire(tx, files, now=now)
            if len(files) < _EXPIRE_AT_ONCE:
                return total

    def unsettled(self, *, limit: int = 50) -> list[DeliveryFile]:
        """Return deliveries of which nobody knows whether they went out, oldest first."""
        with self._desk.store.read() as conn:
            return deliveries_in(conn, DeliveryState.NEEDS_HUMAN, limit=limit)

    def settle(self, delivery_id: str, *, reviewer: str, went_out: bool) -> None:
        """Write what a person found out about a delivery that nobody knew the outcome of.

        If it did not go out, nothing is sent again as it is: the case is screened and drafted anew.

        Raises:
            NotFoundError: There is no such delivery.
            ConflictError: Its outcome is known.
        """
        now, actor = self._desk.clock(), self._desk.actor(reviewer, Act.SETTLE)
        with self._desk.store.write() as tx:
            known = get_delivery(tx.conn, delivery_id)
            if known is None:
                raise NotFoundError(f"there is no delivery {delivery_id}")
            case_id = known.delivery.case_id
            lock_cases(tx.conn, [case_id])
            file = get_delivery(tx.conn, delivery_id, lock=True)
            if file is None or file.delivery.state is not DeliveryState.NEEDS_HUMAN:
                raise ConflictError(f"delivery {delivery_id} does not wait for a person")
            to = DeliveryState.ACCEPTED if went_out else DeliveryState.CANCELLED
            reason = "person_says_sent" if went_out else "person_says_not_sent"
            set_delivery_state(tx, file, to=to, reason=reason, next_at=None, at=now, actor=actor)
            state = CaseState.CONTACTED if went_out else CaseState.NEW
            next_at = None if went_out else now
            transition(tx, [case_id], to=state, at=now, next_at=next_at, reason=reason, actor=actor)


def _expire(tx: Tx, files: Sequence[DraftFile], *, now: datetime) -> int:
    lock_cases(tx.conn, [file.draft.case_id for file in files])
    ids = [file.draft.id for file in files]
    reason = "draft_expired"
    gone = set(set_draft_states(tx, ids, to=DraftState.EXPIRED, reason=reason, at=now, actor=_SYSTEM))
    places: dict[tuple[CaseState, datetime | None], list[CaseId]] = {}
    for file in files:
        if file.draft.id in gone:
            places.setdefault(after_expiry(file.deadline, now), []).append(file.draft.case_id)
    for (state, next_at), case_ids in places.items():
        transition(tx, case_ids, to=state, at=now, next_at=next_at, reason=reason, actor=_SYSTEM)
    return len(gone)
