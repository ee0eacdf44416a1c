"""What every record shares: strict parsing, money, links to other records, and its envelope."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, ClassVar, NewType

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from tools.described import Described
from tools.records.forms import LABEL, POSTCODE

CustomerId = NewType("CustomerId", str)
Links = tuple[tuple[str, str], ...]
"""(relation, field) pairs."""


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A point in time: aware on the way in, UTC inside. Naive values are refused."""

Label = Annotated[str, LABEL]
"""A name or a kind, as short as a label."""
Postcode = Annotated[str, POSTCODE]
Identifier = Annotated[str, Field(min_length=1, max_length=200)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 code."""
E164 = Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")]


class Strict(Described):
    """Base of everything parsed from outside: immutable, no coercion, no unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Money(Strict):
    """An amount in minor units (cents; yen have none) with its currency."""

    minor: int
    currency: Currency


class Record(Strict):
    """One typed fact of an outside system.

    `LINKS` names the fields that point elsewhere as (relation, field); the mirror indexes them, so that
    "the shipments of this order" and "the customers at this site" are look-ups, not scans.
    """

    LINKS: ClassVar[Links] = ()

    id: Identifier

    def links(self) -> Iterator[tuple[str, str]]:
        """Yield (relation, value) for every link that is set; a list field yields one each."""
        for relation, field in self.LINKS:
            value = getattr(self, field)
            if value is None:
                continue
            if isinstance(value, tuple):
                for one in value:  # pyright: ignore[reportUnknownVariableType]  # fields differ per record
                    yield relation, str(one)  # pyright: ignore[reportUnknownArgumentType]
            else:
                yield relation, str(value)


class Envelope(Strict):
    """A record as it was read: where from, which version, when it changed and when we saw it."""

    source: str
    """Name of the connector, for example `shop`."""
    stream: str
    type: str
    """Record type, a key of `RECORD_TYPES`."""
    id: Identifier
    version: str
    """The vendor's version, etag or change time, as text."""
    source_updated_at: Instant
    observed_at: Instant
    deleted: bool = False
    customer_ref: str | None = None
    """The one customer this record belongs to, if it belongs to one."""
    raw_ref: str | None = None
    body: str
    """The record as canonical JSON (`Record.model_dump_json`)."""

    @property
    def content_hash(self) -> str:
        """SHA-256 of the body and the deleted flag, hex."""
        return hashlib.sha256(f"{int(self.deleted)}{self.body}".encode()).hexdigest()
