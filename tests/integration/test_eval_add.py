"""A decision that was made becomes a case that can be tried again, without what identifies people."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from agent.bootstrap import App
from agent.errors import NotFoundError
from evals.cases.loading import DATASETS, load_suite
from evals.cases.model import Family
from evals.regression.append import append_case
from evals.regression.capture import Captured, Wishes, capture_case
from tests.builders import NOW, customer, invoice, order, preference, shipment, ticket
from tests.evals_running import judge
from tests.running import Installation, cases, decisions, settle
from tools.errors import InputError
from tools.records.base import Record
from tools.records.commerce import Scan
from tools.records.vocabulary import ShipmentStatus

PLAIN = Wishes(family=None, twin=None, expect=None, keep_texts=False)
PRIVATE = ("Grace", "Hopper", "grace@navy.example", "+12125550199", "A-99177", "1Z999", "customer-77")
PERSON = customer(
    id="customer-77", name="Grace Hopper", emails=("grace@navy.example",), phones=("+12125550199",)
)
BOUGHT = order(id="A-99177", number="A-99177", customer_id="customer-77")
SENT = shipment(id="1Z999", tracking_no="1Z999", order_id="A-99177", customer_id="customer-77")


async def decided(tmp_path: Path, *records: Record) -> tuple[Installation, App, str]:
    made = Installation(f"sqlite:///{tmp_path / 'outrider.db'}", tmp_path)
    made.tell(*records)
    app = made.start()
    await settle(app)
    (case,) = cases(app)
    return made, app, decisions(app, case)[-1].id


@pytest.mark.parametrize(
    ("more", "family"),
    [
        pytest.param([], Family.CORRECT_SILENCE, id="a contact"),
        pytest.param(
            [ticket(id="t9", customer_id="customer-77", about="order:A-99177")],
            Family.OPEN_TICKET,
            id="an escalation",
        ),
        pytest.param(
            [preference(id="p9", customer_id="customer-77")], Family.CORRECT_SILENCE, id="another channel"
        ),
    ],
)
async def test_the_case_decides_as_the_system_did(tmp_path: Path, more: list[Record], family: Family) -> None:
    made, app, ref = await decided(tmp_path, PERSON, BOUGHT, SENT, *more)
    folder = tmp_path / "datasets"
    folder.mkdir()
    shutil.copyfile(DATASETS / "shipping_delay.yaml", folder / "shipping_delay.yaml")
    captured = capture_case(app, ref, PLAIN, folder)
    (was,) = [one for case in cases(app) for one in decisions(app, case)]
    made.stop_all()
    file = folder / "taken.yaml"

    append_case(captured, file)
    (case,) = load_suite(file)
    (again,) = await asyncio.to_thread(judge, case)  # it has an event loop of its own

    assert again.result.passed, again.result.score.reasons
    assert (again.result.decided.value, again.result.reason) == (was.kind.value, was.reason)
    assert (case.start, case.family) == (NOW, family)
    assert "null" not in captured.yaml, "what a record has anyhow is not written"


async def test_nobody_can_be_recognised(tmp_path: Path) -> None:
    scan = Scan(at=NOW - timedelta(days=1), status=ShipmentStatus.IN_TRANSIT, text="left with Mr Hopper")
    parcel = shipment(**{**dict(SENT), "scans": (scan,)})
    made, app, ref = await decided(tmp_path, PERSON, BOUGHT, parcel)

    captured = capture_case(app, ref, PLAIN, DATASETS)
    made.stop_all()

    assert [word for word in PRIVATE if word in captured.yaml] == []
    assert "A text was here." in captured.yaml


async def test_records_are_as_they_were_when_it_was_decided(tmp_path: Path) -> None:
    bill = invoice(customer_id="customer-77")
    made, app, ref = await decided(tmp_path, PERSON, bill)
    made.tell(invoice(**{**dict(bill), "amount_due": {"minor": 1, "currency": "USD"}}))
    await settle(app)

    captured = capture_case(app, ref, PLAIN, DATASETS)
    made.stop_all()

    assert "amount_due: 120.00 USD" in captured.yaml


async def test_a_wrong_decision_expects_the_right_one(tmp_path: Path) -> None:
    made, app, ref = await decided(tmp_path, PERSON, BOUGHT, SENT)
    wishes = Wishes(family="protected", twin="delay.base", expect="escalate", keep_texts=False)

    captured = capture_case(app, ref, wishes, DATASETS)
    made.stop_all()

    assert "decision: escalate" in captured.yaml
    assert "escalate would have been right" in captured.yaml
    assert "family: protected" in captured.yaml


async def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    made, app, ref = await decided(tmp_path, PERSON, BOUGHT, SENT)
    wrong = Wishes(family="protcted", twin=None, expect=None, keep_texts=False)

    with pytest.raises(NotFoundError):
        capture_case(app, "dec_nothing", PLAIN, DATASETS)
    with pytest.raises(InputError, match="did you mean `protected`"):
        capture_case(app, ref, wrong, DATASETS)
    made.stop_all()


def test_a_dataset_that_would_be_wrong_is_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "taken.yaml"
    shutil.copyfile(DATASETS / "regression.yaml", file)
    shutil.copyfile(DATASETS / "payment_due.yaml", tmp_path / "payment_due.yaml")
    before = file.read_text("utf-8")

    with pytest.raises(InputError, match="family"):
        append_case(Captured(case_id="x", yaml="  - id: x\n    title: No family.\n"), file)

    assert file.read_text("utf-8") == before
