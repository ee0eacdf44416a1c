"""The file outbox: one JSON file per message, written whole or not at all."""

import asyncio
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tools.messages import Capability, Outbound, Receipt, ReceiptStatus, Sighting
from tools.records.vocabulary import ChannelKind

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
# Characters that a terminal would obey or hide; inside JSON strings their escapes mean the same.
_UNPRINTABLE: Final = re.compile(
    "[\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


class FileOutbox:
    """Sends by putting `<folder>/<channel>/<key>.json` there; the same key twice is one message."""

    def __init__(self, folder: Path, *, channel: ChannelKind) -> None:
        """Keep the messages of one channel under a folder, which is made when first needed."""
        self._folder = folder / channel.value
        self._channel = channel

    @property
    def capability(self) -> Capability:
        """A folder knows its keys for ever and answers at once."""
        return Capability(
            name="file_outbox",
            channel=self._channel,
            idempotency="key",
            key_ttl=timedelta(days=3650),
            lookup="by_ref",
            lookup_lag=timedelta(0),
            request_timeout=timedelta(seconds=10),
            max_in_flight=4,
        )

    async def send(self, message: Outbound, *, idempotency_key: str) -> Receipt:
        """Write the message; a key that is there already is accepted again if the message is the same."""
        return await asyncio.to_thread(self._send, message, idempotency_key)

    async def lookup(self, idempotency_key: str) -> Sighting:
        """Return whether a message with this key is in the folder, and since when."""
        return await asyncio.to_thread(self._lookup, idempotency_key)

    def path(self, idempotency_key: str) -> Path:
        """Return the file of a key.

        Raises:
            ValueError: The key would not stay inside the folder.
        """
        if not _KEY.fullmatch(idempotency_key):
            raise ValueError(f"{idempotency_key!r} is no file name")
        return self._folder / f"{idempotency_key}.json"

    def _send(self, message: Outbound, key: str) -> Receipt:
        if message.channel is not self._channel:
            return Receipt(status=ReceiptStatus.REJECTED, detail=f"this outbox takes {self._channel} only")
        try:
            path, text = self.path(key), message_file(message, idempotency_key=key)
        except ValueError as exc:
            return Receipt(status=ReceiptStatus.REJECTED, detail=f"cannot be written: {type(exc).__name__}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                return _accepted_before(path, message)
            _write_whole(path, text)
        except OSError as exc:
            return Receipt(status=ReceiptStatus.NOT_SENT, detail=exc.strerror or type(exc).__name__)
        try:
            _sync_folder(self._folder)
        except OSError as exc:  # the file is there; whether it survives a power cut is not known
            return Receipt(status=ReceiptStatus.UNKNOWN, detail=exc.strerror or type(exc).__name__)
        return Receipt(status=ReceiptStatus.ACCEPTED, provider_ref=path.name)

    def _lookup(self, key: str) -> Sighting:
        path = self.path(key)
        try:
            modified = path.stat().st_mtime
        except FileNotFoundError:
            return Sighting(found=False)
        return Sighting(found=True, provider_ref=path.name, at=datetime.fromtimestamp(modified, UTC))


def message_file(message: Outbound, *, idempotency_key: str) -> bytes:
    r"""Return the bytes of a message's file.

    `message` holds the exact fields that approval is bound to; `lines` is its body split at `\n`, for
    people. Joined again it is the body, byte for byte.
    """
    content = {
        "idempotency_key": idempotency_key,
        "content_hash": message.content_hash,
        "message": json.loads(message.canonical()),
        "lines": message.body.split("\n"),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def _accepted_before(path: Path, message: Outbound) -> Receipt:
    if path.read_bytes() != message_file(message, idempotency_key=path.stem):
        return Receipt(status=ReceiptStatus.REJECTED, detail="this key was used for another message")
    return Receipt(status=ReceiptStatus.ACCEPTED, provider_ref=path.name, detail="accepted before")


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp")
    try:
        temporary.touch(mode=0o600)  # it holds what a person is told
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
