"""A process that sends one approved message, for a test that watches its system calls.

Usage: python -m tests.crash.one_send DATABASE FOLDER outbox|smtp FULL|NORMAL
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from agent.clock import SimulatedClock
from agent.dispatch.ports import Result
from agent.ids import Ids
from agent.store.transaction import Store
from tests.conftest import START, make_store
from tests.contract.messages import smtp_sender
from tests.contract.smtp_peer import SmtpPeer, smtp_peer
from tests.sending_bench import Bench
from tools.channels.outbox import FileOutbox
from tools.ports import Sender
from tools.records.vocabulary import ChannelKind


@asynccontextmanager
async def real_sender(kind: str, folder: Path) -> AsyncGenerator[Sender]:
    if kind == "outbox":
        yield FileOutbox(folder / "outbox", channel=ChannelKind.EMAIL)
        return
    async with smtp_peer(SmtpPeer()) as peer:
        yield smtp_sender(peer)


def loosen(store: Store) -> None:
    """Let commits not wait for the disk: what a mistaken pragma would do."""
    with store.writer.connect() as connection:
        connection.connection.cursor().execute("PRAGMA synchronous=NORMAL")
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 1


async def send_one(database: Path, folder: Path, kind: str, synchronous: str) -> None:
    store = make_store(f"sqlite:///{database}", Ids())
    if synchronous == "NORMAL":
        loosen(store)
    async with real_sender(kind, folder) as sender:
        bench = Bench(store=store, clock=SimulatedClock(START), sender=sender)
        delivery_id = bench.approved()
        answer = await bench.dispatcher.dispatch(delivery_id)
    assert answer.result is Result.ACCEPTED, answer


if __name__ == "__main__":
    _, path, place, sender_kind, pragma = sys.argv
    asyncio.run(send_one(Path(path), Path(place), sender_kind, pragma))
