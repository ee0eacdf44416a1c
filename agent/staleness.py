"""Why a draft is not what would be written now: its facts, its playbook, its customer's language or zone."""

from typing import Final, Literal

from agent.composition import relevant_facts
from agent.domain.drafts import AUTHORS, Draft
from agent.recheck import Rechecked
from policies.fact_names import fact_kind
from policies.model import Playbook
from tools.records.facts import facts_hash

Staleness = Literal["policy_changed", "facts_changed", "language_changed", "zone_changed"]

STALE_WORDS: Final[dict[Staleness, str]] = {
    "policy_changed": "The playbook changed since the draft was written",
    "facts_changed": "The facts changed since the draft was written",
    "language_changed": "The customer's language changed since the draft was written",
    "zone_changed": "The customer's time zone changed since the draft was written",
}


def why_stale(draft: Draft, looked: Rechecked, playbook: Playbook) -> Staleness | None:
    """Return why a draft must be written again, or None while it still rests on what is true.

    Args:
        draft: What waits or was approved.
        looked: A fresh look at its case that found the condition to hold.
        playbook: The one in force for its scenario.
    """
    if facts_hash(relevant_facts(looked.facts, draft.used, playbook)) != draft.facts_hash:
        return "facts_changed"
    if looked.locale != draft.written_for:
        return "language_changed"
    if looked.zone != draft.zone and _may_tell_a_time(draft):
        return "zone_changed"
    return None


def why_stale_in_review(draft: Draft, looked: Rechecked, playbook: Playbook) -> Staleness | None:
    """Return why a draft cannot be approved as it is: `why_stale`, or its playbook is another one by now.

    What was approved under an older playbook may still leave; the gates of the newer one judge it.
    """
    if draft.message.policy != playbook.ref:
        return "policy_changed"
    return why_stale(draft, looked, playbook)


def _may_tell_a_time(draft: Draft) -> bool:
    """Whether the text depends on the zone; of a person's own words nobody can tell."""
    return draft.author not in AUTHORS or any(fact_kind(slot.slot) == "instant" for slot in draft.used)
