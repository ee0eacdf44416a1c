"""The dispatcher: look again, write the intent, call once, write the outcome."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from agent.clock import Clock, Monotonic
from agent.dispatch.checks import Checks
from agent.dispatch.intents import Intent, Intents, Look
from agent.dispatch.outcomes import accept, park, settle
from agent.dispatch.ports import Dispatched, Owner, Pace, Result
from agent.dispatch.recovery import recover_attempts
from agent.dispatch.second_channel import follow
from agent.dispatch.unknowns import NOT_FOUND_ONCE, Next, OnUnknown, after_not_found, next_move, on_unknown
from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import CaseId
from agent.domain.drafts import DeliveryId, DeliveryState
from agent.errors import NotFoundError, StoreError, TamperedError
from agent.recheck import LoadCandidates, Recheck, Rechecked
from agent.store.attempts import Attempt, attempts_of
from agent.store.deliveries import DeliveryFile, due_deliveries, get_delivery
from agent.store.kill_switch import active_stops
from agent.store.transaction import Store
from policies.model import Limits
from policies.review_rules import ReviewRules
from policies.triggers import CompiledPlaybook
from tools.errors import ToolError
from tools.messages import Receipt, ReceiptStatus
from tools.ports import Sender
from tools.records.vocabulary import ChannelKind

ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id="dispatch")


class Dispatcher:
    """Sends what was approved, at most once; use one per process, within one event loop."""

    def __init__(
        self,
        *,
        store: Store,
        senders: Mapping[ChannelKind, Sender],
        recheck: Recheck,
        candidates: LoadCandidates,
        playbooks: Mapping[str, CompiledPlaybook],
        limits: Limits,
        rules: ReviewRules,
        owner: Owner,
        clock: Clock,
        monotonic: Monotonic,
        pace: Pace | None = None,
    ) -> None:
        """Take the ports; `owner` must hold its lock before the first message."""
        self._store = store
        self._senders = senders
        self._recheck = recheck
        self._owner = owner
        self._clock = clock
        self._monotonic = monotonic
        self._pace = pace or Pace()
        self._checks = Checks(
            candidates=candidates,
            playbooks=playbooks,
            limits=limits,
            rules=rules,
            window=self._pace.window,
        )
        self._intents = Intents(store=store, checks=self._checks, owner=owner, pace=self._pace, actor=ACTOR)
        self._slots = {
            kind: asyncio.Semaphore(sender.capability.max_in_flight) for kind, sender in senders.items()
        }
        self._writing = asyncio.Lock()
        self._broken: StoreError | None = None

    async def dispatch_due(self, *, limit: int = 500) -> Counter[Result]:
        """Look at every delivery that is due, a bounded number at a time; return what came of them.

        Raises:
            StoreError: The database failed; nothing more is sent by this dispatcher.
        """
        with self._store.read() as conn:
            due = due_deliveries(conn, now=self._clock(), limit=limit)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._dispatch_or_fail(delivery_id)) for delivery_id in due]
        if self._broken is not None:
            raise self._broken
        return Counter(task.result() for task in tasks)

    async def dispatch(self, delivery_id: DeliveryId) -> Dispatched:
        """Take one delivery a step further, if it is due.

        Raises:
            NotFoundError: There is no such delivery.
            StoreError: The database failed. An outcome may not have been written, so this dispatcher
                refuses to go on: let the process end, and recovery will sort it out.
        """
        if self._broken is not None:
            raise self._broken
        try:
            file = await asyncio.to_thread(self._read, delivery_id)
            if file is None:
                raise NotFoundError(f"there is no delivery {delivery_id}")
            if file.delivery.state is DeliveryState.UNKNOWN:
                return await self._resolve(file)
            return await self._send(file)
        except TamperedError:
            return await asyncio.to_thread(self._intents.withdraw, delivery_id, now=self._clock())
        except StoreError as exc:
            self._broken = exc
            raise

    def recover(self) -> int:
        """Take up the attempts of workers that are provably dead; return how many.

        Their outcome becomes unknown, and `dispatch_due` then resolves it.
        """
        return recover_attempts(
            self._store, self._owner, self._senders, pace=self._pace, now=self._clock(), actor=ACTOR
        )

    async def _dispatch_or_fail(self, delivery_id: DeliveryId) -> Result:
        """Let the calls that are under way finish when one write fails."""
        try:
            return (await self.dispatch(delivery_id)).result
        except StoreError:
            return Result.SKIPPED

    async def _send(self, file: DeliveryFile) -> Dispatched:
        sender = self._senders.get(file.channel)
        if sender is None:
            return await asyncio.to_thread(self._intents.hold, file.delivery.id, now=self._clock())
        async with self._slots[file.channel]:
            begun = self._monotonic()
            look = await self._look(file.delivery.case_id)
            intent = await self._write_intent(file.delivery.id, look, sender)
            if isinstance(intent, Dispatched):
                return intent
            receipt = await self._call(sender, intent, begun=begun)
            return await self._write_outcome(intent, receipt)

    async def _look(self, case_id: CaseId) -> Look:
        now = self._clock()
        try:
            rechecked = await asyncio.to_thread(self._recheck, case_id, now=now)
        except ToolError as exc:
            rechecked = Rechecked(status="unknown", facts=(), facts_hash="", detail=exc.system)
        except NotFoundError:  # case or playbook is gone; the checks say what follows
            rechecked = Rechecked(status="unknown", facts=(), facts_hash="", detail="nothing to look at")
        return Look(rechecked=rechecked, at=now)

    async def _write_intent(self, delivery_id: DeliveryId, look: Look, sender: Sender) -> Intent | Dispatched:
        async with self._writing:
            return await asyncio.to_thread(
                self._intents.write, delivery_id, look, sender.capability, now=self._clock()
            )

    async def _call(self, sender: Sender, intent: Intent, *, begun: float) -> Receipt:
        """Make the one call, outside any transaction, unless it is too late or was stopped."""
        hindrance = await asyncio.to_thread(self._hindrance, intent, begun)
        if hindrance:
            return Receipt(status=ReceiptStatus.NOT_SENT, detail=hindrance)
        limit = (sender.capability.request_timeout + self._pace.call_grace).total_seconds()
        message = intent.file.delivery.message
        try:
            async with asyncio.timeout(limit):
                return await sender.send(message, idempotency_key=intent.attempt.idempotency_key)
        except TimeoutError:
            return Receipt(status=ReceiptStatus.UNKNOWN, detail="no answer in time")
        except asyncio.CancelledError:
            self._write_outcome_now(intent, Receipt(status=ReceiptStatus.UNKNOWN, detail="cancelled"))
            raise
        except Exception as exc:  # noqa: BLE001  # an adapter that breaks its promise may have sent
            return Receipt(status=ReceiptStatus.UNKNOWN, detail=type(exc).__name__)

    def _hindrance(self, intent: Intent, begun: float) -> str:
        """Return why the call must not be made after all, or nothing."""
        with self._store.read() as conn:
            stops = active_stops(conn)
        if stops.scenario(intent.file.scenario) or stops.channel(intent.file.channel):
            return "kill switch"
        if intent.file.delivery.message.content_hash != intent.attempt.body_hash:
            return "content hash"
        if not self._owner.still_held():
            return "lock lost"
        if self._monotonic() - begun > self._pace.window.total_seconds():
            return "too late"
        return ""

    async def _write_outcome(self, intent: Intent, receipt: Receipt) -> Dispatched:
        async with self._writing:
            return await asyncio.to_thread(self._write_outcome_now, intent, receipt)

    def _write_outcome_now(self, intent: Intent, receipt: Receipt) -> Dispatched:
        now = self._clock()
        with self._store.write() as tx:
            file, case = self._intents.locked(tx, intent.file.delivery.id)
            stopped = self._intents.stopped(file, case, None, now=now)
            return settle(tx, intent, receipt, stopped, pace=self._pace)

    async def _resolve(self, file: DeliveryFile) -> Dispatched:
        """Take an unknown outcome one step further: wait, look up, ask again, or hand over."""
        sender = self._senders.get(file.channel)
        now = self._clock()
        if sender is None or file.delivery.next_at is None or file.delivery.next_at > now:
            return Dispatched(result=Result.SKIPPED, next_at=file.delivery.next_at)
        with self._store.read() as conn:
            attempts = attempts_of(conn, file.delivery.id)
        first = next_move(attempts, sender.capability, self._wanted(file), pace=self._pace, now=now)
        step: Next | None = first
        reason = file.state_reason
        if first.move == "look_up":
            step = await self._look_up(sender, file, attempts, now=now)
            reason = NOT_FOUND_ONCE
        if step is not None and step.move == "replay":
            return await self._send(file)
        return await asyncio.to_thread(self._write_resolution, file, step, reason)

    def _wanted(self, file: DeliveryFile) -> OnUnknown:
        compiled = self._checks.playbooks.get(file.scenario)
        return on_unknown(file, compiled.playbook if compiled else None)

    async def _look_up(
        self, sender: Sender, file: DeliveryFile, attempts: list[Attempt], *, now: datetime
    ) -> Next | None:
        """Ask the provider; None when it has the message."""
        capability = sender.capability
        limit = (capability.request_timeout + self._pace.call_grace).total_seconds()
        try:
            async with asyncio.timeout(limit):
                sighting = await sender.lookup(file.delivery.id)
        except (TimeoutError, ToolError, OSError):
            return Next(move="wait", at=now + self._pace.look_again)
        if sighting.found:
            return None
        return after_not_found(
            attempts,
            capability,
            self._wanted(file),
            reason=file.state_reason,
            pace=self._pace,
            now=now,
        )

    def _read(self, delivery_id: DeliveryId) -> DeliveryFile | None:
        with self._store.read() as conn:
            return get_delivery(conn, delivery_id)

    def _write_resolution(self, seen: DeliveryFile, step: Next | None, reason: str) -> Dispatched:
        """Write what was found out; None means that the provider has the message."""
        now = self._clock()
        with self._store.write() as tx:
            file, case = self._intents.locked(tx, seen.delivery.id)
            if (file.delivery.state, file.delivery.next_at) != (DeliveryState.UNKNOWN, seen.delivery.next_at):
                return Dispatched(result=Result.SKIPPED, next_at=file.delivery.next_at)
            stopped = self._intents.stopped(file, case, None, now=now)
            if step is None:
                return accept(tx, stopped, reason="found")
            if step.move == "second_channel":
                wait = Next(move="wait", at=now + self._pace.look_again)
                return follow(tx, stopped, self._checks, wait=wait)
            return park(tx, stopped, step, reason=reason)
