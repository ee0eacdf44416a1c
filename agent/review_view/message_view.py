"""The message as the customer will see it, by channel: a bubble, a mail, a lock screen."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from agent.domain.drafts import Draft
from agent.review_desk.views import TextCheck
from agent.review_view.cells import shown
from agent.review_view.marked_text import Place, fact_numbers, marked, places
from agent.review_view.marks import BAD, CARE, LINK, QUIET
from agent.review_view.words import plural
from policies.guards.channels import LONGEST_PUSH, sms_parts, sms_size
from policies.guards.links import urls_in
from tools.link_hosts import true_host
from tools.records.vocabulary import ChannelKind

_BUBBLE_WIDTH: Final = 48
_PHONE_WIDTH: Final = 44


def message_view(draft: Draft, *, check: TextCheck | None = None, sender: str = "") -> RenderableType:
    """Return the message as its channel shows it, with its facts marked and the true hosts of its links.

    Args:
        draft: The draft.
        check: What was counted of its text; without it only the channel's plain form is shown.
        sender: Whom a mail comes from; left out when it is not known.
    """
    channel = draft.message.channel
    body = (
        _sms(draft, check)
        if channel is ChannelKind.SMS
        else _push(draft, check)
        if channel is ChannelKind.PUSH
        else _mail(draft, sender)
    )
    return Group(body, *link_lines(f"{draft.message.subject}\n{draft.message.body}"))


def link_lines(text: str) -> Iterable[Text]:
    """Yield one line for each link of a text: where it really leads."""
    for url in dict.fromkeys(urls_in(text)):
        line = Text("link → ", style=QUIET)
        line.append_text(shown(true_host(url), f"bold {LINK}"))
        yield line.append("  ").append_text(shown(url, QUIET))


def size_words(check: TextCheck) -> str:
    """Return how large a text is in its channel: segments, characters and encoding, or lengths."""
    if check.encoding:
        return f"{plural(check.segments, 'segment')}, {check.characters} characters, {check.encoding}"
    subject = f"subject {check.subject_length} of {check.subject_limit}, " if check.subject_limit else ""
    return f"{subject}{check.characters} characters"


def _body(draft: Draft) -> Text:
    body = draft.message.body
    return marked(body, places(draft.slotted_body, body, draft.used), fact_numbers(draft))


def _subject(draft: Draft) -> Text:
    subject = draft.message.subject
    return marked(subject, places(draft.slotted_subject, subject, draft.used), fact_numbers(draft), "bold")


def _sms(draft: Draft, check: TextCheck | None) -> RenderableType:
    counted = sms_size(draft.message.body)
    words = f"{plural(counted.segments, 'segment')}, {counted.used} characters, {counted.encoding}"
    size = size_words(check) if check else words
    return Panel(
        Group(*_segments(draft)),
        box=box.ROUNDED,
        title=shown(f"SMS to {draft.message.recipient}"),
        subtitle=Text(size, style=BAD if check and not check.ok else QUIET),
        title_align="left",
        subtitle_align="right",
        width=_BUBBLE_WIDTH,
        padding=(0, 1),
    )


def _segments(draft: Draft) -> Iterator[RenderableType]:
    """Yield the text, parted where one segment ends and the next one begins."""
    body, numbers = draft.message.body, fact_numbers(draft)
    found, parts = places(draft.slotted_body, body, draft.used), sms_parts(body)
    start = 0
    for number, part in enumerate(parts, start=1):
        end = start + len(part)
        if len(parts) > 1:
            yield Rule(Text(f"segment {number} of {len(parts)}", style=QUIET), style=QUIET, align="right")
        yield marked(part, list(_within(found, start, end)), numbers)
        start = end


def _within(found: Sequence[Place], start: int, end: int) -> Iterator[Place]:
    """Yield the facts of one segment; one that goes over its end has its number where it ends."""
    for place in found:
        if place.start < end and start < place.end:
            whole = place.fact if place.end <= end else ""
            yield Place(max(place.start, start) - start, min(place.end, end) - start, whole)


def _mail(draft: Draft, sender: str) -> RenderableType:
    head = [Text.assemble(("From     ", QUIET), shown(sender))] if sender else []
    head.append(Text.assemble(("To       ", QUIET), shown(draft.message.recipient)))
    head.append(Text.assemble(("Subject  ", QUIET), _subject(draft)))
    return Group(*head, Rule(style=QUIET), _body(draft))


def _push(draft: Draft, check: TextCheck | None) -> RenderableType:
    body = draft.message.body
    cut = min(check.push_cut if check and check.push_cut is not None else LONGEST_PUSH, len(body))
    found = places(draft.slotted_body, body, draft.used)
    numbers = fact_numbers(draft)
    seen = marked(body[:cut], [place for place in found if place.end <= cut], numbers)
    lines: list[RenderableType] = [_subject(draft), seen]
    if cut < len(body):
        seen.append("…", style=CARE)
    phone = Panel(
        Group(*lines),
        box=box.HEAVY_EDGE,
        title=Text("lock screen", style=QUIET),
        title_align="left",
        width=_PHONE_WIDTH,
        padding=(0, 1),
    )
    target = Text.assemble(("Push to  ", QUIET), shown(draft.message.recipient))
    if cut >= len(body):
        return Group(target, phone)
    rest = Text("cut off on lock screens: ", style=CARE).append_text(shown(body[cut:]))
    return Group(target, phone, rest)
