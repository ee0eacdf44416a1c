"""A card tells a stranger what was decided and why; lists find it."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from pydantic import TypeAdapter
from rich.console import Console
from sqlalchemy import text

from agent.audit.card import Card, decision_card
from agent.audit.card_view import render_card
from agent.audit.figures import micros, percent
from agent.audit.listing import list_decisions, list_events
from agent.clock import SimulatedClock
from agent.domain.cases import Signal
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, ModelUse, Stage
from agent.errors import NotFoundError
from agent.store.audit_pages import DecisionFilter, EventFilter
from agent.store.cases import open_cases
from agent.store.decisions import record_decisions
from agent.store.transaction import Store
from policies.value import Valuation
from policies.verdict import Outcome, Verdict
from tests.conftest import START
from tests.sending_bench import ADDRESS, CUSTOMER, SCENARIO, SYSTEM, Bench, fact
from tools.records.base import Money

VALUATION = Valuation(
    currency="EUR",
    prevented=1_350_000,
    benefit=200_000,
    send_cost=400,
    fatigue_cost=50_000,
    harm_cost=12_500,
    total=1_487_100,
    band=200_000,
    p_contact_ppm=300_000,
    p_contact_after_ppm=75_000,
    provenance="declared",
    source="helpdesk 2026-Q3",
)
VERDICTS = (
    Verdict(rule="consent", outcome=Outcome.PASS),
    Verdict(
        rule="quiet_hours", outcome=Outcome.DEFER, reason="It is night.", until=START + timedelta(hours=9)
    ),
    Verdict(rule="protected", outcome=Outcome.BLOCK, reason="A guardian decides.", queue="care"),
)


def decided(store: Store, **changes: object) -> Decision:
    """Open a case and record one decision on it."""
    signal = Signal(
        scenario=SCENARIO,
        playbook=f"{SCENARIO}@1",
        customer_id=CUSTOMER,
        object_ref="order:1001",
        episode=str(changes.pop("episode", "e1")),
        at=START,
        deadline=None,
    )
    with store.write() as tx:
        (case,) = open_cases(tx, [signal], actor=SYSTEM, shadow=False)
        plain = Decision(
            id=DecisionId(tx.ids.new("dec", at=START)),
            case_id=case.id,
            turn=0,
            stage=Stage.SCREEN,
            kind=DecisionKind.DEFER,
            reason="quiet_hours",
            explanation="It is night where the customer lives.",
            at=START,
            until=START + timedelta(hours=9),
            queue=None,
            channel=None,
            verdicts=VERDICTS,
            valuation=VALUATION,
            arm=Arm.TREAT,
            propensity_ppm=900_000,
            facts=(),
            facts_hash="",
            playbook=f"{SCENARIO}@1",
            playbook_hash="ab" * 32,
            limits_version=3,
            zone_rules="2026a",
            model_use=None,
        )
        decision = replace(plain, **changes)  # type: ignore[arg-type]  # a test's own words
        record_decisions(tx, [decision], scenario_of={case.id: SCENARIO}, actor=SYSTEM)
    return decision


def card_of(store: Store, ref: str) -> Card:
    with store.read() as conn:
        return decision_card(conn, store.keyring, ref)


def shown(store: Store, ref: str) -> str:
    out = StringIO()
    Console(file=out, width=160, color_system=None).print(render_card(card_of(store, ref)))
    return out.getvalue()


def test_a_card_spells_out_gates_value_and_versions(store: Store) -> None:
    page = shown(store, decided(store).id)

    for words in (
        "Decision: defer",
        "It is night where the customer lives.",
        "Looked at again 2026-11-02 21:00 UTC",
        "not now",
        "until 2026-11-02 21:00 UTC",
        "forbidden",
        "A guardian decides.; for care",
        "1.3500 EUR  contact prevented: 30.0 % call without a message, 7.5 % with one",
        "0.0004 EUR  sending",
        "1.4871 EUR  worth a message",
        "declared (helpdesk 2026-Q3)",
        "treated, with probability 90.0 %",
        f"Playbook {SCENARIO}@1 (abababababab)",
        "No model had a part in this",
        "decision.recorded",
    ):
        assert words in page, words


async def test_a_card_follows_the_message_to_its_end(store: Store, clock: SimulatedClock) -> None:
    bench = Bench(store=store, clock=clock)
    delivery_id = bench.approved()
    await bench.dispatcher.dispatch(delivery_id)

    page = shown(store, delivery_id)

    for words in (ADDRESS, "Your order 1001", "approve", "is accepted", "Attempt 1", "attempt.accepted"):
        assert words in page, words


def test_every_id_of_a_case_finds_the_same_card(store: Store, clock: SimulatedClock) -> None:
    bench = Bench(store=store, clock=clock)
    delivery = bench.delivery(bench.approved()).delivery
    card = card_of(store, delivery.id)
    assert card.decision is not None

    for ref in (delivery.case_id, delivery.draft_id, card.decision.id):
        assert card_of(store, ref) == card


@pytest.mark.parametrize("ref", ["dec_x", "cas_x", "drf_x", "dlv_x", "", "'; DROP TABLE decision"])
def test_an_unknown_id_is_said_to_be_unknown(store: Store, ref: str) -> None:
    with pytest.raises(NotFoundError):
        card_of(store, ref)


def test_strange_texts_stay_texts(store: Store) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07[bold red]x[/]\u202e\nGates\n  all  passed"
    decision = decided(
        store,
        facts=(
            fact("ticket.text", hostile),
            replace(fact("order.total", ""), value=Money(minor=1999, currency="JPY")),
        ),
        explanation=hostile,
        reason=hostile,
        verdicts=(Verdict(rule=hostile, outcome=Outcome.BLOCK, reason=hostile),),
        model_use=ModelUse(model=hostile, prompt="p@1", prompt_hash="0" * 64, calls=(), cost_micros=7),
    )

    page = shown(store, decision.id)

    assert not [char for char in page if not (char.isprintable() or char == "\n")]
    assert "[bold red]" in page
    assert "\\x1b" in page or "\\u001b" in page
    assert [line.strip() for line in page.splitlines()].count("Gates") == 1
    assert "1999 JPY" in page


def test_erased_fields_are_marked(store: Store) -> None:
    decision = decided(store)
    with store.write() as tx:
        tx.conn.execute(text("DELETE FROM subject_key"))

    assert "(erased)" in shown(store, decision.id)


def test_a_card_is_plain_data_for_scripts(store: Store) -> None:
    dumped = TypeAdapter(object).dump_json(card_of(store, decided(store).id))

    assert b'"reason":"quiet_hours"' in dumped


def test_decisions_are_listed_newest_first_page_by_page(any_store: Store) -> None:
    ids = [decided(any_store, episode=f"e{number}").id for number in range(5)]
    pages: list[list[str]] = []
    before: str | None = None

    with any_store.read() as conn:
        while True:
            page = list_decisions(conn, DecisionFilter(), before=before, limit=2)
            pages.append([line.id for line in page.items])
            before = page.before
            if before is None:
                break

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [line for page in pages for line in page] == ids[::-1]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (DecisionFilter(), 2),
        (DecisionFilter(kind=DecisionKind.ABSTAIN), 1),
        (DecisionFilter(reason="value", scenario=SCENARIO), 1),
        (DecisionFilter(scenario="payment_due"), 0),
        (DecisionFilter(customer_id=CUSTOMER), 2),
        (DecisionFilter(customer_id="c2"), 0),
        (DecisionFilter(since=START + timedelta(minutes=1)), 1),
    ],
)
def test_decisions_are_filtered(store: Store, wanted: DecisionFilter, found: int) -> None:
    decided(store)
    decided(store, episode="e2", kind=DecisionKind.ABSTAIN, reason="value", at=START + timedelta(hours=1))

    with store.read() as conn:
        assert len(list_decisions(conn, wanted).items) == found


@pytest.mark.parametrize(
    ("wanted", "types"),
    [
        (EventFilter(type="case"), {"case.opened"}),
        (EventFilter(type="decision.recorded"), {"decision.recorded"}),
        (EventFilter(type="cas"), set[str]()),
        (EventFilter(customer_id=CUSTOMER), {"case.opened", "decision.recorded"}),
        (EventFilter(customer_id="c2"), set[str]()),
        (EventFilter(since=START + timedelta(minutes=1)), set[str]()),
        (EventFilter(case_id="cas_x"), set[str]()),
    ],
)
def test_events_are_filtered(store: Store, wanted: EventFilter, types: set[str]) -> None:
    decided(store)

    with store.read() as conn:
        page = list_events(conn, wanted, keyring=store.keyring)

    assert {event.type for event in page.items} == types
    assert all(event.private for event in page.items if event.type == "case.opened")


def test_events_come_page_by_page(store: Store) -> None:
    for number in range(3):
        decided(store, episode=f"e{number}")

    with store.read() as conn:
        first = list_events(conn, EventFilter(), limit=4)
        second = list_events(conn, EventFilter(), before=first.before, limit=4)

    assert [event.seq for event in (*first.items, *second.items)] == [6, 5, 4, 3, 2, 1]
    assert (first.items[0].private, second.before) == (None, None)


@pytest.mark.parametrize(
    ("amount", "words"), [(0, "0.0000"), (-1_234_567, "-1.2345"), (99, "0.0000"), (100, "0.0001")]
)
def test_micro_units_read_as_money(amount: int, words: str) -> None:
    assert micros(amount) == words


def test_shares_read_as_percentages() -> None:
    assert [percent(ppm) for ppm in (0, 75_000, 999_999, 1_000_000)] == [
        "0.0 %",
        "7.5 %",
        "99.9 %",
        "100.0 %",
    ]
