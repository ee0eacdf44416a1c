"""How the suite reads, for people and for scripts."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.gate import GateAnswer
from evals.olist.suite import Advantage, OlistScore, Reach
from evals.report.words import percent, points


def olist_view(score: OlistScore, answer: GateAnswer | None = None) -> RenderableType:
    """Return the suite's result, verdict first; `answer` is how its gate stands."""
    gate = [Text(f"Gate {answer.standing.value}: {answer.sentence}."), Text()] if answer else []
    return Group(
        Text(),
        Text(verdict_words(score), style="bold green" if score.ok else "bold red"),
        Text(),
        *gate,
        *_table("All orders", score.everything),
        *_table(f"The later half, promised after {score.later_from}", score.later),
        Text("Against the rule at the same number of notices, later half, 95 % by weeks", style="bold"),
        *(Text(f" {notices_words(one)}") for one in score.advantages),
    )


def olist_form(score: OlistScore) -> dict[str, object]:
    """Return the suite's result for scripts; shares are of 1."""
    return {
        "ok": score.ok,
        "all": [_form(one) for one in score.everything],
        "later": [_form(one) for one in score.later],
        "later_from": score.later_from,
        "advantages": [
            {
                "policy": one.policy,
                "difference": round(one.difference.estimate, 4),
                "low": round(one.difference.low, 4),
                "high": round(one.difference.high, 4),
            }
            for one in score.advantages
        ],
    }


def verdict_words(score: OlistScore) -> str:
    """Return the verdict in one sentence."""
    words = "no worse than" if score.ok else "not shown to be as good as"
    return f"The shipping-delay decision is {words} the rule at the same number of notices."


def notices_words(one: Advantage) -> str:
    """Return what a policy reaches beyond the rule at the same number of notices."""
    found = one.difference
    return (
        f"{one.policy}: {points(found.estimate)} of bad reviews reached "
        f"({points(found.low)} to {points(found.high)})"
    )


def _table(title: str, rows: Sequence[Reach]) -> Iterable[RenderableType]:
    table = Table(box=None, header_style="dim")
    for column in ("", "notices", "per 1,000", "bad reviews reached", "needless per 1,000", "lead, days"):
        table.add_column(column, justify="right" if column else "left")
    for one in rows:
        table.add_row(
            one.policy,
            f"{one.notices:,}",
            f"{one.per_thousand:.0f}",
            percent(one.reached),
            f"{one.needless:.0f}",
            f"{one.lead_days:.1f}",
        )
    yield Text(title, style="bold")
    yield table
    yield Text()


def _form(one: Reach) -> dict[str, object]:
    return {
        "policy": one.policy,
        "orders": one.orders,
        "notices": one.notices,
        "reached": round(one.reached, 4),
        "needless_per_thousand": round(one.needless, 1),
        "lead_days": one.lead_days,
    }
