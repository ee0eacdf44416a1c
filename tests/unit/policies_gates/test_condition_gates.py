"""Golden cases of the gates on the reason to write."""

from datetime import datetime, timedelta

import pytest

from policies.gates import condition
from policies.verdict import Outcome
from tests.unit.policies_gates.cases import (
    COLLECTIONS,
    DAY,
    HOUR,
    MARKETING,
    MINUTE,
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
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(("cleared", "outcome"), [(False, PASS), (True, BLOCK)])
def test_what_is_cleared_is_never_sent(cleared: bool, outcome: Outcome, purpose: Purpose) -> None:
    verdict = condition.cleared(candidate(cleared=cleared), playbook(purpose=purpose), limits(), NOW)

    assert (verdict.rule, verdict.outcome) == ("cleared", outcome)


@pytest.mark.parametrize(
    ("deadline", "purpose", "outcome"),
    [
        (NOW + DAY, SERVICE, PASS),
        (NOW + SECOND, SERVICE, PASS),
        (NOW, SERVICE, BLOCK),
        (NOW - SECOND, SERVICE, BLOCK),
        (NOW - DAY, SAFETY, BLOCK),
        (NOW + DAY, MARKETING, PASS),
        (None, SERVICE, REVIEW),
        (None, SAFETY, REVIEW),
        (None, SECURITY, REVIEW),
        (None, COLLECTIONS, REVIEW),
        (None, MARKETING, BLOCK),
    ],
)
def test_the_deadline_itself_is_too_late(
    deadline: datetime | None, purpose: Purpose, outcome: Outcome
) -> None:
    verdict = condition.deadline(candidate(deadline=deadline), playbook(purpose=purpose), limits(), NOW)

    assert (verdict.rule, verdict.outcome) == ("deadline", outcome)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(("ticket", "outcome"), [(None, PASS), ("T-9", BLOCK)])
def test_an_open_ticket_hands_the_case_to_the_playbooks_people(
    ticket: str | None, outcome: Outcome, purpose: Purpose
) -> None:
    rules = playbook(queue="returns", purpose=purpose)

    verdict = condition.open_ticket(candidate(open_ticket=ticket), rules, limits(), NOW)

    assert (verdict.rule, verdict.outcome) == ("open_ticket", outcome)
    assert verdict.queue == (None if ticket is None else "returns")
    assert (ticket or "") in verdict.reason


@pytest.mark.parametrize(
    ("age", "limit", "outcome"),
    [
        (timedelta(0), HOUR, PASS),
        (5 * MINUTE, HOUR, PASS),
        (HOUR - SECOND, HOUR, PASS),
        (HOUR, HOUR, PASS),
        (HOUR + SECOND, HOUR, DEFER),
        (DAY, HOUR, DEFER),
        (None, HOUR, DEFER),
        (5 * MINUTE, MINUTE, DEFER),
        (MINUTE, MINUTE, PASS),
        (timedelta(0), timedelta(0), PASS),
        (None, DAY, DEFER),
    ],
)
def test_a_stale_source_is_waited_for(age: timedelta | None, limit: timedelta, outcome: Outcome) -> None:
    verdict = condition.source_freshness(
        candidate(source_age=age), playbook(), limits(source_max_age=limit), NOW
    )

    assert (verdict.rule, verdict.outcome) == ("source_freshness", outcome)
    assert verdict.until == (NOW + limit / 2 if outcome is DEFER else None)
