"""decide: contact, defer, abstain or escalate, for each member by itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.clock import Clock
from agent.domain.cases import CaseId
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, ModelUse, Stage
from agent.domain.deliberation import Deliberation, Member, Update
from agent.domain.model import Assessment, Concern, Mood, Reading, Warranted
from agent.ids import Ids
from policies.fact_names import form_of
from policies.holdout import draw
from policies.model import Judgement, Limits, Playbook
from policies.triggers import CompiledPlaybook
from policies.value import Valuation, evaluate, send_cost
from policies.verdict import Outcome
from policies.zones import zone_rules_version
from tools.records.facts import facts_hash

_RETRY_MISSING = timedelta(minutes=30)
"""How long a case waits once for a fact that is missing, before a person is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is done about one member, before it becomes a decision record."""

    kind: DecisionKind
    reason: str
    explanation: str
    until: datetime | None = None
    queue: str | None = None
    review: str = ""
    """For contact: why a person must look first, if one must; of several reasons the most telling."""


@dataclass(frozen=True, slots=True)
class Decide:
    """Applies the rules to what was sensed. Readings and assessments only ever lower outreach."""

    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits
    clock: Clock
    ids: Ids
    high_reasons: Collection[str] = ()
    """Why a person must look at once, by the rules of review; such a reason is told before any other."""

    async def __call__(self, state: Deliberation) -> Update:
        """Return one decision for each member."""
        compiled = self.playbooks[state.situation.scenario]
        now = self.clock()
        shared = _share_of(state)
        decisions: list[Decision] = []
        reviews: list[tuple[CaseId, str]] = []
        for member in state.members:
            valuation = self._value(member, compiled.playbook)
            choice = choose(
                member, state, compiled.playbook, valuation, now=now, high_reasons=self.high_reasons
            )
            decisions.append(self._decision(member, choice, valuation, compiled, state, now=now, use=shared))
            if choice.kind is DecisionKind.CONTACT and choice.review:
                reviews.append((member.case.id, choice.review))
        return Update(decisions=tuple(decisions), review_reasons=tuple(reviews))

    def _value(self, member: Member, playbook: Playbook) -> Valuation:
        return evaluate(
            playbook.value,
            send_cost=send_cost(self.limits, member.channel),
            sent_last_week=member.sent_last_week,
        )

    def _decision(  # a decision rests on all of these
        self,
        member: Member,
        choice: Choice,
        valuation: Valuation,
        compiled: CompiledPlaybook,
        state: Deliberation,
        *,
        now: datetime,
        use: ModelUse | None,
    ) -> Decision:
        playbook = compiled.playbook
        _, propensity = draw(
            playbook.holdout, customer_id=member.case.customer_id, scenario=playbook.scenario
        )
        return Decision(
            id=DecisionId(self.ids.new("dec", at=now)),
            case_id=member.case.id,
            turn=member.case.turn,
            stage=Stage.GRAPH,
            kind=choice.kind,
            reason=choice.reason,
            explanation=choice.explanation,
            at=now,
            until=choice.until,
            queue=choice.queue,
            channel=member.channel,
            verdicts=member.verdicts,
            valuation=valuation,
            arm=Arm.TREAT if playbook.holdout else Arm.EXEMPT,
            propensity_ppm=propensity,
            facts=tuple(fact for fact in member.facts if fact.trusted),
            facts_hash=facts_hash(member.facts),
            playbook=playbook.ref,
            playbook_hash=compiled.content_hash,
            limits_version=self.limits.version,
            zone_rules=zone_rules_version(),
            model_use=use,
            look_ups=state.look_ups,
        )


def choose(
    member: Member,
    state: Deliberation,
    playbook: Playbook,
    valuation: Valuation,
    *,
    now: datetime,
    high_reasons: Collection[str] = (),
) -> Choice:
    """Return what is done about one member: gates, then facts, then readings, value and judgement."""
    return (
        _by_gates(member)
        or _by_missing(member, playbook, now=now)
        or _by_form(member, playbook)
        or _by_reading(member.reading, playbook)
        or _by_value(valuation)
        or _by_judgement(state, playbook, valuation)
        or Choice(
            kind=DecisionKind.CONTACT,
            reason="worth_it",
            explanation=_worth_it(member),
            review=_most_telling(_review_reasons(member, state, playbook, valuation), high_reasons),
        )
    )


def _by_gates(member: Member) -> Choice | None:
    ruling = member.ruling
    if ruling.outcome is Outcome.DEFER:
        return Choice(
            kind=DecisionKind.DEFER, reason=ruling.rule, explanation=ruling.reason, until=ruling.until
        )
    if ruling.outcome is Outcome.BLOCK:
        kind = DecisionKind.ESCALATE if ruling.queue else DecisionKind.ABSTAIN
        return Choice(kind=kind, reason=ruling.rule, explanation=ruling.reason, queue=ruling.queue)
    return None


def _by_missing(member: Member, playbook: Playbook, *, now: datetime) -> Choice | None:
    if not member.missing:
        return None
    names = ", ".join(member.missing)
    if member.case.turn == 0:
        return Choice(
            kind=DecisionKind.DEFER,
            reason="missing_facts",
            explanation=f"Nothing gave {names}; it is asked for once more.",
            until=now + _RETRY_MISSING,
        )
    return Choice(
        kind=DecisionKind.ESCALATE,
        reason="missing_facts",
        explanation=f"Nothing gave {names}, twice.",
        queue=playbook.queue,
    )


def _by_form(member: Member, playbook: Playbook) -> Choice | None:
    """Hand a case to people when what every text must print has no form in which it could be printed."""
    needed = [name for name in malformed(member) if name in playbook.required_facts]
    if not needed:
        return None
    return Choice(
        kind=DecisionKind.ESCALATE,
        reason="malformed_facts",
        explanation=f"{_forms_of(needed)}; no message can do without it.",
        queue=playbook.queue,
    )


def _worth_it(member: Member) -> str:
    words = ["Every gate passed and a message is worth more than silence."]
    if member.second:
        words.append("It is the second one: nobody knows whether the first arrived.")
    if names := malformed(member):
        words.append(f"{_forms_of(names)}; the message is written without it.")
    return " ".join(words)


def malformed(member: Member) -> tuple[str, ...]:
    """Return the facts whose text has not the form that its field declares, in order."""
    return tuple(fact.name for fact in member.facts if not fact.trusted)


def _forms_of(names: Sequence[str]) -> str:
    """Say what was wrong, without the text itself: it may be an order to whoever reads it."""
    forms = {name: form_of(name) for name in names}
    return "; ".join(
        f"The text of {name} is no {form.name if form else 'fact'}" for name, form in forms.items()
    )


def _by_reading(reading: Reading | None, playbook: Playbook) -> Choice | None:
    if reading is None:
        return None
    if reading.asks_no_contact:
        return Choice(
            kind=DecisionKind.ABSTAIN,
            reason="asked_no_contact",
            explanation="The customer asked in writing not to be contacted.",
        )
    if reading.already_knows:
        return Choice(
            kind=DecisionKind.ABSTAIN,
            reason="already_knows",
            explanation="The customer wrote that they know already.",
        )
    for holds, reason, words in (
        (reading.suspicious, "suspicious_text", "A text on this case tries to give orders to a machine."),
        (reading.mood is Mood.HOSTILE, "hostile_text", "The customer's last words were hostile."),
        (reading.mentions_hardship, "hardship", "The customer wrote of hardship."),
        (reading.asks_for_person, "asked_for_person", "The customer asked for a person."),
    ):
        if holds:
            return Choice(kind=DecisionKind.ESCALATE, reason=reason, explanation=words, queue=playbook.queue)
    return None


def _by_value(valuation: Valuation) -> Choice | None:
    if valuation.worth_it or valuation.in_band:
        return None
    return Choice(
        kind=DecisionKind.ABSTAIN,
        reason="value",
        explanation="A message would cost more than it is worth.",
    )


def _by_judgement(state: Deliberation, playbook: Playbook, valuation: Valuation) -> Choice | None:
    if playbook.judgement is Judgement.MODEL and state.fallback and playbook.fallback == "person":
        return Choice(
            kind=DecisionKind.ESCALATE,
            reason=f"model_{state.fallback}",
            explanation="The model could not be used, and this playbook then wants a person.",
            queue=playbook.queue,
        )
    assessment = state.assessment
    if assessment is None or assessment.warranted is Warranted.YES:
        return None
    if assessment.warranted is Warranted.NO and valuation.in_band:
        return Choice(
            kind=DecisionKind.ABSTAIN,
            reason=f"model_{assessment.concern}",
            explanation="The value is close to zero and the model advises against it.",
        )
    if assessment.warranted is Warranted.NO or assessment.concern in _FOR_PEOPLE:
        return Choice(
            kind=DecisionKind.ESCALATE,
            reason=f"model_{assessment.concern}",
            explanation="The rules say it is worth it, the model advises against it: a person decides.",
            queue=playbook.queue,
        )
    return None


_FOR_PEOPLE = frozenset({Concern.SENSITIVE, Concern.CONFLICTING_FACTS})


def _review_reasons(
    member: Member, state: Deliberation, playbook: Playbook, valuation: Valuation
) -> Sequence[str]:
    """Return why a person must look first: what holds for this customer before what holds for all."""
    assessment: Assessment | None = state.assessment
    wanted = member.ruling.outcome is Outcome.NEEDS_REVIEW
    reasons = (
        (wanted, member.ruling.rule),
        *((wanted and one.outcome is Outcome.NEEDS_REVIEW, one.rule) for one in member.verdicts),
        (member.unread, "unread_text"),
        (assessment is not None and assessment.warranted is Warranted.UNSURE, "model_unsure"),
        (valuation.in_band, "band"),
        (member.reviewed, "reviewer"),
        (playbook.review == "required", "policy"),
    )
    return [reason for holds, reason in reasons if holds]


def _most_telling(reasons: Sequence[str], high: Collection[str]) -> str:
    return next((reason for reason in reasons if reason in high), next(iter(reasons), ""))


def _share_of(state: Deliberation) -> ModelUse | None:
    """Return each member's share of what the model had to do with the decision."""
    if not state.uses:
        return None
    cost = sum(use.cost_micros for use in state.uses)
    last = state.uses[-1]
    return ModelUse(
        model=last.model,
        prompt=last.prompt,
        prompt_hash=last.prompt_hash,
        calls=tuple(call for use in state.uses for call in use.calls),
        cost_micros=-(-cost // max(len(state.members), 1)),  # rounded up, so that nothing is lost
        fallback=state.fallback,
    )
