"""The four playbooks: when they fire, when they are resolved, when time alone changes their answer."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.expressions import Truth
from policies.loader import LIMITS_FILE, PLAYBOOK_FOLDER, load_limits, load_playbooks
from policies.triggers import compile_playbook
from policies.zones import plausible_zones
from tests.unit.policies_loading.records import NOW, PROMISED_AT, incident, invoice, order, shipment, usage
from tools.records.base import Money, Record
from tools.records.vocabulary import (
    IncidentStatus,
    InvoiceStatus,
    OrderStatus,
    Purpose,
    RefundStatus,
    Severity,
    ShipmentStatus,
)

PLAYBOOKS = load_playbooks(PLAYBOOK_FOLDER)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YES, NO = Truth.TRUE, Truth.FALSE


def test_there_are_four_and_each_is_called_like_its_file_and_stands_with_its_industry() -> None:
    places = {name: one.path.relative_to(PLAYBOOK_FOLDER).parts for name, one in PLAYBOOKS.items()}

    assert places == {
        "payment_due": ("bank", "payment_due.yaml"),
        "service_disruption": ("saas", "service_disruption.yaml"),
        "shipping_delay": ("shop", "shipping_delay.yaml"),
        "data_threshold": ("telecom", "data_threshold.yaml"),
    }
    assert all(one.playbook.industry == places[name][0] for name, one in PLAYBOOKS.items())


@pytest.mark.parametrize("scenario", PLAYBOOKS)
def test_each_is_complete(scenario: str) -> None:
    playbook = PLAYBOOKS[scenario].playbook

    assert playbook.purpose is Purpose.SERVICE
    assert playbook.holdout is not None
    assert playbook.holdout.share == 100_000
    assert playbook.value.provenance == "assumed"
    assert "assumed" in playbook.value.source
    assert playbook.legal.source
    assert set(playbook.situation) <= set(playbook.facts)
    assert playbook.prevents


def test_the_content_hash_is_that_of_the_file() -> None:
    for compiled in PLAYBOOKS.values():
        assert compiled.content_hash == hashlib.sha256(compiled.path.read_bytes()).hexdigest()


def answer(scenario: str, *records: Record, now: datetime = NOW) -> tuple[Truth, Truth]:
    by_type = {type(record).__name__.lower(): record for record in records}
    evaluation = PLAYBOOKS[scenario].evaluate(by_type, now=now)
    return evaluation.fires, evaluation.resolved


OUT = {"status": ShipmentStatus.OUT_FOR_DELIVERY}
LATE_ETA = {"eta_now": PROMISED_AT + HOUR, "eta_on": date(2026, 11, 5)}
GOOD_ETA = {"eta_now": PROMISED_AT - HOUR, "eta_on": date(2026, 11, 4)}
EVE = PROMISED_AT - DAY


@pytest.mark.parametrize(
    ("order_changes", "shipment_changes", "now", "fires", "resolved"),
    [
        pytest.param({}, None, EVE - timedelta(seconds=1), NO, NO, id="no parcel, more than a day left"),
        pytest.param({}, None, EVE, YES, NO, id="no parcel, one day left"),
        pytest.param({}, {}, EVE, YES, NO, id="moving without an expected time, one day left"),
        pytest.param({}, OUT, EVE, NO, NO, id="out for delivery in time"),
        pytest.param({}, OUT, PROMISED_AT, YES, NO, id="out for delivery, too late"),
        pytest.param({}, LATE_ETA, NOW, YES, NO, id="expected after the promise"),
        pytest.param({}, {"eta_now": PROMISED_AT}, NOW, NO, YES, id="expected by the end of the day"),
        pytest.param({}, GOOD_ETA, EVE, NO, YES, id="expected in time"),
        pytest.param({}, GOOD_ETA, PROMISED_AT, YES, NO, id="expected in time, but the day is over"),
        pytest.param({"delivered_at": NOW}, LATE_ETA, NOW, NO, YES, id="delivered"),
        pytest.param({"status": OrderStatus.CANCELLED}, LATE_ETA, NOW, NO, YES, id="cancelled"),
        pytest.param({"status": OrderStatus.PENDING}, LATE_ETA, NOW, NO, NO, id="not paid yet"),
        pytest.param({"refund_status": RefundStatus.FULL}, LATE_ETA, NOW, NO, YES, id="refunded"),
        pytest.param({"refund_status": RefundStatus.PARTIAL}, LATE_ETA, NOW, YES, NO, id="partly refunded"),
        pytest.param({}, {**LATE_ETA, "status": ShipmentStatus.DELIVERED}, NOW, NO, YES, id="arrived"),
        pytest.param({}, {**LATE_ETA, "status": ShipmentStatus.RETURNED}, NOW, NO, YES, id="returned"),
        pytest.param({"promised_at": None}, LATE_ETA, NOW, NO, NO, id="nothing promised"),
    ],
)
def test_shipping_delay(
    order_changes: dict[str, Any],
    shipment_changes: dict[str, Any] | None,
    now: datetime,
    fires: Truth,
    resolved: Truth,
) -> None:
    records: list[Record] = [order(**order_changes)]
    if shipment_changes is not None:
        records.append(shipment(**shipment_changes))

    assert answer("shipping_delay", *records, now=now) == (fires, resolved)


def test_shipping_delay_names_the_promised_day_and_wakes_before_and_at_its_end() -> None:
    evaluation = PLAYBOOKS["shipping_delay"].evaluate({"order": order()}, now=NOW)

    assert evaluation.episode == "2026-11-04"
    assert evaluation.timers == (EVE, PROMISED_AT)
    assert evaluation.deadline == PROMISED_AT + 3 * DAY


def test_timers_that_have_passed_or_serve_nothing_are_not_set() -> None:
    shipping = PLAYBOOKS["shipping_delay"]

    at_eve = shipping.evaluate({"order": order()}, now=EVE)
    delivered = shipping.evaluate({"order": order(delivered_at=NOW)}, now=NOW)

    assert at_eve.timers == (PROMISED_AT,)
    assert delivered.timers == ()


def test_a_late_expected_time_moves_the_deadline() -> None:
    eta = PROMISED_AT + 10 * DAY

    evaluation = PLAYBOOKS["shipping_delay"].evaluate(
        {"order": order(), "shipment": shipment(eta_now=eta)}, now=NOW
    )

    assert evaluation.deadline == eta


@pytest.mark.parametrize("days", [7, 5, 3, 2, 1, 0, -1, -2])
def test_a_replay_may_set_any_number_of_days_around_the_promise(days: int) -> None:
    shipping = PLAYBOOKS["shipping_delay"]
    params = {**shipping.playbook.params, "notice_before": timedelta(days=days)}
    changed = compile_playbook(
        shipping.playbook.model_copy(update={"params": params}), content_hash="x", path=shipping.path
    )
    moment = PROMISED_AT - timedelta(days=days)

    before = changed.evaluate({"order": order()}, now=moment - timedelta(seconds=1))
    at = changed.evaluate({"order": order()}, now=moment)

    assert (before.fires, at.fires) == (NO, YES)
    assert moment in before.timers


@pytest.mark.parametrize(
    ("changes", "now", "fires", "resolved"),
    [
        pytest.param(
            {}, PROMISED_AT - 4 * DAY - timedelta(seconds=1), NO, NO, id="more than three days before"
        ),
        pytest.param({}, PROMISED_AT - 4 * DAY, YES, NO, id="third day before begins"),
        pytest.param({}, PROMISED_AT - timedelta(seconds=1), YES, NO, id="end of the due day"),
        pytest.param({}, PROMISED_AT, NO, YES, id="overdue"),
        pytest.param({"autopay": True}, NOW, NO, YES, id="paid automatically"),
        pytest.param({"disputed": True}, NOW, NO, YES, id="disputed"),
        pytest.param({"status": InvoiceStatus.PAID}, NOW, NO, YES, id="paid"),
        pytest.param({"status": InvoiceStatus.PAST_DUE}, NOW, NO, YES, id="past due"),
        pytest.param({"amount_due": Money(minor=0, currency="EUR")}, NOW, NO, YES, id="nothing due"),
    ],
)
def test_payment_due(changes: dict[str, Any], now: datetime, fires: Truth, resolved: Truth) -> None:
    assert answer("payment_due", invoice(**changes), now=now) == (fires, resolved)


@pytest.mark.parametrize(
    ("changes", "fires", "resolved"),
    [
        pytest.param({}, YES, NO, id="confirmed and major"),
        pytest.param({"severity": Severity.CRITICAL}, YES, NO, id="critical"),
        pytest.param({"severity": Severity.MINOR}, NO, NO, id="minor"),
        pytest.param({"confirmed": False}, NO, NO, id="not confirmed"),
        pytest.param({"started_at": NOW - timedelta(minutes=4)}, NO, NO, id="too young"),
        pytest.param({"started_at": NOW - timedelta(minutes=5)}, YES, NO, id="old enough"),
        pytest.param({"started_at": NOW - 12 * HOUR}, NO, NO, id="too old to announce"),
        pytest.param({"status": IncidentStatus.SCHEDULED}, NO, NO, id="planned"),
        pytest.param({"status": IncidentStatus.MONITORING}, NO, NO, id="fix being watched"),
        pytest.param({"status": IncidentStatus.RESOLVED}, NO, YES, id="resolved"),
        pytest.param({"resolved_at": NOW}, NO, YES, id="end known"),
    ],
)
def test_service_disruption(changes: dict[str, Any], fires: Truth, resolved: Truth) -> None:
    assert answer("service_disruption", incident(**changes)) == (fires, resolved)


@pytest.mark.parametrize(
    ("changes", "fires", "resolved"),
    [
        pytest.param({"value": 7_999}, NO, YES, id="just under 80 %"),
        pytest.param({"value": 8_000}, YES, NO, id="80 %"),
        pytest.param({"value": 12_000}, YES, NO, id="over 100 %"),
        pytest.param({"unlimited": True}, NO, YES, id="unlimited"),
        pytest.param({"allowance": 0}, NO, NO, id="no allowance"),
        pytest.param({"measured_at": NOW - DAY}, NO, NO, id="reading too old"),
        pytest.param({"period_end": NOW}, NO, YES, id="period over"),
    ],
)
def test_data_threshold(changes: dict[str, Any], fires: Truth, resolved: Truth) -> None:
    assert answer("data_threshold", usage(**changes)) == (fires, resolved)


@pytest.mark.parametrize(
    ("value", "episode"),
    [(8_000, "2026-12-01/near"), (9_999, "2026-12-01/near"), (10_000, "2026-12-01/full")],
)
def test_data_threshold_has_one_episode_for_each_threshold_of_a_period(value: int, episode: str) -> None:
    evaluation = PLAYBOOKS["data_threshold"].evaluate({"usage": usage(value=value)}, now=NOW)

    assert evaluation.episode == episode


instants = st.datetimes(datetime(2026, 10, 25), datetime(2026, 11, 15)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001  # the zone follows


@settings(max_examples=300)
@given(
    status=st.sampled_from(OrderStatus),
    refund=st.none() | st.sampled_from(RefundStatus),
    delivered=st.none() | instants,
    promised=st.none() | instants,
    parcel=st.none() | st.tuples(st.sampled_from(ShipmentStatus), st.none() | instants),
    now=instants,
)
def test_no_order_is_delayed_and_resolved_at_once(
    status: OrderStatus,
    refund: RefundStatus | None,
    delivered: datetime | None,
    promised: datetime | None,
    parcel: tuple[ShipmentStatus, datetime | None] | None,
    now: datetime,
) -> None:
    records: list[Record] = [
        order(status=status, refund_status=refund, delivered_at=delivered, promised_at=promised)
    ]
    if parcel is not None:
        records.append(shipment(status=parcel[0], eta_now=parcel[1]))

    fires, resolved = answer("shipping_delay", *records, now=now)

    assert fires is not Truth.UNKNOWN
    assert resolved is not Truth.UNKNOWN
    assert (fires, resolved) != (YES, YES)


def test_the_limits_are_the_documented_defaults() -> None:
    limits = load_limits(LIMITS_FILE)

    assert (limits.quiet_hours.start.hour, limits.quiet_hours.end.hour) == (21, 8)
    assert (limits.caps.per_day, limits.caps.per_week) == (2, 5)
    assert set(limits.caps.exempt) == {Purpose.SAFETY, Purpose.ACCOUNT_SECURITY}
    assert "NO" in limits.default_zones


def test_every_default_zone_exists() -> None:
    limits = load_limits(LIMITS_FILE)

    for country, zones in limits.default_zones.items():
        found = plausible_zones(tz=None, phones=(), country=country, default_zones=limits.default_zones)
        assert found == tuple(sorted(zones))
