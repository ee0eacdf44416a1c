"""Ids sort by time and, within a millisecond, by the order in which they were made."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.ids import Ids
from tests.conftest import START

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def value(one: str) -> int:
    """Return the number that an id's last sixteen places stand for."""
    number = 0
    for sign in one[-16:]:
        number = number * 32 + ALPHABET.index(sign)
    return number


@given(st.integers(0, 2**79 - 1 - 3_000), st.integers(2, 3_000))
def test_ids_of_one_millisecond_count_upwards(first: int, many: int) -> None:
    ids = Ids(lambda size: (first << 1).to_bytes(size, "big"))

    made = [ids.new("x", at=START) for _ in range(many)]

    assert [value(one) for one in made] == list(range(first, first + many))
    assert made == sorted(made)


def test_a_later_millisecond_sorts_behind() -> None:
    bits = iter([b"\xff" * 10, b"\x00" * 10])
    ids = Ids(lambda _: next(bits))

    assert ids.new("x", at=START) < ids.new("x", at=START + timedelta(milliseconds=1))
