"""The file outbox: whole files, exact texts, one file per key."""

import json
import stat
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.messages import MESSAGE
from tools.channels.outbox import FileOutbox, message_file
from tools.messages import ReceiptStatus
from tools.records.vocabulary import ChannelKind


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def outbox(tmp_path: Path) -> FileOutbox:
    return FileOutbox(tmp_path, channel=ChannelKind.EMAIL)


async def test_the_file_holds_the_approved_text_byte_for_byte(outbox: FileOutbox) -> None:
    await outbox.send(MESSAGE, idempotency_key="dlv_1")

    content = json.loads(outbox.path("dlv_1").read_bytes())
    assert content["message"] == json.loads(MESSAGE.canonical())
    assert content["message"]["body"].encode() == MESSAGE.body.encode()
    assert "\n".join(content["lines"]) == MESSAGE.body
    assert content["content_hash"] == MESSAGE.content_hash


@given(body=st.text(st.characters(codec="utf-8"), max_size=80))
def test_no_body_is_changed_and_none_reaches_a_terminal_raw(body: str) -> None:
    raw = message_file(replace(MESSAGE, body=body), idempotency_key="k").decode()

    assert json.loads(raw)["message"]["body"] == body
    assert "\n".join(json.loads(raw)["lines"]) == body
    assert not any(char != "\n" and unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in raw)


async def test_a_key_that_was_used_for_another_message_is_refused(outbox: FileOutbox) -> None:
    await outbox.send(MESSAGE, idempotency_key="dlv_1")

    receipt = await outbox.send(replace(MESSAGE, body="Other"), idempotency_key="dlv_1")

    assert receipt.status is ReceiptStatus.REJECTED
    assert json.loads(outbox.path("dlv_1").read_bytes())["message"]["body"] == MESSAGE.body


@pytest.mark.parametrize("key", ["../x", "a/b", "", ".x", "x" * 200], ids=repr)
async def test_a_key_cannot_leave_the_folder(outbox: FileOutbox, tmp_path: Path, key: str) -> None:
    receipt = await outbox.send(MESSAGE, idempotency_key=key)

    assert receipt.status is ReceiptStatus.REJECTED
    assert files(tmp_path) == []


async def test_another_channels_message_is_refused(outbox: FileOutbox) -> None:
    receipt = await outbox.send(replace(MESSAGE, channel=ChannelKind.SMS), idempotency_key="dlv_1")

    assert receipt.status is ReceiptStatus.REJECTED


async def test_a_folder_that_cannot_be_made_is_surely_not_sent(tmp_path: Path) -> None:
    (tmp_path / "email").write_text("a file stands in the way")

    receipt = await FileOutbox(tmp_path, channel=ChannelKind.EMAIL).send(MESSAGE, idempotency_key="dlv_1")

    assert receipt.status is ReceiptStatus.NOT_SENT


async def test_only_the_owner_may_read_and_nothing_else_is_left(outbox: FileOutbox, tmp_path: Path) -> None:
    await outbox.send(MESSAGE, idempotency_key="dlv_1")

    path = outbox.path("dlv_1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files(tmp_path) == ["dlv_1.json"]
