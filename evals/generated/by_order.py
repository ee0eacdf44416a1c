"""Other orders of events: what happens at once, twice, late or across a restart comes to the same end."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from evals.cases.loading import target_of
from evals.cases.model import Case
from evals.cases.overlay import overlays
from evals.cases.world import build_records, change_record
from evals.generated.spelled import Fields, Spelled, length, name_records
from evals.generated.variety import OVER
from tools.durations import parse_duration

Way = Callable[[Spelled], None]
_STALE: Final = "-2h"
"""Before the company's systems were changed last, so what comes with this time is out of date."""
_OVERTAKEN: Final = "-30m"
"""After that, and before anything that happens in a case."""


def ways_to_reorder(spelled: Spelled) -> Mapping[str, Way]:
    """Return the ways in which the order of events of a case can be another one, by name."""
    ways: dict[str, Way] = {"redelivered": _redelivered, "restarted": _restarted}
    if _out_of_date(spelled):
        ways["stale"] = _stale
    if any(len(found) > 1 for found in spelled.fields["records"].values()):
        ways["shuffled"] = _shuffled
    changes = [event for event in spelled.fields["events"] if "change" in event]
    if any(sum(map(len, event["change"].values())) > 1 for event in changes):
        ways["apart"] = _apart
    if changes:
        ways["twice"] = _twice
    if any(True for _ in _overtaken(spelled.case)):
        ways["overtaken"] = _late
    return ways


def reorder(spelled: Spelled, way: str) -> None:
    """Change the order of events in a way of `ways_to_reorder`; what is expected stays."""
    ways_to_reorder(spelled)[way](spelled)


def _redelivered(spelled: Spelled) -> None:
    for _ in range(2):
        _put_between(spelled, {"redeliver": True})
    spelled.note("redelivered", "the source offers everything again, twice")


def _restarted(spelled: Spelled) -> None:
    for _ in range(2):
        _put_between(spelled, {"restart": True})
    spelled.note("restarted", "the process is replaced twice")


def _stale(spelled: Spelled) -> None:
    name_records(spelled)
    old = _out_of_date(spelled)
    for name, (values,) in old.items():
        values["id"] = spelled.records(name)[0]["id"]
    _put_between(spelled, {"change": old, "as_of": _STALE})
    spelled.note("stale", "news from before arrive late, by which there was nothing to tell")


def _out_of_date(spelled: Spelled) -> dict[str, list[Fields]]:
    """Return what records could have said before, by which there was nothing to tell."""
    over = OVER.get(spelled.case.scenario, {})
    return {name: [dict(values)] for name, values in over.items() if spelled.records(name)}


def _shuffled(spelled: Spelled) -> None:
    name_records(spelled)
    for found in spelled.fields["records"].values():
        spelled.random.shuffle(found)
    spelled.note("shuffled", "records are read in another order")


def _apart(spelled: Spelled) -> None:
    events: list[Fields] = []
    for event in spelled.fields["events"]:
        parts = [(name, one) for name, found in event.get("change", {}).items() for one in found]
        if len(parts) < 2:  # noqa: PLR2004  # one part stays whole
            events.append(event)
            continue
        spelled.random.shuffle(parts)
        for place, (name, one) in enumerate(parts):
            after = "0s" if place else event["after"]
            events.append(event | {"after": after, "change": {name: [one]}})
    spelled.fields["events"] = events
    spelled.note("apart", "what changes at once arrives piece by piece, in another order")


def _twice(spelled: Spelled) -> None:
    events: list[Fields] = []
    for event in spelled.fields["events"]:
        events.append(event)
        if "change" in event:
            events.append(event | {"after": "0s"})
    spelled.fields["events"] = events
    spelled.note("twice", "every change arrives twice")


def _late(spelled: Spelled) -> None:
    before = dict(_overtaken(spelled.case))
    events: list[Fields] = []
    for place, event in enumerate(spelled.fields["events"]):
        events.append(event)
        if place in before:
            events.append({"after": "0s", "change": before[place], "as_of": _OVERTAKEN})
    spelled.fields["events"] = events
    spelled.note("overtaken", "what was before arrives after each change")


def _overtaken(case: Case) -> Iterator[tuple[int, dict[str, list[Fields]]]]:
    """Yield (place of an event, what the records it changes said before)."""
    records: dict[tuple[str, str], Any] = dict(build_records(case.world, case.scenario, case.frame))
    for place, event in enumerate(case.events):
        before: dict[str, list[Fields]] = {}
        for record_type, changes in (overlays(event.change) if event.change else {}).items():
            for values in changes:
                key = target_of(record_type, values, records)
                if key in records and event.as_of is None:
                    held = records[key].model_dump(mode="json")
                    old = {name: held[name] for name in values if name != "id" and _is_plain(held[name])}
                    before.setdefault(record_type, []).append({"id": key[1]} | old)
                if event.as_of is None:
                    records[key] = change_record(record_type, records.get(key), values, case.frame)
        if any(len(one) > 1 for found in before.values() for one in found):
            yield place, before


def _is_plain(value: object) -> bool:
    """Whether a value of a record can be written in a case as it is."""
    return value is None or isinstance(value, bool | int | str)


def _put_between(spelled: Spelled, event: Fields) -> None:
    """Let something happen at some time of the case, which takes as long as before."""
    events: list[Fields] = spelled.fields["events"]
    spans = [(place, parse_duration(one["after"])) for place, one in enumerate(events)]
    spans.append((len(events), parse_duration(spelled.fields["runs"])))
    place, span = spelled.random.choice([(place, span) for place, span in spans if span])
    first = span * spelled.random.randint(1, 9) // 10
    first -= first % parse_duration("1s")
    events.insert(place, {"after": length(first)} | event)
    rest = length(span - first)
    if place == len(events) - 1:
        spelled.fields["runs"] = rest
    else:
        events[place + 1]["after"] = rest
