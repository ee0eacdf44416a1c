"""The Olist suite on made-up orders: what counts, what is equal notices, and no look at the future."""

import io
import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from evals.olist.choices import PLAYBOOK, by_playbook, by_rule
from evals.olist.population import Floats, Orders, load_orders, orders_of
from evals.olist.ranked import RETRAIN_DAYS, by_ranking
from evals.olist.report import olist_form, olist_view
from evals.olist.suite import advantage, reach, score_orders
from policies.model import Playbook
from tests.replaying import HOUR, order
from tools.errors import InputError
from tools.yaml_file import load_yaml

DATA = Path(os.environ.get("OUTRIDER_DATA_DIR", Path(__file__).parents[4] / "shared/data")) / "olist"


def made_up(number: int = 4_000, days: int = 200, seed: int = 1) -> Orders:
    """Return orders of fifty sellers, some of which deliver late and anger their customers."""
    random = np.random.default_rng(seed)
    seller = random.integers(0, 50, number)
    bought = np.sort(random.uniform(0, days, number))
    promised = np.ceil(bought + random.uniform(12, 20, number)).astype(np.int64)
    delivered = promised + random.normal(-5 + 4 * (seller % 5 == 0), 4, number)
    delivered = np.maximum(delivered, bought + 2)
    late = delivered > promised
    bad = random.random(number) < np.where(late, 0.6, 0.05 + 0.25 * (seller % 3 == 0))
    return Orders(
        ids=tuple(f"o{place}" for place in range(number)),
        promised_end=promised,
        bought=bought,
        handed_over=bought + random.uniform(0.5, 16, number),
        hand_over_limit=bought + 5,
        delivered=delivered,
        asked=delivered + 0.5,
        answered=delivered + random.uniform(1, 6, number),
        bad=bad,
        late=late,
        items=np.ones(number),
        paid=random.uniform(10, 300, number),
        seller=tuple(f"s{one}" for one in seller.tolist()),
        route=tuple(f"{one % 7}>SP" for one in seller.tolist()),
        state=("SP",) * number,
    )


@pytest.fixture(scope="module")
def orders() -> Orders:
    return made_up()


@pytest.fixture(scope="module")
def ranked(orders: Orders) -> Floats:
    return by_ranking(orders)


def small(*rows: tuple[float, bool, bool]) -> Orders:
    """Return orders promised for the end of day 10: delivered, bad, late."""
    made = made_up(len(rows))
    delivered = np.array([row[0] for row in rows])
    return replace(
        made,
        promised_end=np.full(len(rows), 10),
        bought=np.zeros(len(rows)),
        delivered=delivered,
        asked=delivered + 1,
        bad=np.array([row[1] for row in rows]),
        late=np.array([row[2] for row in rows]),
    )


def test_the_rule_writes_to_what_is_under_way() -> None:
    made = small((6.9, False, False), (7.0, False, False), (7.1, False, False), (np.inf, True, True))

    assert by_rule(made, 3).tolist()[2:] == [7, 7]
    assert np.isnan(by_rule(made, 3)).tolist() == [True, True, False, False]


def test_reach_counts_bad_reviews_and_needless_notices() -> None:
    made = small((8, True, False), (9, False, False), (12, True, True), (5, True, False))

    found = reach("rule", made, by_rule(made, 3), np.ones(4, dtype=bool))

    assert (found.notices, found.reached, found.needless) == (3, 2 / 3, 500)
    assert found.lead_days == 3  # asked on days 9, 10 and 13, written to on day 7


def test_a_policy_is_compared_at_its_own_number_of_notices(orders: Orders) -> None:
    rule, every = by_rule(orders, 3), np.ones(len(orders), dtype=bool)
    halves = [rule.copy(), rule.copy()]
    for start, half in enumerate(halves):
        half[np.flatnonzero(~np.isnan(rule))[start::2]] = np.nan

    same = advantage("same", orders, rule, rule, every).difference
    one, other = (advantage("half", orders, half, rule, every).difference for half in halves)

    assert (same.low, same.estimate, same.high) == (0, 0, 0)
    # two halves of a rule's notices are together no better than half of it
    assert one.estimate + other.estimate == pytest.approx(0, abs=1e-3)
    assert one.low < one.estimate < one.high


