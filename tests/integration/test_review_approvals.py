"""No message leaves without the approvals that the rules want, whatever three people do in whatever order."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from agent.audit.verify import verify
from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.drafts import AUTHORS, DeliveryState, DraftId, DraftState, Review, ReviewVerdict
from agent.domain.queue import QueueFilter
from agent.errors import ConflictError, NotFoundError, RefusedError
from agent.ids import seeded_ids
from agent.review_desk.answers import RejectReason
from agent.review_desk.views import DraftView
from agent.store.reviews import standing
from policies.model import PPM
from tests.conftest import START, make_store
from tests.sending_bench import Bench, rules
from tools.records.base import Money

T = TypeVar("T")
PEOPLE = st.sampled_from(["ann", "bob", "cleo"])
MUCH = Money(minor=200_000, currency="EUR")
LITTLE = Money(minor=1_000, currency="EUR")


class Reviewing(RuleBasedStateMachine):
    """Three people, one case at a time, the real desk on SQLite; `said` is what a witness wrote down."""

    @initialize(
        much=st.booleans(), own_edits=st.sampled_from(["forbid", "allow"]), seeds=st.sampled_from([0, PPM])
    )
    def begin(self, much: bool, own_edits: str, seeds: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "outrider.db"
        file.write_bytes(_empty_database())
        self.store = make_store(f"sqlite:///{file}", seeded_ids(7))
        self.bench = Bench(
            store=self.store,
            clock=SimulatedClock(START),
            rules=rules(
                own_edits=own_edits, seeds=seeds, undo=timedelta(seconds=10), floor=timedelta(seconds=2)
            ),
            stake=MUCH if much else LITTLE,
        )
        self.needed = 2 if much else 1
        self.case_id = self.bench.in_review().case_id
        self.texts = 0

    @rule(who=PEOPLE, opens=st.booleans(), waits=st.booleans())
    def approve(self, who: str, opens: bool, waits: bool) -> None:
        view = self._view(who, opens=opens)
        if view is not None:
            self.bench.clock.advance(timedelta(seconds=2 if waits else 0))
            answer = self._try(
                lambda: self.bench.desk.approve(view.ticket, reviewer=who, shown=view.draft.content_hash)
            )
            planted = view.ticket != view.draft.draft.id
            assert answer is None or (answer.outcome == "seed_missed") is planted

    @rule(who=PEOPLE)
    def approve_the_real_one_by_the_planted_hash(self, who: str) -> None:
        view = self._view(who, opens=True)
        if view is not None and view.ticket != view.draft.draft.id:
            answer = self._try(
                lambda: self.bench.desk.approve(
                    view.draft.draft.id, reviewer=who, shown=view.draft.content_hash
                )
            )
            assert answer is None

    @rule(who=PEOPLE, opens=st.booleans())
    def edit(self, who: str, opens: bool) -> None:
        view = self._view(who, opens=opens)
        if view is not None:
            self.texts += 1
            body = "Hello, your order 1001 comes later." + " We are sorry." * self.texts
            self._try(
                lambda: self.bench.desk.edit(
                    view.ticket,
                    reviewer=who,
                    shown=view.draft.content_hash,
                    subject="Your order 1001",
                    body=body,
                )
            )

    @rule(who=PEOPLE, opens=st.booleans(), verdict=st.sampled_from(["reject", "escalate", "snooze"]))
    def decide(self, who: str, opens: bool, verdict: str) -> None:
        view, desk = self._view(who, opens=opens), self.bench.desk
        if view is None:
            return
        soon = self.bench.clock() + timedelta(minutes=1)
        acts: dict[str, Callable[[], object]] = {
            "reject": lambda: desk.reject(view.ticket, reviewer=who, reason=RejectReason.TONE),
            "escalate": lambda: desk.escalate(view.ticket, reviewer=who, words="call"),
            "snooze": lambda: desk.snooze(view.ticket, reviewer=who, until=soon),
        }
        self._try(acts[verdict])

    @rule(who=PEOPLE)
    def redraft(self, who: str) -> None:
        """Ask for another text, and let the graph deliver it at once."""
        view = self._view(who, opens=False)
        if view is None:
            return
        answer = self._try(lambda: self.bench.desk.redraft(view.ticket, reviewer=who, instruction="shorter"))
        if answer is not None:
            written = replace(
                view.draft.draft, state=DraftState.PENDING, author="template", created_at=self.bench.clock()
            )
            self.bench.record_again(written, version=len(view.versions) + 1)

    @rule(who=PEOPLE)
    def undo(self, who: str) -> None:
        view = self._last()
        about = view.reviews[-1].draft_id if view.reviews else view.draft.draft.id
        self._try(lambda: self.bench.desk.undo(about, reviewer=who))

    @rule(who=PEOPLE)
    def release(self, who: str) -> None:
        self._try(lambda: self.bench.desk.release(self._last().draft.draft.id, reviewer=who))

    @rule(seconds=st.sampled_from([1, 10, 120]))
    def wait(self, seconds: int) -> None:
        self.bench.clock.advance(timedelta(seconds=seconds))

    @invariant()
    def what_is_queued_has_its_approvals(self) -> None:
        view = self._last()
        for file in view.deliveries:
            if file.delivery.state is DeliveryState.QUEUED:
                self._check(file.delivery.draft_id, file.delivery.content_hash)

    @invariant()
    def case_draft_and_delivery_agree(self) -> None:
        view = self._last()
        queued = [one for one in view.deliveries if one.delivery.state is DeliveryState.QUEUED]
        pending = [one for one in view.versions if one.draft.state is DraftState.PENDING]
        assert len(queued) == (view.case.state is CaseState.APPROVED)
        assert len(pending) == (view.case.state is CaseState.IN_REVIEW)

    @override
    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.read() as conn:
            assert verify(conn, now=self.bench.clock()).ok
        self.store.writer.dispose()
        self.store.reader.dispose()
        self.folder.cleanup()

    def _check(self, draft_id: DraftId, content_hash: str) -> None:
        """Count by the history alone who approved exactly this text."""
        view = self.bench.desk.show(draft_id)
        said: list[Review] = [one for one in view.reviews if one.draft_id == draft_id]
        approvals = [one for one in standing(said) if one.verdict is ReviewVerdict.APPROVE]
        people = {one.reviewer for one in approvals if one.content_hash == content_hash}
        author = view.draft.draft.author
        if author not in AUTHORS and self.bench.rules.own_edits == "forbid":
            people.discard(author)
        assert len(people) >= self.needed

    def _last(self) -> DraftView:
        drafts = [
            item
            for item in self.bench.desk.list_drafts(QueueFilter(state=None), limit=100)
            if item.case_id == self.case_id
        ]
        gone = DraftState.SUPERSEDED
        return self.bench.desk.show(
            max(drafts, key=lambda item: (item.state is not gone, item.version)).draft_id
        )

    def _view(self, who: str, *, opens: bool) -> DraftView | None:
        view = self._last()
        if view.draft.draft.state is not DraftState.PENDING:
            return None
        if not opens:
            return view
        return self._try(lambda: self.bench.desk.open(view.draft.draft.id, reviewer=who))

    def _try(self, act: Callable[[], T]) -> T | None:
        """Do it; None when the desk refuses."""
        try:
            return act()
        except (ConflictError, RefusedError, NotFoundError):
            return None


@cache
def _empty_database() -> bytes:
    """Return a database without rows; making the tables takes longer than everything else."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outrider.db"
        store = make_store(f"sqlite:///{file}", seeded_ids(7))
        store.writer.dispose()
        store.reader.dispose()
        return file.read_bytes()


_SETTINGS = settings(
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_a_few_histories() -> None:
    run_state_machine_as_test(Reviewing, settings=settings(_SETTINGS, max_examples=8))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_histories() -> None:
    run_state_machine_as_test(
        Reviewing, settings=settings(_SETTINGS, max_examples=150, stateful_step_count=25)
    )
