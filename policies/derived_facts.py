"""The formulas of derived facts: pure functions of records and the time."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

from policies.fact_names import DERIVED_FACTS
from tools.records.base import Record
from tools.records.commerce import Invoice, Order, Shipment
from tools.records.facts import FactValue
from tools.records.operations import Incident, Usage
from tools.records.people import Customer

Records = Mapping[str, Record]
_DAY = timedelta(days=1)
_INSIDE_A_NAME = frozenset("'\u2019-")
_LONGEST_FIRST_NAME = 24

R = TypeVar("R", bound=Record)


def derive(name: str, records: Records, *, now: datetime) -> FactValue:
    """Compute a derived fact from the records of a case, keyed by record type.

    Returns None when a record or field that the formula needs is missing.

    Raises:
        KeyError: The name is not one of `DERIVED_FACTS`.
    """
    formula = _FORMULAS[name]
    if any(needed not in records for needed in DERIVED_FACTS[name].needs):
        return None
    return formula(records, now)


def first_name(name: str) -> str | None:
    """Return the first word of a name if it can stand in a greeting, else None.

    Names are text by strangers: only one short word of letters, with ' and - inside, gets through.
    """
    word = next(iter(name.split()), "")
    ends_well = word[:1].isalpha() and word[-1:] not in _INSIDE_A_NAME
    fits = ends_well and len(word) <= _LONGEST_FIRST_NAME and all(map(_in_a_name, word))
    return word if fits else None


def _in_a_name(character: str) -> bool:
    """Whether it is a letter, a mark on one as in Hindi, or a sign that names have inside."""
    return character in _INSIDE_A_NAME or unicodedata.category(character)[0] in "LM"


def _of(records: Records, record_type: str, model: type[R]) -> R:
    record = records[record_type]
    if not isinstance(record, model):
        raise TypeError(f"records[{record_type!r}] is {type(record).__name__}, not {model.__name__}")
    return record


def _first_name(records: Records, _now: datetime) -> FactValue:
    return first_name(_of(records, "customer", Customer).name)


def _days_late(records: Records, now: datetime) -> FactValue:
    """Count days since the promised day; 1 from the end of that day on, 0 before it."""
    promised = _of(records, "order", Order).promised_at
    if promised is None:
        return None
    return (now - promised) // _DAY + 1 if now >= promised else 0


def _overdue(records: Records, now: datetime) -> FactValue:
    promised = _of(records, "order", Order).promised_at
    return promised is not None and now >= promised


def _delay_days(records: Records, _now: datetime) -> FactValue:
    """Count calendar days from the promised to the expected day; below zero when early."""
    promised_on = _of(records, "order", Order).promised_on
    eta_on = _of(records, "shipment", Shipment).eta_on
    return None if promised_on is None or eta_on is None else (eta_on - promised_on).days


def _shipment_eta_known(records: Records, _now: datetime) -> FactValue:
    return _of(records, "shipment", Shipment).eta_on is not None


def _days_to_due(records: Records, now: datetime) -> FactValue:
    """Count whole days to the due day; 0 on the day itself, which ends at `due_at`; below zero after it."""
    return (_of(records, "invoice", Invoice).due_at - now - timedelta(microseconds=1)) // _DAY


def _percent(records: Records, _now: datetime) -> FactValue:
    """Round down, so that 100 is never said before everything is used."""
    usage = _of(records, "usage", Usage)
    return None if usage.unlimited or usage.allowance <= 0 else usage.value * 100 // usage.allowance


def _left(records: Records, _now: datetime) -> FactValue:
    usage = _of(records, "usage", Usage)
    return None if usage.unlimited else max(usage.allowance - usage.value, 0)


def _exhausted(records: Records, _now: datetime) -> FactValue:
    usage = _of(records, "usage", Usage)
    return not usage.unlimited and usage.value >= usage.allowance


def _minutes_open(records: Records, now: datetime) -> FactValue:
    incident = _of(records, "incident", Incident)
    until = now if incident.resolved_at is None else incident.resolved_at
    return max((until - incident.started_at) // timedelta(minutes=1), 0)


def _incident_eta_known(records: Records, _now: datetime) -> FactValue:
    return _of(records, "incident", Incident).eta is not None


def _next_update_known(records: Records, _now: datetime) -> FactValue:
    return _of(records, "incident", Incident).next_update_at is not None


_FORMULAS: Final[dict[str, Callable[[Records, datetime], FactValue]]] = {
    "customer.first_name": _first_name,
    "incident.eta_known": _incident_eta_known,
    "incident.minutes_open": _minutes_open,
    "incident.next_update_known": _next_update_known,
    "invoice.days_to_due": _days_to_due,
    "order.days_late": _days_late,
    "order.overdue": _overdue,
    "shipment.delay_days": _delay_days,
    "shipment.eta_known": _shipment_eta_known,
    "usage.exhausted": _exhausted,
    "usage.left": _left,
    "usage.percent": _percent,
}
