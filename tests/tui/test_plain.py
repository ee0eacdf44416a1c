"""The line mode: the same acts in plain sentences, over a real desk."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.domain.drafts import DraftState, ReviewVerdict
from agent.domain.queue import QueueFilter
from agent.tui.plain import PlainDesk
from tests.running import settle
from tests.tui.desks import Desk, an_old_ticket, desk_with
from tests.tui.hostile import CORPUS
from tools.safe_text import is_hidden


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = await desk_with(tmp_path, 2, more=an_old_ticket)
    yield made
    made.installation.stop_all()


def talk(desk: Desk, *typed: str) -> str:
    """Type these lines; `HASH` and `DIGEST` stand for what was asked for. Return what was said."""
    said: list[str] = []
    lines: Iterator[str] = iter(typed)

    def ask(prompt: str) -> str | None:
        said.append(prompt)
        desk.installation.clock.advance(timedelta(seconds=3))
        line = next(lines, None)
        return prompt.split()[1] if line in {"HASH", "DIGEST"} else line

    PlainDesk(desk.session(), say=said.append, ask=ask).run()
    return "\n".join(said)


def the_verdicts(desk: Desk, state: DraftState) -> list[list[ReviewVerdict]]:
    found = desk.app.desk.list_drafts(QueueFilter(state=state))
    return [[one.verdict for one in desk.app.desk.show(item.draft_id).reviews] for item in found]


async def test_from_the_list_to_the_outbox(desk: Desk) -> None:
    said = talk(desk, "list", "open 1", "approve", "HASH", "quit")

    assert "1. Ada Lovelace, shipping delay by e-mail, normal risk, due in" in said
    assert "By e-mail from Shop <hello@shop.example> to " in said
    assert "Subject: Your order 1001 is running late" in said
    assert "Approving: goes out at once, by e-mail" in said
    desk.installation.clock.advance(timedelta(minutes=1))
    await settle(desk.app)
    assert len(desk.installation.sent()) == 1


def test_a_wrong_hash_approves_nothing(desk: Desk) -> None:
    said = talk(desk, "next", "approve", "abcdef", "quit")

    assert "Not approved." in said
    assert the_verdicts(desk, DraftState.APPROVED) == []


@pytest.mark.parametrize(
    ("typed", "state", "verdict"),
    [
        (("reject", "tone", "too long"), DraftState.REJECTED, ReviewVerdict.REJECT),
        (("redraft", "shorter"), DraftState.SUPERSEDED, ReviewVerdict.REDRAFT),
        (("channel", "sms"), DraftState.SUPERSEDED, ReviewVerdict.CHANNEL),
        (("escalate", "legal", "call them"), DraftState.CLOSED, ReviewVerdict.ESCALATE),
        (("edit", "", "Hello!", "We are sorry.", "."), DraftState.SUPERSEDED, ReviewVerdict.EDIT),
        (("editor",), DraftState.SUPERSEDED, ReviewVerdict.EDIT),
    ],
    ids=["reject", "redraft", "channel", "escalate", "edit", "editor"],
)
def test_each_act_has_its_word(
    desk: Desk, typed: tuple[str, ...], state: DraftState, verdict: ReviewVerdict
) -> None:
    talk(desk, "next", *typed, "quit")

    assert the_verdicts(desk, state) == [[verdict]]


def test_channels_that_cannot_be_used_are_not_offered(desk: Desk) -> None:
    said = talk(desk, "next", "channel", "push", "quit")

    assert "Not by push: The playbook shipping_delay does not use it." in said
    assert "By sms?" in said
    assert "It stays with e-mail." in said


def test_a_rejection_is_taken_back(desk: Desk) -> None:
    said = talk(desk, "next", "reject", "tone", "", "undo", "quit")

    assert "Say undo to take it back" in said
    assert the_verdicts(desk, DraftState.REJECTED) == []
    assert desk.app.desk.count() == 2


def test_a_snoozed_draft_leaves_the_list(desk: Desk) -> None:
    said = talk(desk, "next", "snooze", "soon", "snooze", "1h", "list", "quit")

    assert "That is no time to come." in said
    assert desk.app.desk.count(QueueFilter(snoozed=True)) == 1
    assert "2. Ada" not in said


def test_old_facts_lock_approving_until_they_are_read_again(desk: Desk) -> None:
    desk.installation.clock.advance(timedelta(hours=2))

    said = talk(desk, "next", "approve", "reread", "approve", "HASH", "quit")

    assert "Locked: facts in the text are old" in said
    assert len(the_verdicts(desk, DraftState.APPROVED)) == 1


def test_everything_a_draft_rests_on_is_read_out_without_boxes(desk: Desk) -> None:
    said = talk(desk, "next", "facts", "checks", "value", "past", "changes", "card", "team", "quit")

    assert "order.number is 1001" in said
    assert "contact prevented" in said
    assert "ticket" in said
    assert not set(said) & {chr(point) for point in range(0x2500, 0x25A0)}


def test_a_situation_is_approved_by_its_digest(desk: Desk) -> None:
    talk(desk, "situations", "1", "DIGEST", "quit")

    assert the_verdicts(desk, DraftState.APPROVED) == [[ReviewVerdict.APPROVE]] * 2


def test_who_is_too_late_hears_one_sentence(desk: Desk) -> None:
    said: list[str] = []
    lines = iter(["next", "reject", "tone", "", "quit"])

    def ask(prompt: str) -> str | None:
        said.append(prompt)
        if prompt.startswith("Why"):
            desk.installation.clock.advance(desk.app.desk.rules.claim)
            for item in desk.app.desk.list_drafts():
                desk.app.desk.escalate(item.draft_id, reviewer="bob", words="mine now")
        return next(lines, None)

    PlainDesk(desk.session(), say=said.append, ask=ask).run()

    assert "closed, no longer pending." in "\n".join(said)
    assert "Traceback" not in "\n".join(said)


def test_leaving_sets_the_draft_free_and_unknown_words_are_told(desk: Desk) -> None:
    said = talk(desk, "next", "dance", "open nine", "help")

    assert "There is no command 'dance'" in said
    assert "Say open and a number" in said
    assert [item.claimed_by for item in desk.app.desk.list_drafts()] == [None, None]


async def test_nothing_hidden_is_said(tmp_path: Path) -> None:
    desk = await desk_with(tmp_path, 1, name="Eve " + " ".join(CORPUS.values()))

    said = talk(desk, "list", "next", "facts", "past", f"dance{CORPUS['csi']}", "quit")

    desk.installation.stop_all()
    assert "Eve \\u001b[2J" in said
    assert not any(is_hidden(char) for char in said)
