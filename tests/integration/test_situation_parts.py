"""A cause with more cases than one deliberation serves is still one situation for who reviews it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from agent.bootstrap import App
from agent.clock import SimulatedClock
from agent.domain.cases import CaseState, SituationId
from agent.domain.queue import QueueFilter
from agent.store.cases import get_cases
from agent.store.situations import heads_of
from agent.store.tables.cases import CaseFile, DraftRow, SituationRow
from agent.store.transaction import Store
from tests.bench_worlds import plain
from tests.builders import playbook
from tests.running import Installation, settle
from tests.situation_bench import Crowd

PEOPLE = 6


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    place = Installation(database_url, tmp_path)
    for number in range(PEOPLE):
        place.source.add(*plain(number))
    yield place
    place.stop_all()


def opened(place: Installation) -> App:
    late = playbook("shipping_delay", holdout=None, review="required")
    return place.start(playbooks={"shipping_delay": late})


def screened(app: App, *, at_once: int) -> int:
    """Read and screen so many cases at a time; return how many situations there are."""
    now, rounds = app.clock(), app.rounds
    for source in rounds.sources:
        for stream in source.streams():
            rounds.ingest.pull(source, stream, now=now)
    rounds.sweep.run(now=now)
    while rounds.screen.run(now=now, limit=at_once).cases == at_once:
        pass
    return len(situation_ids(app))


def situation_ids(app: App) -> list[str]:
    with app.store.read() as conn:
        return [
            str(one)
            for one in conn.execute(
                select(CaseFile.situation_id)
                .where(col(CaseFile.state).in_([CaseState.SCREENED, CaseState.IN_REVIEW]))
                .distinct()
            ).scalars()
        ]


async def test_many_deliberations_of_one_cause_are_reviewed_as_one(place: Installation) -> None:
    app = opened(place)
    assert screened(app, at_once=2) == PEOPLE // 2
    await settle(app)

    (item,) = app.desk.situations()
    view = app.desk.open_situation(item.situation_id, reviewer="ann")

    assert (item.waiting, item.alike, item.differing) == (PEOPLE, PEOPLE, 0)
    assert all(one.situation_size == PEOPLE for one in app.desk.list_drafts())
    assert app.desk.count(QueueFilter(situation=SituationId(item.situation_id))) == PEOPLE
    place.clock.advance(app.desk.rules.floor)
    answer = app.desk.approve_situation(item.situation_id, reviewer="ann", shown=view.digest)
    assert len(answer.done) == PEOPLE
    await settle(app)
    assert len(place.sent()) == PEOPLE


def test_a_redraft_in_several_transactions_stays_one_situation(
    any_store: Store, clock: SimulatedClock
) -> None:
    crowd = Crowd(store=any_store, clock=clock)
    crowd.fill(10)

    crowd.desk.redraft_situation(crowd.id, reviewer="ann", shown=crowd.opened(), instruction="shorter")

    with any_store.read() as conn:
        cases = get_cases(conn, [draft.case_id for draft in crowd.drafts])
        first, *others = sorted({str(case.situation_id) for case in cases})
        assert len(others) == 2
        assert heads_of(conn, [first, *others]) == dict.fromkeys(others, first)


async def test_what_comes_after_the_text_was_written_is_a_situation_of_its_own(place: Installation) -> None:
    app = opened(place)
    await settle(app)
    for number in (PEOPLE, PEOPLE + 1):
        place.source.add(*plain(number))
    await settle(app)

    assert sorted(item.waiting for item in app.desk.situations()) == [2, PEOPLE]


async def test_a_part_with_another_text_is_shown_by_itself(place: Installation) -> None:
    app = opened(place)
    screened(app, at_once=3)
    first, second = sorted(situation_ids(app))
    with app.store.read() as conn:
        assert heads_of(conn, [first, second]) == {second: first}
    await app.deliberations.run(first)
    with app.store.write() as tx:  # as if the model had answered otherwise
        rows = tx.conn.execute(select(DraftRow.id, DraftRow.body)).all()
        for draft_id, body in rows:
            other = body.replace("is running late", "comes later")
            tx.conn.execute(update(DraftRow).where(col(DraftRow.id) == draft_id).values(body=other))

    await app.deliberations.run(second)

    assert {item.situation_id: item.waiting for item in app.desk.situations()} == {first: 3, second: 3}


async def test_a_situation_whose_members_have_gone_is_closed(place: Installation) -> None:
    app = opened(place)
    screened(app, at_once=PEOPLE)
    (situation_id,) = situation_ids(app)
    with app.store.write() as tx:
        tx.conn.execute(update(CaseFile).values(state=CaseState.RESOLVED))

    assert await app.deliberations.run(situation_id) is None

    with app.store.read() as conn:
        assert set(conn.execute(select(SituationRow.state)).scalars()) == {"closed"}
