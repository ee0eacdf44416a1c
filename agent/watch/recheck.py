"""Looking again before acting: the records of a case are read afresh from their sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent.domain.cases import Case, CaseId
from agent.domain.mirror import Seen
from agent.errors import NotFoundError
from agent.recheck import Rechecked
from agent.store.cases import get_case
from agent.store.drafts import drafts_of_case
from agent.store.transaction import Store
from agent.watch.case_facts import evidence_of
from agent.watch.ingest import Ingest
from agent.watch.related import CUSTOMER, Records, records_of, subject_of
from agent.watch.zones import locale_of, zone_of
from policies.expressions import Truth
from policies.model import Limits
from policies.triggers import CompiledPlaybook
from tools.errors import ToolError
from tools.ports import Source
from tools.records.facts import facts_hash


@dataclass(frozen=True, slots=True)
class SourceRecheck:
    """Implements `agent.recheck.Recheck` over the sources themselves."""

    store: Store
    sources: Mapping[str, Source]
    ingest: Ingest
    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits

    def __call__(self, case_id: CaseId, *, now: datetime) -> Rechecked:
        """Re-read the records of a case, bring the mirror up to date, and judge the condition again.

        The condition holds while the trigger still fires for the same episode and nothing resolved it.

        Raises:
            NotFoundError: There is no such case, or its playbook is gone.
        """
        with self.store.read() as conn:
            case = get_case(conn, case_id)
            compiled = self.playbooks.get(case.scenario) if case else None
            if case is None or compiled is None:
                raise NotFoundError(f"no case {case_id!r} with a playbook in force")
            types = {CUSTOMER, *compiled.playbook.trigger.related}
            subject = subject_of(case)
            records = records_of(conn, [subject], sorted(types)).get(subject, {})
        problem = self._refresh(records, now=now)
        return self._judge(case, compiled, problem, now=now)

    def _refresh(self, records: Records, *, now: datetime) -> str:
        for record_type, seen in records.items():
            source = self.sources.get(seen.source)
            if source is None:
                return f"the connector {seen.source!r} is not configured"
            try:
                answer = source.get(seen.stream, seen.record.id, now=now)
            except ToolError as exc:
                return str(exc)
            if answer is None:
                self.ingest.remove(seen.source, seen.stream, seen.record.id, now=now)
            else:
                self.ingest.put(seen.source, seen.stream, answer, now=now)
                if not hasattr(answer, "body"):
                    return f"the {record_type} cannot be read as a record any more"
        return ""

    def _judge(self, case: Case, compiled: CompiledPlaybook, problem: str, *, now: datetime) -> Rechecked:
        with self.store.read() as conn:
            evidence = evidence_of(conn, [case], compiled.playbook, now=now)[case.id]
            drafts = drafts_of_case(conn, case.id)
            zone = zone_of(conn, case, self.limits)
        names = {fact.name for fact in evidence.facts}
        if drafts:
            used = {slot.slot for slot in drafts[-1].draft.used}
            names = used | set(compiled.playbook.situation)
        relevant = [fact for fact in evidence.facts if fact.name in names]
        status, detail = _status(case, compiled, evidence.records, problem, now=now)
        return Rechecked(
            status=status,
            facts=evidence.facts,
            facts_hash=facts_hash(relevant),
            detail=detail,
            locale=locale_of(evidence.records),
            zone=zone,
        )


def _status(
    case: Case, compiled: CompiledPlaybook, records: Mapping[str, Seen], problem: str, *, now: datetime
) -> tuple[Literal["holds", "cleared", "unknown"], str]:
    if problem:
        return "unknown", problem
    if compiled.playbook.trigger.record not in records:
        return "cleared", "the object does not exist any more"
    evaluation = compiled.evaluate({kind: seen.record for kind, seen in records.items()}, now=now)
    cleared = (
        (evaluation.resolved is Truth.TRUE, "the condition has resolved itself"),
        (evaluation.fires is Truth.FALSE, "the trigger is no longer true"),
        (evaluation.episode not in {None, case.episode}, "another episode has begun"),
    )
    for holds, detail in cleared:
        if holds:
            return "cleared", detail
    if Truth.UNKNOWN in {evaluation.fires, evaluation.resolved} or evaluation.episode is None:
        return "unknown", "a fact that the condition needs is missing"
    return "holds", ""
