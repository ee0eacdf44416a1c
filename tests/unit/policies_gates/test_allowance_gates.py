"""Golden cases of the caps and of the model budget."""

from datetime import UTC, datetime
from typing import Literal

import pytest

from policies.gates import allowance
from policies.model import Composition, Judgement
from policies.verdict import Outcome
from tests.unit.policies_gates.cases import (
    COLLECTIONS,
    DAY,
    HOUR,
    MARKETING,
    NOW,
    SAFETY,
    SECURITY,
    SERVICE,
    candidate,
    limits,
    playbook,
)
from tools.records.vocabulary import Purpose

PASS, REVIEW, DEFER, BLOCK = Outcome.PASS, Outcome.NEEDS_REVIEW, Outcome.DEFER, Outcome.BLOCK

CAPS = [
    (0, 2, SERVICE, True, PASS),
    (1, 2, SERVICE, True, PASS),
    (2, 2, SERVICE, True, DEFER),
    (3, 2, SERVICE, True, DEFER),
    (2, 2, MARKETING, True, DEFER),
    (2, 2, COLLECTIONS, True, DEFER),
    (9, 2, SAFETY, True, PASS),
    (9, 2, SECURITY, True, PASS),
    (9, 2, SERVICE, False, PASS),
    (0, 0, SERVICE, True, BLOCK),
    (1, 0, SERVICE, True, BLOCK),
    (1, 1, SERVICE, True, DEFER),
]


@pytest.mark.parametrize(("sent", "cap", "purpose", "counts", "outcome"), CAPS)
def test_the_cap_of_a_day_waits_for_the_customers_next_morning(
    sent: int, cap: int, purpose: Purpose, counts: bool, outcome: Outcome
) -> None:
    rules = playbook(purpose=purpose, counts_to_cap=counts)

    verdict = allowance.cap_day(candidate(sent_last_day=sent), rules, limits(per_day=cap), NOW)

    assert (verdict.rule, verdict.outcome) == ("cap_day", outcome)
    eight_in_berlin = datetime(2026, 11, 3, 7, tzinfo=UTC)
    assert verdict.until == (eight_in_berlin if outcome is DEFER else None)


@pytest.mark.parametrize(("sent", "cap", "purpose", "counts", "outcome"), CAPS)
def test_the_cap_of_a_week_asks_again_the_next_morning(
    sent: int, cap: int, purpose: Purpose, counts: bool, outcome: Outcome
) -> None:
    rules = playbook(purpose=purpose, counts_to_cap=counts)

    verdict = allowance.cap_week(candidate(sent_last_week=sent), rules, limits(per_week=cap), NOW)

    assert (verdict.rule, verdict.outcome) == ("cap_week", outcome)


def test_a_cap_refuses_when_the_next_day_comes_too_late() -> None:
    urgent = candidate(sent_last_day=2, deadline=NOW + 6 * HOUR)

    verdict = allowance.cap_day(urgent, playbook(), limits(), NOW)

    assert verdict.outcome is BLOCK
    assert "deadline" in verdict.reason


def test_without_quiet_hours_the_next_day_begins_at_midnight_of_the_latest_zone() -> None:
    two_zones = candidate(sent_last_day=2, zones=("America/New_York", "Europe/Berlin"))

    verdict = allowance.cap_day(two_zones, playbook(quiet_hours=False), limits(), NOW)

    assert verdict.until == datetime(2026, 11, 3, 5, tzinfo=UTC)


def test_without_a_zone_the_next_day_is_a_day_later() -> None:
    verdict = allowance.cap_day(candidate(sent_last_day=2, zones=()), playbook(), limits(), NOW)

    assert verdict.until == NOW + DAY


@pytest.mark.parametrize(
    ("left", "judgement", "composition", "fallback", "outcome"),
    [
        (True, Judgement.MODEL, Composition.SLOTS, "template", PASS),
        (True, Judgement.MODEL, Composition.SLOTS, "person", PASS),
        (True, Judgement.RULES, Composition.STRICT, "person", PASS),
        (False, Judgement.RULES, Composition.STRICT, "template", PASS),
        (False, Judgement.RULES, Composition.STRICT, "person", PASS),
        (False, Judgement.MODEL, Composition.STRICT, "template", PASS),
        (False, Judgement.MODEL, Composition.STRICT, "person", REVIEW),
        (False, Judgement.RULES, Composition.SLOTS, "template", PASS),
        (False, Judgement.RULES, Composition.SLOTS, "person", REVIEW),
        (False, Judgement.MODEL, Composition.SLOTS, "template", PASS),
        (False, Judgement.MODEL, Composition.SLOTS, "person", REVIEW),
    ],
)
def test_without_money_for_the_model_the_playbook_says_who_steps_in(
    left: bool,
    judgement: Judgement,
    composition: Composition,
    fallback: Literal["template", "person"],
    outcome: Outcome,
) -> None:
    rules = playbook(judgement=judgement, composition=composition, fallback=fallback)

    verdict = allowance.budget(candidate(budget_left=left), rules, limits(), NOW)

    assert (verdict.rule, verdict.outcome) == ("budget", outcome)
    needs_model = judgement is Judgement.MODEL or composition is Composition.SLOTS
    assert bool(verdict.reason) == (not left and needs_model)
