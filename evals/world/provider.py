"""A provider that keeps what it accepts, with the time, and can be told to fail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from tools.messages import Capability, Outbound, Receipt, ReceiptStatus, Sighting
from tools.records.vocabulary import ChannelKind

Act = Literal["busy", "refuse", "lose_answer", "lose_call"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that reached its customer."""

    key: str
    message: Outbound
    at: datetime


@dataclass(slots=True)
class RecordingProvider:
    """Implements `tools.ports.Sender`; like most e-mail and SMS providers it keeps no keys.

    A message that comes twice is therefore kept twice: nothing hides a second call.
    """

    channel: ChannelKind
    now: Callable[[], datetime]
    script: list[Act]
    """How the next calls are answered, shared by all channels; afterwards everything is accepted."""
    accepted: list[Accepted] = field(default_factory=list[Accepted])

    @property
    def capability(self) -> Capability:
        """A provider without keys that can be asked what it took."""
        return Capability(
            name=f"eval_{self.channel}",
            channel=self.channel,
            idempotency="none",
            key_ttl=timedelta(0),
            lookup="by_ref",
            lookup_lag=timedelta(seconds=60),
            request_timeout=timedelta(seconds=5),
            max_in_flight=2,
        )

    async def send(self, message: Outbound, *, idempotency_key: str) -> Receipt:
        """Take a message, unless the script says otherwise."""
        act = self.script.pop(0) if self.script else None
        if act == "refuse":
            return Receipt(status=ReceiptStatus.REJECTED, detail="550")
        if act == "busy":
            return Receipt(status=ReceiptStatus.NOT_SENT, detail="451")
        if act != "lose_call":
            self.accepted.append(Accepted(key=idempotency_key, message=message, at=self.now()))
        if act is not None:
            return Receipt(status=ReceiptStatus.UNKNOWN, detail="connection lost")
        return Receipt(status=ReceiptStatus.ACCEPTED, provider_ref=idempotency_key)

    async def lookup(self, idempotency_key: str) -> Sighting:
        """Say whether the message of a key was taken."""
        return Sighting(found=any(one.key == idempotency_key for one in self.accepted))
