"""Bringing an older database up to this version: ordered steps, all of them in one transaction.

A step is frozen: it names tables and columns as they were meant then, never by today's models.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, RowMapping

from agent.store.tables.base import SCHEMA_VERSION

_PAGE: Final = 1_000
"""Rows that are filled at once."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: from the version before it to `version`."""

    version: int
    apply: Callable[[Connection], None]


def migrate(connection: Connection, *, found: int, steps: Sequence[Migration] | None = None) -> None:
    """Take a database from the version that was found to this one; the caller commits.

    Both databases change tables inside transactions, so a step that fails leaves the old version as it was.
    """
    for step in MIGRATIONS if steps is None else steps:
        if step.version > found:
            step.apply(connection)
    connection.execute(
        sqlalchemy.text("UPDATE meta SET value = :version WHERE key = 'schema_version'"),
        {"version": str(SCHEMA_VERSION)},
    )


def _run(connection: Connection, statements: str) -> None:
    """Run statements that end in semicolons; `INSTANT` stands for the type of an instant."""
    instant = "DATETIME" if connection.dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    for statement in statements.replace("INSTANT", instant).split(";"):
        if statement.strip():
            connection.exec_driver_sql(statement)


# --- 2: the review desk: order by urgency, timed claims, snoozing, two approvers, seeds, proposals ----------

_REVIEW_DESK: Final = """
ALTER TABLE draft ADD COLUMN risk VARCHAR NOT NULL DEFAULT 'normal';
ALTER TABLE draft ADD COLUMN review_by INSTANT NOT NULL DEFAULT '9999-12-31 00:00:00.000000';
ALTER TABLE draft ADD COLUMN stake_minor BIGINT;
ALTER TABLE draft ADD COLUMN stake_currency VARCHAR;
ALTER TABLE draft ADD COLUMN situation_id VARCHAR;
ALTER TABLE draft ADD COLUMN object_ref VARCHAR NOT NULL DEFAULT '';
ALTER TABLE draft ADD COLUMN customer_name VARCHAR NOT NULL DEFAULT '';
ALTER TABLE draft ADD COLUMN claimed_at INSTANT;
ALTER TABLE draft ADD COLUMN snoozed_by VARCHAR;
ALTER TABLE draft ADD COLUMN snoozed_until INSTANT;
ALTER TABLE draft ADD COLUMN first_review_id VARCHAR;
ALTER TABLE draft ADD COLUMN first_approver VARCHAR;
ALTER TABLE draft ADD COLUMN search TEXT NOT NULL DEFAULT '';
UPDATE draft SET
  review_by = CASE WHEN deadline < expires_at THEN deadline ELSE expires_at END,
  situation_id = (SELECT situation_id FROM case_file WHERE case_file.id = draft.case_id),
  object_ref = coalesce((SELECT object_ref FROM case_file WHERE case_file.id = draft.case_id), '');
DROP INDEX ix_draft_queue;
CREATE INDEX ix_draft_queue ON draft (state, review_by, id, scenario, channel, risk, review_reason,
  snoozed_until, claimed_by, claimed_until, expires_at);
CREATE INDEX ix_draft_kind ON draft (state, scenario, risk);
CREATE INDEX ix_draft_situation ON draft (state, situation_id);
CREATE INDEX ix_draft_claimed ON draft (claimed_until) WHERE claimed_until IS NOT NULL;
CREATE INDEX ix_draft_snoozed ON draft (snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX ix_draft_expiry ON draft (state, expires_at);
CREATE TABLE review_seed (
  id VARCHAR NOT NULL, draft_id VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, kind VARCHAR NOT NULL,
  mistake TEXT NOT NULL, content_hash VARCHAR NOT NULL, body TEXT NOT NULL, opened_at INSTANT NOT NULL,
  verdict VARCHAR, verdict_at INSTANT, seconds INTEGER, caught BOOLEAN, PRIMARY KEY (id)
);
CREATE INDEX ix_review_seed_draft ON review_seed (draft_id);
CREATE INDEX ix_review_seed_reviewer ON review_seed (reviewer);
CREATE TABLE proposal (
  id VARCHAR NOT NULL, kind VARCHAR NOT NULL, target VARCHAR NOT NULL, title VARCHAR NOT NULL,
  body TEXT NOT NULL, state VARCHAR NOT NULL, created_at INSTANT NOT NULL, decided_by VARCHAR,
  decided_at INSTANT, words TEXT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX ix_proposal_state ON proposal (state, created_at)
"""

