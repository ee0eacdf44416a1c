"""Sets of recordings: what is written is read back, and what nothing can ask for any more is dropped."""

from pathlib import Path
from typing import Any

import pytest

from evals.models.recordings import HEAD_FILE, SHIPPED, Recording, SetHead, add_recordings, load_set
from tools.errors import InputError

HEAD = SetHead(model="tiny", max_tokens=400, params={"seed": None}, made_by="A test.")
PROMPTS = {"read": "1:aaaa", "repair": "1:bbbb"}


def recording(digit: str = "0", **changes: Any) -> Recording:
    fields: dict[str, Any] = {
        "request": digit * 64,
        "task": "read",
        "prompt": "read@1:aaaa",
        "repair": "repair@1:bbbb",
        "case": "delay.base",
        "reply": {"mood": "calm"},
        "prompt_tokens": 10,
    }
    return Recording(**{**fields, **changes})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    one, other = recording("1"), recording("2", reply="no JSON", problem="invalid", source="written")

    number = add_recordings(tmp_path, HEAD, [("shop", one), ("bank", other)], prompts=PROMPTS)

    known = load_set(tmp_path)
    assert number == 2
    assert known.head == HEAD
    assert known.files == {"shop": [one], "bank": [other]}


def test_what_a_case_had_is_replaced_and_what_others_had_stays(tmp_path: Path) -> None:
    other = recording("1", case="delay.german")
    before = [("shop", recording("1")), ("shop", recording("2")), ("shop", other)]
    add_recordings(tmp_path, HEAD, before, prompts=PROMPTS)

    fresh = recording("1", reply={"mood": "upset"})
    add_recordings(tmp_path, HEAD, [("shop", fresh), ("shop", recording("1"))], prompts=PROMPTS)

    assert load_set(tmp_path).files == {"shop": [fresh, other]}


def test_a_case_gets_its_own_reply_and_else_that_of_another(tmp_path: Path) -> None:
    mine, other = recording("1", reply={"mood": "upset"}), recording("1", case="delay.german")
    add_recordings(tmp_path, HEAD, [("shop", mine), ("shop", other)], prompts=PROMPTS)

    known = load_set(tmp_path)
    assert known.reply_to(mine.request, mine.case) == mine
    assert known.reply_to(mine.request, "delay.german") == other
    assert known.reply_to(mine.request, "delay.new") == mine
    assert known.reply_to("f" * 64, mine.case) is None


def test_replies_to_prompts_that_are_gone_are_dropped(tmp_path: Path) -> None:
    add_recordings(tmp_path, HEAD, [("shop", recording("1", case="delay.german"))], prompts=PROMPTS)
    fresh = recording("2", prompt="read@2:cccc")

    add_recordings(tmp_path, HEAD, [("shop", fresh)], prompts=PROMPTS | {"read": "2:cccc"})

    assert load_set(tmp_path).files == {"shop": [fresh]}


def test_recordings_of_two_models_do_not_mix(tmp_path: Path) -> None:
    add_recordings(tmp_path, HEAD, [], prompts=PROMPTS)

    with pytest.raises(InputError, match="recordings of tiny"):
        add_recordings(tmp_path, HEAD.model_copy(update={"max_tokens": 9}), [], prompts=PROMPTS)


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    add_recordings(tmp_path, HEAD, [("shop", recording("1"))], prompts=PROMPTS)
    file = tmp_path / "shop.jsonl"
    file.write_text(file.read_text("utf-8") + '{"request": "x"}\n', "utf-8")

    with pytest.raises(InputError) as caught:
        load_set(tmp_path)

    assert (caught.value.path, caught.value.line) == (file, 2)


def test_the_same_request_twice_is_refused(tmp_path: Path) -> None:
    add_recordings(tmp_path, HEAD, [("shop", recording("1"))], prompts=PROMPTS)
    (tmp_path / "zoo.jsonl").write_text((tmp_path / "shop.jsonl").read_text("utf-8"), "utf-8")

    with pytest.raises(InputError, match=r"shop\.jsonl, line 1 has a reply to the same request"):
        load_set(tmp_path)


def test_a_folder_without_a_head_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{HEAD_FILE} is missing"):
        load_set(tmp_path)


def test_the_shipped_replies_say_that_people_wrote_them() -> None:
    known = load_set(SHIPPED)

    assert known.head.model == "written"
    assert {one.source for one in known.recordings} == {"written"}
    assert not any(one.prompt_tokens or one.milliseconds for one in known.recordings)
