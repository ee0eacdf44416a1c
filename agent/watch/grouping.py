"""Grouping: cases that look alike to the model become one situation, and one deliberation serves them all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from agent.domain.audit import Actor
from agent.domain.cases import Case, CaseState
from agent.store.cases import assign_situations, transition
from agent.store.situations import open_situation
from agent.store.transaction import Tx, chunked
from agent.store.work import enqueue
from agent.watch.facts import coarse, facts_of
from agent.watch.related import Subject, records_of
from policies.engine import Gated
from policies.fact_names import record_types_of
from policies.model import Playbook
from policies.triggers import CompiledPlaybook
from tools.records.people import Customer

MOST_MEMBERS = 500
"""Larger groups become several situations; the ledger of model calls answers their equal requests once."""

_Key = tuple[str, str, str, str, tuple[tuple[str, str], ...]]


def group(
    tx: Tx,
    survivors: Sequence[tuple[Case, Gated]],
    playbooks: Mapping[str, CompiledPlaybook],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Put cases that passed the screen into situations and ask for their deliberation."""
    by_scenario: dict[str, list[tuple[Case, Gated]]] = defaultdict(list)
    for case, gated in survivors:
        by_scenario[case.scenario].append((case, gated))
    for scenario, members in by_scenario.items():
        for key, cases in _grouped(tx, members, playbooks[scenario].playbook, at=at).items():
            for part in chunked(cases, MOST_MEMBERS):
                _open(tx, part, key, at=at, actor=actor)


def _open(tx: Tx, cases: Sequence[Case], key: _Key, *, at: datetime, actor: Actor) -> None:
    _, _, channel, locale, categories = key
    situation_id = open_situation(
        tx, cases[0], channel=channel, locale=locale, categories=categories, instruction=None, at=at
    )
    assign_situations(tx, dict.fromkeys((case.id for case in cases), situation_id))
    transition(
        tx,
        [case.id for case in cases],
        to=CaseState.SCREENED,
        at=at,
        next_at=None,
        reason="passed",
        actor=actor,
    )
    enqueue(tx, key=f"deliberate:{situation_id}", kind="deliberate", ref=situation_id, at=at)


def _grouped(
    tx: Tx, members: Sequence[tuple[Case, Gated]], playbook: Playbook, *, at: datetime
) -> dict[_Key, list[Case]]:
    types = {record_type for name in playbook.situation for record_type in record_types_of(name)}
    subjects = {case.id: subject_of(case) for case, _ in members}
    records = records_of(tx.conn, set(subjects.values()), types | {"customer"})
    groups: dict[_Key, list[Case]] = defaultdict(list)
    for case, gated in members:
        found = records.get(subjects[case.id], {})
        customer = found["customer"].record if "customer" in found else None
        locale = customer.locale if isinstance(customer, Customer) else "en_US"
        facts = coarse(facts_of(found, playbook.situation, now=at))
        key = (
            case.scenario,
            case.playbook,
            gated.channel.value if gated.channel else "",
            locale,
            tuple(sorted(facts.items())),
        )
        groups[key].append(case)
    return groups


def subject_of(case: Case) -> Subject:
    """Return the subject whose records a case rests on."""
    record_type, _, record_id = case.object_ref.partition(":")
    return Subject((record_type, record_id), case.customer_id)
