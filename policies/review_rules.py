"""The shape of `review.yaml`: how urgent a draft is, who must look, and how long what may be taken back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from policies.model import Duration, Name, Share
from tools.records.base import Currency, Money, Strict
from tools.records.vocabulary import Purpose

Stakes = dict[Currency, Annotated[int, Field(ge=0)]]
"""Currency → amount in minor units."""


class Risk(StrEnum):
    """How much is at stake when a draft is wrong, the most first."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Sla(Strict):
    """How long a draft may wait for a person, by risk."""

    high: Duration
    normal: Duration
    low: Duration

    @model_validator(mode="after")
    def _higher_risk_is_sooner(self) -> "Sla":
        if not timedelta(0) < self.high <= self.normal <= self.low:
            raise ValueError("higher risk must not wait longer; order them high ≤ normal ≤ low, above 0s")
        return self

    def of(self, risk: Risk) -> timedelta:
        """Return how long a draft of this risk may wait."""
        return {Risk.HIGH: self.high, Risk.NORMAL: self.normal, Risk.LOW: self.low}[risk]


class RiskRule(Strict):
    """What makes a draft risky, and what harmless."""

    high_purposes: tuple[Purpose, ...] = ()
    high_stake: Stakes = Field(default_factory=dict)
    """From this amount on, inclusive."""
    high_reasons: tuple[Name, ...] = ()
    """Why a person must look: `band`, a gate's rule, …"""
    low_purposes: tuple[Purpose, ...] = ()
    low_stake: Stakes = Field(default_factory=dict)
    """Up to this amount, inclusive."""

    @model_validator(mode="after")
    def _low_is_below_high(self) -> "RiskRule":
        wrong = [
            name
            for name, low in self.low_stake.items()
            if name in self.high_stake and low >= self.high_stake[name]
        ]
        if wrong:
            raise ValueError(f"low_stake reaches high_stake in {wrong[0]}; make it smaller")
        return self


class FourEyes(Strict):
    """When a second person must approve."""

    purposes: tuple[Purpose, ...] = ()
    stake: Stakes = Field(default_factory=dict)
    """From this amount on, inclusive."""
    recipients: Annotated[int, Field(ge=1)]
    """From so many drafts on that are approved together, inclusive."""


class SampleRule(Strict):
    """How much of a situation is shown before it is approved as one."""

    per_stratum: Annotated[int, Field(ge=1)]
    at_most: Annotated[int, Field(ge=1)]
    outlier_length: Annotated[float, Field(gt=1)]
    """A text longer than the median by this factor, or shorter by it, is shown as unusual."""


class ProposalRule(Strict):
    """When what reviewers do again and again becomes a proposal."""

    min_edits: Annotated[int, Field(ge=1)]
    min_rejects: Annotated[int, Field(ge=1)]
    min_share: Share
    """Of the drafts that were approved, rejected or escalated, so many must surely have been rejected for one
    reason: the lower bound of the 95 % interval."""
    window: Duration


class ReviewRules(Strict):
    """`policies/review.yaml`: how people review drafts."""

    version: Annotated[int, Field(ge=1)]
    sla: Sla
    risk: RiskRule
    four_eyes: FourEyes
    own_edits: Literal["forbid", "allow"]
    floor: Duration
    """Approving is refused earlier than this after the draft was opened."""
    claim: Duration
    undo: Duration
    """How long an approved message waits before it may leave."""
    undo_verdicts: Duration
    expiring_soon: Duration
    seeds: Share
    """Share of openings that first show a draft with a planted mistake."""
    sample: SampleRule
    proposals: ProposalRule
    queues: tuple[Name, ...] = ()
    """Where a case may be escalated to, beside the playbook's own queue."""

    @model_validator(mode="after")
    def _claim_outlasts_the_floor(self) -> "ReviewRules":
        if self.claim <= self.floor:
            raise ValueError("a claim would end before approving is allowed; make claim longer than floor")
        return self

    def risk_of(self, *, purpose: Purpose, stake: Money | None, reason: str) -> Risk:
        """Return how risky a draft is.

        Args:
            purpose: The playbook's.
            stake: The money it is about, if any; an amount in a currency without a limit decides nothing.
            reason: Why a person must look.
        """
        rule = self.risk
        if purpose in rule.high_purposes or reason in rule.high_reasons or _reaches(stake, rule.high_stake):
            return Risk.HIGH
        if purpose in rule.low_purposes or _stays_within(stake, rule.low_stake):
            return Risk.LOW
        return Risk.NORMAL

    def review_by(
        self, risk: Risk, *, created_at: datetime, expires_at: datetime, deadline: datetime | None
    ) -> datetime:
        """Return the instant by which a person should have looked at a draft."""
        by = min(created_at + self.sla.of(risk), expires_at)
        return by if deadline is None else min(by, deadline)

    def needs_second(self, *, purpose: Purpose, stake: Money | None, recipients: int = 1) -> bool:
        """Whether a second person must approve.

        Args:
            purpose: The playbook's.
            stake: The money one draft is about, if any.
            recipients: How many drafts are approved together.
        """
        rule = self.four_eyes
        return purpose in rule.purposes or _reaches(stake, rule.stake) or recipients >= rule.recipients


def _reaches(stake: Money | None, bounds: Mapping[str, int]) -> bool:
    return stake is not None and stake.currency in bounds and abs(stake.minor) >= bounds[stake.currency]


def _stays_within(stake: Money | None, bounds: Mapping[str, int]) -> bool:
    return stake is not None and stake.currency in bounds and abs(stake.minor) <= bounds[stake.currency]
