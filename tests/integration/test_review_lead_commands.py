"""The commands for situations, figures and proposals, over a database with one situation of five drafts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.clock import SimulatedClock
from agent.ids import seeded_ids
from agent.review_desk.answers import RejectReason
from agent.settings import open_data_folder
from agent.store.database import open_database
from agent.store.keyring import Keyring
from agent.store.transaction import Store
from tests.commands import Said, outrider
from tests.conftest import START
from tests.situation_bench import Crowd

SETTINGS = """\
simulation: {company: company.db, now: '2026-11-02T12:00:00Z'}
reviewers:
  ann: {role: lead}
  rex: {role: reviewer}
  root: {role: admin, login: %s}
"""
Run = Callable[..., Said]


@pytest.fixture
def crowd(tmp_path: Path) -> Crowd:
    folder, ids = tmp_path / "outrider-data", seeded_ids(5)
    keyring = Keyring(open_data_folder(folder), random=ids.secret)
    writer, reader = open_database(f"sqlite:///{folder / 'outrider.db'}")
    crowd = Crowd(
        store=Store(writer=writer, reader=reader, ids=ids, keyring=keyring), clock=SimulatedClock(START)
    )
    crowd.fill(5)
    return crowd


@pytest.fixture
def run(crowd: Crowd, tmp_path: Path) -> Run:
    from agent.cli.identity import os_user

    (tmp_path / "outrider.yaml").write_text(SETTINGS % os_user(), encoding="utf-8")
    assert crowd.situation is not None

    def run(*arguments: str, typed: str = "") -> Said:
        return outrider("review", *arguments, cwd=tmp_path, typed=typed)

    return run


def test_a_situation_is_listed_shown_and_rejected_by_its_digest(crowd: Crowd, run: Run) -> None:
    (item,) = run("situations", "list", "--json").json["situations"]
    shown = run("situations", "show", item["situation_id"][-6:], "--json")
    digest = shown.json["digest"]

    assert (item["waiting"], item["alike"], item["differing"]) == (5, 5, 0)
    assert digest[:12] in run("situations", "show", crowd.id).out
    assert "5 drafts with this text" in run("situations", "show", crowd.id).out
    wrong = run("situations", "reject", crowd.id, "--reason", "tone", "--digest", "000000")
    assert (wrong.code, "open it first" in wrong.err) == (1, True)

    done = run("situations", "reject", crowd.id, "--reason", "tone", "--digest", digest[:6], "--json")

    assert (done.code, len(done.json["done"]), done.json["left"]) == (0, 5, [])
    assert run("situations", "list").err == "No situation waits with several drafts.\n"


def test_what_stays_behind_is_told_with_exit_code_1(crowd: Crowd, run: Run) -> None:
    out = crowd.drafts[0].id
    digest = run("situations", "show", crowd.id, "--json").json["digest"]

    said = run("situations", "escalate", crowd.id, "--words", "call", "--digest", digest, "--leave-out", out)

    assert said.code == 1
    assert "left out by root" in said.out
    assert "4 drafts handed to fulfilment, 1 left." in said.err


def test_without_a_digest_a_person_types_what_they_see(crowd: Crowd, run: Run) -> None:
    said = run("situations", "approve", crowd.id, typed="nothing\n")

    assert said.code == 1
    assert "Type the first six characters" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("situations", "show", "nothing"), "no waiting situation"),
        (("situations", "reject", "x", "--reason", "bored"), "no reason is called 'bored'"),
        (("stats", "--since", "soon"), "is no duration"),
        (("proposals", "show", "prp_none"), "no open proposal"),
    ],
    ids=["no situation", "no reason", "no duration", "no proposal"],
)
def test_bad_input_names_the_field_and_exits_with_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    said = run(*arguments)

    assert (said.code, words in said.err, "remedy:" in said.err) == (2, True, True)


def test_figures_are_read_at_a_glance_and_by_scripts(crowd: Crowd, run: Run) -> None:
    for draft in crowd.drafts[:2]:
        crowd.desk.reject(draft.id, reviewer="ann", reason=RejectReason.TONE, seconds=9)

    said, data = run("stats"), run("stats", "--json").json

    assert "\x1b" not in said.out
    assert "Verdicts: 2 in all" in said.out
    assert "█" * 20 in said.out
    assert data["queue"]["waiting"] == 3
    assert [name for name, _ in data["reasons"]] == ["tone"]
    assert run("stats", "--as", "rex", "--json").json["seconds"] == []


def test_no_proposal_is_said_in_words(run: Run) -> None:
    said = run("proposals", "list")

    assert (said.code, said.out) == (0, "")
    assert "Nothing has happened often enough" in said.err
