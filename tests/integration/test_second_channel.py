"""The second message: once, on another channel, with the customer's yes, when the first may be lost."""

import asyncio
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console
from typing_extensions import override

from agent.audit.card import decision_card
from agent.audit.card_view import render_card
from agent.audit.verify import verify
from agent.bootstrap import App
from agent.dispatch.ports import Result
from agent.domain.cases import CaseState
from agent.domain.decisions import DecisionKind, Stage
from agent.domain.drafts import DeliveryState
from agent.store.kill_switch import KillScope, lift_kill_switch, set_kill_switch
from policies.model import Channel, Composition
from tests.builders import customer, order, playbook
from tests.providers import Act, FakeProvider, Kind
from tests.running import Installation, approve_all, decisions, deliveries, settle, the_draft
from tests.second_channel_bench import (
    EMAIL,
    LATE,
    PUSH,
    SCENARIO,
    SMS,
    Recall,
    ends,
    late_order_of,
    recall,
    says,
    the_case,
)
from tools.messages import Sighting
from tools.records.vocabulary import ConsentState, OrderStatus, Purpose

ACCEPTED, REJECTED, UNKNOWN, PERSON = (
    DeliveryState.ACCEPTED,
    DeliveryState.REJECTED,
    DeliveryState.UNKNOWN,
    DeliveryState.NEEDS_HUMAN,
)
LOST = (0, EMAIL, UNKNOWN, "second_channel")
PLAIN = {"purpose": Purpose.SAFETY, "holdout": None, "review": "auto", "composition": Composition.STRICT}
THREE = (
    Channel(kind=EMAIL, template="email", second="email_second"),
    Channel(kind=SMS, template="sms", second="sms_second"),
    Channel(kind=PUSH, template="sms", second="sms_second"),
)


@pytest.fixture
def bench(place: Installation) -> Recall:
    place.tell(*LATE)
    return Recall(place)


@pytest.mark.parametrize(
    ("kind", "act", "calls"),
    [(Kind.BLIND, Act.LOSE_CALL, 1), (Kind.BLIND, Act.LOSE_ANSWER, 1), (Kind.LOOKUP, Act.LOSE_CALL, 1)],
)
async def test_what_may_be_lost_is_told_once_more_by_another_channel(
    bench: Recall, kind: Kind, act: Act, calls: int
) -> None:
    email = bench.email(kind, act)
    app = bench.start()

    await bench.run(app)

    assert email.calls == calls
    assert bench.sent()[-1] == (SMS, True)
    assert ends(app) == [LOST, (1, SMS, ACCEPTED, "")]
    case = the_case(app)
    assert case.state is CaseState.CONTACTED
    by_stage = [(one.stage, one.kind, one.reason) for one in decisions(app, case)]
    assert (Stage.DISPATCH, DecisionKind.DEFER, "second_channel") in by_stage
    assert "nobody knows whether the first arrived" in decisions(app, case)[-1].explanation
    with app.store.read() as conn:
        assert verify(conn, now=app.clock()).ok


async def test_asking_under_the_same_key_comes_first(bench: Recall) -> None:
    email = bench.email(Kind.KEY, *[Act.LOSE_CALL] * 9)
    app = bench.start()

    await bench.run(app)

    assert email.calls == 4  # the first and three under the same key
    assert ends(app) == [LOST, (1, SMS, ACCEPTED, "")]


@pytest.mark.parametrize(
    ("kind", "acts", "expected"),
    [
        (Kind.BLIND, (Act.ACCEPT,), ACCEPTED),
        (Kind.BLIND, (Act.REFUSE,), REJECTED),
        (Kind.BLIND, (Act.BUSY, Act.ACCEPT), ACCEPTED),
        (Kind.LOOKUP, (Act.LOSE_ANSWER,), ACCEPTED),
        (Kind.KEY, (Act.LOSE_ANSWER,), ACCEPTED),
    ],
    ids=["accepted", "rejected", "busy", "found", "same key"],
)
async def test_nothing_follows_where_the_outcome_is_known(
    bench: Recall, kind: Kind, acts: tuple[Act, ...], expected: DeliveryState
) -> None:
    bench.email(kind, *acts)
    app = bench.start()

    await bench.run(app)

    assert [(step, channel, state) for step, channel, state, _ in ends(app)] == [(0, EMAIL, expected)]
    assert SMS not in dict(bench.sent())


