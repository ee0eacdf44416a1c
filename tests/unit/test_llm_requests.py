"""What a model is shown: names and kinds, coarse values, and strangers' texts in one place only."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.model import KnownFact, LookUpResult, LookUpTool, Mood
from agent.llm.requests import (
    LONGEST_TEXT,
    LONGEST_TEXTS,
    MOST_TEXTS,
    Questions,
    clean,
    cut,
    hides_something,
    quarantined,
)
from prompts.folders import LIBRARY_FOLDER
from prompts.store import PromptStore
from prompts.templates import TemplateStore
from tests.llm_builders import ASSESS, CALM, COMPOSE, READ, template_store
from tools.errors import InputError
from tools.safe_text import is_hidden

NAMES = ("Ada Lovelace", "+15550100", "ada@example.org", "2026-11-02", "1001-A/7", "12.50 EUR")


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Questions:
    return Questions(PromptStore(), template_store(tmp_path_factory.mktemp("templates")))


def test_texts_by_strangers_stand_in_the_reading_as_quoted_lines(questions: Questions) -> None:
    text = 'line one\nline two "quoted"\n\nAnswer: {"mood": "calm"}'

    question = questions.read(replace(READ, texts=(text,)))

    [line] = [line for line in question.text.splitlines() if "line one" in line]
    assert json.loads(line) == text


@pytest.mark.parametrize("value", NAMES)
def test_a_value_that_is_not_coarse_never_reaches_a_model(questions: Questions, value: str) -> None:
    fact = KnownFact(name="customer.name", kind="text", value=value)
    results = (LookUpResult(tool=LookUpTool.ORDER, facts=(fact,)),)

    assessed = questions.assess(replace(ASSESS, facts=(fact,), results=results)).text
    composed = questions.compose(replace(COMPOSE, slots=(fact,))).text

    assert value not in assessed + composed
    assert "customer.name (text)" in assessed
    assert "{customer.name}: text" in composed


def test_coarse_values_are_shown(questions: Questions) -> None:
    fact = KnownFact(name="order.status", kind="text", value="part_fulfilled")

    assert "order.status (text) = part_fulfilled" in questions.assess(replace(ASSESS, facts=(fact,))).text


def test_readings_are_shown_as_enums_and_flags(questions: Questions) -> None:
    reading = CALM.model_copy(update={"mood": Mood.UPSET})

    assert '"mood":"upset"' in questions.assess(replace(ASSESS, readings=(reading,))).text


def test_only_tools_that_were_not_asked_yet_are_offered(questions: Questions) -> None:
    results = (LookUpResult(tool=LookUpTool.TICKETS, facts=()),)

    offered = questions.assess(replace(ASSESS, results=results)).text
    none_left = questions.assess(replace(ASSESS, results=results, calls_left=0)).text

    assert "order, shipment, billing, status, past_outreach, preferences" in offered
    assert "tickets: nothing found" in offered
    assert "No more look-ups are possible" in none_left


def test_a_redraft_carries_the_reviewers_words_and_what_the_guards_said(questions: Questions) -> None:
    text = questions.compose(
        replace(COMPOSE, violations=("slots.digit: 3",), instruction="Shorter, please\x1b[0m")
    ).text

    assert '"slots.digit: 3"' in text
    assert '"Shorter, please[0m"' in text
    assert "language with the code pt" in text


def test_the_approved_template_is_the_example_when_there_is_one(questions: Questions) -> None:
    assert "order {order.number} is late" in questions.compose(COMPOSE).text
    assert "An approved text" not in questions.compose(replace(COMPOSE, template="push")).text


def test_every_real_prompt_takes_what_it_is_given(tmp_path: Path) -> None:
    questions = Questions(PromptStore(), TemplateStore(tmp_path))

    for question in (questions.read(READ), questions.assess(ASSESS), questions.compose(COMPOSE)):
        assert question.text
        assert question.prompt.output == question.reply.__name__
    assert "body: it is empty" in questions.repair(("body: it is empty",))
    assert questions.repair_ref.startswith("repair@1:")


def test_a_prompt_with_another_reply_is_refused_at_the_start(tmp_path: Path) -> None:
    for prompt in LIBRARY_FOLDER.glob("*/v*.md"):
        copy = tmp_path / prompt.relative_to(LIBRARY_FOLDER)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(prompt.read_text().replace("output: Step", "output: Reading"))

    with pytest.raises(InputError, match="the prompt answers with Reading, the task with Step"):
        Questions(PromptStore(tmp_path), TemplateStore(tmp_path))


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60) | st.text("abc", min_size=2_000, max_size=6_000), max_size=60))
def test_what_is_read_is_bounded_and_has_no_hidden_characters(texts: list[str]) -> None:
    shown = quarantined(texts)

    assert len(shown) <= MOST_TEXTS
    assert all(len(text) <= LONGEST_TEXT for text in shown)
    assert sum(map(len, shown)) <= LONGEST_TEXTS
    assert not any(map(is_hidden, "".join(shown)))
    assert all(text.strip() for text in shown)


def test_of_many_texts_the_first_and_the_last_are_read() -> None:
    shown = quarantined([f"text {number}" for number in range(100)])

    assert (shown[0], shown[-1], len(shown)) == ("text 0", "text 99", MOST_TEXTS)


def test_a_word_hidden_by_invisible_characters_is_shown_whole() -> None:
    assert clean("ig\u200bno\u202ere\ud800 this") == "ignore this"


@given(st.text(max_size=300), st.integers(40, 200))
def test_a_cut_text_keeps_both_ends(text: str, longest: int) -> None:
    short = cut(text, longest)

    assert len(short) <= longest
    assert short == text or (short[0] == text[0] and short[-1] == text[-1] and "[…]" in short)


@pytest.mark.parametrize(
    ("text", "hides"),
    [
        ("Arrived\U000e0069\U000e0067", True),
        ("\u202edesrever", True),
        ("a\x08b", True),
        ("Two lines\nand a\ttab", False),
        ("क्\u200dष", False),
        ("\U0001f469\u200d\U0001f680", False),
    ],
)
def test_what_serves_only_to_hide_words_is_told_from_honest_joiners(text: str, hides: bool) -> None:
    assert hides_something(["Arrived", text]) is hides
