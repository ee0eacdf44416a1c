"""Logs say what happened to what, and nothing about whom."""

import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import SimulatedClock
from agent.log import HIDDEN, configure_logs, get_log, without_personal_data
from tests.conftest import START


@pytest.fixture
def lines() -> Iterator[StringIO]:
    stream = StringIO()
    configure_logs(level="info", clock=SimulatedClock(START), stream=stream, colours=False)
    yield stream
    structlog.reset_defaults()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)


def written(lines: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(lines: StringIO) -> None:
    get_log("x").info("delivery.accepted", delivery_id="dlv_1", seconds=2)

    assert written(lines) == [
        {
            "at": "2026-11-02T12:00:00.000+00:00",
            "event": "delivery.accepted",
            "level": "info",
            "delivery_id": "dlv_1",
            "seconds": 2,
        }
    ]


def test_less_important_events_are_dropped(lines: StringIO) -> None:
    get_log("x").debug("case.opened")

    assert written(lines) == []


@pytest.mark.parametrize(
    "key", ["customer_id", "recipient", "email", "smtp_password", "body", "Subject", "api_token"]
)
def test_values_under_personal_keys_are_hidden(lines: StringIO, key: str) -> None:
    get_log("x").info("case.opened", **{key: "harmless to look at"})

    assert written(lines)[0][key] == HIDDEN


PERSONAL = {
    "mail": "ada.lovelace+x@mail.example.org",
    "phone": "+49 171 2345678",
    "phone-digits": "+491712345678",
    "phone-national": "(0171) 2345678",
    "iban": "DE89 3704 0044 0532 0130 00",
    "iban-digits": "DE89370400440532013000",
    "card": "4111 1111 1111 1111",
    "card-digits": "5555555555554444",
    "bearer": "Bearer abc.def.ghi12345",
    "key": "sk-proj-abcdefgh12345678",
    "url": "ada:secret",
}


@pytest.mark.parametrize("value", PERSONAL.values(), ids=PERSONAL)
def test_personal_forms_are_hidden_wherever_they_stand(lines: StringIO, value: str) -> None:
    said = f"postgresql://{value}@db/x" if value == "ada:secret" else f"refused {value} today"

    get_log("x").info("delivery.refused", problem=said, deep={"list": [said]})

    assert value not in lines.getvalue()
    assert HIDDEN in lines.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T12:00:00.123456+00:00",
        "dlv_01K9ZZ0123456789ABCDEFGHJK",
        "order 1001, 12 of 400",
        "1764021600000000123",
        "sqlite:///outrider-data/outrider.db",
        "0.25",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert without_personal_data(text) == text


@given(
    user=st.text("abcdefghijklmnop0123456789._-", min_size=1, max_size=12),
    host=st.text("abcdefgh", min_size=1, max_size=8),
    around=st.text(max_size=10),
)
def test_no_address_gets_out(user: str, host: str, around: str) -> None:
    address = f"{user}@{host}.org"

    assert address not in without_personal_data(f"{around} {address} {around}")


def test_an_exception_is_told_without_its_values(lines: StringIO) -> None:
    try:
        _fail()
    except ValueError:
        get_log("x").exception("case.failed")

    (line,) = written(lines)
    assert (line["error"], line["problem"]) == ("ValueError", "no such row")
    assert "test_log.py" in str(line["where"])
    assert "Ada" not in lines.getvalue()


def test_warnings_of_libraries_are_hidden_too(lines: StringIO) -> None:
    logging.getLogger("smtp").warning("bounced %s", "ada@example.org")
    logging.getLogger("smtp").info("connected")

    (line,) = written(lines)
    assert line["said"] == f"smtp: bounced {HIDDEN}"


def test_people_get_colours() -> None:
    stream = StringIO()
    configure_logs(level="info", clock=SimulatedClock(START), stream=stream, colours=True)

    get_log("x").info("case.opened", recipient="ada@example.org")
    structlog.reset_defaults()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)

    assert "case.opened" in stream.getvalue()
    assert "ada@" not in stream.getvalue()


def test_lines_go_to_the_stderr_of_the_moment(lines: StringIO) -> None:
    first, second = StringIO(), StringIO()
    with redirect_stderr(first):
        configure_logs(level="info", clock=SimulatedClock(START))
    first.close()

    with redirect_stderr(second):
        get_log("x").info("work.done")

    assert [line["event"] for line in written(second)] == ["work.done"]
    assert not written(lines)


def _fail() -> None:
    raise ValueError("no such row\n[parameters: ('Ada Lovelace',)]")
