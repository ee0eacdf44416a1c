from hypothesis import given
from hypothesis import strategies as st

from tools.sim.chance import chance_of
from tools.sim.journal import Journal
from tools.sim.moments import DAY, HOUR, stamp
from tools.sim.rows import Firm

SINCE = 1_790_000_000


def firm(number: int, name: str) -> Firm:
    return Firm(number, name, None, 1, "laufend")


@given(seed=st.integers(0, 50), gaps=st.lists(st.integers(0, 20), min_size=20, max_size=60))
def test_a_row_never_becomes_visible_before_its_own_past(seed: int, gaps: list[int]) -> None:
    journal = Journal(chance_of(seed, "t"), since=SINCE)
    at = SINCE - 30
    for number, gap in enumerate(gaps):
        at += gap
        journal.write(firm(1, str(number)), at)

    planned = journal.planned(Firm)

    assert [row[2:][1] for row in planned] == [str(number) for number in range(len(gaps))]
    assert all(row[0] >= SINCE for row in planned)
    assert all(stamp(row[0]) >= str(row[-1]) for row in planned)


def test_some_rows_are_late_and_a_few_by_much() -> None:
    journal = Journal(chance_of(3, "t"), since=SINCE)
    for number in range(20_000):
        journal.write(firm(number, ""), SINCE + DAY)

    delays = [row[0] - SINCE - DAY for row in journal.planned(Firm)]

    assert 0.05 < sum(0 < delay <= 60 for delay in delays) / len(delays) < 0.1
    assert 0.0005 < sum(delay > 60 for delay in delays) / len(delays) < 0.003
    assert max(delays) <= 3 * HOUR


def test_a_known_arrival_is_kept() -> None:
    journal = Journal(chance_of(3, "t"), since=SINCE)

    journal.write(firm(1, "burst"), SINCE + 10, visible=SINCE + DAY)

    assert journal.planned(Firm)[0][0] == SINCE + DAY
