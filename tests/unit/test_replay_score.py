"""Scoring against the truth: who counts as late, what is compared with what, and empty cases."""

from datetime import date, timedelta

import pytest

from evals.replay.olist import OrderHistory
from evals.replay.score import score_messages, trigger_row
from evals.replay.trigger_table import PUBLISHED, Published, Row, bought_in, compare, undelivered_playbooks
from tests.replaying import DAY, HOUR, START, order

# bought on 1 March at 10:00 in Brasília and promised for 4 March: the promise ends 86 hours later
TO_THE_END = 86 * HOUR
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("delivered", "days", "late"),
    [
        pytest.param(TO_THE_END - SECOND, 0, False, id="last second of the promised day"),
        pytest.param(TO_THE_END, 1, True, id="midnight after it"),
        pytest.param(TO_THE_END + 2 * DAY, 3, True, id="three days"),
        pytest.param(TO_THE_END - 3 * DAY, -2, False, id="early"),
        pytest.param(None, None, True, id="never"),
    ],
)
def test_late_counts_calendar_days_of_the_company(
    delivered: timedelta | None, days: int | None, late: bool
) -> None:
    one = order(delivered=delivered)

    assert (one.days_late, one.late) == (days, late)


def test_a_trigger_row_counts_its_population_only() -> None:
    history = [
        order("on time"),
        order("late", delivered=TO_THE_END + DAY),
        order("very late", delivered=TO_THE_END + 2 * DAY),
        order("lost", delivered=None),
        order("not noticed", delivered=TO_THE_END),
        order("canceled", delivered=None, status="canceled"),
        order("not handed over", handed_over=None, delivered=None),
    ]
    noticed = ["on time", "late", "very late", "very late", "lost", "canceled", "not handed over", "unknown"]

    row = trigger_row(3, noticed, history)

    assert (row.orders, row.notices, row.late, row.serious, row.late_orders) == (5, 4, 3, 2, 4)
    assert (row.per_thousand, row.p_late, row.p_serious, row.reached) == (800, 0.75, 0.5, 0.75)


def test_a_trigger_row_without_notices_has_shares_of_zero() -> None:
    row = trigger_row(1, [], [order()])

    assert (row.per_thousand, row.p_late, row.p_serious, row.reached) == (0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("score", "bad"), [(1, True), (2, True), (3, False), (None, False)])
def test_two_stars_are_a_complaint_and_three_are_not(score: int | None, bad: bool) -> None:
    assert order(score=score).bad is bad


def test_messages_are_scored_beside_a_base_that_they_need_not_belong_to() -> None:
    sent = START + 80 * HOUR
    messaged = [
        order("a", delivered=80 * HOUR, score=1),
        order("b", delivered=104 * HOUR, score=4),
        order("c", delivered=None, score=None),
    ]
    base = [order("x", score=5), order("y", score=2), order("z", score=None)]

    score = score_messages({one.order_id: sent for one in messaged}, [*messaged, *base], base=base)

    assert (score.messaged, score.reviewed, score.bad, score.bad_share) == (3, 2, 1, 0.5)
    assert (score.base_reviewed, score.base_bad, score.base_share) == (2, 1, 0.5)
    assert score.late_messaged == 2
    assert score.before_survey == 3
    assert score.lead_days == pytest.approx((10 / 24, 22 / 24, 34 / 24))


def test_nothing_sent_scores_zero_and_has_no_lead_time() -> None:
    score = score_messages({}, [order()], base=[])

    assert (score.messaged, score.bad_share, score.base_share, score.lead_days) == (0, 0.0, 0.0, None)


def test_a_message_after_the_survey_is_not_before_it() -> None:
    asked = order(delivered=None).review_asked_at
    assert asked is not None

    at, after = (
        score_messages({"o1": when}, [order(delivered=None)], base=[]) for when in (asked - SECOND, asked)
    )

    assert (at.before_survey, after.before_survey) == (1, 0)


def published(days_before: int = 3, **changes: str | int) -> Published:
    values = {"per_thousand": 500, "p_late": "1.00", "p_serious": "0.000", "reached": "1.00", **changes}
    return Published(days_before=days_before, **values)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def compared(*instants: timedelta, row: Published | None = None) -> Row:
    history: list[OrderHistory] = [order("late", delivered=TO_THE_END), order("early", delivered=30 * HOUR)]
    holds = order().promised_end - 3 * DAY
    return compare(
        row or published(), [("late", holds + instant) for instant in instants], history, tick=6 * HOUR
    )


def test_a_row_that_agrees_has_no_differences() -> None:
    assert compared(timedelta(0)).differences == ()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param(published(per_thousand=499), "notices per 1,000 500, not 499", id="notices"),
        pytest.param(published(p_late="0.99"), "P(late) 1.00, not 0.99", id="late"),
        pytest.param(published(p_serious="0.001"), "P(3 days late) 0.000, not 0.001", id="serious"),
        pytest.param(published(reached="0.9"), "late reached 1.0, not 0.9", id="reached"),
    ],
)
def test_a_row_names_what_differs_at_the_published_precision(row: Published, words: str) -> None:
    assert compared(timedelta(0), row=row).differences == (words,)


@pytest.mark.parametrize(
    ("instants", "words"),
    [
        pytest.param((timedelta(0), DAY), ("1 orders signalled twice", "1 signals too late"), id="twice"),
        pytest.param((6 * HOUR - SECOND,), (), id="within the tick"),
        pytest.param((6 * HOUR,), ("1 signals too late",), id="a tick late"),
        pytest.param((-SECOND,), ("1 signals too early",), id="early"),
    ],
)
def test_a_row_counts_signals_that_came_twice_late_or_early(
    instants: tuple[timedelta, ...], words: tuple[str, ...]
) -> None:
    assert compared(*instants).differences == words


def test_each_n_is_a_playbook_of_its_own() -> None:
    days = [row.days_before for row in PUBLISHED]

    compiled = undelivered_playbooks(days)

    assert len(compiled) == len(days)
    assert {one.playbook.params["before"] - one.playbook.params["after"] for one in compiled.values()} == {  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
        number * DAY for number in days
    }


def test_a_month_is_a_month_in_brasilia() -> None:
    midnight_in_brasilia = START
    history = [
        order("february", bought=midnight_in_brasilia - SECOND),
        order("march", bought=midnight_in_brasilia),
    ]

    assert [one.order_id for one in bought_in(history, date(2018, 3, 31))] == ["march"]
