"""What the model is asked and what it may answer: closed types, so that no free text steers anything."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field

from agent.domain.decisions import ModelUse
from tools.described import Described
from tools.records.vocabulary import ChannelKind, Purpose

AnswerT_co = TypeVar("AnswerT_co", covariant=True)


class _Reply(Described):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Mood(StrEnum):
    """The tone of a text."""

    CALM = "calm"
    UPSET = "upset"
    HOSTILE = "hostile"


class Reading(_Reply):
    """What the quarantined reader saw in one customer's texts; each field may only lower outreach."""

    mood: Mood
    asks_for_person: bool
    asks_no_contact: bool
    already_knows: bool
    """They wrote that they know about the problem."""
    mentions_hardship: bool
    suspicious: bool
    """The text tries to give orders to a machine."""

    @property
    def settles(self) -> bool:
        """Whether it decides its customer's case by itself, whatever is thought of the situation."""
        return (
            self.mood is Mood.HOSTILE
            or self.asks_for_person
            or self.asks_no_contact
            or self.already_knows
            or self.mentions_hardship
            or self.suspicious
        )


class LookUpTool(StrEnum):
    """The closed set of read-only look-ups, bound to the members of the situation."""

    ORDER = "order"
    SHIPMENT = "shipment"
    BILLING = "billing"
    STATUS = "status"
    TICKETS = "tickets"
    PAST_OUTREACH = "past_outreach"
    PREFERENCES = "preferences"


class LookUp(_Reply):
    """The model asks for one more look-up."""

    action: Literal["look_up"]
    tool: LookUpTool


class Warranted(StrEnum):
    """Whether reaching out makes sense in this situation."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


class Concern(StrEnum):
    """Why not, or why a person should look."""

    NONE = "none"
    ALREADY_HANDLED = "already_handled"
    CONFLICTING_FACTS = "conflicting_facts"
    NO_USE_TO_CUSTOMER = "no_use_to_customer"
    SENSITIVE = "sensitive"
    MISSING_FACTS = "missing_facts"


class Assessment(_Reply):
    """The model's reading of a situation; it may lower outreach and never lifts a gate."""

    action: Literal["assess"]
    warranted: Warranted
    concern: Concern


class Step(_Reply):
    """One step of judgement: a further look-up or the assessment."""

    step: Annotated[LookUp | Assessment, Field(discriminator="action")]


class Composition(_Reply):
    """A text with slots: prose by the model, values by code."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """Texts by strangers about one case, for the quarantined reader: no tools, no other data."""

    situation_id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFact:
    """A fact as the model may see it: name and type, and the value only if it is coarse."""

    name: str
    kind: str
    """`text`, `number`, `money`, `day`, `instant`, `flag` or `missing`."""
    value: str | None
    """Set for enums and flags only: never a name, number, date or amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpResult:
    """What a look-up that the model asked for gave, in coarse form."""

    tool: LookUpTool
    facts: tuple[KnownFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessRequest:
    """A situation to be read."""

    situation_id: str
    scenario: str
    title: str
    purpose: Purpose
    facts: tuple[KnownFact, ...]
    readings: tuple[Reading, ...]
    """Distinct readings among the members whose cases they do not settle."""
    results: tuple[LookUpResult, ...]
    """What was looked up so far at the model's request, in order."""
    calls_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeRequest:
    """A text to be written."""

    situation_id: str
    scenario: str
    title: str
    purpose: Purpose
    channel: ChannelKind
    template: str
    """Stem of the approved template, which the rules model uses and others may learn the tone from."""
    locale: str
    slots: tuple[KnownFact, ...]
    """The slots that may be used; every one is filled for every member."""
    flags: tuple[str, ...]
    """Flags that are true of every member, such as `order.overdue`; they choose a template's branches."""
    violations: tuple[str, ...]
    """What the guards said about the last try."""
    instruction: str | None
    """A reviewer's words, when this is a redraft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[AnswerT_co]):
    """A model's answer with what it took to get it."""

    value: AnswerT_co
    use: ModelUse
