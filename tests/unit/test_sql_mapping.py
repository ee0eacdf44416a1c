"""Rows become typed records, or are put aside with the field at fault; nothing is guessed."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.ports import Rejected
from tools.records.base import Envelope, Money, Record
from tools.records.commerce import Order
from tools.records.operations import Device
from tools.records.people import Customer, Ticket
from tools.records.registry import parse_body
from tools.records.vocabulary import OrderStatus, ProtectedFlag, RefundStatus
from tools.sql.config import SqlConnectorConfig
from tools.sql.mapping import RowMapper
from tools.sql.plan import plan_streams

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
ORDER: dict[str, Any] = {
    "id": "id",
    "number": "number",
    "customer_id": "customer",
    "placed_at": {"col": "placed", "tz": "Europe/Berlin"},
    "status": {"col": "state", "enum": {"neu": "open", "1": "fulfilled", "true": "delivered"}},
    "total": {"col": "cents", "currency": "currency"},
}
ROW: dict[str, object] = {
    "id": 7,
    "number": "A-7",
    "customer": 70,
    "placed": "2026-11-02 12:00:00",
    "state": "neu",
    "cents": 1999,
    "currency": "EUR",
}
CUSTOMER: dict[str, Any] = {"id": "id", "name": "name"}
TICKET: dict[str, Any] = {
    "id": "id",
    "customer_id": "id",
    "channel": {"const": "call"},
    "created_at": {"col": "at", "type": "epoch_s"},
    "reason": "reason",
    "reason_norm": {
        "col": "reason",
        "enum": {"WISMO": "where_is_my_order"},
        "default": "other",
    },
    "status": {"const": "open"},
    "csat": "stars",
}


def mapped(record: str, lines: dict[str, Any], row: dict[str, object], **more: object) -> Envelope | Rejected:
    """Map one row by a stream's lines."""
    stream = {"record": record, "query": "select 1", "key": "id", "mode": "snapshot", "map": lines, **more}
    config = SqlConnectorConfig.model_validate(
        {"connector": "sql", "name": "shop", "url": "x", "streams": (stream,)}
    )
    plans, problems = plan_streams(config)
    assert problems == ()
    mapper = RowMapper(plans[0], "shop", tuple(row))
    return mapper.envelope(tuple(row.values()), version="1", changed_at=NOW, observed_at=NOW)


def record_of(record: str, lines: dict[str, Any], row: dict[str, object], **more: object) -> Record:
    found = mapped(record, lines, row, **more)
    assert isinstance(found, Envelope), found
    return parse_body(record, found.body)


def refused(record: str, lines: dict[str, Any], row: dict[str, object], **more: object) -> Rejected:
    found = mapped(record, lines, row, **more)
    assert isinstance(found, Rejected), found
    return found


def test_a_row_becomes_the_record_that_the_file_describes() -> None:
    assert record_of("order", ORDER, ROW) == Order(
        id="7",
        number="A-7",
        customer_id="70",  # type: ignore[arg-type]  # written as the text it is
        placed_at=datetime(2026, 11, 2, 11, tzinfo=UTC),
        status=OrderStatus.OPEN,
        total=Money(minor=1999, currency="EUR"),
    )


@pytest.mark.parametrize(
    ("line", "raw", "expected"),
    [
        (
            {"col": "x", "tz": "UTC"},
            "2026-11-02T12:00:00.25Z",
            datetime(2026, 11, 2, 12, 0, 0, 250_000, tzinfo=UTC),
        ),
        ({"col": "x", "tz": "UTC"}, "2026-11-02 12:00", NOW),
        ({"col": "x", "tz": "UTC"}, "", None),
        ({"col": "x", "tz": "UTC"}, NOW, NOW),
        ({"col": "x", "type": "epoch_ms"}, NOW.timestamp() * 1000, NOW),
        ({"col": "x", "type": "epoch_s"}, str(int(NOW.timestamp())), NOW),
        (
            {"col": "x", "tz": "America/New_York"},
            "2026-11-01 01:30:00",
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        ),
    ],
    ids=str,
)
def test_times_are_read_as_stated(line: dict[str, Any], raw: object, expected: datetime | None) -> None:
    order = record_of("order", ORDER | {"promised_at": line}, ROW | {"x": raw})

    assert isinstance(order, Order)
    assert order.promised_at == expected


