"""From an audited decision to a case: the records as they were when it was made, disguised."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, cast, get_args

import yaml
from babel.numbers import get_currency_precision
from sqlalchemy import Connection
from typing_extensions import override

from agent.audit.card import Card, decision_card
from agent.bootstrap import App
from agent.domain.cases import Case as OwnCase
from agent.domain.decisions import Decision
from agent.domain.mirror import Seen
from agent.errors import RefusedError
from agent.store.deliveries import sent_times
from agent.store.mirror import linked, load_records, records_of_customers
from agent.watch.related import CUSTOMER, records_of, subject_of
from evals.cases.loading import dataset_files, load_suites
from evals.cases.model import Family
from evals.cases.world import usual_fields
from evals.regression.disguise import Disguise
from evals.results import Decided
from tools.errors import InputError
from tools.records.base import Money, Record
from tools.records.facts import Fact, FactValue
from tools.records.registry import RECORD_TYPES
from tools.yaml_file import did_you_mean

_WEEK: Final = timedelta(days=7)
_BRIEF: Final = "1m"
_OF_REASON: Final = {
    "cleared": Family.CLEARED,
    "condition_cleared": Family.CLEARED,
    "consent": Family.OPT_OUT,
    "suppression": Family.OPT_OUT,
    "open_ticket": Family.OPEN_TICKET,
    "quiet_hours": Family.QUIET_HOURS,
    "shared_address": Family.IDENTITY,
    "protected": Family.PROTECTED,
    "missing_facts": Family.MISSING_FACTS,
    "value": Family.FATIGUE,
    "cap_day": Family.FATIGUE,
    "cap_week": Family.FATIGUE,
}
"""Reason code → the trap of a case with this reason."""
"""How long a deferral runs: until it ends it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A case as text for a dataset."""

    case_id: str
    yaml: str
    """One list item, indented as below `cases:`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person says about the case to be made."""

    family: str | None
    """The trap; what the reason of the decision tells without it."""
    twin: str | None
    expect: str | None
    keep_texts: bool


def capture_case(app: App, ref: str, wishes: Wishes, datasets: Path) -> Captured:
    """Return the case of a decision, or of a case, draft or delivery by its id.

    Fields that the decision's facts hold are as they were then; all others are as the mirror has them now.

    Raises:
        NotFoundError: There is nothing with this id.
        RefusedError: It was not decided yet, or its records are gone.
        InputError: The family, the expected decision or the twin is wrong.
    """
    family = _one_of(wishes.family, [one.value for one in Family], "--family") if wishes.family else ""
    with app.store.read() as conn:
        card = decision_card(conn, app.store.keyring, ref)
        if card.decision is None:
            raise RefusedError(f"{ref} has no decision yet")
        related = app.playbooks[card.case.scenario].playbook.trigger.related
        records = _records(conn, card.case, related)
        sent = sent_times(conn, [card.case.customer_id], since=card.decision.at - _WEEK)
    decision = card.decision
    kind = _one_of(wishes.expect or decision.kind.value, [one.value for one in Decided], "--expect")
    disguise = Disguise(keep_texts=wishes.keep_texts)
    disguise.id_of(CUSTOMER, card.case.customer_id)  # the customer concerned is c1
    case_id = f"regression.{card.case.scenario}.{decision.id[-6:].lower()}"
    written: dict[str, Any] = {
        "id": case_id,
        "scenario": card.case.scenario,
        "family": family or _family_of(decision.reason).value,
        "title": _title(card, decision, kind),
        "twin": wishes.twin or _twin(datasets, card.case.scenario, contact=kind == Decided.CONTACT.value),
        "now": decision.at.isoformat(),
        "records": _written_records(records, decision.facts, disguise),
    }
    earlier = [at for at in sent.get(card.case.customer_id, ()) if at < decision.at]
    if earlier:
        written["sent"] = [{"at": at.isoformat()} for at in earlier]
    if kind == Decided.DEFER.value:
        written["runs"] = _BRIEF
    reason = {} if wishes.expect or kind == Decided.CONTACT.value else {"reason": decision.reason}
    written["expect"] = {"decision": kind, **reason}
    return Captured(case_id=case_id, yaml=_yaml(written))


def _family_of(reason: str) -> Family:
    """Return the trap that a reason tells of; most decisions are about speaking or keeping silent."""
    return _OF_REASON.get(reason, Family.CORRECT_SILENCE)


def _records(conn: Connection, case: OwnCase, related: tuple[str, ...]) -> dict[tuple[str, str], Seen]:
    subject = subject_of(case)
    types = sorted({CUSTOMER, *related})
    found = {
        (kind, seen.record.id): seen
        for kind, seen in records_of(conn, [subject], types).get(subject, {}).items()
    }
    if subject.key not in found:
        raise RefusedError(f"the record {case.object_ref} is gone; nothing is left to make a case of")
    for seen in records_of_customers(conn, [case.customer_id], "preference"):
        found["preference", seen.record.id] = seen
    for kind in ("ticket", "note"):
        about = linked(conn, "about", {case.object_ref}, kind)
        found |= load_records(conn, {(kind, one) for ids in about.values() for one in ids})
    if subject.key[0] == "incident":
        subscriptions = linked(conn, CUSTOMER, {case.customer_id}, "subscription")
        found |= load_records(conn, {("subscription", one) for ids in subscriptions.values() for one in ids})
    return found


def _written_records(
    records: Mapping[tuple[str, str], Seen], facts: tuple[Fact, ...], disguise: Disguise
) -> dict[str, list[dict[str, Any]]]:
    written: dict[str, list[dict[str, Any]]] = {}
    for (kind, _), seen in sorted(records.items(), key=lambda item: item[0][0] != CUSTOMER):
        record = _as_decided(kind, seen.record, facts)
        values = disguise.values_of(kind, record)
        plain = {name: _written(value) for name, value in values.items() if not _unsaid(kind, name, value)}
        written.setdefault(kind, []).append(plain)
    return written


def _unsaid(kind: str, name: str, value: object) -> bool:
    """Whether a record has a value also when nothing is said of it."""
    default = RECORD_TYPES[kind].model_fields[name].get_default(call_default_factory=True)
    plain = list(default) if isinstance(default, tuple) else default  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]  # of any field
    return value == plain and name not in usual_fields(kind)


def _as_decided(kind: str, record: Record, facts: tuple[Fact, ...]) -> Record:
    """Return the record with the values that the decision rested on."""
    fields = type(record).model_fields
    then: dict[str, object] = {}
    for fact in facts:
        record_type, _, name = fact.name.partition(".")
        exact = name in fields and fact.source.endswith(f"/{record.id}")
        if record_type == kind and exact and tuple not in _origins(fields[name].annotation):
            then[name] = _json_value(fact.value)
    return type(record).model_validate_json(json.dumps(record.model_dump(mode="json") | then))


def _json_value(value: FactValue) -> object:
    match value:
        case Money():
            return value.model_dump()
        case date():  # an instant is one too
            return value.isoformat()
        case _:
            return value


def _origins(annotation: object) -> list[object]:
    return [getattr(one, "__origin__", one) for one in (annotation, *get_args(annotation))]


def _written(value: Any) -> Any:  # noqa: ANN401  # any value of a record
    """Return a value as people write it in cases."""
    if isinstance(value, list):
        return [_written(one) for one in value]  # pyright: ignore[reportUnknownVariableType]  # any
    if not isinstance(value, dict):
        return value
    parts = cast("dict[str, Any]", value)
    if set(parts) == {"minor", "currency"}:
        places = get_currency_precision(parts["currency"])
        return f"{parts['minor'] / 10**places:.{places}f} {parts['currency']}"
    return {key: _written(inner) for key, inner in parts.items()}


def _title(card: Card, decision: Decision, kind: str) -> str:
    made = f"decided {decision.kind.value} ({decision.reason}) by {decision.playbook}"
    right = "" if kind == decision.kind.value else f"; {kind} would have been right"
    return f"Taken from {card.case.scenario}: {made}{right}."


def _twin(datasets: Path, scenario: str, *, contact: bool) -> str:
    suites = load_suites(dataset_files(datasets))
    for stem in sorted(suites, key=lambda one: one != scenario):  # the scenario's own file first
        for case in suites[stem]:
            if case.scenario == scenario and case.expect.contact != contact:
                return case.id
    raise InputError(
        f"no case of {scenario} expects {'silence' if contact else 'a contact'}",
        field="--twin",
        remedy="write its clean twin first and name it",
    )


def _one_of(value: str, known: list[str], option: str) -> str:
    if value in known:
        return value
    remedy = did_you_mean(value, known) or f"use one of: {', '.join(known)}"
    raise InputError(f"{value!r} is not known", field=option, remedy=remedy)


class _Plain(yaml.SafeDumper):
    """YAML without anchors, which datasets do not take."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        """Write a value again instead of pointing at it."""
        return True


def _yaml(written: dict[str, Any]) -> str:
    text = yaml.dump([written], Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return "".join(f"  {line}\n" for line in text.splitlines())
