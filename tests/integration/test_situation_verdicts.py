"""Verdicts on a situation: bound to what was shown, each draft decided once, whatever happens meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.drafts import DraftState, ReviewVerdict
from agent.errors import NotFoundError, RefusedError
from agent.ids import seeded_ids
from agent.review_desk.answers import RejectReason
from agent.store.deliveries import deliveries_of_case
from agent.store.transaction import Store
from tests.conftest import START, fresh_postgres, make_store
from tests.running import Killed
from tests.situation_bench import Crowd, fates
from tools.records.base import Money


@pytest.fixture
def crowd(any_store: Store, clock: SimulatedClock) -> Crowd:
    return Crowd(store=any_store, clock=clock)


def deliveries(crowd: Crowd) -> list[Any]:
    with crowd.store.read() as conn:
        return [file for draft in crowd.drafts for file in deliveries_of_case(conn, draft.case_id)]


def test_what_was_shown_is_approved_and_queued_once(crowd: Crowd) -> None:
    crowd.fill(5)
    calls: list[tuple[int, int]] = []

    answer = crowd.desk.approve_situation(
        crowd.id,
        reviewer="ann",
        shown=crowd.opened()[:6],
        progress=lambda done, of: calls.append((done, of)),
    )

    assert sorted(answer.done) == sorted(draft.id for draft in crowd.drafts)
    assert (answer.stale, answer.cleared, answer.left) == ((), (), ())
    assert crowd.states() == {DraftState.APPROVED: 5}
    assert crowd.case_states() == {CaseState.APPROVED: 5}
    assert set(crowd.reviews(ReviewVerdict.APPROVE).values()) == {1}
    queued = deliveries(crowd)
    assert [file.delivery.message for file in queued] == [draft.message for draft in crowd.drafts]
    assert {file.delivery.next_at for file in queued} == {crowd.clock() + crowd.rules.undo}
    assert calls == [(4, 5), (5, 5)]
    with pytest.raises(NotFoundError):
        crowd.desk.open_situation(crowd.id, reviewer="bob")


def claimed(crowd: Crowd, draft_id: str) -> None:
    crowd.set(
        draft_id, claimed_by="bob", claimed_at=crowd.clock(), claimed_until=crowd.clock() + timedelta(hours=1)
    )


def snoozed(crowd: Crowd, draft_id: str) -> None:
    crowd.set(draft_id, snoozed_by="bob", snoozed_until=crowd.clock() + timedelta(hours=1))


def rejected(crowd: Crowd, draft_id: str) -> None:
    crowd.desk.reject(draft_id, reviewer="bob", reason=RejectReason.OTHER)


def joined_by_another(crowd: Crowd, draft_id: str) -> None:
    del draft_id
    crowd.fill(1)


CHANGES: dict[str, tuple[Callable[[Crowd, str], None], str]] = {
    "claimed": (claimed, "1 of the drafts: bob holds it"),
    "snoozed": (snoozed, "1 of the drafts: it is snoozed"),
    "rejected": (rejected, "1 of the drafts: it is rejected"),
    "joined": (joined_by_another, "1 new"),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=list(CHANGES))
def test_a_situation_that_changed_is_not_approved(
    crowd: Crowd, change: Callable[[Crowd, str], None], words: str
) -> None:
    crowd.fill(3)
    digest = crowd.opened()
    change(crowd, crowd.drafts[0].id)

    with pytest.raises(RefusedError, match=words):
        crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=digest)

    assert crowd.reviews(ReviewVerdict.APPROVE) == {}
    assert crowd.looked == {}


@pytest.mark.parametrize("shown", ["", "abc", "ffffffffff"])
def test_what_was_not_shown_is_not_approved(crowd: Crowd, shown: str) -> None:
    crowd.fill(2)
    crowd.opened()

    with pytest.raises(RefusedError):
        crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=shown)


def test_what_another_was_shown_is_not_approved(crowd: Crowd) -> None:
    crowd.fill(2)
    digest = crowd.opened("ann")

    with pytest.raises(RefusedError, match="open it first"):
        crowd.desk.approve_situation(crowd.id, reviewer="bob", shown=digest)


def test_nobody_approves_at_a_glance(crowd: Crowd) -> None:
    crowd.fill(2)
    digest = crowd.desk.open_situation(crowd.id, reviewer="ann").digest
    crowd.clock.advance(timedelta(seconds=1))

    with pytest.raises(RefusedError, match="look at it first"):
        crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=digest)


def test_a_viewer_opens_nothing(crowd: Crowd) -> None:
    crowd.fill(2)

    with pytest.raises(RefusedError, match="viewer"):
        crowd.desk.open_situation(crowd.id, reviewer="vic")


def test_each_draft_goes_where_its_facts_send_it(crowd: Crowd) -> None:
    crowd.fill(6)
    large = crowd.fill(1, stake=Money(minor=10_000_000, currency="USD"))[0]
    holds, changed, cleared, unknown, down, out = crowd.drafts[:6]
    crowd.says = {
        changed.case_id: "changed",
        cleared.case_id: "cleared",
        unknown.case_id: "unknown",
        down.case_id: "down",
    }

    answer = crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=crowd.opened(), leave_out=[out.id])

    assert (answer.done, answer.stale, answer.cleared) == ((holds.id,), (changed.id,), (cleared.id,))
    why = dict(answer.left)
    assert set(why) == {unknown.id, down.id, out.id, large.id}
    assert "shop is away" in why[unknown.id]
    assert "shop does not answer" in why[down.id]
    assert why[out.id] == "left out by ann"
    assert "two people" in why[large.id]
    assert crowd.looked[large.case_id] == crowd.looked[out.case_id] == 0
    standing = crowd.standing()
    assert standing[changed.id].draft.state is DraftState.STALE
    assert standing[cleared.id].draft.state is DraftState.CLOSED
    assert crowd.case_states() == {
        CaseState.APPROVED: 1,
        CaseState.NEW: 1,
        CaseState.RESOLVED: 1,
        CaseState.IN_REVIEW: 4,
    }


def test_a_draft_that_changes_hands_while_facts_are_read_stays_behind(crowd: Crowd) -> None:
    crowd.fill(3)
    first, second, _ = crowd.drafts
    digest = crowd.opened()
    crowd.while_looking = lambda case_id: claimed(crowd, second.id) if case_id == first.case_id else None

    answer = crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=digest)

    assert dict(answer.left) == {second.id: "it was changed meanwhile"}
    assert len(answer.done) == 2


@pytest.mark.parametrize("at", [1, 6], ids=["same chunk", "later chunk"])
def test_a_draft_that_is_put_off_while_others_are_decided_stays_behind(crowd: Crowd, at: int) -> None:
    crowd.fill(8)
    first, later = crowd.drafts[0], crowd.drafts[at]
    digest = crowd.opened()
    crowd.while_looking = lambda case_id: snoozed(crowd, later.id) if case_id == first.case_id else None

    answer = crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=digest)

    assert dict(answer.left) == {later.id: "it was changed meanwhile"}
    assert len(answer.done) == 7


def test_so_many_need_a_second_person_who_saw_the_same(crowd: Crowd) -> None:
    crowd.fill(3)
    four_eyes = crowd.rules.four_eyes.model_copy(update={"recipients": 3})
    crowd.desk = crowd.new_desk(crowd.rules.model_copy(update={"four_eyes": four_eyes}))
    digest = crowd.opened("ann")

    first = crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=digest)
    again = crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=digest)
    assert len(first.left) == len(again.left) == 3
    assert crowd.states() == {DraftState.PENDING: 3}

    crowd.opened("bob")
    second = crowd.desk.approve_situation(crowd.id, reviewer="bob", shown=digest)
    assert len(second.done) == 3


def test_rejecting_and_escalating_decide_every_case(crowd: Crowd) -> None:
    crowd.fill(2)
    answer = crowd.desk.reject_situation(
        crowd.id, reviewer="ann", shown=crowd.opened(), reason=RejectReason.TONE, words="too cold"
    )
    assert (len(answer.done), crowd.case_states()) == (2, {CaseState.ABSTAINED: 2})

    crowd.fill(2)
    answer = crowd.desk.escalate_situation(crowd.id, reviewer="ann", shown=crowd.opened(), words="call them")
    assert len(answer.done) == 2
    assert crowd.case_states() == {CaseState.ABSTAINED: 2, CaseState.ESCALATED: 2}
    assert crowd.desk.show(crowd.drafts[3].id).decisions[-1].queue == "fulfilment"


def test_a_queue_that_nobody_knows_is_refused_before_anything_is_written(crowd: Crowd) -> None:
    crowd.fill(2)
    digest = crowd.opened()

    with pytest.raises(RefusedError, match=r"no queue is called 'lgeal'; use one of fulfilment, .*legal"):
        crowd.desk.escalate_situation(crowd.id, reviewer="ann", shown=digest, words="", queue="lgeal")

    assert (crowd.states(), crowd.reviews(ReviewVerdict.ESCALATE)) == ({DraftState.PENDING: 2}, {})
    answer = crowd.desk.escalate_situation(crowd.id, reviewer="ann", shown=digest, words="", queue="legal")
    assert (len(answer.done), answer.message) == (2, "2 drafts handed to legal.")
    assert crowd.desk.show(crowd.drafts[0].id).decisions[-1].queue == "legal"


def test_a_redraft_brings_all_of_them_into_a_new_situation(crowd: Crowd) -> None:
    crowd.fill(3)

    answer = crowd.desk.redraft_situation(
        crowd.id, reviewer="ann", shown=crowd.opened(), instruction=" shorter "
    )

    cases = [crowd.desk.show(draft.id).case for draft in crowd.drafts]
    assert len(answer.done) == 3
    assert {case.state for case in cases} == {CaseState.SCREENED}
    assert len({case.situation_id for case in cases}) == 1
    assert cases[0].situation_id != crowd.id


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_killed_approval_is_resumed_and_approves_nothing_twice(
    crowd: Crowd, write: int, committed: bool
) -> None:
    crowd.fill(10)
    stale = crowd.drafts[3]
    crowd.says = {stale.case_id: "changed"}
    digest = crowd.opened()
    writes = 0

    def kill(_connection: object) -> None:
        nonlocal writes
        writes += 1
        if writes > write or (writes == write and not committed):
            raise Killed

    event.listen(crowd.store.writer, "commit", kill)
    try:
        with pytest.raises(Killed):
            crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=digest)
    finally:
        event.remove(crowd.store.writer, "commit", kill)

    answer = crowd.new_desk().approve_situation(crowd.id, reviewer="ann", shown=digest[:8])

    assert sorted(fates(answer)) == sorted(draft.id for draft in crowd.drafts)
    assert answer.stale == (stale.id,)
    assert len(answer.done) == len(crowd.drafts) - 1
    assert set(crowd.reviews(ReviewVerdict.APPROVE).values()) == {1}
    assert len(deliveries(crowd)) == len(crowd.drafts) - 1


MEANWHILE: dict[str, Callable[[Crowd, str], None]] = {
    "claimed": claimed,
    "snoozed": snoozed,
    "rejected": rejected,
}
SOURCE = ("changed", "cleared", "unknown", "down")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples of a property; each has a situation of its own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('db') / 'o.db'}"
    with ExitStack() as stack:
        if request.param == "postgres":
            server: str = request.getfixturevalue("postgres_server")
            url = stack.enter_context(fresh_postgres(server))
        store = make_store(url, seeded_ids(11))
        yield store
        store.writer.dispose()
        store.reader.dispose()


@settings(max_examples=10, deadline=None)
@given(
    plan=st.lists(st.sampled_from(["holds", "large", *SOURCE, *MEANWHILE]), min_size=2, max_size=9),
    trigger=st.integers(1, 9),
)
def test_every_covered_draft_has_exactly_one_fate(shared: Store, plan: list[str], trigger: int) -> None:
    crowd = Crowd(store=shared, clock=SimulatedClock(START), name=shared.ids.new("run", at=START))
    for what in plan:
        crowd.fill(1, stake=Money(minor=10_000_000, currency="USD") if what == "large" else None)
    planned = dict(zip((draft.case_id for draft in crowd.drafts), plan, strict=True))
    crowd.says = {case_id: what for case_id, what in planned.items() if what in SOURCE}
    digest = crowd.opened()

    def meanwhile(_case_id: str) -> None:
        if crowd.looked.total() != trigger:
            return
        for draft in crowd.drafts:
            act = MEANWHILE.get(planned[draft.case_id])
            if act is not None and crowd.standing()[draft.id].draft.state is DraftState.PENDING:
                act(crowd, draft.id)

    crowd.while_looking = meanwhile
    answer = crowd.desk.approve_situation(crowd.id, reviewer="ann", shown=digest)

    standing = crowd.standing()
    assert sorted(fates(answer)) == sorted(draft.id for draft in crowd.drafts)
    assert dict.fromkeys(answer.done, 1) == {
        one: number for one, number in crowd.reviews(ReviewVerdict.APPROVE).items() if one in standing
    }
    for part, state in (
        (answer.done, DraftState.APPROVED),
        (answer.stale, DraftState.STALE),
        (answer.cleared, DraftState.CLOSED),
    ):
        assert {standing[one].draft.state for one in part} <= {state}
    assert len(deliveries(crowd)) == len(answer.done)
