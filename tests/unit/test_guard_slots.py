import random
import string
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.guards.finding import Finding
from policies.guards.slots import check_slotted
from tests.unit.slotted_drafts import ALLOWED, DRAFTS, Draft
from tools.records.vocabulary import Purpose

START, END = DRAFTS.start, DRAFTS.end
LETTERS = string.ascii_lowercase
HIDDEN = [chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) in {"Cf", "Zl", "Zp"}]


def name_of(draft: Draft) -> str:
    return f"{draft.guard} {draft.name}".strip()


def failed(body: str, *, subject: str = "", language: str = "en") -> list[Finding]:
    findings = check_slotted(subject, body, allowed=ALLOWED, language=language)
    return [finding for finding in findings if not finding.ok]


def guards(findings: list[Finding]) -> set[str]:
    return {finding.guard for finding in findings}


def test_the_corpora_are_large_enough() -> None:
    assert len(DRAFTS.good) >= 20
    assert len(DRAFTS.bad) >= 40


@pytest.mark.parametrize("draft", DRAFTS.good, ids=name_of)
def test_good_draft_passes(draft: Draft) -> None:
    assert failed(DRAFTS.body_of(draft), subject=draft.subject, language=draft.language) == []


@pytest.mark.parametrize("draft", DRAFTS.bad, ids=name_of)
def test_bad_draft_is_refused_by_the_guard_that_should(draft: Draft) -> None:
    found = failed(DRAFTS.body_of(draft), subject=draft.subject, language=draft.language)

    assert f"slots.{draft.guard}" in guards(found)


@pytest.mark.parametrize("draft", [draft for draft in DRAFTS.bad if draft.middle], ids=name_of)
def test_a_bad_subject_is_refused_like_a_bad_body(draft: Draft) -> None:
    found = failed(f"{START}{END}", subject=DRAFTS.body_of(draft).replace("\n", " "))

    assert f"slots.{draft.guard}" in guards(found)


def test_a_required_slot_that_is_not_used_is_named() -> None:
    findings = check_slotted("", START + END, allowed=ALLOWED, required=("order.total",), language="en")

    missing = next(finding for finding in findings if finding.guard == "slots.missing")
    assert (missing.ok, missing.detail) == (False, "{order.total}")


def test_every_guard_reports_even_when_all_is_well() -> None:
    first = check_slotted("", START + END, allowed=ALLOWED, language="en")
    second = check_slotted("", "rubbish 7", allowed=ALLOWED, language="en")

    assert [finding.guard for finding in first] == [finding.guard for finding in second]
    assert len({finding.guard for finding in first}) == len(first)
    assert all(finding.ok and not finding.detail for finding in first)


def test_the_detail_quotes_what_is_wrong() -> None:
    found = failed(START + "It arrives tomorrow or on Friday." + END)

    assert [(finding.guard, finding.detail) for finding in found] == [("slots.calendar", "Friday, tomorrow")]


def test_words_of_selling_may_stand_in_marketing_only() -> None:
    body = START + "See our special offers." + END

    findings = check_slotted("", body, allowed=ALLOWED, language="en", purpose=Purpose.MARKETING)

    assert all(finding.ok for finding in findings)
    assert guards(failed(body)) == {"slots.promotion"}


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), words=st.integers(1, 60))
def test_random_letters_never_pass(seed: int, words: int) -> None:
    dice = random.Random(seed)
    noise = ["".join(dice.choices(LETTERS, k=dice.randint(1, 9))) for _ in range(words)]
    body = " ".join(noise).capitalize() + " {order.number}."

    assert "slots.gibberish" in guards(failed(body))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    pieces=st.lists(
        st.sampled_from(["the", "ing", "{order.number}", "\n", "er", "▁", "ion", "."]), max_size=30
    ),
)
def test_fragments_of_words_never_pass(seed: int, pieces: list[str]) -> None:
    dice = random.Random(seed)
    body = "".join(f"{piece}{''.join(dice.choices(LETTERS, k=3))} " for piece in pieces) + "."

    assert failed(body)


@settings(max_examples=80)
@given(place=st.integers(0, len(START)), char=st.characters(categories=["Nd", "Nl", "No"]))
def test_a_digit_of_any_script_is_refused_anywhere(place: int, char: str) -> None:
    body = f"{START[:place]}{char}{START[place:]}{END}"

    assert "slots.digit" in guards(failed(body))


@settings(max_examples=80)
@given(place=st.integers(0, len(START)), char=st.sampled_from(HIDDEN))
def test_a_hidden_character_is_refused_anywhere(place: int, char: str) -> None:
    body = f"{START[:place]}{char}{START[place:]}{END}"

    assert "slots.hidden" in guards(failed(body))


@settings(max_examples=60)
@given(text=st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    findings = check_slotted(text, text, allowed=ALLOWED, language="en")

    assert all(len(finding.detail) <= 200 for finding in findings)
