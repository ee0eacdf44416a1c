"""Verdicts on planted drafts: they are noted with the seed, and nothing else comes of them."""

from dataclasses import dataclass

from agent.domain.drafts import DraftId, ReviewVerdict
from agent.domain.reviewers import Act
from agent.errors import ConflictError, NotFoundError, RefusedError
from agent.review_desk.answers import Approval, OwnScore, VerdictAnswer
from agent.review_desk.approval import refuse_expired, refuse_locked
from agent.review_desk.opening import Desk, Opened, check_shown, open_draft
from agent.review_desk.text_checks import Surroundings
from agent.store.decisions import last_decision
from agent.store.draft_claims import restart_claim
from agent.store.review_seeds import SEED_PREFIX, Seed, get_seed, judge_seed, seed_score

_ACTS = {
    ReviewVerdict.REJECT: Act.REJECT,
    ReviewVerdict.REDRAFT: Act.REDRAFT,
    ReviewVerdict.ESCALATE: Act.ESCALATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judging:
    """A seed that its reviewer judges, and the real draft behind it."""

    desk: Desk
    seed: Seed
    opened: Opened

    def write(self, verdict: ReviewVerdict, *, caught: bool, seconds: int | None) -> None:
        """Note the verdict; the real draft is read from now on."""
        now, actor, case = self.opened.now, self.opened.actor, self.opened.case
        with self.desk.store.write() as tx:
            judge_seed(
                tx,
                self.seed,
                verdict=verdict,
                caught=caught,
                seconds=self.opened.seconds(seconds),
                at=now,
                customer_id=case.customer_id,
                case_id=case.id,
                actor=actor,
            )
            restart_claim(tx, self.seed.draft_id, actor=actor, now=now)

    def words(self, *, caught: bool) -> str:
        """Say what was wrong."""
        noticed = "you noticed" if caught else "it went through"
        return f"This was planted, and {noticed}: {self.seed.mistake}. Nothing is sent; the real one is next."


def is_seed(ticket: str) -> bool:
    """Whether a ticket names a planted draft."""
    return ticket.startswith(f"{SEED_PREFIX}_")


def real_draft(desk: Desk, ticket: str, *, reviewer: str) -> str:
    """Return the real draft behind a ticket, for what is no judgement of its text."""
    return _seed(desk, ticket, reviewer=reviewer).draft_id if is_seed(ticket) else ticket


def draft_behind(desk: Desk, ticket: str) -> str:
    """Return the real draft behind anybody's ticket, for what changes nothing."""
    if not is_seed(ticket):
        return ticket
    with desk.store.read() as conn:
        seed = get_seed(conn, ticket)
    if seed is None:
        raise NotFoundError(f"there is no draft {ticket}")
    return seed.draft_id


def approve_seed(desk: Desk, seed_id: str, *, reviewer: str, shown: str, seconds: int | None) -> Approval:
    """Note that the mistake went through; every lock of a real approval holds here too."""
    judging = _open(desk, seed_id, reviewer=reviewer, act=Act.APPROVE, shown=shown)
    refuse_expired(desk, judging.opened)
    refuse_locked(desk, judging.opened)
    judging.write(ReviewVerdict.APPROVE, caught=False, seconds=seconds)
    return Approval(outcome="seed_missed", message=judging.words(caught=False))


def edit_seed(
    desk: Desk, seed_id: str, *, reviewer: str, shown: str, subject: str, body: str, seconds: int | None
) -> VerdictAnswer:
    """Note whether the mistake is gone from the reviewer's text; the text itself is not kept."""
    judging = _open(desk, seed_id, reviewer=reviewer, act=Act.EDIT, shown=shown)
    _refuse_as_an_edit(judging, subject, body)
    caught = _is_gone(judging, f"{subject}\n{body}")
    judging.write(ReviewVerdict.EDIT, caught=caught, seconds=seconds)
    return _answer(judging, caught=caught)


def judge(
    desk: Desk, seed_id: str, verdict: ReviewVerdict, *, reviewer: str, seconds: int | None
) -> VerdictAnswer:
    """Note that the reviewer did not let the text through."""
    judging = _open(desk, seed_id, reviewer=reviewer, act=_ACTS[verdict], shown=None)
    judging.write(verdict, caught=True, seconds=seconds)
    return _answer(judging, caught=True)


def own_score(desk: Desk, *, reviewer: str) -> OwnScore:
    """Return a reviewer's own figures."""
    desk.roster.check(reviewer, Act.CLAIM)
    with desk.store.read() as conn:
        shown, caught, last = seed_score(conn, reviewer=reviewer)
    return OwnScore(shown=shown, caught=caught, last=last)


def _open(desk: Desk, seed_id: str, *, reviewer: str, act: Act, shown: str | None) -> _Judging:
    now, actor = desk.clock(), desk.actor(reviewer, act)
    seed = _seed(desk, seed_id, reviewer=reviewer)
    if seed.verdict is not None:
        raise ConflictError(f"{seed_id} was judged already; open the draft again")
    if shown is not None:
        check_shown(shown, seed.draft_id, seed.draft.message.content_hash)
    with desk.store.read() as conn:
        opened = open_draft(conn, seed.draft_id, actor=actor, shown=None, now=now)
    return _Judging(desk=desk, seed=seed, opened=opened)


def _seed(desk: Desk, seed_id: str, *, reviewer: str) -> Seed:
    with desk.store.read() as conn:
        seed = get_seed(conn, seed_id)
    if seed is None or seed.reviewer != reviewer:
        raise NotFoundError(f"there is no draft {seed_id}")
    return seed


def _refuse_as_an_edit(judging: _Judging, subject: str, body: str) -> None:
    """Refuse what a real edit would be refused for."""
    desk, message = judging.desk, judging.seed.draft.message
    if (subject, body) == (message.subject, message.body):
        raise RefusedError("the text is the same as before")
    with desk.store.read() as conn:
        decision = last_decision(conn, judging.opened.case.id)
        zone = desk.zone_of(conn, judging.opened.case)
    facts = decision.facts if decision else ()
    findings = Surroundings.of(judging.seed.draft, facts, zone=zone, limits=desk.limits).findings(
        subject, body
    )
    problems = [f"{finding.guard}: {finding.detail}" for finding in findings if not finding.ok]
    if problems:
        raise RefusedError("this text may not leave\n  " + "\n  ".join(problems))


def _is_gone(judging: _Judging, text: str) -> bool:
    """Whether most of the words that the mistake brought in are gone."""
    planted, real = judging.seed.draft.message, judging.opened.file.draft.message
    brought = {*planted.subject.split(), *planted.body.split()} - {*real.subject.split(), *real.body.split()}
    return 2 * len(brought & {*text.split()}) < len(brought)


def _answer(judging: _Judging, *, caught: bool) -> VerdictAnswer:
    return VerdictAnswer(
        outcome="seed_caught" if caught else "seed_missed",
        message=judging.words(caught=caught),
        draft_id=DraftId(judging.seed.draft_id),
    )
