"""Facts from mirrored records: pure functions, so that a fresh look and a first look agree."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from agent.domain.mirror import Seen
from policies.derived_facts import derive
from policies.fact_names import DERIVED_FACTS, form_of, is_coarse, is_untrusted, record_types_of
from tools.records.base import Record
from tools.records.commerce import Order, Shipment
from tools.records.facts import Fact, FactValue

VOLATILE = frozenset({"incident.minutes_open"})
"""Facts that change with every look; they never make a draft stale."""


def facts_of(
    records: Mapping[str, Seen],
    names: Collection[str],
    *,
    now: datetime,
    read_at: Mapping[tuple[str, str], datetime] | None = None,
) -> tuple[Fact, ...]:
    """Return the facts with a value, in the order of `names`.

    Untrusted names are left out; `texts_of` returns those. A text without the form that its field declares
    may be an order to the reader: it is not trusted either, and nothing prints it.

    Args:
        records: The records of one case by type.
        names: Fact names of the playbook.
        now: For facts that count days.
        read_at: When each (connector, stream) was last read to its end: what it did not change then was
            still so.
    """
    read = read_at or {}
    plain = {record_type: seen.record for record_type, seen in records.items()}
    facts: list[Fact] = []
    for name in names:
        needed = [records[record_type] for record_type in record_types_of(name) if record_type in records]
        if is_untrusted(name) or len(needed) < len(record_types_of(name)):
            continue
        value = derive(name, plain, now=now) if name in DERIVED_FACTS else _field(needed[0].record, name)
        if value is None:
            continue
        form = form_of(name)
        facts.append(
            Fact(
                name=name,
                value=value,
                source=" + ".join(f"{seen.source}/{seen.stream}/{seen.record.id}" for seen in needed),
                fetched_at=min(_confirmed(seen, read) for seen in needed),
                as_of=max(seen.source_updated_at for seen in needed),
                trusted=form is None or not isinstance(value, str) or form.fits(value),
            )
        )
    return tuple(facts)


def texts_of(records: Mapping[str, Seen], names: Collection[str]) -> Iterator[str]:
    """Yield the texts by strangers that the playbook names, without empty ones."""
    for name in names:
        record_type, _, field = name.partition(".")
        seen = records.get(record_type)
        if seen is not None and is_untrusted(name):
            yield from (text for text in _strings(seen.record, field) if text.strip())


def coarse(facts: Collection[Fact]) -> dict[str, str]:
    """Return the facts with few possible values as text: codes, and flags as `yes` or `no`."""
    return {
        fact.name: ("yes" if fact.value else "no") if isinstance(fact.value, bool) else str(fact.value)
        for fact in facts
        if is_coarse(fact.name)
    }


def _confirmed(seen: Seen, read_at: Mapping[tuple[str, str], datetime]) -> datetime:
    return max(seen.observed_at, read_at.get((seen.source, seen.stream), seen.observed_at))


def _field(record: Record, name: str) -> FactValue:
    value: object = getattr(record, name.partition(".")[2])
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple | list):
        return ", ".join(str(item) for item in value) or None  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # texts
    return value  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # fact_names allows only fact values


def _strings(record: Record, field: str) -> Iterator[str]:
    if isinstance(record, Order) and field == "lines":
        yield from (line.title for line in record.lines)
    elif isinstance(record, Shipment) and field == "scans":
        yield from (scan.text for scan in record.scans)
    else:
        yield str(getattr(record, field) or "")
