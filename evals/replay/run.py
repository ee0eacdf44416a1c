"""The real loop over a real history; only the clock and the reviewer are simulated."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy
from sqlalchemy import Connection
from sqlmodel import col

from agent.audit.verify import verify
from agent.bootstrap import App, build_app
from agent.clock import SimulatedClock, system_monotonic
from agent.errors import ConflictError, RefusedError
from agent.ids import seeded_ids
from agent.settings import SETTINGS_FILE, Loaded, SimulationSettings, load_settings
from agent.store.decisions import count_by_reason
from agent.store.overview import SentMessage, cost_of, count_records, model_cost, sent_messages
from agent.store.tables.cases import CaseFile, DecisionRow
from agent.wiring import parts_of
from evals.replay.live import LiveCompany
from evals.replay.measure import cpu_seconds, peak_mib
from evals.replay.olist import OrderHistory
from evals.replay.score import MessageScore, score_messages
from evals.replay.scratch import forgo_sync
from tools.errors import InputError

REVIEWER: Final = "simulated reviewer"
SECOND: Final = "second simulated reviewer"
"""Approves what two people must."""
HELD_OUT: Final = "holdout"
_SCENARIO: Final = "shipping_delay"
_QUEUE_PAGE: Final = 5_000
_SEED: Final = 20180101

Progress = Callable[[int, int], None]
"""Called with (ticks served, ticks in all)."""
AfterTick = Callable[[App, datetime], None]
"""Called after each tick with the system and the simulated instant; tests look inside with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to replay."""

    history: Sequence[OrderHistory]
    start: datetime
    """Inclusive; orders still open then are in the company's database from the first tick."""
    end: datetime
    """The last tick is at or just before it."""
    tick: timedelta
    folder: Path
    """Where company, settings and our own database go; empty or missing."""
    config: Path
    """Settings that name connectors, playbooks, limits and model."""


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What a replay did and what it was worth; times in seconds, money in micro-units."""

    start: datetime
    end: datetime
    tick: timedelta
    folder: str
    open_at_start: int
    """Orders bought before the start and not delivered by then."""
    bought: int = 0
    """Orders bought from start (inclusive) to end (exclusive)."""
    changes: int = 0
    """Rows that the company inserted or updated."""
    read: int = 0
    records: int = 0
    quarantined: int = 0
    signals: int = 0
    too_late: int = 0
    """Orders at the start whose promise was over too long ago to be written about."""
    resolved: int = 0
    decisions: list[tuple[str, str, str, int]] = field(default_factory=list[tuple[str, str, str, int]])
    """(scenario, kind, reason, number)."""
    digest: str = ""
    """SHA-256 over signal key, kind, reason and instant of every decision."""
    approvals: Counter[str] = field(default_factory=Counter[str])
    """What came of the simulated reviewer's approvals."""
    messages: int = 0
    waiting: int = 0
    """Drafts that still wait for a person at the end."""
    score: MessageScore | None = None
    held_out: MessageScore | None = None
    """The same for customers whom the holdout kept back: nobody was really written to, so the two agree."""
    late_share: float = 0.0
    """Share of all bought orders that came late or never."""
    cost_micros: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mib: int = 0
    events: int = 0
    audit_ok: bool = False
    audit_fault: str = ""
    failures: list[str] = field(default_factory=list[str])


async def replay(plan: Plan, *, progress: Progress, after_tick: AfterTick | None = None) -> Replayed:
    """Serve a history from start to end and score what was sent.

    The company's database holds a row only from the row's own time on, so nothing of ours can look ahead.

    Raises:
        InputError: The folder is in use, or a settings file is wrong.
    """
    begun, cpu_begun = system_monotonic(), cpu_seconds()
    alive = _alive(plan)
    loaded = _prepare(plan)
    company = LiveCompany(plan.folder / "company.db", alive)
    app = _build(loaded, plan.tick)
    forgo_sync(app.store)
    done = Replayed(
        start=plan.start,
        end=plan.end,
        tick=plan.tick,
        folder=str(plan.folder),
        open_at_start=sum(order.purchased_at < plan.start for order in alive),
    )
    try:
        await _serve(app, company, plan, done, progress, after_tick)
        _count(app, plan, done)
        _write_settings(loaded, app.clock())
    finally:
        company.close()
        await app.aclose()
    done.seconds = system_monotonic() - begun
    done.cpu_seconds = cpu_seconds() - cpu_begun
    done.peak_mib = peak_mib()
    return done


