"""Opening a situation: which drafts are alike, a sample of them, everyone who stands out, and the digest."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.canonical import canonical
from agent.domain.cases import CaseState
from agent.domain.drafts import AUTHORS, DraftId
from agent.domain.reviewers import Act
from agent.errors import NotFoundError
from agent.review_desk.opening import Desk
from agent.review_desk.seeds.drawing import drawn
from agent.review_desk.situations.members import Member
from agent.review_desk.situations.outliers import Bounds, money_words, outliers
from agent.review_desk.situations.sampling import clock_words, sample, strata
from agent.review_desk.situations.shown import SampleItem, SituationItem, SituationView
from agent.store.cases import get_cases
from agent.store.situation_drafts import (
    SituationDraft,
    WaitingSituation,
    drafts_of_situation,
    waiting_situations,
)
from agent.store.situation_openings import Covered, record_opening
from policies.verdict import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """The pending drafts of a situation, parted into those a verdict covers and the others."""

    alike: tuple[SituationDraft, ...]
    differing: tuple[tuple[SituationDraft, str], ...]

    @property
    def covered(self) -> Covered:
        """What a verdict covers, sorted by draft id."""
        return tuple(sorted((one.file.draft.id, one.file.content_hash) for one in self.alike))

    @property
    def digest(self) -> str:
        """Hash over what a verdict covers."""
        return digest_of(self.covered)


def digest_of(covered: Sequence[tuple[str, str]]) -> str:
    """SHA-256 over the sorted (draft id, content hash) pairs, hex."""
    return hashlib.sha256(canonical([list(pair) for pair in sorted(covered)]).encode()).hexdigest()


def part_alike(drafts: Sequence[SituationDraft], *, reviewer: str, now: datetime) -> Parted:
    """Part drafts by whether they have the situation's text and this reviewer may decide on them now."""
    texts = Counter((one.file.draft.slotted_subject, one.file.draft.slotted_body) for one in drafts)
    usual = min(texts, key=lambda text: (-texts[text], text)) if texts else ("", "")
    alike: list[SituationDraft] = []
    differing: list[tuple[SituationDraft, str]] = []
    for one in drafts:
        why = _why_apart(one, usual, reviewer=reviewer, now=now)
        if why:
            differing.append((one, why))
        else:
            alike.append(one)
    return Parted(alike=tuple(alike), differing=tuple(differing))


def situations(desk: Desk, *, limit: int) -> list[SituationItem]:
    """Return situations with more than one waiting draft, the most urgent first."""
    now = desk.clock()
    with desk.store.read() as conn:
        return [
            _item(one, part_alike(drafts_of_situation(conn, one.situation_id), reviewer="", now=now))
            for one in waiting_situations(conn, limit=limit)
        ]


def open_situation(desk: Desk, situation_id: str, *, reviewer: str) -> SituationView:
    """Return a situation as a reviewer sees it, and keep what was shown.

    Raises:
        NotFoundError: No situation of this name waits with several drafts.
        RefusedError: The person may not decide.
    """
    actor, now = desk.actor(reviewer, Act.CLAIM), desk.clock()
    with desk.store.read() as conn:
        found = waiting_situations(conn, limit=1, situation_id=situation_id)
        if not found:
            raise NotFoundError(
                f"no situation {situation_id} with several drafts waits; review them one by one"
            )
        parted = part_alike(drafts_of_situation(conn, situation_id), reviewer=reviewer, now=now)
        members = _members(desk, conn, parted.alike, now=now)
    # the sample shows texts as they are, so it is of drafts that this reviewer sees as they are elsewhere too
    apart = frozenset(drawn(desk, [member.draft_id for member in members], reviewer=reviewer))
    view = _view(desk, _item(found[0], parted), parted, members, apart=apart, now=now)
    with desk.store.write() as tx:
        record_opening(tx, situation_id, digest=parted.digest, covered=parted.covered, at=now, actor=actor)
    return view


def _why_apart(one: SituationDraft, usual: tuple[str, str], *, reviewer: str, now: datetime) -> str:
    file, draft = one.file, one.file.draft
    held = file.claimed_by not in (None, reviewer) and file.claimed_until and file.claimed_until > now
    reasons = (
        (draft.expires_at <= now, "it has expired"),
        (one.case_state is not CaseState.IN_REVIEW, f"its case is {one.case_state}"),
        (held, f"{file.claimed_by} holds it"),
        (file.snoozed_until is not None and file.snoozed_until > now, "it is snoozed"),
        (draft.author not in AUTHORS, f"{draft.author} edited it"),
        ((draft.slotted_subject, draft.slotted_body) != usual, "it has another text"),
    )
    return next((words for holds, words in reasons if holds), "")


