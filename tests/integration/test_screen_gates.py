"""What the gates see of a case: customer, consent, tickets, sources, caps, as the store has them."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind
from agent.store.kill_switch import KillScope, set_kill_switch
from agent.store.suppressions import suppress
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Store
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    customer,
    incident,
    invoice,
    order,
    playbook,
    preference,
    ticket,
    usage,
)
from tests.watching import opened, watching
from tools.records.base import Record
from tools.records.vocabulary import (
    ChannelKind,
    ConsentState,
    CustomerStatus,
    Purpose,
    TicketStatus,
)

DELAY = playbook("shipping_delay", holdout=None)


@pytest.mark.parametrize(
    ("records", "state", "kind", "reason"),
    [
        pytest.param(
            [customer(status=CustomerStatus.TEST)],
            CaseState.ABSTAINED,
            DecisionKind.ABSTAIN,
            "customer_status",
            id="a test account",
        ),
        pytest.param(
            [customer(), ticket()],
            CaseState.ESCALATED,
            DecisionKind.ESCALATE,
            "open_ticket",
            id="an open ticket about the order",
        ),
        pytest.param(
            [customer(emails=(), phones=())],
            CaseState.ABSTAINED,
            DecisionKind.ABSTAIN,
            "address",
            id="no address at all",
        ),
        pytest.param(
            [customer(phones=()), preference()],
            CaseState.ABSTAINED,
            DecisionKind.ABSTAIN,
            "consent",
            id="no to the only channel",
        ),
        pytest.param([], CaseState.NEW, DecisionKind.DEFER, "source_freshness", id="no customer read yet"),
    ],
)
def test_a_gate_decides(
    store: Store, records: list[Record], state: CaseState, kind: DecisionKind, reason: str
) -> None:
    watch = opened(store, *records, order(), compiled=DELAY)

    watch.screen()

    (case,) = watch.cases()
    (decision,) = watch.decisions(case)
    assert (case.state, decision.kind) == (state, kind)
    if records:
        assert decision.reason == reason
    else:
        assert {"customer_known", "source_freshness"} >= {decision.reason}


def test_a_solved_ticket_and_one_about_something_else_do_not_count(store: Store) -> None:
    solved = ticket(id="t1", status=TicketStatus.SOLVED)
    other = ticket(id="t2", about="order:o2")
    watch = opened(store, customer(), order(), solved, other, compiled=DELAY)

    assert watch.screen().survivors == 1


def test_of_an_incident_only_ones_own_ticket_counts(store: Store) -> None:
    disruption = playbook("service_disruption", holdout=None)
    watch = watching(store, disruption)
    people = [customer(id=one, emails=(f"{one}@example.com",), phones=()) for one in ("c1", "c2")]
    watch.feed(*people, incident(customer_ids=("c1", "c2")), ticket(customer_id="c2", about="incident:n1"))
    watch.sweep()

    watch.screen()

    assert {case.customer_id: case.state for case in watch.cases()} == {
        "c1": CaseState.SCREENED,
        "c2": CaseState.ESCALATED,
    }


def test_the_newest_word_on_a_channel_counts(store: Store) -> None:
    no = preference(id="p1", at=NOW - 2 * DAY)
    yes = preference(id="p2", at=NOW - DAY, state=ConsentState.OPTED_IN)
    marketing = preference(id="p3", purpose=Purpose.MARKETING)
    watch = opened(store, customer(phones=()), order(), no, yes, marketing, compiled=DELAY)

    assert watch.screen().survivors == 1


def test_the_next_channel_is_used_when_the_customer_said_no_to_the_first(store: Store) -> None:
    watch = opened(store, customer(), order(), preference(), compiled=DELAY)

    watch.screen()

    assert watch.channel() == "sms"


def test_a_shared_phone_is_not_used_but_a_shared_mailbox_is(store: Store) -> None:
    watch = opened(
        store, customer(), customer(id="c2"), usage(), compiled=playbook("data_threshold", holdout=None)
    )

    watch.screen()

    assert watch.channel() == "email"


def test_a_suppressed_address_is_not_used_whatever_its_case(store: Store) -> None:
    with store.write() as tx:
        suppress(
            tx,
            keyring=store.keyring,
            channel=ChannelKind.EMAIL,
            address="ADA@example.com ",
            purpose="all",
            source="reply:stop",
            at=NOW,
            actor=Actor(kind=ActorKind.OPERATOR, id="test"),
        )
    watch = opened(store, customer(phones=()), order(), compiled=DELAY)

    watch.screen()

    assert watch.decisions(watch.cases()[0])[0].reason == "suppression"


def test_a_stale_source_defers_and_an_unrelated_one_does_not(store: Store) -> None:
    watch = opened(store, customer(), order(), compiled=DELAY)
    watch.feed(usage(), now=NOW - 9 * DAY)
    later = NOW + 2 * HOUR
    watch.feed(customer(vip=True), now=later)

    watch.screen(later)
    (case,) = watch.cases()
    assert (watch.decisions(case)[0].reason, case.next_at) == ("source_freshness", later + HOUR / 2)

    watch.feed(order(ship_postcode="1"), now=later)
    assert watch.screen(later + HOUR / 2).survivors == 1


def test_a_passed_deadline_expires_the_case(store: Store) -> None:
    watch = opened(store, customer(), order(), compiled=DELAY)

    watch.screen(NOW + 4 * DAY)

    (case,) = watch.cases()
    assert (case.state, watch.decisions(case)[0].reason) == (CaseState.EXPIRED, "deadline")


def test_what_clears_by_time_alone_is_resolved(store: Store) -> None:
    cut = playbook("payment_due", holdout=None, deadline="invoice.due_at + params.notice_before")
    watch = opened(store, customer(), invoice(), compiled=cut)

    watch.screen(NOW + 2 * DAY)

    (case,) = watch.cases()
    assert (case.state, watch.decisions(case)[0].reason) == (CaseState.RESOLVED, "cleared")


def test_a_kill_switch_stops_what_it_names(store: Store) -> None:
    with store.write() as tx:
        set_kill_switch(
            tx, scope=KillScope.SCENARIO, key="shipping_delay", reason="wrong text", operator="op", at=NOW
        )
    watch = opened(store, customer(), order(), compiled=DELAY)

    watch.screen()

    (case,) = watch.cases()
    assert (case.state, watch.decisions(case)[0].reason) == (CaseState.ABSTAINED, "kill_switch")


@pytest.mark.parametrize(
    ("ages", "reason"),
    [
        pytest.param([HOUR, 2 * HOUR], "cap_day", id="two today"),
        pytest.param([12 * HOUR, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY], "cap_week", id="five in seven days"),
        pytest.param([13 * HOUR, 14 * HOUR], None, id="two yesterday by the customer's clock"),
        pytest.param([HOUR, 8 * DAY, 8 * DAY, 8 * DAY, 8 * DAY], None, id="four long ago"),
    ],
)
def test_messages_of_all_scenarios_count_to_the_caps(
    store: Store, ages: list[timedelta], reason: str | None
) -> None:
    tireless = DELAY.playbook.value.model_copy(update={"fatigue_cost": 0})
    _sent(store, ages)
    watch = opened(
        store, customer(), order(), compiled=playbook("shipping_delay", holdout=None, value=tireless)
    )

    watch.screen()

    decisions = watch.decisions(watch.cases()[0])
    assert [one.reason for one in decisions] == ([reason] if reason else [])


def _sent(store: Store, ages: list[timedelta]) -> None:
    rows = [
        {
            "id": f"d{number}",
            "case_id": f"k{number}",
            "customer_id": "c1",
            "scenario": "payment_due",
            "purpose": "service",
            "channel": "email",
            "step": 0,
            "dedup_key": f"k{number}#0",
            "draft_id": "f",
            "review_id": None,
            "needs_approval": False,
            "content_hash": "",
            "message": "{}",
            "state": "accepted",
            "state_reason": "",
            "next_at": None,
            "expires_at": NOW,
            "attempts": 1,
            "counts_to_cap": True,
            "intent_at": NOW - age,
        }
        for number, age in enumerate(ages)
    ]
    with store.write() as tx:
        tx.conn.execute(insert(DeliveryRow), rows)
