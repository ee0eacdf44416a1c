"""The shape of a case: everything a person may write under `evals/datasets/`."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from agent.review_desk.answers import RejectReason
from evals.cases.moments import Length, Moment, moment
from evals.cases.overlay import Overlay, Records, one_or_several
from evals.cases.world import Frame
from evals.results import Decided
from tools.records.base import Strict
from tools.records.registry import RECORD_TYPES
from tools.records.vocabulary import ChannelKind, Purpose
from tools.yaml_file import did_you_mean

USUAL_START: Final = datetime(2026, 11, 2, 12, tzinfo=UTC)
"""A Monday noon outside all clock changes."""


class Family(StrEnum):
    """The trap that a case sets; cases of a family are one cluster of evidence."""

    CLEARED = "cleared_while_queued"
    TWO_INCIDENTS = "two_incidents"
    OPT_OUT = "opt_out"
    OPEN_TICKET = "open_ticket"
    INJECTION = "injection"
    MONEY = "money"
    QUIET_HOURS = "quiet_hours"
    REPEATED_EVENTS = "repeated_events"
    IDENTITY = "identity"
    PROTECTED = "protected"
    MISSING_FACTS = "missing_facts"
    FATIGUE = "fatigue_and_value"
    MASS_INCIDENT = "mass_incident"
    INTERRUPTED = "interrupted"
    CORRECT_SILENCE = "correct_silence"

    @property
    def number(self) -> int:
        """Its place in this list, from 1."""
        return list(Family).index(self) + 1


INVARIANTS: Final[dict[Family, str]] = {
    Family.OPT_OUT: "nothing_after_opt_out",
    Family.INJECTION: "strangers_texts_are_inert",
    Family.REPEATED_EVENTS: "one_message_per_signal",
    Family.IDENTITY: "nothing_to_the_wrong_person",
    Family.PROTECTED: "protected_people_are_left_alone",
}
"""Critical families and the invariant that each of their cases tries."""

CaseName = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[-._][a-z0-9]+)*$", max_length=100)]


class Stopped(Strict):
    """A stop that a person ordered before the case begins, or orders in an event."""

    scope: Literal["global", "scenario", "channel"]
    key: str = ""
    """Scenario or channel; empty for everything."""


class OptOut(Strict):
    """A customer's wish to be left alone, for example by replying STOP."""

    channel: ChannelKind
    customer: str = "c1"
    purpose: Purpose | Literal["all"] = "all"


class Sent(Strict):
    """A message that went out before the case begins."""

    at: Moment
    customer: str = "c1"
    channel: ChannelKind = ChannelKind.EMAIL
    scenario: str = "payment_due"
    counts_to_cap: bool = True


class Edited(Strict):
    """A reviewer's own text; what is left out stays."""

    subject: str | None = None
    body: str | None = None
    append: str = ""
    """Put after the body that was shown."""


class Event(Strict):
    """Something that happens after a time; without an action, time only passes."""

    after: Length
    """Since the event before it, or the start; the system runs meanwhile, and not at all in `0s`."""
    change: Records | None = None
    """Records that the company changes or adds; only the values that change."""
    as_of: Moment | None = None
    """When the company's system says the change happened; now without it. For late and reordered news."""
    remove: tuple[str, ...] = ()
    """Records that vanish from the company's systems, as `type:id`."""
    approve: bool = False
    """The reviewer approves every draft that waits."""
    reject: RejectReason | None = None
    """The reviewer rejects every draft that waits."""
    redraft: str = ""
    """The reviewer asks for another text in these words."""
    escalate: bool = False
    """The reviewer hands the case to people."""
    edit: Edited | None = None
    """The reviewer changes the text; it then waits for approval."""
    opt_out: OptOut | None = None
    stop: Stopped | None = None
    """Somebody orders a stop."""
    lift: Stopped | None = None
    source: Literal["down", "up"] | None = None
    """The company's system stops answering, or answers again."""
    provider: tuple[Literal["busy", "refuse", "lose_answer", "lose_call"], ...] = ()
    """How the providers answer their next calls; afterwards they accept."""
    redeliver: bool = False
    """The source offers every version it ever had once more, newest first."""
    restart: bool = False
    """The process ends without warning and another takes over."""

    @property
    def action(self) -> str:
        """The name of the one thing that happens; empty when time only passes."""
        named = self.model_fields_set - {"after", "as_of"}
        return next(iter(named), "")

    @model_validator(mode="after")
    def _one_thing_at_a_time(self) -> "Event":
        named = sorted(self.model_fields_set - {"after", "as_of"})
        if len(named) > 1:
            raise ValueError(f"two things at once: {', '.join(named)}; write two events, the second after 0s")
        if self.as_of is not None and self.change is None:
            raise ValueError("`as_of` belongs to `change`; leave it out")
        return self


