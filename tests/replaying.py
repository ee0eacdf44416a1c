"""A small made-up history of a shop, and what a replay of it needs."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from evals.replay.olist import BRASILIA, OrderHistory
from evals.replay.run import Plan

CONFIG = Path(__file__).parents[1] / "examples/olist/outrider.yaml"
CONNECTOR = CONFIG.with_name("shop.yaml")
START = datetime(2018, 3, 1, tzinfo=BRASILIA).astimezone(UTC)
END = START + timedelta(days=7)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def order(
    name: str = "o1",
    *,
    bought: datetime = START + 10 * HOUR,
    promised: date = date(2018, 3, 4),
    handed_over: timedelta | None = 20 * HOUR,
    delivered: timedelta | None = 60 * HOUR,
    status: str = "delivered",
    score: int | None = 5,
) -> OrderHistory:
    """One order; `handed_over` and `delivered` count from the purchase, None is never."""
    return OrderHistory(
        order_id=name,
        person_id=f"p-{name}",
        state="SP",
        postcode="01310",
        status=status,
        purchased_at=bought,
        approved_at=bought + HOUR,
        handed_over_at=bought + handed_over if handed_over is not None else None,
        delivered_at=bought + delivered if delivered is not None else None,
        promised_on=promised,
        total_cents=12_345,
        review_score=score,
        review_asked_at=None if score is None else datetime(2018, 3, 6, tzinfo=UTC),
        review_answered_at=None if score is None else datetime(2018, 3, 8, tzinfo=UTC),
    )


def history() -> list[OrderHistory]:
    """Forty orders: early, late by hours and by days, lost, never handed over, bought before the start."""
    orders: list[OrderHistory] = []
    for number in range(40):
        bought = START + timedelta(days=number % 6 - 4, hours=8 + number % 11, minutes=7 * number)
        lost = number % 9 == 4
        handed_over = None if number % 10 == 7 else timedelta(hours=12 + 5 * (number % 5))
        delivered = None if lost or handed_over is None else handed_over + (1 + number % 7) * DAY
        promised = (bought + timedelta(days=2 + number % 4)).date()
        late = delivered is None or (bought + delivered).date() > promised
        orders.append(
            order(
                f"o{number:02}",
                bought=bought,
                promised=promised,
                handed_over=handed_over,
                delivered=delivered,
                status="canceled" if number == 13 else "shipped" if delivered is None else "delivered",
                score=None if number % 8 == 5 else 1 if late else 5,
            )
        )
    return orders


def plan(folder: Path, orders: list[OrderHistory] | None = None, *, end: datetime = END) -> Plan:
    """A week of the history in steps of three hours."""
    return Plan(
        history=history() if orders is None else orders,
        start=START,
        end=end,
        tick=3 * HOUR,
        folder=folder,
        config=CONFIG,
    )


def no_progress(_done: int, _in_all: int) -> None:
    """Show nothing."""
