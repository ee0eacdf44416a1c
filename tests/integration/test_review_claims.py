"""Claims: a lease that keeps others away, measures the time spent, and is never held by two."""

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.clock import SimulatedClock
from agent.domain.queue import QueueFilter
from agent.domain.reviewers import Role
from agent.errors import ConflictError, NotFoundError, RefusedError
from agent.review_desk.answers import RejectReason
from agent.store.transaction import Store
from tests.sending_bench import Bench, rules

PEOPLE = {"ann": Role.REVIEWER, "bob": Role.LEAD, "cleo": Role.REVIEWER}
CLAIM = rules().claim
FLOOR = rules().floor
SECOND = timedelta(seconds=1)


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock, roles=PEOPLE)


def test_opening_claims_and_shows(bench: Bench) -> None:
    draft = bench.in_review()

    view = bench.desk.open(draft.id, reviewer="ann")

    assert (view.ticket, view.draft.claimed_by) == (draft.id, "ann")
    assert (view.draft.claimed_at, view.draft.claimed_until) == (bench.clock(), bench.clock() + CLAIM)


def test_a_claim_ends_at_its_instant_and_not_before(bench: Bench) -> None:
    draft = bench.in_review()
    bench.desk.open(draft.id, reviewer="ann")

    bench.clock.advance(CLAIM - SECOND)
    with pytest.raises(ConflictError, match="held by ann"):
        bench.desk.open(draft.id, reviewer="cleo")
    bench.clock.advance(SECOND)

    assert bench.desk.open(draft.id, reviewer="cleo").draft.claimed_by == "cleo"
    with pytest.raises(ConflictError, match="held by cleo"):
        bench.desk.renew(draft.id, reviewer="ann")


def test_a_renewed_claim_lasts_longer_and_began_when_it_began(bench: Bench) -> None:
    draft, began = bench.in_review(), bench.clock()
    bench.desk.open(draft.id, reviewer="ann")
    bench.clock.advance(CLAIM / 2)

    bench.desk.renew(draft.id, reviewer="ann")

    file = bench.desk.show(draft.id).draft
    assert (file.claimed_at, file.claimed_until) == (began, bench.clock() + CLAIM)


def test_a_claim_that_ran_out_cannot_be_renewed(bench: Bench) -> None:
    draft = bench.in_review()
    bench.desk.open(draft.id, reviewer="ann")
    bench.clock.advance(CLAIM)

    with pytest.raises(ConflictError, match="run out"):
        bench.desk.renew(draft.id, reviewer="ann")


def test_renewing_does_not_disturb_an_approval_under_way(bench: Bench) -> None:
    draft = bench.in_review()
    bench.desk.open(draft.id, reviewer="ann")
    bench.clock.advance(FLOOR)
    bench.world.while_looking = lambda: bench.desk.renew(draft.id, reviewer="ann")

    answer = bench.desk.approve(draft.id, reviewer="ann", shown=draft.message.content_hash)

    assert answer.outcome == "approved"


def test_a_reviewer_gives_back_their_own_and_a_lead_anybodys(bench: Bench) -> None:
    first, second = bench.in_review("e1"), bench.in_review("e2")
    for draft in (first, second):
        bench.desk.open(draft.id, reviewer="ann")

    bench.desk.release(first.id, reviewer="ann")
    with pytest.raises(RefusedError, match=r"cleo.*release"):
        bench.desk.release(second.id, reviewer="cleo")
    bench.desk.release(second.id, reviewer="bob")

    for draft in (first, second):
        assert bench.desk.open(draft.id, reviewer="cleo").draft.claimed_by == "cleo"
    with pytest.raises(NotFoundError):
        bench.desk.release("drf_none", reviewer="ann")


def test_there_is_nothing_to_release_where_nobody_holds_it(bench: Bench) -> None:
    with pytest.raises(ConflictError, match="nobody"):
        bench.desk.release(bench.in_review().id, reviewer="bob")


def test_the_next_one_is_the_most_urgent_that_nobody_else_has(bench: Bench) -> None:
    ids = [bench.in_review(f"e{number}").id for number in range(4)]
    bench.desk.open(ids[0], reviewer="bob")
    bench.desk.open(ids[1], reviewer="ann")

    def following(*skip: str) -> str | None:
        return bench.desk.next_draft(reviewer="ann", skip=skip)

    assert following() == ids[1]  # one's own goes on
    assert following(ids[1]) == ids[2]
    assert following(*ids[1:]) is None
    assert bench.desk.next_draft(reviewer="ann", wanted=QueueFilter(scenario="payment_due")) is None
    bench.clock.advance(CLAIM)
    assert following() == ids[0]


