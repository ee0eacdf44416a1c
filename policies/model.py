"""The shape of a playbook and of the limits file: everything a person may write under `policies/`."""

import re
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from tools.records.base import Currency, Strict
from tools.records.vocabulary import ChannelKind, Purpose

_DURATION = re.compile(r"^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")
_CLOCK = re.compile(r"^([01]\d|2[0-4]):([0-5]\d)$")
PPM = 1_000_000
"""Parts per million: probabilities and shares are integers of this scale, so that no float is ever hashed."""


def parse_duration(value: object) -> timedelta:
    """Parse `3d`, `36h`, `1h30m` or `45s`; a day is 24 hours.

    Raises:
        ValueError: The text is no duration.
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) and value else None
    if match is None or not any(match.groups()):
        raise ValueError(f"{value!r} is no duration; write for example 3d, 36h, 1h30m or 45s")
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_share(value: object) -> int:
    """Parse `12.5%` into parts per million.

    Raises:
        ValueError: The text is no percentage, finer than a millionth, or outside 0 to 100 %.
    """
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+)(?:\.(\d{1,4}))?%", value)):
        ppm = int(match[1]) * 10_000 + int((match[2] or "").ljust(4, "0"))
        if ppm <= PPM:
            return ppm
    raise ValueError(f"{value!r} is no share; write a percentage in quotes, for example '12.5%'")


def parse_clock(value: object) -> time:
    """Parse `08:00`; `24:00` is refused where a day must not wrap.

    Raises:
        ValueError: The value is no time of day; YAML reads an unquoted 22:30 as the number 1350.
    """
    if isinstance(value, str) and (match := _CLOCK.match(value)) and match[1] != "24":
        return time(int(match[1]), int(match[2]))
    raise ValueError(f"{value!r} is no time of day; write it in quotes, for example '22:30'")


def parse_param(value: object) -> int | bool | str | timedelta:
    """Accept an integer, a boolean, a text, or a duration; a float would not be exact.

    Raises:
        ValueError: The value is none of these.
    """
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        match = _DURATION.match(value)
        return parse_duration(value) if match and any(match.groups()) else value
    raise ValueError(f"{value!r} is neither an integer, a boolean, a text nor a duration")


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Share = Annotated[int, BeforeValidator(parse_share)]
ClockTime = Annotated[time, BeforeValidator(parse_clock)]
Param = Annotated[int | bool | str | timedelta, BeforeValidator(parse_param)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
FactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")]
Condition = Annotated[str, Field(min_length=1)]
"""A CEL expression; `policies.expressions` checks its names and types when the playbook is loaded."""


class Composition(StrEnum):
    """How the text of a message comes about."""

    STRICT = "strict"
    """The approved template, word for word."""
    SLOTS = "slots"
    """Prose by the model around slots that code fills."""


class Judgement(StrEnum):
    """Who reads the situation."""

    RULES = "rules"
    MODEL = "model"


class Reentry(Strict):
    """When the same customer and object may open a case again."""

    policy: Literal["once", "per_episode", "after"]
    """`once`: never again; `per_episode`: when the episode differs; `after`: when `wait` has passed too."""
    wait: Duration | None = None

    @model_validator(mode="after")
    def _wait_belongs_to_after(self) -> "Reentry":
        if (self.policy == "after") != (self.wait is not None):
            raise ValueError("`wait` is needed with policy `after` and only there")
        return self


class Trigger(Strict):
    """What makes a signal."""

    record: Name
    """The record type whose change or timer starts an evaluation."""
    related: tuple[Name, ...] = ()
    """Other record types the condition may name; the newest related record of each is used."""
    scope: Literal["owner", "affected"] = "owner"
    """`owner`: the record's own customer; `affected`: every customer in an incident's scope."""
    when: Condition
    timers: tuple[Condition, ...] = ()
    """CEL timestamps at which `when` may become true by time alone."""
    episode: Condition
    """CEL text that tells one occurrence on the same object from the next."""


class ValueRule(Strict):
    """The declared numbers of the value rule; money in minor units of `currency`."""

    currency: Currency
    contact_cost: int
    """What one inbound contact costs."""
    p_contact: Share
    """Probability of a contact when nothing is sent."""
    p_contact_after: Share
    """Probability of a contact after a message, induced ones included."""
    benefit: int = 0
    """What a message is worth beyond the contact it prevents."""
    fatigue_cost: int = 0
    """What one more message costs in attention; doubled for each message of the last seven days."""
    harm_cost: int = 0
    p_harm: Share = 0
    band: int = 0
    """Values within this distance of zero go to a person."""
    provenance: Literal["assumed", "measured"]
    source: str
    """Where the probabilities come from."""
    as_of: date


class Channel(Strict):
    """One way to reach the customer, in order of preference."""

    kind: ChannelKind
    template: Name
    """Stem of `prompts/templates/<scenario>/<template>.<language>.j2`."""
    second: Name | None = None
    """Stem of the text for a second message by this channel; it says that it may repeat."""


class Holdout(Strict):
    """Who is kept back at random so that the effect can be measured."""

    share: Share
    salt: str


class Legal(Strict):
    """Why this message is lawful, as data with a source and a date."""

    basis: str
    source: str
    as_of: date


class Playbook(Strict):
    """One scenario of proactive service, complete."""

    scenario: Name
    industry: Name
    version: Annotated[int, Field(ge=1)]
    title: str
    purpose: Purpose
    trigger: Trigger
    resolves_on: Condition
    """CEL condition on the same records; true closes the case and stops everything queued."""
    reentry: Reentry
    params: dict[Name, Param] = Field(default_factory=dict)
    """Numbers, texts and durations that conditions name as `params.<name>`."""
    deadline: Condition
    """CEL timestamp after which the message would be no use."""
    facts: tuple[FactName, ...]
    """What `sense` gathers, and the only slots a text may use."""
    required_facts: tuple[FactName, ...] = ()
    """Without these no message is written; the case defers, then goes to a person."""
    untrusted: tuple[FactName, ...] = ()
    """Texts by strangers that only the quarantined reader sees."""
    situation: tuple[FactName, ...] = ()
    """Coarse facts that split situations; never a name, number or amount."""
    stake: FactName | None = None
    """The money a message is about; a large amount makes its review urgent, or asks for two people."""
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    composition: Composition
    judgement: Judgement = Judgement.RULES
    max_calls: Annotated[int, Field(ge=0, le=8)] = 4
    """How many further look-ups the model may ask for."""
    review: Literal["required", "auto"]
    fallback: Literal["template", "person"]
    """What happens when the model cannot be used."""
    queue: Name
    """Which people an escalation of this scenario goes to."""
    when_unknown: Literal["leave", "second_channel"] = "leave"
    """When nobody knows whether a message arrived: `leave` it to the rules of its purpose, or tell the
    customer once more by another channel."""
    holdout: Holdout | None = None
    value: ValueRule
    max_age: Duration
    """How old facts may be when the message leaves."""
    quiet_hours: bool = True
    counts_to_cap: bool = True
    draft_ttl: Duration
    prevents: tuple[str, ...]
    """Normalised contact reasons this scenario should prevent."""
    legal: Legal

    @property
    def ref(self) -> str:
        """`scenario@version`, as decisions and messages record it."""
        return f"{self.scenario}@{self.version}"

    @property
    def templates(self) -> tuple[str, ...]:
        """The stems of all texts, those of second messages included."""
        second = (channel.second for channel in self.channels if channel.second)
        return (*(channel.template for channel in self.channels), *second)

    def second_template(self, kind: ChannelKind) -> str | None:
        """Return the stem of the text for a second message by a channel, if there is one."""
        return next((channel.second for channel in self.channels if channel.kind is kind), None)


class QuietHours(Strict):
    """The hours in which nothing is sent, by the customer's clock in every zone that may be theirs."""

    start: ClockTime
    end: ClockTime
    """Exclusive; the window may wrap past midnight."""
    exempt: tuple[Purpose, ...] = ()


class Caps(Strict):
    """How many messages one person may get, over all scenarios."""

    per_day: Annotated[int, Field(ge=0)]
    per_week: Annotated[int, Field(ge=0)]
    """In any seven days."""
    exempt: tuple[Purpose, ...] = ()


class Budget(Strict):
    """What may be spent on the model."""

    model_per_day: Annotated[int, Field(ge=0)]
    """Micro-units of `currency` in one UTC day."""
    currency: Currency


class SendCost(Strict):
    """Price of one message in micro-units of the value rule's currency; SMS per segment."""

    email: int
    sms: int
    push: int


class Limits(Strict):
    """`policies/limits.yaml`: the limits over all playbooks."""

    version: Annotated[int, Field(ge=1)]
    quiet_hours: QuietHours
    caps: Caps
    budget: Budget
    send_cost: SendCost
    source_max_age: Duration
    """A source that has not been read for longer is not believed."""
    link_hosts: tuple[str, ...] = ()
    """Hosts that a message may link to, exact."""
    blocked_statuses: tuple[Literal["closed", "test", "employee"], ...] = ("closed", "test", "employee")
    default_zones: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Country → zones assumed when nothing narrower is known."""
