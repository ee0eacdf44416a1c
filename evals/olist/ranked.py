"""A ranking learned from the past: wait where waiting costs nothing, write early where it would be too late.

An order that is still on its way a day before its promise ends is written to then, when late orders are
easiest to tell. The notices that the plain rule spends and this does not go to orders two to seven days
ahead, to those likeliest to end in a complaint although they arrive before that last day. Nothing that is
used was known later than the day it is used on; orders and weights before the first training follow the
rule. The agent does not use it: it shows what is left to gain.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from evals.olist.population import Floats, Numbers, Orders

RULE_DAYS: Final = 3
LAST_DAY: Final = 1
AHEAD: Final = range(LAST_DAY, 8)
"""Days before the end of the promised day on which an order may be written to."""
RETRAIN_DAYS: Final = 30
_LEAST_LABELS: Final = 1_500
_RIDGE: Final = 1.0
_NEWTON_STEPS: Final = 12


@dataclass(slots=True)
class _Rates:
    """How often something came, per key, shrunk towards all keys together."""

    weight: float
    """Cases that a key must have to count as much as all together."""
    came: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    of: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, key: str, *, came: bool) -> None:
        self.came[key] += came
        self.of[key] += 1

    def log(self, key: str, base: float) -> float:
        return float(
            np.log((self.came.get(key, 0) + self.weight * base) / (self.of.get(key, 0) + self.weight))
        )


@dataclass(slots=True)
class _Past:
    """All that is known on a day."""

    orders: Orders
    seller_late: _Rates = field(default_factory=lambda: _Rates(10))
    route_late: _Rates = field(default_factory=lambda: _Rates(20))
    state_late: _Rates = field(default_factory=lambda: _Rates(30))
    seller_bad: _Rates = field(default_factory=lambda: _Rates(10))
    late: int = 0
    ended: int = 0
    bad: int = 0
    answered: int = 0

    def promise_ended(self, place: int, today: int) -> None:
        late = bool(self.orders.delivered[place] > today)
        self.seller_late.add(self.orders.seller[place], came=late)
        self.route_late.add(self.orders.route[place], came=late)
        self.state_late.add(self.orders.state[place], came=late)
        self.late, self.ended = self.late + late, self.ended + 1

    def review_came(self, place: int) -> None:
        bad = bool(self.orders.bad[place])
        self.seller_bad.add(self.orders.seller[place], came=bad)
        self.bad, self.answered = self.bad + bad, self.answered + 1

    def features(self, place: int, today: int) -> list[float]:
        orders = self.orders
        late, bad = (self.late + 1) / (self.ended + 10), (self.bad + 1) / (self.answered + 8)
        ahead = int(orders.promised_end[place]) - today
        handed = bool(orders.handed_over[place] <= today)
        limit = float(orders.hand_over_limit[place])
        return [
            1.0,
            *(float(ahead == day) for day in AHEAD[:-1]),
            float(handed),
            min(today - orders.handed_over[place], 30) / 10 if handed else 0.0,
            (today - orders.bought[place]) / 20,
            (orders.promised_end[place] - orders.bought[place]) / 20,
            self.seller_late.log(orders.seller[place], late),
            self.route_late.log(orders.route[place], late),
            self.state_late.log(orders.state[place], late),
            self.seller_bad.log(orders.seller[place], bad),
            min(orders.items[place], 5) - 1,
            float(np.log1p(orders.paid[place])),
            float(handed and orders.handed_over[place] > limit),
            float(not handed and today > limit),
            float(np.log(late)),
        ]


@dataclass(slots=True)
class _Learner:
    """Logistic weights for a complaint about an order that arrives before its last day."""

    orders: Orders
    seen: list[Floats] = field(default_factory=list[Floats])
    places: list[Numbers] = field(default_factory=list[Numbers])
    weights: Floats | None = None

    def see(self, features: Floats, places: Numbers) -> None:
        self.seen.append(features)
        self.places.append(places)

    def train(self, today: int) -> None:
        if not self.seen:
            return
        places, features = np.concatenate(self.places), np.concatenate(self.seen)
        known = self.orders.answered[places] <= today
        known &= self.orders.delivered[places] <= self.orders.promised_end[places] - LAST_DAY
        if known.sum() >= _LEAST_LABELS:
            self.weights = _logistic(features[known], self.orders.bad[places][known].astype(float))


def by_ranking(orders: Orders) -> Floats:
    """Return the day of the notice, NaN without one; about as many notices as the rule at three days.

    Source of the estimator: Newton's method for ridge-penalised logistic regression, T. Hastie, R. Tibshirani
    and J. Friedman, The Elements of Statistical Learning (2009), section 4.4.1.
    """
    ending, answering = _by_day(orders.promised_end), _by_day(np.ceil(orders.answered))
    past, learner = _Past(orders), _Learner(orders)
    noticed = np.full(len(orders), np.nan)
    credit = 0
    first, last = int(orders.promised_end.min()) - max(AHEAD), int(orders.promised_end.max())
    for today in range(first, last + 1):
        for place in ending.get(today, ()):
            past.promise_ended(place, today)
        for place in answering.get(today, ()):
            past.review_came(place)
        places = _under_way(orders, ending, today)
        if not len(places):
            continue
        if today % RETRAIN_DAYS == 0:
            learner.train(today)
        features = np.array([past.features(place, today) for place in places.tolist()])
        learner.see(features, places)
        scores = None if learner.weights is None else features @ learner.weights
        chosen, credit = _choose(places, orders.promised_end[places] - today, noticed, scores, credit)
        noticed[chosen] = today
    return noticed


def _choose(
    places: Numbers, ahead: Numbers, noticed: Floats, scores: Floats | None, credit: int
) -> tuple[Numbers, int]:
    """Return whom to write to today, and how many notices are left of those that the rule has spent."""
    fresh = np.isnan(noticed[places])
    if scores is None:
        return places[fresh & (ahead == RULE_DAYS)], 0
    due = places[fresh & (ahead == LAST_DAY)]
    credit += int((ahead == RULE_DAYS).sum()) - len(due)
    early = fresh & (ahead > LAST_DAY)
    best = places[early][np.argsort(-scores[early], kind="stable")][: max(credit, 0)]
    return np.concatenate([due, best]), credit - len(best)


def _under_way(orders: Orders, ending: dict[int, list[int]], today: int) -> Numbers:
    soon = np.array([place for day in AHEAD for place in ending.get(today + day, ())], dtype=np.int64)
    return soon[(orders.delivered[soon] > today) & (orders.bought[soon] <= today)]


def _by_day(days: Floats | Numbers) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for place in np.flatnonzero(np.isfinite(days)).tolist():
        found.setdefault(int(days[place]), []).append(place)
    return found


def _logistic(features: Floats, came: Floats) -> Floats:
    weights = np.zeros(features.shape[1])
    ridge = _RIDGE * np.eye(features.shape[1])
    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-features @ weights))
        slope = features.T @ (chance - came) + _RIDGE * weights
        bend = (features * (chance * (1 - chance))[:, None]).T @ features + ridge
        weights = weights - np.linalg.solve(bend, slope)
    return weights
