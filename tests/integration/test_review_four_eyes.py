"""Two people where much is at stake, and nobody their own words."""

from datetime import timedelta

import pytest

from agent.audit.verify import verify
from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.drafts import Draft, DraftState, ReviewVerdict
from agent.errors import ConflictError, RefusedError
from agent.review_desk.answers import Approval
from agent.store.transaction import Store
from tests.sending_bench import Bench, fact, rules
from tools.records.base import Money

MUCH = Money(minor=200_000, currency="EUR")
TEXT = "Hello, we are sorry: your order 1001 comes later than we promised."


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock, stake=MUCH)


def approve(bench: Bench, draft: Draft, reviewer: str) -> Approval:
    return bench.desk.approve(draft.id, reviewer=reviewer, shown=draft.message.content_hash)


def edited(bench: Bench, draft: Draft, reviewer: str) -> Draft:
    answer = bench.desk.edit(
        draft.id, reviewer=reviewer, shown=draft.message.content_hash, subject="Your order 1001", body=TEXT
    )
    assert answer.draft_id is not None
    return bench.desk.show(answer.draft_id).draft.draft


class TestTwoPeople:
    def test_the_first_approval_leaves_the_draft_in_the_queue(self, bench: Bench) -> None:
        draft = bench.in_review()

        answer = approve(bench, draft, "ann")

        view = bench.desk.show(draft.id)
        (item,) = bench.desk.list_drafts()
        assert (answer.outcome, answer.delivery_id) == ("second_needed", None)
        assert (view.draft.draft.state, view.case.state) == (DraftState.PENDING, CaseState.IN_REVIEW)
        assert (view.first_approver, item.first_approver, view.draft.claimed_by) == ("ann", "ann", None)
        assert view.deliveries == ()
        (review,) = view.reviews
        assert (review.verdict, review.content_hash) == (ReviewVerdict.APPROVE, draft.message.content_hash)

    def test_another_persons_approval_queues_it_on_facts_read_again(self, bench: Bench) -> None:
        draft = bench.in_review()
        approve(bench, draft, "ann")

        answer = approve(bench, draft, "bob")

        view = bench.desk.show(draft.id)
        assert answer.outcome == "approved"
        assert [review.reviewer for review in view.reviews] == ["ann", "bob"]
        assert view.deliveries[0].delivery.review_id == view.reviews[-1].id
        assert bench.world.rechecks == 2

    def test_the_same_person_does_not_count_twice(self, bench: Bench) -> None:
        draft = bench.in_review()
        approve(bench, draft, "ann")

        with pytest.raises(RefusedError, match=r"You approved it already.*another reviewer"):
            approve(bench, draft, "ann")

        assert bench.desk.show(draft.id).deliveries == ()

    def test_facts_that_changed_in_between_make_it_stale(self, bench: Bench) -> None:
        draft = bench.in_review()
        approve(bench, draft, "ann")
        bench.world.facts = (fact("order.number", "1002"),)

        assert approve(bench, draft, "bob").outcome == "stale"

    def test_an_edit_in_between_voids_the_first_approval(self, bench: Bench) -> None:
        draft = bench.in_review()
        approve(bench, draft, "ann")

        new = edited(bench, draft, "bob")

        assert bench.desk.show(new.id).first_approver is None
        assert approve(bench, new, "ann").outcome == "second_needed"
        with pytest.raises(RefusedError, match="You wrote this version"):
            approve(bench, new, "bob")
        assert approve(bench, new, "cleo").outcome == "approved"

    def test_a_smaller_stake_needs_one(self, bench: Bench) -> None:
        bench.stake = Money(minor=MUCH.minor - 1, currency=MUCH.currency)

        assert approve(bench, bench.in_review(), "ann").outcome == "approved"

    def test_a_first_approval_can_be_taken_back_while_it_waits(self, bench: Bench) -> None:
        draft = bench.in_review()
        approve(bench, draft, "ann")

        bench.desk.undo(draft.id, reviewer="ann")

        assert bench.desk.show(draft.id).first_approver is None
        assert approve(bench, draft, "bob").outcome == "second_needed"

    def test_a_second_approval_that_is_taken_back_leaves_the_first(self, bench: Bench) -> None:
        draft = bench.in_review()
        approve(bench, draft, "ann")
        approve(bench, draft, "bob")

        bench.desk.undo(draft.id, reviewer="bob")

        view = bench.desk.show(draft.id)
        assert (view.draft.draft.state, view.first_approver) == (DraftState.PENDING, "ann")
        assert approve(bench, draft, "cleo").outcome == "approved"

    def test_of_two_first_approvals_at_once_one_is_told_to_look_again(self, bench: Bench) -> None:
        draft = bench.in_review()
        others = iter(["bob"])
        bench.world.while_looking = lambda: [approve(bench, draft, other) for other in others]

        with pytest.raises(ConflictError):
            approve(bench, draft, "ann")

        assert bench.desk.show(draft.id).first_approver == "bob"

    def test_the_log_tells_of_both_and_verifies(self, bench: Bench) -> None:
        draft = bench.in_review()
        approve(bench, draft, "ann")
        approve(bench, draft, "bob")
        bench.store.seal_pending()

        with bench.store.read() as conn:
            assert verify(conn, now=bench.clock()).ok


class TestOwnWords:
    @pytest.fixture
    def bench(self, store: Store, clock: SimulatedClock) -> Bench:
        return Bench(store=store, clock=clock)

    def test_the_author_of_an_edit_may_not_approve_it(self, bench: Bench) -> None:
        new = edited(bench, bench.in_review(), "ann")

        with pytest.raises(RefusedError, match=r"You wrote this version.*`own_edits: allow`"):
            approve(bench, new, "ann")

        assert bench.desk.show(new.id).draft.draft.state is DraftState.PENDING
        assert approve(bench, new, "bob").outcome == "approved"

    def test_the_rules_may_allow_it(self, store: Store, clock: SimulatedClock) -> None:
        bench = Bench(store=store, clock=clock, rules=rules(own_edits="allow"))

        assert approve(bench, edited(bench, bench.in_review(), "ann"), "ann").outcome == "approved"


class TestFloor:
    @pytest.fixture
    def bench(self, store: Store, clock: SimulatedClock) -> Bench:
        return Bench(store=store, clock=clock, rules=rules(floor=timedelta(seconds=2)))

    def test_nobody_approves_what_they_have_just_opened(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.desk.claim(draft.id, reviewer="ann")
        bench.clock.advance(timedelta(seconds=1.5))

        with pytest.raises(RefusedError, match=r"opened less than 2 s ago"):
            approve(bench, draft, "ann")

        bench.clock.advance(timedelta(seconds=0.5))
        assert approve(bench, draft, "ann").outcome == "approved"
