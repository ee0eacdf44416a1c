"""What every model behind the port keeps, whether rules or an endpoint."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SimulatedClock
from agent.domain.model import Assessment, Composition, LookUpResult, Reading, Step
from agent.errors import ModelError
from agent.llm.port import Model
from agent.llm.rules import RulesModel
from agent.store.llm_calls import get_calls
from agent.store.transaction import Store
from prompts.render import slots_of
from tests.llm_builders import ASSESS, CALM, COMPOSE, READ, Bench, template_store
from tests.scripted_server import Reply, completion, serve

ASSESSED = {"step": {"action": "assess", "warranted": "yes", "concern": "none"}}
COMPOSED = {"subject": "Order {order.number}", "body": "Hello {customer.first_name}, it is late."}
ANSWERS = {"read": CALM.model_dump(mode="json"), "assess": ASSESSED, "compose": COMPOSED}


def well_behaved(request: dict[str, Any]) -> Reply:
    return completion(json.dumps(ANSWERS[request["response_format"]["json_schema"]["name"]]))


@pytest.fixture(params=["rules", "compatible"])
async def model(
    request: pytest.FixtureRequest, store: Store, clock: SimulatedClock, tmp_path: Path
) -> AsyncGenerator[Model]:
    templates = template_store(tmp_path / "templates")
    if request.param == "rules":
        yield RulesModel(templates)
        return
    bench = Bench(store, clock, templates)
    async with serve(well_behaved) as server:
        yield bench.model(server.url)
        for transport in bench.opened:
            await transport.aclose()


async def test_each_question_gets_an_answer_of_its_type(model: Model) -> None:
    assert isinstance((await model.read(READ)).value, Reading)
    assert isinstance((await model.assess(ASSESS)).value, Step)
    assert isinstance((await model.compose(COMPOSE)).value, Composition)


async def test_an_answer_names_the_model_that_gave_it(model: Model) -> None:
    for answer in (await model.read(READ), await model.assess(ASSESS), await model.compose(COMPOSE)):
        assert answer.use.model == model.name
        assert answer.use.cost_micros >= 0
        assert answer.use.fallback == ""


async def test_a_text_comes_with_the_version_and_hash_of_what_it_was_made_from(model: Model) -> None:
    use = (await model.compose(COMPOSE)).use

    assert "@" in use.prompt
    assert len(use.prompt_hash) == 64


async def test_the_calls_of_an_answer_are_in_the_ledger(model: Model, store: Store) -> None:
    use = (await model.read(READ)).use

    with store.read() as conn:
        assert tuple(call.id for call in get_calls(conn, use.calls)) == use.calls
    assert bool(use.calls) is (model.name != "rules")


async def test_judging_ends_within_the_calls_that_are_left(model: Model) -> None:
    results: tuple[LookUpResult, ...] = ()
    for calls_left in range(2, -1, -1):
        request = replace(ASSESS, results=results, calls_left=calls_left)
        step = (await model.assess(request)).value.step
        if isinstance(step, Assessment):
            return
        results = (*results, LookUpResult(tool=step.tool, facts=()))
    pytest.fail("it never came to an assessment")


async def test_a_text_uses_only_the_slots_it_was_given(model: Model) -> None:
    text = (await model.compose(COMPOSE)).value

    allowed = {slot.name for slot in COMPOSE.slots}
    assert set(slots_of(text.subject)) | set(slots_of(text.body)) <= allowed


async def test_the_same_question_gets_the_same_answer(model: Model) -> None:
    first = await model.compose(COMPOSE)
    again = await model.compose(COMPOSE)

    assert first.value == again.value
    assert first.use.calls == again.use.calls


async def test_texts_of_any_kind_are_read_or_refused_as_a_model_error(model: Model) -> None:
    for text in ("", "\x00\x1b[31m", "\ud800", "x" * 100_000, "{{ 7 * 7 }}", "\u202egnp.exe", '"}]}'):
        try:
            answer = await model.read(replace(READ, texts=(text,)))
        except ModelError:
            continue
        assert isinstance(answer.value, Reading)
