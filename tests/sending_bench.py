"""A bench for tests of review and dispatch: a store, one playbook, cases, and fakes at the ports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection

from agent.clock import SimulatedClock
from agent.dispatch.dispatcher import Dispatcher
from agent.dispatch.ports import Owner, Pace
from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import Case, CaseId, CaseState, Signal
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, Stage
from agent.domain.drafts import DeliveryId, Draft, DraftId, DraftState
from agent.domain.reviewers import Role, Roster
from agent.recheck import Rechecked
from agent.review_desk.desk import ReviewDesk
from agent.store.cases import get_case, open_cases, transition
from agent.store.decisions import record_decisions
from agent.store.deliveries import DeliveryFile, NewDelivery, get_delivery, queue_delivery, sent_counts
from agent.store.drafts import NewDraft, next_versions, record_drafts
from agent.store.kill_switch import active_stops
from agent.store.suppressions import is_suppressed, suppressed_purposes
from agent.store.transaction import Store, Tx
from policies.gates.candidate import Candidate, Reach
from policies.loader import (
    LIMITS_FILE,
    PLAYBOOK_FOLDER,
    REVIEW_FILE,
    load_limits,
    load_playbooks,
    load_review_rules,
)
from policies.model import Limits
from policies.review_rules import ReviewRules, Risk
from policies.triggers import CompiledPlaybook
from tests.conftest import START
from tests.providers import FakeProvider
from tools.messages import Outbound
from tools.ports import Sender
from tools.records.base import CustomerId, Money
from tools.records.facts import Fact, FilledSlot, facts_hash
from tools.records.vocabulary import ChannelKind, ConsentState, CustomerStatus, Purpose

SCENARIO = "shipping_delay"
SYSTEM = Actor(kind=ActorKind.SYSTEM, id="test")
CUSTOMER = CustomerId("c1")
ADDRESS = "ada@example.org"


@cache
def playbooks() -> dict[str, CompiledPlaybook]:
    return load_playbooks(PLAYBOOK_FOLDER)


@cache
def limits() -> Limits:
    return load_limits(LIMITS_FILE)


@cache
def rules(**changes: object) -> ReviewRules:
    """Return the shipped rules of review with some fields replaced; approved messages leave at once."""
    return load_review_rules(REVIEW_FILE).model_copy(update={"undo": timedelta(0), "seeds": 0, **changes})


def new_draft(draft: Draft, case: Case, **changes: Any) -> NewDraft:
    """Return a draft as an ordinary one of the queue."""
    plain = NewDraft(
        draft=draft,
        case=case,
        value_micros=250_000,
        stake=None,
        risk=Risk.NORMAL,
        review_by=rules().review_by(
            Risk.NORMAL, created_at=draft.created_at, expires_at=draft.expires_at, deadline=case.deadline
        ),
    )
    return replace(plain, **changes)


def fact(name: str, value: str) -> Fact:
    return Fact(name=name, value=value, source="shop", fetched_at=START, as_of=START, trusted=True)


FACTS = (fact("order.number", "1001"), fact("order.promised_on", "2026-11-02"))
USED = (FilledSlot(slot="order.number", rendered="1001"),)


class AliveOwner:
    """An owner that is always alive; `dead` names the others that are not."""

    def __init__(self, name: str = "w1", *, exact: bool = True) -> None:
        self.id = name
        self.exact = exact
        self.held = True
        self.dead: set[str] = set()

    def hold(self) -> None:
        self.held = True

    def still_held(self) -> bool:
        return self.held

    def is_dead(self, owner: str) -> bool:
        return owner in self.dead

    def release(self) -> None:
        self.held = False


@dataclass
class World:
    """What the fakes at the ports say; tests change it."""

    status: str = "holds"
    facts: tuple[Fact, ...] = FACTS
    candidate: dict[str, object] = field(default_factory=dict[str, object])
    address: str = ADDRESS
    rechecks: int = 0
    while_looking: Callable[[], object] | None = None
    """What happens while the sources are read."""

    def recheck(self, case_id: CaseId, *, now: datetime) -> Rechecked:
        del case_id, now
        self.rechecks += 1
        if self.while_looking is not None:
            self.while_looking()
        status = self.status
        assert status in ("holds", "cleared", "unknown")
        return Rechecked(
            status=status,  # type: ignore[arg-type]  # just checked
            facts=self.facts,
            facts_hash=facts_hash(self.facts),
            detail="shop does not answer",
        )


@dataclass
class Bench:
    """Everything that a test of sending needs."""

    store: Store
    clock: SimulatedClock
    provider: FakeProvider = field(default_factory=FakeProvider)
    owner: AliveOwner = field(default_factory=AliveOwner)
    world: World = field(default_factory=World)
    pace: Pace = field(default_factory=Pace)
    ticks: float = 0
    """Seconds of the monotonic clock."""
    playbook_ref: str = ""
    """What cases and messages name as their playbook, if not the current one."""
    channels: tuple[ChannelKind, ...] = (ChannelKind.EMAIL,)
    """What the provider serves."""
    sender: Sender | None = None
    """A real one in the place of the provider."""
    rules: ReviewRules = field(default_factory=lambda: rules(undo=timedelta(0)))
    """The shipped ones, but what is approved may leave at once."""
    roles: Mapping[str, Role] = field(default_factory=dict[str, Role])
    login: str = ""
    stake: Money | None = None
    """The money that drafts are about."""
    shadow: bool = False
    """Whether cases are only decided and recorded."""

    def __post_init__(self) -> None:
        self.desk = ReviewDesk(
            store=self.store,
            recheck=self.world.recheck,
            candidates=self.candidates,
            playbooks=playbooks(),
            limits=limits(),
            clock=self.clock,
            zone_of=lambda _conn, _case: "UTC",
            rules=self.rules,
            roster=Roster(self.roles),
            login=self.login,
        )
        self.dispatcher = self.new_dispatcher(self.owner)

    def new_dispatcher(self, owner: Owner) -> Dispatcher:
        return Dispatcher(
            store=self.store,
            senders=dict.fromkeys(self.channels, self.sender or self.provider),
            recheck=self.world.recheck,
            candidates=self.candidates,
            playbooks=playbooks(),
            limits=limits(),
            rules=self.rules,
            owner=owner,
            clock=self.clock,
            monotonic=lambda: self.ticks,
            pace=self.pace,
        )

    def candidates(
        self, conn: Connection, cases: Sequence[Case], *, now: datetime
    ) -> Mapping[CaseId, Candidate]:
        """Read what sending owns from the store, as the real loader does, and make up the rest."""
        return {case.id: self._candidate(conn, case, now) for case in cases}

    def _candidate(self, conn: Connection, case: Case, now: datetime) -> Candidate:
        stops, email = active_stops(conn), ChannelKind.EMAIL
        hashed = self.store.keyring.address_hmac(self.world.address)
        purposes = suppressed_purposes(conn, ChannelKind.EMAIL, [hashed]).get(hashed, frozenset())
        day = sent_counts(conn, [case.customer_id], since=now - timedelta(days=1))
        week = sent_counts(conn, [case.customer_id], since=now - timedelta(days=7))
        plain = Candidate(
            customer_known=True,
            status=CustomerStatus.ACTIVE,
            protected=(),
            zones=("UTC",),
            reaches=(self.reach(email, suppressed=purposes, killed=stops.channel(email)),),
            sent_last_day=day.get(case.customer_id, 0),
            sent_last_week=week.get(case.customer_id, 0),
            open_ticket=None,
            source_age=timedelta(0),
            killed=stops.scenario(case.scenario),
            budget_left=True,
            deadline=case.deadline,
            cleared=False,
        )
        return replace(plain, **self.world.candidate)  # type: ignore[arg-type]  # a test's own words

    def reach(
        self, kind: ChannelKind, *, suppressed: frozenset[str] = frozenset(), killed: str | None = None
    ) -> Reach:
        """Return a channel by which the customer may be reached."""
        return Reach(
            kind=kind,
            address=self.world.address,
            shared=False,
            consent=ConsentState.OPTED_IN,
            suppressed=is_suppressed(suppressed, Purpose.SERVICE),
            killed=killed,
        )

    def in_review(self, episode: str = "e1", *, review_reason: str = "policy") -> Draft:
        """Open a case, decide to contact, and put a draft into the queue."""
        now = self.clock()
        signal = Signal(
            scenario=SCENARIO,
            playbook=self.playbook_ref or playbooks()[SCENARIO].playbook.ref,
            customer_id=CUSTOMER,
            object_ref="order:1001",
            episode=episode,
            at=now,
            deadline=now + timedelta(days=3),
        )
        with self.store.write() as tx:
            (case,) = open_cases(tx, [signal], actor=SYSTEM, shadow=self.shadow)
            decision = self._decision(case, DecisionId(tx.ids.new("dec", at=now)))
            record_decisions(tx, [decision], scenario_of={case.id: SCENARIO}, actor=SYSTEM)
            draft = self._draft(case, decision, DraftId(tx.ids.new("drf", at=now)), review_reason)
            self._record(tx, case, draft)
        return draft

    def approved(self, episode: str = "e1") -> DeliveryId:
        """Put a draft into the queue and approve it."""
        draft = self.in_review(episode)
        approval = self.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)
        assert approval.delivery_id is not None, approval
        return approval.delivery_id

    def record_again(self, draft: Draft, *, version: int = 1) -> Draft:
        """Record a version of a draft, as a run of the graph that is repeated would."""
        with self.store.write() as tx:
            again = replace(draft, id=DraftId(tx.ids.new("drf", at=self.clock())), version=version)
            self._record(tx, self.case(draft.case_id), again)
        return again

    def redraft_and_approve(self, before: DeliveryId) -> DeliveryId:
        """Take a case that starts anew through a second draft and its approval."""
        case, now = self.case(self.delivery(before).delivery.case_id), self.clock()
        assert case.state is CaseState.NEW, case
        with self.store.write() as tx:
            decision = self._decision(case, DecisionId(tx.ids.new("dec", at=now)))
            record_decisions(tx, [decision], scenario_of={case.id: SCENARIO}, actor=SYSTEM)
            version = next_versions(tx.conn, [case.id])[case.id]
            draft = self._draft(case, decision, DraftId(tx.ids.new("drf", at=now)), "policy")
            draft = replace(draft, version=version)
            self._record(tx, case, draft)
        approval = self.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)
        assert approval.delivery_id is not None, approval
        return approval.delivery_id

    def auto(self, episode: str = "e1") -> DeliveryId:
        """Queue a message that policy lets leave without a person."""
        draft = self.in_review(episode, review_reason="")
        now = self.clock()
        with self.store.write() as tx:
            case = get_case(tx.conn, draft.case_id)
            assert case is not None
            new = NewDelivery(
                case=case,
                draft=draft,
                step=0,
                purpose=Purpose.SERVICE,
                counts_to_cap=True,
                needs_approval=False,
                review_id=None,
                next_at=now,
            )
            return queue_delivery(tx, new, at=now, actor=SYSTEM)

    def needs_review(self) -> None:
        """Let a gate want a person: without a deadline it cannot tell whether the message is of use."""
        self.world.candidate = {"deadline": None}

    def delivery(self, delivery_id: str) -> DeliveryFile:
        with self.store.read() as conn:
            file = get_delivery(conn, delivery_id)
        assert file is not None
        return file

    def case(self, case_id: str) -> Case:
        with self.store.read() as conn:
            case = get_case(conn, case_id)
        assert case is not None
        return case

    def _record(self, tx: Tx, case: Case, draft: Draft) -> None:
        record_drafts(tx, [new_draft(draft, case, stake=self.stake)], actor=SYSTEM)
        pending = draft.state is DraftState.PENDING
        state = CaseState.IN_REVIEW if pending else CaseState.APPROVED
        transition(tx, [case.id], to=state, at=self.clock(), next_at=None, reason="drafted", actor=SYSTEM)

    def _decision(self, case: Case, decision_id: DecisionId) -> Decision:
        compiled = playbooks()[SCENARIO]
        return Decision(
            id=decision_id,
            case_id=case.id,
            turn=case.turn,
            stage=Stage.GRAPH,
            kind=DecisionKind.CONTACT,
            reason="worth_it",
            explanation="Worth more than silence.",
            at=self.clock(),
            until=None,
            queue=None,
            channel=ChannelKind.EMAIL,
            verdicts=(),
            valuation=None,
            arm=Arm.TREAT,
            propensity_ppm=900_000,
            facts=self.world.facts,
            facts_hash=facts_hash(self.world.facts),
            playbook=case.playbook,
            playbook_hash=compiled.content_hash,
            limits_version=limits().version,
            zone_rules="2026a",
            model_use=None,
        )

    def _draft(self, case: Case, decision: Decision, draft_id: DraftId, reason: str) -> Draft:
        message = Outbound(
            channel=ChannelKind.EMAIL,
            recipient=self.world.address,
            subject="Your order 1001",
            body="Hello, your order 1001 comes later than promised.",
            links=("https://shop.example.org/orders/1001", "https://shop.example.org/help"),
            locale="en_US",
            template="delay@1",
            policy=case.playbook,
            headers=(("List-Unsubscribe", "<https://shop.example.org/stop>"),),
        )
        return Draft(
            id=draft_id,
            case_id=case.id,
            decision_id=decision.id,
            version=1,
            state=DraftState.PENDING if reason else DraftState.APPROVED,
            message=message,
            slotted_subject="Your order {order.number}",
            slotted_body="Hello, your order {order.number} comes later than promised.",
            used=USED,
            findings=(),
            facts_hash=facts_hash([fact("order.number", "1001")]),
            model_use=None,
            created_at=self.clock(),
            expires_at=self.clock() + timedelta(hours=4),
            review_reason=reason,
            cost_micros=400,
            segments=1,
            author="template",
        )
