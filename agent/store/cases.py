"""Cases: opening them once per signal, moving them, finding those that are due."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Connection, bindparam, insert, type_coerce, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from agent.domain.audit import Actor, AuditEvent
from agent.domain.cases import OPEN_STATES, Case, CaseId, CaseState, Signal, SituationId
from agent.store.bulk import ReadInstant
from agent.store.plans import among, filtered, is_among, packed
from agent.store.tables.cases import CaseFile
from agent.store.transaction import Tx, chunked
from tools.records.base import CustomerId

_ALL = sqlalchemy.select(
    col(CaseFile.id),
    col(CaseFile.signal_key),
    col(CaseFile.scenario),
    col(CaseFile.playbook),
    col(CaseFile.customer_id),
    col(CaseFile.object_ref),
    col(CaseFile.episode),
    col(CaseFile.state),
    type_coerce(col(CaseFile.opened_at), ReadInstant()),
    type_coerce(col(CaseFile.deadline), ReadInstant()),
    type_coerce(col(CaseFile.next_at), ReadInstant()),
    col(CaseFile.situation_id),
    col(CaseFile.turn),
    col(CaseFile.shadow),
)


_STATES: Final = {state.value: state for state in CaseState}

_DUE: Final = (
    _ALL.where(col(CaseFile.next_at) <= bindparam("now"), filtered(col(CaseFile.state)) == CaseState.NEW)
    .order_by(col(CaseFile.next_at), col(CaseFile.id))
    .limit(bindparam("most"))
)
_DUE_LOCKED: Final = _DUE.with_for_update(skip_locked=True)


_BY_ID: Final = _ALL.where(col(CaseFile.id) == bindparam("id"))
_OF_SITUATION: Final = _ALL.where(
    col(CaseFile.situation_id) == bindparam("situation"),
    filtered(col(CaseFile.state)) == CaseState.SCREENED,
).order_by(col(CaseFile.id))


@cache
def _by_ids(*, as_text: bool) -> sqlalchemy.Select[*tuple[Any, ...]]:
    return _ALL.where(is_among(CaseFile.id, "ids", as_text=as_text)).order_by(col(CaseFile.id))


@cache
def _of_objects(*, as_text: bool) -> sqlalchemy.Select[*tuple[Any, ...]]:
    return _ALL.where(is_among(CaseFile.object_ref, "refs", as_text=as_text)).order_by(col(CaseFile.id))


def get_case(conn: Connection, case_id: str) -> Case | None:
    """Return a case, or None."""
    row = conn.execute(_BY_ID, {"id": case_id}).first()
    return _case(row) if row else None


def get_cases(conn: Connection, case_ids: Collection[str]) -> list[Case]:
    """Return the cases with these ids, sorted by id."""
    found: list[Case] = []
    for part in chunked(sorted(case_ids)):
        many = packed(conn, part)
        rows = conn.execute(_by_ids(as_text=many.as_text), {"ids": many.value})
        found += [_case(row) for row in rows.all()]
    return found


def due_cases(conn: Connection, now: datetime, limit: int, *, lock: bool = False) -> list[Case]:
    """Return new cases whose time has come, the longest due first.

    Args:
        conn: The connection.
        now: Cases due at this very instant are among them.
        limit: Most cases to return.
        lock: Hold them until the transaction ends, and leave out those that somebody else holds.
    """
    rows = conn.execute(_DUE_LOCKED if lock else _DUE, {"now": now, "most": limit})
    return [_case(row) for row in rows.all()]


def cases_of_situation(conn: Connection, situation_id: str) -> list[Case]:
    """Return the screened cases of a situation, sorted by id; those that left it are not among them."""
    rows = conn.execute(_OF_SITUATION, {"situation": situation_id})
    return [_case(row) for row in rows.all()]


def cases_of_objects(conn: Connection, object_refs: Collection[str]) -> dict[str, list[Case]]:
    """Return object → all its cases, open and closed, oldest first."""
    found: dict[str, list[Case]] = {}
    for part in chunked(sorted(object_refs)):
        many = packed(conn, part)
        for row in conn.execute(_of_objects(as_text=many.as_text), {"refs": many.value}):
            case = _case(row)
            found.setdefault(case.object_ref, []).append(case)
    return found


def open_cases(tx: Tx, signals: Sequence[Signal], *, actor: Actor, shadow: bool) -> list[Case]:
    """Open a case for each signal and return them; the caller has left out signals whose key exists."""
    cases = [
        Case(
            id=CaseId(tx.ids.new("cas", at=signal.at)),
            signal_key=signal.key,
            scenario=signal.scenario,
            playbook=signal.playbook,
            customer_id=signal.customer_id,
            object_ref=signal.object_ref,
            episode=signal.episode,
            state=CaseState.NEW,
            opened_at=signal.at,
            deadline=signal.deadline,
            next_at=signal.at,
            situation_id=None,
            turn=0,
            shadow=shadow,
        )
        for signal in signals
    ]
    for part in chunked(cases, 1_000):
        tx.conn.execute(insert(CaseFile), [_row(case) for case in part])
    for case in cases:
        tx.record(
            AuditEvent(
                type="case.opened",
                at=case.opened_at,
                actor=actor,
                customer_id=case.customer_id,
                case_id=case.id,
                body={
                    "scenario": case.scenario,
                    "playbook": case.playbook,
                    "deadline": case.deadline.isoformat() if case.deadline else None,
                    "shadow": shadow,
                },
                private={"customer": case.customer_id, "object": case.object_ref, "episode": case.episode},
            )
        )
    return cases


def transition(
    tx: Tx,
    case_ids: Sequence[str],
    *,
    to: CaseState,
    at: datetime,
    next_at: datetime | None,
    reason: str,
    actor: Actor,
) -> None:
    """Move cases to a state, each with its audit event; only `NEW` may have a `next_at`."""
    customers: dict[str, CustomerId] = {}
    for part in chunked(case_ids):
        many = packed(tx.conn, part)
        moved = tx.conn.execute(
            _move(as_text=many.as_text),
            {"ids": many.value, "state": to.value, "updated_at": at, "next_at": next_at},
        )
        customers.update({case_id: CustomerId(customer_id) for case_id, customer_id in moved.all()})
    event_type = f"case.{to.value}"
    body = {"reason": reason, "next_at": next_at.isoformat() if next_at else None}
    for case_id in case_ids:
        tx.record(
            AuditEvent(
                type=event_type,
                at=at,
                actor=actor,
                customer_id=customers[case_id],
                case_id=case_id,
                body=body,
            )
        )


@cache
def _move(*, as_text: bool) -> ReturningUpdate[str, str]:
    """Return the update whose values are its other parameters."""
    return (
        update(CaseFile)
        .where(is_among(CaseFile.id, "ids", as_text=as_text))
        .returning(col(CaseFile.id), col(CaseFile.customer_id))
    )


def postpone(tx: Tx, until_of: Mapping[CaseId, datetime], *, at: datetime) -> None:
    """Let new cases wait; their state stays, and the decision to defer is the event that tells of it."""
    by_instant: dict[datetime, list[CaseId]] = {}
    for case_id, until in until_of.items():
        by_instant.setdefault(until, []).append(case_id)
    for until, case_ids in by_instant.items():
        for part in chunked(sorted(case_ids)):
            many = packed(tx.conn, part)
            tx.conn.execute(
                _postpone(as_text=many.as_text), {"ids": many.value, "next_at": until, "updated_at": at}
            )


@cache
def _postpone(*, as_text: bool) -> sqlalchemy.Update:
    """Return the update whose values are its other parameters."""
    return update(CaseFile).where(is_among(CaseFile.id, "ids", as_text=as_text))


def assign_situations(tx: Tx, situation_of: Mapping[CaseId, SituationId]) -> None:
    """Put cases into their situations."""
    grouped: dict[SituationId, list[CaseId]] = {}
    for case_id, situation_id in situation_of.items():
        grouped.setdefault(situation_id, []).append(case_id)
    for situation_id, members in grouped.items():
        for part in chunked(members):
            tx.conn.execute(
                update(CaseFile).where(among(tx.conn, CaseFile.id, part)).values(situation_id=situation_id)
            )


def count_by_state(conn: Connection) -> dict[str, int]:
    """Return state → number of cases."""
    counted = sqlalchemy.select(col(CaseFile.state), sqlalchemy.func.count()).group_by(col(CaseFile.state))
    return {row[0]: row[1] for row in conn.execute(counted)}


def is_open(case: Case) -> bool:
    """Whether anything may still come of a case."""
    return case.state in OPEN_STATES


def _row(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "signal_key": case.signal_key,
        "scenario": case.scenario,
        "playbook": case.playbook,
        "customer_id": case.customer_id,
        "object_ref": case.object_ref,
        "episode": case.episode,
        "state": case.state.value,
        "opened_at": case.opened_at,
        "updated_at": case.opened_at,
        "deadline": case.deadline,
        "next_at": case.next_at,
        "situation_id": case.situation_id,
        "turn": case.turn,
        "shadow": case.shadow,
    }


def _case(row: tuple[Any, ...]) -> Case:
    """Return a row of `_ALL` as a case; by position, because screens read thousands."""
    (
        case_id,
        signal_key,
        scenario,
        playbook,
        customer_id,
        object_ref,
        episode,
        state,
        opened_at,
        deadline,
        next_at,
        situation_id,
        turn,
        shadow,
    ) = row
    return Case(
        id=case_id,
        signal_key=signal_key,
        scenario=scenario,
        playbook=playbook,
        customer_id=customer_id,
        object_ref=object_ref,
        episode=episode,
        state=_STATES[state],
        opened_at=opened_at,
        deadline=deadline,
        next_at=next_at,
        situation_id=situation_id,
        turn=turn,
        shadow=shadow,
    )
