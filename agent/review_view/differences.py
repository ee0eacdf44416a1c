"""What changed between two versions of a text: words taken out and put in, with signs beside the styles."""

import re
from difflib import SequenceMatcher
from typing import Final

from rich.text import Text

from agent.review_view.cells import shown_block
from agent.review_view.marks import BAD, GOOD

_WORD: Final = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS: Final = 4_000
"""Above this many, whole lines are compared: comparing words takes quadratic time."""


def differences(before: str, after: str) -> Text:
    """Return the later text with `[-what went-]` and `[+what came+]` in their places."""
    old, new = _parts(before, after)
    result = Text()
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            result.append_text(shown_block("".join(old[start:end])))
            continue
        if end > start:
            result.append_text(shown_block(f"[-{''.join(old[start:end])}-]", f"{BAD} strike"))
        if new_end > new_start:
            result.append_text(shown_block(f"[+{''.join(new[new_start:new_end])}+]", f"bold {GOOD}"))
    return result


def _parts(before: str, after: str) -> tuple[list[str], list[str]]:
    words = _WORD.findall(before), _WORD.findall(after)
    if sum(map(len, words)) <= _MOST_WORDS:
        return words
    return before.splitlines(keepends=True), after.splitlines(keepends=True)
