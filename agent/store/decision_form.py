"""The canonical JSON form of a decision: exact, compact, and the same on every database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from agent.canonical import ObjectForm, canonical, plain_text
from agent.domain.cases import CaseId
from agent.domain.decisions import Arm, Decision, DecisionId, DecisionKind, ModelUse, Stage
from policies.value import Valuation
from policies.verdict import Outcome, Verdict
from tools.records.facts import Fact, decode_value, encode_value
from tools.records.vocabulary import ChannelKind

_VALUATION_FIELDS: Final = tuple(Valuation.__dataclass_fields__)
_USE_FIELDS: Final = ("model", "prompt", "prompt_hash", "cost_micros", "fallback")
DECISION_FORM: Final = ObjectForm(*Decision.__dataclass_fields__)
"""The whole decision."""

Form = dict[str, Any]


class DecisionTexts:
    """Writes the fields of many decisions; what they share as one object is written once.

    The gates give thousands of candidates the same verdicts, and the screen values alike ones once. Shared
    parts are known by identity, so all decisions must live as long as this does.
    """

    def __init__(self) -> None:
        self._lists: dict[tuple[int, ...], tuple[str, str]] = {}
        self._verdicts: dict[int, tuple[str, str]] = {}
        self._valuations: dict[int, str] = {}

    def fields(self, decision: Decision) -> dict[str, str]:
        """Return field → canonical text; a verdict that passed without remark is its rule's name alone."""
        use = decision.model_use
        return {
            "id": plain_text(decision.id),
            "case_id": plain_text(decision.case_id),
            "turn": plain_text(decision.turn),
            "stage": plain_text(decision.stage),
            "kind": plain_text(decision.kind),
            "reason": plain_text(decision.reason),
            "explanation": plain_text(decision.explanation),
            "at": plain_text(decision.at.isoformat()),
            "until": plain_text(decision.until.isoformat() if decision.until else None),
            "queue": plain_text(decision.queue),
            "channel": plain_text(decision.channel),
            "verdicts": self._both(decision.verdicts)[0],
            "valuation": self._valuation(decision.valuation),
            "arm": plain_text(decision.arm),
            "propensity_ppm": plain_text(decision.propensity_ppm),
            "facts": canonical([_fact_form(fact) for fact in decision.facts]) if decision.facts else "[]",
            "facts_hash": plain_text(decision.facts_hash),
            "playbook": plain_text(decision.playbook),
            "playbook_hash": plain_text(decision.playbook_hash),
            "limits_version": plain_text(decision.limits_version),
            "zone_rules": plain_text(decision.zone_rules),
            "model_use": canonical(_use_form(use)) if use else "null",
            "look_ups": canonical(decision.look_ups) if decision.look_ups else "[]",
        }

    def outcomes(self, verdicts: Sequence[Verdict]) -> str:
        """Return the canonical text of verdicts without what a gate saw, which may be personal."""
        return self._both(verdicts)[1]

    def _both(self, verdicts: Sequence[Verdict]) -> tuple[str, str]:
        """Return the list of verdicts in full, and without what the gates saw."""
        key = tuple(map(id, verdicts))
        texts = self._lists.get(key)
        if texts is None:
            for verdict in verdicts:
                if id(verdict) not in self._verdicts:
                    self._verdicts[id(verdict)] = canonical(_verdict_form(verdict)), _outcome(verdict)
            pairs = [self._verdicts[one] for one in key]
            full, outcomes = (",".join(part) for part in zip(*pairs, strict=True)) if pairs else ("", "")
            texts = self._lists[key] = f"[{full}]", f"[{outcomes}]"
        return texts

    def _valuation(self, valuation: Valuation | None) -> str:
        if valuation is None:
            return "null"
        text = self._valuations.get(id(valuation))
        if text is None:
            form = {name: getattr(valuation, name) for name in _VALUATION_FIELDS}
            text = self._valuations[id(valuation)] = canonical(form)
        return text


def decision_to_json(decision: Decision) -> str:
    """Return a decision as canonical JSON."""
    return DECISION_FORM.text(DecisionTexts().fields(decision))


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


def _verdict_form(verdict: Verdict) -> str | Form:
    if _is_silent(verdict):
        return verdict.rule
    return {
        "rule": verdict.rule,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "until": verdict.until.isoformat() if verdict.until else None,
        "queue": verdict.queue,
    }


def _outcome(verdict: Verdict) -> str:
    plain = verdict.outcome is Outcome.PASS and not verdict.reason
    return canonical(verdict.rule if plain else [verdict.rule, verdict.outcome.value])


def _use_form(use: ModelUse) -> Form:
    return {name: getattr(use, name) for name in _USE_FIELDS} | {"calls": list(use.calls)}


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
