"""Many values in one condition: built for one statement, or once for all, it finds the same rows."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import insert
from sqlmodel import col, select

from agent.store.plans import among, is_among, packed
from agent.store.tables.mirror import Timer
from agent.store.transaction import Store
from tests.conftest import START

ODD = ["", "a", "A", "ä", "a b", "'", '"', "\\", "%", "[1]", "null", "\u2028", "x" * 3_000]
NUL = "a\x00b"


def keep(store: Store, ids: Sequence[str], at: datetime = START) -> None:
    rows = [{"scenario": "s", "type": "order", "id": one, "slot": 0, "next_at": at} for one in ids]
    with store.write() as tx:
        tx.conn.execute(insert(Timer), rows)


def found(store: Store, values: Sequence[str]) -> list[set[str]]:
    with store.read() as conn:
        many = packed(conn, values)
        once = select(Timer.id).where(is_among(Timer.id, "ids", as_text=many.as_text))
        anew = select(Timer.id).where(among(conn, Timer.id, values))
        plain = select(Timer.id).where(col(Timer.id).in_(values))
        return [
            set(conn.execute(once, {"ids": many.value}).scalars()),
            set(conn.execute(anew).scalars()),
            set(conn.execute(plain).scalars()),
        ]


@pytest.mark.parametrize("values", [[], ["a"], ODD[::2], ODD, ["b", "a b", "a", "a"]])
def test_the_same_rows_are_found(any_store: Store, values: list[str]) -> None:
    keep(any_store, ODD)

    once, anew, plain = found(any_store, values)

    assert once == anew == plain == set(values).intersection(ODD)


def test_a_value_that_json_functions_lose_is_found_too(store: Store) -> None:
    keep(store, ["a", NUL])

    assert found(store, [NUL]) == [{NUL}] * 3
    assert found(store, [NUL, "a", "c"]) == [{NUL, "a"}] * 3
