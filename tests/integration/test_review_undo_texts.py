"""Taking back what asked for another text: before it is written, or while nobody touched it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.audit.verify import verify
from agent.bootstrap import App
from agent.domain.cases import CaseState
from agent.domain.drafts import DraftState
from agent.domain.queue import QueueFilter
from agent.errors import RefusedError
from agent.review_desk.answers import RejectReason, VerdictAnswer
from tests.builders import customer, order, shipment
from tests.running import Installation, settle, the_draft
from tools.records.vocabulary import ChannelKind

Ask = Callable[[App, str], VerdictAnswer]


def redraft(app: App, draft_id: str) -> VerdictAnswer:
    return app.desk.redraft(draft_id, reviewer="ann", instruction="shorter")


def by_sms(app: App, draft_id: str) -> VerdictAnswer:
    return app.desk.change_channel(draft_id, reviewer="ann", channel=ChannelKind.SMS)


def edit(app: App, draft_id: str) -> VerdictAnswer:
    shown = app.desk.show(draft_id).draft
    message = shown.draft.message
    body = message.body.replace("We are sorry for the wait.", "We are sorry.")
    return app.desk.edit(
        draft_id, reviewer="ann", shown=shown.content_hash, subject=message.subject, body=body
    )


each = pytest.mark.parametrize("ask", [redraft, by_sms, edit])
by_graph = pytest.mark.parametrize("ask", [redraft, by_sms])


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    place = Installation(database_url, tmp_path)
    place.source.add(customer(), order(), shipment())
    yield place
    place.stop_all()


async def started(place: Installation) -> tuple[App, str]:
    app = place.start()
    await settle(app)
    return app, the_draft(app).draft_id


def states(app: App, draft_id: str) -> list[DraftState]:
    return [one.draft.state for one in app.desk.show(draft_id).versions]


async def approved_and_sent(place: Installation, app: App, draft_id: str) -> None:
    """Approve the draft that waits; it is sent once, and the log verifies."""
    view = app.desk.show(draft_id)
    answer = app.desk.approve(draft_id, reviewer="bob", shown=view.draft.content_hash)
    assert answer.outcome == "approved"
    await settle(app)
    assert [message.content_hash for message in place.sent()] == [view.draft.content_hash]
    app.store.seal_pending()
    with app.store.read() as conn:
        assert verify(conn, now=app.clock()).ok


@by_graph
async def test_before_it_is_written_no_other_text_comes(place: Installation, ask: Ask) -> None:
    app, draft_id = await started(place)
    answer = ask(app, draft_id)
    assert answer.undo_until == app.clock() + app.desk.rules.undo_verdicts

    said = app.desk.undo(draft_id, reviewer="ann")
    await settle(app)

    assert said.message.startswith("No other text is written")
    assert (the_draft(app).draft_id, states(app, draft_id)) == (draft_id, [DraftState.PENDING])
    await approved_and_sent(place, app, draft_id)


@each
async def test_an_untouched_text_is_dropped_and_the_one_before_waits_again(
    place: Installation, ask: Ask
) -> None:
    app, draft_id = await started(place)
    ask(app, draft_id)
    await settle(app)
    assert the_draft(app).draft_id != draft_id

    app.desk.undo(draft_id, reviewer="ann")

    view = app.desk.show(draft_id)
    assert (the_draft(app).draft_id, view.case.state) == (draft_id, CaseState.IN_REVIEW)
    assert states(app, draft_id) == [DraftState.PENDING, DraftState.SUPERSEDED]
    assert view.decisions[-1].channel is ChannelKind.EMAIL
    await approved_and_sent(place, app, draft_id)


@each
async def test_a_text_that_somebody_else_reads_or_reviewed_stands(place: Installation, ask: Ask) -> None:
    app, draft_id = await started(place)
    ask(app, draft_id)
    await settle(app)
    newer = the_draft(app).draft_id

    app.desk.open(newer, reviewer="bob")
    with pytest.raises(RefusedError, match=f"bob is reading the newer text, {newer}"):
        app.desk.undo(draft_id, reviewer="ann")
    app.desk.reject(newer, reviewer="bob", reason=RejectReason.TONE)
    with pytest.raises(RefusedError, match="its case is abstained by now"):
        app.desk.undo(draft_id, reviewer="ann")
    app.desk.undo(newer, reviewer="bob")
    with pytest.raises(RefusedError, match=f"{newer} was reviewed already"):
        app.desk.undo(draft_id, reviewer="ann")

    assert the_draft(app).draft_id == newer


@each
async def test_after_a_while_it_stands(place: Installation, ask: Ask) -> None:
    app, draft_id = await started(place)
    ask(app, draft_id)
    await settle(app)
    place.clock.advance(app.desk.rules.undo_verdicts + timedelta(seconds=1))

    with pytest.raises(RefusedError, match="more than 5 min ago"):
        app.desk.undo(draft_id, reviewer="ann")


async def test_of_several_texts_only_the_last_request_is_taken_back(place: Installation) -> None:
    app, first = await started(place)
    redraft(app, first)
    await settle(app)
    second = the_draft(app).draft_id
    by_sms(app, second)
    await settle(app)

    with pytest.raises(RefusedError, match="newer texts by now"):
        app.desk.undo(first, reviewer="ann")
    app.desk.undo(second, reviewer="ann")

    assert the_draft(app).draft_id == second
    assert app.desk.count(QueueFilter(state=DraftState.PENDING)) == 1


async def test_what_was_taken_back_may_be_asked_for_again(place: Installation) -> None:
    app, draft_id = await started(place)
    for _ in range(2):
        by_sms(app, draft_id)
        await settle(app)
        app.desk.undo(draft_id, reviewer="ann")
    by_sms(app, draft_id)
    await settle(app)

    new = the_draft(app)
    assert (new.channel, new.version) == (ChannelKind.SMS, 4)
    await approved_and_sent(place, app, new.draft_id)
