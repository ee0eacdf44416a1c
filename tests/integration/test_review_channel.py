"""Another channel: the graph writes its text, a person reviews it, and the old draft is gone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.bootstrap import App
from agent.domain.cases import CaseState
from agent.domain.drafts import DraftState
from agent.errors import RefusedError
from policies.review_rules import Risk
from tests.builders import changed, customer, order, playbook, preference, shipment
from tests.running import AT_ONCE, Installation, cases, settle, the_draft, treating_all
from tools.records.vocabulary import ChannelKind, ConsentState


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    place = Installation(f"sqlite:///{tmp_path / 'outrider.db'}", tmp_path)
    place.source.add(customer(), order(), shipment())
    yield place
    place.stop_all()


async def started(place: Installation) -> App:
    app = place.start()
    await settle(app)
    return app


async def test_the_graph_writes_the_text_of_that_channel_and_a_person_reviews_it(place: Installation) -> None:
    app = await started(place)
    old = the_draft(app)
    assert old.channel is ChannelKind.EMAIL

    answer = app.desk.change_channel(old.draft_id, reviewer="ann", channel=ChannelKind.SMS)
    (case,) = cases(app)
    assert (case.state, case.situation_id) == (CaseState.SCREENED, answer.situation_id)
    await settle(app)

    new = the_draft(app)
    view = app.desk.show(new.draft_id)
    message = view.draft.draft.message
    assert (new.channel, message.channel, new.version) == (ChannelKind.SMS, ChannelKind.SMS, 2)
    assert (message.recipient, message.subject) == ("+12125550101", "")
    assert view.decision is not None
    assert view.decision.channel is ChannelKind.SMS
    assert app.desk.show(old.draft_id).draft.draft.state is DraftState.SUPERSEDED
    assert app.desk.approve(new.draft_id, reviewer="ann", shown=new.content_hash).outcome == "approved"
    await settle(app)
    assert [sent.channel for sent in place.sent()] == [ChannelKind.SMS]


async def test_a_person_sees_the_new_text_also_where_policy_would_send_it(
    place: Installation,
) -> None:
    app = await started(place)
    old = the_draft(app)
    app.desk.change_channel(old.draft_id, reviewer="ann", channel=ChannelKind.SMS)
    place.stop(app)

    auto = playbook("shipping_delay", holdout=None, review="auto")
    app = place.start(playbooks={**treating_all(), "shipping_delay": auto})
    await settle(app)

    assert (the_draft(app).review_reason, place.sent()) == ("reviewer", [])


@pytest.mark.parametrize("high", ["reviewer", "policy"])
async def test_a_reason_of_high_risk_is_told_before_others(place: Installation, high: str) -> None:
    risk = AT_ONCE.risk.model_copy(update={"high_reasons": (high,)})
    required = playbook("shipping_delay", holdout=None, review="required")
    app = place.start(
        playbooks={**treating_all(), "shipping_delay": required},
        rules=AT_ONCE.model_copy(update={"risk": risk}),
    )
    await settle(app)
    old = the_draft(app)
    assert (old.review_reason, old.risk is Risk.HIGH) == ("policy", high == "policy")

    app.desk.change_channel(old.draft_id, reviewer="ann", channel=ChannelKind.SMS)
    await settle(app)

    new = the_draft(app)
    assert (new.review_reason, new.risk) == (high, Risk.HIGH)


@pytest.mark.parametrize(
    ("channel", "words"),
    [(ChannelKind.EMAIL, "already"), (ChannelKind.PUSH, "has no channel push; it has email, sms")],
)
async def test_only_another_channel_of_the_playbook(
    place: Installation, channel: ChannelKind, words: str
) -> None:
    app = await started(place)

    with pytest.raises(RefusedError, match=words):
        app.desk.change_channel(the_draft(app).draft_id, reviewer="ann", channel=channel)

    assert the_draft(app).state is DraftState.PENDING


async def test_every_other_channel_is_offered_with_what_closes_it(place: Installation) -> None:
    app = await started(place)

    sms, push = app.desk.channels(the_draft(app).draft_id, reviewer="ann")

    assert (sms.channel, sms.closed) == (ChannelKind.SMS, "")
    assert (push.channel, "does not use it" in push.closed) == (ChannelKind.PUSH, True)


async def stale(place: Installation, app: App) -> None:
    """Let the facts change under a draft, so that approving it has the case drafted anew."""
    draft = the_draft(app)
    place.clock.advance(timedelta(minutes=10))
    place.tell(changed(order(), number="1002"))
    answer = app.desk.approve(draft.draft_id, reviewer="ann", shown=draft.content_hash)
    assert answer.outcome == "stale"


async def test_the_channel_that_was_chosen_is_kept_when_the_case_is_drafted_anew(place: Installation) -> None:
    app = await started(place)
    app.desk.change_channel(the_draft(app).draft_id, reviewer="ann", channel=ChannelKind.SMS)
    await settle(app)
    await stale(place, app)

    await settle(app)

    again = the_draft(app)
    assert (again.channel, again.version, again.review_reason) == (ChannelKind.SMS, 3, "reviewer")


async def test_a_channel_that_was_chosen_is_given_up_when_it_may_not_be_used(place: Installation) -> None:
    app = await started(place)
    app.desk.change_channel(the_draft(app).draft_id, reviewer="ann", channel=ChannelKind.SMS)
    await settle(app)
    await stale(place, app)
    place.tell(preference(channel=ChannelKind.SMS, state=ConsentState.OPTED_OUT))

    await settle(app)

    assert the_draft(app).channel is ChannelKind.EMAIL


async def test_only_while_its_gates_pass(place: Installation) -> None:
    place.source.add(preference(channel=ChannelKind.SMS, state=ConsentState.OPTED_OUT))
    app = await started(place)

    sms, _ = app.desk.channels(the_draft(app).draft_id, reviewer="ann")
    assert sms.closed

    with pytest.raises(RefusedError, match="sms cannot be used now"):
        app.desk.change_channel(the_draft(app).draft_id, reviewer="ann", channel=ChannelKind.SMS)

    assert the_draft(app).channel is ChannelKind.EMAIL
