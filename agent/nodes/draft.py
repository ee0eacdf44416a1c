"""draft: one slotted text for the whole situation, by the model or from the approved template."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.composition import contacted, escalate_contacts, true_flags, usable_slots
from agent.domain.deliberation import MAX_TRIES, Deliberation, Slotted, Update
from agent.domain.model import ComposeRequest
from agent.errors import ModelError
from agent.llm.port import Model
from agent.llm.rules import RULES
from policies.model import Composition, Playbook
from policies.triggers import CompiledPlaybook
from prompts.locale import language_of
from prompts.templates import SlottedTemplate, TemplateStore
from tools.records.vocabulary import ChannelKind


@dataclass(frozen=True, slots=True)
class Draft:
    """Writes; checks nothing, that is the guard's part."""

    playbooks: Mapping[str, CompiledPlaybook]
    templates: TemplateStore
    model: Model

    async def __call__(self, state: Deliberation) -> Update:
        """Return a slotted text, or escalate every contact when no text can come about."""
        playbook = self.playbooks[state.situation.scenario].playbook
        refused = state.slotted is not None and any(not finding.ok for finding in state.findings)
        if refused and state.slotted is not None and state.slotted.author == "template":
            return escalate_contacts(state, playbook, reason="template_refused")
        if any(member.second for member in contacted(state)):
            return self._second(state, playbook)
        if playbook.composition is Composition.STRICT:
            return self._from_template(state, playbook)
        if state.fallback or state.tries >= MAX_TRIES:
            reason = state.fallback or "guards"
            if playbook.fallback == "person":
                return escalate_contacts(state, playbook, reason=f"model_{reason}")
            return self._from_template(state, playbook) | Update(fallback=reason)
        return await self._from_model(state, playbook)

    def _second(self, state: Deliberation, playbook: Playbook) -> Update:
        """Return the approved text that says that it may repeat; no model writes that one."""
        stem = playbook.second_template(ChannelKind(state.situation.channel))
        if stem is None:
            return escalate_contacts(state, playbook, reason="no_second_text")
        return self._from_template(state, playbook, stem)

    async def _from_model(self, state: Deliberation, playbook: Playbook) -> Update:
        situation = state.situation
        request = ComposeRequest(
            situation_id=situation.id,
            scenario=situation.scenario,
            title=playbook.title,
            purpose=playbook.purpose,
            channel=ChannelKind(situation.channel),
            template=_stem(playbook, situation.channel),
            locale=situation.locale,
            slots=usable_slots(contacted(state), playbook),
            flags=true_flags(situation),
            violations=tuple(
                f"{finding.guard}: {finding.detail}" for finding in state.findings if not finding.ok
            ),
            instruction=situation.instruction,
        )
        try:
            answer = await self.model.compose(request)
        except ModelError as exc:
            if playbook.fallback == "person":
                return escalate_contacts(state, playbook, reason=f"model_{exc.kind}")
            return self._from_template(state, playbook) | Update(fallback=exc.kind)
        by_template = answer.use.model == RULES
        slotted = Slotted(
            subject=answer.value.subject,
            body=answer.value.body,
            source=answer.use.prompt,
            author="template" if by_template else "model",
            language=self._template(state, playbook).language
            if by_template
            else language_of(situation.locale),
        )
        return Update(slotted=slotted, tries=state.tries + 1, uses=(*state.uses, answer.use), findings=())

    def _from_template(self, state: Deliberation, playbook: Playbook, stem: str | None = None) -> Update:
        template = self._template(state, playbook, stem)
        slotted = Slotted(
            subject=template.subject,
            body=template.body,
            source=f"{template.id}@{template.version_hash[:12]}",
            author="template",
            language=template.language,
        )
        return Update(slotted=slotted, findings=())

    def _template(self, state: Deliberation, playbook: Playbook, stem: str | None = None) -> SlottedTemplate:
        slots = usable_slots(contacted(state), playbook)
        return self.templates.slotted(
            state.situation.scenario,
            stem or _stem(playbook, state.situation.channel),
            state.situation.locale,
            [*(slot.name for slot in slots), *true_flags(state.situation)],
        )


def _stem(playbook: Playbook, channel: str) -> str:
    return next(entry.template for entry in playbook.channels if entry.kind.value == channel)
