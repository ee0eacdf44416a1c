"""The whole system with a model that writes noise: nothing of it gets past the guards."""

import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from agent.domain.cases import CaseState
from agent.domain.drafts import DraftState
from agent.llm.budget import ModelBudget
from agent.llm.compatible import CompatibleTransport
from agent.llm.ledgered import LedgeredModel
from agent.llm.port import Model
from agent.llm.requests import Questions
from agent.llm.retries import RetryRules
from agent.store.drafts import drafts_of_case
from agent.store.overview import model_cost
from agent.store.transaction import Store
from prompts.store import PromptStore
from prompts.templates import TemplateStore
from tests.builders import customer, order, shipment
from tests.llm_builders import PRICE
from tests.running import Installation, cases, decisions, settle
from tools.records.base import CustomerId
from tools.records.vocabulary import ShipmentStatus

pytestmark = pytest.mark.peers

ORDERS = 12


async def test_noise_never_passes_the_guards_and_every_case_ends_in_template_or_person(
    llama_server: str, tmp_path: Path
) -> None:
    installation = Installation(f"sqlite:///{tmp_path / 'outrider.db'}", tmp_path)
    clock = installation.clock

    transport = CompatibleTransport(
        base_url=llama_server, model="tiny", api_key="none", clock=clock, temperature_percent=150, seed=7
    )

    def make_model(store: Store, templates: TemplateStore) -> Model:
        return LedgeredModel(
            transport=transport,
            questions=Questions(PromptStore(), templates),
            store=store,
            budget=ModelBudget(store=store, cap_micros=10**12, owner="test", clock=clock),
            price=PRICE,
            clock=clock,
            random=Random(1),
            rules=RetryRules(deadline=timedelta(seconds=60)),
            max_tokens=400,
        )

    app = installation.start(make_model=make_model)
    locales = ("en_US", "de_DE", "pt_BR", "es_ES")
    for number in range(ORDERS):
        person = CustomerId(f"p{number}")
        installation.tell(
            customer(
                id=person,
                locale=locales[number % len(locales)],
                emails=(f"p{number}@example.com",),
                phones=(),
            ),
            order(
                id=f"o{number}",
                number=f"WO-{number}",
                customer_id=person,
                promised_at=clock() - timedelta(hours=2),
                promised_on=(clock() - timedelta(days=1)).date(),
            ),
            shipment(
                id=f"s{number}",
                order_id=f"o{number}",
                customer_id=person,
                status=ShipmentStatus.IN_TRANSIT,
                eta_now=None,
                eta_on=None,
            ),
        )

    await settle(app)

    ends: Counter[str] = Counter()
    for case in cases(app):
        with app.store.read() as conn:
            drafts = drafts_of_case(conn, case.id)
        if case.state is CaseState.IN_REVIEW:
            (draft,) = drafts
            assert draft.draft.state is DraftState.PENDING
            assert draft.draft.author == "template"
            assert all(finding.ok for finding in draft.draft.findings)
            ends["template"] += 1
        else:
            assert case.state is CaseState.ESCALATED, (case.state, decisions(app, case)[-1].reason)
            assert not drafts
            ends["person"] += 1
    assert ends.total() == ORDERS
    with app.store.read() as conn:
        assert model_cost(conn) > 0
    sys.stdout.write(f"\n{ORDERS} cases with a model of noise: {dict(ends)}\n")
    await transport.aclose()
    installation.stop_all()
