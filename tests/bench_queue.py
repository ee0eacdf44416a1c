"""A review queue of any length for scripts/bench: one real draft of the graph, and copies of its rows."""

import asyncio

from sqlalchemy import Connection, text
from sqlmodel import select

from agent.bootstrap import App
from agent.domain.queue import QueueItem
from agent.store.tables.cases import SituationRow
from tests.bench_worlds import feed, plain, screen_all
from tests.builders import NOW

_COPIED = ("case_file", "decision", "draft")
_CHANGED = {
    "id": "substr(id, 1, 4) || printf('%026d', n)",
    "case_id": "'cas_' || printf('%026d', n)",
    "decision_id": "'dec_' || printf('%026d', n)",
    "signal_key": "signal_key || n",
    "situation_id": "'sit_' || printf('%026d', n / 250)",
    "customer_name": "'Customer number ' || n",
    "risk": "CASE WHEN n % 10 = 0 THEN 'high' ELSE 'normal' END",
    "scenario": "CASE WHEN n % 3 = 0 THEN 'payment_due' ELSE 'shipping_delay' END",
    "review_by": "strftime('%Y-%m-%d %H:%M:%S', review_by, '+' || n || ' seconds') || '.000000'",
    "search": "replace(search, 'ada lovelace', 'customer number ' || n)",
    "body": "replace(replace(body, :draft, 'drf_' || printf('%026d', n)), :case, "
    "'cas_' || printf('%026d', n))",
}
"""Column → what it is in the n-th copy; in a case the scenario stays, so that its playbook knows it."""


def fill_queue(app: App, number: int) -> QueueItem:
    """Let the graph write one draft and copy it until so many wait, without the events; return the first."""
    feed(app, plain(0))
    app.rounds.sweep.run(now=NOW)
    screen_all(app)
    with app.store.read() as conn:
        situations = list(conn.execute(select(SituationRow.id)).scalars())
    for situation in situations:
        asyncio.run(app.deliberations.run(situation))
    (first,) = app.desk.list_drafts()
    with app.store.writer.begin() as conn:
        for table in _COPIED:
            _copy(conn, table, first, number)
    return first


def _copy(conn: Connection, table: str, first: QueueItem, number: int) -> None:
    names = [str(row[1]) for row in conn.exec_driver_sql(f"PRAGMA table_info({table})")]
    kept = {"scenario"} if table != "draft" else set[str]()
    values = [_CHANGED.get(name, name) if name not in kept else name for name in names]
    key = "id" if table == "case_file" else "case_id"
    body = _CHANGED["body"] if table == "draft" else "body"  # only a draft's is read back
    values = [body if name == "body" else value for name, value in zip(names, values, strict=True)]
    conn.execute(
        text(
            "WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < :last) "
            f"INSERT INTO {table} ({', '.join(names)}) "
            f"SELECT {', '.join(map(str, values))} FROM {table}, copies WHERE {key} = :case"
        ),
        {"last": number - 1, "case": first.case_id, "draft": first.draft_id},
    )
