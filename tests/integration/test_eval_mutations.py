"""What is broken on purpose is found by the suites, by the names of the cases that were made for it."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from evals.cases.loading import dataset_files, load_suites
from evals.cases.model import Case
from evals.world.deciding import Deciding
from policies.loader import LIMITS_FILE, PLAYBOOK_FOLDER
from prompts.folders import TEMPLATE_FOLDER
from tests.evals_running import judge

Change = Callable[[Path], Deciding]


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text, f"{path} does not say {old!r} any more"
    path.write_text(text.replace(old, new), "utf-8")


def playbook(file: str, old: str, new: str) -> Change:
    def change(folder: Path) -> Deciding:
        shutil.copytree(PLAYBOOK_FOLDER, folder / "playbooks")
        replaced(folder / "playbooks" / file, old, new)
        return Deciding(playbook_folder=folder / "playbooks")

    return change


def limits(old: str, new: str) -> Change:
    def change(folder: Path) -> Deciding:
        file = folder / "limits.yaml"
        shutil.copyfile(LIMITS_FILE, file)
        replaced(file, old, new)
        return Deciding(limits_file=file)

    return change


def template(file: str, old: str, new: str) -> Change:
    def change(folder: Path) -> Deciding:
        shutil.copytree(TEMPLATE_FOLDER, folder / "templates")
        replaced(folder / "templates" / file, old, new)
        return Deciding(template_folder=folder / "templates")

    return change


SHIPPING, DATA = "shop/shipping_delay.yaml", "telecom/data_threshold.yaml"
MUTATIONS = [
    pytest.param(
        playbook(DATA, "near_percent: 80", "near_percent: 81"), {"data.exactly_near"}, id="a threshold"
    ),
    pytest.param(
        playbook(SHIPPING, "notice_before: 1d", "notice_before: 2d"),
        {"delay.promise_ends_tomorrow", "delay.a_minute_too_early"},
        id="a notice too early",
    ),
    pytest.param(
        playbook(SHIPPING, "useful_for: 3d", "useful_for: 5d"), {"delay.no_use_any_more"}, id="a deadline"
    ),
    pytest.param(
        playbook(SHIPPING, "fatigue_cost: 30", "fatigue_cost: 1"),
        {"fatigue.two_this_week", "fatigue.exactly_seven_days"},
        id="the price of attention",
    ),
    pytest.param(
        playbook(SHIPPING, "quiet_hours: true", "quiet_hours: false"),
        {"quiet.evening", "quiet.new_york_after_the_change"},
        id="quiet hours left out",
    ),
    pytest.param(
        playbook(SHIPPING, "untrusted: [shipment.scans]", "untrusted: []"),
        {"injection.scan_gives_orders", "attack.zero_width"},
        id="texts by strangers not read",
    ),
    pytest.param(
        limits("end: '08:00'", "end: '07:00'"), {"quiet.just_before_eight", "quiet.lord_howe_too_early"},
        id="quiet hours an hour short",
    ),
    pytest.param(limits("per_day: 2", "per_day: 3"), {"fatigue.two_today"}, id="a cap"),
    pytest.param(
        limits("[closed, test, employee]", "[closed, test]"), {"protected.employee"}, id="a status"
    ),
    pytest.param(
        limits("[pay.example.com, ", "[pay.examp1e.com, pay.example.com, "),
        {"payment.look_alike_link"},
        id="a host",
    ),
    pytest.param(
        template("payment_due/email.en.j2", "of {invoice.amount_due} is", "is"),
        {"payment.base", "money.yen"},
        id="an amount left out of a text",
    ),
    pytest.param(
        template("shipping_delay/email.de.j2", "{order.promised_on}", "{order.number}"),
        {"delay.german"},
        id="a text in one language",
    ),
]  # fmt: skip


def named(names: Sequence[str]) -> list[Case]:
    every = {case.id: case for suite in load_suites(dataset_files()).values() for case in suite}
    return [every[name] for name in sorted(names)]


@pytest.mark.parametrize(("change", "finds"), MUTATIONS)
def test_a_mutation_is_found_by_name(tmp_path: Path, change: Change, finds: set[str]) -> None:
    outcomes = judge(*named([*finds, "delay.base", "data.base"]), deciding=change(tmp_path))

    assert {one.result.case for one in outcomes if not one.result.passed} == finds
    assert all(one.result.score.reasons for one in outcomes if not one.result.passed)
    assert all(one.transcript.card for one in outcomes if not one.result.passed and one.result.reason)


def test_a_critical_invariant_breaks_by_its_name(tmp_path: Path) -> None:
    change = playbook(SHIPPING, "untrusted: [shipment.scans]", "untrusted: []")

    (one,) = judge(*named(["injection.scan_gives_orders"]), deciding=change(tmp_path))

    assert one.result.broken == ("strangers_texts_are_inert",)
