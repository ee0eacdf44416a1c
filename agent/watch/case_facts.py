"""The facts and texts of many cases at once, for the first look and for every later one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from agent.domain.cases import Case, CaseId
from agent.store.mirror import linked, load_records
from agent.store.streams import read_times
from agent.watch.facts import facts_of, texts_of
from agent.watch.related import CUSTOMER, Records, records_of, subject_of
from policies.fact_names import is_untrusted, record_types_of
from policies.model import Playbook
from tools.records.facts import Fact
from tools.records.people import Note, Ticket

_ABOUT = {"note.text": "note", "ticket.subject": "ticket"}
"""Texts that are attached to an object by name, not by a link of a type of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvidence:
    """What the mirror holds about one case."""

    records: Records
    facts: tuple[Fact, ...]
    texts: tuple[str, ...]
    missing: tuple[str, ...]
    """Required facts without a value."""


def evidence_of(
    conn: Connection, cases: Sequence[Case], playbook: Playbook, *, now: datetime
) -> dict[CaseId, CaseEvidence]:
    """Return facts, texts and records of cases of one playbook, in bulk."""
    names = tuple(dict.fromkeys((*playbook.facts, *playbook.required_facts, *playbook.situation)))
    wanted = [*names, *(name for name in playbook.untrusted if name not in _ABOUT)]
    types = {record_type for name in wanted for record_type in record_types_of(name)}
    subjects = {case.id: subject_of(case) for case in cases}
    found = records_of(conn, set(subjects.values()), sorted(types | {CUSTOMER, *playbook.trigger.related}))
    attached = _attached(conn, cases, playbook)
    read_at = read_times(conn)
    evidence: dict[CaseId, CaseEvidence] = {}
    for case in cases:
        records = found.get(subjects[case.id], {})
        facts = facts_of(records, names, now=now, read_at=read_at)
        have = {fact.name for fact in facts}
        evidence[case.id] = CaseEvidence(
            records=records,
            facts=facts,
            texts=(*texts_of(records, playbook.untrusted), *attached.get(case.object_ref, ())),
            missing=tuple(name for name in playbook.required_facts if name not in have),
        )
    return evidence


def _attached(conn: Connection, cases: Sequence[Case], playbook: Playbook) -> Mapping[str, Sequence[str]]:
    texts: dict[str, list[str]] = defaultdict(list)
    for name in playbook.untrusted:
        if name not in _ABOUT or not is_untrusted(name):
            continue
        record_type = _ABOUT[name]
        about = linked(conn, "about", {case.object_ref for case in cases}, record_type)
        records = load_records(conn, {(record_type, one) for ids in about.values() for one in ids})
        for object_ref, ids in about.items():
            for one in sorted(ids):
                seen = records.get((record_type, one))
                match seen.record if seen else None:
                    case Note(text=text) | Ticket(subject=text) if text.strip():
                        texts[object_ref].append(text)
                    case _:
                        pass
    return texts
