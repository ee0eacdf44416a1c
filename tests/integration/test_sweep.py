"""The sweep: signals when conditions become true, never twice, and cases closed when they clear."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from agent.domain.cases import CaseState
from agent.domain.decisions import Arm, DecisionKind
from agent.store.tables.cases import CaseFile
from agent.store.tables.mirror import MirrorRecord
from agent.store.transaction import Store
from policies.model import Reentry
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    customer,
    envelope_of,
    incident,
    invoice,
    order,
    playbook,
    shipment,
    subscription,
    usage,
)
from tests.watching import watching
from tools.records.base import CustomerId
from tools.records.vocabulary import IncidentStatus, InvoiceStatus, SubscriptionStatus


def test_each_playbook_fires_on_its_own_record(any_store: Store) -> None:
    watch = watching(any_store)
    watch.feed(order(), invoice(), usage(), incident(), subscription())

    swept = watch.sweep()

    assert swept.opened == 4
    assert watch.keys() == [
        "data_threshold|c1|usage:u1|2026-12-01/near",
        "payment_due|c1|invoice:i1|2026-11-04",
        "service_disruption|c1|incident:n1|n1",
        "shipping_delay|c1|order:o1|2026-11-01",
    ]
    assert {case.state for case in watch.cases()} == {CaseState.NEW}
    assert {case.next_at for case in watch.cases()} == {NOW}
    assert watch.events(watch.cases()[0]) == ["case.opened"]


def test_nothing_fires_twice(any_store: Store) -> None:
    watch = watching(any_store)
    watch.feed(order())
    watch.sweep()
    watch.feed(order(ship_postcode="10115"))

    swept = watch.sweep()

    assert (swept.changes, swept.opened, swept.refused["duplicate"]) == (1, 0, 1)
    assert watch.sweep().idle


def test_a_timer_fires_at_its_instant_and_not_before(any_store: Store) -> None:
    watch = watching(any_store)
    watch.feed(invoice(due_at=NOW + 5 * DAY))

    assert watch.sweep().opened == 0
    assert watch.timers() == [NOW + DAY]
    assert watch.sweep(NOW + DAY - timedelta(microseconds=1)).idle
    assert watch.sweep(NOW + DAY).opened == 1
    assert watch.timers() == []


def test_a_timer_moves_with_its_record(store: Store) -> None:
    watch = watching(store)
    watch.feed(invoice(due_at=NOW + 5 * DAY))
    watch.sweep()
    watch.feed(invoice(due_at=NOW + 9 * DAY))
    watch.sweep()

    assert watch.timers() == [NOW + 5 * DAY]
    watch.feed(invoice(due_at=NOW + 9 * DAY, status=InvoiceStatus.PAID))
    watch.sweep()
    assert watch.timers() == []


def test_a_changed_parcel_closes_the_case_of_its_order(any_store: Store) -> None:
    watch = watching(any_store)
    watch.feed(order(promised_at=NOW + 2 * DAY), shipment(eta_now=NOW + 4 * DAY))
    assert watch.sweep().opened == 1
    watch.feed(shipment(eta_now=NOW + DAY))

    swept = watch.sweep()

    (case,) = watch.cases()
    assert (swept.resolved, case.state, case.next_at) == (1, CaseState.RESOLVED, None)
    (decision,) = watch.decisions(case)
    assert (decision.kind, decision.reason) == (DecisionKind.ABSTAIN, "cleared")
    assert (decision.arm, decision.propensity_ppm) == (Arm.TREAT, 1_000_000)
    assert watch.events(case) == ["case.opened", "decision.recorded", "case.resolved"]


def test_of_several_parcels_the_one_changed_last_counts(store: Store) -> None:
    watch = watching(store)
    late = envelope_of(shipment(id="s1", eta_now=NOW + 9 * DAY), source_updated_at=NOW - 2 * DAY)
    good = envelope_of(shipment(id="s2", eta_now=NOW + DAY), source_updated_at=NOW - DAY)
    watch.feed(order(promised_at=NOW + 2 * DAY), late, good)

    assert watch.sweep().opened == 0


def test_a_deleted_parcel_is_a_change_of_its_order(store: Store) -> None:
    watch = watching(store)
    bad = shipment(id="s2", eta_now=NOW + 9 * DAY)
    watch.feed(order(promised_at=NOW + 2 * DAY), shipment(eta_now=NOW + DAY))
    watch.feed(bad)
    watch.sweep()
    watch.feed(envelope_of(bad, deleted=True))

    watch.sweep()

    assert [case.state for case in watch.cases()] == [CaseState.RESOLVED]


def test_a_deleted_object_closes_its_case(store: Store) -> None:
    watch = watching(store)
    watch.feed(order())
    watch.sweep()
    watch.feed(envelope_of(order(), deleted=True))

    watch.sweep()

    (case,) = watch.cases()
    assert case.state is CaseState.RESOLVED
    assert watch.decisions(case)[-1].reason == "deleted"


def test_what_cleared_and_is_true_again_goes_on_in_the_same_case(store: Store) -> None:
    watch = watching(store)
    watch.feed(order(promised_at=NOW + 2 * DAY), shipment(eta_now=NOW + 4 * DAY))
    watch.sweep()
    watch.feed(shipment(eta_now=NOW + DAY))
    watch.sweep()
    watch.feed(shipment(eta_now=NOW + 3 * DAY))

    swept = watch.sweep(NOW + HOUR)

    (case,) = watch.cases()
    assert (swept.opened, swept.reopened) == (0, 1)
    assert (case.state, case.next_at, case.turn) == (CaseState.NEW, NOW + HOUR, 1)


def test_a_new_episode_takes_the_place_of_an_open_case(store: Store) -> None:
    watch = watching(store)
    watch.feed(usage())
    watch.sweep()
    watch.feed(usage(value=1000))

    watch.sweep()

    near, full = watch.cases()
    assert (near.episode, near.state) == ("2026-12-01/near", CaseState.RESOLVED)
    assert (full.episode, full.state) == ("2026-12-01/full", CaseState.NEW)
    assert watch.decisions(near)[-1].reason == "superseded"


def test_a_new_episode_waits_while_a_person_has_the_case(any_store: Store) -> None:
    watch = watching(any_store)
    watch.feed(usage())
    watch.sweep()
    _move(any_store, CaseState.ESCALATED)
    watch.feed(usage(value=1000))

    swept = watch.sweep()

    assert (swept.opened, swept.refused["busy"]) == (0, 1)
    assert watch.timers() == [NOW + HOUR]
    _move(any_store, CaseState.CONTACTED)
    assert watch.sweep(NOW + HOUR).opened == 1


@pytest.mark.parametrize(
    ("reentry", "opened"),
    [
        pytest.param(Reentry(policy="once"), [], id="once"),
        pytest.param(Reentry(policy="per_episode"), [NOW], id="per_episode"),
        pytest.param(Reentry(policy="after", wait=3 * DAY), [NOW + 3 * DAY], id="after"),
    ],
)
def test_the_policy_says_when_a_further_case_opens(
    store: Store, reentry: Reentry, opened: list[object]
) -> None:
    watch = watching(store, playbook("data_threshold", reentry=reentry, params=_PARAMS))
    watch.feed(usage())
    watch.sweep()
    _move(store, CaseState.CONTACTED)
    watch.feed(usage(value=1000))

    for hours in range(0, 96, 12):
        watch.sweep(NOW + hours * HOUR)

    assert [case.opened_at for case in watch.cases()[1:]] == opened


_PARAMS = {"near_percent": 80, "full_percent": 100, "meter_lag": 30 * DAY}


def test_a_backfill_opens_no_cases_about_the_past(store: Store) -> None:
    watch = watching(store)
    watch.feed(order(promised_at=NOW - 30 * DAY))

    swept = watch.sweep()

    assert (swept.opened, swept.refused["too_late"]) == (0, 1)


def test_a_record_without_an_owner_is_counted(store: Store) -> None:
    watch = watching(store, playbook("service_disruption"))
    watch.feed(incident(service_ids=("nobody_uses_it",)))

    swept = watch.sweep()

    assert (swept.opened, swept.refused["no_customer"]) == (0, 1)


def test_an_incident_reaches_everybody_in_its_scope_once(any_store: Store) -> None:
    watch = watching(any_store)
    watch.feed(
        subscription(id="b1", customer_id=CustomerId("c1")),
        subscription(id="b2", customer_id=CustomerId("c2"), service_ids=(), site="berlin-1"),
        subscription(id="b3", customer_id=CustomerId("c3"), status=SubscriptionStatus.ENDED),
        subscription(id="b4", customer_id=CustomerId("c4"), service_ids=("other",)),
        customer(id="c5", postcode="10115"),
        customer(id="c6", postcode="99999"),
        incident(customer_ids=("c1", "c7"), sites=("berlin-1",), postcodes=("10115",)),
    )

    watch.sweep()

    assert sorted(case.customer_id for case in watch.cases()) == ["c1", "c2", "c5", "c7"]


def test_a_widened_incident_adds_only_those_not_yet_reached(store: Store) -> None:
    watch = watching(store)
    watch.feed(subscription(), incident())
    watch.sweep()
    watch.feed(incident(customer_ids=("c1", "c2")))

    swept = watch.sweep()

    assert (swept.opened, swept.refused["duplicate"]) == (1, 1)


def test_the_end_of_an_incident_closes_all_its_cases(store: Store) -> None:
    watch = watching(store)
    watch.feed(incident(customer_ids=tuple(f"c{number}" for number in range(20))))
    watch.sweep()
    watch.feed(incident(status=IncidentStatus.RESOLVED))

    assert watch.sweep().resolved == 20
    assert len(watch.cases(CaseState.RESOLVED)) == 20


def test_an_incident_larger_than_a_transaction_is_finished_in_several(any_store: Store) -> None:
    everybody = tuple(f"c{number:02}" for number in range(20))
    watch = replace(watching(any_store), most_cases=7)
    watch.feed(incident(customer_ids=everybody))

    assert watch.sweep().opened == 20
    assert sorted(case.customer_id for case in watch.cases(CaseState.NEW)) == list(everybody)
    watch.feed(incident(customer_ids=everybody, status=IncidentStatus.RESOLVED))
    assert watch.sweep().resolved == 20
    assert watch.cases(CaseState.NEW) == []


def test_a_changed_customer_evaluates_nothing_where_no_condition_names_it(store: Store) -> None:
    watch = watching(store)
    watch.feed(order(), invoice(), usage(), customer())
    watch.sweep()
    watch.feed(customer(vip=True))

    swept = watch.sweep()

    assert (swept.changes, swept.evaluated) == (1, 0)


def test_a_changed_customer_evaluates_only_its_own_records(store: Store) -> None:
    trigger = playbook("shipping_delay").playbook.trigger
    trigger = trigger.model_copy(update={"when": f"({trigger.when}) && customer.vip"})
    watch = watching(store, playbook("shipping_delay", trigger=trigger))
    watch.feed(order(), order(id="o2"), order(id="o3", customer_id=CustomerId("c3")), customer())
    watch.sweep()
    watch.feed(customer(vip=True))

    swept = watch.sweep()

    assert (swept.changes, swept.evaluated, swept.opened) == (1, 2, 2)


def test_timers_of_a_playbook_that_is_gone_are_dropped(store: Store) -> None:
    watch = watching(store)
    watch.feed(invoice(due_at=NOW + 5 * DAY))
    watch.sweep()

    swept = watching(store, playbook("shipping_delay")).sweep(NOW + 2 * DAY)

    assert (swept.timers, swept.opened) == (1, 0)
    assert watch.timers() == []


def test_a_timer_of_a_record_that_is_gone_is_dropped(store: Store) -> None:
    watch = watching(store)
    watch.feed(invoice(due_at=NOW + 5 * DAY))
    watch.sweep()
    with store.write() as tx:
        tx.conn.execute(delete(MirrorRecord))

    assert watch.sweep(NOW + DAY).opened == 0
    assert watch.timers() == []


def _move(store: Store, state: CaseState) -> None:
    with store.write() as tx:
        tx.conn.execute(update(CaseFile).where(col(CaseFile.id) != "").values(state=state.value))
