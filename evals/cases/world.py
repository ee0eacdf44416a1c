"""From what a case says to whole records: an ordinary record of the type, with the case's own values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from evals.cases.moments import end_of_day
from evals.cases.overlay import Overlay, Records, overlays, resolve
from tools.errors import InputError
from tools.records.base import Record
from tools.records.registry import RECORD_TYPES
from tools.yaml_file import load_yaml

_USUAL_FILE: Final = Path(__file__).with_name("usual.yaml")
_LETTERS: Final = {
    "customer": "c",
    "preference": "p",
    "account": "a",
    "order": "o",
    "shipment": "s",
    "subscription": "b",
    "invoice": "i",
    "payment": "y",
    "transaction": "x",
    "incident": "n",
    "device": "d",
    "usage": "u",
    "ticket": "t",
    "note": "r",
    "repair": "f",
    "message_event": "m",
}
"""The first record of a type is called by this letter and 1, the second by 2, and so on."""
OF_SCENARIO: Final[Mapping[str, tuple[str, ...]]] = {
    "shipping_delay": ("customer", "order", "shipment"),
    "payment_due": ("customer", "invoice"),
    "service_disruption": ("customer", "subscription", "incident"),
    "data_threshold": ("customer", "usage"),
}
"""The records that a world of the scenario has without being named; other scenarios name all of theirs."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What relative times of a case are relative to."""

    start: datetime
    zone: ZoneInfo
    """The company's zone: its days are calendar days there."""


def build_records(written: Overlay, scenario: str, frame: Frame) -> dict[tuple[str, str], Record]:
    """Return the records of a world by (type, id), in the order in which systems are read.

    Raises:
        InputError: Values do not make a record; `field` names the place below `records`.
    """
    named = overlays(written)
    found: dict[tuple[str, str], Record] = {}
    for record_type in RECORD_TYPES:
        plain: list[dict[str, Any]] = [{}] if record_type in OF_SCENARIO.get(scenario, ()) else []
        for number, values in enumerate(named.get(record_type, plain), start=1):
            record = _build(record_type, values, number, frame)
            found[record_type, record.id] = record
    return found


def change_record(record_type: str, before: Record | None, values: dict[str, Any], frame: Frame) -> Record:
    """Return a record with some values changed; without one before, an ordinary one with these values.

    Raises:
        InputError: Values do not make a record.
    """
    if before is None:
        return _build(record_type, values, 1, frame)
    resolved = _with_instants(
        record_type, resolve(record_type, values, start=frame.start, zone=frame.zone), frame
    )
    return _parse(record_type, before.model_dump(mode="json") | resolved)


def record_id(record_type: str, number: int) -> str:
    """Return the id that the n-th record of a type has without being given one, from 1."""
    return f"{_LETTERS[record_type]}{number}"


def _build(record_type: str, values: dict[str, Any], number: int, frame: Frame) -> Record:
    identifier = values.get("id") or record_id(record_type, number)
    whole = {"id": identifier} | identifying(record_type, identifier, number) | _usual(record_type) | values
    resolved = resolve(record_type, whole, start=frame.start, zone=frame.zone)
    return _parse(record_type, _with_instants(record_type, resolved, frame))


def identifying(record_type: str, identifier: str, number: int) -> dict[str, Any]:
    """Return the values that tell records of a type apart."""
    match record_type:
        case "customer":
            return {"emails": [f"{identifier}@example.com"], "phones": [f"+493090182{number:04}"]}
        case "order":
            return {"number": f"{1000 + number}"}
        case "shipment":
            return {"tracking_no": f"JD{7700 + number}"}
        case "invoice":
            return {"number": f"R-{70 + number}"}
        case _:
            return {}


def _with_instants(record_type: str, values: dict[str, Any], frame: Frame) -> dict[str, Any]:
    """Add the instant at which a day ends where only the day was given; the company's zone says when."""
    pairs = {"order": ("promised_on", "promised_at"), "invoice": ("due_on", "due_at")}
    if record_type in pairs:
        day, instant = pairs[record_type]
        if values.get(day) and instant not in values:
            ends = end_of_day(date.fromisoformat(values[day]), frame.zone)
            return values | {instant: ends.isoformat()}
    if record_type == "usage" and values.get("resets_on") and "period_end" not in values:
        starts = datetime.combine(date.fromisoformat(values["resets_on"]), datetime.min.time(), frame.zone)
        return values | {"period_end": starts.isoformat()}
    return values


def _parse(record_type: str, values: dict[str, Any]) -> Record:
    try:
        return RECORD_TYPES[record_type].model_validate_json(json.dumps(values))
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise InputError(
            f"no {record_type}: {first['msg']}",
            field=f"{record_type}.{field}",
            remedy="correct the value, or leave it out for the usual one",
        ) from exc


def usual_fields(record_type: str) -> frozenset[str]:
    """Return the fields that a record has without being written, so that nothing else need be said."""
    return frozenset({*_usual(record_type), *identifying(record_type, "x", 1)})


@cache
def _usual(record_type: str) -> dict[str, Any]:
    return _usual_records().get(record_type, [{}])[0]


@cache
def _usual_records() -> dict[str, list[dict[str, Any]]]:
    return overlays(load_yaml(_USUAL_FILE, Records))
