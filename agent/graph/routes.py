"""Where a deliberation goes after each node."""

from typing import Literal

from agent.domain.decisions import DecisionKind
from agent.domain.deliberation import Deliberation


def after_decide(state: Deliberation) -> Literal["draft", "record"]:
    """Write a text only when somebody is to be contacted."""
    contacts = any(decision.kind is DecisionKind.CONTACT for decision in state.decisions)
    return "draft" if contacts else "record"


def after_draft(state: Deliberation) -> Literal["guard", "record"]:
    """Check a text; where none came about, the cases have gone to people already."""
    return "record" if state.slotted is None else "guard"


def after_guard(state: Deliberation) -> Literal["draft", "record"]:
    """Write again when the guards refused the text; `draft` itself knows when to stop asking the model."""
    return "record" if all(finding.ok for finding in state.findings) else "draft"
