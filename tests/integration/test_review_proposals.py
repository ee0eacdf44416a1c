"""Edits, wishes and rejections become proposals; a lead accepts one, and the file in use changes."""

import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from agent.clock import SimulatedClock
from agent.domain.drafts import Draft
from agent.errors import NotFoundError, RefusedError
from agent.review_desk.answers import RejectReason
from agent.review_desk.proposals.folders import Folders
from agent.store.proposals import Proposal
from agent.store.tables.ledger import AuditEventRow
from agent.store.transaction import Store
from policies.loader import PLAYBOOK_FOLDER, load_playbooks
from prompts.folders import LIBRARY_FOLDER, TEMPLATE_FOLDER
from prompts.store import PromptStore
from prompts.templates import TemplateStore
from tests.sending_bench import SCENARIO, fact
from tests.situation_bench import Crowd
from tools.errors import InputError
from tools.records.facts import FilledSlot

TEMPLATE = "shipping_delay/email.en"
FACTS = ("order.number", "order.promised_on")


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Folders of one's own, as they come with the product."""
    places = {"playbooks": PLAYBOOK_FOLDER, "templates": TEMPLATE_FOLDER, "prompts": LIBRARY_FOLDER}
    for name, source in places.items():
        shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Folders(**{name: tmp_path / name for name in places})


@pytest.fixture
def crowd(any_store: Store, clock: SimulatedClock, folders: Folders) -> Crowd:
    crowd = Crowd(store=any_store, clock=clock, folders=folders)
    crowd.desk = crowd.new_desk(playbooks=load_playbooks(folders.playbooks))
    return crowd


def from_template(crowd: Crowd, number: int) -> list[Draft]:
    """Put drafts from the approved template into the queue, each with its own order number."""
    slotted = TemplateStore(crowd.folders.templates).slotted(SCENARIO, "email", "en_US", FACTS)
    drafts = crowd.fill(number)
    return [rendered(crowd, draft, slotted.subject, slotted.body, slotted.version_hash) for draft in drafts]


def rendered(crowd: Crowd, draft: Draft, subject: str, body: str, version: str, **changes: Any) -> Draft:
    """Replace a draft's text by a version that comes from a slotted one."""
    values = {"order.number": draft.used[0].rendered, "order.promised_on": "November 3, 2026"}
    used = tuple(FilledSlot(slot=slot, rendered=value) for slot, value in values.items())
    texts = [subject, body]
    for slot, value in values.items():
        texts = [text.replace(f"{{{slot}}}", value) for text in texts]
    message = replace(draft.message, subject=texts[0], body=texts[1], template=f"{TEMPLATE}@{version[:12]}")
    new = replace(draft, message=message, slotted_subject=subject, slotted_body=body, used=used)
    crowd.rewrite(replace(new, **changes), facts=[fact(name, value) for name, value in values.items()])
    return replace(new, **changes)


def edit_all(crowd: Crowd, drafts: list[Draft], old: str, new: str, *, reviewer: str = "ann") -> None:
    for draft in drafts:
        shown = crowd.desk.show(draft.id).draft
        message = shown.draft.message
        crowd.desk.edit(
            draft.id,
            reviewer=reviewer,
            shown=shown.content_hash,
            subject=message.subject,
            body=message.body.replace(old, new),
        )


def accepted_events(crowd: Crowd) -> Iterator[str]:
    with crowd.store.read() as conn:
        rows = conn.execute(
            select(AuditEventRow.envelope).where(col(AuditEventRow.type) == "proposal.accepted")
        )
        yield from rows.scalars()


def only(found: list[Proposal]) -> Proposal:
    (one,) = found
    return one


