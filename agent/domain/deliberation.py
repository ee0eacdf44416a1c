"""The state that passes through the graph: one situation, its members, and what was made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from agent.domain.cases import Case, CaseId, Situation
from agent.domain.decisions import Decision, ModelUse
from agent.domain.drafts import Draft
from agent.domain.model import Assessment, KnownFact, Reading
from policies.guards.finding import Finding
from policies.verdict import Ruling, Verdict
from tools.records.facts import Fact
from tools.records.vocabulary import ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One case of the situation with everything `sense` found about it."""

    case: Case
    facts: tuple[Fact, ...]
    missing: tuple[str, ...]
    """Required facts that nothing gave."""
    verdicts: tuple[Verdict, ...]
    ruling: Ruling
    channel: ChannelKind | None
    address: str | None
    locale: str
    zone: str
    """The zone in which times are printed for this customer."""
    sent_last_week: int
    reading: Reading | None
    """What the quarantined reader saw; None without texts, or when it could not be asked."""
    unread: bool
    """Whether there were texts that nobody could read."""
    reviewed: bool = False
    """Whether a person has said something about an earlier draft; they then see the next one too."""
    second: bool = False
    """Whether a first message may be lost, so that this one is the second, by another channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the look-ups gave for a situation."""

    members: tuple[Member, ...]
    texts: Mapping[CaseId, tuple[str, ...]]
    """Texts by strangers per case; they go to the quarantined reader and nowhere else."""
    known: tuple[KnownFact, ...]
    """The situation in coarse form, as a model may see it."""
    log: tuple[str, ...]
    """One line per tool call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slotted:
    """A text with slots, and where it came from."""

    subject: str
    body: str
    source: str
    """Template or prompt, `id@version`."""
    author: str
    """`model` or `template`."""
    language: str
    """The language the text is in; English where there is no template in the customer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliberation:
    """The state of one graph run."""

    situation: Situation
    members: tuple[Member, ...] = ()
    look_ups: tuple[str, ...] = ()
    assessment: Assessment | None = None
    fallback: str = ""
    """Why the model could not be used, as a kind of `ModelError`; empty while it can."""
    uses: tuple[ModelUse, ...] = ()
    decisions: tuple[Decision, ...] = ()
    review_reasons: tuple[tuple[CaseId, str], ...] = ()
    """Why a person must look at a case's draft, for those where one must."""
    slotted: Slotted | None = None
    findings: tuple[Finding, ...] = ()
    """What the guards said about the slotted text at the last try."""
    tries: int = 0
    drafts: tuple[Draft, ...] = ()
    recorded: int = 0


class Update(TypedDict, total=False):
    """What a node changes in the state."""

    members: tuple[Member, ...]
    look_ups: tuple[str, ...]
    assessment: Assessment | None
    fallback: str
    uses: tuple[ModelUse, ...]
    decisions: tuple[Decision, ...]
    review_reasons: tuple[tuple[CaseId, str], ...]
    slotted: Slotted | None
    findings: tuple[Finding, ...]
    tries: int
    drafts: tuple[Draft, ...]
    recorded: int


MAX_TRIES = 2
"""How often the model may write; then the template or a person takes over."""