_TEXTS: Final = sqlalchemy.text(
    "SELECT d.id, d.customer_id, d.object_ref, d.body, m.body AS customer FROM draft d "
    "LEFT JOIN mirror_record m ON m.type = 'customer' AND m.id = d.customer_id "
    "WHERE d.id > :after ORDER BY d.id LIMIT :page"
)
_FILL: Final = sqlalchemy.text("UPDATE draft SET customer_name = :name, search = :search WHERE id = :id")


def _review_desk(connection: Connection) -> None:
    _run(connection, _REVIEW_DESK)
    if connection.dialect.name == "postgresql":  # SQLite's integers are as long as they must be
        _run(connection, "ALTER TABLE draft ALTER COLUMN value_micros TYPE BIGINT")
    after = ""
    while rows := connection.execute(_TEXTS, {"after": after, "page": _PAGE}).mappings().all():
        connection.execute(_FILL, [_searchable(row) for row in rows])
        after = rows[-1]["id"]


def _searchable(row: RowMapping) -> dict[str, str]:
    message = json.loads(row["body"])["message"]
    name = json.loads(row["customer"]).get("name") or "" if row["customer"] else ""
    parts = (
        *(row["id"], row["customer_id"], name, row["object_ref"]),
        *(message["recipient"], message["subject"], message["body"]),
    )
    return {"id": row["id"], "name": name, "search": "\n".join(parts).casefold()}


# --- 3: situations that were opened, so that a verdict on many drafts binds to what was shown ---------------

_SITUATIONS: Final = """
CREATE TABLE situation_opening (
  id VARCHAR NOT NULL, situation_id VARCHAR NOT NULL, reviewer VARCHAR NOT NULL, digest VARCHAR NOT NULL,
  covered TEXT NOT NULL, opened_at INSTANT NOT NULL, approved_at INSTANT, begun_at INSTANT, ended_at INSTANT,
  PRIMARY KEY (id)
);
CREATE INDEX ix_situation_opening ON situation_opening (situation_id, reviewer);
CREATE INDEX ix_review_at ON review (at)
"""


def _situations(connection: Connection) -> None:
    _run(connection, _SITUATIONS)


# --- 4: which verdict an undo takes back, so that figures can leave it out; the reviews of a case -----------

_UNDONE: Final = """
ALTER TABLE review ADD COLUMN undoes VARCHAR;
CREATE INDEX ix_review_undoes ON review (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX ix_review_case ON review (case_id)
"""
_VERDICTS: Final = sqlalchemy.text(
    "SELECT id, draft_id, verdict FROM review WHERE draft_id IN "
    "(SELECT draft_id FROM review WHERE verdict = 'undo') ORDER BY draft_id, at, id"
)
_TAKEN_BACK: Final = sqlalchemy.text("UPDATE review SET undoes = :undoes WHERE id = :id")


def _undone(connection: Connection) -> None:
    _run(connection, _UNDONE)
    found: list[dict[str, str]] = []
    standing: list[tuple[str, str]] = []
    for row in connection.execute(_VERDICTS).mappings():
        if row["verdict"] != "undo":
            standing.append((row["draft_id"], row["id"]))
        elif standing and standing[-1][0] == row["draft_id"]:
            found.append({"id": row["id"], "undoes": standing.pop()[1]})
    if found:
        connection.execute(_TAKEN_BACK, found)


# --- 5: how many drafts a verdict on a situation is about, so that sending can ask for both approvals -------


def _recipients(connection: Connection) -> None:
    _run(connection, "ALTER TABLE situation_opening ADD COLUMN recipients INTEGER")


# --- 6: money of any size --------------------------------------------------------------------------------

_LONG_MONEY: Final = """
ALTER TABLE decision ALTER COLUMN cost_micros TYPE BIGINT;
ALTER TABLE llm_call ALTER COLUMN cost_micros TYPE BIGINT;
ALTER TABLE budget ALTER COLUMN cap TYPE BIGINT, ALTER COLUMN held TYPE BIGINT,
  ALTER COLUMN spent TYPE BIGINT;
ALTER TABLE budget_hold ALTER COLUMN amount TYPE BIGINT
"""


def _long_money(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's integers are as long as they must be
        _run(connection, _LONG_MONEY)


# --- 7: situations that continue another, so that a large one is reviewed as one ----------------------------

_HEADS: Final = """
ALTER TABLE situation ADD COLUMN head_id VARCHAR;
CREATE INDEX ix_situation_queued ON situation (scenario) WHERE state = 'queued'
"""


def _heads(connection: Connection) -> None:
    _run(connection, _HEADS)


MIGRATIONS: Final = (
    Migration(2, _review_desk),
    Migration(3, _situations),
    Migration(4, _undone),
    Migration(5, _recipients),
    Migration(6, _long_money),
    Migration(7, _heads),
)
"""In order; each is applied once, to databases of a lower version."""
