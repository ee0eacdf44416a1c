"""The rules of review: strictly read, and right about urgency, risk and second approvers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.loader import REVIEW_FILE, load_review_rules
from policies.review_rules import Risk
from tools.errors import InputError
from tools.records.base import Money
from tools.records.vocabulary import Purpose

RULES = load_review_rules(REVIEW_FILE)
TEXT = REVIEW_FILE.read_text(encoding="utf-8")
NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))
ORDER = [Risk.LOW, Risk.NORMAL, Risk.HIGH]


@pytest.mark.parametrize(
    ("old", "new", "field", "problem"),
    [
        pytest.param("high: 30m", "high: 5h", "sla", "must not wait longer", id="sla out of order"),
        pytest.param("floor: 2s", "floor: 2", "floor", "no duration", id="no unit"),
        pytest.param("own_edits: forbid", "own_edits: maybe", "own_edits", "'maybe'", id="own edits"),
        pytest.param("seeds: '2%'", "seeds: 2", "seeds", "no share", id="share"),
        pytest.param("claim: 15m", "claim: 1s", None, "before approving is allowed", id="claim below floor"),
        pytest.param("undo: 10s", "undoo: 10s", "undoo", "unknown field", id="misspelt"),
        pytest.param("recipients: 500", "recipients: 0", "four_eyes.recipients", "1", id="nobody"),
        pytest.param("USD: 2500,", "USD: 50000,", "risk", "reaches high_stake in USD", id="low above high"),
        pytest.param("[safety, a", "[saftey, a", "risk.high_purposes[0]", "'saftey'", id="purpose"),
        pytest.param("queues: [billing", "queues: [Billing", "queues[0]", "pattern", id="queue"),
    ],
)
def test_each_mistake_names_its_place(
    old: str, new: str, field: str | None, problem: str, tmp_path: Path
) -> None:
    assert TEXT.count(old) == 1
    path = tmp_path / "review.yaml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")

    with pytest.raises(InputError) as caught:
        load_review_rules(path)

    assert str(caught.value).startswith(f"{path}")
    assert caught.value.field == field
    assert problem in str(caught.value)


@given(risk=st.sampled_from(Risk), expires_in=SPANS, ends_in=st.none() | SPANS)
def test_a_review_is_due_within_its_sla_and_before_the_end(
    risk: Risk, expires_in: timedelta, ends_in: timedelta | None
) -> None:
    deadline = None if ends_in is None else NOW + ends_in

    due = RULES.review_by(risk, created_at=NOW, expires_at=NOW + expires_in, deadline=deadline)

    bounds = [NOW + RULES.sla.of(risk), NOW + expires_in, *([deadline] if deadline else [])]
    assert due == min(bounds)


@given(
    purpose=st.sampled_from(Purpose),
    amounts=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(sorted),
    currency=st.sampled_from(["EUR", "USD", "JPY"]),
)
def test_more_at_stake_is_never_less_risk(purpose: Purpose, amounts: list[int], currency: str) -> None:
    less, more = (
        RULES.risk_of(purpose=purpose, stake=Money(minor=amount, currency=currency), reason="policy")
        for amount in amounts
    )

    assert ORDER.index(less) <= ORDER.index(more)


@pytest.mark.parametrize(
    ("purpose", "minor", "reason", "risk"),
    [
        (Purpose.SERVICE, None, "policy", Risk.NORMAL),
        (Purpose.SERVICE, 2_500, "policy", Risk.LOW),
        (Purpose.SERVICE, 2_501, "policy", Risk.NORMAL),
        (Purpose.SERVICE, 49_999, "policy", Risk.NORMAL),
        (Purpose.SERVICE, 50_000, "policy", Risk.HIGH),
        (Purpose.SERVICE, 100, "band", Risk.HIGH),
        (Purpose.SAFETY, 100, "policy", Risk.HIGH),
        (Purpose.MARKETING, None, "policy", Risk.LOW),
    ],
)
def test_risk(purpose: Purpose, minor: int | None, reason: str, risk: Risk) -> None:
    stake = None if minor is None else Money(minor=minor, currency="USD")

    assert RULES.risk_of(purpose=purpose, stake=stake, reason=reason) is risk


@pytest.mark.parametrize(
    ("purpose", "minor", "recipients", "needed"),
    [
        (Purpose.SERVICE, None, 1, False),
        (Purpose.COLLECTIONS, None, 1, True),
        (Purpose.SERVICE, 199_999, 499, False),
        (Purpose.SERVICE, 200_000, 1, True),
        (Purpose.SERVICE, None, 500, True),
    ],
)
def test_a_second_person(purpose: Purpose, minor: int | None, recipients: int, needed: bool) -> None:
    stake = None if minor is None else Money(minor=minor, currency="EUR")

    assert RULES.needs_second(purpose=purpose, stake=stake, recipients=recipients) is needed
