"""A situation in the queue: many drafts of one text, and a source that answers each case as a test wants."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, update
from sqlmodel import col, select

from agent.canonical import text_hash
from agent.clock import SimulatedClock
from agent.domain.cases import Case, CaseId, CaseState, Signal, SituationId
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, Stage
from agent.domain.drafts import Draft, DraftId, DraftState, ReviewVerdict
from agent.domain.reviewers import Role, Roster
from agent.recheck import Rechecked
from agent.review_desk.desk import ReviewDesk
from agent.review_desk.proposals.folders import Folders
from agent.store.cases import assign_situations, get_cases, open_cases, transition
from agent.store.decision_form import decision_to_json
from agent.store.decisions import decision_from_json, record_decisions
from agent.store.drafts import DraftFile, NewDraft, draft_to_json, record_drafts
from agent.store.situation_drafts import standing_of
from agent.store.situations import close_situation, open_situation
from agent.store.tables.cases import DecisionRow, DraftRow, ReviewRow
from agent.store.transaction import Store
from policies.gates.candidate import Candidate
from policies.loader import REVIEW_FILE, load_review_rules
from policies.review_rules import ReviewRules
from tests.sending_bench import SCENARIO, SYSTEM, fact, limits, playbooks
from tools.errors import ToolError
from tools.messages import Outbound
from tools.records.base import CustomerId, Money
from tools.records.facts import Fact, FilledSlot, facts_hash
from tools.records.vocabulary import ChannelKind

TEXT = "Hello, your order {order.number} comes later than promised."
SUBJECT = "Your order {order.number}"
LEADS = Roster({"ann": Role.LEAD, "bob": Role.LEAD, "vic": Role.VIEWER, "rex": Role.REVIEWER})


@dataclass
class Crowd:
    """A store, a desk, and one situation of many drafts."""

    store: Store
    clock: SimulatedClock
    rules: ReviewRules = field(default_factory=lambda: load_review_rules(REVIEW_FILE))
    folders: Folders = field(default_factory=Folders)
    says: dict[str, str] = field(default_factory=dict[str, str])
    """Case → what a fresh look finds, if not that all holds: cleared, changed, unknown or down."""
    looked: Counter[str] = field(default_factory=Counter[str])
    while_looking: Callable[[str], object] | None = None
    drafts: list[Draft] = field(default_factory=list[Draft])
    situation: SituationId | None = None
    name: str = ""
    """Part of every signal's key, where several crowds share a database."""

    def __post_init__(self) -> None:
        self.desk = self.new_desk()

    def new_desk(self, rules: ReviewRules | None = None, **changes: Any) -> ReviewDesk:
        """Return a desk as another process would open it."""
        given: dict[str, Any] = {
            "store": self.store,
            "recheck": self.recheck,
            "candidates": nobody,
            "playbooks": playbooks(),
            "limits": limits(),
            "rules": rules or self.rules,
            "roster": LEADS,
            "clock": self.clock,
            "zone_of": berlin,
            "folders": self.folders,
            "at_once": 4,
        }
        return ReviewDesk(**(given | changes))

    def recheck(self, case_id: CaseId, *, now: Any) -> Rechecked:
        del now
        self.looked[case_id] += 1
        if self.while_looking is not None:
            self.while_looking(case_id)
        says = self.says.get(case_id, "holds")
        if says == "down":
            raise ToolError("no answer", system="shop", retryable=True)
        facts = (fact("order.number", "other"),) if says == "changed" else self.facts_of(case_id)
        status: Any = "holds" if says == "changed" else says
        return Rechecked(status=status, facts=facts, facts_hash=facts_hash(facts), detail="shop is away")

    def facts_of(self, case_id: str) -> tuple[Fact, ...]:
        number = next(draft for draft in self.drafts if draft.case_id == case_id).used[0].rendered
        return (fact("order.number", number),)

    def fill(self, number: int, *, stake: Money | None = None, **changes: Any) -> list[Draft]:
        """Put drafts of the situation into the queue; `changes` are fields of each draft."""
        now, start = self.clock(), len(self.drafts)
        signals = [
            Signal(
                scenario=SCENARIO,
                playbook=playbooks()[SCENARIO].playbook.ref,
                customer_id=CustomerId(f"c{at}"),
                object_ref=f"order:{at}",
                episode=f"e{self.name}{at}",
                at=now,
                deadline=now + timedelta(days=3),
            )
            for at in range(start, start + number)
        ]
        with self.store.write() as tx:
            cases = open_cases(tx, signals, actor=SYSTEM, shadow=False)
            if self.situation is None:
                self.situation = open_situation(
                    tx, cases[0], channel="email", locale="en_US", categories=(), instruction=None, at=now
                )
                close_situation(tx, self.situation, at=now)  # its text was written
            assign_situations(tx, {case.id: self.situation for case in cases})
            cases = [replace(case, situation_id=self.situation) for case in cases]
            numbers = [str(1000 + at) for at in range(start, start + number)]
            decisions = [
                decision_on(case, tx.ids.new("dec", at=now), order)
                for case, order in zip(cases, numbers, strict=True)
            ]
            record_decisions(tx, decisions, scenario_of={case.id: SCENARIO for case in cases}, actor=SYSTEM)
            new = [
                replace(draft_of(case, one, tx.ids.new("drf", at=now), order), **changes)
                for case, one, order in zip(cases, decisions, numbers, strict=True)
            ]
            record_drafts(
                tx,
                [self.queued(draft, case, stake) for draft, case in zip(new, cases, strict=True)],
                actor=SYSTEM,
            )
            ids = [case.id for case in cases]
            transition(tx, ids, to=CaseState.IN_REVIEW, at=now, next_at=None, reason="drafted", actor=SYSTEM)
        self.drafts += new
        return new

    def rewrite(self, draft: Draft, *, facts: Sequence[Fact]) -> None:
        """Let a draft have been written otherwise, resting on other facts as well."""
        with self.store.write() as tx:
            body = draft_to_json(draft)
            tx.conn.execute(
                update(DraftRow)
                .where(col(DraftRow.id) == draft.id)
                .values(body=body, body_hash=text_hash(body), content_hash=draft.message.content_hash)
            )
            if facts:
                decision = decision_from_json(
                    tx.conn.execute(
                        select(DecisionRow.body).where(col(DecisionRow.id) == draft.decision_id)
                    ).scalar_one()
                )
                known = decision_to_json(replace(decision, facts=tuple(facts)))
                tx.conn.execute(
                    update(DecisionRow)
                    .where(col(DecisionRow.id) == draft.decision_id)
                    .values(body=known, body_hash=text_hash(known))
                )

    def queued(self, draft: Draft, case: Case, stake: Money | None) -> NewDraft:
        playbook = playbooks()[SCENARIO].playbook
        risk = self.rules.risk_of(purpose=playbook.purpose, stake=stake, reason=draft.review_reason)
        by = self.rules.review_by(
            risk, created_at=draft.created_at, expires_at=draft.expires_at, deadline=case.deadline
        )
        return NewDraft(draft=draft, case=case, value_micros=1, stake=stake, risk=risk, review_by=by)

    def set(self, draft_id: str, **columns: Any) -> None:
        """Change what the queue knows about a draft, as another process would."""
        with self.store.write() as tx:
            tx.conn.execute(
                update(DraftRow)
                .where(col(DraftRow.id) == draft_id)
                .values(lock_version=col(DraftRow.lock_version) + 1, **columns)
            )

    @property
    def id(self) -> SituationId:
        """The situation, once something is in it."""
        assert self.situation is not None
        return self.situation

    def opened(self, reviewer: str = "ann") -> str:
        """Let a reviewer open the situation and look long enough; return the digest."""
        digest = self.desk.open_situation(self.id, reviewer=reviewer).digest
        self.clock.advance(timedelta(seconds=30))
        return digest

    def standing(self) -> dict[str, DraftFile]:
        with self.store.read() as conn:
            return standing_of(conn, [draft.id for draft in self.drafts])

    def states(self) -> Counter[DraftState]:
        return Counter(file.draft.state for file in self.standing().values())

    def case_states(self) -> Counter[CaseState]:
        with self.store.read() as conn:
            return Counter(case.state for case in get_cases(conn, [draft.case_id for draft in self.drafts]))

    def reviews(self, verdict: ReviewVerdict) -> Counter[str]:
        """Return draft → number of reviews with this verdict."""
        with self.store.read() as conn:
            rows = conn.execute(select(ReviewRow.draft_id).where(col(ReviewRow.verdict) == verdict))
            return Counter(rows.scalars())


