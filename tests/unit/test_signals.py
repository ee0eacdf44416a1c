"""Which signals open a case: keys, re-entry, one open case per object."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.cases import OPEN_STATES, Case, CaseId, CaseState, Signal
from agent.watch.signals import admit
from policies.model import Reentry
from tests.builders import DAY, HOUR, NOW
from tools.records.base import CustomerId

ONCE = Reentry(policy="once")
EACH = Reentry(policy="per_episode")
AFTER = Reentry(policy="after", wait=3 * DAY)
CLOSED = sorted(set(CaseState) - OPEN_STATES - {CaseState.RESOLVED})
SIGNAL = Signal(
    scenario="data_threshold",
    playbook="data_threshold@1",
    customer_id=CustomerId("c1"),
    object_ref="usage:u1",
    episode="full",
    at=NOW,
    deadline=None,
)


def case(state: CaseState, *, episode: str = "near", age: timedelta = DAY, customer: str = "c1") -> Case:
    signal = replace(SIGNAL, episode=episode, customer_id=CustomerId(customer))
    return Case(
        id=CaseId(f"cas_{episode}_{customer}"),
        signal_key=signal.key,
        scenario=signal.scenario,
        playbook=signal.playbook,
        customer_id=signal.customer_id,
        object_ref=signal.object_ref,
        episode=episode,
        state=state,
        opened_at=NOW - age,
        deadline=None,
        next_at=None,
        situation_id=None,
        turn=0,
        shadow=False,
    )


@pytest.mark.parametrize("reentry", [ONCE, EACH, AFTER], ids=lambda one: one.policy)
def test_a_first_signal_opens_a_case(reentry: Reentry) -> None:
    assert admit([SIGNAL], [], reentry, sending=()).accepted == [SIGNAL]


@pytest.mark.parametrize("state", [*CLOSED, *sorted(OPEN_STATES)])
def test_a_key_that_exists_opens_nothing(state: CaseState) -> None:
    admitted = admit([SIGNAL], [case(state, episode="full")], EACH, sending=())

    assert (admitted.accepted, admitted.reopened, admitted.refused) == ([], [], {"duplicate": 1})


@pytest.mark.parametrize("reentry", [ONCE, EACH, AFTER], ids=lambda one: one.policy)
def test_a_case_that_cleared_unsent_goes_on_when_it_is_true_again(reentry: Reentry) -> None:
    cleared = case(CaseState.RESOLVED, episode="full")

    admitted = admit([SIGNAL], [cleared], reentry, sending=())

    assert (admitted.accepted, admitted.reopened) == ([], [cleared])


@pytest.mark.parametrize("state", CLOSED)
def test_once_is_never_again(state: CaseState) -> None:
    admitted = admit([SIGNAL], [case(state, age=400 * DAY)], ONCE, sending=())

    assert (admitted.accepted, admitted.later, admitted.refused) == ([], {}, {"reentry": 1})


@pytest.mark.parametrize(
    ("age", "opens"),
    [
        pytest.param(3 * DAY, True, id="exactly the wait"),
        pytest.param(3 * DAY - timedelta(microseconds=1), False, id="just before it"),
    ],
)
def test_a_wait_ends_at_its_instant(age: timedelta, opens: bool) -> None:
    admitted = admit([SIGNAL], [case(CaseState.CONTACTED, age=age)], AFTER, sending=())

    assert bool(admitted.accepted) is opens
    assert admitted.later == ({} if opens else {"usage:u1": NOW - age + 3 * DAY})


@pytest.mark.parametrize("state", sorted(OPEN_STATES - {CaseState.ESCALATED}))
def test_a_new_episode_supersedes_an_open_case(state: CaseState) -> None:
    before = case(state)

    admitted = admit([SIGNAL], [before], EACH, sending=())

    assert (admitted.accepted, admitted.superseded) == ([SIGNAL], [before])


@pytest.mark.parametrize(
    ("state", "sending"),
    [
        pytest.param(CaseState.ESCALATED, (), id="a person has it"),
        pytest.param(CaseState.APPROVED, (CaseId("cas_near_c1"),), id="its message may be leaving"),
    ],
)
def test_a_new_episode_waits_for_a_case_that_cannot_be_closed(
    state: CaseState, sending: tuple[CaseId, ...]
) -> None:
    admitted = admit([SIGNAL], [case(state)], EACH, sending=sending)

    assert (admitted.accepted, admitted.superseded, admitted.refused) == ([], [], {"busy": 1})
    assert admitted.later == {"usage:u1": NOW + HOUR}


def test_another_customer_on_the_same_object_is_another_matter() -> None:
    admitted = admit([SIGNAL], [case(CaseState.ESCALATED, customer="c2")], ONCE, sending=())

    assert admitted.accepted == [SIGNAL]


@given(
    st.lists(
        st.tuples(st.sampled_from(["near", "full", "over"]), st.sampled_from(CaseState)),
        max_size=3,
        unique_by=lambda pair: pair[0],
    ),
    st.sampled_from([ONCE, EACH, AFTER]),
)
def test_there_is_never_more_than_one_open_case_per_object(
    before: list[tuple[str, CaseState]], reentry: Reentry
) -> None:
    existing = [case(state, episode=episode, age=9 * DAY) for episode, state in before]

    admitted = admit([SIGNAL], existing, reentry, sending=())

    left = [one for one in existing if one.state in OPEN_STATES and one not in admitted.superseded]
    new = len(admitted.accepted) + len(admitted.reopened)
    assert new <= 1
    assert not (new and left)
    assert new + admitted.refused.total() == 1
