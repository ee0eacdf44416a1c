"""The screen: gates, holdout and value in bulk, a decision for every case that stops here."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from agent.domain.cases import CaseState
from agent.domain.decisions import Arm, DecisionKind, Stage
from agent.ids import Ids
from agent.store.cases import due_cases
from agent.store.situations import get_situation
from agent.store.tables.cases import WorkRow
from agent.store.transaction import Store
from policies.model import Holdout
from policies.verdict import Outcome
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    customer,
    order,
    playbook,
    shipment,
)
from tests.conftest import make_store
from tests.watching import opened, watching
from tools.records.base import CustomerId
from tools.records.vocabulary import (
    CustomerStatus,
    OrderStatus,
    ProtectedFlag,
)

DELAY = playbook("shipping_delay", holdout=None)
NIGHT = datetime(2026, 11, 2, 23, 0, tzinfo=NOW.tzinfo)
MORNING = datetime(2026, 11, 3, 7, 0, tzinfo=NOW.tzinfo)
"""The end of quiet hours in Berlin after `NIGHT`."""


def test_a_survivor_is_grouped_and_its_deliberation_asked_for(any_store: Store) -> None:
    watch = opened(any_store, customer(), order(), shipment(), compiled=DELAY)

    screened = watch.screen()

    (case,) = watch.cases()
    assert (screened.cases, screened.survivors) == (1, 1)
    assert (case.state, case.next_at, case.turn) == (CaseState.SCREENED, None, 0)
    assert watch.decisions(case) == []
    with any_store.read() as conn:
        situation = get_situation(conn, case.situation_id or "")
        work = conn.execute(select(WorkRow.key, WorkRow.kind, WorkRow.ref, WorkRow.next_at)).one()
    assert situation is not None
    assert (situation.channel, situation.locale, situation.case_ids) == ("email", "en_US", (case.id,))
    assert dict(situation.categories)["order.overdue"] == "yes"
    assert tuple(work) == (f"deliberate:{situation.id}", "deliberate", situation.id, NOW)


def test_cases_that_look_alike_share_a_situation(store: Store) -> None:
    people = [customer(id=f"c{at}", emails=(f"c{at}@example.com",), phones=()) for at in range(6)]
    people[5] = customer(id="c5", emails=("c5@example.com",), phones=(), locale="de_DE")
    orders = [order(id=f"o{at}", customer_id=f"c{at}") for at in range(6)]
    orders[4] = order(id="o4", customer_id="c4", status=OrderStatus.OPEN)
    watch = opened(store, *people, *orders, compiled=DELAY)

    watch.screen()

    groups: dict[str | None, set[str]] = {}
    for case in watch.cases(CaseState.SCREENED):
        groups.setdefault(case.situation_id, set()).add(case.customer_id)
    assert sorted(map(sorted, groups.values())) == [["c0", "c1", "c2", "c3"], ["c4"], ["c5"]]


def test_a_decision_is_read_back_as_it_was_made(any_store: Store) -> None:
    watch = opened(any_store, customer(protected=(ProtectedFlag.MINOR,)), order(), compiled=DELAY)

    watch.screen()

    (case,) = watch.cases()
    (decision,) = watch.decisions(case)
    assert (decision.stage, decision.kind, decision.reason) == (
        Stage.SCREEN,
        DecisionKind.ESCALATE,
        "protected",
    )
    assert (decision.queue, decision.at, decision.turn, case.turn) == ("specialist", NOW, 0, 1)
    assert {verdict.rule: verdict.outcome for verdict in decision.verdicts}["quiet_hours"] is Outcome.PASS
    assert len(decision.verdicts) == 18
    assert decision.valuation is not None
    assert decision.valuation.provenance == "assumed"
    assert decision.playbook_hash == DELAY.content_hash
    assert (decision.limits_version, len(decision.zone_rules)) == (1, 5)
    assert watch.events(case) == ["case.opened", "decision.recorded", "case.escalated"]


def test_quiet_hours_defer_and_the_case_survives_in_the_morning(any_store: Store) -> None:
    watch = opened(any_store, customer(), order(), at=NIGHT, compiled=DELAY)

    watch.screen(NIGHT)

    (case,) = watch.cases()
    assert (case.state, case.next_at) == (CaseState.NEW, MORNING)
    assert watch.decisions(case)[0].until == MORNING
    assert watch.screen(MORNING - timedelta(microseconds=1)).cases == 0
    watch.feed(customer(vip=True), order(), now=MORNING)
    assert watch.screen(MORNING).survivors == 1
    assert watch.cases()[0].turn == 1


def test_a_case_is_never_deferred_beyond_its_deadline(store: Store) -> None:
    watch = opened(store, customer(), order(promised_at=NOW - 3 * DAY + 2.25 * HOUR), compiled=DELAY)

    watch.screen(NOW + 2 * HOUR)

    (case,) = watch.cases()
    assert (watch.decisions(case)[0].reason, case.next_at) == ("source_freshness", case.deadline)
    watch.screen(NOW + 2.25 * HOUR)
    assert watch.cases(CaseState.EXPIRED)


def test_the_holdout_is_drawn_among_those_the_gates_let_through(store: Store) -> None:
    everybody = playbook("shipping_delay", holdout=Holdout.model_validate({"share": "100%", "salt": "s"}))
    watch = opened(
        store,
        customer(),
        customer(id="c2", emails=("b@example.com",), status=CustomerStatus.CLOSED),
        order(),
        order(id="o2", customer_id=CustomerId("c2")),
        compiled=everybody,
    )

    watch.screen()

    kept, closed = watch.cases()
    assert (kept.state, closed.state) == (CaseState.HELD_OUT, CaseState.ABSTAINED)
    (decision,) = watch.decisions(kept)
    assert (decision.kind, decision.reason, decision.arm) == (
        DecisionKind.ABSTAIN,
        "holdout",
        Arm.HOLDOUT,
    )
    assert decision.propensity_ppm == 1_000_000
    assert watch.decisions(closed)[0].propensity_ppm == 1_000_000


def test_the_probability_of_the_arm_is_kept_with_what_follows_the_draw(store: Store) -> None:
    rule = DELAY.playbook.value.model_copy(update={"p_contact_after": DELAY.playbook.value.p_contact})
    tenth = playbook(
        "shipping_delay", holdout=Holdout.model_validate({"share": "10%", "salt": "s"}), value=rule
    )
    watch = watching(store, tenth)
    for at in range(40):
        watch.feed(
            customer(id=f"c{at}", emails=(f"c{at}@example.com",), phones=()),
            order(id=f"o{at}", customer_id=f"c{at}"),
        )
    watch.sweep()

    watch.screen()

    arms = {
        (decision.reason, decision.arm, decision.propensity_ppm)
        for case in watch.cases()
        for decision in watch.decisions(case)
    }
    assert arms == {("holdout", Arm.HOLDOUT, 100_000), ("value", Arm.TREAT, 900_000)}


def test_a_case_whose_playbook_is_gone_is_closed_and_blocks_nobody(any_store: Store) -> None:
    watch = opened(any_store, customer(), order(), compiled=DELAY)
    watch.playbooks = {"payment_due": playbook("payment_due")}

    assert watch.screen(limit=1).cases == 1
    (case,) = watch.cases()
    assert (case.state, watch.decisions(case)[0].reason) == (CaseState.ABSTAINED, "no_playbook")
    assert watch.screen().cases == 0


@pytest.fixture
def postgres_store(postgres_url: str, ids: Ids) -> Iterator[Store]:
    store = make_store(postgres_url, ids)
    yield store
    store.writer.dispose()
    store.reader.dispose()


@pytest.mark.postgres
def test_cases_that_another_screen_holds_are_left_alone(postgres_store: Store) -> None:
    watch = opened(postgres_store, customer(), order(), compiled=DELAY)

    with watch.store.write() as tx:
        held = due_cases(tx.conn, NOW, 10, lock=True)
        assert watch.screen().cases == 0

    assert len(held) == 1
    assert watch.screen().cases == 1
