"""What a person can get wrong in a playbook: the message names file, line, column, field and remedy."""

from pathlib import Path

import pytest

from policies.loader import LIMITS_FILE, PLAYBOOK_FOLDER, load_limits, load_playbook, load_playbooks
from tools.errors import InputError

SOURCE = (PLAYBOOK_FOLDER / "shop" / "shipping_delay.yaml").read_text(encoding="utf-8")


def mistake(folder: Path, text: str) -> InputError:
    path = folder / "shipping_delay.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_playbook(path)
    assert caught.value.path == path
    return caught.value


def place_of(text: str, mark: str) -> tuple[int, int]:
    at = text.index(mark)
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


MISTAKES = {
    # old text, new text, where, field, problem, remedy
    "broken YAML": ("queue: fulfilment", "queue: [fulfilment", ":\n  share", None, "broken YAML", "quotes"),
    "unknown field": ("queue: fulfilment", "queu: fulfilment", "queu:", "queu", "unknown field", "`queue`"),
    "unknown field below": (
        "benefit: 0",
        "benefits: 0",
        "benefits:",
        "value.benefits",
        "unknown",
        "`benefit`",
    ),
    "duplicate key": ("queue: fulfilment", "queue: a\nqueue: b", "queue: b", "queue", "twice", "keep one"),
    "time without quotes": ("max_age: 30m", "max_age: 22:30", "22:30", "max_age", "base 60", "in quotes"),
    "bad duration": ("max_age: 30m", "max_age: 30 min", "30 min", "max_age", "no duration", "3d, 36h, 1h30m"),
    "bad share": ("p_harm: '1%'", "p_harm: 1", "1\n  band", "value.p_harm", "no share", "'12.5%'"),
    "bad param": ("min_slip: 0h", "min_slip: 1.5", "1.5", "params.min_slip", "neither", "correct"),
    "wrong type": (
        "max_calls: 4",
        "max_calls: four",
        "four",
        "max_calls",
        "integer, not 'four'",
        "whole number",
    ),
    "unknown channel": ("kind: sms", "kind: smss", "smss", "channels[1].kind", "'smss'", "`sms`"),
    "yes for true": (
        "quiet_hours: true",
        "quiet_hours: yes",
        "yes\n",
        "quiet_hours",
        "boolean",
        "true or false",
    ),
    "reentry": (
        "policy: per_episode",
        "policy: after",
        "policy: after",
        "reentry",
        "`wait` is needed",
        "correct",
    ),
    "unknown variable": (
        "&& has.order.promised_at\n",
        "&& has.order.promisd_at\n",
        "has.order.promisd_at",
        "trigger.when",
        "unknown name `has.order.promisd_at`",
        "`has.order.promised_at`",
    ),
    "type error": (
        "&& has.order.promised_at\n",
        "&& order.total.minor > 2.5\n",
        "> 2.5",
        "trigger.when",
        "whole number and decimal number",
        "2 instead of 2.0",
    ),
    "bad duration in a condition": (
        "now >= order.promised_at)",
        'now >= order.promised_at + duration("1d"))',
        '"1d"',
        "trigger.when",
        "'1d' is no duration",
        "36h",
    ),
    "foreign word": (
        'refund_status == "full")\n    &&',
        'refund_status == "ful")\n    &&',
        '"ful"',
        "trigger.when",
        "never 'ful'",
        "'full'",
    ),
    "mistake in a later line of resolves_on": (
        '"cancelled", "failed"]',
        '"canceled", "failed"]',
        '"canceled"',
        "resolves_on",
        "never 'canceled'",
        "'cancelled'",
    ),
    "mistake in a quoted episode": (
        "has.order.promised_on ?",
        "has.order.promised_om ?",
        "has.order.promised_om",
        "trigger.episode",
        "unknown name",
        "promised_on`",
    ),
    "timer that is no timestamp": (
        "    - order.promised_at\n",
        "    - order.promised_on\n",
        "order.promised_on\n  #",
        "trigger.timers[1]",
        "must come to timestamp, not string",
        "name a timestamp",
    ),
    "condition on text by strangers": (
        "&& has.order.promised_at\n",
        '&& customer.name != "x"\n',
        ">-\n    order.status",
        "trigger.when",
        "text by strangers",
        "other fields",
    ),
    "unknown record": (
        "record: order",
        "record: ordr",
        "ordr",
        "trigger.record",
        "unknown record",
        "`order`",
    ),
    "record twice": ("[shipment, customer]", "[order]", "order]", "trigger.related[0]", "twice", "remove"),
    "scope": (
        "record: order",
        "record: order\n  scope: affected",
        "affected",
        "trigger.scope",
        "incident",
        "owner",
    ),
    "unused param": (
        "useful_for: 3d",
        "useful_for: 3d\n  spare: 1",
        "1\n\ndead",
        "params.spare",
        "no condition",
        "remove",
    ),
    "unknown fact": (
        "- order.total\n",
        "- order.totl\n",
        "order.totl",
        "facts[7]",
        "unknown fact",
        "`order.total`",
    ),
    "fact without record": (
        "- order.total\n",
        "- usage.left\n",
        "usage.left",
        "facts[7]",
        "needs the record `usage`",
        "related",
    ),
    "untrusted fact": (
        "- order.total\n",
        "- customer.name\n",
        "customer.name",
        "facts[7]",
        "strangers",
        "first_name",
    ),
    "trusted as untrusted": (
        "[shipment.scans]",
        "[order.number]",
        "order.number]\nsit",
        "untrusted[0]",
        "not written",
        "facts",
    ),
    "required but not gathered": (
        "required_facts: [order.number,",
        "required_facts: [order.payment_status,",
        "order.payment_status,",
        "required_facts[0]",
        "not gathered",
        "add it to facts",
    ),
    "stake that is no money": (
        "stake: order.total",
        "stake: order.number",
        "order.number\n\nch",
        "stake",
        "no amount of money",
        "order.total",
    ),
    "stake that is not gathered": (
        "- order.total\n",
        "- order.delivered_at\n",
        "order.total\n",
        "stake",
        "not gathered",
        "add it to facts",
    ),
    "situation by number": (
        "situation: [",
        "situation: [order.number, ",
        "order.number, order.status",
        "situation[0]",
        "too many",
        "flag",
    ),
    "channel twice": (
        "kind: sms",
        "kind: email",
        "email, template: sms",
        "channels[1].kind",
        "twice",
        "remove",
    ),
    "holdout of a safety notice": (
        "purpose: service",
        "purpose: safety",
        "share: '10%'",
        "holdout",
        "kept back",
        "remove",
    ),
    "scenario and file name": (
        "scenario: shipping_delay\n",
        "scenario: late_order\n",
        "late_order",
        "scenario",
        "the file is called",
        "late_order.yaml",
    ),
}


