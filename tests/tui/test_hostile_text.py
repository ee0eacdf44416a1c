"""Hostile text in every field, through a real pty: nothing of it reaches the terminal, nothing breaks."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from agent.domain.drafts import Draft
from agent.store.decision_form import decision_to_json
from agent.store.decisions import decision_from_json
from agent.store.drafts import draft_to_json
from agent.store.tables.cases import DecisionRow, DraftRow, ReviewRow
from agent.store.transaction import Tx
from tests.tui.desks import Desk, an_old_ticket, desk_with
from tests.tui.hostile import CORPUS, FORBIDDEN, everything
from tests.tui.ptys import drive, screen_of
from tests.tui.snapshots import text_of
from tests.tui.test_screens import rest
from tools.records.base import Record
from tools.records.facts import FilledSlot

REVIEWER = CORPUS["csi"] + CORPUS["markup"] + CORPUS["rlo"]
"""A reviewer's name may come from the settings or from the system."""
SCREENS = ("", "\r", "1", "2", "3", "4", "5", "6", "o", "\x1b", "?", "\x1b", "e", "\x1b", "\x1b", "s", "\x1b")
"""Keys that lead through every screen."""


def evil_past(number: int) -> Sequence[Record]:
    """Return a ticket whose words are hostile."""
    return an_old_ticket(number, subject=everything()[:2_000])


def poison(desk: Desk) -> None:
    """Put the corpus into every text of every draft, past all guards, as a broken guard would."""
    with desk.app.store.write() as tx:
        for item in desk.app.desk.list_drafts():
            draft = desk.app.desk.show(item.draft_id).draft.draft
            message = replace(draft.message, subject=everything(), body=everything(), recipient=everything())
            evil = replace(
                draft,
                message=message,
                slotted_subject=everything(),
                slotted_body=everything(),
                used=(FilledSlot(slot="order.number", rendered=everything()),),
                review_reason=everything(),
                author=everything(),
            )
            poison_facts(tx, draft)
            tx.conn.execute(
                update(DraftRow)
                .where(col(DraftRow.id) == draft.id)
                .values(
                    body=draft_to_json(evil),
                    customer_name=everything(),
                    review_reason=everything(),
                    object_ref=everything(),
                    claimed_by=REVIEWER,
                    claimed_until=desk.installation.clock() + desk.app.desk.rules.claim,
                )
            )
        tx.conn.execute(update(ReviewRow).values(reason=everything()))


def poison_facts(tx: Tx, draft: Draft) -> None:
    """Put the corpus into the facts, gates and words of the decision that a draft rests on."""
    row = tx.conn.execute(
        select(DecisionRow.body).where(col(DecisionRow.id) == draft.decision_id)
    ).scalar_one()
    decision = decision_from_json(row)
    evil = replace(
        decision,
        explanation=everything(),
        facts=tuple(
            replace(fact, value=everything(), source=everything(), trusted=bool(number % 2))
            for number, fact in enumerate(decision.facts)
        ),
        verdicts=tuple(replace(verdict, reason=everything()) for verdict in decision.verdicts),
        look_ups=(everything(),),
    )
    tx.conn.execute(
        update(DecisionRow)
        .where(col(DecisionRow.id) == draft.decision_id)
        .values(body=decision_to_json(evil))
    )


@pytest.mark.parametrize(
    "size", [(80, 24), pytest.param((120, 40), marks=pytest.mark.slow)], ids=["80x24", "120x40"]
)
async def test_columns_stay_aligned_and_nothing_crashes(tmp_path: Path, size: tuple[int, int]) -> None:
    desk = await desk_with(
        tmp_path, 2, name=f"Eve {CORPUS['cjk']} {CORPUS['rlo']} {CORPUS['markup']}", more=evil_past
    )
    poison(desk)
    terminal = desk.terminal(me=REVIEWER)
    async with terminal.run_test(size=size) as pilot:
        await rest(pilot)
        for key in (
            "enter",
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "e",
            "escape",
            "o",
            "escape",
            "escape",
            "s",
            "escape",
        ):
            await pilot.press(key)
            await rest(pilot)
            shown = text_of(terminal.screen)
            assert not any(char in shown for char in "\x1b\x9b\x9d\r\x07\x00\u202e\u2066\u200d")
            widths = {strip.cell_length for strip in terminal.screen._compositor.render_strips()}  # pyright: ignore[reportPrivateUsage]  # the public way is SVG
            assert widths == {size[0]}
    desk.installation.stop_all()


@pytest.mark.timeout(180)
async def test_no_byte_of_the_corpus_reaches_a_real_terminal(tmp_path: Path) -> None:
    desk = await desk_with(tmp_path, 2, name=f"Eve {CORPUS['markup']}", more=evil_past)
    poison(desk)
    desk.installation.stop_all()

    written = drive(
        ("tests.tui.terminal", str(tmp_path), REVIEWER),
        folder=tmp_path,
        keys=SCREENS,
        until=b"waiting",
        end=b"\x11",
    )

    assert b"Outrider review" in written
    assert [sequence for sequence in FORBIDDEN if sequence in written] == []
    assert b"Traceback" not in written


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "arguments", [("list",), ("show", "DRAFT"), ("situations", "list"), ("--plain",)], ids=lambda one: one[0]
)
async def test_no_byte_of_the_corpus_reaches_a_terminal_through_a_command(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    desk = await desk_with(tmp_path, 2, name=f"Eve {CORPUS['cjk']}", more=evil_past)
    poison(desk)
    draft_id = desk.app.desk.list_drafts()[0].draft_id
    desk.installation.stop_all()
    (tmp_path / "outrider.yaml").write_text(f"data: {tmp_path}\n", encoding="utf-8")
    keys = ("list\n", "open 1\n", "facts\n", "past\n", "card\n") if arguments == ("--plain",) else ()

    written = drive(
        ("agent", "review", *(draft_id if one == "DRAFT" else one for one in arguments)),
        env={"OUTRIDER_REVIEWER": REVIEWER},
        folder=tmp_path,
        keys=keys,
        until=b"review> " if keys else b"",
        end=b"quit\n" if keys else b"",
    )

    assert [sequence for sequence in FORBIDDEN if sequence in written.replace(b"\r\n", b"\n")] == []
    assert b"Traceback" not in written
    assert any(word in line for line in screen_of(written) for word in ("Eve", "shipping", "Goodbye"))
