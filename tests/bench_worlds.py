"""Installations to be measured by scripts/bench: many cases that wait, and large mirrors."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from sqlalchemy import insert

from agent.bootstrap import App, Parts, build_app
from agent.clock import SimulatedClock
from agent.ids import Ids
from agent.store.mirror import apply_envelopes
from agent.store.tables.mirror import MirrorLink, MirrorRecord, Timer
from tests.builders import (
    DAY,
    NOW,
    FakeSource,
    changed,
    customer,
    envelope_of,
    order,
    playbook,
    playbooks,
    preference,
    shipment,
    ticket,
    type_of,
)
from tests.providers import FakeProvider
from tools.records.base import CustomerId, Envelope, Record
from tools.records.vocabulary import ChannelKind, ConsentState, CustomerStatus, ProtectedFlag

SCREEN_AT_ONCE = 2_000
"""As the loop screens."""


def build(folder: Path, *, treat_all: bool = False) -> App:
    """Put the real system together over SQLite in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    changes = {"holdout": None} if treat_all else {}
    return build_app(
        Parts(
            database_url=f"sqlite:///{folder / 'outrider.db'}",
            data_folder=folder,
            installation_key=b"k" * 32,
            sources=(),
            senders={kind: FakeProvider(channel=kind) for kind in ChannelKind},
            playbooks={name: playbook(name, **changes) for name in playbooks()},
            clock=SimulatedClock(NOW),
            ids=Ids(),
        )
    )


@contextmanager
def running(folder: Path, *, treat_all: bool = False) -> Generator[App]:
    """Build an installation and close it in the end."""
    app = build(folder, treat_all=treat_all)
    try:
        yield app
    finally:
        app.close()


def feed(app: App, records: Iterable[Record]) -> None:
    """Let the real ingest read records."""
    source = FakeSource(page=1_000).add(*records)
    for stream in source.streams():
        app.rounds.ingest.pull(source, stream, now=NOW)


def plain(number: int) -> list[Record]:
    """Return a reachable customer whose order is late, so that a case opens and survives."""
    owner = CustomerId(f"c{number:07}")
    return [
        customer(id=owner, emails=(f"{owner}@example.com",), phones=(f"+4930{number:07}",)),
        order(id=f"o{number:07}", customer_id=owner),
        shipment(id=f"s{number:07}", order_id=f"o{number:07}", customer_id=owner),
        preference(id=f"p{number:07}", customer_id=owner, state=ConsentState.OPTED_IN),
    ]


def mixed(number: int) -> list[Record]:
    """Return what cases are like in life: most customers are left alone, some must wait, few get a text."""
    person, bought, sent, said = plain(number)
    kind = number % 20
    more: list[Record] = []
    if kind < 8:
        person = changed(person, phones=())
        said = changed(said, state=ConsentState.OPTED_OUT)
    elif kind < 12:
        person = changed(person, phones=(), tz="Pacific/Auckland", country="NZ")  # in the night
    elif kind < 14:
        more = [ticket(id=f"t{number:07}", customer_id=person.id, about=f"order:{bought.id}")]
    elif kind < 15:
        person = changed(person, emails=(), phones=())
    elif kind < 16:
        person = changed(person, status=CustomerStatus.CLOSED)
    elif kind < 17:
        person = changed(person, protected=(ProtectedFlag.HARDSHIP,))
    return [person, bought, sent, said, *more]


def with_cases(folder: Path, number: int, make: Callable[[int], list[Record]], *, treat_all: bool) -> None:
    """Fill a folder with a store whose cases wait for the screen."""
    with running(folder, treat_all=treat_all) as app:
        feed(app, chain.from_iterable(make(one) for one in range(number)))
        app.rounds.sweep.run(now=NOW)


def screen_all(app: App, at_once: int = SCREEN_AT_ONCE) -> Counter[str]:
    """Screen all cases that wait; return what became of them."""
    reasons: Counter[str] = Counter()
    while True:
        done = app.rounds.screen.run(now=NOW, limit=at_once)
        reasons.update({f"{kind} {reason}": many for (kind, reason), many in done.reasons.items()})
        reasons["survived"] += done.survivors
        if done.cases < at_once:
            return reasons


def calm(number: int) -> list[Record]:
    """Return a customer with an order that is not due yet; its timers lie ahead."""
    person, bought, sent, said = plain(number)
    bought = changed(bought, promised_at=NOW + 30 * DAY, promised_on=(NOW + 29 * DAY).date())
    return [person, bought, sent, said]


def fill_mirror(app: App, size: int) -> None:
    """Write synthetic records, four per customer, with their links and timers, past the connector."""
    patterns = [envelope_of(record) for record in calm(0)]
    links = [
        (pattern, relation, value)
        for pattern, record in zip(patterns, calm(0), strict=True)
        for relation, value in dict.fromkeys(record.links())
    ]
    records = {type_of(record): record for record in calm(0)}
    instants = playbook("shipping_delay").evaluate(records, now=NOW).timers
    for start in range(0, size // 4, _PART):
        part = range(start, min(start + _PART, size // 4))
        with app.store.write() as tx:
            tx.conn.execute(insert(MirrorRecord), [row for one in part for row in _records(patterns, one)])
            tx.conn.execute(insert(MirrorLink), [row for one in part for row in _links(links, one)])
            tx.conn.execute(
                insert(Timer), [_timer(one, slot, at) for one in part for slot, at in enumerate(instants)]
            )


_PART = 5_000
_ZERO = "0" * 7
"""The number in the patterns, which every other number replaces."""


def _timer(number: int, slot: int, at: datetime) -> dict[str, object]:
    return {"scenario": "shipping_delay", "type": "order", "id": f"o{number:07}", "slot": slot, "next_at": at}


def _records(patterns: Iterable[Envelope], number: int) -> Iterator[dict[str, object]]:
    digits = f"{number:07}"
    for one in patterns:
        yield {
            "type": one.type,
            "id": one.id.replace(_ZERO, digits),
            "source": one.source,
            "stream": one.stream,
            "customer_ref": f"c{digits}",
            "version": one.version,
            "content_hash": f"{number:064x}",
            "source_updated_at": one.source_updated_at,
            "observed_at": one.observed_at,
            "deleted": False,
            "body": one.body.replace(_ZERO, digits),
        }


def _links(patterns: Iterable[tuple[Envelope, str, str]], number: int) -> Iterator[dict[str, object]]:
    digits = f"{number:07}"
    for one, relation, value in patterns:
        yield {
            "type": one.type,
            "id": one.id.replace(_ZERO, digits),
            "relation": relation,
            "value": value.replace(_ZERO, digits),
        }


def change_orders(app: App, *, turn: int, size: int) -> None:
    """Change 90 calm orders and make 10 late, all over the mirror; no turn meets an order twice."""
    stride = size // 4 // 100
    if turn >= stride:
        raise ValueError(f"only {stride} turns have fresh orders")
    envelopes: list[Envelope] = []
    for one in range(100):
        number = one * stride + turn
        bought = (plain(number) if one % 10 == 0 else calm(number))[1]
        bought = changed(bought, ship_postcode="10115")
        envelopes.append(envelope_of(bought, source_updated_at=NOW - timedelta(minutes=30), version="2"))
    with app.store.write() as tx:
        apply_envelopes(tx.conn, envelopes)
