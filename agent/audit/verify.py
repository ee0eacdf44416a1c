"""Verification of the audit log: nothing was changed, left out, put in or moved since it was written."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, assert_never

from sqlalchemy import Connection

from agent.audit.recorded_rows import RowFlaw, RowWitness, stored_instant
from agent.canonical import GENESIS
from agent.store.audit_log import Head, RawSeal, event_outside_chain, pending_events, raw_seals

PENDING_LIMIT: Final = timedelta(seconds=60)
"""An event that waits longer than this for the chain means that no sealer runs."""


class Flaw(StrEnum):
    """What kind of thing is wrong."""

    TAMPERED = "tampered"
    GAP = "gap"
    """Events are missing."""
    SIGNATURE = "signature"
    """A checkpoint's signature does not verify."""
    PENDING = "pending"
    """Events wait too long for the chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first thing that is wrong, in log order."""

    flaw: Flaw
    what: str
    seq: int | None = None
    event_id: str | None = None
    event_type: str | None = None

    def sentence(self) -> str:
        """Name the event and say what is wrong with it."""
        place = " ".join(
            part
            for part in (
                f"event {self.seq}" if self.seq is not None else "",
                self.event_id or "",
                f"({self.event_type})" if self.event_type else "",
            )
            if part
        )
        return f"{self.flaw}: {place}: {self.what}" if place else f"{self.flaw}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verification found."""

    head: Head
    """How far the chain was verified; an outsider who keeps it can notice later cuts and rewrites."""
    rows: int
    """Decisions and drafts compared with their events."""
    pending: int
    """Events that wait for the chain."""
    fault: Fault | None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None

    @property
    def exit_code(self) -> int:
        """0 ok, 1 tampered, 2 events missing, 3 bad signature, 4 events wait too long for the chain."""
        if self.fault is None:
            return 0
        match self.fault.flaw:
            case Flaw.TAMPERED:
                return 1
            case Flaw.GAP:
                return 2
            case Flaw.SIGNATURE:
                return 3
            case Flaw.PENDING:
                return 4
        assert_never(self.fault.flaw)


def parse_head(text: str) -> Head:
    """Return the head of `size:chain`.

    Raises:
        ValueError: The text has another form.
    """
    size, _, chain = text.strip().partition(":")
    if not size.isdecimal() or len(chain) != len(GENESIS) * 2 or chain.strip("0123456789abcdef"):
        raise ValueError(f"{text!r} is no head; it looks like 1234:9f86d0… with 64 hexadecimal digits")
    return Head(int(size), chain)


