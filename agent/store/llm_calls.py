"""The ledger of model calls: every request and what came of it.

Requests of the task `read` contain what customers wrote, and any reply may echo it: this table is a target of
erasure. Rows are found by situation, and a request's hash stays meaningful when its text is gone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, insert, update
from sqlmodel import col, select

from agent.store.tables.ledger import LlmCallRow
from agent.store.transaction import Tx, chunked


class CallStatus(StrEnum):
    """How far a call has come."""

    STARTED = "started"
    """Under way, or its process died."""
    SUCCEEDED = "succeeded"
    """The reply fits; the same request is answered from here from now on."""
    FAILED = "failed"
    LOST = "lost"
    """Its process died; whether the provider answered is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of a call, all turns together."""

    prompt_tokens: int = 0
    """Cached ones included."""
    completion_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmCall:
    """One row of the ledger."""

    id: str
    request_hash: str
    task: str
    model: str
    situation_id: str | None
    request: str
    """Canonical JSON."""
    reply: str | None
    """The last text the model gave, whether it fits or not."""
    status: CallStatus
    error: str
    """Kind of the failure and what happened, in one line; empty without one."""
    usage: Usage
    cost_micros: int
    started_at: datetime
    ended_at: datetime | None


def start_call(
    tx: Tx,
    *,
    request_hash: str,
    task: str,
    model: str,
    situation_id: str | None,
    request: str,
    at: datetime,
) -> str:
    """Write that a call is about to be made and return its id."""
    call_id = tx.ids.new("llm", at=at)
    row = {
        "id": call_id,
        "request_hash": request_hash,
        "task": task,
        "model": model,
        "situation_id": situation_id,
        "request": request,
        "reply": None,
        "status": CallStatus.STARTED,
        "error": "",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cached_tokens": 0,
        "cost_micros": 0,
        "started_at": at,
        "ended_at": None,
    }
    tx.conn.execute(insert(LlmCallRow), [row])
    return call_id


def finish_call(
    tx: Tx,
    call_id: str,
    *,
    status: CallStatus,
    reply: str | None,
    error: str,
    usage: Usage,
    cost_micros: int,
    at: datetime,
) -> None:
    """Write what came of a call, also when it failed: its tokens were spent all the same."""
    tx.conn.execute(
        update(LlmCallRow)
        .where(col(LlmCallRow.id) == call_id)
        .values(
            status=status,
            reply=reply,
            error=error,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            cost_micros=cost_micros,
            ended_at=at,
        )
    )


def find_succeeded(connection: Connection, request_hash: str) -> LlmCall | None:
    """Return the first call with this request whose reply fits, or None."""
    row = (
        connection.execute(
            select(LlmCallRow)
            .where(
                col(LlmCallRow.request_hash) == request_hash,
                col(LlmCallRow.status) == CallStatus.SUCCEEDED,
            )
            .order_by(col(LlmCallRow.id))
            .limit(1)
        )
        .mappings()
        .first()
    )
    return None if row is None else _call(row)


def get_calls(connection: Connection, call_ids: Collection[str]) -> list[LlmCall]:
    """Return the calls with these ids, oldest first; unknown ids are left out."""
    found: list[LlmCall] = []
    for part in chunked(sorted(call_ids)):
        rows = connection.execute(
            select(LlmCallRow).where(col(LlmCallRow.id).in_(part)).order_by(col(LlmCallRow.id))
        )
        found += [_call(row) for row in rows.mappings()]
    return found


def every_call(connection: Connection) -> list[LlmCall]:
    """Return all calls of the ledger, oldest first."""
    rows = connection.execute(select(LlmCallRow).order_by(col(LlmCallRow.id)))
    return [_call(row) for row in rows.mappings()]


def give_up_started(tx: Tx, *, before: datetime, at: datetime) -> int:
    """Mark the calls as lost whose process died under way; return how many.

    Args:
        tx: The transaction.
        before: Only calls started earlier; must lie further back than a call can last.
        at: Now.
    """
    lost = tx.conn.execute(_LOSE_STARTED, {"before": before, "at": at})
    return int(lost.rowcount)


_LOSE_STARTED: Final = (
    update(LlmCallRow)
    .where(col(LlmCallRow.status) == CallStatus.STARTED, col(LlmCallRow.started_at) < bindparam("before"))
    .values(status=CallStatus.LOST, error="lost: its process ended under way", ended_at=bindparam("at"))
)


def _call(row: RowMapping) -> LlmCall:
    return LlmCall(
        id=row["id"],
        request_hash=row["request_hash"],
        task=row["task"],
        model=row["model"],
        situation_id=row["situation_id"],
        request=row["request"],
        reply=row["reply"],
        status=CallStatus(row["status"]),
        error=row["error"],
        usage=Usage(
            prompt_tokens=row["prompt_tokens"],
            completion_tokens=row["completion_tokens"],
            cached_tokens=row["cached_tokens"],
        ),
        cost_micros=row["cost_micros"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )
