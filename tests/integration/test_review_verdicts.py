"""Each verdict of a reviewer is one transaction, bound to what was on the screen."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlmodel import col, select

from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind, Stage
from agent.domain.drafts import DeliveryState, Draft, DraftState, ReviewVerdict
from agent.errors import ConflictError, NotFoundError, RefusedError
from agent.review_desk.answers import RejectReason
from agent.store.situations import get_situation
from agent.store.tables.cases import WorkRow
from agent.store.tables.ledger import AuditEventRow
from agent.store.transaction import Store
from tests.sending_bench import Bench, fact
from tools.errors import ToolError


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock)


def state_of(bench: Bench, draft: Draft) -> tuple[DraftState, CaseState]:
    view = bench.desk.show(draft.id)
    return view.draft.draft.state, view.case.state


def event_types(bench: Bench) -> list[str]:
    with bench.store.read() as conn:
        return list(conn.execute(select(AuditEventRow.type).order_by(col(AuditEventRow.id))).scalars())


def work(bench: Bench) -> list[tuple[str, str]]:
    with bench.store.read() as conn:
        return [(kind, ref) for kind, ref in conn.execute(select(WorkRow.kind, WorkRow.ref))]


class TestApprove:
    def test_it_queues_exactly_what_was_shown(self, bench: Bench) -> None:
        draft = bench.in_review()

        approval = bench.desk.approve(
            draft.id, reviewer="ada", shown=draft.message.content_hash[:6], seconds=40
        )

        view = bench.desk.show(draft.id)
        assert approval.outcome == "approved"
        assert state_of(bench, draft) == (DraftState.APPROVED, CaseState.APPROVED)
        (delivery,) = view.deliveries
        (review,) = view.reviews
        assert delivery.delivery.id == approval.delivery_id
        assert delivery.delivery.message == draft.message
        assert delivery.delivery.content_hash == review.content_hash == draft.message.content_hash
        assert (review.verdict, review.reviewer, review.seconds) == (ReviewVerdict.APPROVE, "ada", 40)
        assert work(bench) == [("dispatch", approval.delivery_id)]
        assert event_types(bench)[-4:] == [
            "draft.approved",
            "review.recorded",
            "delivery.queued",
            "case.approved",
        ]

    @pytest.mark.parametrize("shown", ["", "abc", "zzzzzz"])
    def test_a_hash_of_something_else_is_refused(self, bench: Bench, shown: str) -> None:
        draft = bench.in_review()

        with pytest.raises(RefusedError):
            bench.desk.approve(draft.id, reviewer="ada", shown=shown)

        assert state_of(bench, draft) == (DraftState.PENDING, CaseState.IN_REVIEW)

    def test_only_the_first_of_two_reviewers_wins(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)

        with pytest.raises(ConflictError, match="approved"):
            bench.desk.approve(draft.id, reviewer="bob", shown=draft.message.content_hash)

        assert len(bench.desk.show(draft.id).deliveries) == 1

    def test_one_that_changes_hands_while_the_facts_are_read_is_not_approved(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.world.while_looking = lambda: bench.desk.claim(draft.id, reviewer="bob")

        with pytest.raises(ConflictError, match="bob"):
            bench.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)

        assert bench.desk.show(draft.id).deliveries == ()

    def test_a_condition_that_cleared_closes_the_case(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.world.status = "cleared"

        approval = bench.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)

        view = bench.desk.show(draft.id)
        assert approval.outcome == "cleared"
        assert state_of(bench, draft) == (DraftState.CLOSED, CaseState.RESOLVED)
        assert view.deliveries == ()
        assert (view.decisions[-1].stage, view.decisions[-1].kind) == (Stage.REVIEW, DecisionKind.ABSTAIN)

    def test_facts_that_changed_bring_the_case_back_to_the_screen(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.world.facts = (fact("order.number", "1002"),)

        approval = bench.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)

        view = bench.desk.show(draft.id)
        assert approval.outcome == "stale"
        assert state_of(bench, draft) == (DraftState.STALE, CaseState.NEW)
        assert (view.case.next_at, view.deliveries) == (bench.clock(), ())

    def test_a_draft_of_an_older_playbook_is_stale(self, bench: Bench) -> None:
        bench.playbook_ref = "shipping_delay@0"
        draft = bench.in_review()

        approval = bench.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)

        assert approval.outcome == "stale"

    @pytest.mark.parametrize("raises", [False, True], ids=["unknown", "source down"])
    def test_facts_that_cannot_be_read_leave_everything_as_it_is(self, bench: Bench, raises: bool) -> None:
        draft = bench.in_review()
        bench.world.status = "unknown"
        if raises:
            bench.world.while_looking = _down

        with pytest.raises(RefusedError, match="cannot be read again"):
            bench.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)

        assert state_of(bench, draft) == (DraftState.PENDING, CaseState.IN_REVIEW)

    def test_an_expired_draft_is_refused_and_its_case_starts_anew(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.clock.set(draft.expires_at)

        with pytest.raises(RefusedError, match="expired"):
            bench.desk.approve(draft.id, reviewer="ada", shown=draft.message.content_hash)

        assert state_of(bench, draft) == (DraftState.EXPIRED, CaseState.NEW)
        assert bench.world.rechecks == 0


class TestOtherVerdicts:
    def test_a_rejection_abstains_with_its_reason(self, bench: Bench) -> None:
        draft = bench.in_review()

        bench.desk.reject(draft.id, reviewer="ada", reason=RejectReason.HANDLED, words="I called her")

        view = bench.desk.show(draft.id)
        assert state_of(bench, draft) == (DraftState.REJECTED, CaseState.ABSTAINED)
        assert (view.decisions[-1].kind, view.decisions[-1].reason) == (
            DecisionKind.ABSTAIN,
            "rejected_handled",
        )
        assert view.reviews[0].reason == "handled: I called her"

    def test_an_escalation_goes_to_the_playbooks_people(self, bench: Bench) -> None:
        draft = bench.in_review()

        bench.desk.escalate(draft.id, reviewer="ada", words="needs a call")

        view = bench.desk.show(draft.id)
        assert state_of(bench, draft) == (DraftState.CLOSED, CaseState.ESCALATED)
        assert (view.decisions[-1].kind, view.decisions[-1].queue) == (DecisionKind.ESCALATE, "fulfilment")

    def test_a_redraft_opens_a_situation_of_one_with_the_reviewers_words(self, bench: Bench) -> None:
        draft = bench.in_review()

        situation_id = bench.desk.redraft(
            draft.id, reviewer="ada", instruction="shorter, please"
        ).situation_id

        assert situation_id is not None
        with bench.store.read() as conn:
            situation = get_situation(conn, situation_id)
        assert situation is not None
        assert (situation.case_ids, situation.instruction) == ((draft.case_id,), "shorter, please")
        assert state_of(bench, draft) == (DraftState.SUPERSEDED, CaseState.SCREENED)
        assert work(bench) == [("deliberate", situation_id)]

    def test_a_redraft_needs_words(self, bench: Bench) -> None:
        draft = bench.in_review()

        with pytest.raises(RefusedError):
            bench.desk.redraft(draft.id, reviewer="ada", instruction="  ")

    @pytest.mark.parametrize("verdict", ["approve", "reject", "escalate", "redraft", "claim", "edit"])
    def test_no_verdict_on_what_does_not_exist_or_is_done(self, bench: Bench, verdict: str) -> None:
        draft = bench.in_review()
        bench.desk.reject(draft.id, reviewer="ada", reason=RejectReason.OTHER)
        calls: dict[str, Callable[[str], object]] = {
            "approve": lambda one: bench.desk.approve(one, reviewer="b", shown=draft.message.content_hash),
            "reject": lambda one: bench.desk.reject(one, reviewer="b", reason=RejectReason.TONE),
            "escalate": lambda one: bench.desk.escalate(one, reviewer="b", words="x"),
            "redraft": lambda one: bench.desk.redraft(one, reviewer="b", instruction="x"),
            "claim": lambda one: bench.desk.claim(one, reviewer="b"),
            "edit": lambda one: bench.desk.edit(
                one, reviewer="b", shown=draft.message.content_hash, subject="x", body="y"
            ),
        }

        with pytest.raises(NotFoundError):
            calls[verdict]("drf_none")
        with pytest.raises(ConflictError, match="rejected"):
            calls[verdict](draft.id)


class TestEdit:
    def test_an_edit_is_a_new_version_that_waits_for_approval(self, bench: Bench) -> None:
        draft = bench.in_review()
        text = "Hello, we are sorry: your order 1001 comes later than we promised."

        new_id = bench.desk.edit(
            draft.id,
            reviewer="ada",
            shown=draft.message.content_hash,
            subject="Your order 1001",
            body=text,
        ).draft_id

        assert new_id is not None
        new = bench.desk.show(new_id).draft.draft
        assert state_of(bench, draft) == (DraftState.SUPERSEDED, CaseState.IN_REVIEW)
        assert (new.version, new.state, new.author) == (2, DraftState.PENDING, "ada")
        assert new.message == replace(draft.message, body=text, links=())
        assert all(finding.ok for finding in new.findings)
        approval = bench.desk.approve(new_id, reviewer="bob", shown=new.message.content_hash)
        assert approval.outcome == "approved"

    @pytest.mark.parametrize(
        "body",
        ["Your order 9999 comes later.", "Pay 12.50 USD now.", "See https://evil.example/x for more."],
        ids=["number", "amount", "link"],
    )
    def test_a_guard_refuses_what_no_fact_says(self, bench: Bench, body: str) -> None:
        draft = bench.in_review()

        with pytest.raises(RefusedError, match="may not leave"):
            bench.desk.edit(
                draft.id, reviewer="ada", shown=draft.message.content_hash, subject="Your order", body=body
            )

        assert state_of(bench, draft) == (DraftState.PENDING, CaseState.IN_REVIEW)

    def test_the_same_text_is_no_edit(self, bench: Bench) -> None:
        draft = bench.in_review()

        with pytest.raises(RefusedError, match="same"):
            bench.desk.edit(
                draft.id,
                reviewer="ada",
                shown=draft.message.content_hash,
                subject=draft.message.subject,
                body=draft.message.body,
            )


async def test_the_message_in_the_outbox_is_the_edited_and_approved_text(bench: Bench) -> None:
    draft = bench.in_review()
    text = "Hello, your order 1001 is late."
    new_id = bench.desk.edit(
        draft.id, reviewer="ada", shown=draft.message.content_hash, subject="Your order 1001", body=text
    ).draft_id
    assert new_id is not None
    new = bench.desk.show(new_id).draft
    approval = bench.desk.approve(new_id, reviewer="bob", shown=new.content_hash)

    await bench.dispatcher.dispatch_due()

    assert approval.delivery_id is not None
    assert [message.body for _, message in bench.provider.accepted] == [text]
    assert bench.delivery(approval.delivery_id).delivery.state is DeliveryState.ACCEPTED


def _down() -> None:
    raise ToolError("no answer", system="shop", retryable=True)
