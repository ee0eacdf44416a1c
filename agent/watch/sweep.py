"""The sweep: changed records and due timers into cases. Its cost grows with these, never with the mirror."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import Case, CaseState, Signal
from agent.domain.mirror import RecordKey
from agent.store.cases import cases_of_objects, is_open, open_cases, transition
from agent.store.locks import lock_exclusive
from agent.store.timers import drop_changes, due_timers, note_changes, pending_changes, replace_timers
from agent.store.transaction import Store, Tx
from agent.watch.closing import resolve_cases, under_way
from agent.watch.related import CUSTOMER, Records, Subject, records_of, roots_of
from agent.watch.scopes import affected_customers
from agent.watch.signals import admit
from policies.expressions import Truth
from policies.triggers import CompiledPlaybook, Evaluation
from tools.records.base import CustomerId
from tools.records.operations import Incident

ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id="sweep")


@dataclass(slots=True)
class Swept:
    """What a sweep did; numbers of records, evaluations, cases."""

    changes: int = 0
    timers: int = 0
    evaluated: int = 0
    opened: int = 0
    reopened: int = 0
    """Cases that had cleared and whose condition is true again."""
    resolved: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    """Why true triggers opened no case: `duplicate`, `reentry`, `busy`, `too_late`, `no_customer`,
    `incomplete`."""

    @property
    def idle(self) -> bool:
        """Whether nothing was left to look at."""
        return self.changes == 0 and self.timers == 0

    def add(self, page: "Swept") -> None:
        """Add the numbers of another page."""
        self.changes += page.changes
        self.timers += page.timers
        self.evaluated += page.evaluated
        self.opened += page.opened
        self.reopened += page.reopened
        self.resolved += page.resolved
        self.refused.update(page.refused)


@dataclass(frozen=True, slots=True)
class _Look:
    """What one playbook says about the records of a page."""

    compiled: CompiledPlaybook
    roots: Collection[RecordKey]
    records: Mapping[RecordKey, Records]
    """Without those that do not exist (any more)."""
    evaluations: Mapping[RecordKey, Evaluation]
    now: datetime


@dataclass(frozen=True, slots=True)
class Sweep:
    """Evaluates the playbooks on what changed and on what became due."""

    store: Store
    playbooks: Mapping[str, CompiledPlaybook]
    shadow: bool = False
    page_size: int = 500
    """Most changes, and most timers, per transaction."""
    most_cases: int = 10_000
    """Most cases opened or closed per transaction and playbook; an incident with more takes several."""

    def run(self, *, now: datetime) -> Swept:
        """Take pages of changes and timers until none is left; each page is one transaction.

        A crash within a page changes nothing, and the page is taken again.
        """
        total = Swept()
        while True:
            page = self.page(now=now)
            total.add(page)
            if page.idle:
                return total

    def page(self, *, now: datetime) -> Swept:
        """Take one page; `Swept.idle` when there was none."""
        swept = Swept()
        with self.store.write() as tx:
            lock_exclusive(tx.conn, "sweep")  # two at once would open the same cases
            changes = pending_changes(tx.conn, self.page_size)
            timers = due_timers(tx.conn, now, self.page_size)
            swept.changes, swept.timers = len(changes), len(timers)
            changed = {key for _, key in changes}
            due: dict[str, set[RecordKey]] = defaultdict(set)
            for timer in timers:
                due[timer.scenario].add(timer.key)
            for scenario in due.keys() - self.playbooks.keys():
                replace_timers(tx, {scenario: due[scenario]}, {})  # a playbook that is gone
            drop_changes(tx, [seq for seq, _ in changes])
            for scenario, compiled in self.playbooks.items():
                look = _look(tx.conn, compiled, changed, due.get(scenario, set()), now=now)
                if look.roots:
                    swept.evaluated += len(look.evaluations)
                    self._settle(tx, look, swept)
        return swept

    def _settle(self, tx: Tx, look: _Look, swept: Swept) -> None:
        """Close what cleared, open what is true, and set the timers for what may become true."""
        playbook = look.compiled.playbook
        known = cases_of_objects(tx.conn, {_ref(key) for key in look.roots})
        mine = [case for cases in known.values() for case in cases if case.scenario == playbook.scenario]
        unfinished = self._close(tx, look, mine, swept)
        signals = _signals(tx.conn, look, swept)
        admitted = admit(signals, mine, playbook.reentry, sending=under_way(tx.conn, mine))
        swept.refused.update(admitted.refused)
        accepted, rest = admitted.accepted[: self.most_cases], admitted.accepted[self.most_cases :]
        unfinished |= {signal.object_ref for signal in rest}
        superseded = resolve_cases(
            tx, admitted.superseded, look.compiled, reason="superseded", at=look.now, actor=ACTOR
        )
        open_cases(tx, accepted, actor=ACTOR, shadow=self.shadow)
        _reopen(tx, admitted.reopened, at=look.now)
        swept.resolved += len(superseded)
        swept.opened += len(accepted)
        swept.reopened += len(admitted.reopened)
        _set_timers(tx, look, admitted.later)
        note_changes(tx, {key for key in look.roots if _ref(key) in unfinished})

    def _close(self, tx: Tx, look: _Look, cases: Sequence[Case], swept: Swept) -> set[str]:
        """Close the open cases of objects that cleared or are gone; return those with more to close."""
        unfinished: set[str] = set()
        for reason, refs in (
            ("deleted", {_ref(key) for key in look.roots if key not in look.evaluations}),
            ("cleared", {_ref(key) for key, one in look.evaluations.items() if one.resolved is Truth.TRUE}),
        ):
            closing = [case for case in cases if case.object_ref in refs and is_open(case)]
            unfinished |= {case.object_ref for case in closing[self.most_cases :]}
            closed = resolve_cases(
                tx, closing[: self.most_cases], look.compiled, reason=reason, at=look.now, actor=ACTOR
            )
            swept.resolved += len(closed)
        return unfinished


def _look(
    conn: Connection,
    compiled: CompiledPlaybook,
    changed: Collection[RecordKey],
    due: Collection[RecordKey],
    *,
    now: datetime,
) -> _Look:
    root_type, *related = compiled.relevant_types
    relevant = {key for key in changed if key[0] in compiled.relevant_types}
    roots = roots_of(conn, relevant, root_type) | set(due)
    subjects = [Subject(key, None) for key in sorted(roots)]
    found = records_of(conn, subjects, related) if subjects else {}
    return _Look(
        compiled=compiled,
        roots=roots,
        records={subject.key: records for subject, records in found.items()},
        evaluations={
            subject.key: compiled.evaluate({kind: seen.record for kind, seen in records.items()}, now=now)
            for subject, records in found.items()
        },
        now=now,
    )


def _signals(conn: Connection, look: _Look, swept: Swept) -> list[Signal]:
    playbook = look.compiled.playbook
    signals: list[Signal] = []
    for key, evaluation in look.evaluations.items():
        if evaluation.fires is not Truth.TRUE or evaluation.resolved is Truth.TRUE:
            continue
        customers = _customers(conn, look, key)
        if evaluation.episode is None:
            swept.refused["incomplete"] += 1
        elif evaluation.deadline is not None and evaluation.deadline <= look.now:
            swept.refused["too_late"] += 1  # a backfill must not write about last year
        elif not customers:
            swept.refused["no_customer"] += 1
        else:
            signals += [
                Signal(
                    scenario=playbook.scenario,
                    playbook=playbook.ref,
                    customer_id=customer,
                    object_ref=_ref(key),
                    episode=evaluation.episode,
                    at=look.now,
                    deadline=evaluation.deadline,
                )
                for customer in customers
            ]
    return signals


def _customers(conn: Connection, look: _Look, key: RecordKey) -> list[CustomerId]:
    seen = look.records[key][key[0]]
    if look.compiled.playbook.trigger.scope == "affected" and isinstance(seen.record, Incident):
        return affected_customers(conn, seen.record)
    owner = key[1] if key[0] == CUSTOMER else seen.customer_ref
    return [CustomerId(owner)] if owner else []


def _reopen(tx: Tx, cases: Sequence[Case], *, at: datetime) -> None:
    if cases:
        ids = [case.id for case in cases]
        transition(tx, ids, to=CaseState.NEW, at=at, next_at=at, reason="true_again", actor=ACTOR)


def _set_timers(tx: Tx, look: _Look, later: Mapping[str, datetime]) -> None:
    scenario = look.compiled.playbook.scenario
    timers: dict[tuple[str, RecordKey], list[datetime]] = {}
    for key, evaluation in look.evaluations.items():
        instants = {*evaluation.timers, *filter(None, [later.get(_ref(key))])}
        if instants:
            timers[scenario, key] = sorted(instants)
    replace_timers(tx, {scenario: look.roots}, timers)


def _ref(key: RecordKey) -> str:
    return f"{key[0]}:{key[1]}"