def verify(
    connection: Connection,
    *,
    now: datetime,
    against: Sequence[Head] = (),
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Hash every event again and compare chain, columns, decisions and drafts with the result.

    Args:
        connection: A read transaction; on SQLite one consistent view of the log.
        now: Now, to judge how long events have waited for the chain.
        against: Heads kept outside; only they can show that the end was cut off or all was written anew.
        progress: Called with the number of events verified so far, now and then.
    """
    walk = _Walk(connection, {known.size: known.chain for known in against})
    fault = walk.fault
    for page in () if fault else raw_seals(connection):
        fault = walk.take(page)
        if progress:
            progress(walk.size)
        if fault:
            break
    pending, oldest, gone = pending_events(connection)
    if fault is None:
        fault = walk.shortened(against) or _outside(connection, gone) or walk.rows_without_event()
    if fault is None and oldest is not None and now - oldest > PENDING_LIMIT:
        fault = Fault(
            flaw=Flaw.PENDING,
            what=f"{pending} events wait for the chain since {oldest:%Y-%m-%d %H:%M:%S} UTC",
        )
    return Verification(
        head=Head(walk.size, walk.chain.hex()), rows=walk.witness.compared, pending=pending, fault=fault
    )


class _Walk:
    """The state of one pass over the chain."""

    def __init__(self, connection: Connection, heads: dict[int, str]) -> None:
        self.size = 0
        self.chain = GENESIS
        self.witness = RowWitness(connection)
        self._heads = heads
        self.fault = self._against_head()

    def take(self, page: Sequence[RawSeal]) -> Fault | None:
        """Verify a page and return its first fault."""
        fault = None
        for seal in page:
            fault = self._link(seal)
            if fault:
                break
        flaw = self.witness.compare()  # rows of the events before the fault, which come first in the log
        return _of_row(flaw) if flaw else fault

    def shortened(self, against: Sequence[Head]) -> Fault | None:
        """Return the fault of a log that is shorter than somebody knows it to be."""
        longest = max((known.size for known in against), default=0)
        if longest <= self.size:
            return None
        what = f"the last {longest - self.size} events are missing: the log was {longest} events long"
        return Fault(flaw=Flaw.GAP, what=what, seq=self.size + 1)

    def rows_without_event(self) -> Fault | None:
        """Return the fault of a decision or draft that no event tells of."""
        flaw = self.witness.unwitnessed()
        return _of_row(flaw) if flaw else None

    def _link(self, seal: RawSeal) -> Fault | None:
        if seal.seq != self.size + 1:
            what = f"the link is missing; the next is {seal.seq}"
            return Fault(flaw=Flaw.GAP, what=what, seq=self.size + 1)
        if seal.envelope is None:
            return _tampered(seal, "the event is missing, or its id was changed")
        leaf = hashlib.sha256(b"\x00" + seal.envelope)
        if leaf.hexdigest().encode() != seal.leaf:
            return _tampered(seal, "the text of the event or its leaf hash was changed")
        chain = hashlib.sha256(b"\x01" + self.chain + leaf.digest())
        if chain.hexdigest().encode() != seal.chain:
            return _tampered(seal, "the chain value was changed, or events before it were")
        fault = self._columns(seal, seal.envelope)
        if fault is None:
            self.size, self.chain = seal.seq, chain.digest()
            fault = self._against_head()
        return fault

    def _columns(self, seal: RawSeal, envelope: bytes) -> Fault | None:
        try:
            event: dict[str, Any] = json.loads(envelope)
            wanted = (
                event["id"].encode(),
                event["type"].encode(),
                stored_instant(event["at"]),
                event["subject"].encode() if event["subject"] else None,
                event["case"].encode() if event["case"] else None,
            )
            self.witness.note(seal.seq, event)
        except (ValueError, TypeError, KeyError, AttributeError):
            return _tampered(seal, "the event has not the form that Outrider writes")
        for name, want, found in zip(_COLUMNS, wanted, seal[4:9], strict=True):
            if want != found:
                return _tampered(seal, f"the column {name} was changed")
        return None

    def _against_head(self) -> Fault | None:
        known = self._heads.get(self.size)
        if known is None or known == self.chain.hex():
            return None
        what = "the chain value differs from the head that was kept outside: the log was written anew"
        return Fault(flaw=Flaw.TAMPERED, what=what, seq=self.size)


_COLUMNS: Final = ("id", "type", "at", "subject_ref", "case_id")


def _outside(connection: Connection, gone: str | None) -> Fault | None:
    if gone is not None:
        return Fault(flaw=Flaw.TAMPERED, event_id=gone, what="the event waited for the chain and is missing")
    found = event_outside_chain(connection)
    if found is None:
        return None
    what = "the event stands outside the chain: it was put in, or its link was taken out"
    return Fault(flaw=Flaw.TAMPERED, event_id=found[0], event_type=found[1], what=what)


def _tampered(seal: RawSeal, what: str) -> Fault:
    return Fault(
        flaw=Flaw.TAMPERED,
        what=what,
        seq=seal.seq,
        event_id=seal.sealed_id.decode(errors="replace"),
        event_type=seal.type.decode(errors="replace") if seal.type is not None else None,
    )


def _of_row(flaw: RowFlaw) -> Fault:
    return Fault(
        flaw=Flaw.TAMPERED, what=flaw.what, seq=flaw.seq, event_id=flaw.event_id, event_type=flaw.event_type
    )
