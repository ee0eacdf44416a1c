"""The schemas that are sent are what strict modes take; replies are checked beyond them."""

import json
from contextlib import suppress
from importlib import import_module
from typing import Any, Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from agent.domain.model import Assessment, Composition, Concern, LookUp, LookUpTool, Reading, Step, Warranted
from agent.llm.structured import LONGEST_BODY, ReplyError, parse_reply, reply_schema, schema_text
from tests.llm_builders import CALM

REPLIES: list[type[BaseModel]] = [Reading, Step, Composition]


def objects(node: object) -> list[dict[str, Any]]:
    """Return every object schema inside a schema."""
    if isinstance(node, dict):
        schema = cast("dict[str, Any]", node)
        own = [schema] if schema.get("type") == "object" else []
        return own + [found for value in schema.values() for found in objects(value)]
    if isinstance(node, list):
        return [found for value in cast("list[object]", node) for found in objects(value)]
    return []


@pytest.mark.parametrize("reply", REPLIES)
def test_every_object_is_closed_and_all_its_fields_are_required(reply: type[BaseModel]) -> None:
    found = objects(reply_schema(reply))

    assert found
    for schema in found:
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("reply", REPLIES)
def test_keywords_that_a_strict_mode_may_refuse_are_not_sent(reply: type[BaseModel]) -> None:
    text = schema_text(reply_schema(reply))

    for keyword in ("oneOf", "discriminator", "default", "title", "maxLength", "minLength", "pattern"):
        assert f'"{keyword}":' not in text


@pytest.mark.parametrize("reply", REPLIES)
def test_the_root_is_an_object(reply: type[BaseModel]) -> None:
    assert reply_schema(reply)["type"] == "object"


@pytest.mark.parametrize("reply", REPLIES)
def test_llama_cpp_takes_the_schema_as_a_grammar(reply: type[BaseModel]) -> None:
    xllamacpp = import_module("xllamacpp")  # a compiled module without types

    assert xllamacpp.json_schema_to_grammar(schema_text(reply_schema(reply)))


def test_the_branches_of_a_step_differ_by_a_constant() -> None:
    schema: Any = reply_schema(Step)

    branches = [
        schema["$defs"][branch["$ref"].rsplit("/")[-1]] for branch in schema["properties"]["step"]["anyOf"]
    ]
    assert {branch["properties"]["action"]["const"] for branch in branches} == {"look_up", "assess"}


class _Bounded(BaseModel):
    text: str = Field(max_length=5)


class _Open(BaseModel):
    values: dict[str, int]


@pytest.mark.parametrize("reply", [_Bounded, _Open])
def test_a_reply_type_beyond_what_strict_modes_take_is_refused_here(reply: type[BaseModel]) -> None:
    with pytest.raises(TypeError):
        reply_schema(reply)


def test_defaults_become_required() -> None:
    class _Defaulted(BaseModel):
        mood: Literal["calm"] = "calm"

    assert reply_schema(_Defaulted)["required"] == ["mood"]


steps = st.one_of(
    st.builds(LookUp, action=st.just("look_up"), tool=st.sampled_from(LookUpTool)),
    st.builds(
        Assessment,
        action=st.just("assess"),
        warranted=st.sampled_from(Warranted),
        concern=st.sampled_from(Concern),
    ),
)


@given(steps)
def test_a_step_survives_the_way_as_json(step: LookUp | Assessment) -> None:
    reply = Step(step=step)

    assert parse_reply(Step, reply.model_dump_json()) == reply


@given(st.text(max_size=200))
def test_any_text_is_a_reply_or_a_reply_error(text: str) -> None:
    with suppress(ReplyError):
        assert isinstance(parse_reply(Reading, text), Reading)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"mood": "joyful"}, "mood: Input should be 'calm', 'upset' or 'hostile'"),
        ({"suspicious": "yes"}, "suspicious: Input should be a valid boolean"),
        ({"phone": "+15550100"}, "phone: Extra inputs are not permitted"),
    ],
)
def test_problems_name_the_field_and_never_repeat_the_value(change: dict[str, object], problem: str) -> None:
    with pytest.raises(ReplyError) as caught:
        parse_reply(Reading, json.dumps({**CALM.model_dump(mode="json"), **change}))

    assert caught.value.problems == (problem,)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("S", ""),
        ("S", "  \n "),
        ("S", "x" * (LONGEST_BODY + 1)),
        ("S" * 301, "B"),
        ("two\nlines", "B"),
        ("S", "escape \x1b[31m"),
        ("S", "turned \u202e over"),
        ("nul \x00", "B"),
    ],
)
def test_a_text_that_no_channel_could_carry_does_not_fit(subject: str, body: str) -> None:
    with pytest.raises(ReplyError):
        parse_reply(Composition, json.dumps({"subject": subject, "body": body}))


def test_a_text_without_subject_fits() -> None:
    assert parse_reply(Composition, '{"subject": "", "body": "Two\\nlines"}').body == "Two\nlines"
