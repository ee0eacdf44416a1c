"""How the review desk does: queue, verdicts with how sure their shares are, edits, time, attention."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median_low
from typing import Final

from agent.domain.drafts import AUTHORS, ReviewVerdict
from agent.domain.reviewers import Act
from agent.review_desk.answers import RejectReason
from agent.review_desk.intervals import Share, share
from agent.review_desk.opening import Desk
from agent.review_desk.proposals.phrases import edit_size
from agent.store.lessons import Edit, VerdictCount, count_verdicts, edits_since
from agent.store.review_stats import (
    Backlog,
    Seconds,
    TemplateUse,
    attention,
    backlog,
    seconds_per_verdict,
    template_uses,
)

_NAMES: Final = {ReviewVerdict.UNDO: "undone"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEdits:
    """How often drafts from one template were changed by reviewers, and by how much."""

    template: str
    """`scenario/channel.language`, or the prompt of texts by the model."""
    edited: Share
    """Of the drafts that were judged."""
    words_changed: int
    """Median of the words and marks that an edit changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The figures of the review desk since an instant."""

    since: datetime
    at: datetime
    queue: Backlog
    verdicts: tuple[tuple[str, Share], ...]
    """Each verdict among all, and last, as `undone`, all that were taken back."""
    by_scenario: tuple[tuple[str, tuple[tuple[str, Share], ...]], ...]
    """The same for each scenario."""
    reasons: tuple[tuple[str, Share], ...]
    """Each reason to reject among all rejections that stand, the most frequent first."""
    most_edited: tuple[TemplateEdits, ...]
    """The most often edited first; templates that nobody edited are left out."""
    seconds: tuple[Seconds, ...]
    """By reviewer; empty for those who may not see the team's figures."""
    attention: Share | None
    """Planted mistakes caught among those shown, by all together; None where it may not be seen."""


def stats(desk: Desk, *, since: datetime, reviewer: str) -> Stats:
    """Return the figures since an instant, as far as this person may see them.

    Raises:
        RefusedError: The person may not look.
    """
    desk.actor(reviewer, Act.LOOK)
    team = desk.roster.may(reviewer, Act.TEAM)
    now = desk.clock()
    with desk.store.read() as conn:
        counts = count_verdicts(conn, since, codes=[reason.value for reason in RejectReason])
        caught, shown = attention(conn, since) if team else (0, 0)
        return Stats(
            since=since,
            at=now,
            queue=backlog(conn, now=now, soon=now + desk.rules.expiring_soon),
            verdicts=_rates(counts),
            by_scenario=tuple(
                (scenario, _rates([one for one in counts if one.scenario == scenario]))
                for scenario in sorted({one.scenario for one in counts})
            ),
            reasons=_reasons(counts),
            most_edited=_most_edited(template_uses(conn, since), edits_since(conn, since)),
            seconds=tuple(seconds_per_verdict(conn, since)) if team else (),
            attention=share(caught, shown) if team else None,
        )


def _rates(counts: Sequence[VerdictCount]) -> tuple[tuple[str, Share], ...]:
    by_verdict: Counter[ReviewVerdict] = Counter()
    for one in counts:
        by_verdict[one.verdict] += one.count
    total = by_verdict.total()
    return tuple(
        (_NAMES.get(verdict, verdict.value), share(by_verdict[verdict], total)) for verdict in ReviewVerdict
    )


def _reasons(counts: Sequence[VerdictCount]) -> tuple[tuple[str, Share], ...]:
    by_reason: Counter[str] = Counter()
    for one in counts:
        if one.verdict is ReviewVerdict.REJECT:
            by_reason[one.code or RejectReason.OTHER] += one.count
    total = by_reason.total()
    ordered = sorted(by_reason.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple((reason, share(number, total)) for reason, number in ordered)


def _most_edited(uses: Sequence[TemplateUse], edits: Sequence[Edit]) -> tuple[TemplateEdits, ...]:
    judged: Counter[str] = Counter()
    edited: Counter[str] = Counter()
    for use in uses:
        judged[_name(use.template)] += use.judged
        edited[_name(use.template)] += use.edited
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    for edit in edits:
        if edit.before.author in AUTHORS:
            sizes[_name(edit.before.message.template)].append(_size(edit))
    found = [
        TemplateEdits(
            template=template,
            edited=share(edited[template], judged[template]),
            words_changed=median_low(sizes[template]) if sizes[template] else 0,
        )
        for template in judged
        if edited[template]
    ]
    return tuple(sorted(found, key=lambda one: (-one.edited.count, one.template)))


def _size(edit: Edit) -> int:
    old, new = edit.before.message, edit.after.message
    return edit_size(old.subject, new.subject) + edit_size(old.body, new.body)


def _name(template: str) -> str:
    return template.partition("@")[0]
