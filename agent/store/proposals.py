"""Proposals as they are kept: what was proposed, on what count, and what a lead decided."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, update
from sqlmodel import col, select

from agent.canonical import canonical
from agent.domain.audit import Actor, AuditEvent
from agent.errors import ConflictError
from agent.store.tables.cases import ProposalRow
from agent.store.transaction import Tx


class ProposalState(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    """It comes back only when it has been seen twice as often."""
    WITHDRAWN = "withdrawn"
    """Its evidence is too old by now, or its file has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One change to one file that reviews suggest."""

    id: str
    kind: str
    """`template`, `prompt` or `rule`."""
    key: str
    """The change in short, as its id is made from it."""
    target: str
    """The file that is changed or written, from the folder of its kind."""
    base: str
    """The file that the change starts from."""
    title: str
    why: str
    count: int
    reviewers: tuple[str, ...]
    examples: tuple[str, ...]
    diff: str
    patch: str
    """The same as `git apply` takes it."""
    before_hash: str
    """SHA-256 of the base as it was, hex."""
    after: str
    """The whole text of the target as it will be."""
    state: ProposalState
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    words: str


def all_proposals(conn: Connection) -> list[Proposal]:
    """Return every proposal, by id."""
    rows = conn.execute(select(ProposalRow).order_by(col(ProposalRow.id))).mappings()
    return [_proposal(row) for row in rows]


def get_proposal(conn: Connection, proposal_id: str) -> Proposal | None:
    """Return a proposal, or None."""
    row = conn.execute(select(ProposalRow).where(col(ProposalRow.id) == proposal_id)).mappings().first()
    return _proposal(row) if row else None


def record_proposals(tx: Tx, new: Sequence[Proposal], *, at: datetime, actor: Actor) -> None:
    """Keep proposals that were not known before."""
    if new:
        tx.conn.execute(insert(ProposalRow), [_row(one) for one in new])
    for one in new:
        _record(tx, one, "made", at=at, actor=actor)


def renew_proposal(tx: Tx, one: Proposal, *, at: datetime, actor: Actor) -> None:
    """Replace what is kept of a proposal by what it is now: open again, or with newer figures."""
    before = get_proposal(tx.conn, one.id)
    tx.conn.execute(update(ProposalRow).where(col(ProposalRow.id) == one.id).values(**_row(one)))
    if before is not None and before.state is not ProposalState.OPEN:
        _record(tx, one, "reopened", at=at, actor=actor)


def decide_proposal(
    tx: Tx, one: Proposal, *, to: ProposalState, words: str, at: datetime, actor: Actor, **more: object
) -> None:
    """Write what a lead decided about an open proposal, or that nothing speaks for it any more.

    Args:
        tx: The transaction.
        one: The proposal as it was read.
        to: Its new state.
        words: Why.
        at: Now.
        actor: Who decides.
        more: For the audit event, for example the hashes of a changed file.

    Raises:
        ConflictError: Somebody else was faster.
    """
    changed = tx.conn.execute(
        update(ProposalRow)
        .where(col(ProposalRow.id) == one.id, col(ProposalRow.state) == ProposalState.OPEN)
        .values(state=to, decided_by=actor.id, decided_at=at, words=words)
    )
    if changed.rowcount != 1:
        raise ConflictError(f"proposal {one.id} is not open any more; list proposals again")
    _record(tx, one, to.value, at=at, actor=actor, words=words, **more)


def _record(tx: Tx, one: Proposal, what: str, *, at: datetime, actor: Actor, **more: object) -> None:
    body = {"proposal": one.id, "kind": one.kind, "target": one.target, "count": one.count, **more}
    tx.record(
        AuditEvent(type=f"proposal.{what}", at=at, actor=actor, customer_id=None, case_id=None, body=body)
    )


def _row(one: Proposal) -> dict[str, object]:
    body: dict[str, object] = {
        "key": one.key,
        "base": one.base,
        "why": one.why,
        "count": one.count,
        "reviewers": list(one.reviewers),
        "examples": list(one.examples),
        "diff": one.diff,
        "patch": one.patch,
        "before_hash": one.before_hash,
        "after": one.after,
    }
    return {
        "id": one.id,
        "kind": one.kind,
        "target": one.target,
        "title": one.title,
        "body": canonical(body),
        "state": one.state,
        "created_at": one.created_at,
        "decided_by": one.decided_by,
        "decided_at": one.decided_at,
        "words": one.words,
    }


def _proposal(row: RowMapping) -> Proposal:
    body: dict[str, Any] = json.loads(row["body"])
    return Proposal(
        id=row["id"],
        kind=row["kind"],
        key=body["key"],
        target=row["target"],
        base=body["base"],
        title=row["title"],
        why=body["why"],
        count=body["count"],
        reviewers=tuple(body["reviewers"]),
        examples=tuple(body["examples"]),
        diff=body["diff"],
        patch=body["patch"],
        before_hash=body["before_hash"],
        after=body["after"],
        state=ProposalState(row["state"]),
        created_at=row["created_at"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        words=row["words"],
    )
