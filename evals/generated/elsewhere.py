"""Customers who live elsewhere while everything else stays.

When a message may leave is then decided by their clock alone, and reckoned here by rules of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from evals.cases.model import Case
from evals.cases.moments import moment
from evals.cases.world import build_records
from evals.generated.clocks import STEP, USUAL_ZONE, ZONES, always_awake, is_quiet, zones_of
from evals.generated.spelled import Spelled, length
from evals.results import Decided
from tools.records.commerce import Invoice, Order, Shipment
from tools.records.operations import Incident, Usage

_HOUR: Final = timedelta(hours=1)
_SOON: Final = timedelta(minutes=1)
_MOST_A_DAY: Final = 2
_CLOCK: Final = re.compile(r"\d:\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a customer elsewhere may be told."""

    zone: str
    opens: datetime
    in_time: bool
    """Whether word is still of use then."""


def windows(spelled: Spelled) -> Sequence[Window]:
    """Return for each zone in which it is night when the message would leave what its customer may expect.

    None for cases in which more than the clock decides.
    """
    case, until = spelled.case, _of_use_until(spelled.case)
    if until is None or not _only_the_clock_decides(spelled):
        return ()
    found: list[Window] = []
    for zone in ZONES:
        opens = _opens(case, zone)
        if zone != USUAL_ZONE and opens > case.start:
            found.append(Window(zone=zone, opens=opens, in_time=opens < until))
    return found


def live_by(spelled: Spelled, window: Window) -> None:
    """Let the customer live elsewhere, and expect the message by their clock, if that is not too late."""
    case, expect = spelled.case, spelled.expect
    spelled.records("customer")[0]["tz"] = window.zone
    spelled.fields["runs"] = length(window.opens - case.start + _HOUR)
    expect.pop("reason", None)
    clock = f"{window.opens.astimezone(ZoneInfo(window.zone)):%H:%M}"
    if window.in_time:
        expect["decision"] = Decided.CONTACT.value
        expect["not_before"] = window.opens.isoformat()
        expect["not_after"] = (window.opens + _SOON).isoformat()
        expect["tells"] = _without_clocks(expect.get("tells", ()))
        spelled.note("elsewhere", f"the customer lives in {window.zone} and is told at {clock} there")
    else:
        expect |= {"decision": [Decided.ABSTAIN.value], "messages": 0, "to": [], "tells": []}
        expect.pop("channel", None)
        spelled.note("elsewhere", f"the customer lives in {window.zone}, and {clock} there is too late")


def zones_by_day(spelled: Spelled) -> Sequence[str]:
    """Return zones in which, as in the present one, it is day during the whole case."""
    case = spelled.case
    if zones_of(spelled) != (USUAL_ZONE,) or case.sent or not always_awake(case, USUAL_ZONE):
        return ()
    return [zone for zone in ZONES if zone != USUAL_ZONE and always_awake(case, zone)]


def live_in(spelled: Spelled, zone: str) -> None:
    """Let all customers live elsewhere, where it is day too; nothing else changes."""
    for customer in spelled.records("customer"):
        customer["tz"] = zone
    spelled.expect["tells"] = _without_clocks(spelled.expect.get("tells", ()))
    spelled.note("elsewhere", f"the customers live in {zone}, where it is day too")


def _only_the_clock_decides(spelled: Spelled) -> bool:
    case, expect = spelled.case, spelled.case.expect
    plain = not (case.events or case.held_out or case.stopped or case.opted_out) and case.runs == _HOUR
    told = expect.decisions == (Decided.CONTACT,) and expect.messages in {None, 1} and expect.to is None
    waits = expect.decisions == (Decided.DEFER,) and {*expect.reasons} <= {"cap_day", "quiet_hours"}
    return (
        plain
        and (told or waits)
        and case.reviewer == "approves"
        and all(moment(one.at, case.start) > case.start - timedelta(days=6) for one in case.sent)
        and len(spelled.records("customer")) == 1
        and zones_of(spelled) == (USUAL_ZONE,)
    )


def _opens(case: Case, zone: str) -> datetime:
    """Return the first minute outside quiet hours, on a day with fewer messages than a day may have."""
    where = ZoneInfo(zone)
    sent = [moment(one.at, case.start) for one in case.sent if one.counts_to_cap and one.customer == "c1"]
    days = [at.astimezone(where).date() for at in sent]
    at = case.start
    while is_quiet(at, zone) or days.count(at.astimezone(where).date()) >= _MOST_A_DAY:
        at += STEP
    return at


def _of_use_until(case: Case) -> datetime | None:
    """Return the exclusive end of the time in which word is of use, as the scenarios' own cases say it.

    None where it is not known: of scenarios that others add.
    """
    ends: list[datetime] = []
    for record in build_records(case.world, case.scenario, case.frame).values():
        match record:
            case Order(promised_at=datetime() as promised) if case.scenario == "shipping_delay":
                ends.append(promised + timedelta(days=3))
            case Shipment(eta_now=datetime() as expected) if case.scenario == "shipping_delay":
                ends.append(expected)
            case Invoice(due_at=datetime() as due) if case.scenario == "payment_due":
                ends.append(due)
            case Incident(started_at=datetime() as started) if case.scenario == "service_disruption":
                ends.append(started + timedelta(hours=12))
            case Usage() if case.scenario == "data_threshold":
                ends.append(min(record.period_end, record.measured_at + timedelta(days=1)))
            case _:
                continue
    return max(ends, default=None)


def _without_clocks(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if not _CLOCK.search(text)]
