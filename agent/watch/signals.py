"""Which signals may open a case: unique keys, one open case per object, and the re-entry policy."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, assert_never

from agent.domain.cases import Case, CaseId, CaseState, Signal
from agent.store.cases import is_open
from policies.model import Reentry

_LOOK_AGAIN: Final = timedelta(hours=1)
"""How long a signal waits while the case before it is with a person or on its way out."""


@dataclass(slots=True)
class Admitted:
    """What becomes of the signals of one scenario."""

    accepted: list[Signal] = field(default_factory=list[Signal])
    reopened: list[Case] = field(default_factory=list[Case])
    """Cases of the same signals that were closed as cleared before anything was sent."""
    superseded: list[Case] = field(default_factory=list[Case])
    """Open cases whose message would no longer be true."""
    refused: Counter[str] = field(default_factory=Counter[str])
    """Why the others opened nothing: `duplicate`, `reentry`, `busy`."""
    later: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Object → when to evaluate it again, because time alone may admit its signal."""

    def wait(self, object_ref: str, until: datetime) -> None:
        """Note that an object is to be looked at again; the earliest instant counts."""
        self.later[object_ref] = min(until, self.later.get(object_ref, until))


def admit(
    signals: Sequence[Signal], existing: Sequence[Case], reentry: Reentry, *, sending: Collection[CaseId]
) -> Admitted:
    """Return the signals that open a case, and the open cases that they supersede.

    A signal whose key exists opens nothing, except that a case which cleared before anything was sent goes
    on when its condition is true again. A new episode on an object with an open case replaces that case,
    unless a person has it or its message may be leaving: then the signal waits.

    Args:
        signals: Candidate signals of one scenario, in the order of their arrival.
        existing: All cases of the scenario on the same objects.
        reentry: The playbook's policy.
        sending: Cases with a message under way.
    """
    by_key = {case.signal_key: case for case in existing}
    before: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in existing:
        before[case.customer_id, case.object_ref].append(case)
    admitted = Admitted()
    for signal in signals:
        earlier = before[signal.customer_id, signal.object_ref]
        current = [case for case in earlier if is_open(case)]
        same = by_key.get(signal.key)
        allowed_at = _reenters_at(signal, earlier, reentry)
        if same is not None and same.state is not CaseState.RESOLVED:
            admitted.refused["duplicate"] += 1
        elif same is None and (allowed_at is None or allowed_at > signal.at):
            admitted.refused["reentry"] += 1
            if allowed_at is not None:
                admitted.wait(signal.object_ref, allowed_at)
        elif any(case.state is CaseState.ESCALATED or case.id in sending for case in current):
            admitted.refused["busy"] += 1
            admitted.wait(signal.object_ref, signal.at + _LOOK_AGAIN)
        else:
            admitted.superseded += current
            if same is None:
                admitted.accepted.append(signal)
            else:
                admitted.reopened.append(same)
    return admitted


def _reenters_at(signal: Signal, earlier: Sequence[Case], reentry: Reentry) -> datetime | None:
    """Return the instant from which a further case is allowed; None when never."""
    if not earlier:
        return signal.at
    match reentry.policy:
        case "once":
            return None
        case "per_episode":
            return signal.at
        case "after":
            if reentry.wait is None:
                raise ValueError("re-entry `after` without `wait`; the playbook model forbids it")
            return max(case.opened_at for case in earlier) + reentry.wait
        case _:
            assert_never(reentry.policy)
