"""A customer who changes language is written to in the new one, however late they do it."""

from datetime import timedelta

from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryState, DraftState
from tests.builders import customer, order
from tests.running import (
    Installation,
    approve_all,
    cases,
    deliveries,
    delivery_states,
    settle,
    states,
    the_draft,
)

LATE_ORDER = (customer(), order())
IN_GERMAN = customer(locale="de_DE")


async def test_one_that_changed_before_the_approval_brings_a_new_draft(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)
    old = the_draft(app)
    place.tell(IN_GERMAN)

    answer = app.desk.approve(old.draft_id, reviewer="ann", shown=old.content_hash)
    await settle(app)

    assert (answer.outcome, answer.message.partition(";")[0]) == (
        "stale",
        "The customer's language changed since the draft was written",
    )
    assert place.sent() == []
    new = the_draft(app)
    assert new.locale == "de_DE"
    assert app.desk.show(old.draft_id).draft.draft.state is DraftState.STALE
    assert app.desk.approve(new.draft_id, reviewer="ann", shown=new.content_hash).outcome == "approved"
    await settle(app)
    assert [message.locale for message in place.sent()] == ["de_DE"]


async def test_one_that_changed_after_the_approval_holds_the_message_back(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER)
    await settle(app)
    approve_all(app)
    place.tell(IN_GERMAN)  # no round has read it yet

    (file,) = deliveries(app)
    await app.dispatcher.dispatch(file.delivery.id)

    assert place.sent() == []
    assert delivery_states(app) == {DeliveryState.CANCELLED: 1}
    assert app.desk.show(file.delivery.draft_id).draft.draft.state is DraftState.STALE
    await settle(app)
    assert states(app) == {CaseState.IN_REVIEW: 1}
    approve_all(app)
    await settle(app)
    assert [message.locale for message in place.sent()] == ["de_DE"]


async def test_a_situation_leaves_out_whose_language_changed(place: Installation) -> None:
    app = place.start()
    place.tell(*LATE_ORDER, customer(id="c2", name="Bob Byte", emails=("bob@example.org",)))
    place.tell(order(id="o2", number="1002", customer_id="c2"))
    await settle(app)
    place.tell(IN_GERMAN)
    (waiting,) = app.desk.situations()
    digest = app.desk.open_situation(waiting.situation_id, reviewer="ann").digest
    place.clock.advance(timedelta(minutes=1))

    answer = app.desk.approve_situation(waiting.situation_id, reviewer="ann", shown=digest)

    assert (len(answer.done), len(answer.stale), answer.left) == (1, 1, ())
    await settle(app)
    assert [message.recipient for message in place.sent()] == ["bob@example.org"]
    assert the_draft(app).locale == "de_DE"


async def test_a_wish_for_another_text_is_written_for_the_customer_not_for_the_fallback(
    place: Installation,
) -> None:
    app = place.start()
    place.tell(customer(locale="ja_JP"), order())  # there is no text in Japanese
    await settle(app)
    old = the_draft(app)
    assert old.locale == "en"

    app.desk.redraft(old.draft_id, reviewer="ann", instruction="Be warmer")
    await settle(app)

    new = the_draft(app)
    assert new.version == 2
    assert app.desk.approve(new.draft_id, reviewer="ann", shown=new.content_hash).outcome == "approved"
    assert [case.turn for case in cases(app)] == [2]
