"""What a draft rests on: facts with source and age, verdicts of gates and guards, the value, the past."""

from collections.abc import Mapping
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.audit.fact_words import utc, value_words
from agent.audit.figures import micros, percent
from agent.domain.decisions import Decision
from agent.review_desk.views import DraftView, FactState
from agent.review_view.cells import brief, shown, shown_block
from agent.review_view.differences import differences
from agent.review_view.marked_text import fact_numbers
from agent.review_view.marks import BAD, CARE, GOOD, OUTCOME, QUIET, raised
from agent.review_view.words import ago
from policies.guards.finding import Finding
from policies.value import Valuation
from tools.records.facts import Fact


def facts_view(view: DraftView, *, now: datetime) -> RenderableType:
    """Return the facts, those in the text first and with the number they carry there."""
    if view.decision is None or not view.decision.facts:
        return Text("No facts: rules alone settled it.")
    numbers = fact_numbers(view.draft.draft)
    facts = sorted(
        view.decision.facts, key=lambda fact: (numbers.get(fact.name, len(numbers) + 1), fact.name)
    )
    table = Table(box=None, show_header=False, pad_edge=False, expand=True)
    for ratio in (None, 2, 3):
        table.add_column(overflow="fold", ratio=ratio)
    for fact in facts:
        _add_fact(table, fact, numbers, view.fact_states, now)
    return table


def checks_view(view: DraftView) -> RenderableType:
    """Return what the guards said of the text and the gates of the case; objections first."""
    guards, gates = _plain_table(3), _plain_table(3)
    for finding in sorted(view.draft.draft.findings, key=lambda one: one.ok):
        sign, style = ("✓", GOOD) if finding.ok else ("✗", BAD)
        guards.add_row(Text(sign, style=style), shown(finding.guard), brief(finding.detail))
    verdicts = view.decision.verdicts if view.decision else ()
    for verdict in sorted(verdicts, key=lambda one: OUTCOME[one.outcome][0] == "✓"):
        sign, words, style = OUTCOME[verdict.outcome]
        why = "; ".join(part for part in ("" if sign == "✓" else words, verdict.reason) if part)
        gates.add_row(Text(sign, style=style), shown(verdict.rule), brief(why))
    return Group(_title("Guards on the text"), guards, Text(), _title("Gates on the case"), gates)


def findings_view(findings: tuple[Finding, ...]) -> RenderableType:
    """Return what the guards object to in a text as it is typed."""
    wrong = [finding for finding in findings if not finding.ok]
    if not wrong:
        return Text("✓ every guard passes", style=GOOD)
    return Group(*(brief(f"✗ {finding.guard}: {finding.detail}", BAD) for finding in wrong))


def value_view(view: DraftView) -> RenderableType:
    """Return the sum that says what a message is worth against silence, and which versions decided."""
    if view.decision is None:
        return Text("No decision is on record.")
    decision = view.decision
    parts: list[RenderableType] = [shown_block(decision.explanation)] if decision.explanation else []
    if decision.valuation is not None:
        parts += [_sum(decision.valuation), Text()]
    return Group(*parts, _versions(decision))


def timeline_view(view: DraftView, *, now: datetime) -> RenderableType:
    """Return what happened between the company and the customer, the newest first."""
    table = _table("when", "what", "")
    for entry in view.timeline:
        words = entry.words if entry.trusted else f"“{entry.words}” (their words)"
        table.add_row(Text(ago(now - entry.at)), shown(entry.kind), brief(words))
    parts: list[RenderableType] = [table] if view.timeline else [Text("Nothing is known of the past.")]
    reviews = [f"{utc(one.at)}  {one.reviewer}: {one.verdict.value} {one.reason}" for one in view.reviews]
    if reviews:
        parts += [Text(), _title("Reviews"), *(brief(line) for line in reviews)]
    for one in view.deliveries:
        parts.append(
            shown(f"Delivery {one.delivery.id}: {one.delivery.state.value} {one.state_reason}".rstrip())
        )
    return Group(*parts)


def changes_view(view: DraftView) -> RenderableType:
    """Return what changed against the version before this one."""
    this = view.draft.draft
    before = [one.draft for one in view.versions if one.draft.version < this.version]
    if not before:
        return Text("This is the first version.")
    old = before[-1]
    parts: list[RenderableType] = [
        shown(f"Version {old.version} by {old.author} → version {this.version} by {this.author}", QUIET)
    ]
    if old.message.channel is not this.message.channel:
        parts.append(Text(f"Channel: {old.message.channel.value} → {this.message.channel.value}", style=CARE))
    if old.message.recipient != this.message.recipient:
        parts.append(brief(f"Recipient: {old.message.recipient} → {this.message.recipient}", CARE))
    if old.message.subject or this.message.subject:
        parts += [Text(), differences(old.message.subject, this.message.subject)]
    return Group(*parts, Text(), differences(old.message.body, this.message.body))


def _add_fact(
    table: Table, fact: Fact, numbers: Mapping[str, int], states: Mapping[str, FactState], now: datetime
) -> None:
    number = numbers.get(fact.name)
    old = states.get(fact.name) == "old"
    read = Text(f"read {ago(now - fact.fetched_at)}{' !old' if old else ''}", style=CARE if old else QUIET)
    name = fact.name if fact.trusted else f"{fact.name} (their words)"
    table.add_row(
        Text(raised(number) if number else "", style="bold"),
        brief(name),
        brief(value_words(fact.value), "bold underline" if number else ""),
    )
    table.add_row("", read, brief(f"{fact.source}, changed {ago(now - fact.as_of)}", QUIET))


def _sum(valuation: Valuation) -> RenderableType:
    before, after = percent(valuation.p_contact_ppm), percent(valuation.p_contact_after_ppm)
    rows = (
        ("+", valuation.prevented, f"contact prevented: {before} call without, {after} with a message"),
        ("+", valuation.benefit, "benefit to the customer"),
        ("-", valuation.send_cost, "sending"),
        ("-", valuation.fatigue_cost, "fatigue"),
        ("-", valuation.harm_cost, "harm that a wrong message does"),
        ("=", valuation.total, f"{valuation.currency}{', close to nothing' if valuation.in_band else ''}"),
    )
    table = _plain_table(3)
    table.columns[1].justify = "right"
    for sign, number, meaning in rows:
        style = "bold" if sign == "=" else ""
        table.add_row(Text(sign), Text(micros(number), style=style), shown(meaning, style))
    return Group(table, shown(f"Rates and costs: {valuation.provenance} ({valuation.source}).", QUIET))


def _versions(decision: Decision) -> Text:
    use = decision.model_use
    model = (
        f"model {use.model}, prompt {use.prompt or 'none'}, cost {micros(use.cost_micros)}"
        if use
        else "rules"
    )
    return shown(
        f"Decided {utc(decision.at)} by {decision.playbook} ({decision.playbook_hash[:12]}), "
        f"limits {decision.limits_version}, zones {decision.zone_rules}; {model}; "
        f"{decision.arm.value} at {percent(decision.propensity_ppm)}",
        QUIET,
    )


def _title(words: str) -> Text:
    return Text(words, style="bold")


def _table(*titles: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, expand=True)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _plain_table(columns: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(columns):
        table.add_column(overflow="fold")
    return table
