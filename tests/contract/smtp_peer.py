"""A real SMTP server that answers as a test tells it to, and counts what it took."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class SmtpPeer:
    """Takes mail; `answer` is the reply to the text, `after` what happens to the connection."""

    answer: str = "250 taken"
    refuse_recipient: str = ""
    hang_up: bool = False
    """Drop the connection after the text was taken and before the answer."""
    silent: bool = False
    """Never answer after the text was taken."""
    accepted: list[bytes] = field(default_factory=list[bytes])
    recipients: list[str] = field(default_factory=list[str])
    port: int = 0

    async def handle_RCPT(  # noqa: N802  # the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(  # noqa: N802  # the library's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.answer.startswith("2"):
            self.accepted.append(envelope.content or b"")  # type: ignore[arg-type]  # bytes without decoding
            self.recipients.extend(envelope.rcpt_tos)
        if self.hang_up and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        if self.silent:
            await asyncio.Event().wait()
        return self.answer


@asynccontextmanager
async def smtp_peer(peer: SmtpPeer) -> AsyncGenerator[SmtpPeer]:
    """Run the server on a free port of this machine, in the test's own loop."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(peer, hostname="peer"), "127.0.0.1", 0)
    try:
        peer.port = server.sockets[0].getsockname()[1]
        yield peer
    finally:
        server.close()
        await server.wait_closed()
