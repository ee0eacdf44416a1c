"""What a reviewer sees around a draft: history, when it would leave, how old facts are, what locks it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.bootstrap import App
from agent.domain.drafts import DeliveryState
from agent.domain.queue import QueueFilter
from agent.domain.reviewers import Role, Roster
from agent.review_desk.answers import RejectReason
from agent.review_desk.views import DraftView, TimelineEntry
from policies.loader import REVIEW_FILE, load_review_rules
from policies.review_rules import Risk
from tests.builders import DAY, HOUR, NOW, customer, invoice, limits, order, preference, shipment, ticket
from tests.running import AT_ONCE, Installation, approve_all, delivery_states, settle, the_draft
from tools.records.base import CustomerId, Money
from tools.records.commerce import Scan
from tools.records.people import Note
from tools.records.vocabulary import ConsentState, ShipmentStatus

RULES = load_review_rules(REVIEW_FILE)
QUIET = limits().model_copy(
    update={
        "quiet_hours": limits().quiet_hours.model_copy(
            update={"start": NOW.time(), "end": (NOW + HOUR).time()}
        )
    }
)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(f"sqlite:///{tmp_path / 'outrider.db'}", tmp_path)
    made.tell(customer(tz="UTC", phones=()), order(total=Money(minor=60_000, currency="USD")))
    yield made
    made.stop_all()


async def drafted(installation: Installation, **changes: object) -> App:
    app = installation.start(**changes)
    await settle(app)
    return app


def seen(app: App, reviewer: str | None = None) -> DraftView:
    return app.desk.show(the_draft(app).draft_id, reviewer=reviewer)


async def test_the_graph_puts_a_draft_where_its_risk_wants_it(installation: Installation) -> None:
    app = await drafted(installation)

    item = the_draft(app)

    assert (item.risk, item.stake) == (Risk.HIGH, Money(minor=60_000, currency="USD"))
    assert item.review_by == item.created_at + RULES.sla.high
    assert (item.customer_name, item.object_ref, item.situation_size) == ("Ada Lovelace", "order:o1", 1)
    assert app.desk.list_drafts(QueueFilter(search="lovelace")) == [item]


async def test_the_history_is_newest_first_and_marks_strangers_words(installation: Installation) -> None:
    app = await drafted(installation)
    installation.tell(
        shipment(
            last_scan_at=NOW - 3 * HOUR,
            scans=(Scan(at=NOW - 4 * HOUR, status=ShipmentStatus.IN_TRANSIT, text="<b>late</b>"),),
        ),
        invoice(due_at=NOW + 30 * DAY),
        preference(state=ConsentState.OPTED_IN),
        ticket(about=None, subject="where is it?"),
        Note(id="t9", customer_id=CustomerId("c1"), about="order:o1", text="call me", at=NOW - 2 * DAY),
    )
    await settle(app)

    timeline = seen(app).timeline

    assert [entry.at for entry in timeline] == sorted((entry.at for entry in timeline), reverse=True)
    assert {entry.kind for entry in timeline} == {
        *("order", "shipment", "invoice", "preference", "ticket", "note"),
    }
    assert {(entry.kind, entry.words) for entry in timeline if not entry.trusted} == {
        ("shipment", "scan: in transit: “<b>late</b>”"),
        ("ticket", "ticket by email: order_status, open: “where is it?”"),
        ("note", "note: “call me”"),
    }
    assert (
        TimelineEntry(
            at=NOW - 5 * DAY,
            kind="order",
            ref="order:o1",
            words="order 1001 placed, 600.00 USD, promised for 2026-11-01",
            trusted=True,
        )
        in timeline
    )


async def test_our_own_messages_are_part_of_the_history(installation: Installation) -> None:
    app = await drafted(installation)
    draft_id = the_draft(app).draft_id
    approve_all(app)
    await settle(app)

    (message,) = [one for one in app.desk.show(draft_id).timeline if one.kind == "message"]

    assert (message.at, message.trusted) == (NOW, True)
    assert message.words.endswith(": accepted")


async def test_nobody_elses_history_is_shown(installation: Installation) -> None:
    installation.tell(customer(id="c2"), ticket(customer_id=CustomerId("c2"), about=None))
    app = await drafted(installation)

    assert {entry.ref for entry in seen(app).timeline} == {"order:o1"}


async def test_a_free_way_leaves_when_undo_is_over(installation: Installation) -> None:
    app = await drafted(installation, rules=RULES)

    forecast = seen(app).forecast

    assert forecast is not None
    assert (forecast.leaves_at, forecast.zone) == (NOW + RULES.undo, "UTC")
    assert (forecast.segments, forecast.needs_second) == (1, False)


async def test_quiet_hours_say_when_it_leaves(installation: Installation) -> None:
    app = await drafted(installation)
    installation.stop(app)
    app = installation.start(limits=QUIET)

    forecast = seen(app).forecast

    assert forecast is not None
    assert forecast.leaves_at == NOW + HOUR
    assert "Quiet hours" in forecast.why


async def test_a_gate_that_forbids_says_so(installation: Installation) -> None:
    app = await drafted(installation)
    installation.tell(preference())  # opted out of service mail
    await settle(app)

    forecast = seen(app).forecast

    assert forecast is not None
    assert forecast.leaves_at is None
    assert forecast.why


async def test_a_great_stake_asks_for_a_second_person(installation: Installation) -> None:
    installation.tell(order(total=Money(minor=200_000, currency="USD")))
    app = await drafted(installation)

    forecast = seen(app).forecast

    assert forecast is not None
    assert forecast.needs_second


async def test_facts_grow_old(installation: Installation) -> None:
    app = await drafted(installation)
    assert set(seen(app).fact_states.values()) == {"fresh"}

    installation.clock.advance(timedelta(minutes=30, seconds=1))

    assert set(seen(app).fact_states.values()) == {"old"}


async def test_locks_say_why_and_what_to_do(installation: Installation) -> None:
    roster = Roster({"ann": Role.REVIEWER, "bob": Role.REVIEWER, "eve": Role.VIEWER})
    app = await drafted(installation, roster=roster)
    first = the_draft(app)

    def locks(reviewer: str | None) -> list[str]:
        return [lock.kind for lock in app.desk.show(the_draft(app).draft_id, reviewer=reviewer).locks]

    assert (locks(None), locks("ann"), locks("eve")) == ([], [], ["role"])
    app.desk.open(first.draft_id, reviewer="bob")
    assert (locks(None), locks("ann"), locks("bob")) == (["claimed"], ["claimed"], ["floor"])
    text = f"{first.body}\nThank you."
    app.desk.edit(first.draft_id, reviewer="bob", shown=first.content_hash, subject=first.subject, body=text)
    assert (locks("bob"), locks("ann")) == (["own_edit"], [])
    installation.clock.set(the_draft(app).expires_at)
    assert locks("ann") == ["expired"]
    app.desk.reject(the_draft(app).draft_id, reviewer="ann", reason=RejectReason.TONE)
    assert [lock.kind for lock in app.desk.show(first.draft_id).locks] == ["case_moved"]


@pytest.mark.parametrize(("own_edits", "locks"), [("forbid", ["own_edit"]), ("allow", [])])
async def test_the_rules_say_whether_an_own_edit_may_be_approved(
    installation: Installation, own_edits: str, locks: list[str]
) -> None:
    app = await drafted(installation, rules=AT_ONCE.model_copy(update={"own_edits": own_edits}))
    first = the_draft(app)
    app.desk.edit(
        first.draft_id,
        reviewer="ann",
        shown=first.content_hash,
        subject=first.subject,
        body=f"{first.body}\nThank you.",
    )

    shown = app.desk.show(the_draft(app).draft_id, reviewer="ann")
    assert [lock.kind for lock in shown.locks] == locks


async def test_what_is_approved_waits_until_it_can_no_longer_be_undone(installation: Installation) -> None:
    app = await drafted(installation, rules=RULES)
    item = the_draft(app)

    answer = app.desk.approve(item.draft_id, reviewer="ann", shown=item.content_hash)

    assert (answer.leaves_at, answer.undo_until) == (NOW + RULES.undo, NOW + RULES.undo)
    installation.clock.advance(RULES.undo - timedelta(milliseconds=1))
    await settle(app)
    assert delivery_states(app) == {DeliveryState.QUEUED: 1}
    installation.clock.advance(timedelta(milliseconds=1))
    await settle(app)
    assert delivery_states(app) == {DeliveryState.ACCEPTED: 1}
