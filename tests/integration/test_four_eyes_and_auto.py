"""Two people come before a playbook that asks nobody: refused by purpose, kept back by amount."""

import re
import shutil
from pathlib import Path

import pytest

from agent.domain.drafts import DraftState
from policies.loader import PLAYBOOK_FOLDER, REVIEW_FILE, check_four_eyes, load_playbooks, load_review_rules
from tests.bench_worlds import plain
from tests.builders import changed, playbook
from tests.commands import outrider
from tests.running import AT_ONCE, Installation, settle
from tools.errors import InputError
from tools.records.base import Money
from tools.records.commerce import Order

COMMANDS = [("playbooks", "check"), ("doctor",), ("run", "--once"), ("review", "list"), ("review",)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Settings whose rules want two people for what a playbook sends unseen."""
    shutil.copytree(PLAYBOOK_FOLDER, tmp_path / "books")
    rules = REVIEW_FILE.read_text("utf-8")
    assert "  purposes: [collections]\n" in rules
    changed_rules = rules.replace("  purposes: [collections]\n", "  purposes: [collections, service]\n")
    (tmp_path / "rules.yaml").write_text(changed_rules, "utf-8")
    (tmp_path / "outrider.yaml").write_text("data: data\nplaybooks: books\nreview: rules.yaml\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_purpose_that_two_people_must_approve_is_never_sent_unseen(
    folder: Path, command: tuple[str, ...]
) -> None:
    said = outrider(*command, cwd=folder)

    words = re.sub(r"\s+", " ", said.out + said.err)
    assert said.code == 2, words
    at = next(
        number
        for number, line in enumerate((folder / "rules.yaml").read_text("utf-8").splitlines(), start=1)
        if "purposes: [collections, service]" in line
    )
    for word in ("data_threshold.yaml:58", "review", "four_eyes.purposes", f"rules.yaml, line {at}"):
        assert word in words
    assert "write `review: required`, or take service out of `four_eyes.purposes`" in words
    if command != ("doctor",):  # which proves that the data folder can be used
        assert not (folder / "data").exists()


def test_every_such_playbook_is_named(folder: Path) -> None:
    book = folder / "books" / "shop" / "shipping_delay.yaml"
    book.write_text(book.read_text("utf-8").replace("review: required", "review: auto"), "utf-8")
    rules = load_review_rules(folder / "rules.yaml")

    with pytest.raises(InputError) as caught:
        check_four_eyes(load_playbooks(folder / "books").values(), rules, path=folder / "rules.yaml")

    assert "shipping_delay.yaml" in str(caught.value)
    assert "data_threshold.yaml" in str(caught.value)


def test_what_is_shipped_does_not_contradict_itself() -> None:
    check_four_eyes(
        load_playbooks(PLAYBOOK_FOLDER).values(), load_review_rules(REVIEW_FILE), path=REVIEW_FILE
    )


async def test_an_amount_that_two_people_must_approve_waits_and_the_others_leave(
    place: Installation,
) -> None:
    for number, minor in enumerate((9_999, 10_000)):
        person, order, *rest = plain(number)
        assert isinstance(order, Order)
        total = Money(minor=minor, currency="USD")
        place.source.add(person, changed(order, total=total), *rest)
    rules = AT_ONCE.model_copy(
        update={"four_eyes": AT_ONCE.four_eyes.model_copy(update={"stake": {"USD": 10_000}})}
    )
    auto = playbook("shipping_delay", holdout=None, review="auto")
    app = place.start(playbooks={"shipping_delay": auto}, rules=rules)

    await settle(app)

    (left,) = place.sent()
    (waits,) = app.desk.list_drafts()
    assert (waits.customer_id, waits.state, waits.review_reason) == (
        "c0000001",
        DraftState.PENDING,
        "four_eyes",
    )
    assert "c0000000" in left.recipient
    answer = app.desk.approve(waits.draft_id, reviewer="ann", shown=waits.content_hash)
    assert answer.outcome == "second_needed"
