"""How the demo's summary looks."""

from collections import defaultdict

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.audit.figures import micros
from agent.demo import Summary
from agent.domain.decisions import DecisionKind

_MEANINGS = {
    "worth_it": "every gate passed and a message is worth more than silence",
    "quiet_hours": "held until morning in every zone that may be the customer's",
    "holdout": "kept back at random, to measure what messages do",
    "open_ticket": "a colleague is already on it",
    "consent": "the customer said no",
    "address": "no address for this channel",
    "shared_address": "the address belongs to several people",
    "cap_day": "enough messages for one day",
    "cap_week": "enough messages for one week",
    "protected": "only a specialist may decide",
    "customer_status": "closed, test or employee account",
    "cleared": "it resolved itself before anything was sent",
    "condition_cleared": "it resolved itself while the message waited",
    "deadline": "too late to be of use",
    "value": "a message would cost more than it is worth",
    "missing_facts": "a fact is missing",
    "malformed_facts": "a text of another system is not of the form it should have",
    "suspicious_text": "a text tried to give orders to a machine",
    "suppression": "the address is on the stop list",
    "source_freshness": "the source was not read lately enough",
    "customer_known": "the customer's record had not arrived yet",
}
_MEANINGS_OF_SILENCE = {
    "quiet_hours": "no allowed hour comes before the message is of no use",
    "cap_day": "today is full, and the next day comes too late",
    "cap_week": "this week is full, and the next day comes too late",
}
"""Where a gate usually defers: what it means when nothing is sent at all."""


def summary_view(summary: Summary, *, program: str) -> RenderableType:
    """Return the summary a newcomer understands, with the next commands as this `program` is called."""
    rows: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for scenario, kind, reason, number in summary.decisions:
        rows[kind, reason][scenario] += number
    table = Table(
        title="Decisions, each on record with facts, gates and value", title_justify="left", box=None
    )
    for title, justify in (("", "left"), ("reason", "left"), ("number", "right"), ("what it means", "left")):
        table.add_column(title, justify=justify)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # two literals
    for (kind, reason), scenarios in sorted(rows.items(), key=lambda row: -sum(row[1].values())):
        meaning = _MEANINGS_OF_SILENCE.get(reason) if kind == DecisionKind.ABSTAIN else None
        table.add_row(kind, reason, str(sum(scenarios.values())), meaning or _MEANINGS.get(reason, ""))
    sent = (
        ", ".join(f"{number} by {channel}" for channel, number in sorted(summary.sent.items())) or "nothing"
    )
    lines = [
        f"{summary.customers} customers, {summary.days} days, {summary.records} records mirrored.",
        f"{summary.quarantined} rows in quarantine: words that no mapping knows.",
        f"{summary.signals} signals opened a case.",
        f"Sent: {sent}. Cost: {micros(summary.cost_micros)} USD, model included.",
        f"A simulated reviewer approved {summary.approved} drafts.",
        f"For {summary.stale} more the facts had changed, so nothing was approved.",
        f"Contacts that would have come and did not, by the simulation's hidden truth: {summary.prevented}.",
        f"{summary.waiting} drafts wait for you.",
    ]
    commands = (
        f"{program} review list                 the drafts that wait",
        f"{program} review show DRAFT           one of them, with everything it rests on",
        f"{program} review approve DRAFT        type the hash you see; the facts are read again",
        f"{program} run --once                  sends it, into {summary.folder}/outbox",
        f"{program} audit list                  every decision, the negative ones too",
        f"{program} audit verify                names the event if one byte was changed",
    )
    return Group(
        Text(),
        *(Text(line) for line in lines),
        Text(),
        table,
        Text(),
        Text("Next:", style="bold"),
        *(Text(f"  {command}") for command in commands),
    )
