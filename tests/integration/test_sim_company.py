"""The simulated company read as any company is: through its connector file and the generic SQL connector."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from agent.clock import SimulatedClock
from policies.expressions import Truth
from policies.loader import PLAYBOOK_FOLDER, load_playbooks
from tools.ports import Cursor, Rejected, Source
from tools.records.base import Envelope, Record
from tools.records.commerce import Invoice, Order, Shipment
from tools.records.operations import Incident
from tools.records.people import Customer
from tools.records.registry import parse_body
from tools.registry import open_source
from tools.sim.build import build_company
from tools.sim.company import CONNECTOR_FILE, Company
from tools.sim.names import HOSTILE_NAMES

START = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 14
END = START + timedelta(days=DAYS)
STEP = timedelta(hours=4)


PLAYBOOKS = load_playbooks(PLAYBOOK_FOLDER)


@dataclass(slots=True)
class Reader:
    """Follows every stream as the watch does, into a dictionary."""

    source: Source
    bodies: dict[tuple[str, str], Envelope] = field(default_factory=dict[tuple[str, str], Envelope])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    cursors: dict[str, Cursor] = field(default_factory=dict[str, Cursor])
    read: Counter[str] = field(default_factory=Counter[str])

    def follow(self, now: datetime) -> None:
        for spec in self.source.streams():
            for batch in self.source.read(spec.name, self.cursors.get(spec.name), now=now):
                self.rejected += batch.rejected
                self.keep(batch.envelopes)
                if batch.next_cursor is not None:
                    self.cursors[spec.name] = batch.next_cursor

    def keep(self, envelopes: tuple[Envelope, ...]) -> int:
        changed = 0
        for envelope in envelopes:
            self.read[envelope.type] += 1
            known = self.bodies.get((envelope.type, envelope.id))
            changed += known is None or known.body != envelope.body
            self.bodies[envelope.type, envelope.id] = envelope
        return changed

    def records(self) -> dict[str, dict[str, Record]]:
        found: dict[str, dict[str, Record]] = defaultdict(dict)
        for (record_type, record_id), envelope in self.bodies.items():
            found[record_type][record_id] = parse_body(record_type, envelope.body)
        return found


@dataclass(slots=True)
class World:
    """A company that was followed in small steps, and what each scenario fired on."""

    company: Company
    clock: SimulatedClock
    reader: Reader
    fired: dict[str, set[str]]


def open_company(company: Company, clock: SimulatedClock) -> Source:
    return open_source(CONNECTOR_FILE, env={"COMPANY_URL": f"sqlite:///{company.path}"}, server_now=clock)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    path = tmp_path_factory.mktemp("sim") / "company.db"
    build_company(path, seed=3, customers=260, start=START, days=DAYS)
    company, clock = Company(path), SimulatedClock(START)
    world = World(company, clock, Reader(open_company(company, clock)), defaultdict(set))
    now = START
    while now < END:
        now += STEP
        company.advance(now)
        clock.advance(STEP)
        world.reader.follow(now)
        if now.hour == 12:
            _fire(world, now)
    return world


def _fire(world: World, now: datetime) -> None:
    records = world.reader.records()
    for scenario, playbook in PLAYBOOKS.items():
        for subject in records[playbook.playbook.trigger.record].values():
            together = dict(_related(subject, records))
            if playbook.evaluate(together, now=now).fires is Truth.TRUE:
                world.fired[scenario].add(subject.id)


def _related(subject: Record, records: Mapping[str, Mapping[str, Record]]) -> Iterator[tuple[str, Record]]:
    kind = type(subject).__name__.lower()
    yield kind, subject
    if isinstance(subject, Order):
        shipments = [
            one for one in records["shipment"].values() if cast("Shipment", one).order_id == subject.id
        ]
        yield from (("shipment", one) for one in shipments[:1])
    customer = records["customer"].get(getattr(subject, "customer_id", ""))
    if customer is not None:
        yield "customer", customer


def test_the_connector_file_is_healthy(world: World) -> None:
    health = world.reader.source.check()

    assert [finding for finding in health.findings if finding.level == "error"] == []


@pytest.mark.parametrize(
    ("record_type", "least"),
    [
        ("account", 5),
        ("customer", 260),
        ("preference", 400),
        ("subscription", 80),
        ("order", 100),
        ("shipment", 100),
        ("invoice", 80),
        ("incident", 6),
        ("usage", 20),
        ("ticket", 40),
        ("note", 10),
    ],
)
def test_every_stream_gives_records(world: World, record_type: str, least: int) -> None:
    assert len(world.reader.records()[record_type]) >= least


def test_only_the_new_words_of_the_company_are_quarantined(world: World) -> None:
    found = {(one.record_type, one.field, one.value, one.kind) for one in world.reader.rejected}

    assert found <= {
        ("order", "status", "zollpruefung", "unmapped"),
        ("shipment", "status", "DROHNE", "unmapped"),
    }
    assert found


def test_what_following_missed_is_found_by_looking_back(world: World) -> None:
    following, fresh = world.reader, Reader(world.reader.source)
    fresh.follow(world.clock())

    missed = sum(following.bodies.get(key) is None for key in fresh.bodies)
    stale = sum(
        key in following.bodies and following.bodies[key].body != fresh.bodies[key].body
        for key in fresh.bodies
    )
    assert missed + stale <= len(fresh.bodies) // 50

    for spec in following.source.streams():
        for batch in following.source.lookback(spec.name, now=world.clock()):
            following.keep(batch.envelopes)
    left = [key for key in fresh.bodies if following.bodies[key].body != fresh.bodies[key].body]
    assert [key for key in left if fresh.bodies[key].source_updated_at > END - timedelta(days=6)] == []


def test_reading_again_gives_nothing(world: World) -> None:
    before = world.reader.read.total()

    world.reader.follow(world.clock())

    assert world.reader.read.total() == before


@pytest.mark.parametrize(
    ("scenario", "least"),
    [("shipping_delay", 10), ("payment_due", 8), ("service_disruption", 2), ("data_threshold", 4)],
)
def test_every_playbook_fires(world: World, scenario: str, least: int) -> None:
    assert len(world.fired[scenario]) >= least


def test_the_delay_playbook_finds_the_orders_that_were_late(world: World) -> None:
    orders = cast("dict[str, Order]", world.reader.records()["order"])
    late = {
        order.id
        for order in orders.values()
        if order.promised_at
        and order.delivered_at
        and order.delivered_at >= order.promised_at + timedelta(days=1)
        if order.promised_at > START + timedelta(days=1)
    }

    assert len(late) >= 5
    assert len(late & world.fired["shipping_delay"]) >= 0.9 * len(late)


def test_days_and_instants_of_a_record_agree(world: World) -> None:
    records = world.reader.records()
    orders = cast("dict[str, Order]", records["order"]).values()
    invoices = cast("dict[str, Invoice]", records["invoice"]).values()

    # the shop is in Berlin, the bank in New York: the day ends at local midnight
    assert {order.promised_at.hour for order in orders if order.promised_at} <= {22, 23}
    assert all(
        order.promised_on == (order.promised_at - timedelta(hours=3)).date()
        for order in orders
        if order.promised_at
    )
    assert all(invoice.due_at - timedelta(hours=6) > _midnight(invoice) for invoice in invoices)
    assert {invoice.due_at.hour for invoice in invoices} <= {0, 4, 5, 23}


def _midnight(invoice: Invoice) -> datetime:
    return datetime.combine(invoice.due_on, datetime.min.time(), UTC)


def test_hostile_names_arrive_unchanged(world: World) -> None:
    customers = cast("dict[str, Customer]", world.reader.records()["customer"])

    names = {customer.name for customer in customers.values()}

    assert set(HOSTILE_NAMES.values()) <= names


def test_scopes_name_services_sites_or_customers(world: World) -> None:
    incidents = cast("dict[str, Incident]", world.reader.records()["incident"]).values()

    assert any(incident.service_ids for incident in incidents)
    assert any(incident.sites for incident in incidents)
    assert all(incident.service_ids or incident.sites or incident.customer_ids for incident in incidents)
    assert any(incident.status == "resolved" for incident in incidents)
