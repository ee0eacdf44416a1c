"""The read-only look-ups of the graph, bound to a situation; none takes a customer as argument."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.clock import Clock
from agent.domain.cases import Case, Situation
from agent.domain.deliberation import Evidence, Member
from agent.domain.model import KnownFact, LookUpResult, LookUpTool
from agent.store.cases import cases_of_situation
from agent.store.reviews import reviewed_cases
from agent.store.transaction import Store
from agent.watch.candidates import Candidates
from agent.watch.case_facts import CaseEvidence, evidence_of
from agent.watch.facts import coarse
from agent.watch.related import CUSTOMER, records_of, subject_of
from agent.watch.zones import printed_zone
from policies.engine import evaluate_gates
from policies.fact_names import fact_kind, is_coarse, is_untrusted
from policies.gates.candidate import Candidate
from policies.guards.links import link_problem
from policies.model import Limits
from policies.record_fields import FieldKind, record_fields
from policies.triggers import CompiledPlaybook
from tools.records.facts import Fact
from tools.records.vocabulary import ChannelKind

TOOLS: Final[Mapping[LookUpTool, tuple[str, ...]]] = {
    LookUpTool.ORDER: ("order",),
    LookUpTool.SHIPMENT: ("shipment",),
    LookUpTool.BILLING: ("invoice", "payment", "subscription", "usage"),
    LookUpTool.STATUS: ("incident",),
    LookUpTool.TICKETS: ("ticket", "note"),
    LookUpTool.PAST_OUTREACH: (),
    LookUpTool.PREFERENCES: ("preference",),
}
"""Tool → the record types it reads."""


@dataclass(frozen=True, slots=True)
class MirrorLookUps:
    """Look-ups over the mirror, which the sweep has just brought up to date."""

    store: Store
    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits
    candidates: Candidates
    clock: Clock

    async def gather(self, situation: Situation) -> Evidence:
        """Gather what the playbook names about every member that is still screened."""
        return await asyncio.to_thread(self._gather, situation)

    async def look_up(self, tool: LookUpTool, members: Sequence[Member]) -> tuple[LookUpResult, str]:
        """Make one look-up for all members; what comes back is coarse and names nobody."""
        return await asyncio.to_thread(self._look_up, tool, members)

    def _gather(self, situation: Situation) -> Evidence:
        now = self.clock()
        playbook = self.playbooks[situation.scenario].playbook
        wanted = set(situation.case_ids)
        with self.store.read() as conn:
            cases = [case for case in cases_of_situation(conn, situation.id) if case.id in wanted]
            candidates = self.candidates(conn, cases, now=now)
            evidence = evidence_of(conn, cases, playbook, now=now)
            reviewed = reviewed_cases(conn, [case.id for case in cases])
        members = tuple(
            self._member(
                case,
                candidates[case.id],
                evidence[case.id],
                situation,
                reviewed=case.id in reviewed,
                now=now,
            )
            for case in cases
        )
        return Evidence(
            members=members,
            texts={case.id: evidence[case.id].texts for case in cases if evidence[case.id].texts},
            known=_known(situation, members),
            log=_log(evidence.values()),
        )

    def _member(
        self,
        case: Case,
        candidate: Candidate,
        evidence: CaseEvidence,
        situation: Situation,
        *,
        reviewed: bool,
        now: datetime,
    ) -> Member:
        playbook = self.playbooks[case.scenario].playbook
        channel = ChannelKind(situation.channel)
        gated = evaluate_gates(candidate, playbook, self.limits, now=now, only=channel)
        seen = evidence.records.get(CUSTOMER)
        return Member(
            case=case,
            facts=tuple(fact for fact in evidence.facts if self._may_print(fact)),
            missing=evidence.missing,
            verdicts=gated.verdicts,
            ruling=gated.ruling,
            channel=gated.channel,
            address=next((reach.address for reach in candidate.reaches if reach.kind is channel), None),
            locale=situation.locale,
            zone=printed_zone(seen.record if seen else None, candidate.zones),
            sent_last_week=candidate.sent_last_week,
            reading=None,
            unread=False,
            reviewed=reviewed,
            second=gated.second,
        )

    def _may_print(self, fact: Fact) -> bool:
        """Leave out links to hosts that no message may name; the text is written without them."""
        if not fact.name.endswith("url") or not isinstance(fact.value, str):
            return True
        return not link_problem(fact.value, hosts=self.limits.link_hosts)

    def _look_up(self, tool: LookUpTool, members: Sequence[Member]) -> tuple[LookUpResult, str]:
        if tool is LookUpTool.PAST_OUTREACH:
            some = sum(member.sent_last_week > 0 for member in members)
            fact = KnownFact(name="outreach.last_week", kind="flag", value=_share(some, len(members)))
            return LookUpResult(
                tool=tool, facts=(fact,)
            ), f"{tool.value} (model): {some} of {len(members)} members"
        subjects = {member.case.id: subject_of(member.case) for member in members}
        with self.store.read() as conn:
            found = records_of(conn, set(subjects.values()), TOOLS[tool])
        facts: list[KnownFact] = []
        total = 0
        for record_type in TOOLS[tool]:
            seen = [records[record_type] for records in found.values() if record_type in records]
            total += len(seen)
            facts.append(
                KnownFact(name=f"{record_type}.present", kind="flag", value=_share(len(seen), len(subjects)))
            )
            for field in record_fields(record_type).values():
                if field.kind in {FieldKind.CODE, FieldKind.FLAG} and seen:
                    values = {str(getattr(one.record, field.name)) for one in seen}
                    value = values.pop() if len(values) == 1 else "mixed"
                    kind = "flag" if field.kind is FieldKind.FLAG else "text"
                    facts.append(KnownFact(name=f"{record_type}.{field.name}", kind=kind, value=value))
        return LookUpResult(tool=tool, facts=tuple(facts)), f"{tool.value} (model): {total} records"


def _share(some: int, total: int) -> str:
    return "none" if some == 0 else "all" if some == total else "some"


def _known(situation: Situation, members: Sequence[Member]) -> tuple[KnownFact, ...]:
    """Return the coarse facts with their values, and of all others only that every member has them."""
    shared = [KnownFact(name=name, kind=fact_kind(name), value=value) for name, value in situation.categories]
    common: set[str] | None = None
    for member in members:
        names = {fact.name for fact in member.facts if fact.trusted}
        common = names if common is None else common & names
    values = [set(coarse(member.facts).items()) for member in members]
    same = set[tuple[str, str]].intersection(*values) if values else set[tuple[str, str]]()
    named = {fact.name for fact in shared}
    for name in sorted((common or set()) - named):
        value = dict(same).get(name) if is_coarse(name) and not is_untrusted(name) else None
        shared.append(KnownFact(name=name, kind=fact_kind(name), value=value))
    return tuple(shared)


def _log(evidence: Iterable[CaseEvidence]) -> tuple[str, ...]:
    counts: dict[LookUpTool, int] = {}
    for one in evidence:
        for tool, types in TOOLS.items():
            number = sum(record_type in one.records for record_type in types)
            counts[tool] = counts.get(tool, 0) + number
    return tuple(f"{tool.value} (playbook): {number} records" for tool, number in counts.items() if number)
