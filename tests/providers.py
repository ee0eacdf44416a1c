"""Fake providers of three kinds; each counts what it really took: the judge in tests of sending."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from tools.messages import Capability, Outbound, Receipt, ReceiptStatus, Sighting
from tools.records.vocabulary import ChannelKind


class Kind(StrEnum):
    """What a provider offers against duplicates."""

    KEY = "key"
    LOOKUP = "lookup"
    BLIND = "blind"


class Act(StrEnum):
    """How a provider answers one call."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    BUSY = "busy"
    LOSE_ANSWER = "lose_answer"
    """Take the message; the answer never arrives."""
    LOSE_CALL = "lose_call"
    """The call never arrives, and the caller cannot tell."""
    BREAK = "break"
    """Take the message and let the adapter raise."""


@dataclass
class FakeProvider:
    """Implements `Sender`; `script` holds the next answers, then everything is accepted."""

    kind: Kind = Kind.KEY
    channel: ChannelKind = ChannelKind.EMAIL
    script: list[Act] = field(default_factory=list[Act])
    journal: Path | None = None
    """Where acceptances are also written, so that they outlive a killed caller."""
    failpoint: Callable[[], None] = field(default=lambda: None)
    """Called before a message is looked at, after it was taken, and when the answer is on its way."""
    accepted: list[tuple[str, Outbound]] = field(default_factory=list[tuple[str, Outbound]])
    calls: int = 0
    gate: asyncio.Event | None = None
    """No call is answered before this is set."""
    under_way: int = 0
    most_at_once: int = 0
    lookups: int = 0

    @property
    def capability(self) -> Capability:
        return Capability(
            name=f"fake_{self.kind}",
            channel=self.channel,
            idempotency="key" if self.kind is Kind.KEY else "none",
            key_ttl=timedelta(hours=24 if self.kind is Kind.KEY else 0),
            lookup="by_ref" if self.kind is Kind.LOOKUP else "none",
            lookup_lag=timedelta(seconds=60 if self.kind is Kind.LOOKUP else 0),
            request_timeout=timedelta(seconds=5),
            max_in_flight=2,
        )

    async def send(self, message: Outbound, *, idempotency_key: str) -> Receipt:
        self.failpoint()
        self.calls += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            if self.gate is not None:
                await self.gate.wait()
            receipt = self._answer(message, idempotency_key)
            self.failpoint()
            return receipt
        finally:
            self.under_way -= 1

    def _answer(self, message: Outbound, idempotency_key: str) -> Receipt:
        act = self.script.pop(0) if self.script else Act.ACCEPT
        if act is Act.REFUSE:
            return Receipt(status=ReceiptStatus.REJECTED, detail="550")
        if act is Act.BUSY:
            return Receipt(status=ReceiptStatus.NOT_SENT, detail="451")
        if act is not Act.LOSE_CALL:
            self._take(idempotency_key, message)
            self.failpoint()
        if act is Act.BREAK:
            raise RuntimeError("the adapter is broken")
        if act in (Act.LOSE_ANSWER, Act.LOSE_CALL):
            return Receipt(status=ReceiptStatus.UNKNOWN, detail="connection lost")
        return Receipt(status=ReceiptStatus.ACCEPTED, provider_ref=idempotency_key)

    async def lookup(self, idempotency_key: str) -> Sighting:
        self.lookups += 1
        return Sighting(found=self.kind is not Kind.BLIND and idempotency_key in self.keys())

    def keys(self) -> list[str]:
        """The keys of all messages that customers got, one entry for each."""
        if self.journal is None:
            return [key for key, _ in self.accepted]
        return self.journal.read_text().split() if self.journal.exists() else []

    def _take(self, key: str, message: Outbound) -> None:
        if self.kind is Kind.KEY and key in self.keys():
            return
        self.accepted.append((key, message))
        if self.journal is not None:
            with self.journal.open("a") as file:
                file.write(f"{key}\n")
                file.flush()
                os.fsync(file.fileno())
