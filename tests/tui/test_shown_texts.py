"""What is drawn of a text: its facts, its changes, its cut, and what an editor gives back."""

import re
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from agent.domain.cases import CaseId
from agent.domain.decisions import DecisionId
from agent.domain.drafts import Draft, DraftId, DraftState
from agent.review_view.cells import clipped, shown
from agent.review_view.differences import differences
from agent.review_view.marked_text import Place, marked, places
from agent.review_view.message_view import link_lines, message_view
from agent.tui.safe_inputs import restored
from tests.builders import NOW
from tools.messages import Outbound
from tools.records.facts import FilledSlot
from tools.records.vocabulary import ChannelKind
from tools.safe_text import is_hidden, safe_text

SHOWABLE = st.text(st.characters(codec="utf-8"), max_size=60)
VALUES = st.text("ab12 €", min_size=1, max_size=6)


def by_sms(slotted: str, **values: str) -> str:
    """Return what is drawn of an SMS, without its frame."""
    body = slotted
    slots = used(**values)
    for slot in slots:
        body = body.replace(f"{{{slot.slot}}}", slot.rendered)
    draft = Draft(
        id=DraftId("drf_1"),
        case_id=CaseId("cas_1"),
        decision_id=DecisionId("dec_1"),
        version=1,
        state=DraftState.PENDING,
        message=Outbound(
            channel=ChannelKind.SMS,
            recipient="+4915112345678",
            subject="",
            body=body,
            links=(),
            locale="ja_JP",
            template="t@1",
            policy="p@1",
        ),
        slotted_subject="",
        slotted_body=slotted,
        used=tuple(slots),
        findings=(),
        facts_hash="",
        model_use=None,
        created_at=NOW,
        expires_at=NOW,
        review_reason="policy",
        cost_micros=0,
        segments=1,
        author="template",
    )
    console = Console(file=StringIO(), width=60, legacy_windows=False)
    console.print(message_view(draft))
    lines = str(console.file.getvalue()).splitlines()  # type: ignore[attr-defined]  # it is a StringIO
    return "".join(line[1:-1].strip() + "\n" for line in lines)


def used(**values: str) -> list[FilledSlot]:
    return [FilledSlot(slot=name.replace("__", "."), rendered=value) for name, value in values.items()]


def test_facts_stand_where_their_slots_stood() -> None:
    slots = used(order__number="1001", order__day="1 May")

    found = places("Order {order.number} of {order.day}, {order.number}", "Order 1001 of 1 May, 1001", slots)

    assert found == [
        Place(6, 10, "order.number"),
        Place(14, 19, "order.day"),
        Place(21, 25, "order.number"),
    ]
    shown_text = marked("Order 1001 of 1 May, 1001", found, {"order.number": 1, "order.day": 2})
    assert shown_text.plain == "Order 1001¹ of 1 May², 1001¹"


@given(first=VALUES, second=VALUES, between=st.text("xyz ", max_size=5))
def test_exact_places_hold_the_values(first: str, second: str, between: str) -> None:
    text = f"{first}{between}{second}"

    found = places(f"{{a.b}}{between}{{c.d}}", text, used(a__b=first, c__d=second))

    assert [(text[one.start : one.end], one.fact) for one in found] == [(first, "a.b"), (second, "c.d")]


def test_after_an_edit_the_values_are_looked_for_the_longest_first() -> None:
    text = "Sorry! Order 10012 (ex 1001)"

    found = places(text, text, used(a__b="1001", c__d="10012"))

    assert [(text[one.start : one.end], one.fact) for one in found] == [("10012", "c.d"), ("1001", "a.b")]


@pytest.mark.parametrize(
    ("body", "second", "words"),
    [
        pytest.param("漢" * 71, "漢" * 4, "2 segments, 71 characters, UCS-2", id="wide characters"),
        pytest.param("😀" * 36, "😀" * 3, "2 segments, 72 characters, UCS-2", id="emoji"),
        pytest.param("a" * 161, "a" * 8, "2 segments, 161 characters, GSM-7", id="letters"),
    ],
)
def test_an_sms_is_parted_where_phones_part_it(body: str, second: str, words: str) -> None:
    drawn = by_sms(body)

    assert "segment 1 of 2" in drawn
    assert drawn.partition("segment 2 of 2")[2].split("\n")[1] == second
    assert words in drawn


def test_a_text_of_one_segment_is_not_parted() -> None:
    drawn = by_sms("漢" * 70)

    assert "segment 1" not in drawn
    assert "1 segment, 70 characters, UCS-2" in drawn


def test_a_fact_over_two_segments_has_its_number_where_it_ends() -> None:
    drawn = by_sms("漢" * 65 + "{order.number} 済", order__number="12345")

    first, _, second = drawn.partition("segment 2 of 2")
    assert "12\n" in first
    assert "¹" not in first
    assert "345¹ 済" in second


@given(before=SHOWABLE, after=SHOWABLE)
def test_a_diff_can_be_read_back_to_both_texts(before: str, after: str) -> None:
    before, after = (re.sub(r"[\[\]+\-\t\\]", "", safe_text(text)) for text in (before, after))

    plain = differences(before, after).plain

    assert (
        re.sub(r"\[\+(.*?)\+\]", "", re.sub(r"\[-(.*?)-\]", r"\1", plain, flags=re.DOTALL), flags=re.DOTALL)
        == before
    )
    assert (
        re.sub(r"\[-(.*?)-\]", "", re.sub(r"\[\+(.*?)\+\]", r"\1", plain, flags=re.DOTALL), flags=re.DOTALL)
        == after
    )


@given(text=SHOWABLE, width=st.integers(1, 40))
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int) -> None:
    cell = clipped(text, width)

    assert cell_len(cell.plain) == width
    assert not any(is_hidden(char) or char in "\n\t" for char in cell.plain)


@pytest.mark.parametrize("text", ["x" * 100_000, "漢" * 50_000, "a\u0301" * 50_000, "\x1b[2J" * 20_000])
def test_a_very_long_line_is_cut_to_its_column(text: str) -> None:
    cell = clipped(text, 20)

    assert cell_len(cell.plain) == 20
    assert cell.plain.rstrip().endswith("…")


def test_markup_in_a_name_stays_text() -> None:
    assert shown("[b]x[/b] [/foo] [@click=app.quit]").spans == []
    assert shown("[b]x[/b]").plain == "[b]x[/b]"


@given(text=SHOWABLE)
def test_an_editor_that_changes_nothing_gives_the_text_back(text: str) -> None:
    if re.search(r"\\[uU]", text):  # a text that spells escapes keeps them as they are
        return

    assert restored(safe_text(text), text) == text


def test_an_escape_that_stood_in_the_text_stays_an_escape() -> None:
    assert restored("\\u200b and more", "\\u200b and") == "\\u200b and more"
    assert restored("\\u200b typed", "nothing hidden") == "\\u200b typed"


def test_each_link_is_shown_once_with_its_true_host() -> None:
    text = "See https://bank.example@evil.example/x and https://bank.example@evil.example/x."

    lines = [line.plain for line in link_lines(text)]

    assert len(lines) == 1
    assert lines[0].startswith("link → evil.example")
