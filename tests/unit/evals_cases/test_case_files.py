"""What is wrong in a dataset is said with file, line, field and remedy."""

from pathlib import Path

import pytest

from evals.cases.loading import load_suite, load_suites
from tools.errors import InputError

GOOD = """\
scenario: shipping_delay
cases:
  - id: late
    family: correct_silence
    title: Late.
    twin: there
    expect: {decision: contact}
  - id: there
    family: correct_silence
    title: There.
    twin: late
    records: {order: {status: delivered}}
    expect: {decision: none}
"""


def problem_of(tmp_path: Path, text: str) -> InputError:
    file = tmp_path / "shipping.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_suites([file])
    assert caught.value.path == file
    assert caught.value.line
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "field", "remedy"),
    [
        ("status: delivered", "staus: delivered", "cases[1].records.order.staus", "did you mean `status`?"),
        ("status: delivered", "status: arrived", "records.order.status", "remedy: "),
        ("status: delivered", "promised_at: tomorrow", "records.order.promised_at", "write now, +2d"),
        ("status: delivered", "total: 1.005 EUR", "records.order.total", "write 2 decimals"),
        ("{order: {status: delivered}}", "{oder: {}}", "records.oder", "did you mean `order`?"),
        ("family: correct_silence", "family: silence", "cases[0].family", "did you mean `correct_silence`?"),
        ("decision: none", "decision: nothing", "expect.decision", "use one of: contact, defer"),
        ("twin: there", "twin: thre", "twin", "did you mean `there`?"),
        ("decision: none", "decision: contact", "twin", "take one that flips"),
        ("id: there", "id: late", "id", "give it another id"),
        ("scenario: shipping_delay", "scenario: ''", "scenario", "name it here"),
    ],
)
def test_mistakes_are_named_with_their_place(
    tmp_path: Path, old: str, new: str, field: str, remedy: str
) -> None:
    found = problem_of(tmp_path, GOOD.replace(old, new))

    assert field in str(found)
    assert remedy in str(found)


def test_two_things_at_once_are_refused(tmp_path: Path) -> None:
    events = "    events: [{after: 1h, approve: true, restart: true}]\n    expect: {decision: none}"

    found = problem_of(tmp_path, GOOD.replace("    expect: {decision: none}", events))

    assert "two things at once: approve, restart" in str(found)


def test_values_that_make_no_record_are_named(tmp_path: Path) -> None:
    found = problem_of(tmp_path, GOOD.replace("{status: delivered}", "{customer_id: null}"))

    assert "case there" in str(found)
    assert "order" in (found.field or "")


def test_cases_take_scenario_and_start_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "shipping.yaml"
    file.write_text(GOOD.replace("cases:", "now: '2026-12-24T18:00:00Z'\ncases:", 1), "utf-8")

    late, _ = load_suite(file)

    assert (late.scenario, late.start.isoformat()) == ("shipping_delay", "2026-12-24T18:00:00+00:00")


def test_a_file_with_one_wrong_case_is_not_also_called_empty(tmp_path: Path) -> None:
    only = GOOD.partition("  - id: there")[0].replace("decision: contact", "decision: contact, tells: [1001]")

    found = problem_of(tmp_path, only)

    assert "put the value in quotes" in str(found)
    assert "at least 1 item" not in str(found)


def test_a_file_without_cases_is_wrong(tmp_path: Path) -> None:
    assert "at least 1 item" in str(problem_of(tmp_path, "cases: []\n"))


def test_a_file_says_which_records_its_worlds_have(tmp_path: Path) -> None:
    file = tmp_path / "pickup.yaml"
    text = GOOD.replace("shipping_delay", "pickup_ready\nusual: [customer, order, shipment]")
    file.write_text(
        text.replace("{order: {status: delivered}}", "{order: {status: delivered}, shipment: []}")
    )

    late, there = load_suite(file)

    assert late.world.written() == {"customer": {}, "order": {}, "shipment": {}}
    assert there.world.written() == {"customer": {}, "order": {"status": "delivered"}, "shipment": []}


def test_records_that_do_not_exist_are_not_usual(tmp_path: Path) -> None:
    found = problem_of(tmp_path, f"usual: [shipmet]\n{GOOD}")

    assert (found.field, found.line) == ("usual", 1)
    assert found.remedy == "did you mean `shipment`?"
