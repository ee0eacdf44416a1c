"""The whole loop on both databases: records in, decisions recorded, messages out once, stops obeyed."""

import pytest

from agent.audit.verify import verify
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryState, DraftState
from agent.review_desk.answers import RejectReason
from agent.store.kill_switch import KillScope, lift_kill_switch, set_kill_switch
from agent.store.tables.ledger import AuditPending
from agent.store.transaction import count
from tests.builders import DAY, HOUR, NOW, FakeSource, customer, invoice, order, usage
from tests.running import (
    Installation,
    approve_all,
    cases,
    decisions,
    deliveries,
    delivery_states,
    reasons,
    settle,
    states,
    the_draft,
    unfinished,
)
from tools.errors import ToolError
from tools.records.vocabulary import ChannelKind, OrderStatus

LATE_ORDER = (customer(), order())
NEARLY_USED = (customer(), usage())
NIGHT = NOW + 16 * HOUR
"""Nobody may be written to: five in Berlin, eleven at night in New York."""
MORNING = NIGHT + 10 * HOUR
DELIVERED = order(status=OrderStatus.DELIVERED)


async def test_what_was_approved_reaches_the_customer_byte_for_byte(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)
    shown = app.desk.show(the_draft(app).draft_id).draft.draft
    assert states(app) == {CaseState.IN_REVIEW: 1}
    assert place.sent() == []

    app.desk.approve(shown.id, reviewer="ann", shown=shown.message.content_hash)
    await settle(app)

    (sent,) = place.sent()
    assert sent.canonical() == shown.message.canonical()
    assert states(app) == {CaseState.CONTACTED: 1}
    assert delivery_states(app) == {DeliveryState.ACCEPTED: 1}
    assert unfinished(app) == {}


async def test_what_needs_no_review_goes_out_by_itself(place: Installation) -> None:
    app = place.start()
    place.tell(*NEARLY_USED)

    await settle(app)

    (sent,) = place.sent()
    assert sent.channel is ChannelKind.SMS
    assert app.desk.count() == 0
    assert states(app) == {CaseState.CONTACTED: 1}


async def test_every_step_of_a_case_can_be_read_back_and_verified(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER, usage(), invoice())
    await settle(app)
    approve_all(app)
    await settle(app)

    for case in cases(app):
        last = decisions(app, case)[-1]
        assert last.kind.value == "contact"
        assert last.verdicts
        assert last.valuation is not None
        assert last.facts
    with app.store.read() as conn:
        verification = verify(conn, now=place.clock())
        assert verification.ok, verification.fault
        assert verification.head.size > 3 * len(cases(app))
        assert count(conn, AuditPending) == 0


async def test_a_round_with_nothing_new_changes_nothing(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)

    again = await app.daemon.once()

    assert (again.stored, again.opened, again.screened) == (0, 0, 0)
    assert app.desk.count() == 1


@pytest.mark.parametrize("after_approval", [False, True], ids=["before_review", "after_approval"])
async def test_a_resolving_event_stops_what_is_queued(place: Installation, after_approval: bool) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)
    draft_id = the_draft(app).draft_id
    if after_approval:
        approve_all(app)

    place.clock.advance(HOUR)
    place.tell(DELIVERED)
    await settle(app)

    assert place.sent() == []
    assert states(app) == {CaseState.RESOLVED: 1}
    assert delivery_states(app) == ({DeliveryState.CANCELLED: 1} if after_approval else {})
    assert after_approval or app.desk.show(draft_id).draft.draft.state is DraftState.CLOSED
    assert unfinished(app) == {}


async def test_a_cleared_condition_is_noticed_at_the_last_moment(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)
    approve_all(app)

    place.tell(DELIVERED)  # no round has read it yet
    (file,) = deliveries(app)
    await app.dispatcher.dispatch(file.delivery.id)

    assert place.sent() == []
    assert delivery_states(app) == {DeliveryState.SUPPRESSED: 1}
    assert states(app) == {CaseState.RESOLVED: 1}


