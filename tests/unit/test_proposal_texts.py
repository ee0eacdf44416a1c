"""From an edited text to a changed template, prompt or playbook."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.review_desk.proposals.from_words import normalised
from agent.review_desk.proposals.phrases import Replacement, edit_size, replacements, to_slots
from agent.review_desk.proposals.playbook_text import AddItem, SetValue, with_changes
from agent.review_desk.proposals.prompt_text import with_guidance
from agent.review_desk.proposals.proposed import unified
from agent.review_desk.proposals.template_text import replace_in_template
from policies.loader import PLAYBOOK_FOLDER, load_playbook
from prompts.folders import LIBRARY_FOLDER, TEMPLATE_FOLDER
from prompts.store import PromptStore
from tools.records.facts import FilledSlot

PLAYBOOK = PLAYBOOK_FOLDER / "shop" / "shipping_delay.yaml"
ENGLISH = TEMPLATE_FOLDER / "shipping_delay" / "email.en.j2"
WORDS = ["we", "are", "sorry", "for", "the", "wait", "please", "reply"]
SLOTS = ["order.number", "customer.first_name", "order.promised_on", "order.total"]


def filled(text: str, values: dict[str, str]) -> tuple[str, list[FilledSlot]]:
    for slot, value in values.items():
        text = text.replace(f"{{{slot}}}", value)
    return text, [FilledSlot(slot=slot, rendered=value) for slot, value in values.items()]


prose = st.lists(st.sampled_from([*WORDS, *(f"{{{slot}}}" for slot in SLOTS)]), min_size=1, max_size=20).map(
    " ".join
)
values = st.lists(
    st.from_regex(r"[A-Z0-9][A-Z0-9./ ]{0,8}[A-Z0-9]", fullmatch=True), min_size=4, max_size=4, unique=True
).map(lambda found: dict(zip(SLOTS, found, strict=True)))


@given(prose, values)
def test_values_go_back_to_the_slots_they_came_from(text: str, printed: dict[str, str]) -> None:
    # a value inside another, or made up by two values side by side, could be told by nobody
    if any(one != other and one in other for one in printed.values() for other in printed.values()):
        return
    rendered, used = filled(text.replace("} {", "} and {"), printed)

    assert to_slots(rendered, used) == text.replace("} {", "} and {")


def test_a_value_inside_a_word_is_no_slot() -> None:
    assert to_slots("Ada at 1001, not 10011 or Adam.", filled("", {"a.name": "Ada", "o.no": "1001"})[1]) == (
        "{a.name} at {o.no}, not 10011 or Adam."
    )


@given(prose, prose)
def test_a_text_differs_from_another_exactly_when_something_was_replaced(one: str, other: str) -> None:
    assert (replacements(one, other) == []) == (one == other) == (edit_size(one, other) == 0)


def test_changes_are_parted_by_unchanged_words() -> None:
    old = "We are sorry for the wait. We keep checking."
    new = "We apologise for the wait. We will keep checking."

    assert replacements(old, new) == [
        Replacement(before="We", old="are sorry", new="apologise", after="for the wait"),
        Replacement(before="wait. We", old="", new="will ", after="keep checking."),
    ]
    assert edit_size(old, new) == 3


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("We apologise for the wait.", "We apologise for the wait. We keep checking"),
        ("We are very sorry for the wait.", "We are very sorry for the wait. We keep checking"),
        ("We are sorry for waiting.", "We are sorry for waiting. We keep checking"),
        ("Sorry for the wait.", "Sorry for the wait. We keep checking"),
        ("We are sorry.", "We are sorry. We keep checking"),
        ("We are sorry for the wait. Thank you.", "We are sorry for the wait. Thank you. We keep checking"),
    ],
    ids=["replaced", "put in", "end", "beginning", "left out", "sentence"],
)
def test_a_phrase_is_changed_in_the_source_and_nothing_else_is(edited: str, expected: str) -> None:
    source = ENGLISH.read_text(encoding="utf-8")
    tail = " We keep checking this order"
    changed = source
    for change in replacements(f"We are sorry for the wait.{tail}", f"{edited}{tail}"):
        changed = replace_in_template(changed, change) or ""

    old_lines, new_lines = source.split("\n"), changed.split("\n")
    different = [(old, new) for old, new in zip(old_lines, new_lines, strict=True) if old != new]
    assert len(different) == 1
    assert different[0][1].startswith(expected)


def test_the_subject_is_changed_in_the_head() -> None:
    source = ENGLISH.read_text(encoding="utf-8")
    (change,) = replacements(
        "Your order {order.number} is running late", "Your order {order.number} is delayed"
    )

    changed = replace_in_template(source, change)

    assert changed is not None
    assert 'subject: "Your order {order.number} is delayed"\n' in changed


def test_branches_are_never_part_of_a_phrase() -> None:
    (change,) = replacements("in facts and", "in facts or")

    assert replace_in_template(ENGLISH.read_text(encoding="utf-8"), change) is None


def test_both_branches_with_the_same_phrase_are_changed() -> None:
    source = "---\n---\n{% if 'a.b' in facts %}\nWe hear you.\n{% else %}\nWe hear you.\n{% endif %}"
    (change,) = replacements("We hear you.", "We see you.")

    assert replace_in_template(source, change) == source.replace("hear", "see")


def test_a_prompt_gets_one_line_and_the_next_version(tmp_path: Path) -> None:
    source = (LIBRARY_FOLDER / "compose" / "v1.md").read_text(encoding="utf-8")
    second = with_guidance(source, "Shorter,\n please.")
    assert second is not None
    third = with_guidance(second, "No sorry.")
    assert third is not None
    shutil.copytree(LIBRARY_FOLDER, tmp_path / "library")
    (tmp_path / "library" / "compose" / "v3.md").write_text(third, encoding="utf-8")

    prompt = PromptStore(tmp_path / "library").get("compose")

    assert prompt.version == 3
    added = set(third.split("\n")) - set(source.split("\n"))
    assert {"- Shorter, please.", "- No sorry.", "version: 3"} < added
    assert third.rstrip().split("\n")[-1] == source.rstrip().split("\n")[-1]


@pytest.mark.parametrize("line", ["", "  ", "{{ slots }}", "{% raw %}", "<b>", "x" * 201], ids=repr)
def test_what_is_no_plain_line_becomes_no_guidance(line: str) -> None:
    source = (LIBRARY_FOLDER / "compose" / "v1.md").read_text(encoding="utf-8")

    assert with_guidance(source, line) is None


def test_the_same_guidance_is_not_given_twice() -> None:
    once = with_guidance((LIBRARY_FOLDER / "compose" / "v1.md").read_text(encoding="utf-8"), "Shorter.")

    assert once is not None
    assert with_guidance(once, "Shorter.") is None


def test_wishes_in_other_words_are_one() -> None:
    assert normalised("Please make it shorter!") == normalised("shorter, please") == "shorter"
    assert normalised("Bitte etwas kürzer") == normalised("kürzer") == "kürzer"
    assert normalised("more please") == ""


def test_a_playbook_keeps_its_comments_and_loads(tmp_path: Path) -> None:
    source = PLAYBOOK.read_text(encoding="utf-8")
    changes: list[SetValue | AddItem] = [
        SetValue(loc=("value", "p_contact"), text="'25%'"),
        SetValue(loc=("params", "useful_for"), text="2d"),
        AddItem(loc=("required_facts",), text="shipment.carrier"),
        SetValue(loc=("max_age",), text="20m"),
    ]

    changed = with_changes(source, changes, path=PLAYBOOK, because="because of this.")

    path = tmp_path / PLAYBOOK.name
    path.write_text(changed, encoding="utf-8")
    before, after = load_playbook(PLAYBOOK).playbook, load_playbook(path).playbook
    assert after.version == before.version + 1
    assert (after.value.p_contact, after.required_facts) == (
        250_000,
        (*before.required_facts, "shipment.carrier"),
    )
    old, new = source.split("\n"), changed.split("\n")
    assert len(set(old) - set(new)) == 5
    assert [line for line in old if "#" in line] == [
        line for line in new if "#" in line and "because of this" not in line
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("version: 1\nfacts: [a.b]\n", "version: 2\n# why\nfacts: [a.b, c.d]\n"),
        ("version: 1\nfacts: []\n", "version: 2\n# why\nfacts: [c.d]\n"),
        ("version: 1\nfacts:\n  - a.b  # one\n  - e.f\nz: 1\n", "- e.f\n  - c.d\nz: 1\n"),
        ("version: 1\ncomposition: slots\n", "version: 2\n# why\nfacts: [c.d]\ncomposition: slots\n"),
    ],
    ids=["brackets", "empty", "dashes", "missing"],
)
def test_an_item_is_added_to_any_form_of_list(source: str, expected: str) -> None:
    changed = with_changes(source, [AddItem(loc=("facts",), text="c.d")], path=Path("p.yaml"), because="why")

    assert changed.endswith(expected)
    assert "# why\n" in changed


def test_a_value_over_several_lines_is_left_to_a_person() -> None:
    with pytest.raises(ValueError, match="one line"):
        with_changes(
            PLAYBOOK.read_text(encoding="utf-8"),
            [SetValue(loc=("deadline",), text="now")],
            path=PLAYBOOK,
            because="x",
        )


@pytest.mark.parametrize(
    ("before", "after"), [("a\nb", "a\nc"), ("a\n", "a"), ("", "new\n"), ("a", "a\nb\n")]
)
def test_a_patch_does_what_it_says(tmp_path: Path, before: str, after: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git to apply a patch")
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    old = "a/folder/file" if before else "/dev/null"
    if before:
        path.write_text(before, encoding="utf-8")
    patch = unified(before, after, old=old, new="b/folder/file")

    subprocess.run(["git", "apply", "-"], input=patch, text=True, cwd=tmp_path, check=True)

    assert path.read_text(encoding="utf-8") == after
