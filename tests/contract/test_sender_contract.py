"""Every sender keeps the promises of its capability record: one call, one attempt, an honest answer."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.messages import MESSAGE, smtp_sender
from tests.contract.smtp_peer import SmtpPeer, smtp_peer
from tools.channels.outbox import FileOutbox
from tools.messages import ReceiptStatus
from tools.ports import Sender
from tools.records.vocabulary import ChannelKind


@dataclass
class Bench:
    """A sender, and how many messages its peer took."""

    sender: Sender
    taken: Callable[[], int]


Opened = Callable[[Path], AbstractAsyncContextManager[Bench]]


@asynccontextmanager
async def outbox(folder: Path) -> AsyncGenerator[Bench]:
    sender = FileOutbox(folder, channel=ChannelKind.EMAIL)
    yield Bench(sender=sender, taken=lambda: len(list(folder.rglob("*.json"))))


@asynccontextmanager
async def smtp(_folder: Path) -> AsyncGenerator[Bench]:
    async with smtp_peer(SmtpPeer()) as peer:
        yield Bench(sender=smtp_sender(peer), taken=lambda: len(peer.accepted))


every_sender = pytest.mark.parametrize("opened", [outbox, smtp], ids=["outbox", "smtp"])


@every_sender
async def test_one_call_is_one_message(opened: Opened, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        receipt = await bench.sender.send(MESSAGE, idempotency_key="dlv_1")

        assert receipt.status is ReceiptStatus.ACCEPTED
        assert receipt.provider_ref
        assert bench.taken() == 1


@every_sender
async def test_a_second_call_with_the_same_key_is_dropped_where_the_record_says_so(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened(tmp_path) as bench:
        receipts = [await bench.sender.send(MESSAGE, idempotency_key="dlv_1") for _ in range(2)]

        keyed = bench.sender.capability.idempotency == "key"
        assert {receipt.status for receipt in receipts} == {ReceiptStatus.ACCEPTED}
        assert bench.taken() == (1 if keyed else 2)


@every_sender
async def test_a_look_up_finds_what_was_accepted_where_the_record_says_so(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened(tmp_path) as bench:
        before = await bench.sender.lookup("dlv_1")
        await bench.sender.send(MESSAGE, idempotency_key="dlv_1")
        after = await bench.sender.lookup("dlv_1")

        assert not before.found
        assert after.found == (bench.sender.capability.lookup == "by_ref")


@every_sender
async def test_the_record_bounds_time_and_concurrency(opened: Opened, tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        capability = bench.sender.capability

        assert capability.request_timeout.total_seconds() > 0
        assert capability.max_in_flight >= 1
        assert (capability.idempotency == "key") == (capability.key_ttl.total_seconds() > 0)
