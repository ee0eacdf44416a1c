"""Showing a draft with everything around it; looking changes nothing."""

from datetime import datetime

from sqlalchemy import Connection

from agent.domain.cases import Case
from agent.domain.decisions import Decision
from agent.review_desk.forecast import forecast
from agent.review_desk.locks import locks_of
from agent.review_desk.opening import Desk, draft_and_case
from agent.review_desk.timeline import timeline
from agent.review_desk.views import DraftView, FactState
from agent.store.attempts import attempts_of
from agent.store.decisions import decisions_of_case
from agent.store.deliveries import deliveries_of_case
from agent.store.drafts import drafts_of_case
from agent.store.mirror import load_records
from agent.store.reviews import reviews_of_case
from tools.records.people import Customer


def show(desk: Desk, draft_id: str, *, reviewer: str | None = None) -> DraftView:
    """Return everything a reviewer needs to judge a draft.

    Args:
        desk: The desk.
        draft_id: The draft.
        reviewer: Whose locks to tell; without one, only those that hold for everybody.

    Raises:
        NotFoundError: There is no such draft.
    """
    now = desk.clock()
    with desk.store.read() as conn:
        file, case = draft_and_case(conn, draft_id)
        decisions = tuple(decisions_of_case(conn, case.id))
        decision = next((one for one in decisions if one.id == file.draft.decision_id), None)
        deliveries = tuple(deliveries_of_case(conn, case.id))
        return DraftView(
            draft=file,
            case=case,
            decision=decision,
            versions=tuple(drafts_of_case(conn, case.id)),
            decisions=decisions,
            reviews=tuple(reviews_of_case(conn, case.id)),
            deliveries=deliveries,
            attempts=tuple(attempt for one in deliveries for attempt in attempts_of(conn, one.delivery.id)),
            customer_name=_customer_name(conn, case) or file.customer_name,
            ticket=file.draft.id,
            sender=desk.from_addresses.get(file.draft.message.channel, ""),
            timeline=timeline(conn, case),
            forecast=forecast(desk, conn, case, file, now=now),
            fact_states=_fact_states(desk, case, decision, now=now),
            locks=locks_of(desk, case, file, reviewer=reviewer, now=now),
        )


def _customer_name(conn: Connection, case: Case) -> str:
    seen = load_records(conn, {("customer", case.customer_id)})
    return next((one.record.name for one in seen.values() if isinstance(one.record, Customer)), "")


def _fact_states(desk: Desk, case: Case, decision: Decision | None, *, now: datetime) -> dict[str, FactState]:
    compiled = desk.playbooks.get(case.scenario)
    if decision is None or compiled is None:
        return {}
    oldest = now - compiled.playbook.max_age
    return {fact.name: "fresh" if fact.fetched_at >= oldest else "old" for fact in decision.facts}
