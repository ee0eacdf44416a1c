"""A company in memory: every version of every record, read through the source port like any other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tools.errors import ToolError
from tools.ports import Batch, Cursor, Finding, Health, StreamSpec
from tools.records.base import Envelope, Record
from tools.records.registry import RECORD_TYPES

NAME: Final = "company"
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    envelope: Envelope
    offered_at: datetime
    """When it came into the system; it is not read before."""


class CompanySource:
    """Implements `tools.ports.Source` over versions in memory; what is told is offered in that order."""

    def __init__(self, types: Sequence[str] = tuple(RECORD_TYPES), *, page: int = _PAGE) -> None:
        """Serve a stream for each of the types, in the order of the registry."""
        self._types = tuple(name for name in RECORD_TYPES if name in types)
        self._page = page
        self._log: dict[str, list[_Version]] = {name: [] for name in self._types}
        self._now: dict[tuple[str, str], Envelope] = {}
        self.down = False
        """Whether every call fails, as in an outage."""

    @property
    def name(self) -> str:
        """`company`."""
        return NAME

    def tell(self, record: Record, *, at: datetime, as_of: datetime | None = None) -> None:
        """Take a new version of a record, offered from `at` on.

        Args:
            record: The whole record.
            at: Now.
            as_of: When the company's system says it changed; an older time than of the version it holds
                is late news, and what `get` answers stays as it is.
        """
        record_type = type_of(record)
        changed_at = as_of or at
        envelope = Envelope(
            source=NAME,
            stream=record_type,
            type=record_type,
            id=record.id,
            version=f"{len(self._log[record_type]) + 1}",
            source_updated_at=changed_at,
            observed_at=at,
            customer_ref=getattr(record, "customer_id", None),
            body=record.model_dump_json(),
        )
        self._log[record_type].append(_Version(envelope=envelope, offered_at=at))
        held = self._now.get((record_type, record.id))
        if held is None or held.source_updated_at <= changed_at:
            self._now[record_type, record.id] = envelope

    def remove(self, record_type: str, record_id: str, *, at: datetime) -> None:
        """Let a record vanish; the stream offers its deletion."""
        held = self._now.pop((record_type, record_id))
        gone = held.model_copy(
            update={"deleted": True, "source_updated_at": at, "version": f"{held.version}-"}
        )
        self._log[record_type].append(_Version(envelope=gone, offered_at=at))

    def redeliver(self, *, at: datetime) -> None:
        """Offer every version once more, the newest first, as a careless queue does."""
        for record_type, versions in self._log.items():
            again = [_Version(envelope=one.envelope, offered_at=at) for one in reversed(versions)]
            self._log[record_type] = [*versions, *again]

    def holds(self, record_type: str, record_id: str) -> bool:
        """Whether the company has the record now."""
        return (record_type, record_id) in self._now

    def check(self) -> Health:
        """Say that everything is in memory."""
        return Health(system=NAME, findings=(Finding(level="ok", what="in memory"),))

    def streams(self) -> tuple[StreamSpec, ...]:
        """Return one stream per record type."""
        return tuple(
            StreamSpec(
                name=name,
                record_type=name,
                page=self._page,
                snapshot=False,
                reconcile_every_seconds=None,
                reconcile_lookback_seconds=None,
            )
            for name in self._types
        )

    def read(self, stream: str, cursor: Cursor | None, *, now: datetime) -> Iterator[Batch]:
        """Yield what was told after the cursor."""
        start = int(cursor.value) if cursor else 0
        yield from self._pages(stream, start, now=now)

    def lookback(self, stream: str, *, now: datetime) -> Iterator[Batch]:
        """Yield everything again."""
        yield from self._pages(stream, 0, now=now)

    def ids(self, stream: str) -> Iterator[str]:
        """Yield the ids that exist now."""
        self._answer()
        yield from (record_id for record_type, record_id in self._now if record_type == stream)

    def get(self, stream: str, record_id: str, *, now: datetime) -> Envelope | None:
        """Return the version that the company has now."""
        self._answer()
        held = self._now.get((stream, record_id))
        return held.model_copy(update={"observed_at": now}) if held else None

    def close(self) -> None:
        """Nothing is open."""

    def _pages(self, stream: str, start: int, *, now: datetime) -> Iterator[Batch]:
        self._answer()
        versions = [one for one in self._log[stream] if one.offered_at <= now]
        while True:
            part = versions[start : start + self._page]
            start += len(part)
            yield Batch(
                envelopes=tuple(one.envelope.model_copy(update={"observed_at": now}) for one in part),
                rejected=(),
                next_cursor=_cursor(start) if start else None,
                watermark=now,
                complete=start >= len(versions),
            )
            if start >= len(versions):
                return

    def _answer(self) -> None:
        if self.down:
            raise ToolError("does not answer", system=NAME, retryable=True)


def type_of(record: Record) -> str:
    """Return the record's type as envelopes name it."""
    return next(name for name, model in RECORD_TYPES.items() if model is type(record))


def _cursor(position: int) -> Cursor:
    return Cursor(
        stream_version="1", value_kind="integer", value=f"{position}", key_kind="integer", key=f"{position}"
    )