def test_the_time_spent_is_measured_from_opening_to_verdict(bench: Bench) -> None:
    opened, given_only, unknown = (bench.in_review(f"e{number}") for number in range(3))
    bench.desk.open(opened.id, reviewer="ann")
    bench.clock.advance(timedelta(seconds=42))

    bench.desk.reject(opened.id, reviewer="ann", reason=RejectReason.TONE, seconds=7)
    bench.desk.reject(given_only.id, reviewer="ann", reason=RejectReason.TONE, seconds=7)
    bench.desk.reject(unknown.id, reviewer="ann", reason=RejectReason.TONE)

    spent = [bench.desk.show(one.id).reviews[0].seconds for one in (opened, given_only, unknown)]
    assert spent == [42, 7, None]


def test_what_was_opened_is_not_approved_before_it_can_have_been_read(bench: Bench) -> None:
    draft = bench.in_review()
    view = bench.desk.open(draft.id, reviewer="ann")
    assert [lock.kind for lock in view.locks] == ["floor"]

    bench.clock.advance(FLOOR - timedelta(milliseconds=1))
    with pytest.raises(RefusedError, match="Read it"):
        bench.desk.approve(draft.id, reviewer="ann", shown=draft.message.content_hash)
    bench.clock.advance(timedelta(milliseconds=1))

    assert bench.desk.show(draft.id, reviewer="ann").locks == ()
    answer = bench.desk.approve(draft.id, reviewer="ann", shown=draft.message.content_hash)
    assert answer.outcome == "approved"


def test_what_was_not_opened_here_has_no_floor(bench: Bench) -> None:
    draft = bench.in_review()

    answer = bench.desk.approve(draft.id, reviewer="ann", shown=draft.message.content_hash)

    assert answer.outcome == "approved"


def test_ones_own_claim_that_ran_out_still_lets_one_decide(bench: Bench) -> None:
    draft = bench.in_review()
    bench.desk.open(draft.id, reviewer="ann")
    bench.clock.advance(2 * CLAIM)

    bench.desk.reject(draft.id, reviewer="ann", reason=RejectReason.TONE)

    assert bench.desk.show(draft.id).reviews[0].seconds == 2 * CLAIM.total_seconds()


def test_reviewers_at_the_same_time_never_get_the_same_draft(bench: Bench) -> None:
    ids = {bench.in_review(f"e{number}").id for number in range(12)}
    got: list[str] = []
    lost = Counter[str]()
    start = threading.Barrier(len(PEOPLE))

    def review(me: str) -> None:
        mine: list[str] = []
        start.wait()
        while draft_id := bench.desk.next_draft(reviewer=me, skip=mine):
            try:
                bench.desk.open(draft_id, reviewer=me)
            except ConflictError:
                lost[me] += 1
                continue
            mine.append(draft_id)
        got.extend(mine)

    threads = [threading.Thread(target=review, args=(me,)) for me in PEOPLE]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(got) == sorted(ids), f"each draft once; races lost: {dict(lost)}"


@dataclass
class Lease:
    """What a claim should be, in a few lines."""

    holder: str | None = None
    began: datetime | None = None
    until: datetime | None = None

    def do(self, what: str, me: str, now: datetime) -> bool:
        """Whether an act is allowed; what it leaves behind."""
        runs = self.holder is not None and self.until is not None and now < self.until
        mine = runs and self.holder == me
        if what == "open" and (mine or not runs):
            self.holder, self.began, self.until = me, self.began if mine else now, now + CLAIM
            return True
        if what == "renew" and mine:
            self.until = now + CLAIM
            return True
        if what == "release" and (self.holder == me or (self.holder and PEOPLE[me] is Role.LEAD)):
            self.holder = self.began = self.until = None
            return True
        return False


STEPS = st.tuples(
    st.sampled_from(["open", "renew", "release"]),
    st.sampled_from([*PEOPLE]),
    st.integers(min_value=0, max_value=20).map(lambda minutes: timedelta(minutes=minutes)),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_claims_follow_their_model(bench: Bench, steps: list[tuple[str, str, timedelta]]) -> None:
    bench.world.rechecks += 1  # counts the examples
    draft = bench.in_review(f"e{bench.world.rechecks}")
    lease = Lease()
    for what, me, wait in steps:
        bench.clock.advance(wait)
        allowed = lease.do(what, me, bench.clock())
        try:
            getattr(bench.desk, what)(draft.id, reviewer=me)
            assert allowed, f"{me} could {what}"
        except (ConflictError, RefusedError):
            assert not allowed, f"{me} could not {what}"
        file = bench.desk.show(draft.id).draft
        assert (file.claimed_by, file.claimed_at, file.claimed_until) == (
            lease.holder,
            lease.began,
            lease.until,
        )
