"""The kinds of work: a situation to deliberate, a delivery to take a step further."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from agent.clock import Clock
from agent.daemon.deliberations import Deliberations
from agent.daemon.worker import WorkKind
from agent.dispatch.dispatcher import Dispatcher
from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryId
from agent.store.cases import cases_of_situation, transition
from agent.store.deliveries import cancel_deliveries, get_delivery
from agent.store.situations import close_situation
from agent.store.transaction import Tx
from agent.store.work import DONE, Next, WorkItem, again

DELIBERATE = "deliberate"
DISPATCH = "dispatch"


def work_kinds(
    deliberations: Deliberations, dispatcher: Dispatcher, *, clock: Clock
) -> Mapping[str, WorkKind]:
    """Return how each kind of work is done."""
    return {
        DELIBERATE: WorkKind(
            run=_deliberate(deliberations), give_up=_give_up(clock), timeout=timedelta(minutes=10)
        ),
        DISPATCH: WorkKind(
            run=_dispatch(dispatcher), give_up=_stop_sending(clock), timeout=timedelta(minutes=5)
        ),
    }


def _deliberate(deliberations: Deliberations) -> Callable[[WorkItem], Awaitable[Next | None]]:
    async def run(item: WorkItem) -> Next | None:
        await deliberations.run(item.ref)
        return DONE

    return run


def _dispatch(dispatcher: Dispatcher) -> Callable[[WorkItem], Awaitable[Next | None]]:
    async def run(item: WorkItem) -> Next | None:
        dispatched = await dispatcher.dispatch(DeliveryId(item.ref))
        return again(dispatched.next_at) if dispatched.next_at else DONE

    return run


def _give_up(clock: Clock) -> Callable[[Tx, WorkItem], None]:
    """Return what hands the cases of a situation that cannot be deliberated to people."""
    actor = Actor(kind=ActorKind.SYSTEM, id="worker")

    def give_up(tx: Tx, item: WorkItem) -> None:
        now = clock()
        members = [case.id for case in cases_of_situation(tx.conn, item.ref)]
        transition(
            tx,
            members,
            to=CaseState.ESCALATED,
            at=now,
            next_at=None,
            reason="deliberation_failed",
            actor=actor,
        )
        close_situation(tx, item.ref, at=now)

    return give_up


def _stop_sending(clock: Clock) -> Callable[[Tx, WorkItem], None]:
    """Return what hands the case of a message to people that cannot be taken further."""
    actor = Actor(kind=ActorKind.SYSTEM, id="worker")

    def stop_sending(tx: Tx, item: WorkItem) -> None:
        now = clock()
        file = get_delivery(tx.conn, item.ref)
        if file is None:
            return
        case_id = file.delivery.case_id
        cancel_deliveries(tx, [case_id], reason="dispatch_failed", at=now, actor=actor)
        transition(
            tx, [case_id], to=CaseState.ESCALATED, at=now, next_at=None, reason="dispatch_failed", actor=actor
        )

    return stop_sending
