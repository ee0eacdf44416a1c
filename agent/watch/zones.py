"""The zone in which times are printed for a customer; quiet hours look at every plausible one."""

from sqlalchemy import Connection

from agent.domain.cases import Case
from agent.store.mirror import load_records
from agent.watch.related import CUSTOMER
from policies.model import Limits
from policies.zones import plausible_zones
from tools.records.base import Record
from tools.records.people import Customer


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
