"""How things stand, in one reading: cases, drafts, deliveries, sources, work, money."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.bootstrap import App
from agent.llm.budget import SCOPE
from agent.store.budgets import balance
from agent.store.cases import count_by_state
from agent.store.deliveries import count_deliveries
from agent.store.kill_switch import Stop, active_stops
from agent.store.overview import count_records, model_cost
from agent.store.streams import count_quarantined, stream_states
from agent.store.work import count_work, dead_work


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """One stream of one source."""

    source: str
    stream: str
    read_at: datetime | None
    missed: int
    """Records that only reconciliation found; above zero deserves a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything an operator looks at first."""

    now: datetime
    records: int
    quarantined: Mapping[str, int]
    """Source → rows that could not become records."""
    streams: tuple[StreamStatus, ...]
    cases: Mapping[str, int]
    drafts_waiting: int
    deliveries: Mapping[str, int]
    work: Mapping[str, int]
    """`kind status` → number."""
    dead_work: tuple[str, ...]
    """Keys of work that was given up; a person must look."""
    stops: tuple[Stop, ...]
    model_cost_micros: int
    model_left_today_micros: int | None
    """None while nothing was asked of a paid model today."""


def read_status(app: App) -> Status:
    """Return how things stand now."""
    now = app.clock()
    with app.store.read() as conn:
        known = balance(conn, scope=SCOPE, period=now.date().isoformat())
        states = {source.name: stream_states(conn, source.name) for source in app.sources}
        return Status(
            now=now,
            records=count_records(conn),
            quarantined=count_quarantined(conn),
            streams=tuple(
                StreamStatus(
                    source=source.name,
                    stream=spec.name,
                    read_at=state.read_at if (state := states[source.name].get(spec.name)) else None,
                    missed=state.missed if state else 0,
                )
                for source in app.sources
                for spec in source.streams()
            ),
            cases=count_by_state(conn),
            drafts_waiting=app.desk.count(),
            deliveries={state.value: number for state, number in count_deliveries(conn).items()},
            work={f"{kind} {status.value}": number for (kind, status), number in count_work(conn).items()},
            dead_work=tuple(item.key for item in dead_work(conn)),
            stops=active_stops(conn).active,
            model_cost_micros=model_cost(conn),
            model_left_today_micros=known.left if known else None,
        )
