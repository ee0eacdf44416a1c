"""Showing a planted draft instead of the real one, now and then, to the one who opens it.

The view is that of any draft: the real one's id, claim, case and evidence, with the planted text. Only its
ticket names the seed, so that a verdict reaches the seed and never the draft.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from agent.domain.drafts import DraftState
from agent.domain.queue import QueueItem
from agent.domain.reviewers import Act
from agent.review_desk.opening import Desk
from agent.review_desk.seeds.mistakes import Planted, plant
from agent.review_desk.text_checks import Surroundings, TextChecks
from agent.review_desk.views import DraftView
from agent.store.locks import lock_cases
from agent.store.review_seeds import SEED_PREFIX, Seed, open_seeds, record_seed, seed_of
from policies.model import PPM

_CHANCE: Final = "seed"


def instead(desk: Desk, checks: TextChecks, view: DraftView, *, reviewer: str) -> DraftView:
    """Return the view of a planted draft for the one who looks at this one, or the view as it is."""
    if view.draft.draft.state is not DraftState.PENDING:
        return view
    with desk.store.read() as conn:
        seed = seed_of(conn, view.draft.draft.id, reviewer=reviewer)
    if seed is None and _may_plant(desk, view, reviewer):
        seed = _planted(desk, view, reviewer)
    return view if seed is None or seed.verdict is not None else _as_any_other(checks, view, seed)


def again(desk: Desk, checks: TextChecks, view: DraftView, *, reviewer: str) -> DraftView:
    """Return what this reviewer has before them: the planted draft while they have not judged it."""
    seed = open_seed(desk, view.draft.draft.id, reviewer=reviewer)
    pending = view.draft.draft.state is DraftState.PENDING
    return _as_any_other(checks, view, seed) if seed is not None and pending else view


def in_lines(desk: Desk, items: Sequence[QueueItem], *, reviewer: str) -> list[QueueItem]:
    """Return lines of the queue with the planted texts that this reviewer has seen and not judged yet."""
    with desk.store.read() as conn:
        seeds = open_seeds(conn, reviewer=reviewer)
    return [_line(item, seeds.get(item.draft_id)) for item in items]


def _line(item: QueueItem, seed: Seed | None) -> QueueItem:
    if seed is None or item.state is not DraftState.PENDING:
        return item
    message = seed.draft.message
    return replace(item, subject=message.subject, body=message.body, content_hash=message.content_hash)


def open_seed(desk: Desk, draft_id: str, *, reviewer: str) -> Seed | None:
    """Return the seed of a draft that this reviewer has not judged yet, if any."""
    with desk.store.read() as conn:
        seed = seed_of(conn, draft_id, reviewer=reviewer)
    return seed if seed is not None and seed.verdict is None else None


def _may_plant(desk: Desk, view: DraftView, reviewer: str) -> bool:
    """Whether this opening is drawn, and the reviewer could decide about the draft if it were real."""
    draft_id = view.draft.draft.id
    if not desk.rules.seeds or view.case.shadow or view.decision is None:
        return False
    if any(lock.kind != "floor" for lock in view.locks):
        return False
    return desk.store.keyring.draw(_CHANCE, reviewer, draft_id) % PPM < desk.rules.seeds


def _planted(desk: Desk, view: DraftView, reviewer: str) -> Seed | None:
    planted = _mistake(desk, view, reviewer)
    if planted is None:
        return None
    now, actor = desk.clock(), desk.actor(reviewer, Act.CLAIM)
    with desk.store.write() as tx:
        # a preview and an opening may come at once: the second finds what the first planted
        lock_cases(tx.conn, [view.case.id])
        known = seed_of(tx.conn, view.draft.draft.id, reviewer=reviewer)
        if known is not None:
            return known
        seed = Seed(
            id=tx.ids.new(SEED_PREFIX, at=now),
            draft_id=view.draft.draft.id,
            reviewer=reviewer,
            kind=planted.kind,
            mistake=planted.mistake,
            draft=planted.draft,
            opened_at=now,
            verdict=None,
        )
        record_seed(tx, seed, customer_id=view.case.customer_id, case_id=view.case.id, actor=actor)
    return seed


def _mistake(desk: Desk, view: DraftView, reviewer: str) -> Planted | None:
    if view.decision is None:
        return None
    with desk.store.read() as conn:
        zone = desk.zone_of(conn, view.case)
    draft = view.draft.draft
    around = Surroundings.of(draft, view.decision.facts, zone=zone, limits=desk.limits)
    draw = desk.store.keyring.draw(_CHANCE, "mistake", reviewer, draft.id)
    return plant(draft, around, chance=Random(draw))  # noqa: S311  # already drawn from the installation's key


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
