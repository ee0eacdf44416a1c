"""A message and a mail sender for the tests of channels."""

from dataclasses import replace
from datetime import timedelta

from tests.conftest import START
from tests.contract.smtp_peer import SmtpPeer
from tools.channels.smtp import SmtpSender, SmtpServer
from tools.messages import Outbound
from tools.records.vocabulary import ChannelKind

MESSAGE = Outbound(
    channel=ChannelKind.EMAIL,
    recipient="ada@example.org",
    subject="Your order 1001: später",
    body="Hello Ada,\n\nyour order is late.\n.\n.dot first\nFrom the shop\nGrüße",
    links=(),
    locale="de_DE",
    template="delay@1",
    policy="shipping_delay@1",
    headers=(("List-Unsubscribe", "<https://shop.example/stop/1>"),),
)
SERVER = SmtpServer(
    host="127.0.0.1", port=0, sender="service@shop.example", sender_name="Shop", security="none"
)


def smtp_sender(peer: SmtpPeer, *, seconds: float = 5) -> SmtpSender:
    server = replace(SERVER, port=peer.port, timeout=timedelta(seconds=seconds))
    return SmtpSender(server, now=lambda: START)
