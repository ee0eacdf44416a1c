"""Grouping: cases that look alike to the model become one situation, and one deliberation serves them all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from agent.domain.audit import Actor
from agent.domain.cases import Case, CaseId, CaseState
from agent.store.cases import assign_situations, transition
from agent.store.situations import open_situation
from agent.store.transaction import Tx, chunked
from agent.store.work import enqueue
from agent.watch.facts import coarse, facts_of
from agent.watch.related import Records
from agent.watch.zones import locale_of
from policies.engine import Gated
from policies.model import Playbook
from policies.triggers import CompiledPlaybook

MOST_MEMBERS = 500
"""Larger groups become several situations; the ledger of model calls answers their equal requests once."""

_Key = tuple[str, str, str, str, tuple[tuple[str, str], ...], bool]


def group(
    tx: Tx,
    survivors: Sequence[tuple[Case, Gated]],
    records: Mapping[CaseId, Records],
    playbooks: Mapping[str, CompiledPlaybook],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Put cases that passed the screen into situations and ask for their deliberation.

    Args:
        tx: The transaction of the screen.
        survivors: Cases with what the gates said, the channel included.
        records: The records of each case, the customer's included.
        playbooks: Those in force, by scenario.
        at: Now.
        actor: Who asks.
    """
    groups: dict[_Key, list[Case]] = defaultdict(list)
    for case, gated in survivors:
        groups[_key(case, gated, records[case.id], playbooks[case.scenario].playbook, at=at)].append(case)
    for key, cases in groups.items():
        for part in chunked(cases, MOST_MEMBERS):
            _open(tx, part, key, at=at, actor=actor)


def _open(tx: Tx, cases: Sequence[Case], key: _Key, *, at: datetime, actor: Actor) -> None:
    _, _, channel, locale, categories, _ = key
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


def _key(case: Case, gated: Gated, records: Records, playbook: Playbook, *, at: datetime) -> _Key:
    facts = coarse(facts_of(records, playbook.situation, now=at))
    return (
        case.scenario,
        case.playbook,
        gated.channel.value if gated.channel else "",
        locale_of(records),
        tuple(sorted(facts.items())),
        gated.second,  # its text is another one
    )
