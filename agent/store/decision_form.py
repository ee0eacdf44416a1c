"""The canonical JSON form of a decision: exact, compact, and the same on every database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from agent.canonical import canonical
from agent.domain.cases import CaseId
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, ModelUse, Stage
from policies.value import Valuation
from policies.verdict import Outcome, Verdict
from tools.records.facts import Fact, decode_value, encode_value
from tools.records.vocabulary import ChannelKind

_VALUATION_FIELDS: Final = tuple(Valuation.__dataclass_fields__)
_USE_FIELDS: Final = ("model", "prompt", "prompt_hash", "cost_micros", "fallback")

Form = dict[str, Any]


def decision_to_json(decision: Decision) -> str:
    """Return a decision as canonical JSON; a verdict that passed without remark is its rule's name alone."""
    use = decision.model_use
    form: Form = {
        "id": decision.id,
        "case_id": decision.case_id,
        "turn": decision.turn,
        "stage": decision.stage.value,
        "kind": decision.kind.value,
        "reason": decision.reason,
        "explanation": decision.explanation,
        "at": decision.at.isoformat(),
        "until": decision.until.isoformat() if decision.until else None,
        "queue": decision.queue,
        "channel": decision.channel.value if decision.channel else None,
        "verdicts": verdicts_form(decision.verdicts),
        "valuation": valuation_form(decision.valuation),
        "arm": decision.arm.value,
        "propensity_ppm": decision.propensity_ppm,
        "facts": [_fact_form(fact) for fact in decision.facts],
        "facts_hash": decision.facts_hash,
        "playbook": decision.playbook,
        "playbook_hash": decision.playbook_hash,
        "limits_version": decision.limits_version,
        "zone_rules": decision.zone_rules,
        "model_use": {name: getattr(use, name) for name in _USE_FIELDS} | {"calls": list(use.calls)}
        if use
        else None,
        "look_ups": list(decision.look_ups),
    }
    return canonical(form)


def decision_from_form(form: Mapping[str, Any]) -> Decision:
    """Invert `decision_to_json` on parsed JSON.

    Raises:
        KeyError: A field is missing.
        ValueError: A field has a value outside its vocabulary.
    """
    return Decision(
        id=DecisionId(form["id"]),
        case_id=CaseId(form["case_id"]),
        turn=form["turn"],
        stage=Stage(form["stage"]),
        kind=DecisionKind(form["kind"]),
        reason=form["reason"],
        explanation=form["explanation"],
        at=datetime.fromisoformat(form["at"]),
        until=_instant(form["until"]),
        queue=form["queue"],
        channel=ChannelKind(form["channel"]) if form["channel"] else None,
        verdicts=tuple(_verdict(item) for item in form["verdicts"]),
        valuation=Valuation(**form["valuation"]) if form["valuation"] else None,
        arm=Arm(form["arm"]),
        propensity_ppm=form["propensity_ppm"],
        facts=tuple(_fact(item) for item in form["facts"]),
        facts_hash=form["facts_hash"],
        playbook=form["playbook"],
        playbook_hash=form["playbook_hash"],
        limits_version=form["limits_version"],
        zone_rules=form["zone_rules"],
        model_use=_use(form["model_use"]),
        look_ups=tuple(form["look_ups"]),
    )


def verdicts_form(verdicts: Sequence[Verdict]) -> list[str | Form]:
    """Return verdicts as JSON data."""
    return [
        verdict.rule
        if _is_silent(verdict)
        else {
            "rule": verdict.rule,
            "outcome": verdict.outcome.value,
            "reason": verdict.reason,
            "until": verdict.until.isoformat() if verdict.until else None,
            "queue": verdict.queue,
        }
        for verdict in verdicts
    ]


def valuation_form(valuation: Valuation | None) -> Form | None:
    """Return a valuation as JSON data."""
    return {name: getattr(valuation, name) for name in _VALUATION_FIELDS} if valuation else None


def _is_silent(verdict: Verdict) -> bool:
    passed = verdict.outcome is Outcome.PASS and not verdict.reason
    return passed and verdict.until is None and verdict.queue is None


def _use(form: Form | None) -> ModelUse | None:
    if form is None:
        return None
    return ModelUse(
        model=form["model"],
        prompt=form["prompt"],
        prompt_hash=form["prompt_hash"],
        calls=tuple(form["calls"]),
        cost_micros=form["cost_micros"],
        fallback=form["fallback"],
    )


def _verdict(item: str | Form) -> Verdict:
    if isinstance(item, str):
        return Verdict(rule=item, outcome=Outcome.PASS)
    return Verdict(
        rule=item["rule"],
        outcome=Outcome(item["outcome"]),
        reason=item["reason"],
        until=_instant(item["until"]),
        queue=item["queue"],
    )


def _fact_form(fact: Fact) -> Form:
    return {
        "name": fact.name,
        "value": encode_value(fact.value),
        "source": fact.source,
        "fetched_at": fact.fetched_at.isoformat(),
        "as_of": fact.as_of.isoformat(),
        "trusted": fact.trusted,
    }


def _fact(form: Form) -> Fact:
    return Fact(
        name=form["name"],
        value=decode_value(form["value"]),
        source=form["source"],
        fetched_at=datetime.fromisoformat(form["fetched_at"]),
        as_of=datetime.fromisoformat(form["as_of"]),
        trusted=form["trusted"],
    )


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(cast("str", text)) if text else None
