"""Two reviewers and a daemon on one database: no draft is decided twice, lost, or sent unapproved."""

from collections import Counter
from pathlib import Path

import pytest
from sqlmodel import select

from agent.audit.verify import verify
from agent.store.tables.cases import CaseFile, DraftRow, ReviewRow
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Store
from tests.builders import NOW
from tests.review_team import Team, run

AFTER = {"approve": "contacted", "reject": "abstained", "escalate": "escalated"}
"""Where a final verdict leaves a case once everything approved has left."""


def check(team: Team, store: Store) -> None:
    """Compare what the reviewers were told, what the database says, and what customers got."""
    said = list(team.said())
    done = [one for one in said if one.outcome == "done"]
    with store.read() as conn:
        drafts = {row["id"]: row for row in conn.execute(select(DraftRow)).mappings()}
        reviews = conn.execute(select(ReviewRow)).mappings().all()
        states = {row["id"]: row["state"] for row in conn.execute(select(CaseFile)).mappings()}
        deliveries = conn.execute(select(DeliveryRow)).mappings().all()

    assert "pending" not in {row["state"] for row in drafts.values()}, "a draft is lost"
    # every verdict that a person was told of is the one review of its draft, and the other way round
    assert sorted((one.draft, one.verdict, one.reviewer, one.content_hash) for one in done) == sorted(
        (row["draft_id"], row["verdict"], row["reviewer"], row["content_hash"]) for row in reviews
    )
    assert max(Counter(one.draft for one in done).values()) == 1
    final = {drafts[one.draft]["case_id"]: one.verdict for one in done if one.verdict in AFTER}
    assert len(final) == team.customers
    assert states == {case_id: AFTER[verdict] for case_id, verdict in final.items()}
    # what left was approved, byte for byte, once
    left = [row for row in deliveries if row["state"] == "accepted"]
    approvals = {(row["id"], row["content_hash"]) for row in reviews if row["verdict"] == "approve"}
    assert {(row["review_id"], row["content_hash"]) for row in left} == approvals
    assert Counter(team.sent()) == {row["id"]: 1 for row in left}
    # they did meet: otherwise this test would show nothing
    assert Counter(one.outcome for one in said)["conflict"] > 0


@pytest.mark.parametrize(
    "customers",
    [
        pytest.param(60, id="60", marks=pytest.mark.timeout(240)),
        pytest.param(1_000, id="1000", marks=[pytest.mark.slow, pytest.mark.timeout(1_800)]),
    ],
)
def test_each_draft_is_decided_once_and_only_what_was_approved_leaves(
    any_store: Store, database_url: str, tmp_path: Path, customers: int
) -> None:
    team = Team(url=database_url, folder=tmp_path, customers=customers)

    run(team, seconds=200 if customers < 100 else 1_700)

    check(team, any_store)
    any_store.seal_pending()
    with any_store.read() as conn:
        assert verify(conn, now=NOW).fault is None
