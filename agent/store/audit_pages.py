"""Pages of the audit log and of decisions, for people: newest first, filtered, decrypted on request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, Connection, RowMapping
from sqlmodel import col, select

from agent.domain.audit import Actor, ActorKind
from agent.domain.decisions import Arm, DecisionKind, Stage
from agent.store.keyring import Keyring, Subject
from agent.store.tables.cases import CaseFile, DecisionRow
from agent.store.tables.ledger import AuditEventRow, AuditSeal, SubjectKey
from agent.store.transaction import chunked
from tools.records.base import CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event of the log as people read it."""

    seq: int | None
    """Its place in the chain; None while it waits for it."""
    id: str
    type: str
    at: datetime
    actor: Actor
    subject_ref: str | None
    case_id: str | None
    body: Mapping[str, Any]
    sealed: str | None
    """The encrypted fields."""
    private: Mapping[str, Any] | None = None
    """The same, decrypted; None when there are none, nobody asked, or the key was destroyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """A decision in a list."""

    id: str
    case_id: str
    customer_id: CustomerId
    object_ref: str
    at: datetime
    scenario: str
    stage: Stage
    kind: DecisionKind
    reason: str
    channel: str | None
    arm: Arm
    cost_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are wanted; None does not restrict."""

    since: datetime | None = None
    type: str | None = None
    """A type, or its first part: `delivery` stands for all of `delivery.…`."""
    case_id: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFilter:
    """Which decisions are wanted; None does not restrict."""

    since: datetime | None = None
    scenario: str | None = None
    kind: DecisionKind | None = None
    reason: str | None = None
    customer_id: str | None = None
    case_id: str | None = None


def event_page(
    connection: Connection, wanted: EventFilter, *, before: str | None, limit: int
) -> list[LoggedEvent]:
    """Return events, newest first, from the one before an id."""
    event = AuditEventRow
    conditions: list[ColumnElement[bool]] = []
    if before is not None:
        conditions.append(col(event.id) < before)
    if wanted.since is not None:
        conditions.append(col(event.at) >= wanted.since)
    if wanted.type is not None:
        stem = col(event.type).startswith(f"{wanted.type}.", autoescape=True)
        conditions.append((col(event.type) == wanted.type) | stem)
    if wanted.case_id is not None:
        conditions.append(col(event.case_id) == wanted.case_id)
    if wanted.customer_id is not None:
        known = select(SubjectKey.subject_ref).where(col(SubjectKey.customer_id) == wanted.customer_id)
        conditions.append(col(event.subject_ref).in_(known))
    statement = _EVENTS.where(*conditions).order_by(col(event.id).desc()).limit(limit)
    return [_event(row) for row in connection.execute(statement).mappings()]


def case_events(connection: Connection, case_id: str) -> list[LoggedEvent]:
    """Return all events of a case in the order of the log; those that wait for the chain come last."""
    statement = _EVENTS.where(col(AuditEventRow.case_id) == case_id)
    events = [_event(row) for row in connection.execute(statement).mappings()]
    return sorted(events, key=lambda event: (event.seq is None, event.seq, event.id))


def decision_page(
    connection: Connection, wanted: DecisionFilter, *, before: str | None, limit: int
) -> list[DecisionLine]:
    """Return decisions, newest first, from the one before an id."""
    row = DecisionRow
    conditions: list[ColumnElement[bool]] = [] if before is None else [col(row.id) < before]
    if wanted.since is not None:
        conditions.append(col(row.at) >= wanted.since)
    for column, value in (
        (col(row.scenario), wanted.scenario),
        (col(row.kind), wanted.kind),
        (col(row.reason), wanted.reason),
        (col(row.case_id), wanted.case_id),
        (col(CaseFile.customer_id), wanted.customer_id),
    ):
        if value is not None:
            conditions.append(column == value)
    statement = (
        sqlalchemy.select(DecisionRow, col(CaseFile.customer_id), col(CaseFile.object_ref))
        .join(CaseFile, col(CaseFile.id) == col(row.case_id))
        .where(*conditions)
        .order_by(col(row.id).desc())
        .limit(limit)
    )
    return [_line(found) for found in connection.execute(statement).mappings()]


def open_private(
    connection: Connection, keyring: Keyring, events: Sequence[LoggedEvent]
) -> list[LoggedEvent]:
    """Return the events with their private fields decrypted, where the customer's key still exists.

    Raises:
        TamperedError: A key or a ciphertext does not open.
    """
    refs = sorted({event.subject_ref for event in events if event.sealed and event.subject_ref})
    subjects = subjects_of(connection, refs)
    return [
        replace(event, private=json.loads(keyring.decrypt(subject, event.sealed, event_id=event.id)))
        if event.sealed and event.subject_ref and (subject := subjects.get(event.subject_ref))
        else event
        for event in events
    ]


def subjects_of(connection: Connection, refs: Sequence[str]) -> dict[str, Subject]:
    """Return the subjects whose keys still exist, by reference."""
    found: dict[str, Subject] = {}
    for part in chunked(refs):
        statement = select(SubjectKey.subject_ref, SubjectKey.wrapped_key)
        for ref, wrapped in connection.execute(statement.where(col(SubjectKey.subject_ref).in_(part))):
            found[ref] = Subject(ref=ref, wrapped=wrapped)
    return found


_EVENTS = select(AuditSeal.seq, AuditEventRow.envelope).join_from(
    AuditEventRow, AuditSeal, col(AuditSeal.event_id) == col(AuditEventRow.id), isouter=True
)


def _event(row: RowMapping) -> LoggedEvent:
    return logged_event(row["seq"], row["envelope"])


def logged_event(seq: int | None, envelope: str) -> LoggedEvent:
    """Return an event from its canonical text."""
    form: dict[str, Any] = json.loads(envelope)
    kind, actor_id, *login = form["actor"]
    return LoggedEvent(
        seq=seq,
        id=form["id"],
        type=form["type"],
        at=datetime.fromisoformat(form["at"]),
        actor=Actor(kind=ActorKind(kind), id=actor_id, login=login[0] if login else None),
        subject_ref=form["subject"],
        case_id=form["case"],
        body=form["body"],
        sealed=form.get("private"),
    )


def _line(row: RowMapping) -> DecisionLine:
    return DecisionLine(
        id=row["id"],
        case_id=row["case_id"],
        customer_id=CustomerId(row["customer_id"]),
        object_ref=row["object_ref"],
        at=row["at"],
        scenario=row["scenario"],
        stage=Stage(row["stage"]),
        kind=DecisionKind(row["kind"]),
        reason=row["reason"],
        channel=row["channel"],
        arm=Arm(row["arm"]),
        cost_micros=row["cost_micros"],
    )