def connectors_of(config: Path) -> tuple[Path, ...]:
    """Return the connector files that settings name."""
    loaded = load_settings(config, env={})
    return tuple(loaded.at(path) for path in loaded.settings.connectors)


def decision_digest(conn: Connection) -> str:
    """Return SHA-256 over every decision's signal key, kind, reason and instant, in order of time."""
    statement = (
        sqlalchemy.select(
            col(DecisionRow.at),
            col(CaseFile.signal_key),
            col(DecisionRow.turn),
            col(DecisionRow.kind),
            col(DecisionRow.reason),
        )
        .join(CaseFile, col(CaseFile.id) == col(DecisionRow.case_id))
        .order_by(col(DecisionRow.at), col(CaseFile.signal_key), col(DecisionRow.turn))
    )
    digest = hashlib.sha256()
    for at, signal_key, _, kind, reason in conn.execute(statement):
        digest.update(f"{signal_key}\t{kind}\t{reason}\t{at.isoformat()}\n".encode())
    return digest.hexdigest()


def _alive(plan: Plan) -> list[OrderHistory]:
    """Return the orders that the company deals with in this time; those delivered before are settled."""
    return [
        order
        for order in plan.history
        if order.purchased_at < plan.end and (order.delivered_at is None or order.delivered_at > plan.start)
    ]


def _prepare(plan: Plan) -> Loaded:
    if plan.folder.exists() and any(plan.folder.iterdir()):
        raise InputError(
            "the folder of a replay must be empty",
            path=plan.folder,
            remedy="give another one with --work, or leave it out",
        )
    plan.folder.mkdir(parents=True, exist_ok=True)
    loaded = load_settings(plan.config, env={})
    settings = loaded.settings.model_copy(
        update={
            "data": plan.folder.resolve(),
            "connectors": tuple(loaded.at(path).resolve() for path in loaded.settings.connectors),
            "playbooks": loaded.at(loaded.settings.playbooks).resolve(),
            "limits": loaded.at(loaded.settings.limits).resolve(),
            "simulation": SimulationSettings(company=(plan.folder / "company.db").resolve(), now=plan.start),
        }
    )
    return replace(loaded, settings=settings, path=plan.folder / SETTINGS_FILE)


def _build(loaded: Loaded, tick: timedelta) -> App:
    parts = parts_of(loaded)
    clock = parts.clock
    # one piece of work at a time, and no clock but the simulated one: the same history, the same decisions
    return build_app(
        replace(
            parts,
            ids=seeded_ids(_SEED),
            monotonic=lambda: clock().timestamp(),
            concurrency=1,
            every=tick,
            rules=parts.rules.model_copy(update={"undo": timedelta(0)}),  # nobody is there to undo anything
        )
    )


async def _serve(
    app: App,
    company: LiveCompany,
    plan: Plan,
    done: Replayed,
    progress: Progress,
    after_tick: AfterTick | None,
) -> None:
    clock = app.clock
    if not isinstance(clock, SimulatedClock):
        raise TypeError("a replay has a simulated clock")
    done.changes += company.advance(plan.start)
    _catch_up(app, done, now=plan.start)
    ticks = (plan.end - plan.start) // plan.tick
    for number in range(ticks + 1):
        now = clock.set(plan.start + number * plan.tick)
        done.changes += company.advance(now)
        _review(app, done, drafted_by=now - plan.tick)
        served = await app.daemon.once()
        done.read += served.read
        done.quarantined += served.rejected
        done.signals += served.opened
        done.resolved += served.resolved
        done.failures += served.failures
        if after_tick:
            after_tick(app, now)
        progress(number, ticks)


