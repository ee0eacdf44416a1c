"""Logs of the daemon: one line per event on stderr, without personal data. The audit log is a table instead.

Event names are `noun.past_participle`; ids are keys. Redaction is the second line of defence: nobody should
log a text or an address, and if somebody does, it does not get out.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from agent.clock import Clock

HIDDEN: Final = "[hidden]"
"""Stands where personal data or a secret stood."""

Level = Literal["debug", "info", "warning", "error"]

_HIDDEN_WORDS: Final = frozenset(
    {
        *("address", "addresses", "authorization", "body", "credential", "credentials", "customer", "email"),
        *("facts", "headers", "iban", "message", "name", "names", "passwd", "password", "phone", "private"),
        *("recipient", "recipients", "reply", "secret", "subject", "text", "token"),
    }
)
"""A key with one of these words hides its value, whatever the value looks like."""

_CARD: Final = re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w.])")
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{8,}",
        r"\bsk-[\w-]{8,}",  # keys of OpenAI and its likes
        r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)",  # user and password in a URL
        r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+",
        r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",  # IBAN
        r"(?<![\w.])\+\d[\d ().-]{6,18}\d",  # telephone numbers with a country
        r"(?<![\w.:+-])\(?0\d{1,4}\)?[ /-]\d[\d /-]{4,12}\d(?![\w:])",  # and without
    )
)
_MESSAGE_LENGTH: Final = 500


def get_log(name: str) -> FilteringBoundLogger:
    """Return the logger of a module."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def configure_logs(
    *, level: Level, clock: Clock, stream: TextIO | None = None, colours: bool | None = None
) -> None:
    """Set up logging for this process.

    Args:
        level: Less important events are dropped.
        clock: Gives each line its time.
        stream: Where lines go; stderr without it, for stdout carries data.
        colours: For people instead of JSON; by default when the stream is a terminal.
    """
    people = (stream or sys.stderr).isatty() if colours is None else colours

    def add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {"at": clock().isoformat(timespec="milliseconds"), **event}

    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=True, timestamp_key="at", pad_event_to=30)
        if people
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            add_time,
            _tell_exception,
            hide_personal_data,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # stderr is looked up at each line: the one of when logs were set up may be closed by now
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_Libraries())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, format="%(name)s: %(message)s", force=True)


def hide_personal_data(_logger: WrappedLogger | None, _method: str, event: EventDict) -> EventDict:
    """Hide secrets and personal data in an event, by key and by form."""
    return {key: _hidden(key, value) for key, value in event.items()}


def without_personal_data(text: str) -> str:
    """Return a text with whatever looks like personal data or a secret hidden."""
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return _CARD.sub(lambda match: HIDDEN if _is_card(match.group()) else match.group(), text)


class _Libraries:
    """A stream for the standard library's logging, so that libraries' warnings are treated like ours."""

    def write(self, text: str) -> None:
        said = text.partition("\n")[0][:_MESSAGE_LENGTH]
        get_log(__name__).warning("library.warned", said=said)

    def flush(self) -> None:
        return


def _hidden(key: str, value: Any) -> Any:  # noqa: ANN401  # a logger takes anything
    if not _HIDDEN_WORDS.isdisjoint(key.lower().split("_")):
        return HIDDEN
    if isinstance(value, str):
        return without_personal_data(value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        return {str(name): _hidden(str(name), item) for name, item in pairs.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden("", item) for item in cast("list[object]", value)]
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_personal_data(str(value))


def _tell_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type, the first line of its message, and where it came from.

    Local variables and the rest of the message are left out: database errors carry the values of a statement.
    """
    exc = event.pop("exc_info", None)
    if exc is True:
        exc = sys.exc_info()[1]
    if isinstance(exc, BaseException):
        event["error"] = type(exc).__name__
        event["problem"] = str(exc).partition("\n")[0][:_MESSAGE_LENGTH]
        event["where"] = _frames(exc.__traceback__)
    return event


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)[-8:]]


def _is_card(text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0  # Luhn, which card numbers fulfil
