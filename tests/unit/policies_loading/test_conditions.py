"""Conditions: three-valued answers, typed variables, and what is refused before anything runs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import ConditionError
from policies.expressions import Expression, Truth, compile_expression
from policies.variables import Binder, VariableSchema, VariableType, VariableValue, flatten
from tests.unit.policies_loading.records import NOW, PROMISED_AT, order, shipment
from tools.records.base import Record
from tools.records.registry import RECORD_TYPES
from tools.records.vocabulary import ShipmentStatus

PARAMS: dict[str, VariableValue] = {
    "grace": timedelta(days=1),
    "limit": 3,
    "strict": True,
    "word": "open",
    "typo": "opne",
}
SCHEMA = VariableSchema(["order", "shipment", "customer"], PARAMS)


def compiled(text: str, result: VariableType = VariableType.FLAG) -> Expression:
    return compile_expression(text, SCHEMA, result=result)


def bound(records: Mapping[str, Record]) -> Any:
    return Binder(SCHEMA, SCHEMA.variables).bind(records, now=NOW)


def truth(text: str, records: Mapping[str, Record]) -> Truth:
    return compiled(text).truth(bound(records))


PLAIN: dict[str, Record] = {"order": order(), "shipment": shipment()}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('order.status == "fulfilled"', Truth.TRUE),
        ('order.status in ["open", "delivered"]', Truth.FALSE),
        ("order.total.minor > 4989", Truth.TRUE),
        ('order.total.currency == "EUR"', Truth.TRUE),
        ('order.promised_on == "2026-11-04"', Truth.TRUE),
        ("order.promised_at > now", Truth.TRUE),
        ("order.promised_at - params.grace > now", Truth.TRUE),
        ("order.promised_at < now + params.grace", Truth.FALSE),
        ("params.limit == 3 && params.strict", Truth.TRUE),
        ("shipment.action_required", Truth.FALSE),
        ('"minor" in customer.protected', Truth.UNKNOWN),
        ("has.order && has.order.promised_at", Truth.TRUE),
        ("has.order.delivered_at", Truth.FALSE),
        ("has.customer || has.customer.name", Truth.FALSE),
        ("order.delivered_at > now", Truth.UNKNOWN),
        ("!(order.delivered_at > now)", Truth.UNKNOWN),
        ("order.delivered_at > now || has.order", Truth.TRUE),
        ("has.order || order.delivered_at > now", Truth.TRUE),
        ("order.delivered_at > now && has.customer", Truth.FALSE),
        ("has.order && order.delivered_at > now", Truth.UNKNOWN),
        ("customer.vip", Truth.UNKNOWN),
        ("params.limit / (params.limit - 3) == 1 || now > now", Truth.UNKNOWN),
    ],
)
def test_a_condition_is_true_false_or_unknown(text: str, answer: Truth) -> None:
    # the sample check would refuse the division; unknown answers of real records are the point here
    program = SCHEMA.env.compile(text)

    assert Expression(program, frozenset()).truth(bound(PLAIN)) is answer


def test_an_answer_refuses_to_be_used_as_a_plain_truth() -> None:
    with pytest.raises(TypeError, match="three-valued"):
        bool(truth("has.order", PLAIN))


def test_timestamps_are_utc_and_unknown_ones_are_none() -> None:
    known = compiled("order.promised_at + params.grace", VariableType.INSTANT)
    missing = compiled("order.delivered_at", VariableType.INSTANT)

    assert known.instant(bound(PLAIN)) == PROMISED_AT + timedelta(days=1)
    assert missing.instant(bound(PLAIN)) is None


def test_an_unknown_text_is_none_and_not_the_text_of_the_error() -> None:
    assert compiled("order.promised_on", VariableType.TEXT).text(bound(PLAIN)) == "2026-11-04"
    assert compiled("customer.country", VariableType.TEXT).text(bound(PLAIN)) is None


def test_an_expression_knows_the_names_it_uses() -> None:
    expression = compiled('has.order && order.status in ["open"] && now > order.promised_at')

    assert expression.names == {"has.order", "order.status", "now", "order.promised_at"}


MISTAKES = {
    "misspelt field": ("order.promisd_at > now", "order.promisd_at", "unknown name", "`order.promised_at`"),
    "misspelt presence": ("!has.order.promisd_at", "has.order.promisd_at", "unknown name", "promised_at`"),
    "unknown record": ("invoice.due_at > now", "invoice.due_at", "unknown name", "known names"),
    "record alone": ("order == order", "order", "has parts", "order.number"),
    "money": ("order.total > 3", "order.total", "has parts", "order.total.minor"),
    "misspelt param": (
        "now > order.placed_at + params.grce",
        "params.grce",
        "unknown name",
        "`params.grace`",
    ),
    "clock": ("now() > order.placed_at", "now", "unknown function `now`", "known functions"),
    "misspelt function": ('order.number.startWith("a")', "startWith", "unknown function", "`startsWith`"),
    "decimal": ("order.total.minor >= 200.0", ">=", "decimal number", "2 instead of 2.0"),
    "text for time": ('order.promised_at > "2026-11-04"', ">", "timestamp and text", "another timestamp"),
    "days as number": ("order.promised_at + 3 > now", "+", "timestamp and whole number", "param"),
    "assignment": ('order.status = "open"', "= ", "`=` is no operator", "`==`"),
    "word operator": ("has.order and has.shipment", "and", "`and` is no operator", "`&&`"),
    "bracket": ("(true", "e", "cannot be read", "brackets"),
    "presence macro": ("has.order && has(order.total)", "has(", "not available", "has.order.total"),
    "foreign code": ('order.status == "shippd"', '"shippd"', "never 'shippd'", "use one of: pending"),
    "misspelt code": ('order.status != "deliverd"', '"deliverd"', "never 'deliverd'", "'delivered'"),
    "code on the left": ('"opne" == order.status', '"opne"', "never 'opne'", "'open'"),
    "code in a list": ('order.status in ["open", "opne"]', '"opne"', "never 'opne'", "'open'"),
    "code among codes": ('"minr" in customer.protected', '"minr"', "never 'minr'", "'minor'"),
    "code in a param": ("order.status == params.typo", "params.typo", "never 'opne'", "'open'"),
    "duration in days": ('now - order.placed_at > duration("1d")', '"1d"', "no duration", "36h"),
    "hidden duration": ('has.order || now > now + duration("24hours")', '"24hours"', "no duration", "36h"),
    "timestamp": ('now > timestamp("2026-11-04")', '"2026-11-04"', "no timestamp", "T00:00:00Z"),
    "zone": ('now.getHours("Europe/Berln") > 3', '"Europe/Berln"', "no zone", "IANA"),
    "pattern": ('order.number.matches("(")', '"("', "no matches", "pattern"),
    "text for a truth": ("order.number", "order.number", "must come to true or false", "comparison"),
    "division by zero": ("order.total.minor / 0 == 1", "order", "fails on sample values", "divisions"),
}


@pytest.mark.parametrize(("text", "at", "problem", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_has_a_caret_under_it_and_a_remedy(
    text: str, at: str, problem: str, remedy: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        compiled(text)

    first, line, caret = caught.value.problem.split("\n")
    assert problem in first
    assert remedy in (caught.value.remedy or "")
    assert line.strip() == text
    assert len(caret) - len("    ^") == text.index(at)


def test_several_mistakes_are_told_together() -> None:
    with pytest.raises(ConditionError) as caught:
        compiled("order.promisd_at > now && order.totl.minor > 3")

    assert [error.remedy for error in (caught.value, *caught.value.also)] == [
        "did you mean `order.promised_at`?",
        "did you mean `order.total.minor`?",
    ]


def test_a_timestamp_is_refused_where_a_text_is_needed() -> None:
    with pytest.raises(ConditionError, match="must come to text, not timestamp"):
        compiled("now", VariableType.TEXT)


def test_values_bind_only_in_the_environment_that_compiled_the_condition() -> None:
    """The library answers such a mix with errors alone; this is why a playbook has one schema."""
    other = VariableSchema(["order", "shipment", "customer"], PARAMS)
    activation = Binder(other, other.variables).bind(PLAIN, now=NOW)

    assert compiled("order.promised_at > now").truth(activation) is Truth.UNKNOWN


@pytest.mark.parametrize("record_type", RECORD_TYPES)
def test_every_variable_of_a_record_type_can_be_sampled_and_named(record_type: str) -> None:
    schema = VariableSchema([record_type], {})

    for name, variable in schema.variables.items():
        values: dict[VariableType, str] = {
            VariableType.FLAG: f"{name} == {name}",
            VariableType.TEXTS: f"size({name}) >= 0",
        }
        text = values.get(variable.type, f"{name} >= {name}")
        assert compile_expression(text, schema, result=VariableType.FLAG).names == {name}


@given(
    status=st.sampled_from(ShipmentStatus),
    eta_now=st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis adds the zone
)
def test_a_bound_record_answers_like_the_record(status: ShipmentStatus, eta_now: datetime | None) -> None:
    records = {"shipment": shipment(status=status, eta_now=eta_now)}

    exists = truth("has.shipment.eta_now", records)
    later = truth("shipment.eta_now > now", records)
    moving = truth('shipment.status == "in_transit"', records)

    assert exists is (Truth.FALSE if eta_now is None else Truth.TRUE)
    assert later is (Truth.UNKNOWN if eta_now is None else Truth.TRUE if eta_now > NOW else Truth.FALSE)
    assert (moving is Truth.TRUE) == (status is ShipmentStatus.IN_TRANSIT)


def test_a_flattened_record_has_presence_for_every_field_and_no_empty_values() -> None:
    values = flatten("shipment", shipment())

    assert values["has.shipment"] is True
    assert values["has.shipment.eta_now"] is False
    assert "shipment.eta_now" not in values
    assert "shipment.scans" not in values
    assert flatten("shipment", None)["has.shipment.status"] is False
