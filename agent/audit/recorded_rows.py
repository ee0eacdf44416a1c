"""Comparison of decisions and drafts with the events that tell of them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from agent.store.audit_log import RecordedTable, ids_after, raw_columns, raw_seals, row_count

Marks = Mapping[str, bytes | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFlaw:
    """A row that is not what its event says."""

    what: str
    seq: int | None = None
    event_id: str | None = None
    event_type: str | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of row: its event, where it stands, and the columns that the event repeats."""

    event_type: str
    noun: RecordedTable
    at: str
    repeated: tuple[str, ...]


_KINDS: Final = (
    _Kind(
        "decision.recorded",
        "decision",
        "at",
        ("stage", "kind", "reason", "channel", "arm", "propensity_ppm", "cost_micros"),
    ),
    _Kind(
        "draft.recorded",
        "draft",
        "created_at",
        ("channel", "content_hash", "review_reason", "version"),
    ),
)
_BY_TYPE: Final = {kind.event_type: kind for kind in _KINDS}


@dataclass(frozen=True, slots=True)
class _Noted:
    """An event that tells of a row."""

    seq: int
    event_id: str
    marks: Marks


class RowWitness:
    """Collects what events say about rows and compares it with the rows in bulk."""

    def __init__(self, connection: Connection) -> None:
        self.compared = 0
        self._connection = connection
        self._noted: dict[str, dict[str, _Noted]] = {kind.event_type: {} for kind in _KINDS}
        self._told = dict.fromkeys(_BY_TYPE, 0)

    def note(self, seq: int, event: Mapping[str, Any]) -> None:
        """Remember what an event says about a row; other events are passed over.

        Raises:
            KeyError: The event lacks something.
            TypeError: A value has the wrong type.
            AttributeError: Likewise.
        """
        kind = _BY_TYPE.get(event["type"])
        if kind is None:
            return
        body = event["body"]
        marks = {name: _stored(body[name]) for name in kind.repeated}
        marks["body_hash"] = _stored(body["body_hash"])
        marks["case_id"] = _stored(event["case"])
        marks[kind.at] = stored_instant(event["at"])
        self._noted[kind.event_type][body[kind.noun]] = _Noted(seq, event["id"], marks)

    def compare(self) -> RowFlaw | None:
        """Compare the rows of the events noted since the last call; return the first flaw in log order."""
        flaws: list[RowFlaw] = []
        for kind in _KINDS:
            noted = self._noted[kind.event_type]
            self._noted[kind.event_type] = {}
            self._told[kind.event_type] += len(noted)
            if noted:
                flaws += self._flaws(kind, noted)
        return min(flaws, key=lambda flaw: flaw.seq or 0, default=None)

    def unwitnessed(self) -> RowFlaw | None:
        """Return a flaw when a table holds rows that no event tells of; to be called after the last page."""
        for kind in _KINDS:
            extra = row_count(self._connection, kind.noun) - self._told[kind.event_type]
            if extra:
                what = f"{kind.noun} {self._first_untold(kind)} has no event; {extra} in all"
                return RowFlaw(what=what, event_type=kind.event_type)
        return None

    def _first_untold(self, kind: _Kind) -> str:
        told: set[str] = set()  # only now, when something is wrong, is it worth the memory
        for page in raw_seals(self._connection):
            for seal in page:
                if seal.type == kind.event_type.encode() and seal.envelope:
                    told.add(json.loads(seal.envelope)["body"][kind.noun])
        after = ""
        while ids := ids_after(self._connection, kind.noun, after):
            for row_id in ids:
                if row_id not in told:
                    return row_id
            after = ids[-1]
        return ""

    def _flaws(self, kind: _Kind, noted: dict[str, _Noted]) -> list[RowFlaw]:
        flaws: list[RowFlaw] = []
        missing = set(noted)
        columns = ("body", "body_hash", "case_id", kind.at, *kind.repeated)
        for row in raw_columns(self._connection, kind.noun, columns, noted):
            row_id = _text(row["id"])
            told = noted[row_id]
            missing.discard(row_id)
            if changed := _first_difference(row, told.marks):
                flaws.append(_flaw(kind, row_id, told, f"{changed} was changed"))
        flaws += [_flaw(kind, row_id, noted[row_id], "its row is missing") for row_id in missing]
        self.compared += len(noted)
        return flaws


def stored_instant(at: str) -> bytes:
    """Return an event's instant as `RawSeal.at` has it.

    Raises:
        ValueError: It is no instant.
    """
    instant = datetime.fromisoformat(at).astimezone(UTC).replace(tzinfo=None)
    return instant.isoformat(" ", "microseconds").encode()


def _first_difference(row: Marks, marks: Marks) -> str:
    for name, told in marks.items():
        if row[name] != told:
            return f"the column {name}"
    body = row["body"]
    if not isinstance(body, bytes) or hashlib.sha256(body).hexdigest().encode() != marks["body_hash"]:
        return "its body"
    return ""


def _flaw(kind: _Kind, row_id: str, told: _Noted, what: str) -> RowFlaw:
    return RowFlaw(
        what=f"{kind.noun} {row_id}: {what}",
        seq=told.seq,
        event_id=told.event_id,
        event_type=kind.event_type,
    )


def _stored(value: str | int | None) -> bytes | int | None:
    return value.encode() if isinstance(value, str) else value


def _text(value: bytes | int | None) -> str:
    return value.decode() if isinstance(value, bytes) else ""
