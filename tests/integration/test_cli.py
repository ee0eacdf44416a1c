"""The command line over a real demo: every verdict, hashes and prefixes of ids, JSON, exit codes, help."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer.main

from agent.cli.main import app
from tests.commands import Said, outrider, plant_nothing, refused, untouched


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that was served for a day and left four drafts."""
    folder = tmp_path_factory.mktemp("served")
    said = outrider(
        "demo", "--folder", "outrider-data", "--customers", "250", "--days", "1", "--json", cwd=folder
    )
    assert said.code == 0, said.err
    assert said.json["waiting"] >= 2
    plant_nothing(folder / "outrider-data")
    return folder


@pytest.fixture
def desk(served: Path, tmp_path: Path) -> Callable[..., Said]:
    """Runs a command over a copy of the demo."""
    folder = tmp_path / "copy"
    shutil.copytree(served, folder)

    def run(*arguments: str | Path, typed: str = "") -> Said:
        return outrider(*arguments, cwd=folder, typed=typed)

    return run


Run = Callable[..., Said]


def first_draft(desk: Run) -> dict[str, Any]:
    (draft,) = desk("review", "list", "--limit", "1", "--json").json["drafts"]
    return dict(draft)


def outbox(folder: Path) -> set[Path]:
    return {path for path in (folder / "outrider-data" / "outbox").rglob("*") if path.is_file()}


def drafts(desk: Run, *options: str) -> list[dict[str, Any]]:
    return list(desk("review", "list", "--json", *options).json["drafts"])


def test_an_approved_text_is_in_the_outbox_byte_for_byte(desk: Run, tmp_path: Path) -> None:
    draft = first_draft(desk)
    before = outbox(tmp_path / "copy")

    approved = desk("review", "approve", draft["draft_id"], "--hash", draft["content_hash"][:6], "--json")
    ran = desk("run", "--once", "--json")

    assert approved.json["outcome"] == "approved"
    assert [one["customer_id"] for one in ran.json["sent"]] == [draft["customer_id"]]
    (file,) = outbox(tmp_path / "copy") - before
    left = json.loads(file.read_bytes())
    assert left["idempotency_key"] == approved.json["delivery_id"]
    assert left["content_hash"] == draft["content_hash"]
    assert "\n".join(left["lines"]).encode() == draft["body"].encode()
    assert left["message"]["subject"] == draft["subject"]
    assert desk("audit", "verify").code == 0


def test_one_byte_changed_in_the_database_makes_verify_name_the_event(desk: Run, tmp_path: Path) -> None:
    file = tmp_path / "copy" / "outrider-data" / "outrider.db"
    with closing(sqlite3.connect(file)) as database, database:
        (event,) = database.execute("SELECT id FROM audit_event ORDER BY id LIMIT 1 OFFSET 9").fetchone()
        database.execute(
            "UPDATE audit_event SET envelope = replace(envelope, '2026', '2027') WHERE id = ?", [event]
        )

    said = desk("audit", "verify")

    assert said.code == 1
    assert event in said.out


def test_people_see_the_queue_and_a_card(desk: Run) -> None:
    draft = first_draft(desk)

    listed = desk("review", "list")
    shown = desk("review", "show", draft["draft_id"])

    assert listed.code == shown.code == 0
    assert draft["draft_id"] in listed.out, "an id must be copied whole"
    assert draft["content_hash"][:6] in shown.out
    text = shown.out.translate(dict.fromkeys(map(ord, "⁰¹²³⁴⁵⁶⁷⁸⁹")))  # the figures that mark facts
    for line in filter(None, draft["body"].splitlines()):
        assert line[:40] in text
    assert "\x1b" not in listed.out + shown.out


def test_the_start_of_an_id_is_enough(desk: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "copy" / "outrider-data" / "outrider.db")) as database:
        every = [one for (one,) in database.execute("SELECT id FROM draft")]
    wanted = first_draft(desk)["draft_id"]
    start = next(
        wanted[:end] for end in range(5, 99) if sum(one.startswith(wanted[:end]) for one in every) == 1
    )

    shown = desk("review", "show", start, "--json")

    assert shown.json["draft"]["draft"]["id"] == wanted


@pytest.mark.parametrize("typed", [str.upper, str.lower], ids=["as_printed", "in_small_letters"])
def test_the_last_four_characters_of_an_id_are_enough(desk: Run, typed: Callable[[str], str]) -> None:
    waiting = drafts(desk)
    ends = Counter(draft["draft_id"][-4:] for draft in waiting)
    wanted = next(draft["draft_id"] for draft in waiting if ends[draft["draft_id"][-4:]] == 1)

    shown = desk("review", "show", typed(wanted[-4:]), "--json")

    assert shown.json["draft"]["draft"]["id"] == wanted


def test_an_id_that_names_no_one_draft_is_refused(desk: Run) -> None:
    wanted = first_draft(desk)["draft_id"]

    refused(desk("review", "show", "nothing"), "no draft", "review list")
    refused(desk("review", "show", wanted[-3:]), "no draft", "at least four")
    refused(desk("review", "show", "drf_"), "several drafts", wanted[:6], "more characters")


def test_a_wrong_hash_approves_nothing(desk: Run) -> None:
    draft = first_draft(desk)

    refused(desk("review", "approve", draft["draft_id"], "--hash", "000000"), code=1)

    assert first_draft(desk) == draft


def test_the_hash_can_be_typed(desk: Run) -> None:
    draft = first_draft(desk)

    said = desk("review", "approve", draft["draft_id"], typed=draft["content_hash"][:6] + "\n")

    assert said.code == 0, said.err
    assert draft["draft_id"] not in {one["draft_id"] for one in drafts(desk)}


