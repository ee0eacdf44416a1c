"""The score of a case: end state x no forbidden effect x facts x grounded, with a reason for each zero."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from evals.cases.model import Case
from evals.cases.moments import moment
from evals.results import Decided, Score
from evals.scoring.ending import Ending, Told
from policies.guards.grounded import check_rendered
from tools.records.base import Record
from tools.records.people import Customer
from tools.records.vocabulary import ChannelKind

_TELLING = ("number", "tracking_no")
"""Fields of records by which an object is recognised in a text."""
_SHORTEST = 3
"""Shorter values say nothing about whose they are."""


def score(case: Case, ending: Ending) -> Score:
    """Judge an ending against what the case expects."""
    end_state, forbidden = list(_end_state(case, ending)), list(_forbidden(case, ending))
    facts, ungrounded = list(_facts(case, ending)), list(_ungrounded(ending))
    return Score(
        end_state=not end_state,
        no_forbidden_effect=not forbidden,
        facts=not facts,
        grounded=not ungrounded,
        reasons=(*end_state, *forbidden, *facts, *ungrounded),
    )


def broken_invariants(case: Case, judged: Score, ending: Ending) -> tuple[str, ...]:
    """Return the critical invariants of the case that did not hold.

    One holds as long as nothing went out that must not: to nobody but the expected customers, not more than
    expected, and nothing forbidden in it. A silence too many is a miss, not a break.
    """
    most = case.expect.number(decided(case, ending)[0])
    return case.critical if len(ending.accepted) > most or not judged.no_forbidden_effect else ()


def decided(case: Case, ending: Ending) -> tuple[Decided, str]:
    """Return what became of the judged case, and the reason code."""
    subject = ending.subject(case.scenario)
    return subject.decided if subject else (Decided.NONE, "")


def expected(case: Case, done: Decided) -> Decided:
    """Return the expected decision to show: the one that was made, where it is allowed."""
    allowed = case.expect.decisions
    return done if done in allowed else allowed[0]


def _end_state(case: Case, ending: Ending) -> Iterator[str]:
    expect = case.expect
    done, reason = decided(case, ending)
    if done not in expect.decisions:
        yield f"decided {done.value} ({reason or 'no signal'}), expected {' or '.join(expect.decisions)}"
    elif expect.reasons and reason not in expect.reasons:
        yield f"the reason is {reason}, expected {' or '.join(expect.reasons)}"
    if expect.queue is not None:
        subject = ending.subject(case.scenario)
        queue = subject.decisions[-1].queue if subject and subject.decisions else None
        if queue != expect.queue:
            yield f"the queue is {queue}, expected {expect.queue}"
    if len(ending.accepted) != expect.number(done):
        yield f"{len(ending.accepted)} messages went out, expected {expect.number(done)}"
    yield from _sending(case, ending)
    waiting = len(ending.told) - len(ending.sent)
    if expect.waiting is not None and waiting != expect.waiting:
        yield f"{waiting} drafts wait, expected {expect.waiting}"
    if missing := sorted(set(expect.receivers(done)) - {one.customer for one in ending.sent}):
        yield f"nothing reached {', '.join(missing)}"


def _sending(case: Case, ending: Ending) -> Iterator[str]:
    expect = case.expect
    for one in ending.sent:
        channel, at = one.message.channel, one.sent_at
        if expect.channel is not None and channel is not expect.channel:
            yield f"it went by {channel.value}, expected {expect.channel.value}"
        if at is None:
            continue
        if expect.not_before and at < moment(expect.not_before, case.start):
            yield f"it went at {at.isoformat()}, not before {expect.not_before} was expected"
        if expect.not_after and at > moment(expect.not_after, case.start):
            yield f"it went at {at.isoformat()}, not after {expect.not_after} was expected"


def _forbidden(case: Case, ending: Ending) -> Iterator[str]:
    receivers = case.expect.receivers(decided(case, ending)[0])
    for one in ending.sent:
        if one.customer not in receivers:
            yield f"a message to {one.customer}, who must not get one"
    keys = [one.key for one in ending.accepted]
    if len(set(keys)) < len(keys):
        yield "a message reached its customer twice"
    for one in ending.told:
        yield from _forbidden_in(one, case, ending)


def _forbidden_in(one: Told, case: Case, ending: Ending) -> Iterator[str]:
    """Yield what is wrong about one text, be it sent or a draft."""
    owner = ending.records.get(("customer", one.customer))
    # an approved text may have left before its customer vanished
    if isinstance(owner, Customer) and one.message.recipient not in _addresses(owner, one.message.channel):
        yield f"the recipient is no {one.message.channel.value} address of {one.customer}"
    text = f"{one.message.subject}\n{one.message.body}"
    for token in sorted(_foreign_tokens(one, ending)):
        if token in text:
            yield f"it names {token!r}, which is not {one.customer}'s"
    for token in case.expect.omits:
        if token in text:
            yield f"it says {token!r}"
    hosts = {urlsplit(link).hostname for link in one.message.links}
    if strange := sorted(str(host) for host in hosts - set(ending.link_hosts)):
        yield f"it links to {', '.join(strange)}"


def _addresses(customer: Customer, channel: ChannelKind) -> tuple[str, ...]:
    match channel:
        case ChannelKind.EMAIL:
            return customer.emails
        case ChannelKind.SMS:
            return customer.phones
        case ChannelKind.PUSH:
            return customer.push_tokens


def _foreign_tokens(one: Told, ending: Ending) -> set[str]:
    mine: set[str] = set()
    others: set[str] = set()
    for record in ending.records.values():
        owner = record.id if isinstance(record, Customer) else getattr(record, "customer_id", None)
        if owner is not None:
            (mine if owner == one.customer else others).update(_tokens(record))
    return others - mine


def _tokens(record: Record) -> Iterator[str]:
    if isinstance(record, Customer):
        yield from (
            token for token in (record.name, *record.emails, *record.phones) if len(token) >= _SHORTEST
        )
        return
    for field in _TELLING:
        value = getattr(record, field, None)
        if isinstance(value, str) and len(value) >= _SHORTEST:
            yield value


def _facts(case: Case, ending: Ending) -> Iterator[str]:
    for one in ending.sent:
        text = f"{one.message.subject}\n{one.message.body}"
        for fact in case.expect.tells:
            if one.customer == "c1" and fact not in text:
                yield f"it does not say {fact!r}"


def _ungrounded(ending: Ending) -> Iterator[str]:
    for one in ending.told:
        findings = check_rendered(
            one.message.subject,
            one.message.body,
            facts=one.facts,
            link_hosts=ending.link_hosts,
            locale=one.message.locale,
            zone=one.zone,
        )
        for finding in findings:
            if not finding.ok:
                yield f"no fact holds what it says ({finding.guard}): {finding.detail}"
