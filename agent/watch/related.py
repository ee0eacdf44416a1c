"""The records of a case: its object, and the newest of each related type, found by links alone."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from agent.domain.cases import Case
from agent.domain.mirror import RecordKey, Seen
from agent.store.mirror import linked, load_records
from tools.records.registry import RECORD_TYPES

CUSTOMER = "customer"
ABOUT = "about"
"""The relation of tickets and notes to any object, by `type:id`."""


class Subject(NamedTuple):
    """An object, seen for one customer; several customers may share an incident."""

    key: RecordKey
    customer: str | None


Records = dict[str, Seen]
"""Record type → record."""


def subject_of(case: Case) -> Subject:
    """Return the subject whose records a case rests on."""
    record_type, _, record_id = case.object_ref.partition(":")
    return Subject((record_type, record_id), case.customer_id)


def records_of(
    conn: Connection, subjects: Collection[Subject], types: Collection[str]
) -> dict[Subject, Records]:
    """Return the records of each subject by type; what is not there is left out.

    A related record is found, in this order: as the customer itself; by a link of the object to it; by its
    link to the object; by its link to the customer. Of several, the one changed last counts. The number of
    queries does not grow with the number of subjects.
    """
    objects = load_records(conn, {subject.key for subject in subjects})
    found: dict[Subject, Records] = {
        subject: {subject.key[0]: objects[subject.key]} for subject in subjects if subject.key in objects
    }
    for record_type in types:
        missing = [subject for subject in found if record_type not in found[subject]]
        if missing:
            _add(conn, record_type, missing, found)
    return found


@dataclass(slots=True)
class _Search:
    """Candidate ids of one related type, per subject."""

    of: dict[Subject, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, subject: Subject, ids: Iterable[str]) -> None:
        if found := list(ids):
            self.of[subject].extend(found)


def _add(
    conn: Connection, record_type: str, subjects: Sequence[Subject], found: Mapping[Subject, Records]
) -> None:
    search = _Search()
    if record_type == CUSTOMER:
        for subject in subjects:
            search.add(subject, filter(None, [_customer(subject, found)]))
    else:
        _by_own_links(record_type, subjects, found, search)
        _by_links_to(conn, record_type, [one for one in subjects if one not in search.of], search)
        _by_customer(conn, record_type, [one for one in subjects if one not in search.of], found, search)
    records = load_records(conn, {(record_type, one) for ids in search.of.values() for one in ids})
    for subject, ids in search.of.items():
        seen = [records[record_type, one] for one in ids if (record_type, one) in records]
        if seen:
            found[subject][record_type] = max(seen, key=lambda one: (one.source_updated_at, one.record.id))


def _customer(subject: Subject, found: Mapping[Subject, Records]) -> str | None:
    return subject.customer or found[subject][subject.key[0]].customer_ref


def _by_own_links(
    record_type: str, subjects: Sequence[Subject], found: Mapping[Subject, Records], search: _Search
) -> None:
    for subject in subjects:
        links = found[subject][subject.key[0]].record.links()
        ids = [value for relation, value in links if relation == record_type]
        if ids:
            search.add(subject, ids)


def _by_links_to(conn: Connection, record_type: str, subjects: Sequence[Subject], search: _Search) -> None:
    relations = {relation for relation, _ in RECORD_TYPES[record_type].LINKS}
    by_type: dict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        by_type[subject.key[0]].append(subject)
    for object_type, group in by_type.items():
        if object_type in relations:
            found = linked(conn, object_type, {subject.key[1] for subject in group}, record_type)
            for subject in group:
                search.add(subject, found.get(subject.key[1], ()))
        if ABOUT in relations:
            found = linked(conn, ABOUT, {":".join(subject.key) for subject in group}, record_type)
            for subject in group:
                search.add(subject, found.get(":".join(subject.key), ()))


def _by_customer(
    conn: Connection,
    record_type: str,
    subjects: Sequence[Subject],
    found: Mapping[Subject, Records],
    search: _Search,
) -> None:
    customers = {subject: customer for subject in subjects if (customer := _customer(subject, found))}
    ids = linked(conn, CUSTOMER, set(customers.values()), record_type)
    for subject, customer in customers.items():
        if customer in ids:
            search.add(subject, ids[customer])


def roots_of(conn: Connection, changed: Collection[RecordKey], root_type: str) -> set[RecordKey]:
    """Return the records of one type that changed, or that a changed record belongs to.

    A changed parcel leads to its order by the parcel's own link, also when it was deleted; a changed ticket
    to what it is about; a changed customer to the orders that point at it.
    """
    roots = {key for key in changed if key[0] == root_type}
    others = [key for key in changed if key[0] != root_type]
    for seen in load_records(conn, others, deleted=True).values():
        for relation, value in seen.record.links():
            if relation == root_type:
                roots.add((root_type, value))
            elif relation == ABOUT and value.startswith(f"{root_type}:"):
                roots.add((root_type, value.partition(":")[2]))
    by_type: dict[str, set[str]] = defaultdict(set)
    for record_type, record_id in others:
        by_type[record_type].add(record_id)
    for record_type, ids in by_type.items():
        for root_ids in linked(conn, record_type, ids, root_type).values():
            roots |= {(root_type, root_id) for root_id in root_ids}
    return roots
