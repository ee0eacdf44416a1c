"""The closed set of fact names: which there are, what kind of value each has, which may split situations."""

import difflib
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from policies.record_fields import FieldKind, record_fields
from tools.records.forms import Form
from tools.records.registry import RECORD_TYPES, UNTRUSTED

FactKind = Literal["text", "number", "money", "day", "instant", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedFact:
    """A fact that is computed from records instead of copied; `policies.derived_facts` has the formulas."""

    kind: FactKind
    needs: tuple[str, ...]
    """Record types that must be there."""


DERIVED_FACTS: Final[dict[str, DerivedFact]] = {
    "customer.first_name": DerivedFact(kind="text", needs=("customer",)),
    "incident.eta_known": DerivedFact(kind="flag", needs=("incident",)),
    "incident.minutes_open": DerivedFact(kind="number", needs=("incident",)),
    "incident.next_update_known": DerivedFact(kind="flag", needs=("incident",)),
    "invoice.days_to_due": DerivedFact(kind="number", needs=("invoice",)),
    "order.days_late": DerivedFact(kind="number", needs=("order",)),
    "order.overdue": DerivedFact(kind="flag", needs=("order",)),
    "shipment.delay_days": DerivedFact(kind="number", needs=("order", "shipment")),
    "shipment.eta_known": DerivedFact(kind="flag", needs=("shipment",)),
    "usage.exhausted": DerivedFact(kind="flag", needs=("usage",)),
    "usage.left": DerivedFact(kind="number", needs=("usage",)),
    "usage.percent": DerivedFact(kind="number", needs=("usage",)),
}

_KINDS: Final[dict[FieldKind, FactKind]] = {
    FieldKind.TEXT: "text",
    FieldKind.CODE: "text",
    FieldKind.NUMBER: "number",
    FieldKind.MONEY: "money",
    FieldKind.DAY: "day",
    FieldKind.INSTANT: "instant",
    FieldKind.FLAG: "flag",
}


@cache
def fact_kind(name: str) -> FactKind:
    """Return what kind of value the fact `record.field` has.

    Untrusted nested fields (`order.lines`, `shipment.scans`) are texts: their strings joined by lines.

    Raises:
        KeyError: There is no such fact.
    """
    if (derived := DERIVED_FACTS.get(name)) is not None:
        return derived.kind
    record_type, _, field = name.partition(".")
    if is_untrusted(name):
        return "text"
    return _KINDS[record_fields(record_type)[field].kind]


@cache
def is_untrusted(name: str) -> bool:
    """Whether the fact is text by a stranger, which only the quarantined reader may see.

    `customer.first_name` is not: its formula lets nothing but one short word of letters through.
    """
    record_type, _, field = name.partition(".")
    return (record_type, field) in UNTRUSTED


@cache
def is_coarse(name: str) -> bool:
    """Whether the fact has few possible values (a code or a flag), so that it may split situations."""
    if fact_kind(name) == "flag":
        return True
    record_type, _, field = name.partition(".")
    known = record_fields(record_type).get(field)
    return known is not None and known.kind is FieldKind.CODE


@cache
def form_of(name: str) -> Form | None:
    """Return what a text must look like to be printed; None for what needs no such form.

    Derived facts have their formulas, codes a closed vocabulary, links the list of hosts; an untrusted text
    is never printed.
    """
    if name in DERIVED_FACTS or is_untrusted(name) or name.endswith("url"):
        return None
    record_type, _, field = name.partition(".")
    return record_fields(record_type)[field].form


@cache
def record_types_of(name: str) -> tuple[str, ...]:
    """Return the record types a fact is read from.

    Raises:
        KeyError: There is no such fact.
    """
    if (derived := DERIVED_FACTS.get(name)) is not None:
        return derived.needs
    fact_kind(name)
    return (name.partition(".")[0],)


@cache
def fact_names() -> tuple[str, ...]:
    """Return every fact name, sorted."""
    copied = {
        f"{record_type}.{field.name}"
        for record_type in RECORD_TYPES
        for field in record_fields(record_type).values()
        if field.kind in _KINDS or (record_type, field.name) in UNTRUSTED
    }
    return tuple(sorted(copied | DERIVED_FACTS.keys()))


def nearest_fact(name: str) -> str | None:
    """Return the fact name most like `name`, or None when nothing is near."""
    return next(iter(difflib.get_close_matches(name, fact_names(), n=1)), None)
