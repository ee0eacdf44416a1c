"""Workers that die, workers that share, a model that is down: nothing is lost and nothing doubled."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from agent.audit.verify import verify
from agent.bootstrap import App
from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind
from agent.domain.drafts import DeliveryState
from agent.llm.budget import SCOPE, ModelBudget
from agent.llm.compatible import CompatibleTransport
from agent.llm.ledgered import LedgeredModel
from agent.llm.port import Model
from agent.llm.prices import Price
from agent.llm.requests import Questions
from agent.llm.retries import RetryRules
from agent.store.budgets import balance
from agent.store.transaction import Store
from prompts.store import PromptStore
from prompts.templates import TemplateStore
from tests.builders import NOW, customer, order, playbook, usage
from tests.llm_builders import PRICE
from tests.running import (
    Installation,
    Killed,
    approve_all,
    cases,
    decisions,
    deliveries,
    delivery_states,
    killed_at,
    reasons,
    settle,
    states,
    the_draft,
    treating_all,
    unfinished,
    wake,
)
from tools.records.base import Record
from tools.records.vocabulary import ChannelKind


@pytest.fixture
def store_place(tmp_path: Path) -> Iterator[Installation]:
    place = Installation(f"sqlite:///{tmp_path / 'outrider.db'}", tmp_path)
    yield place
    place.stop_all()


def die() -> None:
    raise Killed


def people(number: int, record: Callable[..., Record]) -> list[Record]:
    """Return as many customers, each with an address of their own and one record."""
    return [
        made
        for index in range(number)
        for made in (
            customer(
                id=f"c{index}", emails=(f"c{index}@example.com",), phones=(f"+1212555{index + 1000:04}",)
            ),
            record(id=f"r{index}", customer_id=f"c{index}"),
        )
    ]


async def finish(app: App) -> None:
    """Settle, approve what waits, settle."""
    await settle(app)
    approve_all(app)
    await settle(app)


async def recover(place: Installation, app: App) -> None:
    """Let leases of the dead end, so that everything comes to its draft; then finish."""
    await wake(app, place.clock)
    approve_all(app)
    await wake(app, place.clock)


def check_all_is_well(place: Installation, app: App, *, number: int) -> None:
    """Every signal was decided and its message sent, once; nothing stands half-done."""
    assert states(app) == {CaseState.CONTACTED: number}
    assert unfinished(app) == {}
    assert delivery_states(app) == {DeliveryState.ACCEPTED: number}
    assert place.times_sent() == Counter({file.delivery.id: 1 for file in deliveries(app)})
    for case in cases(app):
        contacts = [one for one in decisions(app, case) if one.kind is DecisionKind.CONTACT]
        assert len(contacts) == 1, f"case {case.id} was decided {len(contacts)} times"
    with app.store.read() as conn:
        assert verify(conn, now=place.clock()).ok


async def run_until_killed(place: Installation, write: int, *, committed: bool) -> bool:
    """Run a process that dies at its n-th write; return whether it lived to the end."""
    app = place.start()
    with killed_at(app, write, committed=committed) as writes:
        try:
            await finish(app)
        except (Killed, BaseExceptionGroup):
            lived = False
        else:
            lived = writes() < write
    place.stop(app)
    return lived


async def crash_everywhere(place: Callable[[], Installation], *, committed: bool, stride: int) -> int:
    """Kill a first process at each n-th write, let a second one finish, and look; return the kills."""
    kills = 0
    while True:
        here = place()
        here.tell(customer(), order(), usage())
        write = 1 + kills * stride
        if await run_until_killed(here, write, committed=committed):
            here.stop_all()
            return kills
        kills += 1
        app = here.start()
        await recover(here, app)
        check_all_is_well(here, app, number=2)
        here.stop_all()


@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "each"])
@pytest.mark.parametrize("committed", [False, True], ids=["before_the_commit", "after_the_commit"])
async def test_a_process_killed_at_a_write_loses_and_doubles_nothing(
    tmp_path: Path, committed: bool, stride: int
) -> None:
    folders = iter(range(1_000))

    def fresh() -> Installation:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        return Installation(f"sqlite:///{folder / 'outrider.db'}", folder)

    kills = await crash_everywhere(fresh, committed=committed, stride=stride)

    assert kills > 15 / stride


@pytest.mark.postgres
@pytest.mark.parametrize("write", [6, 11, 17])
async def test_a_process_killed_beside_a_server_loses_and_doubles_nothing(
    postgres_url: str, tmp_path: Path, write: int
) -> None:
    place = Installation(postgres_url, tmp_path)
    place.tell(customer(), order(), usage())

    assert not await run_until_killed(place, write, committed=True)
    app = place.start()
    await recover(place, app)
    check_all_is_well(place, app, number=2)
    place.stop_all()


async def test_the_next_run_takes_over_what_a_dead_one_held(store_place: Installation) -> None:
    """Nobody else can work on a SQLite file whose worker is dead, so nobody waits for its lease."""
    place = store_place
    place.tell(customer(), usage())
    app = place.start()
    place.provider[ChannelKind.SMS].failpoint = die
    await app.daemon.once()  # the turn dies and leaves its claim behind
    place.provider[ChannelKind.SMS].failpoint = lambda: None
    assert unfinished(app) == {"started attempts": 1, "running work": 1}
    place.stop(app)

    after = place.start()
    await settle(after)

    check_all_is_well(place, after, number=1)


async def test_two_workers_share_a_hundred_cases_without_doing_one_twice(place: Installation) -> None:
    first, second = place.start(), place.start()
    place.tell(*people(50, order), *people(50, usage))
    for app in (first, second):
        app.owner.hold()

    await asyncio.gather(first.daemon.once(), second.daemon.once())
    assert approve_all(first) == 50
    shares = await asyncio.gather(first.daemon.worker.run_until_idle(), second.daemon.worker.run_until_idle())
    await settle(first)

    check_all_is_well(place, first, number=100)
    assert min(shares) > 0, "one worker did everything"


@dataclass(frozen=True)
class Endpoint:
    """Makes models that ask an address where nobody listens."""

    url: str
    price: Price = PRICE
    cap: int = 1_000_000
    opened: list[CompatibleTransport] = field(default_factory=list[CompatibleTransport])

    def __call__(self, store: Store, templates: TemplateStore) -> Model:
        def clock() -> datetime:
            return NOW

        transport = CompatibleTransport(
            base_url=self.url,
            model="m",
            api_key="none",
            clock=clock,
            timeout=timedelta(seconds=0.5),
            connect_timeout=timedelta(seconds=0.5),
        )
        self.opened.append(transport)
        return LedgeredModel(
            transport=transport,
            questions=Questions(PromptStore(), templates),
            store=store,
            budget=ModelBudget(store=store, cap_micros=self.cap, owner="test", clock=clock),
            price=self.price,
            clock=clock,
            random=Random(1),
            rules=RetryRules(attempts=2, first_wait=timedelta(0), deadline=timedelta(seconds=1)),
            max_tokens=400,
        )


@pytest.fixture
async def closed_endpoint() -> AsyncGenerator[Endpoint]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1")
    yield endpoint
    for transport in endpoint.opened:
        await transport.aclose()


async def test_a_model_that_is_down_leaves_the_approved_template(
    place: Installation, closed_endpoint: Endpoint
) -> None:
    app = place.start(make_model=closed_endpoint)
    place.tell(customer(), order())

    await settle(app)

    item = the_draft(app)
    assert item.author == "template"
    use = app.desk.show(item.draft_id).draft.draft.model_use
    assert use is None or use.fallback == "down"


async def test_a_model_that_is_down_hands_over_to_people_where_the_playbook_wants_that(
    place: Installation, closed_endpoint: Endpoint
) -> None:
    careful = treating_all() | {"shipping_delay": playbook("shipping_delay", holdout=None, fallback="person")}
    app = place.start(make_model=closed_endpoint, playbooks=careful)
    place.tell(customer(), order())

    await settle(app)

    assert reasons(app) == [("escalate", "model_down")]
    assert states(app) == {CaseState.ESCALATED: 1}
    assert app.desk.count() == 0


async def test_a_model_without_money_left_is_not_asked_and_the_template_serves(
    place: Installation, closed_endpoint: Endpoint
) -> None:
    app = place.start(make_model=replace(closed_endpoint, cap=1))
    place.tell(customer(), order())

    await settle(app)

    assert the_draft(app).author == "template"
    with app.store.read() as conn:
        books = balance(conn, scope=SCOPE, period=NOW.date().isoformat())
    assert books is None or (books.spent, books.held) == (0, 0)
