"""The screen: every gate, the holdout and the value rule for many cases at once, without any model."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from agent.domain.audit import Actor, ActorKind
from agent.domain.cases import Case, CaseId, CaseState
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, Stage
from agent.store.cases import due_cases, postpone, transition
from agent.store.decisions import record_decisions
from agent.store.reviews import chosen_channels
from agent.store.transaction import Store, Tx
from agent.watch.candidates import Candidates
from agent.watch.grouping import group
from policies.engine import Gated, evaluate_gates
from policies.gates.candidate import Candidate
from policies.holdout import draw
from policies.model import PPM, Limits
from policies.triggers import CompiledPlaybook
from policies.value import Valuation, evaluate, send_cost
from policies.verdict import Outcome, Ruling
from policies.zones import zone_rules_version
from tools.records.facts import facts_hash
from tools.records.vocabulary import ChannelKind

ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id="screen")
_NO_FACTS: Final = facts_hash(())
_SHORTEST_WAIT: Final = timedelta(minutes=1)
"""A gate that names an instant in the past must not keep the screen busy for ever."""
_NO_PLAYBOOK: Final = "no_playbook"
_ELIGIBLE: Final = frozenset({Outcome.PASS, Outcome.NEEDS_REVIEW})
"""Rulings after which the arm is drawn and the value counts."""
_STATE_OF_RULE: Final = {"deadline": CaseState.EXPIRED, "cleared": CaseState.RESOLVED}
"""Refusals that mean more than silence."""


_Valuations = dict[tuple[str, ChannelKind | None, int], Valuation]
"""(scenario, channel, messages in the last week) → the value of one message more."""


@dataclass(slots=True)
class Screened:
    """What a run of the screen did."""

    cases: int = 0
    survivors: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(kind of decision, reason) → cases, for those that did not survive."""


class _Answer(NamedTuple):
    """What the screen says about one case that does not survive."""

    kind: DecisionKind
    reason: str
    explanation: str
    state: CaseState
    until: datetime | None = None
    queue: str | None = None


class _Judged(NamedTuple):
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
        """Screen the cases that are due, in one transaction; at most `limit` of them.

        Cases that another process is screening at the moment are left to it.
        """
        screened = Screened()
        with self.store.write() as tx:
            due = due_cases(tx.conn, now, limit, lock=True)
            screened.cases = len(due)
            known = [case for case in due if case.scenario in self.playbooks]
            orphans = [case for case in due if case.scenario not in self.playbooks]
            if known:
                self._screen(tx, known, screened, now=now)
            if orphans:
                self._drop(tx, orphans, screened, now=now)
        return screened

    def _screen(self, tx: Tx, cases: Sequence[Case], screened: Screened, *, now: datetime) -> None:
        loaded = self.candidates.load(tx.conn, cases, now=now)
        zone_rules = zone_rules_version()
        survivors: list[tuple[Case, Gated]] = []
        decisions: list[Decision] = []
        moves: dict[tuple[CaseState, str], list[CaseId]] = defaultdict(list)
        waiting: dict[CaseId, datetime] = {}
        valuations: _Valuations = {}
        chosen = chosen_channels(tx.conn, [case.id for case in cases if case.turn])
        for case in cases:
            gated = self._gated(case, loaded.candidates[case.id], chosen.get(case.id), now=now)
            judged = self._judge(case, loaded.candidates[case.id], gated, valuations, now=now)
            if judged.answer is None:
                survivors.append((case, judged.gated))
                continue
            answer = judged.answer
            decisions.append(self._decision(case, judged, answer, zone_rules, now=now))
            if answer.until is None:
                moves[answer.state, answer.reason].append(case.id)
            else:
                waiting[case.id] = answer.until
            screened.reasons[answer.kind.value, answer.reason] += 1
        record_decisions(tx, decisions, scenario_of={case.id: case.scenario for case in cases}, actor=ACTOR)
        postpone(tx, waiting, at=now)
        for (state, reason), ids in moves.items():
            transition(tx, ids, to=state, at=now, next_at=None, reason=reason, actor=ACTOR)
        screened.survivors = len(survivors)
        group(tx, survivors, loaded.records, self.playbooks, at=now, actor=ACTOR)

    def _drop(self, tx: Tx, cases: Sequence[Case], screened: Screened, *, now: datetime) -> None:
        """Close cases whose playbook is no longer in use: nobody knows what to say about them."""
        decisions = [
            _orphaned(case, self.store.ids.new("dec", at=now), self.limits, at=now) for case in cases
        ]
        record_decisions(tx, decisions, scenario_of={case.id: case.scenario for case in cases}, actor=ACTOR)
        ids = [case.id for case in cases]
        transition(tx, ids, to=CaseState.ABSTAINED, at=now, next_at=None, reason=_NO_PLAYBOOK, actor=ACTOR)
        screened.reasons[DecisionKind.ABSTAIN.value, _NO_PLAYBOOK] += len(cases)

    def _gated(self, case: Case, candidate: Candidate, chosen: ChannelKind | None, *, now: datetime) -> Gated:
        """Ask the gates; a channel that a reviewer chose for this case is kept while it may be used."""
        playbook = self.playbooks[case.scenario].playbook
        if chosen is not None:
            kept = evaluate_gates(candidate, playbook, self.limits, now=now, only=chosen)
            if kept.channel is chosen:
                return kept
        return evaluate_gates(candidate, playbook, self.limits, now=now)

    def _judge(
        self, case: Case, candidate: Candidate, gated: Gated, valuations: _Valuations, *, now: datetime
    ) -> _Judged:
        playbook = self.playbooks[case.scenario].playbook
        # before the draw nothing is random: a gate's answer has probability one
        held_out, propensity = False, PPM
        if gated.ruling.outcome in _ELIGIBLE:
            held_out, propensity = draw(
                playbook.holdout, customer_id=case.customer_id, scenario=case.scenario
            )
        alike = (case.scenario, gated.channel, candidate.sent_last_week)
        if alike not in valuations:
            valuations[alike] = evaluate(
                playbook.value,
                send_cost=send_cost(self.limits, gated.channel),
                sent_last_week=candidate.sent_last_week,
            )
        valuation = valuations[alike]
        return _Judged(
            gated=gated,
            valuation=valuation,
            answer=_answer(case, gated, valuation, held_out=held_out, now=now),
            propensity=propensity,
        )

    def _decision(
        self, case: Case, judged: _Judged, answer: _Answer, zone_rules: str, *, now: datetime
    ) -> Decision:
        compiled = self.playbooks[case.scenario]
        held_out = answer.state is CaseState.HELD_OUT
        arm = Arm.HOLDOUT if held_out else Arm.TREAT if compiled.playbook.holdout else Arm.EXEMPT
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
            propensity_ppm=judged.propensity,
            facts=(),
            facts_hash=_NO_FACTS,
            playbook=compiled.playbook.ref,
            playbook_hash=compiled.content_hash,
            limits_version=self.limits.version,
            zone_rules=zone_rules,
            model_use=None,
        )