class Expected(Strict):
    """The end state, whichever way it comes about."""

    decision: Annotated[
        Annotated[Decided, Tag("one")] | Annotated[tuple[Decided, ...], Tag("several")],
        Discriminator(one_or_several),
    ]
    """The last decision; several where all of them are right. `none`: no signal was seen."""
    reason: str | tuple[str, ...] = ()
    """Allowed reason codes; any without it."""
    channel: ChannelKind | None = None
    queue: str | None = None
    """Which people an escalation goes to."""
    messages: Annotated[int, Field(ge=0)] | None = None
    """How many go out in all; one for a contact, none for anything else."""
    to: tuple[str, ...] | None = None
    """Customers who get them; `c1` for a contact."""
    not_before: Moment | None = None
    """Earliest instant of sending, inclusive."""
    not_after: Moment | None = None
    """Latest instant of sending, inclusive."""
    tells: tuple[str, ...] = ()
    """Texts that every message to `c1` must contain, exactly as the customer reads them."""
    omits: tuple[str, ...] = ()
    """Texts that no message or draft may contain."""
    waiting: Annotated[int, Field(ge=0)] | None = None
    """Drafts that wait for a reviewer at the end."""

    @property
    def decisions(self) -> tuple[Decided, ...]:
        """The allowed decisions, the first one being the one to show."""
        return self.decision if isinstance(self.decision, tuple) else (self.decision,)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The allowed reason codes; empty for any."""
        return (self.reason,) if isinstance(self.reason, str) else self.reason

    @property
    def contact(self) -> bool:
        """Whether a message is the right answer, or the first of several."""
        return self.decisions[0] is Decided.CONTACT and self.messages != 0

    def number(self, done: Decided) -> int:
        """Return how many messages are to go out when `done` was decided."""
        if self.messages is not None:
            return self.messages
        return int(done is Decided.CONTACT and done in self.decisions)

    def receivers(self, done: Decided) -> tuple[str, ...]:
        """Return the customers who are to be written to when `done` was decided."""
        if self.to is not None:
            return self.to
        return ("c1",) if self.number(done) else ()


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as exc:
        raise ValueError(f"{name!r} is no zone; write an IANA name such as Europe/Berlin") from exc
    return name


class Case(Strict):
    """One case."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    id: CaseName
    """Unique over all suites, for example `delay.eta_slips`."""
    scenario: str = ""
    """The scenario whose decision is judged; the file's without it."""
    family: Family
    title: str
    """What happens and what is right, in one sentence."""
    twin: CaseName
    """The clean twin: a case as alike as can be in which the right answer is the other one."""
    now: Moment = ""
    """When the case starts; the file's without it."""
    zone: Annotated[str, AfterValidator(_is_zone)] = "UTC"
    """The company's zone, in which its days begin and end."""
    records: Records | None = None
    """What the company's systems hold at the start, beside or instead of the usual."""
    sent: tuple[Sent, ...] = ()
    opted_out: tuple[OptOut, ...] = ()
    """Suppressions from before the case begins."""
    stopped: tuple[Stopped, ...] = ()
    reviewer: Literal["approves", "leaves"] = "approves"
    """Whether a simulated reviewer approves each draft as soon as it waits, or only does what events say."""
    held_out: bool = False
    """The customer is in the part that is kept back at random; nobody is in any other case."""
    events: tuple[Event, ...] = ()
    runs: Length = timedelta(hours=1)
    """How long the system goes on after the last event."""
    expect: Expected
    known_gap: str = ""
    """Why the present system cannot pass; such a case is run, counted apart, and must fail."""

    @property
    def critical(self) -> tuple[str, ...]:
        """The critical invariants that the case tries."""
        name = INVARIANTS.get(self.family)
        return (name,) if name else ()

    @property
    def start(self) -> datetime:
        """The instant at which the case starts."""
        return moment(self.now or "now", USUAL_START)

    @property
    def frame(self) -> Frame:
        """What its relative times are relative to."""
        return Frame(self.start, ZoneInfo(self.zone))

    @property
    def world(self) -> Overlay:
        """What was written about its records."""
        return Records() if self.records is None else self.records


def _are_record_types(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in RECORD_TYPES:
            known = did_you_mean(name, list(RECORD_TYPES)) or f"use one of: {', '.join(RECORD_TYPES)}"
            raise ValueError(f"{name!r} is no type of record; {known}")
    return names


class Dataset(Strict):
    """A file of cases."""

    scenario: str = ""
    """Of the cases that name none."""
    now: Moment = ""
    """Start of the cases that name none."""
    usual: Annotated[tuple[str, ...], AfterValidator(_are_record_types)] = ()
    """The records that worlds of these cases have without being named; shipped scenarios know theirs."""
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
