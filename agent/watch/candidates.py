"""Candidates for the gates, gathered in bulk: in the screen, and again inside the intent's transaction."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.domain.cases import Case, CaseId
from agent.store.deliveries import sent_times
from agent.store.keyring import Keyring
from agent.store.kill_switch import active_stops
from agent.store.mirror import linked, load_records, records_of_customers, shared_values
from agent.store.second_messages import maybe_reached
from agent.store.streams import read_times
from agent.store.suppressions import has_suppressions, is_suppressed, suppressed_purposes
from agent.watch.related import ABOUT, CUSTOMER, Records, records_of, subject_of
from policies.expressions import Truth
from policies.fact_names import record_types_of
from policies.gates.candidate import Candidate, Reach
from policies.model import Limits, Playbook
from policies.triggers import CompiledPlaybook
from policies.zones import plausible_zones
from tools.records.base import CustomerId
from tools.records.people import Customer, Preference, Ticket
from tools.records.vocabulary import ChannelKind, ConsentState, CustomerStatus, Purpose, TicketStatus

_WEEK = timedelta(days=7)
_OPEN_TICKETS = frozenset({TicketStatus.OPEN, TicketStatus.PENDING})
_ADDRESSES: Mapping[ChannelKind, str] = {
    ChannelKind.EMAIL: "emails",
    ChannelKind.SMS: "phones",
    ChannelKind.PUSH: "push_tokens",
}
_RELATIONS: Mapping[ChannelKind, str] = {ChannelKind.EMAIL: "email", ChannelKind.SMS: "phone"}
"""Link relations by which a shared address is found; push tokens belong to one app on one device."""

BudgetLeft = Callable[[Connection, datetime], bool]


class _Person(NamedTuple):
    """What is the same for all cases of one customer."""

    customer: Customer | None
    zones: tuple[str, ...]
    sent_last_day: int
    sent_last_week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Candidates, and the records that they were made from."""

    candidates: dict[CaseId, Candidate]
    records: dict[CaseId, Records]
    """The object, its related records, and the customer; without what is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathered:
    """Everything the candidates of one call share, each found by one query."""

    records: Mapping[CaseId, Records]
    preferences: Mapping[str, Sequence[Preference]]
    sent: Mapping[CustomerId, Sequence[datetime]]
    tickets: Mapping[str, Sequence[Ticket]]
    """Object → open tickets about it."""
    shared: Mapping[ChannelKind, Collection[str]]
    suppressed: Mapping[ChannelKind, Mapping[str, frozenset[str]]]
    killed_scenarios: Mapping[str, str | None]
    killed_channels: Mapping[ChannelKind, str | None]
    maybe_reached: Mapping[CaseId, frozenset[ChannelKind]]
    read_at: Mapping[tuple[str, str], datetime]
    """(connector, stream) → when it was last read to its end."""
    budget_left: bool


@dataclass(frozen=True, slots=True)
class Candidates:
    """Loads candidates; the number of queries does not grow with the number of cases."""

    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits
    keyring: Keyring
    budget_left: BudgetLeft

    def __call__(self, conn: Connection, cases: Sequence[Case], *, now: datetime) -> dict[CaseId, Candidate]:
        """Return the candidate of each case as the database has it now."""
        return self.load(conn, cases, now=now).candidates

    def load(self, conn: Connection, cases: Sequence[Case], *, now: datetime) -> Loaded:
        """Return the candidate of each case and its records, as the database has them now.

        Raises:
            KeyError: The playbook of a case is not in force.
        """
        gathered = self._gather(conn, cases, now=now)
        people: dict[str, _Person] = {}
        cleared: dict[tuple[str, str], bool] = {}
        found: dict[CaseId, Candidate] = {}
        for case in cases:
            if case.customer_id not in people:
                people[case.customer_id] = self._person(case, gathered, now=now)
            found[case.id] = self._candidate(case, gathered, people[case.customer_id], cleared, now=now)
        return Loaded(candidates=found, records=dict(gathered.records))

    def _gather(self, conn: Connection, cases: Sequence[Case], *, now: datetime) -> _Gathered:
        ids = sorted({case.customer_id for case in cases})
        records = self._records(conn, cases)
        customers = [customer for one in records.values() if (customer := _customer(one))]
        scenarios = {case.scenario for case in cases}
        stops = active_stops(conn)
        return _Gathered(
            records=records,
            preferences=_preferences(conn, ids),
            sent=sent_times(conn, ids, since=now - _WEEK),
            tickets=_open_tickets(conn, {case.object_ref for case in cases}),
            shared={
                kind: shared_values(conn, relation, _addresses(customers, kind))
                for kind, relation in _RELATIONS.items()
            },
            suppressed={kind: self._suppressed(conn, customers, kind) for kind in ChannelKind},
            killed_scenarios={scenario: stops.scenario(scenario) for scenario in scenarios},
            killed_channels={kind: stops.channel(kind) for kind in ChannelKind},
            # a case without a decision has sent nothing yet
            maybe_reached=maybe_reached(conn, [case.id for case in cases if case.turn]),
            read_at=read_times(conn),
            budget_left=self.budget_left(conn, now),
        )

    def _records(self, conn: Connection, cases: Sequence[Case]) -> dict[CaseId, Records]:
        by_scenario: dict[str, list[Case]] = defaultdict(list)
        for case in cases:
            by_scenario[case.scenario].append(case)
        found: dict[CaseId, Records] = {}
        for scenario, members in by_scenario.items():
            playbook = self.playbooks[scenario].playbook
            types = {kind for name in playbook.situation for kind in record_types_of(name)}
            subjects = {case.id: subject_of(case) for case in members}
            wanted = sorted({*types, *playbook.trigger.related} - {CUSTOMER})
            records = records_of(conn, set(subjects.values()), wanted)
            people = load_records(conn, {(CUSTOMER, case.customer_id) for case in members})
            for case in members:
                found[case.id] = dict(records.get(subjects[case.id], {}))
                person = people.get((CUSTOMER, case.customer_id))
                if person is not None:
                    found[case.id][CUSTOMER] = person
        return found

    def _person(self, case: Case, gathered: _Gathered, *, now: datetime) -> _Person:
        customer = _customer(gathered.records[case.id])
        sent = gathered.sent.get(case.customer_id, ())
        zones = self._zones(customer)
        return _Person(
            customer=customer,
            zones=zones,
            sent_last_day=sum(at >= _day_start(now, zones) for at in sent) if sent else 0,
            sent_last_week=len(sent),
        )

    def _candidate(
        self,
        case: Case,
        gathered: _Gathered,
        person: _Person,
        cleared: dict[tuple[str, str], bool],
        *,
        now: datetime,
    ) -> Candidate:
        compiled = self.playbooks[case.scenario]
        customer = person.customer
        records = gathered.records[case.id]
        return Candidate(
            customer_known=customer is not None,
            status=customer.status if customer else CustomerStatus.ACTIVE,
            protected=customer.protected if customer else (),
            zones=person.zones,
            reaches=self._reaches(case, customer, compiled.playbook, gathered) if customer else (),
            sent_last_day=person.sent_last_day,
            sent_last_week=person.sent_last_week,
            open_ticket=_ticket(case, compiled.playbook, gathered.tickets),
            source_age=_source_age(records, gathered.read_at, now=now),
            killed=gathered.killed_scenarios[case.scenario],
            budget_left=gathered.budget_left,
            deadline=case.deadline,
            cleared=self._cleared(case, compiled, records, cleared, now=now),
            maybe_reached=gathered.maybe_reached.get(case.id, frozenset()),
        )

    def _cleared(
        self,
        case: Case,
        compiled: CompiledPlaybook,
        records: Records,
        shared: dict[tuple[str, str], bool],
        *,
        now: datetime,
    ) -> bool:
        trigger = compiled.playbook.trigger
        if trigger.scope != "affected" or trigger.related:
            return _is_cleared(compiled, records, now=now)
        # everybody in an incident shares one answer, unless the condition looks at the customer too
        key = case.scenario, case.object_ref
        if key not in shared:
            shared[key] = _is_cleared(compiled, records, now=now)
        return shared[key]

    def _reaches(
        self, case: Case, customer: Customer, playbook: Playbook, gathered: _Gathered
    ) -> tuple[Reach, ...]:
        preferences = gathered.preferences.get(case.customer_id, ())
        reaches: list[Reach] = []
        for channel in playbook.channels:
            address = _address(customer, channel.kind)
            purposes: frozenset[str] = frozenset()
            if address and gathered.suppressed[channel.kind]:
                purposes = gathered.suppressed[channel.kind].get(
                    self.keyring.address_hmac(address), frozenset()
                )
            reaches.append(
                Reach(
                    kind=channel.kind,
                    address=address,
                    shared=address in gathered.shared.get(channel.kind, ()),
                    consent=_consent(preferences, channel.kind, playbook.purpose),
                    suppressed=is_suppressed(purposes, playbook.purpose),
                    killed=gathered.killed_channels[channel.kind],
                )
            )
        return tuple(reaches)

    def _zones(self, customer: Customer | None) -> tuple[str, ...]:
        if customer is None:
            return ()
        return plausible_zones(
            tz=customer.tz,
            phones=customer.phones,
            country=customer.country,
            default_zones=self.limits.default_zones,
        )

    def _suppressed(
        self, conn: Connection, customers: Collection[Customer], kind: ChannelKind
    ) -> Mapping[str, frozenset[str]]:
        if not has_suppressions(conn, kind):
            return {}
        hashed = [self.keyring.address_hmac(address) for address in _addresses(customers, kind)]
        return suppressed_purposes(conn, kind, sorted(set(hashed)))


def _customer(records: Records) -> Customer | None:
    seen = records.get(CUSTOMER)
    return seen.record if seen and isinstance(seen.record, Customer) else None


def _address(customer: Customer, kind: ChannelKind) -> str | None:
    addresses: tuple[str, ...] = getattr(customer, _ADDRESSES[kind])
    return addresses[0] if addresses else None


def _addresses(customers: Collection[Customer], kind: ChannelKind) -> list[str]:
    return [address for customer in customers if (address := _address(customer, kind))]


def _preferences(conn: Connection, ids: Sequence[CustomerId]) -> dict[str, list[Preference]]:
    preferences: dict[str, list[Preference]] = defaultdict(list)
    for seen in records_of_customers(conn, ids, "preference"):
        if isinstance(seen.record, Preference):
            preferences[seen.record.customer_id].append(seen.record)
    return preferences


def _consent(preferences: Sequence[Preference], channel: ChannelKind, purpose: Purpose) -> ConsentState:
    said = [one for one in preferences if one.channel is channel and one.purpose is purpose]
    if not said:
        return ConsentState.UNKNOWN
    # of two statements at the same instant the stricter one counts
    return max(said, key=lambda one: (one.at, one.state is ConsentState.OPTED_OUT)).state


def _open_tickets(conn: Connection, object_refs: Collection[str]) -> dict[str, list[Ticket]]:
    about = linked(conn, ABOUT, object_refs, "ticket")
    tickets = load_records(conn, {("ticket", one) for ids in about.values() for one in ids})
    found: dict[str, list[Ticket]] = defaultdict(list)
    for object_ref, ids in about.items():
        for one in sorted(ids):
            seen = tickets.get(("ticket", one))
            if seen and isinstance(seen.record, Ticket) and seen.record.status in _OPEN_TICKETS:
                found[object_ref].append(seen.record)
    return found


def _ticket(case: Case, playbook: Playbook, tickets: Mapping[str, Sequence[Ticket]]) -> str | None:
    """Return an open ticket about the case's object; of an incident, only this customer's own counts."""
    for ticket in tickets.get(case.object_ref, ()):
        if playbook.trigger.scope == "owner" or ticket.customer_id == case.customer_id:
            return ticket.id
    return None


def _is_cleared(compiled: CompiledPlaybook, records: Records, *, now: datetime) -> bool:
    if compiled.playbook.trigger.record not in records:
        return False  # not read yet: the source's age answers; what was deleted, the sweep closes
    bound = {kind: seen.record for kind, seen in records.items() if kind in compiled.relevant_types}
    return compiled.resolved(bound, now=now) is Truth.TRUE


def _source_age(
    records: Records, read_at: Mapping[tuple[str, str], datetime], *, now: datetime
) -> timedelta | None:
    """Return how long ago the stalest stream of a case's records was read; None when one never was."""
    read = [read_at.get((seen.source, seen.stream)) for seen in records.values()]
    known = [at for at in read if at is not None]
    return now - min(known) if known and len(known) == len(read) else None


def _day_start(now: datetime, zones: Sequence[str]) -> datetime:
    """Return the start of the customer's calendar day; the earliest one where several zones are plausible."""
    starts = [
        now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0) for zone in zones
    ]
    return min(starts, default=now - timedelta(days=1))
