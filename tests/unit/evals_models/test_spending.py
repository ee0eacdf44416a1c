"""The spend cap: over all processes of a run, and over all times it is gone on with."""

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ModelError
from evals.models.spending import HOLD, SETTLED, SpendBook

CAP = 1_000
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "die"]),
        st.integers(min_value=0, max_value=2),
        st.integers(min_value=1, max_value=500),
    ),
    max_size=40,
)


def in_the_file(path: Path) -> int:
    """Return what the lines of a run file come to: everything settled, and everything still held."""
    held: dict[str, int] = {}
    settled = 0
    for line in map(json.loads, path.read_text("utf-8").splitlines()):
        if HOLD in line:
            held[line[HOLD]] = line["micros"]
        if SETTLED in line:
            held.pop(line[SETTLED])
            settled += line["micros"]
    return settled + sum(held.values())


def reserved(book: SpendBook, amount: int) -> str | None:
    try:
        return asyncio.run(book.reserve(amount))
    except ModelError:
        return None


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_processes_do_what_is_spent_and_held_stays_within_the_cap(
    steps: list[tuple[str, int, int]],
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        path.touch()
        books = [SpendBook(path, cap_micros=CAP) for _ in range(3)]
        open_holds: list[list[tuple[str, int]]] = [[], [], []]
        for step, who, amount in steps:
            if step == "reserve":
                covered = in_the_file(path) + amount <= CAP
                hold = reserved(books[who], amount)
                assert (hold is not None) == covered, "what is there is lent, what is not is refused"
                open_holds[who] += [(hold, amount)] if hold else []
            elif step == "settle" and open_holds[who]:
                hold, most = open_holds[who].pop()
                asyncio.run(books[who].settle(hold, min(amount, most)))
            elif step == "die":  # its holds stay: nobody knows whether its calls were billed
                books[who], open_holds[who] = SpendBook(path, cap_micros=CAP), []
            assert in_the_file(path) <= CAP
        assert SpendBook(path, cap_micros=CAP).spent() == in_the_file(path)


async def test_a_free_call_needs_no_money(tmp_path: Path) -> None:
    book = SpendBook(tmp_path / "run.jsonl", cap_micros=0)

    assert await book.reserve(0) is None


async def test_without_a_cap_everything_is_booked_and_nothing_refused(tmp_path: Path) -> None:
    book = SpendBook(tmp_path / "run.jsonl", cap_micros=None)

    await book.settle(await book.reserve(10**9), 7)

    assert book.spent() == 7


async def test_the_last_micro_may_be_spent(tmp_path: Path) -> None:
    book = SpendBook(tmp_path / "run.jsonl", cap_micros=100)

    assert await book.reserve(100) is not None
    with pytest.raises(ModelError, match="spend cap of 100 micros"):
        await book.reserve(1)