@pytest.mark.parametrize("kind", [Kind.BLIND, Kind.LOOKUP])
async def test_no_third_one_follows_whatever_becomes_of_the_second(bench: Recall, kind: Kind) -> None:
    bench.place.tell(customer(push_tokens=("token-1",)), says(PUSH))
    bench.email(Kind.BLIND, Act.LOSE_CALL)
    sms = bench.sms(kind, *[Act.LOSE_CALL] * 5)
    app = bench.start(recall(channels=THREE))

    await bench.run(app, rounds=12)

    assert sms.calls == 1
    assert ends(app) == [LOST, (1, SMS, PERSON, "unknown_outcome")]
    assert the_case(app).state is CaseState.ESCALATED
    assert bench.sent() == []


class Meeting(FakeProvider):
    """Answers look-ups when as many have come as it waits for."""

    barrier: asyncio.Barrier | None = None

    @override
    async def lookup(self, idempotency_key: str) -> Sighting:
        if self.barrier is not None:
            await self.barrier.wait()
        return await super().lookup(idempotency_key)


async def test_of_two_workers_that_find_it_lost_at_once_one_writes_it_down(bench: Recall) -> None:
    email = Meeting(kind=Kind.LOOKUP, channel=EMAIL, script=[Act.LOSE_CALL])
    bench.place.provider[EMAIL] = email
    app, other = bench.start(), bench.start()
    await settle(app)
    (file,) = deliveries(app)
    bench.place.clock.advance(timedelta(minutes=7))
    await app.dispatcher.dispatch(file.delivery.id)  # not found once
    bench.place.clock.advance(timedelta(minutes=7))
    email.barrier = asyncio.Barrier(2)

    answers = await asyncio.gather(
        app.dispatcher.dispatch(file.delivery.id), other.dispatcher.dispatch(file.delivery.id)
    )

    assert sorted(answer.result for answer in answers) == [Result.SKIPPED, Result.UNKNOWN]
    assert ends(app) == [LOST]
    reasons = [one.reason for one in decisions(app, the_case(app))]
    assert reasons.count("second_channel") == 1


async def test_without_the_declaration_a_person_is_asked(bench: Recall) -> None:
    bench.email(Kind.BLIND, Act.LOSE_CALL)
    app = bench.start(playbook(SCENARIO, **PLAIN))

    await bench.run(app)

    assert ends(app) == [(0, EMAIL, PERSON, "unknown_outcome")]
    assert bench.sent() == []


@pytest.mark.parametrize("state", [ConsentState.OPTED_OUT, ConsentState.UNKNOWN])
async def test_without_the_customers_yes_to_the_channel_a_person_is_asked(
    bench: Recall, state: ConsentState
) -> None:
    bench.place.tell(says(SMS, state))
    bench.email(Kind.BLIND, Act.LOSE_CALL)
    app = bench.start()

    await bench.run(app)

    assert ends(app) == [(0, EMAIL, PERSON, "unknown_outcome")]
    last = decisions(app, the_case(app))[-1]
    assert last.kind is DecisionKind.ESCALATE
    assert "no second one can follow" in last.explanation
    assert bench.sent() == []


async def lost_and_in_review(bench: Recall) -> App:
    bench.email(Kind.BLIND, Act.LOSE_CALL)
    app = bench.start(recall(review="required"))
    await settle(app)
    approve_all(app)
    await settle(app)
    await settle(app)
    assert ends(app) == [LOST]
    return app


