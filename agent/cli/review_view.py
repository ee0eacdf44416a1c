"""How drafts look in the terminal; every text from outside goes through `safe_text`."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.audit.card_view import micros, percent
from agent.domain.decisions import Decision
from agent.review_desk.views import DraftView, Forecast, QueueCounts, QueueItem
from policies.value import Valuation
from policies.verdict import Outcome
from tools.records.base import Money
from tools.records.facts import FactValue
from tools.safe_text import safe_text

_MOST_HISTORY = 12
"""Entries of the timeline on a card; `--json` has all."""
_MARKS = {Outcome.PASS: "ok", Outcome.NEEDS_REVIEW: "review", Outcome.DEFER: "wait", Outcome.BLOCK: "no"}


def queue_table(items: Sequence[QueueItem], *, now: datetime) -> Table:
    """Return the queue as a table."""
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    for title, width in (("draft", 30), ("scenario", 18), ("by", 5), ("why", 6), ("risk", 6)):
        table.add_column(title, no_wrap=True, min_width=width)
    table.add_column("subject", no_wrap=True, overflow="ellipsis", ratio=1)
    for title in ("due", "expires"):
        table.add_column(title, no_wrap=True, min_width=8)
    table.add_column("stake", no_wrap=True, justify="right")
    held = any(_holder(item, now) for item in items)
    if held:
        table.add_column("held by", no_wrap=True)
    for item in items:
        table.add_row(
            _text(item.draft_id),
            _text(item.scenario),
            _text(item.channel.value),
            _text(item.review_reason),
            _text(item.risk.value),
            _text(item.subject or item.body.replace("\n", " ")[:60]),
            _text(in_words(item.review_by - now)),
            _text(in_words(item.expires_at - now)),
            _text(show_value(item.stake) if item.stake else ""),
            *([_text(_holder(item, now))] if held else []),
        )
    return table


def counts_table(counts: QueueCounts) -> Table:
    """Return how full the queue is as a table."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for name, number in (
        ("waiting", counts.waiting),
        ("overdue", counts.overdue),
        ("expiring soon", counts.expiring_soon),
        ("claimed", counts.claimed),
        ("yours", counts.mine),
        ("snoozed", counts.snoozed),
        *((f"risk {risk.value}", number) for risk, number in counts.by_risk),
        *counts.by_scenario,
    ):
        table.add_row(_text(name), str(number))
    return table


def _holder(item: QueueItem, now: datetime) -> str:
    held = item.claimed_by is not None and item.claimed_until is not None and item.claimed_until > now
    return item.claimed_by or "" if held else ""


def draft_card(view: DraftView, *, now: datetime) -> RenderableType:
    """Return everything a reviewer needs, top to bottom: the message, then what it rests on."""
    file = view.draft
    draft = file.draft
    message = draft.message
    parts: list[RenderableType] = [
        Panel(
            Group(*_message_lines(view)),
            title=Text(f"{draft.id}  version {draft.version}  {draft.state.value}"),
            subtitle=Text(f"content hash {file.content_hash[:12]}  by {safe_text(draft.author)}"),
            title_align="left",
            subtitle_align="left",
        ),
        _facts(view, now=now),
    ]
    if view.decision is not None:
        parts += [_verdicts(view.decision), *_value(view.decision.valuation), _versions(view.decision)]
    parts.append(
        _text(
            f"To be reviewed {in_words(view.review_by - now)}, expires {in_words(draft.expires_at - now)}; "
            f"risk {view.risk.value}; why a person looks: {draft.review_reason}."
        )
    )
    parts.append(
        _text(
            f"On approval: {message.channel.value} to {message.recipient}, "
            f"{draft.segments} segment(s), {micros(draft.cost_micros)}; gates are asked again then."
        )
    )
    if view.forecast is not None:
        parts.append(_text(_forecast(view.forecast)))
    parts += [_text(f"Locked: {lock.words} {lock.remedy}", style="bold") for lock in view.locks]
    if view.timeline:
        parts.append(_timeline(view, now=now))
    for one in view.deliveries:
        parts.append(_text(f"Delivery {one.delivery.id}: {one.delivery.state.value} {one.state_reason}"))
    return Group(*parts)


