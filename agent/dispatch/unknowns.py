"""Unknown outcomes: look up, ask again under the same key, or hand to a person, by channel and purpose."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from agent.dispatch.ports import Pace
from agent.store.attempts import Attempt, AttemptState
from agent.store.deliveries import DeliveryFile
from policies.model import Playbook
from tools.messages import Capability
from tools.records.vocabulary import Purpose

NOT_FOUND_ONCE: Final = "not_found_once"
"""A delivery's reason between the two look-ups that make "not found" count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnUnknown:
    """What a purpose wants when nobody knows whether a message went out."""

    not_found: Literal["person", "resend_once", "second_channel", "drop"]
    """The provider was asked twice and does not know it."""
    blind: Literal["person", "second_channel", "drop"]
    """The provider cannot be asked."""
    key_spent: Literal["person", "second_channel"] = "person"
    """It was asked under the same key as often as makes sense."""


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

    move: Literal["wait", "look_up", "replay", "person", "second_channel", "drop"]
    at: datetime | None = None
    """For `wait`: until when."""


def on_unknown(file: DeliveryFile, playbook: Playbook | None) -> OnUnknown:
    """Return what is wanted for a delivery: what its playbook declares, else what its purpose wants.

    Only the first message of a case is followed by a second one; of the second one people are told.
    """
    if playbook is None or playbook.when_unknown == "leave":
        return ON_UNKNOWN[file.purpose]
    if file.delivery.step > 0:
        return OnUnknown(not_found="person", blind="person")
    return OnUnknown(not_found="second_channel", blind="second_channel", key_spent="second_channel")


def next_move(
    attempts: list[Attempt], capability: Capability, policy: OnUnknown, *, pace: Pace, now: datetime
) -> Next:
    """Return what to do about a delivery whose outcome is unknown.

    Args:
        attempts: All of its attempts in order; at least one is unknown.
        capability: What its channel can do.
        policy: What is wanted for it.
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
        return _replay(attempts, capability, policy, pace=pace, now=now)
    return Next(move=policy.blind)


def after_not_found(
    attempts: list[Attempt],
    capability: Capability,
    policy: OnUnknown,
    *,
    reason: str,
    pace: Pace,
    now: datetime,
) -> Next:
    """Return what to do when the provider, asked after its lag, does not know the message."""
    if capability.idempotency == "key":
        return _replay(attempts, capability, policy, pace=pace, now=now)
    if reason != NOT_FOUND_ONCE:
        return Next(move="wait", at=now + max(capability.lookup_lag, pace.first_wait))
    if policy.not_found == "resend_once":
        calls = [attempt for attempt in attempts if attempt.state is AttemptState.UNKNOWN]
        return Next(move="replay" if len(calls) == 1 else "person")
    return Next(move=policy.not_found)


def _replay(
    attempts: list[Attempt], capability: Capability, policy: OnUnknown, *, pace: Pace, now: datetime
) -> Next:
    """Ask again under the same key, a few times, well within the key's life, with growing waits."""
    first = next(place for place, attempt in enumerate(attempts) if attempt.state is AttemptState.UNKNOWN)
    replays = len(attempts) - first - 1
    trusted_until = attempts[first].started_at + capability.key_ttl * pace.key_share / 100
    if replays >= pace.replays or now >= trusted_until:
        return Next(move=policy.key_spent)
    due = (attempts[-1].ended_at or now) + pace.wait(replays) if replays else now
    return Next(move="replay") if due <= now else Next(move="wait", at=due)
