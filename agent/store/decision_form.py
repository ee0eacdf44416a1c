"""The canonical JSON form of a decision: exact, compact, and the same on every database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple, cast

from agent.canonical import CanonicalText, ObjectForm, canonical, plain_text, text_hash
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
EVENT_FORM: Final = ObjectForm(
    "decision",
    "body_hash",
    "stage",
    "kind",
    "reason",
    "until",
    "channel",
    "verdicts",
    "value",
    "arm",
    "propensity_ppm",
    "playbook",
    "playbook_hash",
    "limits_version",
    "zone_rules",
    "model",
    "prompt",
    "cost_micros",
)
"""What the audit log says of it."""
_PLAIN_FIELDS: Final = (
    "stage",
    "kind",
    "reason",
    "queue",
    "channel",
    "arm",
    "propensity_ppm",
    "facts_hash",
    "playbook",
    "playbook_hash",
    "limits_version",
    "zone_rules",
)
_plain_fields = attrgetter(*_PLAIN_FIELDS)
_shared_parts = attrgetter("at", "valuation", "facts", "model_use", "look_ups")

Form = dict[str, Any]


class Written(NamedTuple):
    """The texts of one decision, canonical."""

    body: str
    """The whole decision; a verdict that passed without remark is its rule's name alone."""
    body_hash: str
    event: CanonicalText
    """What the audit log says of it."""


class _Forms(NamedTuple):
    """What remains to be written of decisions that are alike."""

    body: ObjectForm
    event: ObjectForm


class DecisionTexts:
    """Writes many decisions; what they share as one object is written once.

    The gates give thousands of candidates the same verdicts, the screen values alike ones once, and its
    decisions differ in few fields. What is not plain is known by identity, so all decisions must live as
    long as this does.
    """

    def __init__(self) -> None:
        self._forms: dict[tuple[object, ...], _Forms] = {}
        self._lists: dict[tuple[int, ...], tuple[str, str]] = {}
        self._verdicts: dict[int, tuple[str, str]] = {}

    def write(self, decision: Decision) -> Written:
        """Return the texts of a decision."""
        key = (_plain_fields(decision), *map(id, _shared_parts(decision)))
        body_form, event_form = self._forms.get(key) or self._begin(key, decision)
        verdicts, outcomes = self._both(decision.verdicts)
        decision_id = plain_text(decision.id)
        until = plain_text(decision.until.isoformat() if decision.until else None)
        body = body_form.text(
            {
                "id": decision_id,
                "case_id": plain_text(decision.case_id),
                "turn": plain_text(decision.turn),
                "explanation": plain_text(decision.explanation),
                "until": until,
                "verdicts": verdicts,
            }
        )
        body_hash = text_hash(body)
        told = {"decision": decision_id, "body_hash": f'"{body_hash}"', "until": until, "verdicts": outcomes}
        return Written(body, body_hash, CanonicalText(event_form.text(told)))

    def _begin(self, key: tuple[object, ...], decision: Decision) -> _Forms:
        """Write what other decisions may have in common with this one."""
        valuation, use = decision.valuation, decision.model_use
        fields = {name: plain_text(getattr(decision, name)) for name in _PLAIN_FIELDS}
        fields |= {
            "at": plain_text(decision.at.isoformat()),
            "valuation": canonical(_valuation_form(valuation) if valuation else None),
            "facts": canonical([_fact_form(fact) for fact in decision.facts]),
            "model_use": canonical(_use_form(use) if use else None),
            "look_ups": canonical(decision.look_ups),
        }
        told = {
            "value": plain_text(valuation.total if valuation else None),
            "model": plain_text(use.model if use else None),
            "prompt": plain_text(use.prompt if use else None),
            "cost_micros": plain_text(use.cost_micros if use else 0),
        }
        forms = self._forms[key] = _Forms(DECISION_FORM.filled(fields), EVENT_FORM.filled(fields | told))
        return forms

    def _both(self, verdicts: Sequence[Verdict]) -> tuple[str, str]:
        """Return the list of verdicts in full, and without what the gates saw, which may be personal."""
        key = tuple(map(id, verdicts))
        texts = self._lists.get(key)
        if texts is None:
            pairs = [self._verdict(verdict) for verdict in verdicts]
            full, outcomes = (",".join(part) for part in zip(*pairs, strict=True)) if pairs else ("", "")
            texts = self._lists[key] = f"[{full}]", f"[{outcomes}]"
        return texts

    def _verdict(self, verdict: Verdict) -> tuple[str, str]:
        """Return a verdict in full, and without what the gate saw."""
        texts = self._verdicts.get(id(verdict))
        if texts is None:
            texts = self._verdicts[id(verdict)] = canonical(_verdict_form(verdict)), _outcome(verdict)
        return texts


def decision_to_json(decision: Decision) -> str:
    """Return a decision as canonical JSON."""
    return DecisionTexts().write(decision).body


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


def _valuation_form(valuation: Valuation) -> Form:
    return {name: getattr(valuation, name) for name in _VALUATION_FIELDS}


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
