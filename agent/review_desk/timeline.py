"""What happened between the company and a customer, in words; text by strangers is marked as such."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from typing import Final

from babel.numbers import get_currency_precision
from sqlalchemy import Connection

from agent.domain.cases import Case
from agent.domain.mirror import Seen
from agent.review_desk.views import TimelineEntry
from agent.store.deliveries import DeliveryFile
from agent.store.history import deliveries_of_customer, records_of_customer
from agent.store.mirror import load_records
from tools.records.base import Money, Record
from tools.records.commerce import Invoice, Order, Payment, Shipment, Subscription, Transaction
from tools.records.operations import Device, Incident, Repair, Usage
from tools.records.people import Note, Preference, Ticket

MOST_RECORDS: Final = 200
"""Most records of a customer that are read; older ones are left out."""
MOST_ENTRIES: Final = 100
_MOST_SCANS: Final = 5


@dataclass(frozen=True, slots=True)
class _Told:
    """One event of a record."""

    at: datetime
    words: str
    trusted: bool = True


def timeline(conn: Connection, case: Case) -> tuple[TimelineEntry, ...]:
    """Return what the mirror and our own messages tell about the customer of a case, newest first."""
    seen = records_of_customer(conn, case.customer_id, limit=MOST_RECORDS)
    record_type, _, record_id = case.object_ref.partition(":")
    known = {(one.type, one.record.id) for one in seen}
    if (record_type, record_id) not in known:  # an incident belongs to no customer, and touches this one
        seen += load_records(conn, {(record_type, record_id)}).values()
    sent = deliveries_of_customer(conn, case.customer_id, limit=MOST_RECORDS)
    entries = [*_of_records(seen), *map(_of_message, sent)]
    entries.sort(key=lambda entry: (entry.at, entry.ref), reverse=True)
    return tuple(entries[:MOST_ENTRIES])


def _of_records(seen: Iterable[Seen]) -> Iterator[TimelineEntry]:
    for one in seen:
        for told in events_of(one.record, one.source_updated_at):
            yield TimelineEntry(
                at=told.at,
                kind=one.type,
                ref=f"{one.type}:{one.record.id}",
                words=told.words,
                trusted=told.trusted,
            )


def _of_message(file: DeliveryFile) -> TimelineEntry:
    message = file.delivery.message
    about = f" about “{message.subject}”" if message.subject else ""
    return TimelineEntry(
        at=file.intent_at or file.delivery.expires_at,
        kind="message",
        ref=file.delivery.id,
        words=f"our {file.channel.value}{about}: {file.delivery.state.value}",
        trusted=True,
    )


@singledispatch
def events_of(record: Record, updated_at: datetime) -> list[_Told]:
    """Return what a record tells, each with its instant; nothing for types that are no events.

    Args:
        record: Of any type.
        updated_at: When the source changed it last; stands for the instant where the record has none.
    """
    del record, updated_at
    return []


@events_of.register
def _order(record: Order, updated_at: datetime) -> list[_Told]:
    promised = f", promised for {record.promised_on}" if record.promised_on else ""
    told = [_Told(record.placed_at, f"order {record.number} placed, {_money(record.total)}{promised}")]
    if record.handed_over_at:
        told.append(_Told(record.handed_over_at, f"order {record.number} handed to the carrier"))
    if record.delivered_at:
        told.append(_Told(record.delivered_at, f"order {record.number} delivered"))
    refund = f", refund {record.refund_status.value}" if record.refund_status else ""
    told.append(_Told(updated_at, f"order {record.number} is {_plain(record.status)}{refund}"))
    return told


@events_of.register
def _shipment(record: Shipment, updated_at: datetime) -> list[_Told]:
    expected = f", expected {record.eta_on}" if record.eta_on else ""
    words = f"parcel {record.tracking_no} with {record.carrier}: {_plain(record.status)}{expected}"
    told = [_Told(record.last_scan_at or updated_at, words)]
    for scan in sorted(record.scans, key=lambda one: one.at, reverse=True)[:_MOST_SCANS]:
        said = ", ".join(part for part in (scan.place, scan.text) if part)
        told.append(_Told(scan.at, f"scan: {_plain(scan.status)}{_said(said)}", trusted=not said))
    return told


@events_of.register
def _invoice(record: Invoice, updated_at: datetime) -> list[_Told]:
    marks = [
        word for holds, word in ((record.disputed, "disputed"), (record.autopay, "paid by itself")) if holds
    ]
    words = (
        f"invoice {record.number} {_plain(record.status)}, {_money(record.amount_due)} due {record.due_on}"
    )
    return [_Told(updated_at, ", ".join([words, *marks]))]


@events_of.register
def _payment(record: Payment, updated_at: datetime) -> list[_Told]:
    why = f", {_plain(record.failure_class)}" if record.failure_class else ""
    return [_Told(updated_at, f"payment {_plain(record.status)}, attempt {record.attempt}{why}")]


@events_of.register
def _transaction(record: Transaction, _updated_at: datetime) -> list[_Told]:
    words = f"{_money(record.amount)} {_plain(record.status)}{_said(record.merchant)}"
    return [_Told(record.at, words, trusted=not record.merchant)]


@events_of.register
def _subscription(record: Subscription, updated_at: datetime) -> list[_Told]:
    renews = f", renews {record.renews_at:%Y-%m-%d}" if record.renews_at else ""
    return [_Told(updated_at, f"subscription {record.plan} {_plain(record.status)}{renews}")]


@events_of.register
def _incident(record: Incident, updated_at: datetime) -> list[_Told]:
    what = f"{_plain(record.severity)} {record.kind}"
    told = [_Told(record.started_at, f"{what} began{_said(record.title)}", trusted=not record.title)]
    if record.resolved_at:
        return [*told, _Told(record.resolved_at, f"{what} resolved")]
    return [*told, _Told(updated_at, f"{what} is {_plain(record.status)}")]


@events_of.register
def _usage(record: Usage, _updated_at: datetime) -> list[_Told]:
    of = "without a limit" if record.unlimited else f"of {record.allowance}"
    return [_Told(record.measured_at, f"{record.metric}: {record.value} {of} {record.unit} used")]


@events_of.register
def _device(record: Device, updated_at: datetime) -> list[_Told]:
    return [_Told(record.last_seen_at or updated_at, f"device {record.model} {_plain(record.status)}")]


@events_of.register
def _repair(record: Repair, updated_at: datetime) -> list[_Told]:
    visit = f", window from {record.window_start:%Y-%m-%d %H:%M} UTC" if record.window_start else ""
    return [_Told(updated_at, f"repair ({record.kind}) {_plain(record.status)}{visit}")]


@events_of.register
def _ticket(record: Ticket, _updated_at: datetime) -> list[_Told]:
    words = (
        f"ticket by {record.channel}: {record.reason_norm}, {_plain(record.status)}{_said(record.subject)}"
    )
    return [_Told(record.created_at, words, trusted=not record.subject)]


@events_of.register
def _note(record: Note, _updated_at: datetime) -> list[_Told]:
    return [_Told(record.at, f"note{_said(record.text)}", trusted=False)]


@events_of.register
def _preference(record: Preference, _updated_at: datetime) -> list[_Told]:
    words = (
        f"{record.channel.value} for {_plain(record.purpose)}: opted {record.state.value} ({record.source})"
    )
    return [_Told(record.at, words)]


def _plain(code: str) -> str:
    return str(code).replace("_", " ")


def _said(text: str) -> str:
    return f": “{text}”" if text else ""


def _money(amount: Money) -> str:
    digits = get_currency_precision(amount.currency)
    return f"{Decimal(amount.minor).scaleb(-digits)} {amount.currency}"
