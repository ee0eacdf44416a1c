"""The first transaction of the protocol: check everything on fresh data, then write the durable intent."""

from dataclasses import dataclass
from datetime import datetime

from agent.dispatch.checks import Checks, Refusal
from agent.dispatch.ports import Dispatched, Owner, Pace, Result
from agent.dispatch.refusals import Stopped, apply_refusal, hand_to_person
from agent.domain.audit import Actor
from agent.domain.cases import Case, CaseState
from agent.domain.drafts import DeliveryId, DeliveryState
from agent.errors import NotFoundError
from agent.recheck import Rechecked
from agent.store.attempts import Attempt, start_attempt
from agent.store.cases import get_case, transition
from agent.store.deliveries import DeliveryFile, get_delivery, set_delivery_state, withdraw_unreadable
from agent.store.locks import (
    KILL_SWITCH_LOCK,
    address_lock,
    customer_lock,
    lock_cases,
    lock_exclusive,
    lock_shared,
)
from agent.store.transaction import Store, Tx
from tools.messages import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A durable intent: the call may now be made, once."""

    file: DeliveryFile
    case: Case
    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A fresh look at the sources, and when it was taken."""

    rechecked: Rechecked
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """Writes intents, or what stands in their way."""

    store: Store
    checks: Checks
    owner: Owner
    pace: Pace
    actor: Actor

    def write(
        self, delivery_id: DeliveryId, look: Look, capability: Capability, *, now: datetime
    ) -> Intent | Dispatched:
        """Check a delivery and write the intent to send it, in one transaction.

        Raises:
            NotFoundError: There is no such delivery.
            TamperedError: Its stored message cannot be read; `withdraw` it.
            StoreError: The database failed; nothing may be sent.
        """
        with self.store.write() as tx:
            file, case = self._locked(tx, delivery_id)
            if not _is_due(file, now):
                return self._skip(file, now=now)
            refusal = self.checks.first_refusal(
                tx.conn, file, case, look.rechecked, looked_at=look.at, now=now
            )
            if refusal is not None:
                return self._refuse(tx, file, case, refusal, look.rechecked, now=now)
            return self._intend(tx, file, case, capability, now=now)

    def hold(self, delivery_id: DeliveryId, *, now: datetime) -> Dispatched:
        """Let a delivery wait, or run out of time, while its channel has no sender."""
        with self.store.write() as tx:
            file, case = self.locked(tx, delivery_id)
            if not _is_due(file, now):
                return self._skip(file, now=now)
            refusal = self.checks.without_sender(file, case, now=now)
            return apply_refusal(tx, self.stopped(file, case, None, now=now), refusal, pace=self.pace)

    def withdraw(self, delivery_id: DeliveryId, *, now: datetime) -> Dispatched:
        """Take out a delivery whose stored message cannot even be read, and tell people."""
        with self.store.write() as tx:
            case_id = withdraw_unreadable(tx, delivery_id, at=now, actor=self.actor)
            if case_id is not None:
                transition(
                    tx,
                    [case_id],
                    to=CaseState.ESCALATED,
                    at=now,
                    next_at=None,
                    reason="approval_mismatch",
                    actor=self.actor,
                )
        return Dispatched(result=Result.REFUSED, next_at=None)

    def stopped(self, file: DeliveryFile, case: Case, looked: Rechecked | None, *, now: datetime) -> Stopped:
        """Return the setting in which a refusal or an outcome is written."""
        compiled = self.checks.playbooks.get(case.scenario)
        return Stopped(
            file=file,
            case=case,
            playbook=compiled.playbook if compiled else None,
            looked=looked,
            at=now,
            actor=self.actor,
        )

    def locked(self, tx: Tx, delivery_id: DeliveryId) -> tuple[DeliveryFile, Case]:
        """Return a delivery and its case, both locked until the transaction ends: the case first."""
        known = get_delivery(tx.conn, delivery_id)
        if known is None:
            raise NotFoundError(f"there is no delivery {delivery_id}")
        lock_cases(tx.conn, [known.delivery.case_id])
        case = get_case(tx.conn, known.delivery.case_id)
        file = get_delivery(tx.conn, delivery_id, lock=True)
        if file is None or case is None:
            raise NotFoundError(f"delivery {delivery_id} has no case")
        return file, case

    def _skip(self, file: DeliveryFile, *, now: datetime) -> Dispatched:
        """Leave a delivery alone; one that is being sent is looked at again, for its worker may be dead."""
        sending = file.delivery.state is DeliveryState.SENDING
        next_at = now + self.pace.first_wait if sending else file.delivery.next_at
        return Dispatched(result=Result.SKIPPED, next_at=next_at)

    def _locked(self, tx: Tx, delivery_id: DeliveryId) -> tuple[DeliveryFile, Case]:
        # Names before rows, and shared before exclusive ones, as opt-outs and kill switches take them:
        # once one of those has committed, what is read below shows it.
        known = get_delivery(tx.conn, delivery_id)
        if known is None:
            raise NotFoundError(f"there is no delivery {delivery_id}")
        recipient = self.store.keyring.address_hmac(known.delivery.message.recipient)
        lock_shared(tx.conn, KILL_SWITCH_LOCK)
        lock_exclusive(tx.conn, address_lock(recipient), customer_lock(known.customer_id))
        return self.locked(tx, delivery_id)

    def _intend(
        self, tx: Tx, file: DeliveryFile, case: Case, capability: Capability, *, now: datetime
    ) -> Intent:
        attempt = start_attempt(
            tx,
            file,
            provider=capability.name,
            owner=self.owner.id,
            at=now,
            deadline=now + self.pace.window,
            actor=self.actor,
        )
        set_delivery_state(
            tx, file, to=DeliveryState.SENDING, reason="", next_at=None, at=now, actor=self.actor
        )
        return Intent(file=file, case=case, attempt=attempt)

    def _refuse(
        self,
        tx: Tx,
        file: DeliveryFile,
        case: Case,
        refusal: Refusal,
        looked: Rechecked,
        *,
        now: datetime,
    ) -> Dispatched:
        stopped = self.stopped(file, case, looked, now=now)
        deferred = refusal.delivery is DeliveryState.QUEUED
        if file.delivery.state is DeliveryState.UNKNOWN and not deferred:
            return hand_to_person(
                tx,
                stopped,
                reason="unknown_outcome",
                explanation=f"It may have been sent, and asking again is not allowed: {refusal.explanation}",
            )
        return apply_refusal(tx, stopped, refusal, pace=self.pace)


def _is_due(file: DeliveryFile, now: datetime) -> bool:
    delivery = file.delivery
    waiting = delivery.state in (DeliveryState.QUEUED, DeliveryState.UNKNOWN)
    return waiting and delivery.next_at is not None and delivery.next_at <= now
