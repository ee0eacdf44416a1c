"""Putting one phrase for another into the source of a template, branches and head left as they are."""

import json
import re
from typing import Final

from agent.review_desk.proposals.phrases import Replacement, back_pattern, front_pattern, phrase_pattern

_TAG: Final = re.compile(r"\{%.*?%\}", re.DOTALL)
_SUBJECT: Final = re.compile(r"^subject:[ ]*(?P<value>.*)$", re.MULTILINE)
_HEAD_END: Final = "\n---\n"


def replace_in_template(source: str, change: Replacement) -> str | None:
    """Return the source with the replacement at every place where the original phrase stands in its place.

    Only text between branches is changed, in the subject of the head and in the body.

    Returns:
        None when the phrase does not stand there in one piece, or what would come of it cannot be told.
    """
    head, rule, body = source.partition(_HEAD_END)
    if not rule:
        return None
    new_body = "".join(piece if _TAG.fullmatch(piece) else _replace(piece, change) for piece in _pieces(body))
    new_head = _SUBJECT.sub(lambda match: "subject: " + _subject(match["value"], change), head)
    changed = new_head + rule + new_body
    return None if changed == source else changed


def _pieces(body: str) -> list[str]:
    pieces: list[str] = []
    last = 0
    for tag in _TAG.finditer(body):
        pieces += [body[last : tag.start()], tag[0]]
        last = tag.end()
    return [*pieces, body[last:]]


def _subject(raw: str, change: Replacement) -> str:
    text = _unquoted(raw)
    if text is None:
        return raw
    changed = _replace(text, change)
    return raw if changed == text else json.dumps(changed, ensure_ascii=False)


def _unquoted(raw: str) -> str | None:
    """Return the text of a subject in double quotes, as all templates write it; None for other forms."""
    if not raw.startswith('"'):
        return None
    try:
        text: object = json.loads(raw)
    except ValueError:
        return None
    return text if isinstance(text, str) else None


def _replace(text: str, change: Replacement) -> str:
    """Replace where both neighbours agree; a neighbour that the edge of the text cuts off agrees too."""
    # a phrase that is put in has no words of its own to be known by, only those around it
    own = 0 if change.old else 1
    front = rf"(?P<front>(?:{front_pattern(change.before, at_least=own)})\s*?)"
    back = rf"(?P<gap>\s*?)(?P<back>{back_pattern(change.after, at_least=own)})"
    if change.old:
        pattern = re.compile(f"{front}{phrase_pattern(change.old)}{back}")
        return pattern.sub(lambda match: match["front"] + change.new + match["gap"] + match["back"], text)

    def put_in(match: re.Match[str]) -> str:
        # the new phrase brings its own blank on one side; the gap that was there goes to the other
        pieces = (change.new, match["gap"]) if change.new[0].isspace() else (match["gap"], change.new)
        return match["front"] + "".join(pieces) + match["back"]

    return re.sub(front + back, put_in, text)
