"""Golden cases of the gates on the customer and on the kill switch."""

from datetime import timedelta

import pytest

from policies.gates import allowance, customer
from policies.verdict import Outcome
from tests.unit.policies_gates.cases import (
    COLLECTIONS,
    MARKETING,
    NOW,
    SAFETY,
    SECURITY,
    SERVICE,
    candidate,
    limits,
    playbook,
)
from tools.records.vocabulary import CustomerStatus, ProtectedFlag, Purpose

PASS, DEFER, BLOCK = Outcome.PASS, Outcome.DEFER, Outcome.BLOCK


@pytest.mark.parametrize(
    ("known", "purpose", "outcome"),
    [
        *[(True, purpose, PASS) for purpose in Purpose],
        (False, SERVICE, DEFER),
        (False, SAFETY, DEFER),
        (False, SECURITY, DEFER),
        (False, COLLECTIONS, DEFER),
        (False, MARKETING, BLOCK),
    ],
)
def test_an_unknown_customer_is_waited_for_except_by_marketing(
    known: bool, purpose: Purpose, outcome: Outcome
) -> None:
    verdict = customer.customer_known(
        candidate(customer_known=known), playbook(purpose=purpose), limits(), NOW
    )

    assert (verdict.rule, verdict.outcome) == ("customer_known", outcome)
    assert verdict.until == (NOW + timedelta(minutes=30) if outcome is DEFER else None)


@pytest.mark.parametrize(
    ("status", "refused", "outcome"),
    [
        (CustomerStatus.ACTIVE, ("closed", "test", "employee"), PASS),
        (CustomerStatus.CLOSED, ("closed", "test", "employee"), BLOCK),
        (CustomerStatus.TEST, ("closed", "test", "employee"), BLOCK),
        (CustomerStatus.EMPLOYEE, ("closed", "test", "employee"), BLOCK),
        (CustomerStatus.ACTIVE, (), PASS),
        (CustomerStatus.CLOSED, (), PASS),
        (CustomerStatus.CLOSED, ("test",), PASS),
        (CustomerStatus.TEST, ("test",), BLOCK),
        (CustomerStatus.EMPLOYEE, ("test",), PASS),
        (CustomerStatus.EMPLOYEE, ("employee", "closed"), BLOCK),
    ],
)
def test_the_limits_say_which_statuses_are_refused(
    status: CustomerStatus, refused: tuple[str, ...], outcome: Outcome
) -> None:
    verdict = customer.customer_status(
        candidate(status=status), playbook(), limits(blocked_statuses=refused), NOW
    )

    assert (verdict.rule, verdict.outcome) == ("customer_status", outcome)


@pytest.mark.parametrize(
    ("flags", "purpose", "outcome"),
    [
        ((), SERVICE, PASS),
        ((), SAFETY, PASS),
        *[((flag,), SERVICE, BLOCK) for flag in ProtectedFlag],
        ((ProtectedFlag.DECEASED,), SAFETY, BLOCK),
        ((ProtectedFlag.MINOR, ProtectedFlag.HARDSHIP), SECURITY, BLOCK),
    ],
)
def test_protection_leaves_every_purpose_to_specialists(
    flags: tuple[ProtectedFlag, ...], purpose: Purpose, outcome: Outcome
) -> None:
    verdict = customer.protected(candidate(protected=flags), playbook(purpose=purpose), limits(), NOW)

    assert (verdict.rule, verdict.outcome) == ("protected", outcome)
    assert verdict.queue == ("specialist" if outcome is BLOCK else None)
    assert all(flag.value in verdict.reason for flag in flags)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(("reason", "outcome"), [(None, PASS), ("wrong prices", BLOCK)])
def test_the_kill_switch_stops_every_purpose(reason: str | None, outcome: Outcome, purpose: Purpose) -> None:
    verdict = allowance.kill_switch(candidate(killed=reason), playbook(purpose=purpose), limits(), NOW)

    assert (verdict.rule, verdict.outcome) == ("kill_switch", outcome)
    assert (reason or "") in verdict.reason
