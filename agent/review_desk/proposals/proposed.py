"""A change to a file that reviews suggest, before anybody has looked at it."""

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["template", "prompt", "rule"]
MOST_EXAMPLES = 3
_NO_LINE_END = "\n\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """One change to one file, complete."""

    kind: Kind
    key: str
    """What makes two proposals the same: the place and the change, not how often it was seen."""
    target: str
    """The file, from the folder of its kind."""
    base: str
    """The file that the change starts from; another one than the target for a new version of a prompt."""
    title: str
    why: str
    count: int
    reviewers: tuple[str, ...]
    examples: tuple[str, ...]
    """Ids of drafts that show it, the newest first."""
    before: str
    """Text of the base."""
    after: str
    """Text of the target."""

    @property
    def id(self) -> str:
        """The same for the same change, whenever it is computed."""
        # the version of a prompt grows with every accepted proposal; its folder stays
        return proposal_id(
            self.kind, self.target.partition("/")[0] if self.kind == "prompt" else self.target, self.key
        )

    @property
    def diff(self) -> str:
        """Return what changes, as a unified diff from the base."""
        return unified(self.before, self.after, old=f"a/{self.base}", new=f"b/{self.target}")

    @property
    def patch(self) -> str:
        """Return the change as `patch -p1` and `git apply` take it in the folder of its kind."""
        if self.base == self.target:
            return self.diff
        return unified("", self.after, old="/dev/null", new=f"b/{self.target}")


def proposal_id(kind: Kind, place: str, key: str) -> str:
    """Return the id of a change: the same place and the same change are the same proposal."""
    return f"prp_{hashlib.sha256(f'{kind}|{place}|{key}'.encode()).hexdigest()[:16]}"


def unified(before: str, after: str, *, old: str, new: str) -> str:
    """Return a unified diff of two texts, true to a missing line end at the end of a file."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), fromfile=old, tofile=new
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def people(names: Iterable[str]) -> tuple[str, ...]:
    """Return names, each once, sorted."""
    return tuple(sorted(set(names)))


def examples(draft_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the first few ids, each once."""
    return tuple(dict.fromkeys(draft_ids))[:MOST_EXAMPLES]
