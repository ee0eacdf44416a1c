"""Ingest: at least once, in any order, each page in one transaction with its cursor."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlmodel import col, select

from agent.domain.mirror import Seen
from agent.store.mirror import linked, load_records
from agent.store.streams import count_quarantined, stream_states
from agent.store.tables.mirror import MirrorChange, MirrorLink, MirrorRecord, Quarantine
from agent.store.transaction import Store, count
from agent.watch.ingest import Ingest
from tests.builders import DAY, HOUR, NOW, FakeSource, customer, envelope_of, order, rejected_row, shipment
from tools.errors import ToolError
from tools.records.base import CustomerId, Envelope
from tools.records.commerce import Order
from tools.records.vocabulary import OrderStatus


def test_records_and_their_cursor_are_stored_together(any_store: Store) -> None:
    source = FakeSource(page=2).add(*(order(id=f"o{number}") for number in range(5)))

    pulled = Ingest(any_store).pull(source, source.spec("order"), now=NOW)

    assert (pulled.read, pulled.stored, pulled.rejected) == (5, 5, 0)
    with any_store.read() as conn:
        state = stream_states(conn, "shop")["order"]
        assert state.cursor is not None
        assert state.cursor.value == "5"
        assert state.read_at == NOW
        assert count(conn, MirrorRecord) == 5
        assert _pending(any_store) == {("order", f"o{number}") for number in range(5)}


def test_a_second_pull_reads_on_from_the_cursor(store: Store) -> None:
    source = FakeSource().add(order())
    ingest = Ingest(store)
    ingest.pull(source, source.spec("order"), now=NOW)
    source.add(order(id="o2"))

    pulled = ingest.pull(source, source.spec("order"), now=NOW + HOUR)

    assert (pulled.read, pulled.stored) == (1, 1)
    with store.read() as conn:
        assert stream_states(conn, "shop")["order"].read_at == NOW + HOUR


def test_streams_of_the_same_name_move_on_by_themselves(any_store: Store) -> None:
    ingest = Ingest(any_store)
    sources = [FakeSource(name=name).add(order(id=name)) for name in ("shop", "depot")]
    for source in sources:
        ingest.pull(source, source.spec("order"), now=NOW)
    second = sources[1].add(order(id="another"))

    ingest.pull(second, second.spec("order"), now=NOW + HOUR)

    with any_store.read() as conn:
        shop, depot = (stream_states(conn, source.name)["order"] for source in sources)
    assert (shop.read_at, depot.read_at) == (NOW, NOW + HOUR)
    assert shop.cursor != depot.cursor


def test_the_same_content_again_changes_nothing(store: Store) -> None:
    source = FakeSource(snapshot=True).add(order())
    ingest = Ingest(store)
    ingest.pull(source, source.spec("order"), now=NOW)
    _forget_changes(store)

    pulled = ingest.pull(source, source.spec("order"), now=NOW + HOUR)

    assert (pulled.read, pulled.stored) == (1, 0)
    assert _pending(store) == set()


def test_an_older_version_never_overwrites_a_newer_one(any_store: Store) -> None:
    _apply(any_store, _version(OrderStatus.DELIVERED, age=1))
    _apply(any_store, _version(OrderStatus.OPEN, age=2))

    assert _status(any_store) is OrderStatus.DELIVERED


def test_of_equal_change_times_the_later_read_wins(any_store: Store) -> None:
    _apply(any_store, _version(OrderStatus.OPEN, age=1, seen=1))
    _apply(any_store, _version(OrderStatus.DELIVERED, age=1, seen=2))
    _apply(any_store, _version(OrderStatus.OPEN, age=1, seen=1))

    assert _status(any_store) is OrderStatus.DELIVERED


def test_a_change_between_two_equal_versions_is_still_outdated(store: Store) -> None:
    _apply(store, _version(OrderStatus.DELIVERED, age=3))
    _apply(store, _version(OrderStatus.DELIVERED, age=1))
    _apply(store, _version(OrderStatus.OPEN, age=2))

    assert _status(store) is OrderStatus.DELIVERED


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order_of_arrival=st.permutations(range(6)), page=st.integers(1, 6))
def test_the_newest_version_wins_in_any_order_of_arrival(
    store: Store, order_of_arrival: list[int], page: int
) -> None:
    statuses = [OrderStatus.PENDING, OrderStatus.OPEN, OrderStatus.ON_HOLD, OrderStatus.OPEN]
    statuses += [OrderStatus.FULFILLED, OrderStatus.DELIVERED]
    versions = [_version(status, age=6 - at) for at, status in enumerate(statuses)]
    with store.write() as tx:
        tx.conn.execute(delete(MirrorRecord))
        tx.conn.execute(delete(MirrorLink))
    source = FakeSource(page=page, snapshot=True).add(*(versions[at] for at in order_of_arrival))

    Ingest(store).pull(source, source.spec("order"), now=NOW)

    assert _status(store) is OrderStatus.DELIVERED


def test_a_crash_between_pages_reads_again_and_never_skips(any_store: Store) -> None:
    source = FakeSource(page=2).add(*(order(id=f"o{number}") for number in range(5)))
    source.fails.append(ToolError("timeout", system="shop", retryable=True))
    ingest = Ingest(any_store)

    with pytest.raises(ToolError):
        ingest.pull(source, source.spec("order"), now=NOW)
    with any_store.read() as conn:
        state = stream_states(conn, "shop")["order"]
        assert state.cursor is not None
        assert state.cursor.value == "2"
    pulled = ingest.pull(source, source.spec("order"), now=NOW + HOUR)

    assert pulled.stored == 3
    with any_store.read() as conn:
        assert count(conn, MirrorRecord) == 5


def test_a_stream_that_was_not_read_to_its_end_is_not_fresh(store: Store) -> None:
    source = FakeSource(page=2).add(*(order(id=f"o{number}") for number in range(5)))
    ingest = Ingest(store)
    ingest.pull(source, source.spec("order"), now=NOW)
    source.add(*(order(id=f"p{number}") for number in range(5)))
    source.fails.append(ToolError("timeout", system="shop", retryable=True))

    with pytest.raises(ToolError):
        ingest.pull(source, source.spec("order"), now=NOW + HOUR)

    with store.read() as conn:
        assert stream_states(conn, "shop")["order"].read_at == NOW


def test_links_are_replaced_when_a_record_moves(any_store: Store) -> None:
    _apply(any_store, envelope_of(shipment(), source_updated_at=NOW - DAY))
    _apply(any_store, envelope_of(shipment(order_id="o2")))

    with any_store.read() as conn:
        assert linked(conn, "order", ["o1", "o2"], "shipment") == {"o2": ["s1"]}


def test_an_unmapped_row_is_quarantined_once_and_counted(any_store: Store) -> None:
    source = FakeSource(snapshot=True).add(rejected_row(order()), order(id="o2"))
    ingest = Ingest(any_store)

    first = ingest.pull(source, source.spec("order"), now=NOW)
    second = ingest.pull(source, source.spec("order"), now=NOW + HOUR)

    assert (first.rejected, second.rejected) == (1, 0)
    with any_store.read() as conn:
        row = conn.execute(select(Quarantine.seen, Quarantine.last_seen_at, Quarantine.field)).one()
    assert tuple(row) == (2, NOW + HOUR, "status")


def test_a_good_version_releases_the_record_from_quarantine(store: Store) -> None:
    source = FakeSource().add(rejected_row(order()))
    ingest = Ingest(store)
    ingest.pull(source, source.spec("order"), now=NOW)
    source.add(order())

    ingest.pull(source, source.spec("order"), now=NOW + HOUR)

    with store.read() as conn:
        assert count_quarantined(conn) == {}


def test_reconciling_finds_what_was_missed_and_what_is_gone(any_store: Store) -> None:
    source = FakeSource().add(order(), order(id="o2"))
    ingest = Ingest(any_store)
    ingest.pull(source, source.spec("order"), now=NOW)
    late = envelope_of(order(id="o3"), source_updated_at=NOW - HOUR)
    source.rows["order"].insert(0, late)
    source.gone.add(("order", "o2"))

    found = ingest.reconcile(source, source.spec("order"), now=NOW + DAY)

    assert found.missed == 2
    with any_store.read() as conn:
        records = load_records(conn, [("order", one) for one in ("o1", "o2", "o3")])
        state = stream_states(conn, "shop")["order"]
    assert set(records) == {("order", "o1"), ("order", "o3")}
    assert (state.reconciled_at, state.missed, state.read_at) == (NOW + DAY, 2, NOW)


def test_what_changed_since_the_last_pull_is_not_missed(store: Store) -> None:
    source = FakeSource().add(order())
    ingest = Ingest(store)
    ingest.pull(source, source.spec("order"), now=NOW)
    source.add(envelope_of(order(id="o2"), source_updated_at=NOW + HOUR))

    found = ingest.reconcile(source, source.spec("order"), now=NOW + DAY)

    assert (found.stored, found.missed) == (1, 0)


def test_a_source_that_lists_nothing_deletes_nothing(store: Store) -> None:
    source = FakeSource().add(order(), order(id="o2"))
    ingest = Ingest(store)
    ingest.pull(source, source.spec("order"), now=NOW)
    source.gone |= {("order", "o1"), ("order", "o2")}

    with pytest.raises(ToolError, match="lists no records"):
        ingest.reconcile(source, source.spec("order"), now=NOW + DAY)

    with store.read() as conn:
        assert len(load_records(conn, [("order", "o1"), ("order", "o2")])) == 2


def test_a_record_thought_deleted_comes_back_when_it_is_read_again(store: Store) -> None:
    ingest = Ingest(store)
    _apply(store, envelope_of(order()))
    ingest.remove("shop", "order", "o1", now=NOW + HOUR)
    assert _seen(store, "order", "o1") is None

    _apply(store, envelope_of(order(), observed_at=NOW + 2 * HOUR))

    assert _seen(store, "order", "o1") is not None


def test_a_fresh_read_of_known_content_refreshes_when_it_was_seen(any_store: Store) -> None:
    ingest = Ingest(any_store)
    _apply(any_store, envelope_of(order()))
    _forget_changes(any_store)

    ingest.put("shop", "order", envelope_of(order(), observed_at=NOW + HOUR), now=NOW + HOUR)

    seen = _seen(any_store, "order", "o1")
    assert seen is not None
    assert seen.observed_at == NOW + HOUR
    assert _pending(any_store) == set()


def test_the_owner_of_a_record_is_known_by_its_link_too(store: Store) -> None:
    _apply(store, envelope_of(order(customer_id=CustomerId("c9")), customer_ref=None))

    seen = _seen(store, "order", "o1")

    assert seen is not None
    assert seen.customer_ref == "c9"


def test_a_deleted_record_points_at_nothing(store: Store) -> None:
    _apply(store, envelope_of(customer()))
    Ingest(store).remove("shop", "customer", "c1", now=NOW)

    with store.read() as conn:
        assert linked(conn, "phone", ["+12125550101"], "customer") == {}


def _version(status: OrderStatus, *, age: int, seen: int = 0) -> Envelope:
    return envelope_of(
        order(status=status),
        source_updated_at=NOW - age * HOUR,
        observed_at=NOW + timedelta(minutes=seen),
    )


def _apply(store: Store, envelope: Envelope) -> None:
    source = FakeSource(snapshot=True).add(envelope)
    Ingest(store).pull(source, source.spec(envelope.stream), now=NOW)


def _seen(store: Store, record_type: str, record_id: str) -> Seen | None:
    with store.read() as conn:
        return load_records(conn, [(record_type, record_id)]).get((record_type, record_id))


def _status(store: Store) -> OrderStatus:
    seen = _seen(store, "order", "o1")
    assert seen is not None
    assert isinstance(seen.record, Order)
    return seen.record.status


def _pending(store: Store) -> set[tuple[str, str]]:
    with store.read() as conn:
        return {(kind, one) for kind, one in conn.execute(select(MirrorChange.type, MirrorChange.id))}


def _forget_changes(store: Store) -> None:
    with store.write() as tx:
        tx.conn.execute(delete(MirrorChange).where(col(MirrorChange.seq) > 0))
