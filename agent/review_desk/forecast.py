"""What would happen if a draft were approved now: the gates are asked as they will be at the send."""

from datetime import datetime

from sqlalchemy import Connection

from agent.domain.cases import Case
from agent.domain.drafts import DraftState
from agent.review_desk.opening import Desk
from agent.review_desk.views import Forecast
from agent.store.drafts import DraftFile
from policies.engine import evaluate_gates
from policies.verdict import Outcome, Ruling


def forecast(desk: Desk, conn: Connection, case: Case, file: DraftFile, *, now: datetime) -> Forecast | None:
    """Return when and how a pending draft would leave; None when there is nothing left to send.

    The gates are asked for the draft's own channel, at the end of the time in which an approval can be
    undone, on the mirror as it is; at the send they are asked again on facts read afresh.
    """
    compiled = desk.playbooks.get(case.scenario)
    if file.draft.state is not DraftState.PENDING or compiled is None:
        return None
    candidate = desk.candidates(conn, [case], now=now).get(case.id)
    if candidate is None:
        return None
    playbook, message = compiled.playbook, file.draft.message
    earliest = now + desk.rules.undo
    gated = evaluate_gates(candidate, playbook, desk.limits, now=earliest, only=message.channel)
    leaves_at, why = _leaving(gated.ruling, earliest)
    if case.shadow:
        leaves_at, why = None, "The case runs in shadow mode, which sends nothing."
    return Forecast(
        leaves_at=leaves_at,
        zone=desk.zone_of(conn, case),
        why=why,
        channel=message.channel,
        segments=file.draft.segments,
        cost_micros=file.draft.cost_micros,
        needs_second=desk.rules.needs_second(purpose=playbook.purpose, stake=file.stake),
    )


def _leaving(ruling: Ruling, earliest: datetime) -> tuple[datetime | None, str]:
    if ruling.outcome is Outcome.DEFER:
        return ruling.until, ruling.reason
    if ruling.outcome is Outcome.BLOCK:
        return None, ruling.reason
    return earliest, "Nothing holds it: it leaves when the time to undo is over."
