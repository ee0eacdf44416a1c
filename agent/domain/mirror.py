"""A record as the mirror holds it."""

from dataclasses import dataclass
from datetime import datetime

from tools.records.base import Record

RecordKey = tuple[str, str]
"""(record type, id)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The newest known version of a record, and when it changed and was read."""

    record: Record
    type: str
    source: str
    stream: str
    customer_ref: str | None
    source_updated_at: datetime
    observed_at: datetime
