"""Going through a situation's drafts: bound to what was shown, in chunks, resumable, each decided once."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from agent.domain.audit import Actor
from agent.domain.drafts import DraftId, DraftState, ReviewVerdict
from agent.domain.reviewers import Act
from agent.errors import RefusedError
from agent.review_desk.opening import SHOWN_LENGTH, Desk
from agent.review_desk.situations.opening import Parted, part_alike
from agent.review_desk.situations.shown import SituationAnswer
from agent.store.drafts import DraftFile
from agent.store.situation_drafts import SituationDraft, decided_by, drafts_of_situation, standing_of
from agent.store.situation_openings import Opening, begin_verdict, end_verdict, opening_like
from agent.store.transaction import chunked

Progress = Callable[[int, int], None]
"""Called with how many of how many drafts are through."""
Fate = Literal["done", "stale", "cleared", "left"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What became of each draft; the first word on a draft is the last."""

    _of: dict[str, tuple[Fate, str]] = field(default_factory=dict[str, tuple[Fate, str]])

    def put(self, draft_id: str, fate: Fate, why: str = "") -> None:
        """Note what became of a draft."""
        self._of.setdefault(draft_id, (fate, why))

    def put_all(self, files: Sequence[DraftFile], fate: Fate) -> None:
        """Note what became of many drafts, once their transaction has committed."""
        for file in files:
            self.put(file.draft.id, fate)

    def __contains__(self, draft_id: object) -> bool:
        return draft_id in self._of

    def __len__(self) -> int:
        return len(self._of)

    def ids(self, fate: Fate) -> tuple[DraftId, ...]:
        """Return the drafts with one fate, sorted."""
        return tuple(DraftId(one) for one, (found, _) in sorted(self._of.items()) if found == fate)

    def left(self) -> tuple[tuple[DraftId, str], ...]:
        """Return the drafts that are still to be decided, with why."""
        return tuple((DraftId(one), why) for one, (fate, why) in sorted(self._of.items()) if fate == "left")

    def counts(self) -> dict[str, int]:
        """Return how many drafts had each fate."""
        return dict(Counter(fate for fate, _ in self._of.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A verdict on everything that one opening covers."""

    desk: Desk
    opening: Opening
    actor: Actor
    verdict: ReviewVerdict
    now: datetime
    waiting: Mapping[str, SituationDraft]
    """Pending drafts of the situation, by id, as they were when the verdict began."""

    @property
    def reviewer(self) -> str:
        """Who decides."""
        return self.opening.reviewer

    def recipients(self, leave_out: Collection[str]) -> int:
        """Return how many drafts the verdict is about."""
        return len(self.opening.covered) - len(set(leave_out) & set(dict(self.opening.covered)))

    def run(
        self,
        step: Callable[[Sequence[DraftFile], Fates], None],
        *,
        leave_out: Collection[str],
        progress: Progress | None,
    ) -> Fates:
        """Take every chunk through `step`, which decides it in one transaction and says what became of each.

        Drafts that an earlier run decided before it was killed keep what became of them then.
        """
        with self.desk.store.write() as tx:
            begin_verdict(
                tx,
                self.opening,
                verdict=self.verdict,
                recipients=self.recipients(leave_out),
                at=self.now,
                actor=self.actor,
            )
        fates = Fates()
        for draft_id in leave_out:
            if draft_id in dict(self.opening.covered):
                fates.put(draft_id, "left", f"left out by {self.reviewer}")
        for part in chunked([draft_id for draft_id, _ in self.opening.covered], self.desk.at_once):
            files = self._free(part, fates)
            if files:
                step(files, fates)
            for file in files:
                fates.put(file.draft.id, "left", "it was changed meanwhile")
            if progress is not None:
                progress(len(fates), len(self.opening.covered))
        with self.desk.store.write() as tx:
            end_verdict(
                tx,
                self.opening,
                verdict=self.verdict,
                counts=fates.counts(),
                at=self.desk.clock(),
                actor=self.actor,
            )
        return fates

    def _free(self, part: Sequence[str], fates: Fates) -> list[DraftFile]:
        """Return the drafts of a chunk that can be decided now; note what became of the others."""
        with self.desk.store.read() as conn:
            standing = standing_of(conn, part)
            mine = decided_by(
                conn, part, reviewer=self.reviewer, verdict=self.verdict, since=self.opening.opened_at
            )
        files: list[DraftFile] = []
        for draft_id in part:
            file = standing.get(draft_id)
            if draft_id in mine:
                fates.put(draft_id, "done")
            elif draft_id in fates:
                continue
            elif file is None:
                fates.put(draft_id, "left", "it is gone")
            elif file.draft.state is DraftState.PENDING:
                one = self.waiting.get(draft_id)
                if one is None or one.file.lock_version != file.lock_version:
                    fates.put(draft_id, "left", "it was changed meanwhile")
                else:
                    files.append(file)
            else:
                fates.put(draft_id, *_settled(file))
        return files


def begin(
    desk: Desk, situation_id: str, *, reviewer: str, act: Act, shown: str, verdict: ReviewVerdict
) -> Bulk:
    """Return the verdict on what a reviewer was shown, if that is still what waits.

    Args:
        desk: The desk.
        situation_id: The situation.
        reviewer: Who decides.
        act: What their role must allow.
        shown: The digest of what was on the screen, at least its first six characters.
        verdict: What they decide.

    Raises:
        RefusedError: They may not, have not opened it, or it has changed since.
    """
    actor, now = desk.actor(reviewer, act), desk.clock()
    if len(shown) < SHOWN_LENGTH:
        raise RefusedError(f"give at least {SHOWN_LENGTH} characters of the digest that was shown")
    with desk.store.read() as conn:
        opening = opening_like(conn, situation_id, reviewer=reviewer, digest=shown.lower())
        if opening is None:
            raise RefusedError(
                f"situation {situation_id} was not shown to {reviewer} as {shown!r}; open it first"
            )
        parted = part_alike(drafts_of_situation(conn, situation_id), reviewer=reviewer, now=now)
        standing = standing_of(conn, [draft_id for draft_id, _ in opening.covered])
    if opening.begun_at is None and parted.digest != opening.digest:
        raise RefusedError(_what_changed(opening, parted, standing))
    waiting = {str(one.file.draft.id): one for one in parted.alike}
    return Bulk(desk=desk, opening=opening, actor=actor, verdict=verdict, now=now, waiting=waiting)


def answer(fates: Fates, message: str) -> SituationAnswer:
    """Return what came of a verdict."""
    return SituationAnswer(
        done=fates.ids("done"),
        stale=fates.ids("stale"),
        cleared=fates.ids("cleared"),
        left=fates.left(),
        message=message,
    )


def _settled(file: DraftFile) -> tuple[Fate, str]:
    match file.draft.state:
        case DraftState.STALE:
            return "stale", ""
        case DraftState.CLOSED:
            return "cleared", ""
        case state:
            return "left", f"it is {state} by now"


def _what_changed(opening: Opening, parted: Parted, standing: Mapping[str, DraftFile]) -> str:
    before, now = dict(opening.covered), dict(parted.covered)
    apart = {str(one.file.draft.id): why for one, why in parted.differing}
    reasons = Counter(
        apart.get(draft_id) or _gone_words(standing.get(draft_id)) for draft_id in before.keys() - now.keys()
    )
    words = [f"{number} of the drafts: {why}" for why, number in sorted(reasons.items())]
    if new := now.keys() - before.keys():
        words.append(f"{len(new)} new")
    return f"situation {opening.situation_id} changed since it was shown ({'; '.join(words)}); open it again"


def _gone_words(file: DraftFile | None) -> str:
    return f"it is {file.draft.state}" if file else "it is gone"
