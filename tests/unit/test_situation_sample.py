"""Strata, the sample that repeats, and the outliers that everybody must see."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.review_desk.situations.members import Member, quartiles
from agent.review_desk.situations.outliers import Bounds, odd_in_name, outliers
from agent.review_desk.situations.sampling import clock_words, sample, strata
from tools.records.base import Money
from tools.records.facts import Fact

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
BOUNDS = Bounds(length=1.5, max_age=timedelta(minutes=30), now=NOW)
PLAIN = Member(
    draft_id="drf_0",
    case_id="cas_0",
    content_hash="aa",
    customer_name="Ada Lovelace",
    recipient="ada@example.com",
    subject="Your order",
    body="x" * 100,
    locale="en_US",
    channel="email",
    offset=timedelta(hours=1),
    segments=1,
    stake=Money(minor=5_000, currency="EUR"),
    value_in_band=False,
    facts=(),
    expires_at=NOW + timedelta(hours=4),
    review_reason="policy",
    gates=(),
    needs_second=False,
)


def fact(name: str, value: Any, *, age: timedelta = timedelta(minutes=1)) -> Fact:
    return Fact(name=name, value=value, source="shop", fetched_at=NOW - age, as_of=NOW, trusted=True)


def crowd(number: int, **changes: Any) -> list[Member]:
    return [replace(PLAIN, draft_id=f"drf_{at:05}", **changes) for at in range(number)]


@st.composite
def crowds(draw: st.DrawFn) -> list[Member]:
    stakes = st.builds(Money, minor=st.integers(0, 100_000), currency=st.sampled_from(["EUR", "USD"]))
    return [
        replace(
            PLAIN,
            draft_id=f"drf_{at:05}",
            locale=draw(st.sampled_from(["en_US", "de_DE", "pt_BR"])),
            offset=draw(st.sampled_from([timedelta(hours=hours) for hours in (-8, 0, 5)])),
            segments=draw(st.integers(1, 3)),
            stake=draw(st.none() | stakes),
        )
        for at in range(draw(st.integers(1, 60)))
    ]


@given(crowds(), st.integers(1, 3), st.integers(1, 20))
def test_a_sample_repeats_and_has_some_of_every_stratum(found: list[Member], each: int, most: int) -> None:
    parted = strata(found)

    drawn = sample(parted, seed="sit_1", per_stratum=each, at_most=most)
    again = sample(strata(list(reversed(found))), seed="sit_1", per_stratum=each, at_most=most)

    ids = [one.draft_id for one in drawn]
    assert ids == [one.draft_id for one in again]
    assert len(ids) == len(set(ids)) <= most
    assert sum(one.count for one in parted) == len(found)
    by_stratum = [len({one.draft_id for one in group} & set(ids)) for group in parted.values()]
    assert all(number <= each for number in by_stratum)
    if len(parted) <= most:
        assert all(number >= 1 for number in by_stratum)


def test_strata_name_only_what_differs() -> None:
    found = [*crowd(3), replace(PLAIN, draft_id="drf_de", locale="de_DE")]

    assert [(one.words, one.count) for one in strata(found)] == [("en_US", 3), ("de_DE", 1)]
    assert [one.words for one in strata(crowd(2))] == ["all alike"]


def test_another_seed_draws_others() -> None:
    parted = strata(crowd(200))

    first, second = (sample(parted, seed=seed, per_stratum=5, at_most=12) for seed in ("sit_1", "sit_2"))

    assert first != second


@given(st.lists(st.integers(-1_000, 1_000), min_size=1))
def test_quartiles_part_values_in_order(values: list[int]) -> None:
    found = quartiles(values)

    assert min(values) <= found.q1 <= found.median <= found.q3 <= max(values)
    assert found.part(min(values)) == 1


ODD: dict[str, dict[str, Any]] = {
    "200 characters": {"body": "x" * 200},
    "20 characters": {"body": "x" * 20},
    "2 SMS segments": {"segments": 2},
    "9000.00 EUR": {"stake": Money(minor=900_000, currency="EUR")},
    "hidden characters": {"customer_name": "Ada\u202eLovelace"},
    "unusual characters": {"customer_name": "Ada <b>"},
    "several scripts": {"customer_name": "\u0410da Lovelace"},
    "because of band": {"review_reason": "band"},
    "second person": {"needs_second": True},
    "open_ticket wants": {"gates": ("open_ticket",)},
    "close to zero": {"value_in_band": True},
    "read 60 minutes ago": {"facts": (fact("order.total", 1, age=timedelta(hours=1)),)},
    "order.promised_on passes": {
        "facts": (fact("order.promised_on", date(2026, 11, 2)),),
        "offset": timedelta(hours=9),
    },
}


@pytest.mark.parametrize(("words", "changes"), ODD.items(), ids=list(ODD))
def test_one_that_differs_is_seen_with_its_reason(words: str, changes: dict[str, Any]) -> None:
    odd = replace(PLAIN, draft_id="drf_odd", **changes)

    found = outliers([*crowd(20), odd], BOUNDS).found

    assert [(one.draft_id, len(why)) for one, why in found] == [("drf_odd", 1)]
    assert words in found[0][1][0]


def test_what_holds_for_most_is_said_once() -> None:
    found = outliers([*crowd(3, needs_second=True), replace(PLAIN, draft_id="drf_z")], BOUNDS)

    assert (found.found, found.common) == ((), ("second person (3 of 4)",))


def test_nobody_stands_out_of_nothing() -> None:
    assert outliers([], BOUNDS).found == ()


@pytest.mark.parametrize(
    "name", ["", "Ada Lovelace", "Núñez", "O'Brien", "Anne-Marie", "山田 たろう", "Ελένη", "नीता"]
)
def test_names_of_all_the_world_are_ordinary(name: str) -> None:
    assert odd_in_name(name) == ""


@pytest.mark.parametrize(("minutes", "words"), [(0, "UTC+0"), (330, "UTC+5:30"), (-210, "UTC-3:30")])
def test_clocks_are_spoken(minutes: int, words: str) -> None:
    assert clock_words(timedelta(minutes=minutes)) == words