class TestEdits:
    def test_the_same_edit_often_enough_changes_the_template(self, crowd: Crowd) -> None:
        drafts = from_template(crowd, 3)
        edit_all(crowd, drafts[:2], "We are sorry for the wait.", "We apologise for the wait.")
        assert crowd.desk.proposals() == []
        edit_all(crowd, drafts[2:], "We are sorry", "We apologise", reviewer="bob")

        one = only(crowd.desk.proposals())

        assert (one.kind, one.target, one.count) == ("template", f"{TEMPLATE}.j2", 3)
        assert one.reviewers == ("ann", "bob")
        assert set(one.examples) == {draft.id for draft in drafts}
        assert "-We are sorry for the wait. We keep" in one.diff
        assert "+We apologise for the wait. We keep" in one.diff

        answer = crowd.desk.accept_proposal(one.id, reviewer="ann", words="reads better")

        settled = TemplateStore(crowd.folders.templates).slotted(SCENARIO, "email", "en_US", FACTS)
        assert "We apologise for the wait." in settled.body
        assert answer.path == crowd.folders.templates / one.target
        (event,) = accepted_events(crowd)
        for part in (one.id, one.before_hash, answer.after_hash, "reads better", "ann"):
            assert part in event
        assert crowd.desk.proposals() == []
        crowd.clock.advance(timedelta(days=1))
        assert crowd.desk.proposals() == []

    def test_an_edit_for_one_customer_alone_is_no_proposal(self, crowd: Crowd) -> None:
        for at, draft in enumerate(from_template(crowd, 3)):
            edit_all(crowd, [draft], "We are sorry", ("We regret", "We apologise", "Sorry")[at])

        assert crowd.desk.proposals() == []

    def test_what_the_guards_of_a_template_refuse_is_not_proposed(self, crowd: Crowd) -> None:
        drafts = from_template(crowd, 3)
        number = {draft.id: draft.used[0].rendered for draft in drafts}
        for draft in drafts:
            edit_all(crowd, [draft], "We are sorry", f"For {number[draft.id]} we are sorry")
        assert only(crowd.desk.proposals()).title.count("{order.number}") == 1

        others = from_template(crowd, 3)
        edit_all(crowd, others, "You will hear from us", "You WILL hear from us!!! Now you hear from us")
        assert len(crowd.desk.proposals()) <= 2

    def test_a_file_that_changed_meanwhile_is_left_alone(self, crowd: Crowd) -> None:
        edit_all(crowd, from_template(crowd, 3), "We are sorry", "We apologise")
        one = only(crowd.desk.proposals())
        path = crowd.folders.templates / one.target
        path.write_text(path.read_text(encoding="utf-8").replace("Hello", "Dear"), encoding="utf-8")

        with pytest.raises(RefusedError, match="changed since"):
            crowd.desk.accept_proposal(one.id, reviewer="ann")

        assert "apologise" not in path.read_text(encoding="utf-8")
        again = only(crowd.desk.proposals())
        assert (again.id, again.before_hash) != (one.id, one.before_hash)
        crowd.desk.accept_proposal(again.id, reviewer="ann")
        assert "Dear" in path.read_text(encoding="utf-8")

    def test_only_leads_accept(self, crowd: Crowd) -> None:
        edit_all(crowd, from_template(crowd, 3), "We are sorry", "We apologise")
        one = only(crowd.desk.proposals())

        with pytest.raises(RefusedError, match="rex"):
            crowd.desk.accept_proposal(one.id, reviewer="rex")
        with pytest.raises(RefusedError, match="rex"):
            crowd.desk.dismiss_proposal(one.id, reviewer="rex", words="no")
        with pytest.raises(NotFoundError):
            crowd.desk.accept_proposal("prp_none", reviewer="ann")

    def test_a_patch_is_written_instead_of_the_file(self, crowd: Crowd, tmp_path: Path) -> None:
        edit_all(crowd, from_template(crowd, 3), "We are sorry", "We apologise")
        one = only(crowd.desk.proposals())

        crowd.desk.accept_proposal(one.id, reviewer="ann", patch=tmp_path / "change.patch")

        before = (crowd.folders.templates / one.target).read_text(encoding="utf-8")
        assert "We are sorry" in before
        assert (tmp_path / "change.patch").read_text(encoding="utf-8") == one.patch
        assert crowd.desk.proposals() == []

    def test_a_folder_that_cannot_be_written_names_the_patch(self, crowd: Crowd) -> None:
        edit_all(crowd, from_template(crowd, 3), "We are sorry", "We apologise")
        one = only(crowd.desk.proposals())
        folder = (crowd.folders.templates / one.target).parent
        moved = folder.rename(folder.with_name("elsewhere"))
        folder.write_text("a file where the folder was", encoding="utf-8")

        with pytest.raises((InputError, RefusedError)):
            crowd.desk.accept_proposal(one.id, reviewer="ann")
        with pytest.raises(InputError, match="--patch FILE"):
            crowd.desk.accept_proposal(one.id, reviewer="ann", patch=folder / "x.patch")

        folder.unlink()
        moved.rename(folder)
        assert only(crowd.desk.proposals()).id == one.id
        assert stat.S_IMODE((crowd.folders.templates / one.target).stat().st_mode) & 0o400

    def test_a_dismissed_one_comes_back_when_seen_twice_as_often(self, crowd: Crowd) -> None:
        edit_all(crowd, from_template(crowd, 3), "We are sorry", "We apologise")
        one = only(crowd.desk.proposals())
        crowd.desk.dismiss_proposal(one.id, reviewer="ann", words="no")

        edit_all(crowd, from_template(crowd, 2), "We are sorry", "We apologise")
        assert crowd.desk.proposals() == []
        edit_all(crowd, from_template(crowd, 1), "We are sorry", "We apologise")
        assert only(crowd.desk.proposals()).count == 6

    def test_old_edits_are_forgotten(self, crowd: Crowd) -> None:
        edit_all(crowd, from_template(crowd, 3), "We are sorry", "We apologise")
        assert len(crowd.desk.proposals()) == 1

        crowd.clock.advance(crowd.rules.proposals.window + timedelta(days=1))

        assert crowd.desk.proposals() == []


