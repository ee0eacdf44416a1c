"""Checking a text as it is typed: the guards that an edit must pass, and how it fits its channel."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from agent.domain.drafts import Draft
from agent.errors import NotFoundError
from agent.review_desk.opening import Desk
from agent.review_desk.views import TextCheck
from agent.store.cases import get_case
from agent.store.decisions import last_decision
from agent.store.drafts import get_draft
from policies.guards.channels import (
    LONGEST_PUSH,
    LONGEST_SUBJECT,
    LONGEST_TITLE,
    check_channel,
    sms_size,
)
from policies.guards.finding import Finding
from policies.guards.grounded import check_rendered
from policies.guards.links import urls_in
from policies.model import Limits
from policies.value import send_cost
from tools.messages import Outbound
from tools.records.facts import Fact
from tools.records.vocabulary import ChannelKind

_KEPT: Final = 64
"""Drafts whose surroundings are remembered; a reviewer types in one at a time."""
_SUBJECT_LIMITS: Final = {
    ChannelKind.EMAIL: LONGEST_SUBJECT,
    ChannelKind.PUSH: LONGEST_TITLE,
    ChannelKind.SMS: 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a text of one draft is checked against; none of it changes with the text."""

    message: Outbound
    facts: Mapping[str, Fact]
    """The trusted ones of the decision, by name."""
    zone: str
    limits: Limits

    @classmethod
    def of(cls, draft: Draft, facts: tuple[Fact, ...], *, zone: str, limits: Limits) -> "Surroundings":
        """Return the surroundings of a draft."""
        trusted = {fact.name: fact for fact in facts if fact.trusted}
        return cls(message=draft.message, facts=trusted, zone=zone, limits=limits)

    def findings(self, subject: str, body: str) -> tuple[Finding, ...]:
        """Return what the guards say about a text; a version with it may be recorded when all are ok."""
        return (
            *check_rendered(
                subject,
                body,
                facts=self.facts,
                link_hosts=self.limits.link_hosts,
                locale=self.message.locale,
                zone=self.zone,
            ),
            *check_channel(self.message.channel, subject, body),
        )

    def check(self, subject: str, body: str) -> TextCheck:
        """Return the findings and the size and price of a text."""
        findings = self.findings(subject, body)
        channel = self.message.channel
        size = sms_size(body) if channel is ChannelKind.SMS else None
        parts = size.segments if size else 1
        return TextCheck(
            findings=findings,
            ok=all(finding.ok for finding in findings),
            segments=parts,
            characters=size.used if size else len(body),
            encoding=size.encoding if size else "",
            left=size.left if size else LONGEST_PUSH - len(body) if channel is ChannelKind.PUSH else None,
            cost_micros=send_cost(self.limits, channel) * parts,
            subject_length=len(subject),
            subject_limit=_SUBJECT_LIMITS[channel],
            push_cut=LONGEST_PUSH if channel is ChannelKind.PUSH and len(body) > LONGEST_PUSH else None,
        )


def segments_of(message: Outbound, body: str) -> int:
    """Return of how many parts a text would consist in a message's channel; 1 for all but SMS."""
    return sms_size(body).segments if message.channel is ChannelKind.SMS else 1


@dataclass(frozen=True, slots=True)
class TextChecks:
    """Checks texts of drafts; what surrounds the drafts looked at last is kept."""

    desk: Desk
    _known: OrderedDict[str, Surroundings] = field(default_factory=OrderedDict[str, Surroundings])
    _checked: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    """(draft, subject, body) of texts that are shown as ones that the guards let through."""
    _lock: Lock = field(default_factory=Lock)

    def check(self, draft_id: str, *, subject: str, body: str) -> TextCheck:
        """Return what the guards say about a text for a draft.

        Raises:
            NotFoundError: There is no such draft.
        """
        with self._lock:
            known = self._known.get(draft_id)
        if known is None:
            known = self._remember(draft_id)
        answer = known.check(subject, body)
        if (draft_id, subject, body) not in self._checked:
            return answer
        findings = tuple(replace(finding, ok=True, detail="") for finding in answer.findings)
        return replace(answer, findings=findings, ok=True)

    def take_as_checked(self, draft_id: str, *, subject: str, body: str) -> None:
        """Show a text as checked: every draft was when it was recorded, and a planted one must look the same.

        This is for the eye alone: what is recorded or sent is checked without it.
        """
        with self._lock:
            self._checked.add((draft_id, subject, body))

    def _remember(self, draft_id: str) -> Surroundings:
        desk = self.desk
        with desk.store.read() as conn:
            file = get_draft(conn, draft_id)
            case = get_case(conn, file.draft.case_id) if file else None
            decision = last_decision(conn, case.id) if case else None
            if file is None or case is None or decision is None:
                raise NotFoundError(f"there is no draft {draft_id}")
            zone = desk.zone_of(conn, case)
        found = Surroundings.of(file.draft, decision.facts, zone=zone, limits=desk.limits)
        with self._lock:
            self._known[draft_id] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found


def with_text(draft: Draft, *, subject: str, body: str, findings: tuple[Finding, ...]) -> Draft:
    """Return a draft with another text, which stands for itself: it has no slots any more."""
    message = replace(draft.message, subject=subject, body=body, links=urls_in(body))
    return replace(draft, message=message, slotted_subject=subject, slotted_body=body, findings=findings)