def _catch_up(app: App, done: Replayed, *, now: datetime) -> None:
    """Read what the company holds at the start, as on the first day of service."""
    rounds = app.rounds
    for source in app.sources:
        for stream in source.streams():
            pulled = rounds.ingest.pull(source, stream, now=now)
            done.read += pulled.read
            done.quarantined += pulled.rejected
            # customers before their orders, so that no order is looked at twice
            swept = rounds.sweep.run(now=now)
            done.signals += swept.opened
            done.too_late += swept.refused["too_late"]


def _review(app: App, done: Replayed, *, drafted_by: datetime) -> None:
    """Approve what has waited for a tick; the facts are read again, so some turn out settled or stale."""
    for item in app.desk.list_drafts(limit=_QUEUE_PAGE):
        if item.created_at > drafted_by:
            continue
        try:
            answer = app.desk.approve(item.draft_id, reviewer=REVIEWER, shown=item.content_hash)
            if answer.outcome == "second_needed":
                answer = app.desk.approve(item.draft_id, reviewer=SECOND, shown=item.content_hash)
        except (ConflictError, RefusedError):
            done.approvals["refused"] += 1
            continue
        done.approvals[answer.outcome] += 1


def _count(app: App, plan: Plan, done: Replayed) -> None:
    with app.store.read() as conn:
        sent = sent_messages(conn)
        done.records = count_records(conn)
        done.decisions = count_by_reason(conn)
        done.digest = decision_digest(conn)
        done.cost_micros = cost_of(sent) + model_cost(conn)
        kept_back = _kept_back(conn)
        checked = verify(conn, now=app.clock())
    done.messages = len(sent)
    done.waiting = app.desk.count()
    bought = [order for order in plan.history if plan.start <= order.purchased_at < plan.end]
    done.bought = len(bought)
    done.late_share = sum(order.late for order in bought) / len(bought) if bought else 0.0
    done.score = score_messages(_by_order(sent), plan.history, base=bought)
    done.held_out = score_messages(kept_back, plan.history, base=bought)
    done.events = checked.head.size
    done.audit_ok = checked.ok
    done.audit_fault = checked.fault.sentence() if checked.fault else ""


def _by_order(sent: Sequence[SentMessage]) -> dict[str, datetime]:
    first: dict[str, datetime] = {}
    for message in sent:
        record_type, _, order_id = message.object_ref.partition(":")
        if record_type == "order" and message.scenario == _SCENARIO:
            first.setdefault(order_id, message.at)
    return first


def _kept_back(conn: Connection) -> dict[str, datetime]:
    statement = (
        sqlalchemy.select(col(CaseFile.object_ref), col(DecisionRow.at))
        .join(CaseFile, col(CaseFile.id) == col(DecisionRow.case_id))
        .where(col(DecisionRow.reason) == HELD_OUT, col(DecisionRow.scenario) == _SCENARIO)
    )
    return {ref.partition(":")[2]: at for ref, at in conn.execute(statement)}


def _write_settings(loaded: Loaded, now: datetime) -> None:
    """Leave settings behind by which every other command can look at the outcome."""
    settings = loaded.settings
    if loaded.path is None or settings.simulation is None:
        raise TypeError("a replay has a settings file of its own")
    connectors = ", ".join(f"'{path}'" for path in settings.connectors)
    loaded.path.write_text(
        "# Written by `outrider replay`: the clock stands where it ended.\n"
        f"data: '{settings.data}'\nconnectors: [{connectors}]\n"
        f"playbooks: '{settings.playbooks}'\nlimits: '{settings.limits}'\n"
        f"simulation: {{company: '{settings.simulation.company}', now: '{now.isoformat()}'}}\n",
        encoding="utf-8",
    )
