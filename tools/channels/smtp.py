"""E-mail by SMTP: one connection, one attempt, and an honest answer about what is known."""

import asyncio
import re
import smtplib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Literal

from tools.messages import Capability, Outbound, Receipt, ReceiptStatus, Sighting
from tools.records.vocabulary import ChannelKind

_HEADERS: Final = frozenset({"list-unsubscribe", "list-unsubscribe-post", "reply-to"})
"""The only headers that a message may bring along."""
_LINE_START_DOT: Final = re.compile(rb"(?m)^\.")
_PERMANENT = 500
_TRANSIENT = 400
_SUCCESS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    sender: str
    """Address in `From` and of the envelope."""
    sender_name: str = ""
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str | None = None
    password: str | None = None
    local_name: str = "localhost"
    """How we greet; the default of the library asks the name service, which may take long."""
    timeout: timedelta = timedelta(seconds=20)
    """For the whole hand-over, not for each step."""
    max_in_flight: int = 2


class SmtpSender:
    """Sends e-mail through one server.

    SMTP has no idempotency key, and a server cannot be asked later: when the connection is lost after the
    text was handed over, nobody knows whether it went out (RFC 1047).
    """

    def __init__(
        self,
        server: SmtpServer,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use a server; `now` dates the messages, `monotonic` bounds the hand-over."""
        self._server = server
        self._now = now
        self._monotonic = monotonic

    @property
    def capability(self) -> Capability:
        """Blind: neither key nor look-up."""
        return Capability(
            name="smtp",
            channel=ChannelKind.EMAIL,
            idempotency="none",
            key_ttl=timedelta(0),
            lookup="none",
            lookup_lag=timedelta(0),
            request_timeout=self._server.timeout,
            max_in_flight=self._server.max_in_flight,
        )

    async def send(self, message: Outbound, *, idempotency_key: str) -> Receipt:
        """Hand one message to the server, once."""
        try:
            recipient = _plain_address(message.recipient)
            mail = build_mail(message, self._server, key=idempotency_key, at=self._now())
        except (ValueError, MessageError, IndexError) as exc:
            return Receipt(status=ReceiptStatus.REJECTED, detail=f"no valid e-mail: {type(exc).__name__}")
        payload = mail.as_bytes(policy=SMTP).removesuffix(b"\r\n") + b"\r\n"
        return await asyncio.to_thread(self._hand_over, recipient, payload, idempotency_key)

    async def lookup(self, idempotency_key: str) -> Sighting:
        """Return that nothing is known: a mail server cannot be asked."""
        del idempotency_key
        return Sighting(found=False)

    def _hand_over(self, recipient: str, payload: bytes, key: str) -> Receipt:
        deadline = self._monotonic() + self._server.timeout.total_seconds()
        try:
            client = self._connect(deadline)
        except (OSError, smtplib.SMTPException) as exc:  # a refused log-in is our mistake, not the message's
            return Receipt(status=ReceiptStatus.NOT_SENT, detail=f"connect: {_why(exc)}")
        try:
            return self._converse(client, recipient, payload, key=key, deadline=deadline)
        finally:
            client.close()

    def _connect(self, deadline: float) -> smtplib.SMTP:
        server = self._server
        timeout = self._left(deadline)
        name = server.local_name
        client: smtplib.SMTP
        if server.security == "tls":
            context = ssl.create_default_context()
            client = smtplib.SMTP_SSL(server.host, server.port, name, timeout=timeout, context=context)
        else:
            client = smtplib.SMTP(server.host, server.port, name, timeout=timeout)
        try:
            self._bound(client, deadline)
            if server.security == "starttls":
                client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
            if server.user is not None:
                self._bound(client, deadline)
                client.login(server.user, server.password or "")
        except BaseException:
            client.close()
            raise
        return client

    def _converse(
        self, client: smtplib.SMTP, recipient: str, payload: bytes, *, key: str, deadline: float
    ) -> Receipt:
        handed_over = False
        try:
            for command, argument, expected in (
                ("MAIL", f"FROM:<{self._server.sender}>", 2),
                ("RCPT", f"TO:<{recipient}>", 2),
                ("DATA", "", 3),
            ):
                self._bound(client, deadline)
                code, _ = client.docmd(command, argument)
                if code // 100 != expected:
                    return _refusal(code, command)
            self._bound(client, deadline)
            handed_over = True
            client.send(_LINE_START_DOT.sub(b"..", payload) + b".\r\n")
            code, _ = client.getreply()
        except (OSError, smtplib.SMTPException) as exc:
            status = ReceiptStatus.UNKNOWN if handed_over else ReceiptStatus.NOT_SENT
            return Receipt(status=status, detail=_why(exc))
        if _SUCCESS <= code < _TRANSIENT:
            return Receipt(status=ReceiptStatus.ACCEPTED, provider_ref=key)
        return _refusal(code, "message")

    def _bound(self, client: smtplib.SMTP, deadline: float) -> None:
        if client.sock is not None:
            client.sock.settimeout(self._left(deadline))

    def _left(self, deadline: float) -> float:
        left = deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError("out of time")
        return left


def build_mail(message: Outbound, server: SmtpServer, *, key: str, at: datetime) -> EmailMessage:
    """Return the mail of a message; header injection is impossible, because line breaks are refused.

    Args:
        message: What to send.
        server: Whose `From` it carries.
        key: Becomes `Message-ID` and `X-Outreach-Id`; some receivers drop a second mail with the same.
        at: The date of the mail.

    Raises:
        ValueError: An address is invalid, a header contains a line break, or is not allowed.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(server.sender_name, addr_spec=server.sender)
    mail["To"] = Address(addr_spec=_plain_address(message.recipient))
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{key}@{server.sender.rpartition('@')[2]}>"
    mail["X-Outreach-Id"] = key
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message.locale.replace("_", "-")
    for name, value in message.headers:
        if name.lower() not in _HEADERS:
            raise ValueError(f"a message may not set the header {name!r}")
        mail[name] = value
    mail.set_content(message.body, cte="quoted-printable")
    return mail


def _plain_address(address: str) -> str:
    """Return the address if it is exactly one, in ASCII."""
    if not address.isascii() or any(ord(char) <= ord(" ") or char in "<>\x7f" for char in address):
        raise ValueError("no plain e-mail address")
    parsed = Address(addr_spec=address)
    if not parsed.username or not parsed.domain:
        raise ValueError("no complete e-mail address")
    return parsed.addr_spec


def _refusal(code: int, step: str) -> Receipt:
    if code >= _PERMANENT:
        return Receipt(status=ReceiptStatus.REJECTED, detail=f"{step}: {code}")
    if code >= _TRANSIENT:
        return Receipt(status=ReceiptStatus.NOT_SENT, detail=f"{step}: {code}")
    unclear = ReceiptStatus.UNKNOWN if step == "message" else ReceiptStatus.NOT_SENT
    return Receipt(status=unclear, detail=f"{step}: unexpected answer {code}")


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__
