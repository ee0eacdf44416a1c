"""Which drafts are shown to whom with a planted mistake, and making the planted copies.

What is drawn for a reviewer is planted when they first could see the draft, be it as a line of the queue, so
that no two places ever show them different texts. Nothing that changes while they look decides about it.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

from sqlalchemy import Connection

from agent.domain.cases import Case, CaseState
from agent.domain.drafts import Draft, DraftState
from agent.domain.reviewers import Act
from agent.review_desk.locks import is_own_edit
from agent.review_desk.opening import Desk
from agent.review_desk.seeds.mistakes import Planted, plant
from agent.review_desk.text_checks import Surroundings
from agent.store.cases import get_case
from agent.store.decisions import last_decision
from agent.store.drafts import get_draft
from agent.store.locks import lock_cases
from agent.store.review_seeds import SEED_PREFIX, Seed, record_seed, seeded
from policies.model import PPM

_CHANCE: Final = "seed"


def drawn(desk: Desk, draft_ids: Iterable[str], *, reviewer: str) -> list[str]:
    """Return which drafts are drawn for a reviewer: always the same, and none for who approves nothing."""
    if not desk.rules.seeds or not desk.roster.may(reviewer, Act.APPROVE):
        return []
    draw, share = desk.store.keyring.draw, desk.rules.seeds
    return [one for one in draft_ids if draw(_CHANCE, reviewer, one) % PPM < share]


def plant_drawn(desk: Desk, draft_ids: Sequence[str], *, reviewer: str) -> bool:
    """Plant mistakes into those of these drafts that are drawn and have none yet; whether any were."""
    chosen = [
        one for one in drawn(desk, draft_ids, reviewer=reviewer) if (reviewer, one) not in desk.unplantable
    ]
    if not chosen:
        return False
    with desk.store.read() as conn:
        known = seeded(conn, chosen, reviewer=reviewer)
        made = {one: _made(desk, conn, one, reviewer) for one in chosen if one not in known}
    desk.unplantable.update((reviewer, one) for one, found in made.items() if found is None)
    planted = [found for found in made.values() if found is not None]
    return bool(planted) and _record(desk, planted, reviewer)


def _made(desk: Desk, conn: Connection, draft_id: str, reviewer: str) -> tuple[Case, Planted] | None:
    file = get_draft(conn, draft_id)
    case = get_case(conn, file.draft.case_id) if file else None
    decision = last_decision(conn, case.id) if case else None
    if file is None or case is None or decision is None or case.shadow:
        return None
    if file.draft.state is not DraftState.PENDING or case.state is not CaseState.IN_REVIEW:
        return None
    if is_own_edit(desk, file, reviewer) or file.first_approver == reviewer:
        return None  # they know the text
    around = Surroundings.of(file.draft, decision.facts, zone=desk.zone_of(conn, case), limits=desk.limits)
    planted = _mistake(desk, file.draft, around, reviewer)
    return None if planted is None else (case, planted)


def _mistake(desk: Desk, draft: Draft, around: Surroundings, reviewer: str) -> Planted | None:
    draw = desk.store.keyring.draw(_CHANCE, "mistake", reviewer, draft.id)
    return plant(draft, around, chance=Random(draw))  # noqa: S311  # already drawn from the installation's key


def _record(desk: Desk, planted: Sequence[tuple[Case, Planted]], reviewer: str) -> bool:
    now, actor = desk.clock(), desk.actor(reviewer, Act.CLAIM)
    with desk.store.write() as tx:
        # a list, a preview and an opening may come at once: the second finds what the first planted
        lock_cases(tx.conn, [case.id for case, _ in planted])
        known = seeded(tx.conn, [one.draft.id for _, one in planted], reviewer=reviewer)
        for case, one in planted:
            if one.draft.id in known:
                continue
            seed = Seed(
                id=tx.ids.new(SEED_PREFIX, at=now),
                draft_id=one.draft.id,
                reviewer=reviewer,
                kind=one.kind,
                mistake=one.mistake,
                draft=one.draft,
                opened_at=now,
                verdict=None,
            )
            record_seed(tx, seed, customer_id=case.customer_id, case_id=case.id, actor=actor)
    return True
