"""Scoring signals and messages against what truly happened to the orders."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from evals.replay.olist import OrderHistory

SERIOUS_DAYS = 3
"""From this many days late on, complaints rise steeply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRow:
    """One row of the trigger table: a notice N days before the end of the promised day."""

    days_before: int
    orders: int
    notices: int
    late: int
    """Notices to orders that came late or never."""
    serious: int
    """Notices to orders at least three days late."""
    late_orders: int
    """Late orders in all, noticed or not."""

    @property
    def per_thousand(self) -> int:
        """Notices per 1,000 orders."""
        return round(1000 * self.notices / self.orders)

    @property
    def p_late(self) -> float:
        """Share of notices that went to late orders."""
        return self.late / self.notices if self.notices else 0.0

    @property
    def p_serious(self) -> float:
        """Share of notices that went to orders at least three days late."""
        return self.serious / self.notices if self.notices else 0.0

    @property
    def reached(self) -> float:
        """Share of late orders that got a notice."""
        return self.late / self.late_orders if self.late_orders else 0.0


def trigger_row(days_before: int, noticed: Iterable[str], history: Sequence[OrderHistory]) -> TriggerRow:
    """Score the notices of one trigger over the reference population.

    Args:
        days_before: N of the trigger.
        noticed: Ids of the orders that got a notice; ids outside the population are left out.
        history: All orders; the population is those handed to a carrier and not cancelled.
    """
    population = {order.order_id: order for order in history if order.in_reference}
    hit = [population[order_id] for order_id in set(noticed) if order_id in population]
    return TriggerRow(
        days_before=days_before,
        orders=len(population),
        notices=len(hit),
        late=sum(order.late for order in hit),
        serious=sum(_serious(order) for order in hit),
        late_orders=sum(order.late for order in population.values()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageScore:
    """What the messages of a replay were worth, judged by reviews written later."""

    messaged: int
    reviewed: int
    bad: int
    """Messaged customers whose first review was 1 or 2."""
    base_reviewed: int
    base_bad: int
    """The same over all orders bought in the replayed period, messaged or not."""
    lead_days: tuple[float, float, float] | None
    """10th percentile, median and 90th percentile of days from message to delivery; None without any."""
    late_messaged: int
    before_survey: int
    """Messages sent before the customer was asked for a review."""

    @property
    def bad_share(self) -> float:
        """Share of reviewed messaged customers who complained."""
        return self.bad / self.reviewed if self.reviewed else 0.0

    @property
    def base_share(self) -> float:
        """Share of all reviewed customers who complained."""
        return self.base_bad / self.base_reviewed if self.base_reviewed else 0.0


def score_messages(
    sent: Mapping[str, datetime], orders: Sequence[OrderHistory], *, base: Sequence[OrderHistory]
) -> MessageScore:
    """Score messages against later deliveries and reviews.

    Args:
        sent: Order id → when its first message was accepted.
        orders: All orders, in which the messaged ones are looked up.
        base: The orders that the messaged ones are compared with.
    """
    messaged = [order for order in orders if order.order_id in sent]
    leads = sorted(
        (order.delivered_at - sent[order.order_id]) / timedelta(days=1)
        for order in messaged
        if order.delivered_at is not None
    )
    return MessageScore(
        messaged=len(messaged),
        reviewed=sum(order.review_score is not None for order in messaged),
        bad=sum(order.bad for order in messaged),
        base_reviewed=sum(order.review_score is not None for order in base),
        base_bad=sum(order.bad for order in base),
        lead_days=(_quantile(leads, 10), median(leads), _quantile(leads, 90)) if leads else None,
        late_messaged=sum(order.late for order in messaged),
        before_survey=sum(
            order.review_asked_at is None or sent[order.order_id] < order.review_asked_at
            for order in messaged
        ),
    )


def _serious(order: OrderHistory) -> bool:
    days = order.days_late
    return days is None or days >= SERIOUS_DAYS


def _quantile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]