def _answer(
    case: Case, gated: Gated, valuation: Valuation, *, held_out: bool, now: datetime
) -> _Answer | None:
    """Return why a case does not survive, or None: gates first, then the holdout, then the value."""
    if gated.ruling.outcome not in _ELIGIBLE:
        return _by_gates(case, gated.ruling, now=now)
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


def _by_gates(case: Case, ruling: Ruling, *, now: datetime) -> _Answer:
    if ruling.outcome is Outcome.DEFER and ruling.until is not None:
        # at its deadline a waiting case is looked at once more, and closed
        until = ruling.until if case.deadline is None else min(ruling.until, case.deadline)
        return _Answer(
            kind=DecisionKind.DEFER,
            reason=ruling.rule,
            explanation=ruling.reason,
            state=CaseState.NEW,
            until=max(until, now + _SHORTEST_WAIT),
        )
    escalated = ruling.queue is not None
    return _Answer(
        kind=DecisionKind.ESCALATE if escalated else DecisionKind.ABSTAIN,
        reason=ruling.rule,
        explanation=ruling.reason,
        state=CaseState.ESCALATED if escalated else _STATE_OF_RULE.get(ruling.rule, CaseState.ABSTAINED),
        queue=ruling.queue,
    )


def _orphaned(case: Case, decision_id: str, limits: Limits, *, at: datetime) -> Decision:
    return Decision(
        id=DecisionId(decision_id),
        case_id=case.id,
        turn=case.turn,
        stage=Stage.SCREEN,
        kind=DecisionKind.ABSTAIN,
        reason=_NO_PLAYBOOK,
        explanation=f"The playbook {case.playbook} is no longer in use.",
        at=at,
        until=None,
        queue=None,
        channel=None,
        verdicts=(),
        valuation=None,
        arm=Arm.EXEMPT,
        propensity_ppm=PPM,
        facts=(),
        facts_hash=_NO_FACTS,
        playbook=case.playbook,
        playbook_hash="",
        limits_version=limits.version,
        zone_rules="",
        model_use=None,
    )
