"""A caller that spends model money at random; imports little, because processes of their own run it."""

from datetime import UTC, datetime
from random import Random

from agent.ids import Ids
from agent.llm.budget import SCOPE
from agent.store.budgets import Balance, balance, reserve, settle
from agent.store.database import open_database
from agent.store.keyring import Keyring
from agent.store.transaction import Store

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
PERIOD = START.date().isoformat()
CAP = 10_000


def take(store: Store, amount: int, *, cap: int = CAP, owner: str = "test") -> str | None:
    with store.write() as tx:
        return reserve(tx, scope=SCOPE, period=PERIOD, amount=amount, cap=cap, owner=owner, at=START)


def pay(store: Store, hold: str, cost: int) -> bool:
    with store.write() as tx:
        return settle(tx, hold, cost=cost)


def books(store: Store) -> Balance:
    with store.read() as conn:
        found = balance(conn, scope=SCOPE, period=PERIOD)
        assert found is not None
        return found


def spend(url: str, seed: int) -> int:
    """Reserve and settle at random like many callers; every sixth dies with its hold."""
    random = Random(seed)
    ids = Ids()
    writer, reader = open_database(url)
    store = Store(writer=writer, reader=reader, ids=ids, keyring=Keyring(b"k" * 32, random=ids.secret))
    paid = 0
    for _ in range(40):
        amount = random.randint(1, 200)
        hold = take(store, amount, owner=f"worker-{seed}")
        seen = books(store)
        assert seen.spent + seen.held <= CAP
        if hold is None or random.random() < 1 / 6:
            continue
        cost = random.randint(0, amount)
        assert pay(store, hold, cost)
        paid += cost
    writer.dispose()
    reader.dispose()
    return paid