def nobody(_conn: Connection, _cases: Sequence[Case], *, now: datetime) -> Mapping[CaseId, Candidate]:
    """No forecast is asked for here."""
    del now
    return {}


def berlin(_conn: Connection, _case: Case) -> str:
    return "Europe/Berlin"


def decision_on(case: Case, decision_id: str, number: str) -> Decision:
    facts = (fact("order.number", number),)
    compiled = playbooks()[SCENARIO]
    return Decision(
        id=DecisionId(decision_id),
        case_id=case.id,
        turn=case.turn,
        stage=Stage.GRAPH,
        kind=DecisionKind.CONTACT,
        reason="worth_it",
        explanation="Worth more than silence.",
        at=case.opened_at,
        until=None,
        queue=None,
        channel=ChannelKind.EMAIL,
        verdicts=(),
        valuation=None,
        arm=Arm.TREAT,
        propensity_ppm=900_000,
        facts=facts,
        facts_hash=facts_hash(facts),
        playbook=case.playbook,
        playbook_hash=compiled.content_hash,
        limits_version=limits().version,
        zone_rules="2026a",
        model_use=None,
    )


def draft_of(case: Case, decision: Decision, draft_id: str, number: str) -> Draft:
    at = case.opened_at
    return Draft(
        id=DraftId(draft_id),
        case_id=case.id,
        decision_id=decision.id,
        version=1,
        state=DraftState.PENDING,
        message=message_to(case, number),
        slotted_subject=SUBJECT,
        slotted_body=TEXT,
        used=(FilledSlot(slot="order.number", rendered=number),),
        findings=(),
        facts_hash=facts_hash([fact("order.number", number)]),
        model_use=None,
        created_at=at,
        expires_at=at + timedelta(hours=4),
        review_reason="policy",
        cost_micros=400,
        segments=1,
        author="template",
    )


def message_to(case: Case, number: str, *, body: str = TEXT, template: str = "delay@1") -> Outbound:
    return Outbound(
        channel=ChannelKind.EMAIL,
        recipient=f"{case.customer_id}@example.org",
        subject=SUBJECT.replace("{order.number}", number),
        body=body.replace("{order.number}", number),
        links=(),
        locale="en_US",
        template=template,
        policy=case.playbook,
    )


def fates(answer: Any) -> Sequence[str]:
    """Return every draft of an answer, once for each part that it is in."""
    return [*answer.done, *answer.stale, *answer.cleared, *(draft_id for draft_id, _ in answer.left)]
