"""The events of a case, done to its system one by one."""

from agent.store.kill_switch import KillScope, lift_kill_switch
from evals.cases.loading import target_of
from evals.cases.model import Edited, Event
from evals.cases.moments import moment
from evals.cases.overlay import overlays
from evals.cases.world import change_record
from evals.world.company import type_of
from evals.world.system import FIRST_REVIEWER, OPERATOR, CaseSystem


async def serve_case(system: CaseSystem) -> None:
    """Start the system of a case, let its events happen, and let it run on for a while.

    Raises:
        OutriderError: The system failed, or does not come to rest.
    """
    system.start()
    held = len(system.records)
    system.note("world", f"{held} record{'' if held == 1 else 's'}; the system starts")
    for event in system.case.events:
        await system.advance(event.after)
        if event.action:
            _happen(system, event)
    await system.advance(system.case.runs)


def _happen(system: CaseSystem, event: Event) -> None:  # noqa: C901, PLR0912  # one branch per kind of event
    desk, words = system.app.desk, event.action.replace("_", " ")
    match event.action:
        case "change":
            _change(system, event)
        case "remove":
            _remove(system, event)
        case "approve":
            system.approve()
        case "reject" if event.reject:
            reason = event.reject
            system.review(words, lambda draft, _: desk.reject(draft, reviewer=FIRST_REVIEWER, reason=reason))
        case "redraft":
            system.review(
                words,
                lambda draft, _: desk.redraft(draft, reviewer=FIRST_REVIEWER, instruction=event.redraft),
            )
        case "escalate":
            system.review(words, lambda draft, _: desk.escalate(draft, reviewer=FIRST_REVIEWER, words="see"))
        case "edit" if event.edit:
            _edit(system, event.edit)
        case "opt_out" if event.opt_out:
            system.opt_out(event.opt_out)
            system.note("world", f"{event.opt_out.customer} opts out of {event.opt_out.channel}")
        case "stop" if event.stop:
            system.stop(event.stop)
            system.note("world", f"{OPERATOR} stops {event.stop.scope} {event.stop.key}".rstrip())
        case "lift" if event.lift:
            with system.app.store.write() as tx:
                scope, key = KillScope(event.lift.scope), event.lift.key
                lift_kill_switch(tx, scope=scope, key=key, operator=OPERATOR, at=system.clock())
            system.note("world", f"{OPERATOR} lifts the stop of {event.lift.scope} {event.lift.key}".rstrip())
        case "source":
            system.source.down = event.source == "down"
            system.note("world", f"the company's systems are {event.source}")
        case "provider":
            system.script.extend(event.provider)
            system.note("world", f"providers will answer {', '.join(event.provider)}")
        case "redeliver":
            system.source.redeliver(at=system.clock())
            system.note("world", "the source offers everything once more")
        case "restart":
            system.restart()
            system.note("world", "the process was killed and another took over")
        case _:
            raise AssertionError(event.action)


def _change(system: CaseSystem, event: Event) -> None:
    as_of = moment(event.as_of, system.case.start) if event.as_of else None
    if event.change is None:
        return
    for record_type, changes in overlays(event.change).items():
        for values in changes:
            key = target_of(record_type, values, system.records)
            record = change_record(record_type, system.records.get(key), values, system.case.frame)
            if as_of is None:  # late news does not change what the company holds
                system.records[type_of(record), record.id] = record
            system.source.tell(record, at=system.clock(), as_of=as_of)
            shown = ", ".join(f"{name}={value}" for name, value in values.items())
            system.note("world", f"{record_type} {record.id}: {shown}")


def _remove(system: CaseSystem, event: Event) -> None:
    for ref in event.remove:
        record_type, _, record_id = ref.partition(":")
        system.source.remove(record_type, record_id, at=system.clock())
        system.note("world", f"{ref} vanishes")


def _edit(system: CaseSystem, edited: Edited) -> None:
    for item in system.app.desk.list_drafts(limit=1_000):
        subject = item.subject if edited.subject is None else edited.subject
        body = (item.body if edited.body is None else edited.body) + edited.append
        system.review(
            "edit",
            lambda draft, shown, subject=subject, body=body: system.app.desk.edit(  # type: ignore[misc]  # bound now
                draft, reviewer=FIRST_REVIEWER, shown=shown, subject=subject, body=body
            ),
        )
