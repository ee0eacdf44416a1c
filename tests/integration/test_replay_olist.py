"""Real orders: a fortnight through the loop, and the triggers of one month against a direct count."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from evals.replay.olist import BRASILIA, OrderHistory, load_history
from evals.replay.run import replay
from evals.replay.score import trigger_row
from evals.replay.trigger_table import bought_in, sweep_history
from tests.replaying import CONNECTOR, DAY, HOUR, no_progress, plan

DATA = Path(os.environ.get("OUTRIDER_DATA_DIR", Path(__file__).parents[3] / "shared/data")) / "olist"
DAYS = (3, 0, -2)

pytestmark = [
    pytest.mark.olist,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="the Olist files are not here; OUTRIDER_DATA_DIR names their folder"
    ),
]


@pytest.fixture(scope="module")
def orders() -> list[OrderHistory]:
    return load_history(DATA)


def test_the_reference_population_is_the_published_one(orders: list[OrderHistory]) -> None:
    assert (len(orders), sum(order.in_reference for order in orders)) == (99_441, 97_583)


def test_signals_of_a_month_are_those_of_a_direct_count(tmp_path: Path, orders: list[OrderHistory]) -> None:
    month = bought_in(orders, date(2017, 1, 1))

    run = sweep_history(
        month, DAYS, folder=tmp_path, connector=CONNECTOR, progress=no_progress, tick=timedelta(days=1)
    )

    for number in DAYS:
        away = [
            order.order_id
            for order in month
            if order.delivered_at is None or order.delivered_at > order.promised_end - number * DAY
        ]
        signalled = [order_id for order_id, _ in run.opened[number]]
        assert sorted(signalled) == sorted(away)
        assert trigger_row(number, signalled, month) == trigger_row(number, away, month)
        assert trigger_row(number, signalled, month).notices > 10


@pytest.mark.slow
async def test_a_fortnight_of_real_orders_is_served_and_verified(
    tmp_path: Path, orders: list[OrderHistory]
) -> None:
    start = datetime(2017, 3, 1, tzinfo=BRASILIA).astimezone(UTC)
    wanted = replace(plan(tmp_path, orders, end=start + 14 * DAY), start=start, tick=2 * HOUR)
    done = await replay(wanted, progress=no_progress)

    assert done.audit_ok, done.audit_fault
    assert done.bought == sum(start <= order.purchased_at < start + 14 * DAY for order in orders) > 1_000
    assert not done.failures
    assert done.quarantined == 0
    assert done.score is not None
    assert done.messages == done.score.messaged > 50
    assert done.score.bad_share > 2 * done.score.base_share
