"""Decisions: contact, defer, abstain or escalate, with everything they rest on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from agent.domain.cases import CaseId
from policies.value import Valuation
from policies.verdict import Verdict
from tools.records.facts import Fact
from tools.records.vocabulary import ChannelKind

DecisionId = NewType("DecisionId", str)


class DecisionKind(StrEnum):
    """What is done about a signal."""

    CONTACT = "contact"
    DEFER = "defer"
    ABSTAIN = "abstain"
    ESCALATE = "escalate"


class Stage(StrEnum):
    """Which part of the system decided."""

    SCREEN = "screen"
    GRAPH = "graph"
    REVIEW = "review"
    DISPATCH = "dispatch"


class Arm(StrEnum):
    """The side of the holdout a case was drawn to."""

    TREAT = "treat"
    HOLDOUT = "holdout"
    EXEMPT = "exempt"
    """The scenario has no holdout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """Which model and prompt had a part in a decision or draft."""

    model: str
    """`rules` names the offline rules model."""
    prompt: str
    """`id@version`, empty when no prompt was used."""
    prompt_hash: str
    calls: tuple[str, ...]
    """Ids in the ledger of model calls, in order."""
    cost_micros: int
    fallback: str = ""
    """Why the model's answer was not used, if it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision on one case; a case may have several in turn, the last one counts."""

    id: DecisionId
    case_id: CaseId
    turn: int
    stage: Stage
    kind: DecisionKind
    reason: str
    """A reason code: the rule id of the deciding gate, or `value`, `holdout`, `cleared`, …"""
    explanation: str
    """One sentence for a stranger."""
    at: datetime
    until: datetime | None
    """For `defer`."""
    queue: str | None
    """For `escalate`."""
    channel: ChannelKind | None
    verdicts: tuple[Verdict, ...]
    valuation: Valuation | None
    arm: Arm
    propensity_ppm: int
    """Probability with which this arm was drawn, in millionths."""
    facts: tuple[Fact, ...]
    facts_hash: str
    playbook: str
    playbook_hash: str
    limits_version: int
    zone_rules: str
    """Version of the time-zone data the gates used."""
    model_use: ModelUse | None
    """None when only rules decided."""
    look_ups: tuple[str, ...] = ()
    """Tool calls in order, with who asked and what came of it, for example `tickets (model): 0 records`."""
