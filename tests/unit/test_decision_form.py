"""Decisions as canonical JSON: exact both ways, and the same text for the same decision."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.canonical import canonical, text_hash
from agent.domain.cases import CaseId
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, ModelUse, Stage
from agent.store.decision_form import DecisionTexts, decision_to_json
from agent.store.decisions import decision_from_json
from policies.value import evaluate
from policies.verdict import Outcome, Verdict
from tests.builders import NOW, playbook
from tools.records.base import Money
from tools.records.facts import Fact, FactValue, facts_hash
from tools.records.vocabulary import ChannelKind

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES: st.SearchStrategy[FactValue] = st.one_of(
    TEXTS,
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.booleans(),
    st.none(),
    INSTANTS,
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.builds(Money, minor=st.integers(-(10**12), 10**12), currency=st.sampled_from(["EUR", "JPY"])),
)
VERDICTS = st.builds(
    Verdict,
    rule=st.sampled_from(["quiet_hours", "consent", "cleared"]),
    outcome=st.sampled_from(Outcome),
    reason=st.one_of(st.just(""), TEXTS),
    until=st.one_of(st.none(), INSTANTS),
    queue=st.one_of(st.none(), TEXTS),
)
FACTS = st.builds(
    Fact,
    name=TEXTS,
    value=VALUES,
    source=TEXTS,
    fetched_at=INSTANTS,
    as_of=INSTANTS,
    trusted=st.booleans(),
)
USES = st.builds(
    ModelUse,
    model=TEXTS,
    prompt=TEXTS,
    prompt_hash=TEXTS,
    calls=st.lists(TEXTS, max_size=3).map(tuple),
    cost_micros=st.integers(0, 10**9),
    fallback=TEXTS,
)
PLAIN = Decision(
    id=DecisionId("dec_1"),
    case_id=CaseId("cas_1"),
    turn=0,
    stage=Stage.SCREEN,
    kind=DecisionKind.DEFER,
    reason="quiet_hours",
    explanation="Quiet hours.",
    at=NOW,
    until=NOW + timedelta(hours=1),
    queue=None,
    channel=ChannelKind.EMAIL,
    verdicts=(),
    valuation=None,
    arm=Arm.TREAT,
    propensity_ppm=900_000,
    facts=(),
    facts_hash=facts_hash(()),
    playbook="shipping_delay@1",
    playbook_hash="h",
    limits_version=1,
    zone_rules="2026f",
    model_use=None,
)
WORTH = [
    evaluate(playbook("payment_due").playbook.value, send_cost=cost, sent_last_week=0) for cost in (1, 2)
]


@given(
    verdicts=st.lists(VERDICTS, max_size=4).map(tuple),
    facts=st.lists(FACTS, max_size=4).map(tuple),
    use=st.one_of(st.none(), USES),
    kind=st.sampled_from(DecisionKind),
    look_ups=st.lists(TEXTS, max_size=2).map(tuple),
)
def test_a_decision_comes_back_as_it_was(
    verdicts: tuple[Verdict, ...],
    facts: tuple[Fact, ...],
    use: ModelUse | None,
    kind: DecisionKind,
    look_ups: tuple[str, ...],
) -> None:
    valuation = evaluate(playbook("payment_due").playbook.value, send_cost=400, sent_last_week=3)
    decision = replace(
        PLAIN,
        verdicts=verdicts,
        facts=facts,
        model_use=use,
        kind=kind,
        look_ups=look_ups,
        valuation=valuation if look_ups else None,
        channel=None if facts else ChannelKind.SMS,
    )

    text = decision_to_json(decision)

    assert decision_from_json(text) == decision
    assert decision_to_json(decision_from_json(text)) == text


SILENT, QUIET = (
    Verdict(rule="consent", outcome=Outcome.PASS),
    Verdict(rule="quiet_hours", outcome=Outcome.DEFER, until=NOW, reason="It is 22:30 for the customer."),
)
SEEN = Fact(name="order.status", value="open", source="shop", fetched_at=NOW, as_of=NOW, trusted=True)
USED = ModelUse(model="m", prompt="p", prompt_hash="h", calls=("llm_1",), cost_micros=7)
VARIED: dict[str, tuple[object, ...]] = {
    "id": ("dec_2", "dec_%s"),
    "case_id": ("cas_2", "cas_%(id)s"),
    "turn": (1, 2),
    "stage": tuple(Stage),
    "kind": tuple(DecisionKind),
    "reason": ("value", "%"),
    "explanation": ("", "50 % off, %(id)s and %%"),
    "at": (NOW - timedelta(days=1),),
    "until": (None, NOW + timedelta(hours=2)),
    "queue": ("complaints", "100%"),
    "channel": (None, ChannelKind.SMS),
    "verdicts": ((SILENT,), (QUIET,), (SILENT, QUIET), (QUIET, SILENT)),
    "valuation": tuple(WORTH),
    "arm": tuple(Arm),
    "propensity_ppm": (1, 1_000_000),
    "facts": ((SEEN,),),
    "facts_hash": ("h",),
    "playbook": ("payment_due@2",),
    "playbook_hash": ("g",),
    "limits_version": (2,),
    "zone_rules": ("2027a",),
    "model_use": (USED,),
    "look_ups": (("tickets (model): 0 records",),),
}
CHANGES = st.fixed_dictionaries({}, optional={name: st.sampled_from(VARIED[name]) for name in VARIED})


@given(st.lists(CHANGES, max_size=6))
def test_decisions_that_share_parts_have_the_text_of_each_alone(changes: list[dict[str, Any]]) -> None:
    decisions = [replace(PLAIN, **change) for change in changes]
    texts = DecisionTexts()

    shared = [texts.write(decision) for decision in decisions]

    assert shared == [DecisionTexts().write(decision) for decision in decisions]
    assert [decision_from_json(written.body) for written in shared] == decisions


def test_every_field_of_a_decision_was_varied() -> None:
    assert set(VARIED) == set(Decision.__dataclass_fields__)


def test_the_log_is_told_what_gates_answered_and_not_what_they_saw() -> None:
    decision = replace(PLAIN, verdicts=(SILENT, QUIET), valuation=WORTH[0], model_use=USED)

    written = DecisionTexts().write(decision)

    assert written.event == canonical(json.loads(written.event))
    assert json.loads(written.event) == {
        "decision": "dec_1",
        "body_hash": text_hash(decision_to_json(decision)),
        "stage": "screen",
        "kind": "defer",
        "reason": "quiet_hours",
        "until": "2026-11-02T13:00:00+00:00",
        "channel": "email",
        "verdicts": ["consent", ["quiet_hours", "defer"]],
        "value": WORTH[0].total,
        "arm": "treat",
        "propensity_ppm": 900_000,
        "playbook": "shipping_delay@1",
        "playbook_hash": "h",
        "limits_version": 1,
        "zone_rules": "2026f",
        "model": "m",
        "prompt": "p",
        "cost_micros": 7,
    }


def test_gates_that_pass_without_remark_take_one_word() -> None:
    silent = Verdict(rule="consent", outcome=Outcome.PASS)
    remark = Verdict(rule="budget", outcome=Outcome.PASS, reason="The template is used.")

    text = decision_to_json(replace(PLAIN, verdicts=(silent, remark)))

    assert '"verdicts":["consent",{"outcome":"pass"' in text


def test_a_float_is_never_hashed() -> None:
    with pytest.raises(TypeError, match="no exact canonical form"):
        decision_to_json(replace(PLAIN, propensity_ppm=0.5))  # type: ignore[arg-type]  # the mistake to be caught
