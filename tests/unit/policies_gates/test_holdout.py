"""The holdout draw: sticky, of the declared size, and independent between scenarios and salts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.holdout import draw
from policies.model import PPM, Holdout

TEN_PERCENT = Holdout.model_validate({"share": "10%", "salt": "s/1"})


def held_out(holdout: Holdout | None, customers: range, scenario: str = "late") -> set[int]:
    return {one for one in customers if draw(holdout, customer_id=f"c{one}", scenario=scenario)[0]}


def test_without_a_holdout_nobody_is_kept_back() -> None:
    assert draw(None, customer_id="c1", scenario="late") == (False, PPM)


@pytest.mark.parametrize(("share", "kept"), [("0%", False), ("100%", True)])
def test_the_ends_of_the_scale_are_certain(share: str, kept: bool) -> None:
    holdout = Holdout.model_validate({"share": share, "salt": "s"})

    assert {draw(holdout, customer_id=f"c{one}", scenario="late") for one in range(50)} == {(kept, PPM)}


@given(customer=st.text(), scenario=st.text())
def test_the_draw_is_sticky_and_tells_the_probability_of_its_arm(customer: str, scenario: str) -> None:
    first = draw(TEN_PERCENT, customer_id=customer, scenario=scenario)

    assert draw(TEN_PERCENT, customer_id=customer, scenario=scenario) == first
    assert first in {(True, 100_000), (False, 900_000)}


def test_the_share_is_met_within_four_standard_errors() -> None:
    count = len(held_out(TEN_PERCENT, range(20_000)))

    assert abs(count - 2_000) < 4 * (20_000 * 0.1 * 0.9) ** 0.5


def test_a_larger_share_keeps_everybody_who_was_kept_back() -> None:
    twenty = Holdout.model_validate({"share": "20%", "salt": "s/1"})

    assert held_out(TEN_PERCENT, range(2_000)) < held_out(twenty, range(2_000))


def test_another_salt_or_scenario_draws_afresh() -> None:
    other_salt = Holdout.model_validate({"share": "10%", "salt": "s/2"})
    base = held_out(TEN_PERCENT, range(5_000))

    for other in (held_out(other_salt, range(5_000)), held_out(TEN_PERCENT, range(5_000), "due")):
        assert len(base & other) < len(base) / 4


def test_the_draw_never_changes_between_versions() -> None:
    """Who is held out must survive an update, so these draws are written down."""
    assert sorted(held_out(TEN_PERCENT, range(60))) == [10, 14, 15, 21, 22, 26, 31, 38, 41]