@pytest.mark.parametrize(
    ("line", "raw", "expected"),
    [
        ("x", "2026-11-02", date(2026, 11, 2)),
        ("x", "2026-11-02 00:00:00", date(2026, 11, 2)),
        ("x", date(2026, 11, 2), date(2026, 11, 2)),
        ("x", "", None),
        ({"col": "x", "tz": "Europe/Berlin"}, "2026-11-01T23:30:00Z", date(2026, 11, 2)),
    ],
    ids=repr,
)
def test_days_stay_days(line: object, raw: object, expected: date | None) -> None:
    order = record_of("order", ORDER | {"promised_on": line}, ROW | {"x": raw})

    assert isinstance(order, Order)
    assert order.promised_on == expected


@pytest.mark.parametrize(
    ("word", "status"), [("neu", "open"), (1, "fulfilled"), (True, "delivered")], ids=str
)
def test_words_are_read_by_their_listed_meaning(word: object, status: str) -> None:
    order = record_of("order", ORDER, ROW | {"state": word})

    assert isinstance(order, Order)
    assert order.status == status


def test_a_word_that_is_ours_needs_no_list() -> None:
    order = record_of("order", ORDER | {"refund_status": "refund"}, ROW | {"refund": "full"})

    assert isinstance(order, Order)
    assert order.refund_status is RefundStatus.FULL


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("tot, minor", (ProtectedFlag.DECEASED, ProtectedFlag.MINOR)),
        ('["tot"]', (ProtectedFlag.DECEASED,)),
        (["minor"], (ProtectedFlag.MINOR,)),
        ("", ()),
        (None, ()),
    ],
    ids=repr,
)
def test_lists_are_texts_arrays_or_json(flags: object, expected: tuple[ProtectedFlag, ...]) -> None:
    line = {"col": "flags", "type": "list", "enum": {"tot": "deceased", "minor": "minor"}}

    customer = record_of("customer", CUSTOMER | {"protected": line}, {"id": 1, "name": "A", "flags": flags})

    assert isinstance(customer, Customer)
    assert customer.protected == expected


def test_nested_fields_are_read_from_json() -> None:
    lines = '[{"sku": "S", "title": "T", "quantity": 2, "price": {"minor": 5, "currency": "EUR"}}]'
    order = record_of("order", ORDER | {"lines": "items"}, ROW | {"items": lines})
    device = record_of(
        "device",
        {
            "id": "id",
            "customer_id": "id",
            "model": {"const": "X"},
            "status": {"const": "online"},
            "metrics": "m",
        },
        {"id": 1, "m": {"reboots": 3}},
    )

    assert isinstance(order, Order)
    assert isinstance(device, Device)
    assert (order.lines[0].quantity, order.lines[0].price.minor) == (2, 5)
    assert device.metrics == {"reboots": 3}


def test_null_takes_the_stated_default_and_else_the_records_own() -> None:
    row: dict[str, object] = {"id": 1, "at": 0, "reason": "WISMO", "stars": None}
    ticket = record_of("ticket", TICKET, row)
    other = record_of(
        "ticket", TICKET | {"reason": {"const": "?"}}, row | {"reason": None, "stars": Decimal(5)}
    )

    assert isinstance(ticket, Ticket)
    assert isinstance(other, Ticket)
    assert (ticket.reason_norm, ticket.csat, ticket.subject) == ("where_is_my_order", None, "")
    assert (other.reason_norm, other.csat) == ("other", 5)


@pytest.mark.parametrize("raw", [True, 1, "t", "TRUE", "yes", "Y", "1"], ids=repr)
def test_what_means_yes_is_true(raw: object) -> None:
    customer = record_of("customer", CUSTOMER | {"vip": "v"}, {"id": 1, "name": "A", "v": raw})

    assert isinstance(customer, Customer)
    assert customer.vip


