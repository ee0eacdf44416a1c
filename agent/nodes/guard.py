"""guard: check the slotted text once, then render and check it for every member."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.clock import Clock
from agent.composition import contacted, relevant_facts, to_escalation, usable_slots
from agent.domain.decisions import Decision
from agent.domain.deliberation import Deliberation, Member, Slotted, Update
from agent.domain.drafts import Draft, DraftId, DraftState
from agent.ids import Ids
from policies.guards.channels import check_channel, segments, sms_text
from policies.guards.finding import Finding
from policies.guards.grounded import check_rendered
from policies.guards.links import urls_in
from policies.guards.slots import check_slotted
from policies.model import Limits, Playbook
from policies.triggers import CompiledPlaybook
from policies.value import send_cost
from prompts.errors import RenderError
from prompts.locale import rendering_locale
from prompts.render import render_slots
from tools.messages import Outbound
from tools.records.facts import FilledSlot, facts_hash
from tools.records.vocabulary import ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A text as one customer would see it."""

    subject: str
    body: str
    locale: str
    used: tuple[FilledSlot, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets through what is grounded; a member whose own rendering fails leaves the situation alone."""

    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits
    clock: Clock
    ids: Ids

    async def __call__(self, state: Deliberation) -> Update:
        """Return the findings on the text and, when they are all ok, a draft for each member."""
        slotted = state.slotted
        if slotted is None:
            return Update()
        playbook = self.playbooks[state.situation.scenario].playbook
        members = contacted(state)
        findings = check_slotted(
            slotted.subject,
            slotted.body,
            allowed=frozenset(slot.name for slot in usable_slots(members, playbook)),
            required=(),
            language=slotted.language,
            purpose=playbook.purpose,
        )
        if not all(finding.ok for finding in findings):
            return Update(findings=findings, drafts=())
        # rendering a thousand members takes about a second of CPU, too long for the event loop
        return await asyncio.to_thread(self._render_all, state, slotted, members, findings, playbook)

    def _render_all(
        self,
        state: Deliberation,
        slotted: Slotted,
        members: Sequence[Member],
        findings: tuple[Finding, ...],
        playbook: Playbook,
    ) -> Update:
        decisions = {decision.case_id: decision for decision in state.decisions}
        reasons = dict(state.review_reasons)
        drafts: list[Draft] = []
        for member in members:
            decision = decisions[member.case.id]
            draft = self._render(member, decision, slotted, state, playbook, reasons.get(member.case.id, ""))
            failed = [finding for finding in draft.findings if not finding.ok]
            if failed:
                decisions[member.case.id] = to_escalation(
                    decision, playbook, reason=failed[0].guard, words=f"The text fails: {failed[0].detail}"
                )
            else:
                drafts.append(draft)
        return Update(findings=findings, drafts=tuple(drafts), decisions=tuple(decisions.values()))

    def _render(
        self,
        member: Member,
        decision: Decision,
        slotted: Slotted,
        state: Deliberation,
        playbook: Playbook,
        review_reason: str,
    ) -> Draft:
        now = self.clock()
        channel = ChannelKind(state.situation.channel)
        written = self._write(member, slotted, channel)
        message = Outbound(
            channel=channel,
            recipient=member.address or "",
            subject=written.subject,
            body=written.body,
            links=tuple(urls_in(written.body)),
            locale=written.locale,
            template=slotted.source,
            policy=playbook.ref,
        )
        parts = segments(written.body) if channel is ChannelKind.SMS else 1
        deadline = member.case.deadline
        expires = now + playbook.draft_ttl
        return Draft(
            id=DraftId(self.ids.new("drf", at=now)),
            case_id=member.case.id,
            decision_id=decision.id,
            version=0,
            state=DraftState.PENDING if review_reason else DraftState.APPROVED,
            message=message,
            slotted_subject=slotted.subject,
            slotted_body=slotted.body,
            used=written.used,
            findings=written.findings,
            facts_hash=facts_hash(relevant_facts(member.facts, written.used, playbook)),
            model_use=decision.model_use,
            created_at=now,
            expires_at=min(expires, deadline) if deadline else expires,
            review_reason=review_reason,
            cost_micros=send_cost(self.limits, channel) * parts,
            segments=parts,
            author=slotted.author,
            written_for=member.locale,
            zone=member.zone,
        )

    def _write(self, member: Member, slotted: Slotted, channel: ChannelKind) -> _Written:
        """Fill the slots for one member and check what came out."""
        facts = {fact.name: fact for fact in member.facts if fact.trusted}
        locale = rendering_locale(member.locale, slotted.language)
        try:
            subject = render_slots(slotted.subject, facts, locale=locale, zone=member.zone)
            body = render_slots(slotted.body, facts, locale=locale, zone=member.zone)
        except RenderError as exc:
            unfilled = Finding(guard="slots.unfilled", ok=False, detail=str(exc))
            return _Written(subject="", body="", locale=locale, used=(), findings=(unfilled,))
        shown = sms_text(body.text) if channel is ChannelKind.SMS else body.text
        grounded = check_rendered(
            subject.text,
            shown,
            facts=facts,
            link_hosts=self.limits.link_hosts,
            locale=locale,
            zone=member.zone,
        )
        return _Written(
            subject=subject.text,
            body=shown,
            locale=locale,
            used=(*subject.used, *body.used),
            findings=(*grounded, *check_channel(channel, subject.text, shown)),
        )
