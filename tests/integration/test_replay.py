"""A made-up history through the real loop: what is sent, that it repeats, and that nothing looks ahead."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
import typer
from sqlmodel import select

from agent.bootstrap import App
from agent.store.tables.mirror import MirrorRecord
from evals.replay.command import add_to
from evals.replay.live import LiveCompany
from evals.replay.olist import OrderHistory
from evals.replay.run import Replayed, replay
from evals.replay.trigger_table import sweep_history
from policies.holdout import draw
from tests.builders import playbooks
from tests.replaying import CONFIG, CONNECTOR, DAY, END, HOUR, START, history, no_progress, order, plan
from tools.errors import InputError
from tools.records.commerce import Order
from tools.records.registry import parse_body


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A served week, and what the mirror held that it must not hold."""

    folder: Path
    done: Replayed
    looks: int
    """Orders looked at in the mirror, over all ticks."""
    ahead: list[str]
    """Records with a date later than the simulated now."""


def served(folder: Path) -> Week:
    looks: list[str] = []
    ahead: list[str] = []

    def look(app: App, now: datetime) -> None:
        with app.store.read() as conn:
            rows = conn.execute(
                select(MirrorRecord.type, MirrorRecord.id, MirrorRecord.body, MirrorRecord.source_updated_at)
            ).all()
        for record_type, record_id, body, changed_at in rows:
            dates: list[datetime | None] = [changed_at]
            record = parse_body(record_type, body)
            if isinstance(record, Order):
                looks.append(record_id)
                dates += [record.placed_at, record.handed_over_at, record.delivered_at]
            ahead.extend(f"{record_id} at {now}" for at in dates if at is not None and at > now)

    done = asyncio.run(replay(plan(folder), progress=no_progress, after_tick=look))
    return Week(folder=folder, done=done, looks=len(looks), ahead=ahead)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    return served(tmp_path_factory.mktemp("week"))


def held_out(one: OrderHistory) -> bool:
    playbook = playbooks()["shipping_delay"].playbook
    return draw(playbook.holdout, customer_id=one.person_id, scenario=playbook.scenario)[0]


def outbox(folder: Path) -> set[str]:
    """Return the order numbers that the messages in the outbox speak of."""
    texts = [json.loads(path.read_text("utf-8"))["message"]["body"] for path in folder.rglob("*.json")]
    return {one.order_id for one in history() if any(one.order_id in text for text in texts)}


def test_orders_that_stay_away_are_written_about_once_and_others_never(week: Week) -> None:
    done = week.done
    written = outbox(week.folder / "outbox")

    for one in history():
        fires = max(one.promised_end - DAY, START)
        useful = one.promised_end + 3 * DAY
        # a message needs a night to pass, a reviewer and a tick, so only clear cases are judged
        away = one.delivered_at is None or one.delivered_at > fires + 30 * HOUR
        if one.delivered_at is not None and one.delivered_at <= fires:
            assert one.order_id not in written
        elif (
            away and fires + 30 * HOUR < min(END, useful) and one.purchased_at <= fires and not held_out(one)
        ):
            assert one.order_id in written
        if held_out(one):
            assert one.order_id not in written
    assert done.messages == len(written) == len(list((week.folder / "outbox").rglob("*.json"))) > 5
    assert done.approvals["approved"] == done.messages


def test_a_replay_reports_what_it_did_and_verifies(week: Week) -> None:
    done = week.done

    bought = [one for one in history() if START <= one.purchased_at < END]
    assert done.audit_ok, done.audit_fault
    assert done.events > done.signals > 0
    assert (done.bought, done.late_share) == (len(bought), sum(one.late for one in bought) / len(bought))
    assert done.open_at_start == sum(
        one.purchased_at < START and (one.delivered_at is None or one.delivered_at > START)
        for one in history()
    )
    assert done.quarantined == 0
    assert not done.failures
    assert done.score is not None
    assert done.score.messaged == done.messages
    assert done.score.lead_days is not None
    assert done.score.lead_days[0] > 0
    assert sum(number for *_, number in done.decisions) >= done.signals


def test_the_same_history_gives_the_same_decisions(week: Week, tmp_path: Path) -> None:
    again = served(tmp_path).done

    assert again.digest == week.done.digest != sha256(b"").hexdigest()
    assert again.decisions == week.done.decisions
    assert again.events == week.done.events


def test_the_mirror_never_holds_a_date_that_has_not_come(week: Week) -> None:
    assert week.ahead == []
    assert week.looks > 500


async def test_an_order_long_overdue_at_the_start_is_counted_and_left_alone(tmp_path: Path) -> None:
    lost = order("lost", bought=START - 30 * DAY, promised=(START - 10 * DAY).date(), delivered=None)
    done = await replay(plan(tmp_path, [lost], end=START + DAY), progress=no_progress)

    assert (done.open_at_start, done.too_late, done.signals, done.messages) == (1, 1, 0, 0)


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")

    with pytest.raises(InputError, match="must be empty"):
        served(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_each_rule_signals_an_undelivered_order_once_at_its_midnight(tmp_path: Path) -> None:
    days = (1, 0, -1)

    run = sweep_history(
        history(), days, folder=tmp_path, connector=CONNECTOR, progress=no_progress, tick=6 * HOUR
    )

    for number in days:
        expected = {
            one.order_id: max(one.promised_end - number * DAY, one.purchased_at)
            for one in history()
            if one.delivered_at is None
            or one.delivered_at > max(one.promised_end - number * DAY, one.purchased_at)
        }
        assert sorted(order_id for order_id, _ in run.opened[number]) == sorted(expected)
        assert all(expected[one] <= at < expected[one] + 6 * HOUR for one, at in run.opened[number])


def test_the_company_shows_a_change_from_its_own_second_on(tmp_path: Path) -> None:
    one = order()
    assert one.delivered_at is not None
    company = LiveCompany(tmp_path / "company.db", [one])

    before = company.advance(one.delivered_at - HOUR)
    at = company.advance(one.delivered_at)
    after = company.advance(one.delivered_at + DAY)
    company.close()

    assert (before, at, after) == (3, 1, 0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        pytest.param(["--from", "2018-13-01"], "--from", id="no such day"),
        pytest.param(["--to", "tomorrow"], "--to", id="no day"),
        pytest.param(["--from", "2018-04-01", "--to", "2018-04-01"], "--to", id="no time between"),
        pytest.param(["--tick", "soon"], "--tick", id="no duration"),
        pytest.param(["--tick", "4h"], "--tick", id="drafts would expire"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], field: str, tmp_path: Path) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    add_to(app)

    with pytest.raises(InputError) as caught:
        app(["--data", str(tmp_path), *arguments], standalone_mode=False)

    assert caught.value.field == field


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)
    add_to(app)

    with pytest.raises(InputError, match="olist_orders"):
        app(["--data", str(tmp_path)], standalone_mode=False)


async def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    wrong = replace(plan(tmp_path), config=CONFIG.with_name("nowhere.yaml"))

    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        await replay(wrong, progress=no_progress)
