"""The screen: every gate, the holdout and the value rule for many cases at once, without any model."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import Case, CaseId, CaseState
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, Stage
from agent.store.cases import due_cases, transition
from agent.store.decisions import record_decisions
from agent.store.transaction import Store, Tx
from agent.watch.candidates import Candidates
from agent.watch.grouping import group
from policies.engine import Gated, evaluate_gates
from policies.gates.candidate import Candidate
from policies.holdout import draw
from policies.model import PPM, Limits
from policies.triggers import CompiledPlaybook
from policies.value import Valuation, evaluate, send_cost
from policies.verdict import Outcome
from policies.zones import zone_rules_version
from tools.records.facts import facts_hash

ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id="screen")
_NO_FACTS: Final = facts_hash(())


@dataclass(slots=True)
class Screened:
    """What a run of the screen did."""

    cases: int = 0
    survivors: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(kind of decision, reason) → cases, for those that did not survive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the screen says about one case that does not survive."""

    kind: DecisionKind
    reason: str
    explanation: str
    state: CaseState
    until: datetime | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """Everything that rules say about one case."""

    gated: Gated
    valuation: Valuation
    answer: _Answer | None
    propensity: int


@dataclass(frozen=True, slots=True)
class Screen:
    """Decides what rules alone can decide; the others go on to the graph."""

    store: Store
    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits
    candidates: Candidates

    def run(self, *, now: datetime, limit: int = 2_000) -> Screened:
        """Screen the cases that are due, in one transaction; at most `limit` of them."""
        screened = Screened()
        with self.store.write() as tx:
            cases = [case for case in due_cases(tx.conn, now, limit) if case.scenario in self.playbooks]
            screened.cases = len(cases)
            if cases:
                self._screen(tx, cases, screened, now=now)
        return screened

    def _screen(self, tx: Tx, cases: Sequence[Case], screened: Screened, *, now: datetime) -> None:
        candidates = self.candidates(tx.conn, cases, now=now)
        zone_rules = zone_rules_version()
        survivors: list[tuple[Case, Gated]] = []
        decisions: list[Decision] = []
        moves: dict[tuple[CaseState, datetime | None, str], list[CaseId]] = defaultdict(list)
        for case in cases:
            judged = self._judge(case, candidates[case.id], now=now)
            if judged.answer is None:
                survivors.append((case, judged.gated))
                continue
            answer = judged.answer
            decisions.append(self._decision(case, judged, answer, zone_rules, now=now))
            moves[answer.state, answer.until, answer.reason].append(case.id)
            screened.reasons[answer.kind.value, answer.reason] += 1
        record_decisions(tx, decisions, scenario_of={case.id: case.scenario for case in cases}, actor=ACTOR)
        for (state, until, reason), ids in moves.items():
            transition(tx, ids, to=state, at=now, next_at=until, reason=reason, actor=ACTOR)
        screened.survivors = len(survivors)
        group(tx, survivors, self.playbooks, at=now, actor=ACTOR)

    def _judge(self, case: Case, candidate: Candidate, *, now: datetime) -> _Judged:
        playbook = self.playbooks[case.scenario].playbook
        gated = evaluate_gates(candidate, playbook, self.limits, now=now)
        held_out, propensity = draw(playbook.holdout, customer_id=case.customer_id, scenario=case.scenario)
        valuation = evaluate(
            playbook.value,
            send_cost=send_cost(self.limits, gated.channel),
            sent_last_week=candidate.sent_last_week,
        )
        answer = _answer(gated, valuation, held_out=held_out)
        return _Judged(gated=gated, valuation=valuation, answer=answer, propensity=propensity)

    def _decision(
        self, case: Case, judged: _Judged, answer: _Answer, zone_rules: str, *, now: datetime
    ) -> Decision:
        compiled = self.playbooks[case.scenario]
        drawn = answer.state is CaseState.HELD_OUT
        arm = Arm.HOLDOUT if drawn else Arm.TREAT if compiled.playbook.holdout else Arm.EXEMPT
        return Decision(
            id=DecisionId(self.store.ids.new("dec", at=now)),
            case_id=case.id,
            turn=case.turn,
            stage=Stage.SCREEN,
            kind=answer.kind,
            reason=answer.reason,
            explanation=answer.explanation,
            at=now,
            until=answer.until,
            queue=answer.queue,
            channel=judged.gated.channel,
            verdicts=judged.gated.verdicts,
            valuation=judged.valuation,
            arm=arm,
            # before the draw nothing is random: a gate's answer has probability one
            propensity_ppm=judged.propensity if drawn else PPM,
            facts=(),
            facts_hash=_NO_FACTS,
            playbook=compiled.playbook.ref,
            playbook_hash=compiled.content_hash,
            limits_version=self.limits.version,
            zone_rules=zone_rules,
            model_use=None,
        )


def _answer(gated: Gated, valuation: Valuation, *, held_out: bool) -> _Answer | None:
    """Return why a case does not survive, or None: gates first, then the holdout, then the value."""
    ruling = gated.ruling
    if ruling.outcome is Outcome.DEFER and ruling.until is not None:
        return _Answer(
            kind=DecisionKind.DEFER,
            reason=ruling.rule,
            explanation=ruling.reason,
            state=CaseState.NEW,
            until=ruling.until,
        )
    if ruling.outcome in {Outcome.BLOCK, Outcome.DEFER}:
        escalated = ruling.queue is not None
        expired = ruling.rule == "deadline"
        state = CaseState.ESCALATED if escalated else CaseState.EXPIRED if expired else CaseState.ABSTAINED
        return _Answer(
            kind=DecisionKind.ESCALATE if escalated else DecisionKind.ABSTAIN,
            reason=ruling.rule,
            explanation=ruling.reason,
            state=state,
            queue=ruling.queue,
        )
    if held_out:
        return _Answer(
            kind=DecisionKind.ABSTAIN,
            reason="holdout",
            explanation="Kept back at random, so that the effect of messages can be measured.",
            state=CaseState.HELD_OUT,
        )
    if not valuation.worth_it and not valuation.in_band:
        return _Answer(
            kind=DecisionKind.ABSTAIN,
            reason="value",
            explanation="A message would cost more than it is worth.",
            state=CaseState.ABSTAINED,
        )
    return None
