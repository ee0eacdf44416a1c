"""The end state of a case: decisions, drafts, messages and suppressions, read from its system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlmodel import col, select

from agent.canonical import canonical, text_hash
from agent.domain.cases import Case, CaseId, CaseState
from agent.domain.decisions import Decision, DecisionKind
from agent.domain.drafts import DeliveryState, DraftState
from agent.store.cases import get_cases
from agent.store.decisions import decisions_of_case
from agent.store.deliveries import DeliveryFile, deliveries_of_case
from agent.store.drafts import DraftFile, drafts_of_case
from agent.store.tables.cases import CaseFile
from agent.store.tables.sending import Suppression
from agent.watch.zones import zone_of
from evals.results import Decided
from evals.world.provider import Accepted
from evals.world.system import CaseSystem
from tools.messages import Outbound
from tools.records.base import Record
from tools.records.facts import Fact

_SUBJECT: Final = "c1"
_HELD: Final = frozenset({DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A text with everything it rests on."""

    customer: str
    message: Outbound
    facts: Mapping[str, Fact]
    zone: str
    sent_at: datetime | None
    """None for a draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEnding:
    """One case of the running system at the end."""

    case: Case
    decisions: Sequence[Decision]
    drafts: Sequence[DraftFile]
    deliveries: Sequence[DeliveryFile]

    @property
    def decided(self) -> tuple[Decided, str]:
        """What became of the case and why: what happened counts before what was decided."""
        if any(one.delivery.state is DeliveryState.ACCEPTED for one in self.deliveries):
            return Decided.CONTACT, "worth_it"
        last = self.decisions[-1] if self.decisions else None
        if last is None:
            return Decided.NONE, ""
        if last.kind is DecisionKind.CONTACT:
            if self.case.state is CaseState.EXPIRED:
                return Decided.ABSTAIN, "expired"
            held = [one for one in self.deliveries if one.delivery.state in _HELD]
            if held:
                return Decided.DEFER, held[-1].state_reason or "queued"
        return Decided(last.kind.value), last.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Everything that scoring looks at."""

    cases: Sequence[CaseEnding]
    told: Sequence[Told]
    """Messages in the order of sending, then drafts that wait."""
    accepted: Sequence[Accepted]
    suppressions: Sequence[tuple[str, str]]
    """(channel, purpose), sorted."""
    records: Mapping[tuple[str, str], Record]
    link_hosts: Sequence[str]

    @property
    def sent(self) -> list[Told]:
        """The messages that reached somebody."""
        return [one for one in self.told if one.sent_at is not None]

    def subject(self, scenario: str) -> CaseEnding | None:
        """Return the case that is judged: the last one of the scenario about `c1`."""
        found = [
            one for one in self.cases if one.case.scenario == scenario and one.case.customer_id == _SUBJECT
        ]
        contacted = [one for one in found if one.decided[0] is Decided.CONTACT]
        return next(reversed(contacted or found), None)

    @property
    def digest(self) -> str:
        """SHA-256 over what was decided, sent and suppressed, without ids; equal endings are equal."""
        decided = sorted(
            (one.case.signal_key, *map(str, one.decided), one.case.state.value) for one in self.cases
        )
        sent = [
            (one.customer, one.message.content_hash, one.sent_at.isoformat() if one.sent_at else "")
            for one in self.told
        ]
        return text_hash(canonical({"decided": decided, "sent": sent, "stopped": list(self.suppressions)}))


def read_ending(system: CaseSystem) -> Ending:
    """Return the end state of a case that was served."""
    with system.app.store.read() as conn:
        ids = list(conn.execute(select(CaseFile.id).order_by(col(CaseFile.id))).scalars())
        cases = [_case_ending(conn, case) for case in get_cases(conn, ids)]
        zones = {one.case.id: zone_of(conn, one.case, system.deciding.limits) for one in cases}
        suppressions = sorted(
            (channel, purpose)
            for channel, purpose in conn.execute(select(Suppression.channel, Suppression.purpose))
        )
    accepted = sorted(
        (one for provider in system.providers.values() for one in provider.accepted), key=lambda one: one.at
    )
    return Ending(
        cases=cases,
        told=[*_sent(cases, accepted, zones), *_waiting(cases, zones)],
        accepted=accepted,
        suppressions=suppressions,
        records=dict(system.records),
        link_hosts=system.deciding.limits.link_hosts,
    )


def _case_ending(conn: Connection, case: Case) -> CaseEnding:
    return CaseEnding(
        case=case,
        decisions=decisions_of_case(conn, case.id),
        drafts=drafts_of_case(conn, case.id),
        deliveries=deliveries_of_case(conn, case.id),
    )


def _sent(
    cases: Sequence[CaseEnding], accepted: Sequence[Accepted], zones: Mapping[CaseId, str]
) -> list[Told]:
    by_delivery = {file.delivery.id: (one, file) for one in cases for file in one.deliveries}
    told: list[Told] = []
    for taken in accepted:
        owner = by_delivery.get(taken.key)  # type: ignore[call-overload]  # a delivery's id is its key
        if owner is None:
            continue
        one, file = owner
        facts = _facts(one, file.delivery.draft_id)
        told.append(
            Told(
                customer=one.case.customer_id,
                message=taken.message,
                facts=facts,
                zone=zones[one.case.id],
                sent_at=taken.at,
            )
        )
    return told


def _waiting(cases: Sequence[CaseEnding], zones: Mapping[CaseId, str]) -> list[Told]:
    return [
        Told(
            customer=one.case.customer_id,
            message=file.draft.message,
            facts=_facts(one, file.draft.id),
            zone=zones[one.case.id],
            sent_at=None,
        )
        for one in cases
        for file in one.drafts
        if file.draft.state is DraftState.PENDING
    ]


def _facts(one: CaseEnding, draft_id: str) -> dict[str, Fact]:
    draft = next((file.draft for file in one.drafts if file.draft.id == draft_id), None)
    decision = next((item for item in one.decisions if draft and item.id == draft.decision_id), None)
    return {fact.name: fact for fact in decision.facts} if decision else {}
