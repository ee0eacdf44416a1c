r"""Fields to type in that show hidden characters as `\uXXXX`, and give back the text they stand for."""

import re
from typing import Final

from textual import events
from textual.widgets import Input, TextArea
from typing_extensions import override

from tools.safe_text import safe_line, safe_text

_ESCAPE: Final = re.compile(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")


def restored(typed: str, before: str) -> str:
    r"""Return a changed text with the escapes that `safe_text` had put into it made characters again.

    An escape becomes a character only if that character stood in the text before and the escape did not, so
    whatever the reviewer leaves alone stays as it was.
    """

    def back(match: re.Match[str]) -> str:
        char = chr(int(match[1] or match[2], 16))
        return char if char in before and match[0] not in before else match[0]

    return _ESCAPE.sub(back, typed)


class SafeInput(Input):
    """One line; what is pasted is made safe to show."""

    @override
    def _on_paste(self, event: events.Paste) -> None:
        event.text = safe_line(event.text)
        super()._on_paste(event)


class SafeTextArea(TextArea):
    """Several lines; what is pasted is made safe to show."""

    @override
    async def _on_paste(self, event: events.Paste) -> None:
        event.text = safe_text(event.text)
        await super()._on_paste(event)
