"""Who gets a text, which slots it may use, and how a case leaves for people instead."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.domain.cases import Situation
from agent.domain.decisions import Decision, DecisionKind
from agent.domain.deliberation import Deliberation, Member, Update
from agent.domain.model import KnownFact
from policies.fact_names import fact_kind, is_coarse
from policies.model import Playbook
from tools.records.base import Money
from tools.records.facts import Fact, FilledSlot


def contacted(state: Deliberation) -> tuple[Member, ...]:
    """Return the members that are to be contacted, in order."""
    kinds = {decision.case_id: decision.kind for decision in state.decisions}
    return tuple(member for member in state.members if kinds.get(member.case.id) is DecisionKind.CONTACT)


def usable_slots(members: Sequence[Member], playbook: Playbook) -> tuple[KnownFact, ...]:
    """Return the facts that every member has and that a text can print, sorted by name."""
    printable = [name for name in playbook.facts if not is_coarse(name)]  # codes are no words for customers
    for member in members:
        have = {fact.name for fact in member.facts if fact.trusted and fact.value is not None}
        printable = [name for name in printable if name in have]
    return tuple(KnownFact(name=name, kind=fact_kind(name), value=None) for name in sorted(printable))


def true_flags(situation: Situation) -> tuple[str, ...]:
    """Return the flags that are true of every member of a situation."""
    return tuple(name for name, value in situation.categories if value == "yes" and fact_kind(name) == "flag")


def escalate_contacts(state: Deliberation, playbook: Playbook, *, reason: str) -> Update:
    """Turn every contact into an escalation: no text came about that may leave."""
    return Update(
        decisions=tuple(
            to_escalation(decision, playbook, reason=reason, words="No text came about that may leave.")
            if decision.kind is DecisionKind.CONTACT
            else decision
            for decision in state.decisions
        ),
        slotted=None,
        drafts=(),
        findings=(),
    )


def to_escalation(decision: Decision, playbook: Playbook, *, reason: str, words: str) -> Decision:
    """Return the decision as an escalation to the playbook's people."""
    return replace(
        decision,
        kind=DecisionKind.ESCALATE,
        reason=reason,
        explanation=words,
        queue=playbook.queue,
        until=None,
    )


def stake_of(facts: Iterable[Fact], playbook: Playbook) -> Money | None:
    """Return the money that a message is about, if the playbook names such a fact and it is known."""
    named = (fact.value for fact in facts if fact.name == playbook.stake and fact.trusted)
    value = next(named, None)
    return value if isinstance(value, Money) else None


def relevant_facts(facts: Iterable[Fact], used: Iterable[FilledSlot], playbook: Playbook) -> list[Fact]:
    """Return the facts a draft rests on: those in its text and those that shaped its situation.

    Others may change without making the draft stale; a new carrier scan is no reason to ask again.
    """
    names = {slot.slot for slot in used} | set(playbook.situation)
    return [fact for fact in facts if fact.name in names]
