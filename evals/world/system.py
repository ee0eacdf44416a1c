"""One case served by a real system of its own: the real rounds, the real desk, the real dispatcher."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CompoundSelect, func, insert, union_all
from sqlmodel import col, select

from agent.bootstrap import App, Parts, build_app
from agent.clock import SimulatedClock
from agent.domain.audit import Actor, ActorKind
from agent.domain.drafts import DeliveryState, DraftState
from agent.errors import OutriderError
from agent.ids import seeded_ids
from agent.store.kill_switch import KillScope, set_kill_switch
from agent.store.suppressions import suppress
from agent.store.tables.cases import CaseFile, DraftRow, WorkRow
from agent.store.tables.mirror import Timer
from agent.store.tables.sending import DeliveryRow
from agent.store.work import WorkStatus
from evals.cases.model import Case, OptOut, Sent, Stopped
from evals.cases.moments import moment
from evals.cases.overlay import overlays
from evals.cases.world import build_records
from evals.results import Step
from evals.world.company import CompanySource
from evals.world.databases import Scratch
from evals.world.deciding import Deciding
from evals.world.provider import Act, RecordingProvider
from tools.records.base import Record
from tools.records.people import Customer
from tools.records.vocabulary import ChannelKind

FIRST_REVIEWER: Final = "ann"
SECOND_REVIEWER: Final = "bob"
OPERATOR: Final = "olga"
_KEY: Final = b"eval key, 32 bytes, no secret..."
_OLDER: Final = timedelta(hours=1)
"""How long before the start the company's systems were changed last."""
_MOST_ROUNDS: Final = 2_000
"""A system that finds something due for ever is broken; the case then fails instead of hanging."""


