"""Showing a planted draft instead of the real one, now and then, to the one who opens it.

The view is that of any draft: the real one's id, claim, case and evidence, with the planted text. Only its
ticket names the seed, so that a verdict reaches the seed and never the draft.
"""

from dataclasses import replace

from agent.domain.drafts import DraftState
from agent.review_desk.opening import Desk
from agent.review_desk.seeds.drawing import plant_drawn
from agent.review_desk.text_checks import TextChecks
from agent.review_desk.views import DraftView
from agent.store.review_seeds import Seed, seed_of


def instead(desk: Desk, checks: TextChecks, view: DraftView, *, reviewer: str) -> DraftView:
    """Return the view of a planted draft for the one who looks at this one, or the view as it is."""
    if view.draft.draft.state is DraftState.PENDING:
        plant_drawn(desk, [view.draft.draft.id], reviewer=reviewer)
    return again(desk, checks, view, reviewer=reviewer)


def again(desk: Desk, checks: TextChecks, view: DraftView, *, reviewer: str) -> DraftView:
    """Return what this reviewer has before them: the planted draft while they have not judged it."""
    seed = open_seed(desk, view.draft.draft.id, reviewer=reviewer)
    pending = view.draft.draft.state is DraftState.PENDING
    return _as_any_other(checks, view, seed) if seed is not None and pending else view


def open_seed(desk: Desk, draft_id: str, *, reviewer: str) -> Seed | None:
    """Return the seed of a draft that this reviewer has not judged yet, if any."""
    with desk.store.read() as conn:
        seed = seed_of(conn, draft_id, reviewer=reviewer)
    return seed if seed is not None and seed.verdict is None else None


def _as_any_other(checks: TextChecks, view: DraftView, seed: Seed) -> DraftView:
    real, message = view.draft.draft, seed.draft.message
    checks.take_as_checked(real.id, subject=message.subject, body=message.body)
    size = checks.check(real.id, subject=message.subject, body=message.body)
    shown = replace(
        real,
        message=message,
        used=seed.draft.used,
        slotted_subject=seed.draft.slotted_subject,
        slotted_body=seed.draft.slotted_body,
        segments=size.segments,
        cost_micros=size.cost_micros,
    )
    forecast = view.forecast and replace(view.forecast, segments=size.segments, cost_micros=size.cost_micros)
    file = replace(view.draft, draft=shown, content_hash=message.content_hash)
    versions = tuple(file if one.draft.id == shown.id else one for one in view.versions)
    return replace(view, draft=file, versions=versions, forecast=forecast, ticket=seed.id)
