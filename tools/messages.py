"""What goes out to a customer and what a provider answers."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from tools.records.vocabulary import ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One message as it leaves, complete: what is approved is this and what is sent is this.

    `content_hash` covers every field, so nothing can change between approval and the wire.
    """

    channel: ChannelKind
    recipient: str
    """Address of the channel: e-mail address, E.164 number or push token."""
    subject: str
    """Mail subject or push title; empty for SMS."""
    body: str
    links: tuple[str, ...]
    locale: str
    template: str
    """Template or prompt the text came from, `id@version`."""
    policy: str
    """Playbook, `scenario@version`."""
    headers: tuple[tuple[str, str], ...] = ()

    def canonical(self) -> bytes:
        """Return the canonical JSON bytes that approval is bound to."""
        fields = {
            "body": self.body,
            "channel": self.channel.value,
            "headers": [list(pair) for pair in self.headers],
            "links": list(self.links),
            "locale": self.locale,
            "policy": self.policy,
            "recipient": self.recipient,
            "subject": self.subject,
            "template": self.template,
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @property
    def content_hash(self) -> str:
        """SHA-256 of `canonical`, hex."""
        return hashlib.sha256(self.canonical()).hexdigest()


class ReceiptStatus(StrEnum):
    """What one provider call came to."""

    ACCEPTED = "accepted"
    """The provider took it."""
    REJECTED = "rejected"
    """The provider refused it for good (5xx of SMTP, 4xx of HTTP)."""
    NOT_SENT = "not_sent"
    """It surely did not go out and may be tried again (connection refused, 4xx of SMTP, 429)."""
    UNKNOWN = "unknown"
    """Nobody knows: the answer was lost after the message was handed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer of a provider to one call."""

    status: ReceiptStatus
    provider_ref: str | None = None
    detail: str = ""
    """A short reason without message text or addresses."""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What a channel's provider can do; the dispatcher derives its behaviour from this and nothing else."""

    name: str
    channel: ChannelKind
    idempotency: Literal["none", "key"]
    """`key`: the provider drops a second call with the same key within `key_ttl`."""
    key_ttl: timedelta
    lookup: Literal["none", "by_ref"]
    """`by_ref`: `Sender.lookup` can tell whether a reference was accepted."""
    lookup_lag: timedelta
    """How long after a call "not found" starts to mean "not accepted"."""
    request_timeout: timedelta
    max_in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a provider knows about a reference."""

    found: bool
    provider_ref: str | None = None
    at: datetime | None = None
