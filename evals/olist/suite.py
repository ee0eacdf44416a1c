"""The suite: every policy's notices against what became of the orders, in all and on the later half."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from evals.olist.choices import PLAYBOOK, by_playbook, by_rule
from evals.olist.population import EPOCH, Flags, Floats, Orders, load_orders
from evals.olist.ranked import RULE_DAYS, by_ranking
from evals.stats.clusters import bootstrap_ratio
from evals.stats.interval import Interval

_SEED: Final = 20180101
_WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the notices of one policy reached among some orders."""

    policy: str
    orders: int
    notices: int
    reached: float
    """Share of the bad reviews whose customers were written to."""
    needless: float
    """Notices per 1,000 orders to orders that came on time."""
    lead_days: float
    """Median days from the notice to the request for a review."""

    @property
    def per_thousand(self) -> float:
        """Notices per 1,000 orders."""
        return 1000 * self.notices / self.orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Advantage:
    """A policy's share of bad reviews reached, less that of the rule at the same number of notices."""

    policy: str
    difference: Interval
    """Paired, by a bootstrap over weeks of the promised day."""

    @property
    def at_least_equal(self) -> bool:
        """Whether the policy reaches no less than the rule, at 95 %."""
        return self.difference.low >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OlistScore:
    """The suite's result."""

    everything: Sequence[Reach]
    later: Sequence[Reach]
    """Orders promised in the later half, which no choice of ours was made on."""
    later_from: str
    advantages: Sequence[Advantage]
    """On the later half: of the shipped playbook, then of the ranking."""

    @property
    def ok(self) -> bool:
        """Whether the shipped playbook's decision is no worse than the rule at equal notices."""
        return self.advantages[0].at_least_equal


def score_olist(folder: Path, *, playbook: Path = PLAYBOOK) -> OlistScore:
    """Score the shipping-delay decision of a playbook on the Olist files.

    Raises:
        InputError: A file is missing, or the reader of parquet files is not installed.
    """
    return score_orders(load_orders(folder), playbook=playbook)


def score_orders(orders: Orders, *, playbook: Path = PLAYBOOK) -> OlistScore:
    """Score the rule, the playbook and the ranking over some orders."""
    rule, decided, ranked = by_rule(orders, RULE_DAYS), by_playbook(orders, playbook), by_ranking(orders)
    choices = {
        f"rule, {RULE_DAYS} days before": rule,
        "shipped playbook" if playbook == PLAYBOOK else "playbook": decided,
        "ranking (not shipped)": ranked,
    }
    middle = int(np.median(orders.promised_end))
    every, later = np.ones(len(orders), dtype=bool), orders.promised_end > middle
    return OlistScore(
        everything=[reach(name, orders, notices, every) for name, notices in choices.items()],
        later=[reach(name, orders, notices, later) for name, notices in choices.items()],
        later_from=f"{EPOCH + timedelta(days=middle):%Y-%m-%d}",
        advantages=[
            advantage(name, orders, notices, rule, later)
            for name, notices in choices.items()
            if notices is not rule
        ],
    )


def reach(policy: str, orders: Orders, notices: Floats, among: Flags) -> Reach:
    """Score the notices of one policy.

    Args:
        policy: Its name.
        orders: All orders.
        notices: Day of each order's notice, NaN without one.
        among: The orders to look at; one of them at least has a bad review.
    """
    written = ~np.isnan(notices) & among
    leads = (orders.asked - notices)[written & np.isfinite(orders.asked)]
    return Reach(
        policy=policy,
        orders=int(among.sum()),
        notices=int(written.sum()),
        reached=float((written & orders.bad).sum() / (among & orders.bad).sum()),
        needless=float(1000 * (written & ~orders.late).sum() / among.sum()),
        lead_days=float(np.median(leads)) if len(leads) else float("nan"),
    )


def advantage(policy: str, orders: Orders, notices: Floats, rule: Floats, among: Flags) -> Advantage:
    """Compare a policy with the rule at the same number of notices.

    The rule's notices are weighed so that they come to as many: each counts with the ratio of the two
    numbers, which is what choosing among them at random reaches on average.
    """
    ours, theirs = (~np.isnan(days[among]) for days in (notices, rule))
    weight = ours.sum() / max(theirs.sum(), 1)
    bad = orders.bad[among]
    gains = bad * (ours.astype(float) - weight * theirs.astype(float))
    weeks = orders.promised_end[among] // _WEEK
    return Advantage(
        policy=policy,
        difference=bootstrap_ratio(gains.tolist(), bad.astype(float).tolist(), weeks.tolist(), seed=_SEED),
    )