@dataclass(slots=True)
class CaseSystem:
    """A system, its outside world and its clock; `start` before anything else, `close` in the end."""

    case: Case
    deciding: Deciding
    scratch: Scratch
    seed: int
    clock: SimulatedClock = field(init=False)
    source: CompanySource = field(init=False)
    providers: dict[ChannelKind, RecordingProvider] = field(init=False)
    script: list[Act] = field(default_factory=list[Act])
    records: dict[tuple[str, str], Record] = field(default_factory=dict[tuple[str, str], Record])
    """What the company's systems hold now."""
    steps: list[Step] = field(default_factory=list[Step])
    """What happened to the system from outside, in order."""
    started: int = 0
    _app: App | None = None
    _rounds: int = 0

    @property
    def app(self) -> App:
        """The running system."""
        if self._app is None:
            raise RuntimeError("the system of this case is not running")
        return self._app

    def start(self) -> None:
        """Fill the world and start the system; nothing is read yet."""
        case = self.case
        self.scratch.empty()
        self.clock = SimulatedClock(case.start)
        self.records = build_records(case.world, case.scenario, case.frame)
        self.source = CompanySource([*{key[0]: None for key in self.records}, *_types_of_events(case)])
        for record in self.records.values():
            self.source.tell(record, at=case.start, as_of=case.start - _OLDER)
        self.providers = {
            kind: RecordingProvider(channel=kind, now=self.clock, script=self.script) for kind in ChannelKind
        }
        self.restart()
        for one in case.opted_out:
            self.opt_out(one)
        for stop in case.stopped:
            self.stop(stop)
        if case.sent:
            with self.app.store.write() as tx:
                tx.conn.execute(
                    insert(DeliveryRow),
                    [_sent_row(one, case, number) for number, one in enumerate(case.sent)],
                )

    def restart(self) -> None:
        """End the process without a word, if there is one, and start another over the same database."""
        self.close()
        self.started += 1
        playbooks = self.deciding.holding_out if self.case.held_out else self.deciding.treating
        self._app = build_app(
            Parts(
                database_url=self.scratch.url,
                data_folder=self.scratch.folder,
                installation_key=_KEY,
                sources=(self.source,),
                senders=dict(self.providers),
                playbooks=playbooks,
                limits=self.deciding.limits,
                folders=self.deciding.folders,
                templates=self.deciding.templates,
                rules=self.deciding.review_rules,
                make_model=self.deciding.make_model(self.case.id, self.clock),
                clock=self.clock,
                monotonic=lambda: self.clock().timestamp(),
                ids=seeded_ids(self.seed * 1_000 + self.started),
                open_database=self.scratch.open,
                concurrency=1,
            )
        )

    def close(self) -> None:
        """Free what the process holds."""
        if self._app is not None:
            self._app.close()
            self._app = None

    async def advance(self, by: timedelta) -> None:
        """Let time pass; the loop runs whenever something is due, as a daemon that looks often would.

        No time at all lets nothing happen in between: what follows comes before the next round.
        """
        if not by:
            return
        end = self.clock() + by
        await self.settle()
        while (due := self._due().first) is not None and due <= end:
            self.clock.set(max(due, self.clock()))
            await self.settle()
        self.clock.set(end)  # nothing is due, and nothing was told since the last round

    async def settle(self) -> None:
        """Run a round and what follows from it until nothing is due now; the reviewer approves what waits."""
        await self._round()
        while True:
            approved = self.case.reviewer == "approves" and self.approve()
            due = self._due()
            if due.rounds is not None and due.rounds <= self.clock():
                await self._round()
            elif due.work is not None and due.work <= self.clock():
                await self.app.daemon.worker.run_until_idle()  # as it runs beside the rounds of a daemon
                self._count()
            elif not approved:
                return

    async def _round(self) -> None:
        await self.app.daemon.once()
        self._count()

    def _count(self) -> None:
        self._rounds += 1
        if self._rounds > _MOST_ROUNDS:
            raise OutriderError(f"the system does not come to rest in {_MOST_ROUNDS} rounds")

    def approve(self) -> bool:
        """Approve every draft that waits, by two people where the rules want two."""
        approved = False
        for item in self.app.desk.list_drafts(limit=1_000):
            for reviewer in (FIRST_REVIEWER, SECOND_REVIEWER):
                try:
                    answer = self.app.desk.approve(item.draft_id, reviewer=reviewer, shown=item.content_hash)
                except OutriderError as exc:
                    self.note("review", f"{reviewer} could not approve: {exc}")
                    continue  # nobody approves their own words; another may
                self.note("review", f"{reviewer} approved: {answer.message}")
                approved = True
                if answer.outcome != "second_needed":
                    break
        return approved

    def review(self, what: str, act: Callable[[str, str], object]) -> None:
        """Let the reviewer do something with every draft that waits; what is refused is noted.

        Args:
            what: In words, for the record.
            act: Takes the draft's id and the hash of what is shown.
        """
        for item in self.app.desk.list_drafts(limit=1_000):
            try:
                act(item.draft_id, item.content_hash)
            except OutriderError as exc:
                self.note("review", f"{FIRST_REVIEWER} could not {what}: {exc}")
            else:
                self.note("review", f"{FIRST_REVIEWER}: {what}")

    def opt_out(self, wish: OptOut) -> None:
        """Let a customer opt out of a channel, as a STOP that was received."""
        customer = self.records.get(("customer", wish.customer))
        if not isinstance(customer, Customer):
            raise OutriderError(f"the world has no customer {wish.customer}")
        for address in _addresses(customer, wish.channel):
            with self.app.store.write() as tx:
                suppress(
                    tx,
                    keyring=self.app.store.keyring,
                    channel=wish.channel,
                    address=address,
                    purpose=wish.purpose,
                    source="reply:stop",
                    at=self.clock(),
                    actor=Actor(kind=ActorKind.SYSTEM, id="inbound"),
                    customer_id=customer.id,  # type: ignore[arg-type]  # a customer's id
                )

    def stop(self, stop: Stopped) -> None:
        """Order a stop."""
        with self.app.store.write() as tx:
            set_kill_switch(
                tx,
                scope=KillScope(stop.scope),
                key=stop.key,
                reason="ordered in this case",
                operator=OPERATOR,
                at=self.clock(),
            )

    def note(self, stage: str, what: str) -> None:
        """Add a line to what happened."""
        self.steps.append(Step(at=self.clock().isoformat(), stage=stage, what=what))

    def _due(self) -> "_Due":
        with self.app.store.read() as conn:
            work, *others = conn.execute(_DUE_TIMES).scalars()
        return _Due(work=work, rounds=min((at for at in others if at is not None), default=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """When something is to be done next."""

    work: datetime | None
    rounds: datetime | None
    """Cases that wait for the screen, timers, and drafts that expire."""

    @property
    def first(self) -> datetime | None:
        return min((at for at in (self.work, self.rounds) if at is not None), default=None)


_DUE_TIMES: Final[CompoundSelect[datetime | None]] = union_all(
    select(func.min(WorkRow.next_at)).where(col(WorkRow.status).not_in([WorkStatus.DONE, WorkStatus.DEAD])),
    select(func.min(CaseFile.next_at)),
    select(func.min(Timer.next_at)),
    select(func.min(DraftRow.expires_at)).where(col(DraftRow.state) == DraftState.PENDING),
)
"""Work first, then what rounds look at."""


def _types_of_events(case: Case) -> list[str]:
    return [name for event in case.events if event.change for name in overlays(event.change)]


def _sent_row(one: Sent, case: Case, number: int) -> dict[str, object]:
    at = moment(one.at, case.start)
    return {
        "id": f"dlv_before_{number}",
        "case_id": f"case_before_{number}",
        "customer_id": one.customer,
        "scenario": one.scenario,
        "purpose": "service",
        "channel": one.channel.value,
        "step": 0,
        "dedup_key": f"before#{number}",
        "draft_id": f"drf_before_{number}",
        "review_id": None,
        "needs_approval": False,
        "content_hash": "0" * 64,
        "message": "{}",
        "state": DeliveryState.ACCEPTED.value,
        "state_reason": "",
        "next_at": None,
        "expires_at": at + timedelta(days=1),
        "attempts": 1,
        "counts_to_cap": one.counts_to_cap,
        "intent_at": at,
    }


def _addresses(customer: Customer, channel: ChannelKind) -> tuple[str, ...]:
    match channel:
        case ChannelKind.EMAIL:
            return customer.emails
        case ChannelKind.SMS:
            return customer.phones
        case ChannelKind.PUSH:
            return customer.push_tokens
