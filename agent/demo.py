"""The demo: a simulated company of four industries, served for a simulated week by the real loop."""

import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from agent.bootstrap import App, build_app
from agent.clock import SimulatedClock
from agent.errors import ConflictError, RefusedError
from agent.settings import SETTINGS_FILE, Loaded, Settings, load_settings
from agent.store.cases import count_by_state
from agent.store.decisions import count_by_reason
from agent.store.overview import cost_of, count_records, model_cost, sent_messages
from agent.store.transaction import Store
from agent.wiring import parts_of
from tools.errors import InputError
from tools.sim.build import build_company
from tools.sim.company import CONNECTOR_FILE, Company, Seen
from tools.yaml_file import load_yaml

START: Final = datetime(2026, 10, 1, tzinfo=UTC)
WARM_UP: Final = timedelta(days=14)
"""Days of history that the company has before it is served."""
TICK: Final = timedelta(hours=1)
REVIEWER: Final = "demo reviewer"
SECOND: Final = "second demo reviewer"
"""Approves what two people must."""
"""The simulated person who approves during the week; the last drafts are left to you."""
_LEFT_TO_YOU: Final = timedelta(hours=8)
_NOW: Final = re.compile(r"now: '[^']*'")


@dataclass(slots=True)
class Summary:
    """What the demo did, for people and for scripts."""

    customers: int
    days: int
    records: int = 0
    signals: int = 0
    quarantined: int = 0
    decisions: list[tuple[str, str, str, int]] = field(default_factory=list[tuple[str, str, str, int]])
    """(scenario, kind, reason, number)."""
    states: dict[str, int] = field(default_factory=dict[str, int])
    approved: int = 0
    stale: int = 0
    """Approvals refused because the facts had changed."""
    waiting: int = 0
    sent: dict[str, int] = field(default_factory=dict[str, int])
    """Channel → messages handed over."""
    prevented: int = 0
    """Contacts that the simulated customers would have made and did not."""
    cost_micros: int = 0
    """Model and sending together."""
    folder: str = ""
    now: datetime | None = None


Progress = Callable[[int, int], None]
"""Called with (hours served, hours in all)."""


def prepare(folder: Path, *, seed: int, customers: int, days: int) -> Path:
    """Build the company and the settings of a demo; return the settings file. A former demo is replaced.

    Raises:
        InputError: The folder holds something that is no demo.
    """
    settings_file = folder / SETTINGS_FILE
    if folder.exists() and any(folder.iterdir()):
        if not settings_file.is_file() or load_yaml(settings_file, Settings).simulation is None:
            raise InputError(
                "this folder holds data that is not a demo's",
                path=folder,
                remedy="give the demo another folder with --folder, or move this one away",
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    build_company(
        folder / "company.db",
        seed=seed,
        customers=customers,
        start=START,
        days=WARM_UP.days + days + 1,
    )
    shutil.copyfile(CONNECTOR_FILE, folder / "company.yaml")
    _write_settings(settings_file, START + WARM_UP)
    return settings_file


async def serve_week(settings_file: Path, *, customers: int, days: int, progress: Progress) -> Summary:
    """Serve the company hour by hour and return what came of it; the settings keep where time stands."""
    parts = parts_of(load_settings(settings_file, env={}))
    clock = parts.clock
    if not isinstance(clock, SimulatedClock):
        raise TypeError("a demo has a simulated clock")
    company = Company(settings_file.parent / "company.db")
    app = build_app(parts)
    summary = Summary(customers=customers, days=days, folder=str(settings_file.parent))
    try:
        # the last hour is in the European afternoon and the American morning, when drafts wait
        end = START + WARM_UP + timedelta(days=days) - timedelta(hours=9)
        hours = (end - clock()) // TICK
        for hour in range(1, hours + 1):
            now = clock.advance(TICK)
            company.observe(_seen(app.store, now - 2 * TICK))
            company.advance(now)
            done = await app.daemon.once()
            summary.signals += done.opened
            summary.quarantined += done.rejected
            if now <= end - _LEFT_TO_YOU:
                _review(app, summary, now)
            progress(hour, hours)
        _count(app, summary)
        summary.prevented = sum(truth.outcome == "prevented" for truth in company.truths())
        summary.now = clock()
        _note_time(settings_file, clock())
    finally:
        await app.aclose()
    return summary


def move_on(app: App, loaded: Loaded, clock: SimulatedClock, step: timedelta) -> datetime:
    """Let a simulated company live on for a while, note it in the settings, and return the new instant."""
    now = clock.advance(step)
    keep_up(app.store, loaded, now=now, since=now - 2 * step)
    return now


def keep_up(store: Store, loaded: Loaded, *, now: datetime, since: datetime) -> None:
    """Let a simulated company live until `now`, told of what was sent since, and note the time."""
    simulation = loaded.settings.simulation
    if simulation is None or loaded.path is None:
        raise TypeError("only a demo can be moved on")
    company = Company(loaded.at(simulation.company))
    company.observe(_seen(store, since))
    company.advance(now)
    _note_time(loaded.path, now)


def _review(app: App, summary: Summary, now: datetime) -> None:
    """Approve what has waited for an hour, as a careful person with nothing to object would."""
    for item in app.desk.list_drafts(limit=500):
        if item.created_at > now - TICK:
            continue
        try:
            answer = app.desk.approve(item.draft_id, reviewer=REVIEWER, shown=item.content_hash)
            if answer.outcome == "second_needed":
                answer = app.desk.approve(item.draft_id, reviewer=SECOND, shown=item.content_hash)
        except (ConflictError, RefusedError):
            continue
        if answer.outcome == "approved":
            summary.approved += 1
        else:
            summary.stale += 1


def _seen(store: Store, since: datetime) -> list[Seen]:
    """Return the messages that simulated customers got since an instant."""
    with store.read() as conn:
        messages = sent_messages(conn, since=since)
    return [Seen(customer_key=one.customer_id, about_key=one.object_ref, at=one.at) for one in messages]


def _count(app: App, summary: Summary) -> None:
    with app.store.read() as conn:
        messages = sent_messages(conn)
        summary.records = count_records(conn)
        summary.decisions = count_by_reason(conn)
        summary.states = count_by_state(conn)
        summary.cost_micros = cost_of(messages) + model_cost(conn)
    summary.sent = dict(Counter(message.channel for message in messages))
    summary.waiting = app.desk.count()


def _write_settings(path: Path, now: datetime) -> None:
    path.write_text(
        "# Written by `outrider demo`: a simulated company whose clock stands where the demo ended.\n"
        "data: .\n"
        "connectors: [company.yaml]\n"
        f"simulation: {{company: company.db, now: '{now.isoformat()}'}}\n",
        encoding="utf-8",
    )


def _note_time(path: Path, now: datetime) -> None:
    """Write where time stands, whole or not at all; whatever else a person wrote there stays."""
    text = _NOW.sub(f"now: '{now.isoformat()}'", path.read_text(encoding="utf-8"), count=1)
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