def _item(waiting: WaitingSituation, parted: Parted) -> SituationItem:
    first = (parted.alike[0].file if parted.alike else waiting.first).draft
    totals: Counter[str] = Counter()
    for one in parted.alike:
        if one.file.stake is not None:
            totals[one.file.stake.currency] += one.file.stake.minor
    return SituationItem(
        situation_id=waiting.situation_id,
        scenario=waiting.first.scenario,
        channel=first.message.channel.value,
        locale=first.message.locale,
        waiting=waiting.waiting,
        alike=len(parted.alike),
        differing=len(parted.differing),
        review_by=waiting.review_by,
        stake_total=tuple(sorted(totals.items())),
        slotted_subject=first.slotted_subject,
        slotted_body=first.slotted_body,
    )


def _members(desk: Desk, conn: Connection, alike: Sequence[SituationDraft], *, now: datetime) -> list[Member]:
    cases = {case.id: case for case in get_cases(conn, [one.file.draft.case_id for one in alike])}
    return [
        _member(
            desk,
            one,
            zone=desk.zone_of(conn, cases[one.file.draft.case_id]),
            now=now,
        )
        for one in alike
    ]


def _member(desk: Desk, one: SituationDraft, *, zone: str, now: datetime) -> Member:
    draft, decision = one.file.draft, one.decision
    printed = {slot.slot for slot in draft.used}
    return Member(
        draft_id=draft.id,
        case_id=draft.case_id,
        content_hash=one.file.content_hash,
        customer_name=one.file.customer_name,
        recipient=draft.message.recipient,
        subject=draft.message.subject,
        body=draft.message.body,
        locale=draft.message.locale,
        channel=draft.message.channel.value,
        offset=now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0),
        segments=draft.segments,
        stake=one.file.stake,
        value_in_band=decision.valuation is not None and decision.valuation.in_band,
        facts=tuple(fact for fact in decision.facts if fact.name in printed),
        expires_at=draft.expires_at,
        review_reason=draft.review_reason,
        gates=tuple(verdict.rule for verdict in decision.verdicts if verdict.outcome is Outcome.NEEDS_REVIEW),
        needs_second=needs_second(desk, one),
    )


def needs_second(desk: Desk, one: SituationDraft) -> bool:
    """Whether two people must approve this draft, however many are approved with it."""
    purpose = desk.playbook(one.file.scenario).purpose
    return desk.rules.needs_second(purpose=purpose, stake=one.file.stake)


def why_behind(desk: Desk, one: SituationDraft) -> str:
    """Return why an approval leaves a draft for a look of its own; empty when it does not."""
    return "two people must approve it, each by its own" if needs_second(desk, one) else ""


def _view(
    desk: Desk,
    item: SituationItem,
    parted: Parted,
    members: Sequence[Member],
    *,
    apart: Collection[str],
    now: datetime,
) -> SituationView:
    rule, playbook = desk.rules.sample, desk.playbook(item.scenario)
    by_stratum = strata(members)
    words = {member.draft_id: stratum.words for stratum, found in by_stratum.items() for member in found}
    unusual = outliers(members, Bounds(length=rule.outlier_length, max_age=playbook.max_age, now=now))
    shown = {
        stratum: [member for member in found if member.draft_id not in apart] or found
        for stratum, found in by_stratum.items()
    }
    chosen = sample(shown, seed=item.situation_id, per_stratum=rule.per_stratum, at_most=rule.at_most)
    return SituationView(
        item=item,
        strata=tuple(by_stratum),
        sample=tuple(_shown(member, words) for member in chosen),
        outliers=tuple((_shown(member, words), why) for member, why in unusual.found),
        common=unusual.common,
        differing=tuple((one.file.draft.id, why) for one, why in parted.differing),
        behind=tuple((one.file.draft.id, why) for one in parted.alike if (why := why_behind(desk, one))),
        digest=parted.digest,
    )


def _shown(member: Member, words: Mapping[str, str]) -> SampleItem:
    return SampleItem(
        draft_id=DraftId(member.draft_id),
        case_id=member.case_id,
        customer_name=member.customer_name,
        recipient=member.recipient,
        locale=member.locale,
        clock=clock_words(member.offset),
        segments=member.segments,
        stake=money_words(member.stake) if member.stake else "",
        subject=member.subject,
        body=member.body,
        stratum=words[member.draft_id],
    )
