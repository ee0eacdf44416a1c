"""Everything the gates look at, gathered beforehand so that they stay pure functions."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.records.vocabulary import ChannelKind, ConsentState, CustomerStatus, ProtectedFlag


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One channel of the playbook as it stands for one customer."""

    kind: ChannelKind
    address: str | None
    """None when the customer has no address of this kind."""
    shared: bool
    """Whether another customer has the same address."""
    consent: ConsentState
    """What the customer said about this channel and the playbook's purpose."""
    suppressed: bool
    """Whether the address is on the suppression list for the playbook's purpose."""
    killed: str | None
    """Why this channel is switched off, if it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One case before the gates."""

    customer_known: bool
    """Whether the mirror holds the customer at all."""
    status: CustomerStatus
    protected: tuple[ProtectedFlag, ...]
    zones: tuple[str, ...]
    """Every IANA zone that may be the customer's; empty means unknown, that is any zone."""
    reaches: tuple[Reach, ...]
    """The playbook's channels in its order of preference."""
    sent_last_day: int
    """Messages that count to the cap in the customer's current calendar day, over all scenarios."""
    sent_last_week: int
    """The same in the last seven days."""
    open_ticket: str | None
    """An open ticket about the same object, if there is one."""
    source_age: timedelta | None
    """How long ago the stalest source of this case was read; None when never."""
    killed: str | None
    """Why the scenario or everything is switched off, if it is."""
    budget_left: bool
    """Whether the model budget of the day has anything left; True when no model is needed."""
    deadline: datetime | None
    cleared: bool
    """Whether `resolves_on` is true now."""
    maybe_reached: frozenset[ChannelKind] = frozenset()
    """By which channels a message of this case was sent that may be lost; what follows is a second one."""
