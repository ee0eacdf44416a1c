"""What was approved is what is sent: random edits of every field, hidden or not, send nothing (I6)."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final, TypeVar

import pytest
from sqlalchemy import update
from sqlmodel import col

from agent.clock import SimulatedClock
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryId, DeliveryState
from agent.store.deliveries import DeliveryFile
from agent.store.drafts import draft_to_json, get_draft
from agent.store.tables.cases import DraftRow, ReviewRow
from agent.store.tables.sending import DeliveryRow
from agent.store.transaction import Store, Tx
from tests.sending_bench import Bench
from tools.messages import Outbound
from tools.records.vocabulary import ChannelKind

SOME: Final = 10
ALL: Final = 200
ODD_CHARACTERS = "aZ09 .,!-/@\n\t\x00\u00a0\u00ad\u200b\u202e\ufeff\u0430\u0131é😀"

T = TypeVar("T")
Pairs = tuple[tuple[str, str], ...]


def edited_text(text: str, random: Random) -> str:
    """Return another text: far away or as near as a look-alike, an invisible mark, or another normal form."""

    def edit() -> str:
        return random.choice(edits)(random.randrange(len(text) + 1), random.choice(ODD_CHARACTERS))

    edits: tuple[Callable[[int, str], str], ...] = (
        lambda at, mark: text[:at] + mark + text[at:],
        lambda at, mark: text[:at] + mark + text[at + 1 :],
        lambda at, _mark: text[:at] + text[at + 1 :],
        lambda at, _mark: text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        lambda at, _mark: text[:at] + text[at : at + 1].swapcase() + text[at + 1 :],
        lambda _at, _mark: unicodedata.normalize("NFD", text),
        lambda at, _mark: text[:at],
        lambda _at, mark: text + mark,
        lambda _at, mark: mark,
        lambda _at, _mark: "",
    )
    return until_other(text, edit)


def until_other(before: T, edit: Callable[[], T]) -> T:
    while (after := edit()) == before:
        pass
    return after


def edited_links(links: tuple[str, ...], random: Random) -> tuple[str, ...]:
    def edit() -> tuple[str, ...]:
        some = [*links]
        if some and random.random() < 0.5:
            place = random.randrange(len(some))
            some[place] = edited_text(some[place], random)
        else:
            some = random.sample([*some, "https://evil.example/1"], random.randrange(len(some) + 2))
        return tuple(some)

    return until_other(links, edit)


def edited_headers(headers: Pairs, random: Random) -> Pairs:
    ((name, value),) = headers
    choices: tuple[Pairs, ...] = (
        (),
        ((edited_text(name, random), value),),
        ((name, edited_text(value, random)),),
        (*headers, ("Reply-To", edited_text("eve@example.org", random))),
        (*headers, *headers),
    )
    return random.choice(choices)


MESSAGE_FIELDS: dict[str, Callable[[Outbound, Random], Outbound]] = {
    "channel": lambda m, r: replace(m, channel=r.choice([ChannelKind.SMS, ChannelKind.PUSH])),
    "recipient": lambda m, r: replace(m, recipient=edited_text(m.recipient, r)),
    "subject": lambda m, r: replace(m, subject=edited_text(m.subject, r)),
    "body": lambda m, r: replace(m, body=edited_text(m.body, r)),
    "links": lambda m, r: replace(m, links=edited_links(m.links, r)),
    "locale": lambda m, r: replace(m, locale=edited_text(m.locale, r)),
    "template": lambda m, r: replace(m, template=edited_text(m.template, r)),
    "policy": lambda m, r: replace(m, policy=edited_text(m.policy, r)),
    "headers": lambda m, r: replace(m, headers=edited_headers(m.headers, r)),
}


def set_delivery(tx: Tx, file: DeliveryFile, **values: object) -> None:
    tx.conn.execute(update(DeliveryRow).where(col(DeliveryRow.id) == file.delivery.id).values(**values))


def set_draft(tx: Tx, file: DeliveryFile, message: Outbound, *, with_hash: bool) -> None:
    """Put another message into the draft, as somebody would who knows where it is kept."""
    draft = get_draft(tx.conn, file.delivery.draft_id)
    assert draft is not None
    values: dict[str, object] = {"body": draft_to_json(replace(draft.draft, message=message))}
    if with_hash:
        values["content_hash"] = message.content_hash
    tx.conn.execute(update(DraftRow).where(col(DraftRow.id) == draft.draft.id).values(**values))


def edit_message(tx: Tx, file: DeliveryFile, changed: Outbound, random: Random) -> None:
    """Change what would be sent and, each more than the last, what might give that away."""
    hidden = random.choice(["nowhere", "in the delivery", "in the draft"])
    set_delivery(tx, file, message=changed.canonical().decode())
    if hidden != "nowhere":
        set_delivery(tx, file, content_hash=changed.content_hash, channel=changed.channel)
    if hidden == "in the draft":
        set_draft(tx, file, changed, with_hash=True)


def edit_channel_of_delivery(tx: Tx, file: DeliveryFile, random: Random) -> None:
    set_delivery(tx, file, channel=random.choice([ChannelKind.SMS, ChannelKind.PUSH]))


def edit_bytes_of_delivery(tx: Tx, file: DeliveryFile, random: Random) -> None:
    """Write the same message in other bytes: what was approved are bytes."""
    fields = json.loads(file.message_text)

    def edit() -> str:
        return random.choice(
            [
                json.dumps(dict(random.sample([*fields.items()], len(fields)))),
                json.dumps(fields, indent=random.randrange(5), sort_keys=True),
                file.message_text + random.choice(" \n\t"),
            ]
        )

    set_delivery(tx, file, message=until_other(file.message_text, edit))


def edit_hash_of_delivery(tx: Tx, file: DeliveryFile, random: Random) -> None:
    set_delivery(tx, file, content_hash=edited_hash(file.delivery.content_hash, random))


def edited_hash(before: str, random: Random) -> str:
    return until_other(before, lambda: random.choice([f"{random.getrandbits(256):064x}", before.upper()]))


def edit_text_of_draft(tx: Tx, file: DeliveryFile, random: Random) -> None:
    change = MESSAGE_FIELDS[random.choice(sorted(MESSAGE_FIELDS))]
    set_draft(tx, file, change(file.delivery.message, random), with_hash=random.random() < 0.5)


def edit_hash_of_approval(tx: Tx, file: DeliveryFile, random: Random) -> None:
    after = edited_hash(file.delivery.content_hash, random)
    tx.conn.execute(
        update(ReviewRow).where(col(ReviewRow.id) == file.delivery.review_id).values(content_hash=after)
    )


ROWS: dict[str, Callable[[Tx, DeliveryFile, Random], None]] = {
    "channel of the delivery": edit_channel_of_delivery,
    "bytes of the delivery": edit_bytes_of_delivery,
    "hash of the delivery": edit_hash_of_delivery,
    "text of the draft": edit_text_of_draft,
    "hash of the approval": edit_hash_of_approval,
}
FIELDS = [*MESSAGE_FIELDS, *ROWS]


def edit(tx: Tx, file: DeliveryFile, field: str, random: Random) -> None:
    if field in ROWS:
        ROWS[field](tx, file, random)
        return
    changed = MESSAGE_FIELDS[field](file.delivery.message, random)
    assert changed != file.delivery.message
    edit_message(tx, file, changed, random)


async def only_the_untouched_leaves(bench: Bench, field: str, *, edits: int) -> None:
    """Approve messages, edit a field of all but the first, and let the dispatcher have them."""
    random = Random(field)
    bench.world.candidate = {"sent_last_day": 0, "sent_last_week": 0}
    untouched, *others = [bench.approved(f"e{number}") for number in range(edits + 1)]
    files = [bench.delivery(delivery_id) for delivery_id in others]
    with bench.store.write() as tx:
        for file in files:
            edit(tx, file, field, random)

    await bench.dispatcher.dispatch_due()

    assert sent(bench) == [untouched]
    assert bench.provider.calls == 1
    for file in files:
        after = bench.delivery(file.delivery.id)
        assert (after.delivery.state, after.state_reason) == (
            DeliveryState.SUPPRESSED,
            "approval_mismatch",
        ), "it was held back for another reason"
        assert bench.case(file.delivery.case_id).state is CaseState.ESCALATED


def sent(bench: Bench) -> list[DeliveryId]:
    return [DeliveryId(key) for key, _ in bench.provider.accepted]


def test_every_field_of_a_message_is_edited() -> None:
    assert set(MESSAGE_FIELDS) == set(Outbound.__dataclass_fields__)


@pytest.mark.parametrize("field", FIELDS)
async def test_nothing_leaves_that_was_edited_after_approval(
    any_store: Store, clock: SimulatedClock, field: str
) -> None:
    bench = Bench(store=any_store, clock=clock, channels=tuple(ChannelKind))

    await only_the_untouched_leaves(bench, field, edits=SOME)


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
async def test_nothing_leaves_however_often_it_is_edited(
    store: Store, clock: SimulatedClock, field: str
) -> None:
    bench = Bench(store=store, clock=clock, channels=tuple(ChannelKind))

    await only_the_untouched_leaves(bench, field, edits=ALL)