class TestWords:
    def test_the_same_wish_often_enough_is_a_line_for_the_writer(self, crowd: Crowd) -> None:
        words = ["Please make it shorter", "shorter!", "Shorter, please"]
        for draft, wish in zip(by_model(crowd, 3), words, strict=True):
            crowd.desk.redraft(draft.id, reviewer="ann", instruction=wish)

        one = only(crowd.desk.proposals())
        crowd.desk.accept_proposal(one.id, reviewer="ann")

        assert (one.kind, one.base, one.target) == ("prompt", "compose/v1.md", "compose/v2.md")
        prompt = PromptStore(crowd.folders.prompts).get("compose")
        assert prompt.version == 2
        assert any(f"- {word}" in prompt.path.read_text(encoding="utf-8") for word in words)
        assert crowd.desk.proposals() == []

    def test_tone_counts_and_approved_templates_do_not(self, crowd: Crowd) -> None:
        for draft in by_model(crowd, 3):
            crowd.desk.reject(draft.id, reviewer="bob", reason=RejectReason.TONE, words="too cold")
        for draft in from_template(crowd, 3):
            crowd.desk.redraft(draft.id, reviewer="ann", instruction="warmer")

        one = only(crowd.desk.proposals())

        assert (one.title, one.count) == ("tell the writer: too cold", 3)


class TestRejections:
    def test_messages_of_no_use_lower_the_probability_of_a_contact(self, crowd: Crowd) -> None:
        reject(crowd, crowd.fill(6), RejectReason.NOT_USEFUL)
        approve(crowd, crowd.fill(18))

        one = only(crowd.desk.proposals())
        crowd.desk.accept_proposal(one.id, reviewer="ann")

        after = load_playbooks(crowd.folders.playbooks)[SCENARIO].playbook
        assert (one.kind, one.count) == ("rule", 6)
        assert (after.version, after.value.p_contact) == (2, 225_000)
        assert "6 of 24" in one.why
        crowd.clock.advance(timedelta(hours=1))
        assert crowd.desk.proposals() == []

    def test_rejections_that_were_taken_back_suggest_nothing(self, crowd: Crowd) -> None:
        approve(crowd, crowd.fill(15))
        rejected = crowd.fill(6)
        reject(crowd, rejected, RejectReason.NOT_USEFUL)
        crowd.desk.undo(rejected[0].id, reviewer="ann")
        crowd.desk.undo(rejected[1].id, reviewer="ann")
        assert crowd.desk.proposals() == []

        reject(crowd, rejected[:1], RejectReason.NOT_USEFUL)

        assert "5 of 20" in only(crowd.desk.proposals()).why

    def test_messages_that_come_late_shorten_their_time(self, crowd: Crowd) -> None:
        late, early = crowd.fill(6, expires_at=far(crowd)), crowd.fill(8, expires_at=far(crowd))
        approve(crowd, early)
        crowd.clock.advance(timedelta(days=2))
        reject(crowd, late, RejectReason.BAD_TIMING)

        one = only(crowd.desk.proposals())

        assert one.title == "useful_for 3d -> 2d"

    def test_wrong_facts_shorten_how_old_they_may_be(self, crowd: Crowd) -> None:
        drafts = crowd.fill(6)
        crowd.clock.advance(timedelta(minutes=12))
        reject(crowd, drafts, RejectReason.WRONG_FACTS)

        one = only(crowd.desk.proposals())

        assert one.title == "max_age 30m -> 12m"

    def test_a_fact_that_rejected_drafts_lacked_is_required(self, crowd: Crowd) -> None:
        rejected, approved = crowd.fill(6), crowd.fill(6)
        for draft in approved:
            number = fact("order.number", draft.used[0].rendered)
            crowd.rewrite(draft, facts=[number, fact("shipment.carrier", "DHL")])
        reject(crowd, rejected, RejectReason.WRONG_FACTS)
        approve(crowd, approved)

        one = only(crowd.desk.proposals())
        crowd.desk.accept_proposal(one.id, reviewer="ann")

        after = load_playbooks(crowd.folders.playbooks)[SCENARIO].playbook
        assert after.required_facts[-1] == "shipment.carrier"

    def test_few_rejections_among_many_drafts_are_no_proposal(self, crowd: Crowd) -> None:
        reject(crowd, crowd.fill(5), RejectReason.NOT_USEFUL)
        approve(crowd, crowd.fill(40))

        assert crowd.desk.proposals() == []


def by_model(crowd: Crowd, number: int) -> list[Draft]:
    drafts = crowd.fill(number)
    for draft in drafts:
        message = replace(draft.message, template="compose@1")
        crowd.rewrite(replace(draft, message=message, author="model"), facts=[])
    return drafts


def far(crowd: Crowd) -> Any:
    return crowd.clock() + timedelta(days=3)


def reject(crowd: Crowd, drafts: list[Draft], reason: RejectReason) -> None:
    for draft in drafts:
        crowd.desk.reject(draft.id, reviewer="ann", reason=reason)


def approve(crowd: Crowd, drafts: list[Draft]) -> None:
    for draft in drafts:
        answer = crowd.desk.approve(draft.id, reviewer="ann", shown=draft.message.content_hash)
        assert answer.outcome == "approved"
