"""From an incident to the customers in its scope."""

from collections.abc import Collection

from sqlalchemy import Connection

from agent.store.mirror import linked, load_records
from agent.watch.related import CUSTOMER
from tools.records.base import CustomerId
from tools.records.operations import Incident
from tools.records.vocabulary import SubscriptionStatus

_RUNNING = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING, SubscriptionStatus.PAST_DUE})


def affected_customers(conn: Connection, incident: Incident) -> list[CustomerId]:
    """Return the customers an incident touches, sorted: the union of all its scopes.

    A service or site touches the customers of running subscriptions on it; a postcode touches the customers
    who live there. Everything is found by index.
    """
    found: set[str] = set(incident.customer_ids)
    subscriptions: set[str] = set()
    for relation, values in (("service", incident.service_ids), ("site", incident.sites)):
        for ids in linked(conn, relation, values, "subscription").values():
            subscriptions.update(ids)
    found |= _subscribers(conn, subscriptions)
    for ids in linked(conn, "postcode", incident.postcodes, CUSTOMER).values():
        found.update(ids)
    return [CustomerId(customer) for customer in sorted(found)]


def _subscribers(conn: Connection, subscription_ids: Collection[str]) -> set[str]:
    records = load_records(conn, {("subscription", one) for one in subscription_ids})
    return {
        seen.customer_ref
        for seen in records.values()
        if seen.customer_ref and getattr(seen.record, "status", None) in _RUNNING
    }