@pytest.mark.parametrize(
    ("old", "new", "mark", "field", "problem", "remedy"), MISTAKES.values(), ids=MISTAKES
)
def test_each_mistake_names_its_place_and_remedy(
    old: str, new: str, mark: str, field: str | None, problem: str, remedy: str, tmp_path: Path
) -> None:
    assert old in SOURCE
    text = SOURCE.replace(old, new, 1)

    error = mistake(tmp_path, text)

    line, column = place_of(text, mark)
    assert str(error).startswith(f"{tmp_path / 'shipping_delay.yaml'}:{line}:{column}: ")
    assert field is None or error.field == field
    assert problem in error.problem
    assert remedy in (error.remedy or "")


def test_messages_about_debt_may_not_be_sent_without_a_person(tmp_path: Path) -> None:
    text = SOURCE.replace("purpose: service", "purpose: collections").replace(
        "review: required", "review: auto"
    )

    error = mistake(tmp_path, text)

    assert (error.field, error.remedy) == ("review", "write required")


def test_mistakes_of_several_kinds_are_told_together_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SOURCE.replace("has.order.promised_on ?", "has.order.promised_om ?").replace(
        "[shipment.scans]", "[a.b]"
    )

    error = mistake(tmp_path, text)

    assert [one.field for one in (error, *error.also)] == ["trigger.episode", "untrusted[0]"]


def test_two_files_of_one_scenario_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "shipping_delay.yaml").write_text(SOURCE, encoding="utf-8")

    with pytest.raises(
        InputError, match=r"b/shipping_delay.yaml: scenario: .* is also in .*a/shipping_delay.yaml"
    ):
        load_playbooks(tmp_path)


def test_a_missing_folder_is_a_mistake_and_not_an_empty_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        load_playbooks(tmp_path / "none")


LIMITS = LIMITS_FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "mark", "field", "problem"),
    [
        pytest.param(
            "start: '21:00'", "start: 21:00", "21:00\n", "quiet_hours.start", "base 60", id="no quotes"
        ),
        pytest.param(
            "start: '21:00'", "start: '24:00'", "'24:00'", "quiet_hours.start", "no time of day", id="24:00"
        ),
        pytest.param(
            "per_day: 2", "per_day: -1", "-1", "caps.per_day", "greater than or equal to 0", id="below 0"
        ),
        pytest.param(
            "[safety,", "[saftey,", "saftey", "quiet_hours.exempt[0]", "'saftey'", id="unknown purpose"
        ),
        pytest.param(
            "source_max_age: 1h",
            "source_max_age: 1",
            "1\n\n# Exact",
            "source_max_age",
            "no duration",
            id="age",
        ),
        pytest.param("  NO: [", "  1: [", "1: [", None, "the key 1 is no text", id="country"),
    ],
)
def test_each_mistake_in_the_limits_names_its_place(
    old: str, new: str, mark: str, field: str | None, problem: str, tmp_path: Path
) -> None:
    assert old in LIMITS
    text = LIMITS.replace(old, new, 1)
    path = tmp_path / "limits.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError) as caught:
        load_limits(path)

    line, column = place_of(text, mark)
    assert str(caught.value).startswith(f"{path}:{line}:{column}: ")
    assert field is None or caught.value.field == field
    assert problem in caught.value.problem
