"""The card of one decision: everything that led to it and everything that followed, read from the store."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from agent.domain.cases import Case, CaseId
from agent.domain.decisions import Decision
from agent.domain.drafts import Review
from agent.errors import NotFoundError
from agent.store.attempts import Attempt, attempts_of
from agent.store.audit_pages import LoggedEvent, case_events, open_private
from agent.store.cases import get_case
from agent.store.decisions import decisions_of_case, get_decision
from agent.store.deliveries import DeliveryFile, deliveries_of_case, get_delivery
from agent.store.drafts import DraftFile, drafts_of_case, get_draft
from agent.store.keyring import Keyring
from agent.store.llm_calls import LlmCall, get_calls
from agent.store.reviews import reviews_of_case


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A delivery with its calls to the provider."""

    delivery: DeliveryFile
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One decision, with its case, what it rests on and what followed."""

    case: Case
    decision: Decision | None
    """The one asked for, or the case's last; None before the first."""
    decisions: Sequence[Decision]
    """All decisions on the case, oldest first."""
    drafts: Sequence[DraftFile]
    """All versions, oldest first."""
    reviews: Sequence[Review]
    sendings: Sequence[Sending]
    calls: Sequence[LlmCall]
    """Calls to a model that had a part in the decision or a draft."""
    events: Sequence[LoggedEvent]
    """The case in the audit log, with personal data in clear where the customer's key still exists."""


def decision_card(connection: Connection, keyring: Keyring, ref: str) -> Card:
    """Return the card of a decision, or of the case that an id of a case, draft or delivery belongs to.

    Raises:
        NotFoundError: There is nothing with this id.
        TamperedError: A stored text or the customer's key does not open.
    """
    asked = get_decision(connection, ref) if ref.startswith("dec_") else None
    case = get_case(connection, asked.case_id if asked else _case_id(connection, ref))
    if case is None:
        raise NotFoundError(f"there is no decision, case, draft or delivery {ref!r}")
    decisions = decisions_of_case(connection, case.id)
    decision = asked or (decisions[-1] if decisions else None)
    drafts = drafts_of_case(connection, case.id)
    return Card(
        case=case,
        decision=decision,
        decisions=decisions,
        drafts=drafts,
        reviews=reviews_of_case(connection, case.id),
        sendings=[
            Sending(delivery=file, attempts=attempts_of(connection, file.delivery.id))
            for file in deliveries_of_case(connection, case.id)
        ],
        calls=get_calls(connection, _call_ids(decision, drafts)),
        events=open_private(connection, keyring, case_events(connection, case.id)),
    )


def _case_id(connection: Connection, ref: str) -> CaseId:
    if ref.startswith("drf_"):
        draft = get_draft(connection, ref)
        return draft.draft.case_id if draft else CaseId("")
    if ref.startswith("dlv_"):
        delivery = get_delivery(connection, ref)
        return delivery.delivery.case_id if delivery else CaseId("")
    return CaseId(ref)


def _call_ids(decision: Decision | None, drafts: Sequence[DraftFile]) -> set[str]:
    uses = [decision.model_use if decision else None, *(file.draft.model_use for file in drafts)]
    return {call for use in uses if use is not None for call in use.calls}
