"""A whole installation in a few words: one database, one company, one outside world; systems come and go."""

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import col, select

from agent.bootstrap import App, Parts, build_app
from agent.clock import SimulatedClock
from agent.daemon.rounds import Round
from agent.domain.cases import Case, CaseState
from agent.domain.decisions import Decision
from agent.domain.drafts import DeliveryState
from agent.domain.queue import QueueItem
from agent.ids import seeded_ids
from agent.store.cases import get_cases
from agent.store.decisions import decisions_of_case
from agent.store.deliveries import DeliveryFile, deliveries_of_case
from agent.store.tables.cases import CaseFile, WorkRow
from agent.store.tables.ledger import AuditEventRow
from agent.store.tables.sending import AttemptRow
from policies.loader import REVIEW_FILE, load_review_rules
from policies.triggers import CompiledPlaybook
from tests.builders import NOW, FakeSource, envelope_of, limits, playbook, playbooks
from tests.providers import FakeProvider
from tools.messages import Outbound
from tools.records.base import Record
from tools.records.vocabulary import ChannelKind

LEASE = timedelta(minutes=2)
"""Longer than any lease: after so long a dead worker's turns are taken over."""


AT_ONCE = load_review_rules(REVIEW_FILE).model_copy(update={"undo": timedelta(0)})
"""The shipped rules of review, but what is approved may leave at once: most tests stop the clock."""


class Killed(BaseException):
    """Stands for SIGKILL: no code of ours catches it."""


@dataclass
class Installation:
    """What outlives a process; `start` gives it one."""

    database_url: str
    folder: Path
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(NOW))
    source: FakeSource = field(default_factory=FakeSource)
    provider: dict[ChannelKind, FakeProvider] = field(
        default_factory=lambda: {kind: FakeProvider(channel=kind) for kind in ChannelKind}
    )
    started: int = 0
    running: list[App] = field(default_factory=list[App])

    def start(self, **changes: Any) -> App:
        """Put a system together over what is there, as a new process would."""
        self.started += 1
        plain = Parts(
            database_url=self.database_url,
            data_folder=self.folder,
            installation_key=b"k" * 32,
            sources=(self.source,),
            senders=dict(self.provider),
            playbooks=treating_all(),
            limits=limits(),
            rules=AT_ONCE,
            clock=self.clock,
            ids=seeded_ids(self.started),
        )
        app = build_app(replace(plain, **changes))
        self.running.append(app)
        return app

    def stop(self, app: App) -> None:
        """Free what the kernel frees when a process ends, and write nothing."""
        self.running.remove(app)
        app.close()

    def stop_all(self) -> None:
        for app in [*self.running]:
            self.stop(app)

    def tell(self, *records: Record) -> None:
        """Let the company change records now."""
        for record in records:
            version = str(len(self.source.rows.get(envelope_of(record).stream, [])) + 1)
            changed_at = self.clock() - timedelta(minutes=1)
            self.source.add(envelope_of(record, version=version, source_updated_at=changed_at))

    def sent(self) -> list[Outbound]:
        """Return what customers got."""
        return [message for one in self.provider.values() for _, message in one.accepted]

    def times_sent(self) -> Counter[str]:
        """Return how often each delivery reached its customer."""
        return sum((Counter(one.keys()) for one in self.provider.values()), Counter[str]())


@contextmanager
def killed_at(app: App, write: int, *, committed: bool) -> Generator[Callable[[], int]]:
    """Kill the process at its n-th write transaction, before or after the commit; yield the writes so far."""
    writes = 0

    def count(_connection: object) -> None:
        nonlocal writes
        writes += 1
        if writes > write or (writes == write and not committed):
            raise Killed

    event.listen(app.store.writer, "commit", count)
    try:
        yield lambda: writes
    finally:
        event.remove(app.store.writer, "commit", count)


def treating_all() -> dict[str, CompiledPlaybook]:
    """Return the shipped playbooks without holdouts, so that no customer is kept back at random."""
    return {scenario: playbook(scenario, holdout=None) for scenario in playbooks()}


async def settle(app: App) -> Round:
    """Run rounds until one finds nothing to do."""
    total = Round()
    for _ in range(10):
        done = await app.daemon.once()
        total.add(done)
        if not (done.read or done.screened or done.evaluated):
            return total
    raise AssertionError("the system does not come to rest")


async def wake(app: App, clock: SimulatedClock, *, steps: int = 3) -> None:
    """Let time pass, so that whatever a dead process held is taken over, and settle."""
    for _ in range(steps):
        clock.advance(LEASE)
        await settle(app)


def the_draft(app: App) -> QueueItem:
    """Return the one draft that waits."""
    (item,) = app.desk.list_drafts()
    return item


def approve_all(app: App) -> int:
    """Approve every draft as it is shown; return how many."""
    answers = [
        app.desk.approve(item.draft_id, reviewer="ann", shown=item.content_hash)
        for item in app.desk.list_drafts(limit=1_000)
    ]
    assert {answer.outcome for answer in answers} <= {"approved"}
    return len(answers)


def cases(app: App, state: CaseState | None = None) -> list[Case]:
    """Return all cases, or those in one state."""
    with app.store.read() as conn:
        found = get_cases(conn, list(conn.execute(select(CaseFile.id).order_by(col(CaseFile.id))).scalars()))
    return [case for case in found if state is None or case.state is state]


def states(app: App) -> Counter[CaseState]:
    return Counter(case.state for case in cases(app))


def decisions(app: App, case: Case) -> list[Decision]:
    with app.store.read() as conn:
        return list(decisions_of_case(conn, case.id))


def reasons(app: App) -> list[tuple[str, str]]:
    """Return (kind, reason) of every case's last decision."""
    return [(last.kind.value, last.reason) for case in cases(app) for last in decisions(app, case)[-1:]]


def deliveries(app: App) -> list[DeliveryFile]:
    with app.store.read() as conn:
        return [file for case in cases(app) for file in deliveries_of_case(conn, case.id)]


def delivery_states(app: App) -> Counter[DeliveryState]:
    return Counter(file.delivery.state for file in deliveries(app))


def event_types(app: App) -> Counter[str]:
    with app.store.read() as conn:
        return Counter(conn.execute(select(AuditEventRow.type)).scalars())


def unfinished(app: App) -> dict[str, int]:
    """Return how many rows stand half-done; all of it is nothing after a drain."""
    with app.store.read() as conn:
        attempts = Counter(conn.execute(select(AttemptRow.state)).scalars())
        work = Counter(conn.execute(select(WorkRow.status)).scalars())
    found = {
        "started attempts": attempts["started"],
        **{f"{status} work": number for status, number in work.items() if status != "done"},
    }
    return {name: number for name, number in found.items() if number}
