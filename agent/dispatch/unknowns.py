"""Unknown outcomes: look up, ask again under the same key, or hand to a person, by channel and purpose."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from agent.dispatch.ports import Pace
from agent.store.attempts import Attempt, AttemptState
from tools.messages import Capability
from tools.records.vocabulary import Purpose

NOT_FOUND_ONCE: Final = "not_found_once"
"""A delivery's reason between the two look-ups that make "not found" count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnUnknown:
    """What a purpose wants when nobody knows whether a message went out."""

    not_found: Literal["person", "resend_once", "drop"]
    """The provider was asked twice and does not know it."""
    blind: Literal["person", "drop"]
    """The provider cannot be asked."""


ON_UNKNOWN: Final = {
    Purpose.SAFETY: OnUnknown(not_found="resend_once", blind="person"),
    Purpose.ACCOUNT_SECURITY: OnUnknown(not_found="resend_once", blind="person"),
    Purpose.SERVICE: OnUnknown(not_found="person", blind="person"),
    Purpose.COLLECTIONS: OnUnknown(not_found="person", blind="person"),
    Purpose.MARKETING: OnUnknown(not_found="drop", blind="drop"),
}
"""`drop` leaves it as unknown for good: it counts to the caps as if it had been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The next thing to do about an unknown outcome."""

    move: Literal["wait", "look_up", "replay", "person", "drop"]
    at: datetime | None = None
    """For `wait`: until when."""


def next_move(
    attempts: list[Attempt], capability: Capability, purpose: Purpose, *, pace: Pace, now: datetime
) -> Next:
    """Return what to do about a delivery whose outcome is unknown.

    Args:
        attempts: All of its attempts in order; at least one is unknown.
        capability: What its channel can do.
        purpose: Why it is sent.
        pace: Waits and bounds.
        now: Now.
    """
    last = attempts[-1]
    settled_at = last.ended_at or last.started_at
    if capability.lookup == "by_ref":
        if now < settled_at + capability.lookup_lag:
            return Next(move="wait", at=settled_at + capability.lookup_lag)
        return Next(move="look_up")
    if capability.idempotency == "key":
        return _replay(attempts, capability, pace=pace, now=now)
    return Next(move=ON_UNKNOWN[purpose].blind)


def after_not_found(
    attempts: list[Attempt],
    capability: Capability,
    purpose: Purpose,
    *,
    reason: str,
    pace: Pace,
    now: datetime,
) -> Next:
    """Return what to do when the provider, asked after its lag, does not know the message."""
    if capability.idempotency == "key":
        return _replay(attempts, capability, pace=pace, now=now)
    if reason != NOT_FOUND_ONCE:
        return Next(move="wait", at=now + max(capability.lookup_lag, pace.first_wait))
    policy = ON_UNKNOWN[purpose].not_found
    if policy == "resend_once":
        calls = [attempt for attempt in attempts if attempt.state is AttemptState.UNKNOWN]
        return Next(move="replay" if len(calls) == 1 else "person")
    return Next(move=policy)


def _replay(attempts: list[Attempt], capability: Capability, *, pace: Pace, now: datetime) -> Next:
    """Ask again under the same key, a few times, well within the key's life, with growing waits."""
    first = next(place for place, attempt in enumerate(attempts) if attempt.state is AttemptState.UNKNOWN)
    replays = len(attempts) - first - 1
    trusted_until = attempts[first].started_at + capability.key_ttl * pace.key_share / 100
    if replays >= pace.replays or now >= trusted_until:
        return Next(move="person")
    due = (attempts[-1].ended_at or now) + pace.wait(replays) if replays else now
    return Next(move="replay") if due <= now else Next(move="wait", at=due)