def test_what_was_decided_cannot_be_decided_again(desk: Run) -> None:
    draft = first_draft(desk)
    assert desk("review", "reject", draft["draft_id"], "--reason", "tone").code == 0

    refused(
        desk("review", "approve", draft["draft_id"], "--hash", draft["content_hash"][:6]), "rejected", code=1
    )


def test_an_edited_text_waits_as_a_new_version_and_is_sent_as_edited(desk: Run, tmp_path: Path) -> None:
    draft = first_draft(desk)
    new_text = tmp_path / "new.txt"
    new_text.write_text(draft["body"] + "\n\nKind regards", encoding="utf-8")
    before = outbox(tmp_path / "copy")

    edited = desk("review", "edit", draft["draft_id"], "--body", new_text, "--json")
    shown = desk("review", "show", edited.json["draft"], "--json").json["draft"]
    own = desk("review", "approve", edited.json["draft"], "--hash", shown["content_hash"][:6])
    desk("review", "approve", edited.json["draft"], "--hash", shown["content_hash"][:6], "--as", "bob")
    desk("run", "--once")

    refused(own, "own_edits", code=1)

    (file,) = outbox(tmp_path / "copy") - before
    assert json.loads(file.read_bytes())["message"]["body"].endswith("Kind regards")


def test_an_edit_with_a_foreign_link_is_refused(desk: Run, tmp_path: Path) -> None:
    draft = first_draft(desk)
    new_text = tmp_path / "new.txt"
    new_text.write_text(draft["body"] + "\n\nhttps://evil.example.net/x", encoding="utf-8")

    refused(desk("review", "edit", draft["draft_id"], "--body", new_text), "evil.example.net", code=1)

    assert first_draft(desk) == draft


def test_a_rejected_draft_leaves_the_queue(desk: Run) -> None:
    draft = first_draft(desk)

    assert desk("review", "reject", draft["draft_id"], "--reason", "not_useful").code == 0

    assert draft["draft_id"] not in {one["draft_id"] for one in drafts(desk)}
    assert draft["draft_id"] in {one["draft_id"] for one in drafts(desk, "--state", "rejected")}


def test_another_text_can_be_asked_for(desk: Run) -> None:
    draft = first_draft(desk)

    assert desk("review", "redraft", draft["draft_id"], "--say", "shorter, please").code == 0
    assert desk("run", "--once").code == 0

    new = [one for one in drafts(desk) if one["case_id"] == draft["case_id"]]
    assert [one["version"] for one in new] == [draft["version"] + 1]


def test_a_case_can_be_handed_to_people(desk: Run) -> None:
    draft = first_draft(desk)

    assert desk("review", "escalate", draft["draft_id"], "--words", "they called us").code == 0

    shown = desk("audit", "show", draft["case_id"])
    assert shown.code == 0
    assert "escalate" in shown.out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["review", "list", "--state", "lost"], "lost"),
        (["review", "reject", "drf_", "--reason", "bored"], "bored"),
        (["stop", "--reason", "x", "--channel", "fax"], "fax"),
        (["stop", "--reason", "x", "--channel", "sms", "--scenario", "y"], "not both"),
        (["audit", "list", "--kind", "maybe"], "maybe"),
        (["audit", "verify", "--against", "seven"], "seven"),
    ],
    ids=["state", "reason", "channel", "both", "kind", "head"],
)
def test_words_that_do_not_exist_are_refused(desk: Run, arguments: list[str], word: str) -> None:
    refused(desk(*arguments), word)


def test_a_stop_holds_an_approved_message_until_it_is_lifted(desk: Run) -> None:
    draft = first_draft(desk)
    desk("review", "approve", draft["draft_id"], "--hash", draft["content_hash"][:6])

    assert desk("stop", "--reason", "drill").code == 0
    assert desk("run", "--once", "--json").json["sent"] == []
    assert desk("status").code == 0
    assert desk("resume").code == 0


@pytest.mark.parametrize(
    "command",
    ["review list", "audit list", "audit verify", "status", "doctor", "playbooks check", "run --once"],
)
def test_data_commands_print_json_and_nothing_else_to_stdout(desk: Run, command: str) -> None:
    said = desk(*command.split(), "--json")

    assert said.code == 0, said.err
    assert said.json is not None


@pytest.mark.parametrize("command", ["review list", "audit list", "status", "doctor", "playbooks check"])
def test_no_colours_are_printed_when_nobody_looks(desk: Run, command: str) -> None:
    assert "\x1b" not in desk(*command.split()).out


def test_a_folder_without_anything_says_how_to_begin(tmp_path: Path) -> None:
    refused(outrider("review", "list", cwd=tmp_path), "outrider demo", "outrider init")
    assert list(tmp_path.iterdir()) == []


def test_a_demo_does_not_replace_what_is_no_demo(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")

    with untouched(tmp_path):
        refused(outrider("demo", "--folder", "mine", cwd=tmp_path), "mine", "--folder")


def test_a_first_set_up_is_complete_but_for_the_database(tmp_path: Path) -> None:
    assert outrider("init", cwd=tmp_path).code == 0

    said = outrider("doctor", cwd=tmp_path)
    assert said.code == 2
    assert "SHOP_DB_URL" in said.out
    with untouched(tmp_path):
        refused(outrider("init", cwd=tmp_path), "outrider.yaml", "exists")


def commands(group: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    for name, command in getattr(group, "commands", {}).items():
        found += commands(command, (*path, name))
    return found


@pytest.mark.parametrize("path", commands(typer.main.get_command(app)), ids=" ".join)
def test_every_command_explains_itself(tmp_path: Path, path: tuple[str, ...]) -> None:
    said = outrider(*path, "--help", cwd=tmp_path)

    assert said.code == 0
    assert "Usage" in said.out
    assert len(said.out.splitlines()) > 5
