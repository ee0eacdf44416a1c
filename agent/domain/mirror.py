"""A record as the mirror holds it."""

from datetime import datetime
from typing import NamedTuple

from tools.records.base import Record

RecordKey = tuple[str, str]
"""(record type, id)."""


class Seen(NamedTuple):
    """The newest known version of a record, and when it changed and was read; screens make many."""

    record: Record
    type: str
    source: str
    stream: str
    customer_ref: str | None
    source_updated_at: datetime
    observed_at: datetime
