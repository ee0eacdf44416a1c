"""How a card looks in a terminal; every text that came from outside goes through `safe_text`."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, assert_never

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.audit.card import Card, Sending
from agent.audit.fact_words import utc, value_words
from agent.audit.figures import micros, percent
from agent.domain.decisions import Arm, Decision, DecisionKind
from agent.store.audit_pages import LoggedEvent
from agent.store.drafts import DraftFile
from policies.value import Valuation
from policies.verdict import Outcome, Verdict
from tools.safe_text import safe_text

_MARKS: Final = {
    Outcome.PASS: ("passed", "green"),
    Outcome.NEEDS_REVIEW: ("a person must look", "yellow"),
    Outcome.DEFER: ("not now", "yellow"),
    Outcome.BLOCK: ("forbidden", "red"),
}
_HASH: Final = re.compile("[0-9a-f]{64}")
_SHORT: Final = 12
"""Characters of a hash that are shown."""


def render_card(card: Card) -> RenderableType:
    """Return the card, top to bottom: what happened, what was decided and why, and what followed."""
    parts = [_what_happened(card), *_decided(card)]
    if card.decision is not None:
        parts += [
            *_facts(card.decision),
            *_gates(card.decision),
            *_value(card.decision.valuation),
            *_versions(card, card.decision),
        ]
    for file in card.drafts:
        parts += _draft(file)
    parts += [*_reviews(card), *(part for sending in card.sendings for part in _sending(sending))]
    return Group(*parts, *_timeline(card.events))


def _what_happened(card: Card) -> RenderableType:
    case = card.case
    deadline = f"; of no use after {utc(case.deadline)}" if case.deadline else ""
    lines = [
        _text(f"{_words(case.scenario).capitalize()}, noticed {utc(case.opened_at)}{deadline}."),
        _text(f"Customer {case.customer_id}, {case.object_ref}, episode {case.episode}."),
        _text(f"The case is {_words(case.state)} now.{'  Shadow: nothing is sent.' if case.shadow else ''}"),
    ]
    return Panel(Group(*lines), title=_text(f"What happened: {case.id}"), title_align="left")


def _decided(card: Card) -> Iterable[RenderableType]:
    decision = card.decision
    if decision is None:
        yield _text("Nothing is decided yet.")
        return
    lines = [_text(decision.explanation)] if decision.explanation else []
    lines.append(_text(f"{_consequence(decision)}  Reason code {decision.reason}."))
    who = f"Decided {utc(decision.at)} in stage {decision.stage.value}, turn {decision.turn + 1}"
    others = len(card.decisions) - 1
    lines.append(_text(f"{who}{f'; the case has {others} other decision(s)' if others else ''}."))
    title = _text(f"Decision: {decision.kind.value}, {decision.id}")
    yield Panel(Group(*lines), title=title, title_align="left")


def _consequence(decision: Decision) -> str:
    match decision.kind:
        case DecisionKind.CONTACT:
            return f"The customer is written to by {decision.channel or 'no channel yet'}."
        case DecisionKind.DEFER:
            return f"Looked at again {utc(decision.until) if decision.until else 'later'}."
        case DecisionKind.ABSTAIN:
            return "Nothing is sent."
        case DecisionKind.ESCALATE:
            return f"Handed to people: {decision.queue or 'no queue'}."
    assert_never(decision.kind)


def _facts(decision: Decision) -> Iterable[RenderableType]:
    if not decision.facts:
        yield _section("Facts", _text("None were gathered: the gates and the value settled it."))
        return
    table = _table("fact", "value", "source", "changed there", "read")
    for fact in decision.facts:
        name = fact.name if fact.trusted else f"{fact.name} (untrusted)"
        cells = (name, value_words(fact.value), fact.source, utc(fact.as_of), utc(fact.fetched_at))
        table.add_row(*map(_text, cells))
    yield _section("Facts", table)


def _gates(decision: Decision) -> Iterable[RenderableType]:
    if not decision.verdicts:
        return
    table = _table("gate", "verdict", "why")
    for verdict in decision.verdicts:
        words, style = _MARKS[verdict.outcome]
        table.add_row(_text(verdict.rule), Text(words, style=style), _text(_why(verdict)))
    yield _section("Gates", table)


def _why(verdict: Verdict) -> str:
    until = f"until {utc(verdict.until)}" if verdict.until else ""
    queue = f"for {verdict.queue}" if verdict.queue else ""
    return "; ".join(part for part in (verdict.reason, until, queue) if part)


def _value(valuation: Valuation | None) -> Iterable[RenderableType]:
    if valuation is None:
        return
    currency = valuation.currency
    before, after = percent(valuation.p_contact_ppm), percent(valuation.p_contact_after_ppm)
    rows = (
        ("+", valuation.prevented, f"contact prevented: {before} call without a message, {after} with one"),
        ("+", valuation.benefit, "benefit to the customer"),
        ("-", valuation.send_cost, "sending"),
        ("-", valuation.fatigue_cost, "fatigue: doubles with each message of the last seven days"),
        ("-", valuation.harm_cost, "harm that a wrong message does, times its probability"),
        ("=", valuation.total, _worth(valuation)),
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for sign, amount, meaning in rows:
        style = "bold" if sign == "=" else ""
        table.add_row(Text(sign), _text(f"{micros(amount)} {currency}", style), _text(meaning, style))
    origin = _text(f"Probabilities and costs: {valuation.provenance} ({valuation.source}).", "dim")
    yield _section("Value of a message against silence", Group(table, origin))


def _worth(valuation: Valuation) -> str:
    if valuation.in_band:
        return f"closer to zero than {micros(valuation.band)}: a person decides"
    return "worth a message" if valuation.worth_it else "silence is worth more"


def _versions(card: Card, decision: Decision) -> Iterable[RenderableType]:
    lines = [
        f"Playbook {decision.playbook} ({decision.playbook_hash[:_SHORT]}).",
        f"Limits {decision.limits_version}, time zones {decision.zone_rules}.",
        _experiment(decision),
    ]
    use = decision.model_use
    if use is None:
        lines.append("No model had a part in this: rules decided.")
    else:
        prompt = f", prompt {use.prompt} ({use.prompt_hash[:_SHORT]})" if use.prompt else ""
        fallback = f"; its answer was not used: {use.fallback}" if use.fallback else ""
        lines.append(f"Model {use.model}{prompt}, cost {micros(use.cost_micros)}{fallback}.")
    lines += [f"Look-up {look_up}" for look_up in decision.look_ups]
    lines += [
        f"Call {call.id}: {call.task}, {call.status.value}, {call.usage.prompt_tokens} + "
        f"{call.usage.completion_tokens} tokens, {micros(call.cost_micros)}"
        for call in card.calls
    ]
    yield _section("Versions, experiment and cost", Group(*map(_text, lines)))


def _experiment(decision: Decision) -> str:
    match decision.arm:
        case Arm.TREAT:
            return f"Experiment: treated, with probability {percent(decision.propensity_ppm)}."
        case Arm.HOLDOUT:
            return f"Experiment: held back at random, with probability {percent(decision.propensity_ppm)}."
        case Arm.EXEMPT:
            return "Experiment: none; this scenario holds nobody back."
    assert_never(decision.arm)


def _draft(file: DraftFile) -> Iterable[RenderableType]:
    draft, message = file.draft, file.draft.message
    lines = [
        _text(f"To {message.recipient} by {message.channel.value}, {message.locale}", "dim"),
        *([_text(message.subject, "bold")] if message.subject else []),
        Text(safe_text(message.body)),
    ]
    failed = [finding for finding in draft.findings if not finding.ok]
    lines += [_text(f"Guard {finding.guard}: {finding.detail}", "red") for finding in failed]
    guards = f"{len(draft.findings)} guards asked, {len(failed)} objected"
    yield Panel(
        Group(*lines),
        title=_text(f"Draft {draft.id}, version {draft.version}, {draft.state.value}"),
        subtitle=_text(f"by {draft.author} from {message.template}; {guards}; {file.content_hash[:_SHORT]}"),
        title_align="left",
        subtitle_align="left",
    )


def _reviews(card: Card) -> Iterable[RenderableType]:
    if not card.reviews:
        return
    table = _table("when", "who", "verdict", "words", "content")
    for review in card.reviews:
        cells = (review.reviewer, review.verdict.value, review.reason, review.content_hash[:_SHORT])
        table.add_row(_text(utc(review.at)), *map(_text, cells))
    yield _section("Reviews", table)


def _sending(sending: Sending) -> Iterable[RenderableType]:
    delivery = sending.delivery.delivery
    why = f": {sending.delivery.state_reason}" if sending.delivery.state_reason else ""
    lines = [_text("The second message: the one before it may be lost.")] if delivery.step else []
    lines += [
        _text(f"{delivery.id} is {_words(delivery.state)}{why}; content {delivery.content_hash[:_SHORT]}")
    ]
    for attempt in sending.attempts:
        answer = " ".join(part for part in (attempt.state, attempt.provider_ref, attempt.detail) if part)
        lines.append(
            _text(f"Attempt {attempt.number}, {attempt.provider}, {utc(attempt.started_at)}: {answer}")
        )
    yield _section("Sending", Group(*lines))


def _timeline(events: Iterable[LoggedEvent]) -> Iterable[RenderableType]:
    table = _table("no.", "when", "what", "who", "details")
    for event in events:
        details = _pairs(event.body)
        private = _pairs(event.private) if event.private is not None else "(erased)" if event.sealed else ""
        table.add_row(
            str(event.seq) if event.seq is not None else "-",
            _text(utc(event.at)),
            _text(event.type),
            _text(f"{event.actor.id} ({event.actor.login})" if event.actor.login else event.actor.id),
            _text(" ".join(part for part in (details, private) if part)),
        )
    yield _section("Audit log", table)


_LONG: Final = frozenset(
    {"body_hash", "verdicts", "valuation", "facts", "message", "findings", "playbook_hash"}
)
"""Fields that the card shows elsewhere."""


def _pairs(fields: Mapping[str, Any]) -> str:
    shown = {key: value for key, value in fields.items() if key not in _LONG and value not in (None, "", [])}
    return " ".join(f"{key}={_brief(value)}" for key, value in shown.items())


def _brief(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    return value[:_SHORT] if _HASH.fullmatch(value) else value


def _words(name: str) -> str:
    return name.replace("_", " ")


def _section(title: str, content: RenderableType) -> RenderableType:
    return Group(Text(title, style="bold"), Padding(content, (0, 0, 1, 2)))


def _table(*titles: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _text(text: str, style: str = "") -> Text:
    # one line: a line break in a name must not look like a line of ours
    return Text(safe_text(" ".join(text.split())), style=style)
