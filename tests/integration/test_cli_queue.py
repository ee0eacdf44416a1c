"""`outrider review`: filters, counts, claims, identities, and messages that can still be undone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli.identity import os_user
from policies.loader import REVIEW_FILE
from tests.commands import Said, outrider, plant_nothing, refused

Run = Callable[..., Said]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    said = outrider("demo", "--folder", "outrider-data", "--customers", "250", "--days", "1", cwd=folder)
    assert said.code == 0, said.err
    plant_nothing(folder / "outrider-data")
    return folder


def plant(folder: Path, share: str) -> None:
    """Choose in how many drafts a mistake is planted."""
    rules = REVIEW_FILE.read_text(encoding="utf-8").replace("seeds: '2%'", f"seeds: '{share}'")
    (folder / "mine.yaml").write_text(rules, encoding="utf-8")


@pytest.fixture
def desk(served: Path, tmp_path: Path) -> Run:
    """Runs a command over a copy of the demo; the only draft in it that counts is the first."""
    folder = tmp_path / "copy"
    shutil.copytree(served, folder)
    return lambda *arguments: outrider(*arguments, cwd=folder)


def ids(said: Said) -> list[str]:
    return [draft["draft_id"] for draft in said.json["drafts"]]


def set_up(tmp_path: Path, people: str) -> None:
    with (tmp_path / "copy" / "outrider-data" / "outrider.yaml").open("a", encoding="utf-8") as file:
        file.write(f"reviewers: {people}\n")


def test_all_pages_hold_what_the_count_says(desk: Run) -> None:
    counts = desk("review", "counts", "--json").json
    everything = desk("review", "list", "--all", "--json")

    assert everything.json["total"] == counts["waiting"] == len(ids(everything)) >= 2
    due = [draft["review_by"] for draft in everything.json["drafts"]]
    assert due == sorted(due)
    assert ids(desk("review", "list", "--limit", "1", "--json")) == ids(everything)[:1]


def test_filters_of_the_command_are_those_of_the_desk(desk: Run) -> None:
    first = desk("review", "list", "--json").json["drafts"][0]

    def found(*options: str) -> bool:
        return first["draft_id"] in ids(desk("review", "list", "--json", *options))

    for option, word in (
        ("scenario", first["scenario"]),
        ("channel", first["channel"]),
        ("risk", first["risk"]),
    ):
        assert found(f"--{option}", word)
    assert found("--search", first["draft_id"][-6:])
    assert found("--search", first["object_ref"].upper(), "--claimed", "nobody", "--reason", "policy")
    assert not found("--search", "nobody is called like this")
    assert not found("--claimed", "me")
    assert not found("--snoozed")


@pytest.mark.parametrize(
    "option", [("--risk", "huge"), ("--channel", "fax"), ("--claimed", "you"), ("--state", "lost")]
)
def test_a_word_that_is_not_known_is_refused(desk: Run, option: tuple[str, str]) -> None:
    refused(desk("review", "list", *option), *option)


def test_a_claim_by_command(desk: Run) -> None:
    opened = desk("review", "next", "--as", "ann", "--json")
    draft = opened.json["ticket"]

    assert opened.json["draft"]["claimed_by"] == "ann"
    refused(desk("review", "open", draft, "--as", "bob"), "held by ann", code=1)
    assert desk("review", "counts", "--as", "ann", "--json").json["mine"] == 1
    renewed = desk("review", "renew", draft, "--as", "ann", "--json")
    assert renewed.json["claimed_until"] >= opened.json["draft"]["claimed_until"]
    assert desk("review", "release", draft, "--as", "bob", "--json").json == {
        "draft": draft,
        "released": True,
    }
    assert desk("review", "open", draft, "--as", "bob").code == 0


def test_the_card_tells_history_locks_and_when_it_leaves(desk: Run) -> None:
    draft = ids(desk("review", "list", "--json"))[0]
    desk("review", "open", draft, "--as", "ann")

    card = desk("review", "show", draft, "--as", "bob")

    for words in ("What happened before", "goes out", "ann has it until", "risk"):
        assert words in card.out
    shown = desk("review", "show", draft, "--as", "bob", "--json").json
    assert [lock["kind"] for lock in shown["locks"]] == ["claimed"]
    assert shown["timeline"]
    assert shown["forecast"]["zone"]


def test_the_card_tells_whom_a_mail_comes_from_by_the_settings(desk: Run, tmp_path: Path) -> None:
    draft = ids(desk("review", "list", "--channel", "email", "--json"))[0]
    assert "From  " not in desk("review", "show", draft).out
    server = "{kind: smtp, host: 127.0.0.1, sender: hello@shop.example, sender_name: The Shop}"
    with (tmp_path / "copy" / "outrider-data" / "outrider.yaml").open("a", encoding="utf-8") as file:
        file.write(f"channels: {{email: {server}}}\n")

    assert "From     The Shop <hello@shop.example>" in desk("review", "show", draft).out
    assert desk("review", "show", draft, "--json").json["sender"] == "The Shop <hello@shop.example>"


def test_what_was_approved_leaves_within_the_same_run_or_says_when(desk: Run) -> None:
    first, second = desk("review", "list", "--json").json["drafts"][:2]
    for draft in (first, second):
        said = desk("review", "approve", draft["draft_id"], "--hash", draft["content_hash"], "--json")
        assert said.json["undo_until"] == said.json["leaves_at"]

    held = desk("run", "--once", "--no-wait", "--json")
    assert (held.json["sent"], held.json["leaving"]) == ([], 2)
    assert "can still be undone" in held.err

    ran = desk("run", "--once", "--json")
    assert (len(ran.json["sent"]), ran.json["leaving"]) == (2, 0)


def test_a_command_comes_from_the_reviewer_of_the_system_user(desk: Run, tmp_path: Path) -> None:
    draft = ids(desk("review", "list", "--json"))[0]
    set_up(tmp_path, f"{{ann: {{role: viewer, login: {os_user()}}}, bob: {{role: lead}}}}")

    assert desk("review", "list").code == 0
    refused(desk("review", "open", draft), "'ann' is a viewer", "claim", code=1)
    refused(desk("review", "open", draft, "--as", "bob"), "only an admin", code=1)


def test_a_stranger_may_not_even_look(desk: Run, tmp_path: Path) -> None:
    set_up(tmp_path, "{bob: {role: lead, login: somebody_else}}")

    refused(desk("review", "list"), "none of the reviewers", code=1)


def test_an_admin_acts_as_another_and_the_log_names_both(desk: Run, tmp_path: Path) -> None:
    draft = ids(desk("review", "list", "--json"))[0]
    set_up(tmp_path, f"{{root: {{role: admin, login: {os_user()}}}, bob: {{role: reviewer}}}}")

    assert desk("review", "reject", draft, "--reason", "tone", "--as", "bob").code == 0

    case = desk("review", "show", draft, "--json").json["case"]["id"]
    assert f"bob ({os_user()})" in " ".join(desk("audit", "show", case).out.split())


def first_id(desk: Run) -> str:
    return ids(desk("review", "list", "--limit", "1", "--json"))[0]


def test_a_text_is_checked_without_saving_it(desk: Run, tmp_path: Path) -> None:
    draft, text = first_id(desk), tmp_path / "text.txt"
    text.write_text("See https://evil.example/x for more.", encoding="utf-8")

    wrong = desk("review", "check", draft, text, "--json")
    text.write_text("Hello, we are sorry for the delay.", encoding="utf-8")
    right = desk("review", "check", draft, text)

    assert (wrong.code, wrong.json["ok"]) == (1, False)
    assert "rendered.link" in {one["guard"] for one in wrong.json["findings"] if not one["ok"]}
    assert right.code == 0, right.err
    assert first_id(desk) == draft


def test_a_draft_is_put_off_and_brought_back(desk: Run) -> None:
    draft = first_id(desk)

    put_off = desk("review", "snooze", draft, "--until", "30m", "--json")
    hidden = ids(desk("review", "list", "--all", "--json"))
    undone = desk("review", "undo", draft, "--json")

    assert (put_off.code, put_off.json["draft"]) == (0, draft)
    assert draft not in hidden
    assert undone.json == {"draft": draft, "undone": True}
    assert draft in ids(desk("review", "list", "--all", "--json"))
    for when in ("soon", "2026-11-05T09:00", "400d"):
        assert desk("review", "snooze", draft, "--until", when).code in {1, 2}


def test_a_verdict_is_taken_back_and_facts_are_read_again(desk: Run) -> None:
    draft = first_id(desk)
    desk("review", "escalate", draft, "--words", "angry", "--queue", "complaints")

    desk("review", "undo", draft)
    reread = desk("review", "reread", draft, "--json")

    assert reread.json == {"draft": draft, "facts": "fresh", "state": "pending"}
    refused(desk("review", "undo", draft), "no verdict", code=1)
    refused(desk("review", "escalate", draft, "--words", "x", "--queue", "nobody"), "complaints", code=1)


def test_another_channel_is_written_by_the_next_round(desk: Run) -> None:
    mail = desk("review", "list", "--channel", "email", "--scenario", "shipping_delay", "--json")
    draft = ids(mail)[0]

    choices = desk("review", "channel", draft, "--json").json["channels"]
    assert [one["channel"] for one in choices] == ["sms", "push"]
    assert "push: The playbook shipping_delay does not use it." in desk("review", "channel", draft).out
    asked = desk("review", "channel", draft, "sms", "--json")
    assert (asked.code == 0) == (choices[0]["closed"] == "")

    if asked.code == 0:  # this customer's gates pass
        assert asked.json["situation"].startswith("sit_")
        assert desk("run", "--once").code == 0
    else:
        assert "cannot be used now" in asked.err
    refused(desk("review", "channel", draft, "fax"), "email, sms, push")


def test_a_planted_draft_is_told_after_the_verdict_and_counts_for_its_reviewer(
    desk: Run, tmp_path: Path
) -> None:
    real = desk("review", "list", "--limit", "1", "--json").json["drafts"][0]
    plant(tmp_path / "copy" / "outrider-data", "100%")

    listed = desk("review", "list", "--limit", "1", "--json").json["drafts"][0]
    draft = first_id(desk)
    looked = desk("review", "show", draft, "--json").json
    seen = desk("review", "open", draft, "--json").json
    line = desk("review", "list", "--limit", "1", "--json").json["drafts"][0]
    judged = desk("review", "reject", draft, "--reason", "wrong_facts", "--json")
    score = desk("review", "score", "--json")

    assert seen["ticket"] == draft
    assert seen == {**looked, "draft": seen["draft"], "locks": seen["locks"], "versions": seen["versions"]}
    shown = {one["content_hash"] for one in (listed, looked["draft"], seen["draft"], line)}
    assert len(shown) == 1
    assert (real["draft_id"], real["content_hash"] in shown) == (draft, False)
    assert line["body"] == seen["draft"]["draft"]["message"]["body"]
    assert "sed_" not in json.dumps([looked, seen, line])
    assert (judged.code, judged.json["outcome"]) == (0, "seed_caught")
    assert (score.json["shown"], score.json["caught"]) == (1, 1)
    assert draft in ids(desk("review", "list", "--all", "--json"))
    assert desk("audit", "verify").code == 0