def test_the_ranking_sees_nothing_of_the_future(orders: Orders, ranked: Floats) -> None:
    today = 185
    other = made_up(seed=2)

    def changed(column: Floats, mine: Floats) -> Floats:
        """Return a column that is the same up to today and another one afterwards."""
        return np.where(column <= today, column, np.maximum(mine, today + 0.5))

    future = replace(
        orders,
        delivered=changed(orders.delivered, orders.delivered + other.paid),
        answered=changed(orders.answered, orders.answered + other.paid),
        handed_over=changed(orders.handed_over, orders.handed_over + other.paid),
        asked=changed(orders.asked, orders.asked + other.paid),
        bad=np.where(orders.answered <= today, orders.bad, ~orders.bad),
        late=~orders.late,
    )

    before, after = ranked, by_ranking(future)

    decided = ~np.isnan(before) & (before <= today)
    early = orders.promised_end - before > 3
    assert (decided & early).sum() > 20  # so it has learned by then, and what it learned was used
    assert decided.tolist() == (~np.isnan(after) & (after <= today)).tolist()
    assert before[decided].tolist() == after[decided].tolist()


def test_the_ranking_spends_what_the_rule_spends(orders: Orders, ranked: Floats) -> None:
    rule = by_rule(orders, 3)

    assert (~np.isnan(ranked)).sum() == pytest.approx((~np.isnan(rule)).sum(), rel=0.05)
    ahead: list[float] = (orders.promised_end - ranked)[~np.isnan(ranked)].tolist()
    days = Counter(ahead)
    assert days[1] > 0
    assert sum(days[day] for day in (2, 4, 5, 6, 7)) > 0
    assert set(days) <= {1, 2, 3, 4, 5, 6, 7}


def test_until_it_has_learned_it_follows_the_rule(orders: Orders, ranked: Floats) -> None:
    rule = by_rule(orders, 3)
    early = orders.promised_end < RETRAIN_DAYS

    np.testing.assert_array_equal(ranked[early], rule[early])


def test_the_shipped_playbook_decides_by_its_own_parameter(orders: Orders, tmp_path: Path) -> None:
    text = PLAYBOOK.read_text("utf-8")
    assert "notice_before: 1d" in text
    (tmp_path / "shipping_delay.yaml").write_text(
        text.replace("notice_before: 1d", "notice_before: 2d"), "utf-8"
    )

    np.testing.assert_array_equal(by_playbook(orders), by_rule(orders, 1))
    np.testing.assert_array_equal(by_playbook(orders, tmp_path / "shipping_delay.yaml"), by_rule(orders, 2))
    assert load_yaml(PLAYBOOK, Playbook).params["notice_before"] == timedelta(days=1)


def test_histories_become_columns() -> None:
    made = orders_of([order("a", delivered=48 * HOUR), order("b", delivered=None)], {}, {})

    assert (made.ids, made.items.tolist()) == (("a", "b"), [1, 1])
    assert np.isinf(made.delivered).tolist() == [False, True]
    assert made.promised_end[0] - made.bought[0] == pytest.approx(86 / 24)


def test_the_suite_says_what_it_found(orders: Orders) -> None:
    score = score_orders(orders)
    text = io.StringIO()
    Console(file=text, width=120).print(olist_view(score))

    assert [one.policy for one in score.advantages] == ["shipped playbook", "ranking (not shipped)"]
    assert score.ok is (score.advantages[0].difference.low >= 0)
    assert "The later half" in text.getvalue()
    assert olist_form(score)["ok"] is score.ok


def test_absent_files_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_orders(tmp_path)


@pytest.mark.olist
@pytest.mark.slow
@pytest.mark.skipif(
    not DATA.is_dir(), reason="the Olist files are not here; OUTRIDER_DATA_DIR names their folder"
)
def test_real_orders_give_the_published_figures_of_the_rule_and_no_worse_decisions() -> None:
    score = score_orders(load_orders(DATA))
    rule, shipped, ranked = score.everything

    assert (rule.orders, rule.notices) == (97_583, 11_951)
    assert (round(rule.reached, 3), round(rule.needless), rule.lead_days) == (0.400, 44, 4.0)
    assert (round(shipped.reached, 3), round(shipped.needless)) == (0.374, 13)
    assert score.ok
    assert ranked.reached > rule.reached
    assert score.advantages[1].difference.low > 0
