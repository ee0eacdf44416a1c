"""Killed at any write or call: what may be lost is told at most once more, and nobody is forgotten."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from agent.audit.verify import verify
from agent.bootstrap import App
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryState
from tests.providers import Act, Kind
from tests.running import Installation, Killed, killed_at, settle, unfinished
from tests.second_channel_bench import EMAIL, LATE, SMS, Recall, ends, the_case

NEVER = 1_000


def lost_mail(place: Installation) -> Recall:
    """An installation whose only e-mail is lost without anybody knowing."""
    place.tell(*LATE)
    bench = Recall(place)
    bench.email(Kind.BLIND, Act.LOSE_CALL)
    bench.sms(Kind.BLIND)
    return bench


async def live(bench: Recall, app: App) -> None:
    await settle(app)
    for _ in range(2):
        bench.place.clock.advance(timedelta(minutes=7))
        await settle(app)


async def dies(bench: Recall, *, write: int = NEVER, committed: bool = False) -> bool:
    """Run a process until it is killed; return whether it was."""
    app = bench.start()
    with killed_at(app, write, committed=committed) as writes:
        with suppress(Killed, BaseExceptionGroup):
            await live(bench, app)
        killed = writes() >= write
    bench.place.stop(app)
    return killed


async def judge(bench: Recall, *, in_doubt: bool = False) -> None:
    """Let the next process finish, and look at what customers got and what we believe.

    Args:
        bench: The installation.
        in_doubt: Whether a message of ours was under way when the process died.
    """
    app = bench.start()
    for _ in range(2):
        await live(bench, app)
    got = Counter(bench.sent())
    assert got[SMS, True] <= 1, "the customer was told a third time"
    assert got[SMS, False] == got[EMAIL, True] == 0
    assert got[EMAIL, False] <= 1
    assert unfinished(app) == {}
    steps = Counter((step, channel) for step, channel, _, _ in ends(app))
    assert max(steps.values()) == 1
    if the_case(app).state is not CaseState.ESCALATED:
        assert ends(app)[-1] == (1, SMS, DeliveryState.ACCEPTED, "")
        assert got[SMS, True] == 1
    else:
        assert in_doubt, "a person was asked though the second message could be sent"
        assert ends(app)[-1][:3] == (1, SMS, DeliveryState.NEEDS_HUMAN)
    with app.store.read() as conn:
        assert verify(conn, now=bench.place.clock()).ok
    bench.place.stop_all()


async def kill_everywhere(fresh: Callable[[], Installation], *, committed: bool, stride: int) -> int:
    """Kill a first process at each n-th write and judge what a second one leaves; return the kills."""
    kills = 0
    while True:
        bench = lost_mail(fresh())
        if not await dies(bench, write=1 + kills * stride, committed=committed):
            bench.place.stop_all()
            return kills
        kills += 1
        await judge(bench, in_doubt=True)


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "each"])
@pytest.mark.parametrize("committed", [False, True], ids=["before_the_commit", "after_the_commit"])
async def test_a_process_killed_at_a_write_tells_nobody_a_third_time(
    tmp_path: Path, committed: bool, stride: int
) -> None:
    folders = iter(range(NEVER))

    def fresh() -> Installation:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        return Installation(f"sqlite:///{folder / 'outrider.db'}", folder)

    kills = await kill_everywhere(fresh, committed=committed, stride=stride)

    assert kills > 20 / stride


@pytest.mark.postgres
@pytest.mark.parametrize("write", [14, 18, 22, 26])
async def test_a_process_killed_beside_a_server_tells_nobody_a_third_time(
    postgres_url: str, tmp_path: Path, write: int
) -> None:
    bench = lost_mail(Installation(postgres_url, tmp_path))

    assert await dies(bench, write=write, committed=True)

    await judge(bench, in_doubt=True)


@pytest.mark.parametrize("point", [1, 2, 3], ids=["before the call", "after it was taken", "on its way back"])
async def test_a_process_killed_while_it_sends_the_second_one(
    database_url: str, tmp_path: Path, point: int
) -> None:
    place = Installation(database_url, tmp_path)
    bench = lost_mail(place)
    passed = 0

    def die() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            raise Killed

    place.provider[SMS].failpoint = die

    assert not await dies(bench)  # no write killed it

    assert passed >= point
    place.provider[SMS].failpoint = lambda: None
    await judge(bench, in_doubt=True)
