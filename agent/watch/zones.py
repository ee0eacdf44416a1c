"""The locale and zone in which a customer is written to; quiet hours look at every plausible zone."""

from sqlalchemy import Connection

from agent.domain.cases import Case
from agent.store.mirror import load_records
from agent.watch.related import CUSTOMER, Records
from policies.model import Limits
from policies.zones import plausible_zones
from tools.records.base import Record
from tools.records.people import Customer


def locale_of(records: Records) -> str:
    """Return the locale of the customer among the records of a case; English where nobody is known."""
    seen = records.get(CUSTOMER)
    return seen.record.locale if seen and isinstance(seen.record, Customer) else "en_US"


def printed_zone(customer: Record | None, zones: tuple[str, ...]) -> str:
    """Return the customer's own zone if it is known and exists, else the first plausible one, else UTC."""
    if isinstance(customer, Customer) and customer.tz in zones:
        return customer.tz
    return next(iter(zones), "UTC")


def zone_of(conn: Connection, case: Case, limits: Limits) -> str:
    """Return the zone in which times are printed for the customer of a case."""
    key = (CUSTOMER, str(case.customer_id))
    seen = load_records(conn, {key}).get(key)
    if seen is None or not isinstance(seen.record, Customer):
        return "UTC"
    customer = seen.record
    zones = plausible_zones(
        tz=customer.tz, phones=customer.phones, country=customer.country, default_zones=limits.default_zones
    )
    return printed_zone(customer, zones)
