"""The report as a person reads it in a terminal; texts of cases go through `safe_text`."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.compare.verdict import Comparison
from evals.gate import Standing
from evals.report.judged import Judged, against_words
from evals.report.words import (
    between,
    by_whom,
    chance,
    counted,
    even_words,
    gates_words,
    money,
    other_side_rows,
    percent,
    plain_policies,
    points,
    spent_rows,
)
from evals.results import Decided, Result, Run
from evals.stats.worth import CostTable
from evals.summary import Calibration, Summary
from tools.safe_text import safe_text

_MARKS = {Standing.BROKEN: "red", Standing.NOT_JUDGED: "yellow"}
_SHOWN = 20
"""Failed and flipped cases that are listed; the page and the file hold all."""


def report_view(judged: Judged) -> RenderableType:
    """Return the report, verdict first."""
    summary = judged.summary
    parts: list[RenderableType] = [_verdict(judged), *_gates(judged), *_needed(judged.run)]
    if judged.comparison:
        parts += _comparison(judged.comparison)
    parts += [
        *_families(summary),
        *_confusion(summary),
        *_invariants(summary),
        *_worth(summary, judged.run.costs),
    ]
    parts += [*_spent(summary), *_calibration(summary.calibration), *_failed(judged.run.results)]
    return Group(*parts)


def _verdict(judged: Judged) -> RenderableType:
    run, summary = judged.run, judged.summary
    what = (
        f"{', '.join(run.suites)}: {summary.cases} cases, {summary.repeats} runs, decided by {by_whom(run)}."
    )
    return Group(
        Text(), Text(safe_text(judged.headline), style="bold green" if judged.ok else "bold red"),
        Text(safe_text(what)), Text(),
    )  # fmt: skip


def _gates(judged: Judged) -> Iterable[RenderableType]:
    table = _table("gate", "", "")
    for answer in sorted(judged.answers, key=lambda one: one.standing is not Standing.BROKEN):
        if answer.standing is Standing.HELD:
            continue
        mark = Text(answer.standing.value, style=_MARKS[answer.standing])
        table.add_row(Text(safe_text(answer.gate)), mark, Text(safe_text(answer.sentence)))
    if judged.answers:
        yield from _titled(f"Gates: {gates_words(judged.answers)}", table)


def _comparison(comparison: Comparison) -> Iterable[RenderableType]:
    table = _table("", "")
    table.add_row("cases both have", f"{comparison.shared}")
    if comparison.difference:
        one = comparison.difference
        table.add_row(
            f"pass^{comparison.k}",
            f"{points(one.estimate)}, 95 % of {points(one.low)} to {points(one.high)}",
        )
    table.add_row("only this side passes", f"{comparison.better}")
    table.add_row("only the other passes", f"{comparison.worse}")
    table.add_row("exact McNemar", chance(comparison.p_value))
    if comparison.worth:
        value, currency = comparison.worth, comparison.new.costs.currency
        low, high = money(value.low, currency), money(value.high, currency)
        table.add_row("net value per case", f"{money(value.estimate, currency)}, 95 % of {low} to {high}")
    for flip in comparison.flips[:_SHOWN]:
        words = f"{_decision(flip.old)} → {_decision(flip.new)}"
        table.add_row("now passes" if flip.better else "now fails", Text(safe_text(f"{flip.case}: {words}")))
    left = len(comparison.flips) - _SHOWN
    if left > 0:
        table.add_row("", f"and {left} more")
    for name, words in other_side_rows(comparison.old):
        table.add_row(name, Text(safe_text(words)))
    title = f"Against {comparison.old.name}: {against_words(comparison)}"
    yield from _titled(title[0].upper() + title[1:], table)


def _decision(result: Result) -> str:
    return f"{result.decided.value} ({result.reason})" if result.reason else result.decided.value


def _families(summary: Summary) -> Iterable[RenderableType]:
    title = (
        f"pass^{summary.k}: all of {summary.k} runs of a case pass" if summary.k > 1 else "Cases that pass"
    )
    table = _table("family", "cases", "every run passed", f"pass^{summary.k}", "95 % interval")
    for one in summary.families:
        found = one.pass_hat_k
        bounds = f"{percent(found.low)} to {percent(found.high)}"
        table.add_row(
            Text(safe_text(one.family)), f"{one.cases}", f"{one.passed}", percent(found.estimate), bounds
        )
    whole = summary.pass_hat_k
    passed = sum(one.passed for one in summary.families)
    table.add_row(
        Text("all", style="bold"), f"{summary.cases}", f"{passed}", percent(whole.estimate),
        f"{percent(whole.low)} to {percent(whole.high)}, families as clusters",
    )  # fmt: skip
    yield from _titled(title, table)


def _confusion(summary: Summary) -> Iterable[RenderableType]:
    table = _table("expected", *(f"→ {kind.value}" for kind in Decided))
    for expected in Decided:
        row = [summary.confusion.get((expected, kind), 0) for kind in Decided]
        if any(row):
            table.add_row(expected.value, *(f"{number}" if number else "·" for number in row))
    yield from _titled(
        "Decisions (runs)",
        table,
        f"false alarms: {counted(summary.false_alarms, 'contacts')}",
        f"misses: {counted(summary.misses, 'due contacts')}",
    )


def _invariants(summary: Summary) -> Iterable[RenderableType]:
    if not summary.invariants:
        return
    table = _table("invariant", "cases", "broken in", "true rate at most (95 %)")
    for one in summary.invariants:
        style = "red" if one.broken else ""
        number = Text(f"{one.broken}", style=style)
        table.add_row(Text(safe_text(one.name), style=style), f"{one.cases}", number, percent(one.bound))
    yield from _titled("Critical invariants", table)


def _worth(summary: Summary, costs: CostTable) -> Iterable[RenderableType]:
    table = _table("", "")
    for name, value in plain_policies(summary.worth):
        table.add_row(name, money(value, summary.worth.currency))
    yield from _titled("Net value per decision", table)
    if words := even_words(summary.worth, costs):
        yield f" {words}\n"


def _spent(summary: Summary) -> Iterable[RenderableType]:
    table = _table("", "")
    for name, figure in spent_rows(summary.spent):
        table.add_row(name, figure)
    yield from _titled("Cost", table)


def _needed(run: Run) -> Iterable[RenderableType]:
    if not run.needed:
        return
    table = _table("case", "task", "why")
    for one in run.needed[:_SHOWN]:
        table.add_row(*(Text(safe_text(cell)) for cell in (one.case, one.task, one.why)))
    left = len(run.needed) - _SHOWN
    if left > 0:
        table.add_row(f"and {left} more", "", "")
    yield from _titled("Cases that need new recordings, in no figure below", table)


def _calibration(calibration: Calibration | None) -> Iterable[RenderableType]:
    if calibration is None:
        return
    title = (
        f"Calibration: Brier {calibration.brier:.3f}, error {calibration.error:.3f}, {calibration.n} cases"
    )
    table = _table("forecast", "came", "cases")
    for one in calibration.bins:
        table.add_row(percent(one.forecast), between(one.came), f"{one.size}")
    yield from _titled(title, table)


def _failed(results: Sequence[Result]) -> Iterable[RenderableType]:
    failed = {result.case: result for result in reversed(results) if not result.passed}
    if not failed:
        return
    table = _table("case", "expected", "decided", "why")
    for result in sorted(failed.values(), key=lambda one: (one.family, one.case))[:_SHOWN]:
        why = "; ".join([*(f"broke {name}" for name in result.broken), *result.score.reasons])
        cells = (result.case, result.expected.value, _decision(result), " ".join(why.split()))
        table.add_row(*(Text(safe_text(cell)) for cell in cells))
    left = len(failed) - _SHOWN
    if left > 0:
        table.add_row(f"and {left} more", "", "", "")
    yield from _titled("Cases that failed in some run", table)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _titled(title: str, table: Table, *below: str) -> Iterable[RenderableType]:
    yield Text(safe_text(title), style="bold")
    if table.row_count:
        yield table
    yield from (Text(f" {line}", style="dim") for line in below)
    yield Text()
