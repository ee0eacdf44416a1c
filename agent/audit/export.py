"""Exports of the audit log that a stranger can verify without this program; docs/audit-format.md says how."""

import csv
import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TextIO

from sqlalchemy import Connection

from agent.canonical import canonical
from agent.errors import NotFoundError, TamperedError
from agent.store.audit_log import Head, RawSeal, chain_at, raw_seals, seal_before
from agent.store.audit_pages import EventFilter, LoggedEvent, event_page, logged_event, open_private
from agent.store.keyring import Keyring

LOG_FORMAT: Final = "outrider-audit-1"
CUSTOMER_FORMAT: Final = "outrider-customer-1"
ERASED: Final = "erased"
"""Stands for private fields whose key was destroyed."""

_CSV_COLUMNS: Final = ("seq", "id", "at", "type", "actor", "case", "subject", "body", "leaf", "chain")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export holds."""

    events: int
    head: Head
    """The chain at the last event."""


def export(
    connection: Connection, out: TextIO, *, since: datetime | None = None, keyring: Keyring | None = None
) -> Exported:
    """Write the chain as JSON lines: where it starts, every event with its link, where it ends.

    Args:
        connection: A read transaction.
        out: Gets text that must be written as UTF-8.
        since: Leave out what is older; the part still verifies from where it starts.
        keyring: Add the private fields in clear; without it they stay as ciphertext.

    Raises:
        TamperedError: An event is missing or was changed; run the verification.
    """
    start = 0 if since is None else seal_before(connection, since)
    head = Head(start, chain_at(connection, start) or "")
    out.write(canonical({"format": LOG_FORMAT, "from": head.text()}) + "\n")
    for page in raw_seals(connection, after=start):
        envelopes = [_envelope(seal) for seal in page]
        private = _private(connection, keyring, page, envelopes)
        out.writelines(map(_line, page, envelopes, private))
        head = Head(page[-1].seq, page[-1].chain.decode())
    out.write(canonical({"head": head.text()}) + "\n")
    return Exported(events=head.size - start, head=head)


def export_csv(connection: Connection, out: TextIO, *, since: datetime | None = None) -> Exported:
    """Write the chain as CSV for spreadsheets; no cell can be taken for a formula.

    Raises:
        TamperedError: An event is missing or was changed; run the verification.
    """
    start = 0 if since is None else seal_before(connection, since)
    head = Head(start, chain_at(connection, start) or "")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_CSV_COLUMNS)
    for page in raw_seals(connection, after=start):
        for seal in page:
            event = logged_event(seal.seq, _envelope(seal))
            cells = (
                *(seal.seq, event.id, event.at.isoformat(), event.type),
                *(":".join(event.actor.to_list()), event.case_id or "", event.subject_ref or ""),
                *(canonical(event.body), seal.leaf.decode(), seal.chain.decode()),
            )
            writer.writerow([safe_cell(str(cell)) for cell in cells])
        head = Head(page[-1].seq, page[-1].chain.decode())
    return Exported(events=head.size - start, head=head)


def export_customer(connection: Connection, out: TextIO, *, customer_id: str, keyring: Keyring) -> int:
    """Write everything the log says about one customer, in clear, oldest first; return how many events.

    Raises:
        NotFoundError: The log says nothing about this customer.
        TamperedError: A ciphertext or the customer's key does not open.
    """
    events = list(_of_customer(connection, customer_id))
    if not events:
        raise NotFoundError(f"the log says nothing about customer {customer_id!r}")
    out.write(canonical({"customer": customer_id, "format": CUSTOMER_FORMAT}) + "\n")
    for event in reversed(open_private(connection, keyring, events)):
        line = {
            "actor": event.actor.to_list(),
            "at": event.at.isoformat(),
            "body": event.body,
            "case": event.case_id,
            "id": event.id,
            "private": event.private,
            "seq": event.seq,
            "type": event.type,
        }
        out.write(canonical(line) + "\n")
    return len(events)


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _envelope(seal: RawSeal) -> str:
    if seal.envelope is None or hashlib.sha256(b"\x00" + seal.envelope).hexdigest().encode() != seal.leaf:
        name = seal.sealed_id.decode(errors="replace")
        raise TamperedError(f"event {seal.seq} {name} is not what was recorded; run `outrider audit verify`")
    return seal.envelope.decode()


def _line(seal: RawSeal, envelope: str, clear: str) -> str:
    # the event stands in the line as the very bytes that were hashed
    leaf, chain = seal.leaf.decode(), seal.chain.decode()
    return f'{{"chain":"{chain}","event":{envelope},"leaf":"{leaf}"{clear},"seq":{seal.seq}}}\n'


def _private(
    connection: Connection, keyring: Keyring | None, page: list[RawSeal], envelopes: list[str]
) -> list[str]:
    if keyring is None:
        return [""] * len(page)
    sealed = [logged_event(seal.seq, envelope) for seal, envelope in zip(page, envelopes, strict=True)]
    return [_clear(event) for event in open_private(connection, keyring, sealed)]


def _clear(event: LoggedEvent) -> str:
    if event.sealed is None:
        return ""
    return f',"private":{json.dumps(ERASED) if event.private is None else canonical(event.private)}'


def _of_customer(connection: Connection, customer_id: str) -> Generator[LoggedEvent]:
    before: str | None = None
    wanted = EventFilter(customer_id=customer_id)
    while page := event_page(connection, wanted, before=before, limit=_PAGE):
        yield from page
        before = page[-1].id
