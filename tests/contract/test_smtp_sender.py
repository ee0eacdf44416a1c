"""SMTP against a real server: each way it can go has one honest answer, and no mail is sent twice."""

import email
import socket
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import START
from tests.contract.messages import MESSAGE, SERVER, smtp_sender
from tests.contract.smtp_peer import SmtpPeer, smtp_peer
from tools.channels.smtp import SmtpSender, build_mail
from tools.messages import Outbound, ReceiptStatus


@pytest.mark.parametrize(
    ("peer", "status", "accepted"),
    [
        pytest.param(SmtpPeer(), ReceiptStatus.ACCEPTED, 1, id="250"),
        pytest.param(SmtpPeer(answer="451 try later"), ReceiptStatus.NOT_SENT, 0, id="451"),
        pytest.param(SmtpPeer(answer="550 no"), ReceiptStatus.REJECTED, 0, id="550"),
        pytest.param(SmtpPeer(refuse_recipient="450 busy"), ReceiptStatus.NOT_SENT, 0, id="RCPT 450"),
        pytest.param(SmtpPeer(refuse_recipient="550 unknown"), ReceiptStatus.REJECTED, 0, id="RCPT 550"),
        pytest.param(SmtpPeer(hang_up=True), ReceiptStatus.UNKNOWN, 1, id="hangs up after DATA"),
        pytest.param(SmtpPeer(silent=True), ReceiptStatus.UNKNOWN, 1, id="silent after DATA"),
    ],
)
async def test_each_answer_means_one_thing_and_one_attempt(
    peer: SmtpPeer, status: ReceiptStatus, accepted: int
) -> None:
    async with smtp_peer(peer):
        receipt = await smtp_sender(peer, seconds=0.5 if peer.silent else 5).send(
            MESSAGE, idempotency_key="dlv_1"
        )

        assert receipt.status is status
        assert len(peer.accepted) == accepted
        assert "ada@" not in receipt.detail


async def test_nobody_listening_is_surely_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        sender = SmtpSender(replace(SERVER, port=unused.getsockname()[1]), now=lambda: START)

        receipt = await sender.send(MESSAGE, idempotency_key="dlv_1")

    assert receipt.status is ReceiptStatus.NOT_SENT


async def test_a_server_without_encryption_gets_nothing_when_encryption_is_wanted() -> None:
    async with smtp_peer(SmtpPeer()) as peer:
        sender = SmtpSender(replace(SERVER, port=peer.port, security="starttls"), now=lambda: START)

        receipt = await sender.send(MESSAGE, idempotency_key="dlv_1")

        assert (receipt.status, peer.accepted) == (ReceiptStatus.NOT_SENT, [])


async def test_the_mail_carries_text_and_identity() -> None:
    async with smtp_peer(SmtpPeer()) as peer:
        await smtp_sender(peer).send(MESSAGE, idempotency_key="dlv_1")

        mail = email.message_from_bytes(peer.accepted[0], policy=default)
    assert isinstance(mail, EmailMessage)
    assert _text(mail) == MESSAGE.body
    assert mail["Subject"] == MESSAGE.subject
    assert mail["Message-ID"] == "<dlv_1@shop.example>"
    assert mail["X-Outreach-Id"] == "dlv_1"
    assert mail["List-Unsubscribe"] == "<https://shop.example/stop/1>"
    assert peer.recipients == [MESSAGE.recipient]


@pytest.mark.parametrize(
    "message",
    [
        replace(MESSAGE, recipient="a@example.org\nBcc: b@example.org"),
        replace(MESSAGE, recipient="a@example.org, b@example.org"),
        replace(MESSAGE, recipient="a@example.org> NOTIFY=NEVER"),
        replace(MESSAGE, recipient=""),
        replace(MESSAGE, recipient="ada"),
        replace(MESSAGE, subject="Hi\r\nBcc: b@example.org"),
        replace(MESSAGE, headers=(("Bcc", "b@example.org"),)),
        replace(MESSAGE, headers=(("List-Unsubscribe", "<https://x>\nBcc: b@example.org"),)),
        replace(MESSAGE, locale="de\nBcc: b@example.org"),
    ],
    ids=["newline", "two", "option", "none", "no domain", "subject", "header", "header value", "locale"],
)
async def test_no_header_or_recipient_can_be_smuggled_in(message: Outbound) -> None:
    async with smtp_peer(SmtpPeer()) as peer:
        receipt = await smtp_sender(peer).send(message, idempotency_key="dlv_1")

        assert (receipt.status, peer.accepted) == (ReceiptStatus.REJECTED, [])


LINES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]) | st.just("."), max_size=30
)


@given(body=st.lists(LINES, max_size=5).map("\n".join))
def test_no_body_ends_the_mail_early_or_adds_a_header(body: str) -> None:
    mail = build_mail(replace(MESSAGE, body=body), SERVER, key="k", at=START)

    again = email.message_from_bytes(mail.as_bytes(), policy=default)
    assert isinstance(again, EmailMessage)
    assert _text(again) == body.removesuffix("\n")
    assert again.keys() == mail.keys()


def _text(mail: EmailMessage) -> str:
    """The text as the customer's program shows it: mail lines end in CRLF, the last one too."""
    content: str = mail.get_content()
    return content.replace("\r\n", "\n").removesuffix("\n")
