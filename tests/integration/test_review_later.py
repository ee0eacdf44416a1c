"""Around the verdicts: snoozing, other queues, reading facts again, and a text checked as it is typed."""

import json
import time
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from sqlmodel import col, select

from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.drafts import DraftState
from agent.domain.queue import QueueFilter
from agent.errors import NotFoundError, RefusedError
from agent.store.tables.ledger import AuditEventRow
from agent.store.transaction import Store
from tests.sending_bench import Bench, fact
from tools.errors import ToolError

HOUR = timedelta(hours=1)


@pytest.fixture
def bench(store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=store, clock=clock)


def waiting(bench: Bench, *, snoozed: bool = False) -> list[str]:
    return [item.draft_id for item in bench.desk.list_drafts(QueueFilter(snoozed=snoozed))]


class TestSnooze:
    def test_it_hides_the_draft_until_then_and_lets_it_go(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.desk.claim(draft.id, reviewer="ann")

        answer = bench.desk.snooze(draft.id, reviewer="ann", until=bench.clock() + HOUR)

        assert (waiting(bench), waiting(bench, snoozed=True)) == ([], [draft.id])
        assert answer.undo_until == bench.clock() + bench.rules.undo_verdicts
        assert bench.desk.show(draft.id).draft.claimed_by is None
        bench.clock.advance(HOUR)
        assert (waiting(bench), waiting(bench, snoozed=True)) == ([draft.id], [])

    def test_the_log_says_who_and_until_when(self, bench: Bench) -> None:
        draft = bench.in_review()
        until = bench.clock() + HOUR

        bench.desk.snooze(draft.id, reviewer="ann", until=until)

        with bench.store.read() as conn:
            envelope = conn.execute(
                select(AuditEventRow.envelope).order_by(col(AuditEventRow.id).desc()).limit(1)
            ).scalar_one()
        event = json.loads(envelope)
        assert (event["type"], event["actor"]) == ("draft.snoozed", ["reviewer", "ann"])
        assert event["body"] == {"draft": draft.id, "until": until.isoformat()}

    @pytest.mark.parametrize(
        ("until", "words"),
        [
            (timedelta(0), "is over"),
            (timedelta(hours=4), "expires at"),  # the draft's own end
            (timedelta(days=1), "expires at"),
        ],
    )
    def test_only_to_a_time_before_it_expires(self, bench: Bench, until: timedelta, words: str) -> None:
        draft = bench.in_review()

        with pytest.raises(RefusedError, match=words):
            bench.desk.snooze(draft.id, reviewer="ann", until=bench.clock() + until)

        assert waiting(bench) == [draft.id]

    def test_a_time_without_a_zone_is_refused(self, bench: Bench) -> None:
        draft = bench.in_review()

        with pytest.raises(RefusedError, match="zone"):
            bench.desk.snooze(draft.id, reviewer="ann", until=datetime(2026, 11, 2, 13, 0))  # noqa: DTZ001

    def test_it_can_still_be_decided_by_whoever_finds_it(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.desk.snooze(draft.id, reviewer="ann", until=bench.clock().astimezone(UTC) + HOUR)

        answer = bench.desk.approve(draft.id, reviewer="bob", shown=draft.message.content_hash)

        assert answer.outcome == "approved"


class TestEscalate:
    def test_it_goes_to_a_named_queue(self, bench: Bench) -> None:
        draft = bench.in_review()

        answer = bench.desk.escalate(draft.id, reviewer="ann", words="angry", queue="complaints")

        assert bench.desk.show(draft.id).decisions[-1].queue == "complaints"
        assert "complaints" in answer.message

    def test_an_unknown_queue_is_refused_with_those_there_are(self, bench: Bench) -> None:
        draft = bench.in_review()

        with pytest.raises(RefusedError, match="use one of fulfilment, billing_team, complaints, legal"):
            bench.desk.escalate(draft.id, reviewer="ann", words="x", queue="nobody")

        assert waiting(bench) == [draft.id]


class TestReread:
    def test_facts_that_hold_leave_everything_and_count_as_fresh(self, bench: Bench) -> None:
        draft = bench.in_review()

        view = bench.desk.reread(draft.id, reviewer="ann")

        assert (view.draft.draft.state, bench.world.rechecks) == (DraftState.PENDING, 1)
        assert view.fact_states["order.number"] == "fresh"

    def test_facts_that_changed_make_it_stale(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.world.facts = (fact("order.number", "1002"),)

        view = bench.desk.reread(draft.id, reviewer="ann")

        assert (view.draft.draft.state, view.case.state) == (DraftState.STALE, CaseState.NEW)

    def test_a_condition_that_cleared_closes_it(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.world.status = "cleared"

        view = bench.desk.reread(draft.id, reviewer="ann")

        assert (view.draft.draft.state, view.case.state) == (DraftState.CLOSED, CaseState.RESOLVED)

    def test_a_source_that_does_not_answer_is_said_with_what_to_do(self, bench: Bench) -> None:
        draft = bench.in_review()
        bench.world.while_looking = _down

        with pytest.raises(RefusedError, match=r"shop does not answer; try again.*snooze"):
            bench.desk.reread(draft.id, reviewer="ann")

        assert bench.desk.show(draft.id).draft.draft.state is DraftState.PENDING


class TestCheckText:
    def test_a_text_that_an_edit_would_take_is_ok(self, bench: Bench) -> None:
        draft = bench.in_review()

        answer = bench.desk.check_text(draft.id, subject="Your order 1001", body="Your order 1001 is late.")

        assert answer.ok
        assert (answer.segments, answer.encoding, answer.left) == (1, "", None)
        assert (answer.subject_length, answer.subject_limit, answer.cost_micros) == (15, 78, 400)

    @pytest.mark.parametrize(
        ("subject", "body", "guard"),
        [
            ("Your order", "Your order 9999 is late.", "rendered.number"),
            ("Your order", "Pay 12.50 USD now.", "rendered.money"),
            ("Your order", "See https://evil.example/x.", "rendered.link"),
            ("", "Your order 1001 is late.", "channel.subject"),
            ("x" * 79, "Your order 1001 is late.", "channel.subject"),
        ],
    )
    def test_it_says_what_an_edit_would_be_refused_for(
        self, bench: Bench, subject: str, body: str, guard: str
    ) -> None:
        draft = bench.in_review()

        answer = bench.desk.check_text(draft.id, subject=subject, body=body)

        assert not answer.ok
        assert guard in {finding.guard for finding in answer.findings if not finding.ok}
        with pytest.raises(RefusedError, match=guard):
            bench.desk.edit(
                draft.id, reviewer="ann", shown=draft.message.content_hash, subject=subject, body=body
            )

    def test_a_draft_that_does_not_exist_is_said(self, bench: Bench) -> None:
        with pytest.raises(NotFoundError):
            bench.desk.check_text("drf_none", subject="", body="")

    def test_it_is_quick_enough_to_follow_the_typing(self, bench: Bench) -> None:
        draft = bench.in_review()
        text = "We are sorry: your order 1001 comes later than we promised, and we look into it. " * 12
        bench.desk.check_text(draft.id, subject="Your order 1001", body=text)
        spent: list[float] = []
        for number in range(40):
            begun = time.thread_time()
            bench.desk.check_text(draft.id, subject="Your order 1001", body=text[: len(text) - number])
            spent.append(time.thread_time() - begun)

        assert median(spent) < 0.005


def _down() -> None:
    raise ToolError("no answer", system="shop", retryable=True)
