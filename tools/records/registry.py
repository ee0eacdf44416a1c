"""All record types by name, and how records relate to each other."""

from collections.abc import Callable
from functools import cache
from typing import Final

from pydantic import TypeAdapter

from tools.records.base import Record
from tools.records.commerce import Invoice, Order, Payment, Shipment, Subscription, Transaction
from tools.records.operations import Device, Incident, MessageEvent, Repair, Usage
from tools.records.people import Account, Customer, Note, Preference, Ticket

RECORD_TYPES: Final[dict[str, type[Record]]] = {
    "customer": Customer,
    "preference": Preference,
    "account": Account,
    "order": Order,
    "shipment": Shipment,
    "subscription": Subscription,
    "invoice": Invoice,
    "payment": Payment,
    "transaction": Transaction,
    "incident": Incident,
    "device": Device,
    "usage": Usage,
    "ticket": Ticket,
    "note": Note,
    "repair": Repair,
    "message_event": MessageEvent,
}

UNTRUSTED: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        ("customer", "name"),
        ("ticket", "subject"),
        ("note", "text"),
        ("order", "lines"),
        ("shipment", "scans"),
        ("transaction", "merchant"),
        ("incident", "title"),
    }
)
"""(record type, field) pairs whose text was written by a stranger: never shown to a model that decides."""


def parse_body(record_type: str, body: str) -> Record:
    """Parse a mirrored body back into its record.

    Raises:
        KeyError: The type is not one of `RECORD_TYPES`.
        pydantic.ValidationError: The body does not fit the type.
    """
    return parser_of(record_type)(body)


@cache
def parser_of(record_type: str) -> Callable[[str], Record]:
    """Return what `parse_body` does for one type, for those who read thousands.

    Raises:
        KeyError: The type is not one of `RECORD_TYPES`.
    """
    return TypeAdapter(RECORD_TYPES[record_type]).validator.validate_json
