"""sense: gather the facts of every member, have texts by strangers read in quarantine, read the situation."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from agent.domain.cases import Situation
from agent.domain.decisions import ModelUse
from agent.domain.deliberation import Deliberation, Evidence, Member, Update
from agent.domain.model import (
    Assessment,
    AssessRequest,
    LookUpResult,
    LookUpTool,
    Reading,
    ReadRequest,
)
from agent.errors import ModelError
from agent.llm.port import Model
from policies.model import Judgement
from policies.triggers import CompiledPlaybook

_EVERYWHERE = frozenset({"down", "slow", "budget"})
"""Failures that say something about the model, not about one member's text."""
_READERS = 8
"""Most quarantined calls under way for one situation."""


class LookUps(Protocol):
    """The read-only tools, bound to the members of the situation: no argument names a customer."""

    async def gather(self, situation: Situation) -> Evidence:
        """Gather what the playbook names."""
        ...

    async def look_up(self, tool: LookUpTool, members: Sequence[Member]) -> tuple[LookUpResult, str]:
        """Make one further look-up at the model's request; return the coarse result and its log line."""
        ...


@dataclass(frozen=True, slots=True)
class Sense:
    """Gathers facts and readings; changes nothing."""

    playbooks: Mapping[str, CompiledPlaybook]
    look_ups: LookUps
    model: Model

    async def __call__(self, state: Deliberation) -> Update:
        """Return members with facts and readings, and the assessment where the playbook wants one."""
        evidence = await self.look_ups.gather(state.situation)
        members, uses, failure = await self._read(state.situation, evidence)
        update = Update(members=members, look_ups=evidence.log, uses=uses, fallback=failure)
        playbook = self.playbooks[state.situation.scenario].playbook
        if members and not failure and playbook.judgement is Judgement.MODEL:
            update.update(await self._assess(state.situation, evidence, members, uses))
        return update

    async def _read(
        self, situation: Situation, evidence: Evidence
    ) -> tuple[tuple[Member, ...], tuple[ModelUse, ...], str]:
        gate = asyncio.Semaphore(_READERS)

        async def read(texts: tuple[str, ...]) -> tuple[Reading | None, ModelUse | None, str]:
            async with gate:
                try:
                    answer = await self.model.read(ReadRequest(situation_id=situation.id, texts=texts))
                except ModelError as exc:
                    return None, None, exc.kind
                return answer.value, answer.use, ""

        asked = [member for member in evidence.members if evidence.texts.get(member.case.id)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read(evidence.texts[member.case.id])) for member in asked]
        answers = dict(
            zip((member.case.id for member in asked), (task.result() for task in tasks), strict=True)
        )
        members: list[Member] = []
        uses: list[ModelUse] = []
        failure = ""
        for member in evidence.members:
            if member.case.id not in answers:
                members.append(member)
                continue
            reading, use, kind = answers[member.case.id]
            members.append(replace(member, reading=reading, unread=reading is None))
            if kind in _EVERYWHERE:
                failure = failure or kind
            if use is not None:
                uses.append(use)
        return tuple(members), tuple(uses), failure

    async def _assess(
        self,
        situation: Situation,
        evidence: Evidence,
        members: tuple[Member, ...],
        uses: tuple[ModelUse, ...],
    ) -> Update:
        playbook = self.playbooks[situation.scenario].playbook
        results: tuple[LookUpResult, ...] = ()
        log = evidence.log
        # one customer's words must not sway what is decided about the others
        open_readings = [one for member in members if (one := member.reading) and not one.settles]
        readings = {one.model_dump_json(): one for one in open_readings}
        for calls_left in range(playbook.max_calls, -1, -1):
            request = AssessRequest(
                situation_id=situation.id,
                scenario=situation.scenario,
                title=playbook.title,
                purpose=playbook.purpose,
                facts=evidence.known,
                readings=tuple(readings[text] for text in sorted(readings)),
                results=results,
                calls_left=calls_left,
            )
            try:
                answer = await self.model.assess(request)
            except ModelError as exc:
                return Update(look_ups=log, uses=uses, fallback=exc.kind)
            uses = (*uses, answer.use)
            step = answer.value.step
            if isinstance(step, Assessment):
                return Update(look_ups=log, uses=uses, assessment=step)
            if calls_left == 0 or any(result.tool is step.tool for result in results):
                break
            result, line = await self.look_ups.look_up(step.tool, members)
            results = (*results, result)
            log = (*log, line)
        return Update(look_ups=log, uses=uses, fallback="undecided")
