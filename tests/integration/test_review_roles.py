"""Every act of the review desk asks the roster first, and the audit log names who really acted."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from sqlmodel import select

from agent.clock import SimulatedClock
from agent.domain.drafts import Draft
from agent.domain.reviewers import MAY, Act, Role
from agent.errors import RefusedError
from agent.review_desk.answers import RejectReason
from agent.store.tables.ledger import AuditEventRow
from agent.store.transaction import Store
from tests.sending_bench import Bench
from tools.records.vocabulary import ChannelKind

Try = Callable[[Bench, str], object]

ACTS: Mapping[Act, Try] = {
    Act.CLAIM: lambda bench, one: bench.desk.claim(one, reviewer="ann"),
    Act.APPROVE: lambda bench, one: bench.desk.approve(one, reviewer="ann", shown="abcdef"),
    Act.EDIT: lambda bench, one: bench.desk.edit(one, reviewer="ann", shown="abcdef", subject="", body=""),
    Act.REJECT: lambda bench, one: bench.desk.reject(one, reviewer="ann", reason=RejectReason.TONE),
    Act.REDRAFT: lambda bench, one: bench.desk.redraft(one, reviewer="ann", instruction="shorter"),
    Act.ESCALATE: lambda bench, one: bench.desk.escalate(one, reviewer="ann", words="call her"),
    Act.CHANNEL: lambda bench, one: bench.desk.change_channel(one, reviewer="ann", channel=ChannelKind.SMS),
    Act.SNOOZE: lambda bench, one: bench.desk.snooze(one, reviewer="ann", until=bench.clock()),
    Act.UNDO: lambda bench, one: bench.desk.undo(one, reviewer="ann"),
    Act.SETTLE: lambda bench, _: bench.desk.settle("dlv_none", reviewer="ann", went_out=True),
}


@pytest.mark.parametrize("role", [*Role, None])
@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_refused_before_anything_is_read(
    store: Store, clock: SimulatedClock, act: Act, role: Role | None
) -> None:
    bench = Bench(store=store, clock=clock, roles={"ann": role} if role else {"bob": Role.LEAD})
    if role is not None and act in MAY[role]:
        return  # what is allowed, the tests of each act show

    with pytest.raises(RefusedError, match=f"ann.* may not {act}"):
        ACTS[act](bench, "drf_none")


VERDICTS: Mapping[Act, Callable[[Bench, Draft], object]] = {
    Act.CLAIM: lambda bench, one: bench.desk.open(one.id, reviewer="ann"),
    Act.APPROVE: lambda bench, one: bench.desk.approve(
        one.id, reviewer="ann", shown=one.message.content_hash
    ),
    Act.EDIT: lambda bench, one: bench.desk.edit(
        one.id,
        reviewer="ann",
        shown=one.message.content_hash,
        subject="Your order 1001",
        body="Hello, your order 1001 is late.",
    ),
    Act.REJECT: lambda bench, one: bench.desk.reject(one.id, reviewer="ann", reason=RejectReason.TONE),
    Act.REDRAFT: lambda bench, one: bench.desk.redraft(one.id, reviewer="ann", instruction="shorter"),
    Act.CHANNEL: lambda bench, one: bench.desk.change_channel(
        one.id, reviewer="ann", channel=ChannelKind.SMS
    ),
    Act.SNOOZE: lambda bench, one: bench.desk.snooze(
        one.id, reviewer="ann", until=bench.clock() + timedelta(hours=1)
    ),
    Act.ESCALATE: lambda bench, one: bench.desk.escalate(one.id, reviewer="ann", words="call her"),
    Act.UNDO: lambda bench, one: bench.desk.undo(one.id, reviewer="ann"),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("act", VERDICTS)
def test_each_verdict_by_each_role_on_a_draft_that_waits(
    store: Store, clock: SimulatedClock, act: Act, role: Role
) -> None:
    bench = Bench(store=store, clock=clock, roles={"ann": role, "lea": Role.LEAD})
    email, sms = bench.reach(ChannelKind.EMAIL), bench.reach(ChannelKind.SMS)
    bench.world.candidate = {"reaches": (email, sms)}
    draft = bench.in_review()
    if act is Act.UNDO:
        who = "ann" if Act.REJECT in MAY[role] else "lea"
        bench.desk.reject(draft.id, reviewer=who, reason=RejectReason.TONE)
    before = bench.desk.show(draft.id)

    if act in MAY[role]:
        VERDICTS[act](bench, draft)
    else:
        with pytest.raises(RefusedError, match=f"ann.* may not {act}"):
            VERDICTS[act](bench, draft)

    after = bench.desk.show(draft.id)
    assert ((after.draft, after.case) != (before.draft, before.case)) is (act in MAY[role])


def test_the_log_names_the_system_user_where_it_is_another(store: Store, clock: SimulatedClock) -> None:
    bench = Bench(store=store, clock=clock, roles={"ann": Role.REVIEWER, "bob": Role.ADMIN}, login="bob")
    bench.desk.reject(bench.in_review("e1").id, reviewer="ann", reason=RejectReason.TONE)
    bench.desk.reject(bench.in_review("e2").id, reviewer="bob", reason=RejectReason.TONE)

    with store.read() as conn:
        envelopes = [json.loads(one) for one in conn.execute(select(AuditEventRow.envelope)).scalars()]
    by_reviewers = [one["actor"] for one in envelopes if one["actor"][0] == "reviewer"]
    assert by_reviewers[:4] == [["reviewer", "ann", "bob"]] * 4
    assert by_reviewers[4:] == [["reviewer", "bob"]] * 4