async def test_a_fact_that_changed_before_approval_brings_a_new_draft(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)
    old = the_draft(app)
    place.tell(order(number="2002"))

    answer = app.desk.approve(old.draft_id, reviewer="ann", shown=old.content_hash)
    await settle(app)

    assert answer.outcome == "stale"
    assert place.sent() == []
    new = the_draft(app)
    assert new.draft_id != old.draft_id
    assert "2002" in new.body


async def test_a_rejected_draft_is_never_sent(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)

    app.desk.reject(the_draft(app).draft_id, reviewer="ann", reason=RejectReason.HANDLED)
    for _ in range(3):
        place.clock.advance(DAY)
        await settle(app)

    assert place.sent() == []
    assert states(app) == {CaseState.ABSTAINED: 1}


async def test_shadow_mode_decides_and_records_but_sends_nothing(place: Installation) -> None:
    app = place.start(shadow=True)
    place.tell(*LATE_ORDER, usage())
    await settle(app)
    approve_all(app)
    await settle(app)

    assert place.sent() == []
    # the approved one was refused at the door, the one that needs no review never came so far
    assert reasons(app) == [("abstain", "shadow"), ("contact", "worth_it")]
    with app.store.read() as conn:
        assert verify(conn, now=place.clock()).ok


async def test_cases_of_shadow_mode_stay_silent_when_the_mode_ends(place: Installation) -> None:
    shadow = place.start(shadow=True)
    place.tell(*NEARLY_USED)
    await settle(shadow)
    place.stop(shadow)
    place.clock.advance(HOUR)
    app = place.start()

    place.tell(customer(id="c2", phones=("+12125550102",)), usage(id="u2", customer_id="c2"))
    await settle(app)

    assert [message.recipient for message in place.sent()] == ["+12125550102"]


async def test_a_case_of_shadow_mode_keeps_no_other_case_silent(place: Installation) -> None:
    place.clock.set(NIGHT)
    shadow = place.start(shadow=True)
    place.tell(customer(), usage(measured_at=NIGHT))
    await settle(shadow)  # held until the morning
    place.stop(shadow)
    app = place.start()
    place.tell(
        customer(id="c2", phones=("+12125550102",)), usage(id="u2", customer_id="c2", measured_at=NIGHT)
    )
    await settle(app)
    assert states(app) == {CaseState.NEW: 2}

    place.clock.set(MORNING)
    await settle(app)

    assert [message.recipient for message in place.sent()] == ["+12125550102"]


@pytest.mark.parametrize(
    ("scope", "key"),
    [(KillScope.GLOBAL, ""), (KillScope.SCENARIO, "shipping_delay"), (KillScope.CHANNEL, "email")],
    ids=["everything", "scenario", "channel"],
)
async def test_the_kill_switch_holds_approved_messages_until_it_is_lifted(
    place: Installation, scope: KillScope, key: str
) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)
    approve_all(app)
    with app.store.write() as tx:
        set_kill_switch(tx, scope=scope, key=key, reason="drill", operator="ann", at=place.clock())

    await settle(app)
    assert place.sent() == []
    assert delivery_states(app) == {DeliveryState.QUEUED: 1}

    with app.store.write() as tx:
        lift_kill_switch(tx, scope=scope, key=key, operator="ann", at=place.clock())
    place.clock.advance(HOUR)
    await settle(app)
    assert len(place.sent()) == 1


async def test_a_source_that_fails_stops_no_other_and_loses_nothing(place: Installation) -> None:
    broken = FakeSource(name="broken", page=1).add(usage(id="u8"), usage(id="u9"))
    broken.fails = [ToolError("no answer", system="broken", retryable=True)]
    app = place.start(sources=(broken, place.source))
    place.tell(*LATE_ORDER)

    done = await app.daemon.once()

    assert len(done.failures) == 1
    assert app.desk.count() == 1
