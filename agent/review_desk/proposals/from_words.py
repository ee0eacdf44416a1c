"""Guidance for the writer that reviewers keep giving in the same words."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from agent.domain.drafts import ReviewVerdict
from agent.review_desk.proposals.prompt_text import with_guidance
from agent.review_desk.proposals.proposed import Proposed, examples, people, proposal_id
from agent.store.lessons import Said
from prompts.store import PromptStore
from tools.errors import InputError
from tools.records.base import Strict
from tools.yaml_file import load_yaml

FILLERS_FILE: Final = Path(__file__).parent / "filler_words.yaml"
_BY_MODEL: Final = "model"
_WORD: Final = re.compile(r"[^\W_]+")


class Fillers(Strict):
    """Words that change nothing about what a reviewer asks for, by language."""

    words: Mapping[str, tuple[str, ...]]


def from_words(
    said: Sequence[Said], *, folder: Path, at_least: int, accepted: Mapping[str, datetime]
) -> Iterator[Proposed]:
    """Yield the next version of a prompt for every wish that enough reviews have in common.

    Args:
        said: Redraft instructions and rejections for tone, the newest first; only those about texts that
            the model wrote count.
        folder: The prompts in use.
        at_least: Fewest reviews.
        accepted: Proposal → when it was accepted; of these only later reviews count.
    """
    groups: dict[tuple[str, str], dict[str, tuple[str, Said]]] = defaultdict(dict)
    for one in said:
        task, _, _ = one.draft.message.template.partition("@")
        words = _words(one)
        key = normalised(words)
        since = accepted.get(proposal_id("prompt", task, key))
        if one.draft.author == _BY_MODEL and key and (since is None or one.at > since):
            groups[task, key].setdefault(one.draft.case_id, (words, one))
    prompts = PromptStore(folder)
    for (task, key), by_case in sorted(groups.items()):
        if len(by_case) >= at_least:
            yield from _proposal(prompts, task, key, list(by_case.values()))


def normalised(words: str) -> str:
    """Return what two wishes in other words have in common: their words without order, case and fillers."""
    plain = unicodedata.normalize("NFC", words).casefold()
    return " ".join(sorted(set(_WORD.findall(plain)) - _fillers()))


def _proposal(
    prompts: PromptStore, task: str, key: str, found: Sequence[tuple[str, Said]]
) -> Iterator[Proposed]:
    try:
        newest = prompts.get(task)
    except InputError:  # the prompt is gone; nothing is left to be changed
        return
    line = Counter(words for words, _ in found).most_common(1)[0][0]
    before = newest.path.read_text(encoding="utf-8")
    after = with_guidance(before, line)
    if after is None:
        return
    yield Proposed(
        kind="prompt",
        key=key,
        target=f"{task}/v{newest.version + 1}.md",
        base=f"{task}/v{newest.version}.md",
        title=f"tell the writer: {' '.join(line.split())}",
        why=f"{len(found)} redrafts and rejections asked for this in texts by the model",
        count=len(found),
        reviewers=people(one.reviewer for _, one in found),
        examples=examples(one.draft_id for _, one in found),
        before=before,
        after=after,
    )


def _words(said: Said) -> str:
    if said.verdict is ReviewVerdict.REDRAFT:
        return said.reason.strip()
    return said.reason.partition(":")[2].strip()


@cache
def _fillers() -> frozenset[str]:
    return frozenset(word for words in load_yaml(FILLERS_FILE, Fillers).words.values() for word in words)
