"""A store that watches: ingest, sweep and what they made, in a few words for tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from agent.domain.cases import Case, CaseState
from agent.domain.decisions import Decision
from agent.store.cases import get_cases
from agent.store.decisions import decisions_of_case
from agent.store.situations import get_situation
from agent.store.tables.cases import CaseFile
from agent.store.tables.ledger import AuditEventRow
from agent.store.tables.mirror import Timer
from agent.store.transaction import Store
from agent.watch.candidates import Candidates
from agent.watch.ingest import Ingest
from agent.watch.screen import Screen, Screened
from agent.watch.sweep import Sweep, Swept
from policies.triggers import CompiledPlaybook
from tests.builders import NOW, FakeSource, envelope_of, limits, playbooks
from tools.records.base import Envelope, Record


@dataclass
class Watching:
    """Feeds records into a store and sweeps it; every feed is newer than the one before."""

    store: Store
    playbooks: dict[str, CompiledPlaybook]
    fed: int = 0
    page_size: int = 500
    most_cases: int = 10_000

    def feed(self, *items: Record | Envelope, now: datetime = NOW) -> None:
        """Store records as their newest versions."""
        source = FakeSource(snapshot=True)
        self.fed += 1
        at = NOW - timedelta(days=1) + timedelta(minutes=self.fed)
        for item in items:
            source.add(item if isinstance(item, Envelope) else envelope_of(item, source_updated_at=at))
        for stream in source.streams():
            Ingest(self.store).pull(source, stream, now=now)

    def sweep(self, now: datetime = NOW) -> Swept:
        """Sweep until nothing is left."""
        sweep = Sweep(self.store, self.playbooks, page_size=self.page_size, most_cases=self.most_cases)
        return sweep.run(now=now)

    def screen(self, now: datetime = NOW, limit: int = 2_000) -> Screened:
        """Screen the cases that are due once."""
        candidates = Candidates(self.playbooks, limits(), self.store.keyring, lambda _conn, _now: True)
        return Screen(self.store, self.playbooks, limits(), candidates).run(now=now, limit=limit)

    def channel(self) -> str | None:
        """Return the channel of the one situation."""
        (case,) = self.cases(CaseState.SCREENED)
        with self.store.read() as conn:
            situation = get_situation(conn, case.situation_id or "")
        return situation.channel if situation else None

    def cases(self, state: CaseState | None = None) -> list[Case]:
        """Return all cases, oldest first, or those in one state."""
        with self.store.read() as conn:
            found = get_cases(conn, list(conn.execute(select(CaseFile.id)).scalars()))
        return [case for case in found if state is None or case.state is state]

    def keys(self) -> list[str]:
        """Return the signal keys of all cases, sorted."""
        return sorted(case.signal_key for case in self.cases())

    def decisions(self, case: Case) -> Sequence[Decision]:
        """Return the decisions on a case, oldest first."""
        with self.store.read() as conn:
            return decisions_of_case(conn, case.id)

    def timers(self) -> list[datetime]:
        """Return the instants of all timers, the earliest first."""
        with self.store.read() as conn:
            return list(conn.execute(select(Timer.next_at).order_by(col(Timer.next_at))).scalars())

    def events(self, case: Case) -> list[str]:
        """Return the types of a case's audit events, in order."""
        with self.store.read() as conn:
            statement = select(AuditEventRow.type).where(col(AuditEventRow.case_id) == case.id)
            return list(conn.execute(statement.order_by(col(AuditEventRow.id))).scalars())


def watching(store: Store, *compiled: CompiledPlaybook) -> Watching:
    """Return a watching store with the shipped playbooks, or with these."""
    chosen = {one.playbook.scenario: one for one in compiled} or playbooks()
    return Watching(store, chosen)


def opened(store: Store, *records: Record, compiled: CompiledPlaybook, at: datetime = NOW) -> Watching:
    """Return a store that was fed and swept at an instant, with one playbook in force."""
    watch = watching(store, compiled)
    watch.feed(*records, now=at)
    watch.sweep(at)
    return watch
