"""All ports to the outside world on one page: systems that are read and channels that send."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from tools.messages import Capability, Outbound, Receipt, Sighting
from tools.records.base import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where reading stopped: a typed position `(value, key)` of one version of a stream."""

    stream_version: str
    """Changes when query, key or cursor column change; a cursor of another version is not used."""
    value_kind: Literal["datetime", "integer", "text"]
    value: str
    key_kind: Literal["integer", "text"]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that could not become a record; kept with its raw form for a person to look at."""

    stream: str
    record_type: str
    record_id: str | None
    kind: Literal["unmapped", "invalid"]
    """`unmapped`: a value outside a closed vocabulary; `invalid`: anything else."""
    field: str
    value: str
    problem: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One page of changes, in cursor order; to be stored together with `next_cursor`."""

    envelopes: tuple[Envelope, ...]
    rejected: tuple[Rejected, ...]
    next_cursor: Cursor | None
    watermark: datetime
    """The horizon of this read: everything committed before it, by the server's clock, has been offered."""
    complete: bool
    """True when nothing up to the watermark is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """One readable stream of a source."""

    name: str
    record_type: str
    page: int
    snapshot: bool
    """True when the stream has no change cursor and is compared as a whole."""
    reconcile_every_seconds: int | None
    reconcile_lookback_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a health check."""

    level: Literal["ok", "warning", "error"]
    what: str
    remedy: str = ""
    no_answer: bool = False
    """Whether a system did not answer, so that nothing a person wrote is known to be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of one outside system as `outrider doctor` shows it."""

    system: str
    findings: tuple[Finding, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing is an error."""
        return all(finding.level != "error" for finding in self.findings)


class Source(Protocol):
    """A system that is read, never written. Errors are `ToolError`."""

    @property
    def name(self) -> str:
        """The name used in envelopes and settings."""
        ...

    def check(self) -> Health:
        """Test credentials, clock, permissions and every stream's query and mapping."""
        ...

    def streams(self) -> tuple[StreamSpec, ...]:
        """Return the streams in the order they are read: what others point at comes first."""
        ...

    def read(self, stream: str, cursor: Cursor | None, *, now: datetime) -> Iterator[Batch]:
        """Yield pages of changes after `cursor`, oldest first, up to the horizon.

        `now` stamps `observed_at`; the horizon itself is taken from the server's clock.
        """
        ...

    def lookback(self, stream: str, *, now: datetime) -> Iterator[Batch]:
        """Yield the rows of the look-back window again, whatever the cursor says."""
        ...

    def ids(self, stream: str) -> Iterator[str]:
        """Yield the ids that exist now, in no order; what is missing was deleted."""
        ...

    def get(self, stream: str, record_id: str, *, now: datetime) -> Envelope | Rejected | None:
        """Read one record afresh; None when it does not exist (any more)."""
        ...

    def close(self) -> None:
        """Give back connections; a later call may open new ones."""
        ...


class Sender(Protocol):
    """A channel that sends. One call is one attempt: an adapter never retries."""

    @property
    def capability(self) -> Capability:
        """What this provider can do."""
        ...

    async def send(self, message: Outbound, *, idempotency_key: str) -> Receipt:
        """Hand one message to the provider; failures are receipts, not exceptions."""
        ...

    async def lookup(self, idempotency_key: str) -> Sighting:
        """Ask whether the provider accepted the call with this key."""
        ...
