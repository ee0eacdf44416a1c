"""An HTTP server on loopback that answers by script, on real sockets, and keeps what it was asked."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One scripted answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    fault: Literal["", "drop", "drop_midway", "hang"] = ""
    """Close without an answer, close in the middle of the body, or never answer."""


Script = Callable[[dict[str, Any]], Reply]


@dataclass(slots=True)
class ScriptedServer:
    """A running server; `requests` are the bodies it was sent, in order."""

    script: Sequence[Reply] | Script
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a request has arrived."""
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: dict[asyncio.StreamWriter, asyncio.Event] = field(
        default_factory=dict[asyncio.StreamWriter, asyncio.Event]
    )

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        done = self._connections[writer] = asyncio.Event()
        try:
            while (request := await _read_request(reader)) is not None and await self._answer(
                request, writer
            ):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            done.set()

    async def stop(self) -> None:
        """End all connections; hanging ones too."""
        self._stopped.set()
        for writer in self._connections:
            writer.close()
        for done in self._connections.values():
            await done.wait()

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        """Return whether the connection goes on."""
        self.requests.append(request)
        self.asked.set()
        if callable(self.script):
            reply = self.script(request)
        else:
            reply = self.script[min(len(self.requests), len(self.script)) - 1]
        if reply.fault == "hang":
            await self._stopped.wait()
        if reply.fault in ("hang", "drop"):
            return False
        await _send(writer, reply)
        return reply.fault != "drop_midway"


@asynccontextmanager
async def serve(script: Sequence[Reply] | Script) -> AsyncGenerator[ScriptedServer]:
    """Serve replies in turn, the last one again and again, or whatever a function makes of a request."""
    running = ScriptedServer(script)
    server = await asyncio.start_server(running.connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    running.url = f"http://{host}:{port}/v1"
    try:
        yield running
    finally:
        server.close()
        await running.stop()
        await server.wait_closed()


def completion(
    content: str | None,
    *,
    finish: str = "stop",
    refusal: str | None = None,
    usage: Mapping[str, Any] | None = None,
) -> Reply:
    """A 200 with a chat completion; 100 prompt and 20 completion tokens unless told."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
            }
        ],
        "usage": usage or {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return json_reply(200, body)


def json_reply(status: int, body: object, **headers: str) -> Reply:
    """A reply with a JSON body; header names are given with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        status=status, headers={"content-type": "application/json", **named}, body=json.dumps(body).encode()
    )


async def _read_request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    body: dict[str, Any] = json.loads(await reader.readexactly(length))
    return body


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> None:
    sent = reply.body[: len(reply.body) // 2] if reply.fault == "drop_midway" else reply.body
    headers = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    head = f"HTTP/1.1 {reply.status} X\r\ncontent-length: {len(reply.body)}\r\n{headers}\r\n"
    writer.write(head.encode() + sent)
    await writer.drain()