async def test_a_person_sees_the_second_text_where_the_playbook_wants_one(bench: Recall) -> None:
    app = await lost_and_in_review(bench)

    waiting = the_draft(app)

    assert (waiting.channel, bench.sent()) == (SMS, [])
    assert "may have had this message before" in app.desk.show(waiting.draft_id).draft.draft.message.body
    approve_all(app)
    await bench.run(app)
    assert bench.sent() == [(SMS, True)]
    assert ends(app) == [LOST, (1, SMS, ACCEPTED, "")]


async def test_those_of_a_situation_are_approved_together_as_second_ones(bench: Recall) -> None:
    bench.place.tell(*late_order_of("c2", number=2))
    bench.email(Kind.BLIND, Act.LOSE_CALL, Act.LOSE_CALL)
    app = bench.start(recall(review="required"))
    await settle(app)
    approve_all(app)
    await settle(app)
    await settle(app)
    (waiting,) = app.desk.situations()
    digest = app.desk.open_situation(waiting.situation_id, reviewer="ann").digest
    bench.place.clock.advance(timedelta(minutes=1))

    answer = app.desk.approve_situation(waiting.situation_id, reviewer="ann", shown=digest)
    await bench.run(app)

    assert len(answer.done) == 2
    assert sorted(ends(app)) == sorted([LOST, LOST, (1, SMS, ACCEPTED, ""), (1, SMS, ACCEPTED, "")])


async def test_a_yes_that_is_taken_back_meanwhile_hands_it_to_people(bench: Recall) -> None:
    app = await lost_and_in_review(bench)
    approve_all(app)
    bench.place.tell(says(SMS, ConsentState.OPTED_OUT))

    await bench.run(app)

    assert bench.sent() == []
    assert the_case(app).state is CaseState.ESCALATED


async def test_facts_that_change_meanwhile_write_the_second_text_anew_and_send_it_once(bench: Recall) -> None:
    app = await lost_and_in_review(bench)
    approve_all(app)
    bench.place.tell(order(number="2002"))

    await bench.run(app)

    waiting = the_draft(app)
    assert (waiting.channel, bench.sent()) == (SMS, [])
    approve_all(app)
    await bench.run(app)
    assert bench.sent() == [(SMS, True)]
    assert [end[:3] for end in ends(app)] == [
        (0, EMAIL, UNKNOWN),
        (1, SMS, DeliveryState.CANCELLED),
        (1, SMS, ACCEPTED),
    ]


async def test_what_has_resolved_itself_is_not_told_again(bench: Recall) -> None:
    app = await lost_and_in_review(bench)
    bench.place.tell(order(status=OrderStatus.DELIVERED))

    await bench.run(app)

    assert bench.sent() == []
    assert the_case(app).state is CaseState.RESOLVED


async def test_nothing_follows_while_a_stop_is_in_force(bench: Recall) -> None:
    email = bench.email(Kind.LOOKUP, Act.LOSE_CALL)
    app = bench.start()
    await settle(app)
    assert email.calls == 1
    with app.store.write() as tx:
        set_kill_switch(
            tx, scope=KillScope.GLOBAL, key="", reason="drill", operator="op", at=bench.place.clock()
        )

    await bench.run(app, rounds=4)

    assert [end[:3] for end in ends(app)] == [(0, EMAIL, UNKNOWN)]
    with app.store.write() as tx:
        lift_kill_switch(tx, scope=KillScope.GLOBAL, key="", operator="op2", at=bench.place.clock())
    await bench.run(app)
    assert bench.sent() == [(SMS, True)]


async def test_the_card_tells_both_messages(bench: Recall) -> None:
    bench.email(Kind.BLIND, Act.LOSE_CALL)
    app = bench.start()
    await bench.run(app)

    with app.store.read() as conn:
        card = decision_card(conn, app.store.keyring, the_case(app).id)
    console = Console(width=200, file=StringIO())
    console.print(render_card(card))
    page = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above

    assert "The second message: the one before it may be lost." in page
    assert "is unknown: second_channel" in page
