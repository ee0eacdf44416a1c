"""Senders are chosen by name; what cannot work is refused before the first message."""

from pathlib import Path

import pytest

from tests.conftest import START
from tools.errors import InputError
from tools.records.vocabulary import ChannelKind
from tools.registry import SmtpServer, open_sender

SERVER = SmtpServer(host="mail.example", port=587, sender="service@shop.example")


@pytest.mark.parametrize("channel", list(ChannelKind))
def test_the_outbox_serves_every_channel(tmp_path: Path, channel: ChannelKind) -> None:
    sender = open_sender("outbox", channel=channel, folder=tmp_path, now=lambda: START)

    assert sender.capability.channel is channel
    assert sender.capability.idempotency == "key"
    assert list(tmp_path.iterdir()) == []


def test_smtp_serves_mail(tmp_path: Path) -> None:
    sender = open_sender("smtp", channel=ChannelKind.EMAIL, folder=tmp_path, smtp=SERVER, now=lambda: START)

    assert (sender.capability.name, sender.capability.idempotency) == ("smtp", "none")


@pytest.mark.parametrize(
    ("channel", "server", "problem"),
    [
        pytest.param(ChannelKind.SMS, SERVER, "smtp cannot send sms", id="wrong channel"),
        pytest.param(ChannelKind.EMAIL, None, "mail server is not set", id="no server"),
    ],
)
def test_smtp_refuses_what_it_cannot_do(
    tmp_path: Path, channel: ChannelKind, server: SmtpServer | None, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        open_sender("smtp", channel=channel, folder=tmp_path, smtp=server, now=lambda: START)
