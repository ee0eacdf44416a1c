"""Events of the audit log as the rest of the system hands them in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from agent.canonical import CanonicalText
from tools.records.base import CustomerId


class ActorKind(StrEnum):
    """Who did something."""

    SYSTEM = "system"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it: a part of the system by name, or a person by identity."""

    kind: ActorKind
    id: str
    login: str | None = None
    """The operating system's user, where a person acts under another name."""

    def to_list(self) -> list[str]:
        """Return kind and name, and the login where there is one, as the log writes it."""
        return [self.kind, self.id, *([self.login] if self.login else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Something that changed state, to be written in the transaction that changed it."""

    type: str
    """`noun.past_participle`, for example `case.opened`."""
    at: datetime
    actor: Actor
    customer_id: CustomerId | None
    """Whose data `private` is; appears in the log only as a random reference."""
    case_id: str | None = None
    body: Mapping[str, object] | CanonicalText = field(default_factory=dict[str, object])
    """What happened, without personal data; no floats. Whoever records many may write the text beforehand."""
    private: Mapping[str, object] = field(default_factory=dict[str, object])
    """Personal data, encrypted under the customer's key before it is hashed; needs `customer_id`."""
