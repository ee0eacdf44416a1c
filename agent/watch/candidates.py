"""Candidates for the gates, gathered in bulk: in the screen, and again inside the intent's transaction."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.domain.cases import Case, CaseId
from agent.domain.mirror import Seen
from agent.store.deliveries import sent_times
from agent.store.keyring import Keyring
from agent.store.kill_switch import Stops, active_stops
from agent.store.mirror import linked, load_records, shared_values
from agent.store.streams import read_times
from agent.store.suppressions import has_suppressions, is_suppressed, suppressed_purposes
from agent.watch.related import CUSTOMER
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathered:
    """Everything the candidates of one call share, each found by one query."""

    customers: Mapping[str, Customer]
    sources: Mapping[tuple[str, str], Seen]
    preferences: Mapping[str, Sequence[Preference]]
    sent: Mapping[CustomerId, Sequence[datetime]]
    tickets: Mapping[str, str]
    shared: Mapping[ChannelKind, Collection[str]]
    suppressed: Mapping[ChannelKind, Mapping[str, frozenset[str]]]
    stops: Stops
    read_at: Mapping[str, datetime]
    """Connector → when its stalest stream was read."""
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
        gathered = self._gather(conn, cases, now=now)
        zones: dict[str, tuple[str, ...]] = {}
        found: dict[CaseId, Candidate] = {}
        for case in cases:
            if case.customer_id not in zones:
                zones[case.customer_id] = self._zones(gathered.customers.get(case.customer_id))
            found[case.id] = self._candidate(case, gathered, zones[case.customer_id], now=now)
        return found

    def _gather(self, conn: Connection, cases: Sequence[Case], *, now: datetime) -> _Gathered:
        ids = sorted({case.customer_id for case in cases})
        objects = {_key(case.object_ref) for case in cases}
        records = load_records(conn, {(CUSTOMER, one) for one in ids})
        customers = {
            key[1]: seen.record for key, seen in records.items() if isinstance(seen.record, Customer)
        }
        return _Gathered(
            customers=customers,
            sources=load_records(conn, objects),
            preferences=_preferences(conn, ids),
            sent=sent_times(conn, ids, since=now - _WEEK),
            tickets=_open_tickets(conn, {case.object_ref for case in cases}),
            shared={
                kind: shared_values(conn, relation, _addresses(customers, kind))
                for kind, relation in _RELATIONS.items()
            },
            suppressed={kind: self._suppressed(conn, customers, kind) for kind in ChannelKind},
            stops=active_stops(conn),
            read_at=_stalest(conn),
            budget_left=self.budget_left(conn, now),
        )

    def _candidate(
        self, case: Case, gathered: _Gathered, zones: tuple[str, ...], *, now: datetime
    ) -> Candidate:
        playbook = self.playbooks[case.scenario].playbook
        customer = gathered.customers.get(case.customer_id)
        sent = gathered.sent.get(case.customer_id, ())
        seen = gathered.sources.get(_key(case.object_ref))
        read_at = gathered.read_at.get(seen.source) if seen else None
        return Candidate(
            customer_known=customer is not None,
            status=customer.status if customer else CustomerStatus.ACTIVE,
            protected=customer.protected if customer else (),
            zones=zones,
            reaches=self._reaches(case, customer, playbook, gathered) if customer else (),
            sent_last_day=sum(at >= _day_start(now, zones) for at in sent) if sent else 0,
            sent_last_week=len(sent),
            open_ticket=gathered.tickets.get(case.object_ref),
            source_age=now - read_at if read_at else None,
            killed=gathered.stops.scenario(case.scenario),
            budget_left=gathered.budget_left,
            deadline=case.deadline,
            cleared=False,  # the sweep closes what a record cleared; sending looks again at the source
        )

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
                    killed=gathered.stops.channel(channel.kind),
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
        self, conn: Connection, customers: Mapping[str, Customer], kind: ChannelKind
    ) -> Mapping[str, frozenset[str]]:
        if not has_suppressions(conn, kind):
            return {}
        hashed = [self.keyring.address_hmac(address) for address in _addresses(customers, kind)]
        return suppressed_purposes(conn, kind, sorted(set(hashed)))


def _key(object_ref: str) -> tuple[str, str]:
    record_type, _, record_id = object_ref.partition(":")
    return record_type, record_id


def _address(customer: Customer, kind: ChannelKind) -> str | None:
    addresses: tuple[str, ...] = getattr(customer, _ADDRESSES[kind])
    return addresses[0] if addresses else None


def _addresses(customers: Mapping[str, Customer], kind: ChannelKind) -> list[str]:
    return [address for customer in customers.values() if (address := _address(customer, kind))]


def _preferences(conn: Connection, ids: Sequence[CustomerId]) -> dict[str, list[Preference]]:
    keys = {
        ("preference", one) for found in linked(conn, CUSTOMER, ids, "preference").values() for one in found
    }
    preferences: dict[str, list[Preference]] = defaultdict(list)
    for seen in load_records(conn, keys).values():
        if isinstance(seen.record, Preference):
            preferences[seen.record.customer_id].append(seen.record)
    return preferences


def _consent(preferences: Sequence[Preference], channel: ChannelKind, purpose: Purpose) -> ConsentState:
    said = [one for one in preferences if one.channel is channel and one.purpose is purpose]
    if not said:
        return ConsentState.UNKNOWN
    # of two statements at the same instant the stricter one counts
    return max(said, key=lambda one: (one.at, one.state is ConsentState.OPTED_OUT)).state


def _open_tickets(conn: Connection, object_refs: Collection[str]) -> dict[str, str]:
    about = linked(conn, "about", object_refs, "ticket")
    tickets = load_records(conn, {("ticket", one) for ids in about.values() for one in ids})
    return {
        object_ref: one
        for object_ref, ids in about.items()
        for one in ids
        if ("ticket", one) in tickets
        and isinstance(ticket := tickets["ticket", one].record, Ticket)
        and ticket.status in _OPEN_TICKETS
    }


def _stalest(conn: Connection) -> dict[str, datetime]:
    stalest: dict[str, datetime] = {}
    for (source, _), read_at in read_times(conn).items():
        stalest[source] = min(read_at, stalest.get(source, read_at))
    return stalest


def _day_start(now: datetime, zones: Sequence[str]) -> datetime:
    """Return the start of the customer's calendar day; the earliest one where several zones are plausible."""
    starts = [
        now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0) for zone in zones
    ]
    return min(starts, default=now - timedelta(days=1))