POISON: dict[str, tuple[dict[str, object], str, str]] = {
    "unknown word": ({"state": "weg"}, "status", "unmapped"),
    "number for a word": ({"state": 2}, "status", "unmapped"),
    "currency in small letters": ({"currency": "eur"}, "total", "invalid"),
    "no currency": ({"currency": None}, "total", "invalid"),
    "fraction of a cent": ({"cents": Decimal("19.99")}, "total", "invalid"),
    "float": ({"cents": 19.99}, "total", "invalid"),
    "infinite": ({"cents": float("inf")}, "total", "invalid"),
    "not a number": ({"cents": Decimal("NaN")}, "total", "invalid"),
    "amount in words": ({"cents": "12 EUR"}, "total", "invalid"),
    "no time": ({"placed": "soon"}, "placed_at", "invalid"),
    "day for a time": ({"placed": "2026-11-02"}, "placed_at", "invalid"),
    "time missing": ({"placed": None}, "placed_at", "invalid"),
    "time that is empty": ({"placed": ""}, "placed_at", "invalid"),
    "before all time": ({"placed": "0001-01-01 00:00:00"}, "placed_at", "invalid"),
    "no customer": ({"customer": None}, "customer_id", "invalid"),
    "empty customer": ({"customer": ""}, "customer_id", "invalid"),
    "bytes": ({"number": b"\xff"}, "number", "invalid"),
    "text that is no UTF-8": ({"number": "A\udcff"}, "number", "invalid"),
    "text with NUL": ({"number": "A\0"}, "number", "invalid"),
    "id too long": ({"id": "7" * 201}, "id", "invalid"),
    "no id": ({"id": None}, "id", "invalid"),
}


@pytest.mark.parametrize(("change", "field", "kind"), POISON.values(), ids=POISON.keys())
def test_a_row_that_does_not_fit_is_put_aside(change: dict[str, object], field: str, kind: str) -> None:
    found = refused("order", ORDER, ROW | change)

    assert (found.field, found.kind) == (field, kind)
    assert found.problem
    assert "\n" not in found.problem
    raw = json.loads(found.raw)
    assert raw.keys() == ROW.keys()
    assert found.raw.isascii()


@pytest.mark.parametrize("found", ["USD", None, "EURO"])
def test_an_amount_in_another_currency_than_stated_is_put_aside(found: str | None) -> None:
    total = {"col": "cents", "currency": "currency", "currency_value": "EUR"}

    assert refused("order", ORDER | {"total": total}, ROW | {"currency": found}).field == "total"
    assert isinstance(mapped("order", ORDER | {"total": total}, ROW), Envelope)


def test_a_nested_word_outside_its_vocabulary_is_unmapped() -> None:
    lines = {"id": "id", "order_id": "id", "tracking_no": "id", "carrier": {"const": "X"}, "scans": "s"}
    scans = '[{"at": "2026-11-02T12:00:00Z", "status": "eaten"}]'

    found = refused("shipment", lines | {"status": {"const": "unknown"}}, {"id": 1, "s": scans})

    assert (found.kind, found.field) == ("unmapped", "scans.0.status")


def test_what_a_stranger_wrote_is_shown_without_hidden_characters() -> None:
    found = refused("order", ORDER, ROW | {"state": "\x1b[31m\u202eweg"})

    assert found.value == "\\u001b[31m\\u202eweg"
    assert found.problem.isprintable()


@pytest.mark.parametrize(
    ("raw", "deleted"),
    [
        (None, False),
        (0, False),
        (1, True),
        (True, True),
        ("f", False),
        (NOW, True),
        ("2026-11-02 12:00:00", True),
    ],
    ids=repr,
)
def test_a_deletion_mark_is_a_boolean_or_a_time(raw: object, deleted: bool) -> None:
    found = mapped("order", ORDER, ROW | {"gone": raw}, deleted="gone")

    assert isinstance(found, Envelope)
    assert found.deleted is deleted


def test_the_customer_is_the_records_own_or_the_stated_column() -> None:
    own = mapped("order", ORDER, ROW)
    stated = mapped("order", ORDER, ROW | {"person": UUID(int=1)}, customer_ref="person")
    nobody = mapped("order", ORDER, ROW | {"person": None}, customer_ref="person")
    customer = mapped("customer", CUSTOMER, {"id": 5, "name": ""})

    refs = [found.customer_ref for found in (own, stated, nobody, customer) if isinstance(found, Envelope)]
    assert refs == ["70", str(UUID(int=1)), None, "5"]


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.dictionaries(
        st.sampled_from(sorted(ROW)),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(),
            st.binary(),
            st.datetimes(),
            st.decimals(),
        ),
    )
)
def test_no_value_stops_the_mapping(change: dict[str, object]) -> None:
    found = mapped("order", ORDER, ROW | change)

    if isinstance(found, Envelope):
        assert parse_body("order", found.body).model_dump_json() == found.body
        assert "\0" not in found.id
    else:
        assert json.loads(found.raw).keys() == ROW.keys()
