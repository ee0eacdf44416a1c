"""How a replay and the trigger table read, for people and for scripts."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.replay.olist import BRASILIA
from evals.replay.run import Replayed
from evals.replay.score import MessageScore
from evals.replay.trigger_table import Row, TriggerTable

_MICROS = 1_000_000


def replay_view(done: Replayed) -> RenderableType:
    """Return the outcome of a replay, one figure a line."""
    return Group(Text(), _figures(done), Text(), _decisions(done), Text(), *_closing(done))


def replay_form(done: Replayed) -> dict[str, object]:
    """Return the outcome of a replay for scripts; shares are of 1, times in seconds or days as named."""
    return {
        "from": done.start,
        "to": done.end,
        "tick_seconds": int(done.tick.total_seconds()),
        "approvals_are_simulated": True,
        "orders": {
            "bought": done.bought,
            "open_at_start": done.open_at_start,
            "too_late_at_start": done.too_late,
            "late_share": round(done.late_share, 4),
        },
        "company_changes": done.changes,
        "records_read": done.read,
        "records_mirrored": done.records,
        "quarantined": done.quarantined,
        "signals": done.signals,
        "resolved_by_themselves": done.resolved,
        "decisions": [
            {"scenario": scenario, "kind": kind, "reason": reason, "number": number}
            for scenario, kind, reason, number in done.decisions
        ],
        "digest": done.digest,
        "approvals": dict(done.approvals),
        "messages": done.messages,
        "drafts_waiting": done.waiting,
        "messaged": _score_form(done.score),
        "held_out": _score_form(done.held_out),
        "cost_micros": done.cost_micros,
        "seconds": round(done.seconds, 1),
        "cpu_seconds": round(done.cpu_seconds, 1),
        "peak_mib": done.peak_mib,
        "source_failures": done.failures,
        "audit": {"ok": done.audit_ok, "events": done.events, "fault": done.audit_fault},
        "folder": done.folder,
    }


def trigger_view(table: TriggerTable) -> RenderableType:
    """Return the trigger table, ours beside the published one."""
    view = Table(
        title="Not delivered N days before the end of the promised day: found / published",
        title_justify="left",
        box=None,
    )
    for title in ("N", "notices", "per 1,000", "P(late)", "P(≥ 3 d late)", "late reached", ""):
        view.add_column(title, justify="right" if title else "left")
    for row in table.rows:
        found, published = row.found, row.published
        view.add_row(
            str(published.days_before),
            f"{found.notices:,}",
            f"{found.per_thousand} / {published.per_thousand}",
            f"{found.p_late:.3f} / {published.p_late}",
            f"{found.p_serious:.3f} / {published.p_serious}",
            f"{found.reached:.2f} / {published.reached}",
            "; ".join(row.differences) or "equal",
        )
    verdict = "All rows are equal, none fired twice, early or late." if table.equal else "Rows differ."
    lines = (
        f"{table.orders:,} orders, {table.changes:,} changes.",
        f"{table.evaluated:,} evaluations, {table.signals:,} signals.",
        f"{table.seconds:.0f} s, {table.cpu_seconds:.0f} s of CPU.",
        verdict,
    )
    return Group(Text(), view, Text(), *(Text(line) for line in lines))


def trigger_form(table: TriggerTable) -> dict[str, object]:
    """Return the trigger table for scripts."""
    return {
        "equal": table.equal,
        "orders": table.orders,
        "changes": table.changes,
        "evaluated": table.evaluated,
        "signals": table.signals,
        "seconds": round(table.seconds, 1),
        "cpu_seconds": round(table.cpu_seconds, 1),
        "rows": [_row_form(row) for row in table.rows],
    }


def _row_form(row: Row) -> dict[str, object]:
    found, published = row.found, row.published
    return {
        "days_before": published.days_before,
        "population": found.orders,
        "notices": found.notices,
        "per_thousand": found.per_thousand,
        "p_late": round(found.p_late, 4),
        "p_serious": round(found.p_serious, 4),
        "reached": round(found.reached, 4),
        "twice": row.repeated,
        "too_late": row.late,
        "too_early": row.early,
        "differences": list(row.differences),
    }


def _score_form(score: MessageScore | None) -> dict[str, object] | None:
    if score is None:
        return None
    return {
        "orders": score.messaged,
        "late": score.late_messaged,
        "before_survey": score.before_survey,
        "reviewed": score.reviewed,
        "bad": score.bad,
        "bad_share": round(score.bad_share, 4),
        "base_bad_share": round(score.base_share, 4),
        "lead_days_p10_p50_p90": [round(days, 2) for days in score.lead_days] if score.lead_days else None,
    }


def _figures(done: Replayed) -> Table:
    table = Table(box=None, show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="left")
    first, last = (at.astimezone(BRASILIA) for at in (done.start, done.end))
    hours = done.tick.total_seconds() / 3600
    table.add_row("time", f"{first:%Y-%m-%d} to {last:%Y-%m-%d} (UTC-3), a tick every {hours:g} h")
    table.add_row("orders", f"{done.bought:,} bought in this time, {done.late_share:.1%} late or lost")
    table.add_row(
        "open at the start",
        f"{done.open_at_start:,} orders; {done.too_late:,} so long overdue that nobody is written to",
    )
    table.add_row("records", f"{done.read:,} read, {done.records:,} mirrored, {done.quarantined:,} refused")
    table.add_row("signals", f"{done.signals:,}; {done.resolved:,} resolved before anything was sent")
    approvals = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(done.approvals.items()))
    table.add_row("approvals", f"simulated, one tick after the draft: {approvals or 'none'}")
    table.add_row("messages", f"{done.messages:,} to the file outbox; {done.waiting:,} drafts wait")
    if done.score:
        _add_score(table, done.score, done.held_out)
    table.add_row("cost", f"{done.cost_micros / _MICROS:.2f} USD, model and sending")
    table.add_row("run time", f"{done.seconds:.0f} s, {done.cpu_seconds:.0f} s of CPU")
    table.add_row("peak memory", f"{done.peak_mib:,} MiB")
    return table


def _add_score(table: Table, score: MessageScore, held_out: MessageScore | None) -> None:
    if score.lead_days:
        low, middle, high = score.lead_days
        table.add_row(
            "lead time", f"{low:.1f} / {middle:.1f} / {high:.1f} days before delivery (10 %, median, 90 %)"
        )
    if score.messaged:
        table.add_row(
            "truly late",
            f"{score.late_messaged / score.messaged:.1%} of the messaged orders came late or never; "
            f"{score.before_survey / score.messaged:.1%} were told before they were asked for a review",
        )
    table.add_row(
        "bad reviews",
        f"{score.bad_share:.1%} of the messaged customers left 1 or 2; base rate {score.base_share:.1%}",
    )
    if held_out and held_out.reviewed:
        table.add_row(
            "held out",
            f"{held_out.messaged:,} customers; {held_out.bad_share:.1%} left 1 or 2 "
            "(nobody was really written to, so this shows the draw, not an effect)",
        )


def _decisions(done: Replayed) -> Table:
    table = Table(title="Decisions", title_justify="left", box=None)
    for title in ("", "reason", "number"):
        table.add_column(title, justify="right" if title == "number" else "left")
    for _, kind, reason, number in done.decisions:
        table.add_row(kind, reason, f"{number:,}")
    return table


def _closing(done: Replayed) -> list[Text]:
    lines = [Text(f"digest of all decisions: {done.digest}")]
    lines += [Text(f"source failed: {failure}") for failure in done.failures[:3]]
    verdict = "ok" if done.audit_ok else done.audit_fault
    lines.append(Text(f"audit chain: {done.events:,} events verified: {verdict}"))
    return lines
