"""The sweep: changed records and due timers into cases. Its cost grows with these, never with the mirror."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import Case, CaseState, Signal
from agent.domain.mirror import RecordKey
from agent.store.cases import cases_of_objects, is_open, open_cases, transition
from agent.store.deliveries import cancel_deliveries
from agent.store.drafts import close_drafts
from agent.store.timers import drop_changes, due_timers, pending_changes, replace_timers
from agent.store.transaction import Store, Tx
from agent.watch.related import Records, Subject, records_of, roots_of
from agent.watch.scopes import affected_customers
from agent.watch.signals import admissible
from policies.expressions import Truth
from policies.triggers import CompiledPlaybook, Evaluation
from tools.records.base import CustomerId
from tools.records.operations import Incident

ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id="sweep")
_PAGE = 500
"""Changes or timers per transaction."""


@dataclass(slots=True)
class Swept:
    """What a sweep did; numbers of records, evaluations, cases."""

    changes: int = 0
    timers: int = 0
    evaluated: int = 0
    opened: int = 0
    resolved: int = 0
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Why true triggers opened no case: `duplicate`, `reentry`, `too_late`, `no_customer`, `incomplete`."""

    @property
    def idle(self) -> bool:
        """Whether nothing was left to look at."""
        return self.changes == 0 and self.timers == 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Evaluates the playbooks on what changed and on what became due."""

    store: Store
    playbooks: Mapping[str, CompiledPlaybook]
    shadow: bool = False

    def run(self, *, now: datetime) -> Swept:
        """Take pages of changes and timers until none is left; each page is one transaction.

        A crash within a page changes nothing, and the page is taken again.
        """
        total = Swept()
        while True:
            page = self.page(now=now)
            total.changes += page.changes
            total.timers += page.timers
            total.evaluated += page.evaluated
            total.opened += page.opened
            total.resolved += page.resolved
            for reason, number in page.refused.items():
                total.refused[reason] += number
            if page.idle:
                return total

    def page(self, *, now: datetime) -> Swept:
        """Take one page; `Swept.idle` when there was none."""
        swept = Swept()
        with self.store.write() as tx:
            changes = pending_changes(tx.conn, _PAGE)
            timers = due_timers(tx.conn, now, _PAGE)
            swept.changes, swept.timers = len(changes), len(timers)
            changed = {key for _, key in changes}
            due: dict[str, set[RecordKey]] = defaultdict(set)
            for timer in timers:
                due[timer.scenario].add(timer.key)
            for scenario in due.keys() - self.playbooks.keys():
                replace_timers(tx, {scenario: due[scenario]}, {})  # a playbook that is gone
            for scenario, compiled in self.playbooks.items():
                self._evaluate(tx, compiled, changed, due.get(scenario, set()), swept, now=now)
            drop_changes(tx, [seq for seq, _ in changes])
        return swept

    def _evaluate(
        self,
        tx: Tx,
        compiled: CompiledPlaybook,
        changed: Collection[RecordKey],
        due: Collection[RecordKey],
        swept: Swept,
        *,
        now: datetime,
    ) -> None:
        trigger = compiled.playbook.trigger
        relevant = {key for key in changed if key[0] in compiled.relevant_types}
        roots = roots_of(tx.conn, relevant, trigger.record) | set(due)
        if not roots:
            return
        records = records_of(tx.conn, [Subject(key, None) for key in sorted(roots)], trigger.related)
        evaluations = {
            subject.key: compiled.evaluate({kind: seen.record for kind, seen in found.items()}, now=now)
            for subject, found in records.items()
        }
        swept.evaluated += len(evaluations)
        timers = {
            (compiled.playbook.scenario, key): evaluation.timers
            for key, evaluation in evaluations.items()
            if evaluation.timers
        }
        replace_timers(tx, {compiled.playbook.scenario: roots}, timers)
        owned = {subject.key: found for subject, found in records.items()}
        signals = self._signals(tx.conn, compiled, owned, evaluations, swept, now=now)
        self._settle(tx, compiled, roots, evaluations, signals, swept, now=now)

    def _signals(
        self,
        conn: Connection,
        compiled: CompiledPlaybook,
        records: Mapping[RecordKey, Records],
        evaluations: Mapping[RecordKey, Evaluation],
        swept: Swept,
        *,
        now: datetime,
    ) -> list[Signal]:
        signals: list[Signal] = []
        for key, evaluation in evaluations.items():
            if evaluation.fires is not Truth.TRUE or evaluation.resolved is Truth.TRUE:
                continue
            if evaluation.episode is None:
                swept.refused["incomplete"] += 1
                continue
            if evaluation.deadline is not None and evaluation.deadline <= now:
                swept.refused["too_late"] += 1
                continue
            customers = self._customers(conn, compiled, records[key], key)
            if not customers:
                swept.refused["no_customer"] += 1
            signals += [
                Signal(
                    scenario=compiled.playbook.scenario,
                    playbook=compiled.playbook.ref,
                    customer_id=customer,
                    object_ref=f"{key[0]}:{key[1]}",
                    episode=evaluation.episode,
                    at=now,
                    deadline=evaluation.deadline,
                )
                for customer in customers
            ]
        return signals

    def _customers(
        self, conn: Connection, compiled: CompiledPlaybook, records: Records, key: RecordKey
    ) -> list[CustomerId]:
        seen = records[key[0]]
        if compiled.playbook.trigger.scope == "affected" and isinstance(seen.record, Incident):
            return affected_customers(conn, seen.record)
        return [CustomerId(seen.customer_ref)] if seen.customer_ref else []

    def _settle(
        self,
        tx: Tx,
        compiled: CompiledPlaybook,
        roots: Collection[RecordKey],
        evaluations: Mapping[RecordKey, Evaluation],
        signals: Sequence[Signal],
        swept: Swept,
        *,
        now: datetime,
    ) -> None:
        scenario = compiled.playbook.scenario
        known = cases_of_objects(tx.conn, {f"{key[0]}:{key[1]}" for key in roots})
        mine = [case for cases in known.values() for case in cases if case.scenario == scenario]
        cleared = {
            f"{key[0]}:{key[1]}"
            for key in roots
            if key not in evaluations or evaluations[key].resolved is Truth.TRUE
        }
        gone = [case for case in mine if is_open(case) and case.object_ref in cleared]
        resolve_cases(tx, gone, reason="cleared", at=now, actor=ACTOR)
        accepted, superseded = admissible(
            signals, [case for case in mine if case not in gone], compiled.playbook.reentry, swept.refused
        )
        resolve_cases(tx, superseded, reason="superseded", at=now, actor=ACTOR)
        opened = open_cases(tx, accepted, actor=ACTOR, shadow=self.shadow)
        swept.resolved += len(gone) + len(superseded)
        swept.opened += len(opened)


def resolve_cases(tx: Tx, cases: Sequence[Case], *, reason: str, at: datetime, actor: Actor) -> None:
    """Close cases whose condition cleared, and stop everything that is queued for them."""
    if not cases:
        return
    ids = [case.id for case in cases]
    close_drafts(tx, ids, reason=reason, at=at, actor=actor)
    cancel_deliveries(tx, ids, reason=reason, at=at, actor=actor)
    transition(tx, ids, to=CaseState.RESOLVED, at=at, next_at=None, reason=reason, actor=actor)
