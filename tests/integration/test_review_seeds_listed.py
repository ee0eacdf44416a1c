"""A planted text stands in lists and searches from the first moment on, so that nothing can be compared."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.clock import SimulatedClock
from agent.domain.drafts import Draft
from agent.domain.reviewers import Role
from agent.review_desk.answers import RejectReason
from agent.review_desk.views import QueueFilter, QueueItem, QueuePlace
from agent.store.tables.cases import ReviewSeedRow
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Store, count
from policies.model import PPM
from tests.sending_bench import Bench, rules
from tests.situation_bench import Crowd


@pytest.fixture
def bench(any_store: Store, clock: SimulatedClock) -> Bench:
    return Bench(store=any_store, clock=clock, rules=rules(seeds=PPM // 2, floor=timedelta(0)))


def in_review(bench: Bench, number: int = 12) -> list[Draft]:
    return [bench.in_review(f"e{one}") for one in range(number)]


def planted(bench: Bench, drafts: list[Draft], reviewer: str = "ann") -> list[QueueItem]:
    real = {draft.id: draft.message.content_hash for draft in drafts}
    lines = bench.desk.list_drafts(reviewer=reviewer)
    found = [line for line in lines if line.content_hash != real[line.draft_id]]
    assert 0 < len(found) < len(drafts), "some are planted and some are not"
    return found


def telling(line: QueueItem, draft: Draft) -> set[str]:
    """Return the words that only the planted or only the real text has."""
    return set(line.body.split()) ^ set(draft.message.body.split())


def test_what_a_reviewer_first_sees_in_the_list_is_what_opens(bench: Bench) -> None:
    in_review(bench)

    lines = bench.desk.list_drafts(reviewer="ann")
    again = bench.desk.list_drafts(reviewer="ann")

    assert lines == again
    for line in lines:
        view = bench.desk.open(line.draft_id, reviewer="ann")
        message = view.draft.draft.message
        assert (line.subject, line.body, line.content_hash, line.segments) == (
            message.subject,
            message.body,
            view.draft.content_hash,
            view.draft.draft.segments,
        )
    claimed = bench.desk.list_drafts(reviewer="ann")
    assert [replace(one, claimed_by=None, claimed_until=None) for one in claimed] == lines


def test_each_page_is_as_the_whole_list(bench: Bench) -> None:
    in_review(bench, 7)
    pages: list[QueueItem] = []
    while page := bench.desk.list_drafts(
        limit=2,
        reviewer="ann",
        after=QueuePlace(review_by=pages[-1].review_by, draft_id=pages[-1].draft_id) if pages else None,
    ):
        pages += page

    assert pages == bench.desk.list_drafts(reviewer="ann")
    assert len(pages) == 7


def test_a_search_finds_what_is_shown_and_not_what_is_behind_it(bench: Bench) -> None:
    drafts = in_review(bench)
    by_id = {draft.id: draft for draft in drafts}
    everything = bench.desk.list_drafts(reviewer="ann")
    for line in planted(bench, drafts):
        for word in telling(line, by_id[line.draft_id]):
            wanted = QueueFilter(search=word)
            shown = [one for one in everything if word.casefold() in f"{one.subject}\n{one.body}".casefold()]
            found = bench.desk.list_drafts(wanted, reviewer="ann")
            assert found == shown
            assert bench.desk.count(wanted, reviewer="ann") == len(shown)
            first = bench.desk.next_draft(reviewer="ann", wanted=wanted)
            assert first == (shown[0].draft_id if shown else None)
            assert bench.desk.list_drafts(wanted, reviewer="ann", limit=1) == shown[:1]


def test_a_search_that_comes_before_any_list_shows_only_what_it_finds(bench: Bench) -> None:
    drafts = in_review(bench)
    word = drafts[0].message.body.split()[-1]

    found = bench.desk.list_drafts(QueueFilter(search=word), reviewer="ann")

    assert all(word.casefold() in f"{one.subject}\n{one.body}".casefold() for one in found)
    assert found == bench.desk.list_drafts(QueueFilter(search=word), reviewer="ann")


def test_each_reviewer_has_their_own_and_who_may_not_approve_has_none(
    store: Store, clock: SimulatedClock
) -> None:
    roles = {"ann": Role.REVIEWER, "bob": Role.REVIEWER, "vic": Role.VIEWER}
    bench = Bench(store=store, clock=clock, rules=rules(seeds=PPM, floor=timedelta(0)), roles=roles)
    draft = bench.in_review()

    (ann,) = bench.desk.list_drafts(reviewer="ann")
    (vic,) = bench.desk.list_drafts(reviewer="vic")
    (nobody,) = bench.desk.list_drafts()
    bench.desk.open(draft.id, reviewer="bob")

    assert ann.content_hash != draft.message.content_hash == vic.content_hash == nobody.content_hash
    assert bench.desk.list_drafts(reviewer="ann")[0].content_hash == ann.content_hash, "also while bob has it"
    with bench.store.read() as conn:
        assert count(conn, ReviewSeedRow) == 2


def test_a_verdict_on_what_a_list_showed_is_noted_and_the_real_one_stays(bench: Bench) -> None:
    drafts = in_review(bench)
    (line, *_) = planted(bench, drafts)
    real = next(draft for draft in drafts if draft.id == line.draft_id)

    ticket = bench.desk.before(line.draft_id, reviewer="ann").ticket
    answer = bench.desk.reject(ticket, reviewer="ann", reason=RejectReason.WRONG_FACTS)

    assert answer.outcome == "seed_caught"
    (after,) = [one for one in bench.desk.list_drafts(reviewer="ann") if one.draft_id == line.draft_id]
    assert after.content_hash == real.message.content_hash
    with bench.store.read() as conn:
        assert count(conn, DeliveryRow) == 0


def test_nothing_in_a_line_names_it(bench: Bench) -> None:
    lines = planted(bench, in_review(bench))

    words = json.dumps([repr(line) for line in lines])

    assert "sed_" not in words
    assert "planted" not in words


def test_a_sample_of_a_situation_is_of_drafts_that_are_shown_as_they_are_elsewhere(
    any_store: Store, clock: SimulatedClock
) -> None:
    crowd = Crowd(store=any_store, clock=clock)
    crowd.desk = crowd.new_desk(crowd.rules.model_copy(update={"seeds": PPM // 2}))
    crowd.fill(12)

    view = crowd.desk.open_situation(crowd.id, reviewer="ann")
    lines = {line.draft_id: line for line in crowd.desk.list_drafts(reviewer="ann")}

    real = {draft.id: draft.message.content_hash for draft in crowd.drafts}
    assert any(lines[one].content_hash != real[one] for one in real)
    assert view.sample
    assert [lines[one.draft_id].body for one in view.sample] == [one.body for one in view.sample]
