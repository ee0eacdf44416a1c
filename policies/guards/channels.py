"""What each channel can carry: lengths, subjects, and the segments of an SMS."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from policies.guards.finding import Finding
from tools.records.vocabulary import ChannelKind

GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅå\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039eÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet of 3GPP TS 23.038, one septet each; the escape itself is left out."""
GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""The extension table of 3GPP TS 23.038: an escape and a septet each."""
GSM_SINGLE: Final = 160
GSM_PART: Final = 153
UCS2_SINGLE: Final = 70
UCS2_PART: Final = 67
_LAST_OF_BASIC_PLANE: Final = 0xFFFF
MOST_SEGMENTS: Final = 3
LONGEST_SUBJECT: Final = 78
LONGEST_TITLE: Final = 50
LONGEST_PUSH: Final = 178
_TYPOGRAPHY: Final = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": ",",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u2026": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u00ba": "o",
        "\u00aa": "a",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSize:
    """How much room a text takes by SMS."""

    segments: int
    """0 for an empty text."""
    used: int
    """Septets in GSM-7, 16-bit units in UCS-2."""
    left: int
    """Units that still fit into the last segment."""
    encoding: Literal["GSM-7", "UCS-2"]


def segments(text: str) -> int:
    """Return how many SMS segments a text takes; 0 for an empty one."""
    return sms_size(text).segments


def sms_size(text: str) -> SmsSize:
    """Return how much room a text takes by SMS.

    GSM-7 has 160 septets in one segment and 153 in each of several, UCS-2 has 70 units and 67. An escaped
    character or a surrogate pair is never split over two segments. Source: 3GPP TS 23.038 and 23.040.
    """
    packed = _packed(text)
    return SmsSize(
        segments=len(packed.ends),
        used=packed.used,
        left=packed.left,
        encoding="GSM-7" if packed.gsm else "UCS-2",
    )


def sms_parts(text: str) -> tuple[str, ...]:
    """Return the text as phones get it before they put it together again: one part for each segment."""
    ends = _packed(text).ends
    return tuple(text[start:end] for start, end in zip((0, *ends), ends, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    gsm: bool
    used: int
    left: int
    ends: tuple[int, ...]
    """Where each segment ends, in characters of the text."""


def _packed(text: str) -> _Packed:
    """Put characters into segments as they are sent, none of them over two."""
    gsm = _is_gsm(text)
    sizes = [1 + (char in GSM_EXTENSION) if gsm else 1 + (ord(char) > _LAST_OF_BASIC_PLANE) for char in text]
    single, part = (GSM_SINGLE, GSM_PART) if gsm else (UCS2_SINGLE, UCS2_PART)
    used = sum(sizes)
    if used <= single:
        return _Packed(gsm=gsm, used=used, left=single - used, ends=(len(text),) if text else ())
    ends: list[int] = []
    room = part
    for at, size in enumerate(sizes):
        if size > room:
            ends.append(at)
            room = part
        room -= size
    return _Packed(gsm=gsm, used=used, left=room, ends=(*ends, len(text)))


def sms_text(text: str) -> str:
    """Return the text as it costs least by SMS: in GSM-7 where only accents and typography stand against it.

    `Previsão: 5 de março` becomes `Previsao: 5 de marco`, as companies write by SMS; letters that GSM-7 has
    (ä, ö, ü, ñ, à, é, …) stay. A text that cannot become GSM-7 is returned as it is.
    """
    if _is_gsm(text):
        return text
    plain = "".join(_nearest(char) for char in text.translate(_TYPOGRAPHY))
    return plain if _is_gsm(plain) else text


def check_channel(
    channel: ChannelKind, subject: str, body: str, *, max_segments: int = MOST_SEGMENTS
) -> tuple[Finding, ...]:
    """Check a rendered message against what its channel can carry.

    Args:
        channel: The channel.
        subject: Mail subject (1 to 78 characters), push title (1 to 50), or empty for SMS.
        body: The text; 1 to 178 characters by push.
        max_segments: Most segments of an SMS.

    Returns:
        `channel.subject`, `channel.body` and `channel.segments`.
    """
    count = segments(body) if channel is ChannelKind.SMS else 1
    too_many = f"{count} segments, {max_segments} is the most" if count > max_segments else ""
    return (
        _finding("subject", _wrong_subject(channel, subject)),
        _finding("body", _wrong_body(channel, body)),
        Finding(guard="channel.segments", ok=not too_many, detail=too_many),
    )


def _finding(guard: str, wrong: Iterator[str]) -> Finding:
    detail = "; ".join(wrong)
    return Finding(guard=f"channel.{guard}", ok=not detail, detail=detail)


def _wrong_subject(channel: ChannelKind, subject: str) -> Iterator[str]:
    if channel is ChannelKind.SMS:
        if subject:
            yield "an SMS has no subject"
        return
    longest = LONGEST_SUBJECT if channel is ChannelKind.EMAIL else LONGEST_TITLE
    if not subject.strip():
        yield "the subject is empty"
    if len(subject) > longest:
        yield f"the subject has {len(subject)} characters, {longest} is the most"
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in subject):
        yield "the subject has a line break or a control character"


def _wrong_body(channel: ChannelKind, body: str) -> Iterator[str]:
    if not body.strip():
        yield "the body is empty"
    if channel is ChannelKind.PUSH and len(body) > LONGEST_PUSH:
        yield f"the body has {len(body)} characters, {LONGEST_PUSH} is the most"


def _is_gsm(text: str) -> bool:
    return all(char in GSM_BASIC or char in GSM_EXTENSION for char in text)


@lru_cache(maxsize=2048)
def _nearest(char: str) -> str:
    """Return a character without its accent, unless GSM-7 has it as it is."""
    if char in GSM_BASIC or char in GSM_EXTENSION:
        return char
    return "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
