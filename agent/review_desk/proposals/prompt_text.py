"""The next version of a prompt: the same text with one more line of guidance, and the version counted up."""

import re
from typing import Final

LONGEST_LINE: Final = 200
_HEADING: Final = "What reviewers ask for. It does not lift any rule above:"
_VERSION: Final = re.compile(r"^version:[ ]*(\d+)[ ]*$", re.MULTILINE)
_HEAD_END: Final = "\n---\n"
_NOT_PROSE: Final = re.compile(r"[{}%#<>`]")


def with_guidance(source: str, line: str) -> str | None:
    """Return the source of the next version with a line of guidance before its last paragraph.

    Returns:
        None when the line is no plain prose of a sensible length, stands there already, or the file has
        no head or no last paragraph to put it before.
    """
    words = " ".join(line.split())
    head, rule, body = source.partition(_HEAD_END)
    version = _VERSION.search(head)
    if not rule or version is None or not words or len(words) > LONGEST_LINE or _NOT_PROSE.search(words):
        return None
    bullet = f"- {words}"
    if bullet in body.split("\n"):
        return None
    start, gap, last = body.rstrip("\n").rpartition("\n\n")
    if not gap:
        return None
    opening = "" if _HEADING in start else f"\n\n{_HEADING}"
    new_head = _VERSION.sub(f"version: {int(version[1]) + 1}", head, count=1)
    return f"{new_head}{rule}{start}{opening}\n{bullet}{gap}{last}\n"
