"""Playbooks whose messages reviewers keep rejecting for one reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.review_desk.answers import RejectReason
from agent.review_desk.intervals import Share
from agent.review_desk.proposals.playbook_text import AddItem, SetValue, with_changes
from agent.review_desk.proposals.proposed import Proposed, examples, people
from agent.review_desk.proposals.rule_values import (
    Judgements,
    Suggestion,
    against_bad_timing,
    against_no_use,
    against_wrong_facts,
)
from agent.store.lessons import Judged
from policies.loader import load_playbook
from policies.triggers import CompiledPlaybook
from tools.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejections:
    """The verdicts on one scenario, as seen from one reason to reject."""

    compiled: CompiledPlaybook
    reason: RejectReason
    share: Share
    """Rejections for this reason among all verdicts that ended a draft."""
    rejected: tuple[Judged, ...]
    approved: tuple[Judged, ...]


def from_rejects(found: Sequence[Rejections], *, folder: Path, now: datetime) -> Iterator[Proposed]:
    """Yield a change of the playbook for every reason that can be answered by one of its values.

    Args:
        found: Reasons that are frequent enough, by scenario.
        folder: The playbooks in use.
        now: Now, for the comment that says where a value comes from.
    """
    for one in found:
        suggestion = _suggestion(one)
        path = one.compiled.path
        if suggestion is None or not path.is_relative_to(folder) or not path.is_file():
            continue
        before = path.read_text(encoding="utf-8")
        try:
            after = with_changes(before, suggestion.changes, path=path, because=_because(one, now))
        except ValueError:  # the value is written over several lines; a person has to change it
            continue
        if not _loads(after, path):
            continue
        target = str(path.relative_to(folder))
        yield Proposed(
            kind="rule",
            key=f"{one.reason}: {', '.join(_place(change) for change in suggestion.changes)}",
            target=target,
            base=target,
            title=suggestion.title,
            why=f"{_counted(one.share)} drafts of {one.compiled.playbook.scenario} were rejected as "
            f"{one.reason} (95 %: at least {one.share.low_ppm / 10_000:.0f} %); {suggestion.why}",
            count=one.share.count,
            reviewers=people(judged.reviewer for judged in one.rejected),
            examples=examples(judged.draft_id for judged in one.rejected),
            before=before,
            after=after,
        )


def _suggestion(found: Rejections) -> Suggestion | None:
    playbook = found.compiled.playbook
    seen = Judgements(share=found.share, rejected=found.rejected, approved=found.approved)
    match found.reason:
        case RejectReason.NOT_USEFUL:
            return against_no_use(playbook, seen)
        case RejectReason.BAD_TIMING:
            return against_bad_timing(playbook, seen)
        case RejectReason.WRONG_FACTS:
            return against_wrong_facts(playbook, seen)
        case RejectReason.TONE | RejectReason.HANDLED | RejectReason.OTHER:
            return None  # no value of a playbook answers these


def _because(found: Rejections, now: datetime) -> str:
    return f"{now:%Y-%m-%d}: {_counted(found.share)} drafts were rejected as {found.reason}."


def _counted(share: Share) -> str:
    return f"{share.count} of {share.of}"


def _place(change: SetValue | AddItem) -> str:
    path = ".".join(str(part) for part in change.loc)
    return f"{path}+{change.text}" if isinstance(change, AddItem) else path


def _loads(source: str, path: Path) -> bool:
    with TemporaryDirectory() as temporary:
        copy = Path(temporary) / path.name
        copy.write_text(source, encoding="utf-8")
        try:
            load_playbook(copy)
        except InputError:
            return False
    return True