def _message_lines(view: DraftView) -> Iterable[RenderableType]:
    message = view.draft.draft.message
    yield _text(f"To      {message.recipient}  ({message.channel.value}, {message.locale})")
    stake = f"; about {show_value(view.stake)}" if view.stake else ""
    yield _text(f"Whom    {view.customer_name or view.draft.customer_id}, {view.case.object_ref}{stake}")
    if message.subject:
        yield _text(f"Subject {message.subject}", style="bold")
    yield Text()
    yield _text(message.body)


def _forecast(forecast: Forecast) -> str:
    second = " A second person must approve it too." if forecast.needs_second else ""
    if forecast.leaves_at is None:
        return f"It would not leave now: {forecast.why}{second}"
    theirs = forecast.leaves_at.astimezone(ZoneInfo(forecast.zone))
    return f"It would leave at {theirs:%Y-%m-%d %H:%M} their time ({forecast.zone}): {forecast.why}{second}"


def _timeline(view: DraftView, *, now: datetime) -> Table:
    table = Table(
        title="What happened before (~ text by strangers)", title_justify="left", box=None, show_header=False
    )
    for entry in view.timeline[:_MOST_HISTORY]:
        table.add_row("" if entry.trusted else "~", _text(_ago(now - entry.at)), _text(entry.words))
    return table


def _facts(view: DraftView, *, now: datetime) -> Table:
    used = {slot.slot for slot in view.draft.draft.used}
    table = Table(title="Facts (* stands in the text)", title_justify="left", box=None, header_style="bold")
    for title in ("", "fact", "value", "source", "read", "changed"):
        table.add_column(title)
    for fact in view.decision.facts if view.decision else ():
        table.add_row(
            "*" if fact.name in used else "",
            _text(fact.name),
            _text(show_value(fact.value)),
            _text(fact.source),
            _text(_ago(now - fact.fetched_at) + _old(view, fact.name)),
            _text(_ago(now - fact.as_of)),
        )
    return table


def _old(view: DraftView, name: str) -> str:
    return " (old)" if view.fact_states.get(name) == "old" else ""


def _verdicts(decision: Decision) -> Table:
    table = Table(title="Gates", title_justify="left", box=None, show_header=False)
    for verdict in decision.verdicts:
        table.add_row(_text(_MARKS[verdict.outcome]), _text(verdict.rule), _text(verdict.reason))
    return table


def _value(valuation: Valuation | None) -> list[RenderableType]:
    if valuation is None:
        return []
    return [
        _text(
            f"Value {micros(valuation.total)} {valuation.currency} = prevented {micros(valuation.prevented)}"
            f" + benefit {micros(valuation.benefit)} - sending {micros(valuation.send_cost)}"
            f" - fatigue {micros(valuation.fatigue_cost)} - harm {micros(valuation.harm_cost)}"
            f"   (contact {percent(valuation.p_contact_ppm)} without, "
            f"{percent(valuation.p_contact_after_ppm)} with a message; {valuation.provenance})"
        )
    ]


def _versions(decision: Decision) -> Text:
    use = decision.model_use
    model = (
        f"model {use.model}, prompt {use.prompt or 'none'}, cost {micros(use.cost_micros)}"
        if use
        else "rules only"
    )
    return _text(
        f"Decided at {decision.at:%Y-%m-%d %H:%M} UTC by {decision.playbook} "
        f"({decision.playbook_hash[:12]}), limits {decision.limits_version}, zones {decision.zone_rules}; "
        f"{model}; {decision.arm.value} at {percent(decision.propensity_ppm)}"
    )


def show_value(value: FactValue) -> str:
    """Return a fact's value for a table."""
    if isinstance(value, Money):
        digits = get_currency_precision(value.currency)
        return f"{Decimal(value.minor).scaleb(-digits)} {value.currency}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _text(text: str, style: str = "") -> Text:
    return Text(safe_text(text), style=style)


def in_words(span: timedelta) -> str:
    """Return how far an instant lies ahead, or back: `in 5 min`, `2 h ago`."""
    return f"in {_span(span)}" if span > timedelta(0) else f"{_span(-span)} ago"


def _ago(span: timedelta) -> str:
    return f"{_span(span)} ago" if span >= timedelta(0) else f"in {_span(-span)}"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004  # two hours read better in minutes
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 72 else f"{hours // 24} d"  # noqa: PLR2004  # three days read better in hours
