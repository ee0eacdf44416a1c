"""Which signals may open a case: unique keys, one open case per object, and the re-entry policy."""

from collections import defaultdict
from collections.abc import MutableMapping, Sequence

from agent.domain.cases import Case, Signal
from agent.store.cases import is_open
from policies.model import Reentry


def admissible(
    signals: Sequence[Signal],
    existing: Sequence[Case],
    reentry: Reentry,
    refused: MutableMapping[str, int],
) -> tuple[list[Signal], list[Case]]:
    """Return the signals that open a case, and the open cases that they supersede.

    A signal whose key exists opens nothing. A new episode on an object with an open case replaces that case:
    what it would have said is no longer true.

    Args:
        signals: Candidate signals of one scenario.
        existing: All cases of the scenario on the same objects.
        reentry: The playbook's policy.
        refused: Counts why signals opened nothing.
    """
    keys = {case.signal_key for case in existing}
    before: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in existing:
        before[case.customer_id, case.object_ref].append(case)
    accepted: list[Signal] = []
    superseded: list[Case] = []
    for signal in signals:
        earlier = before[signal.customer_id, signal.object_ref]
        if signal.key in keys:
            refused["duplicate"] += 1
        elif not _may_reenter(signal, earlier, reentry):
            refused["reentry"] += 1
        else:
            keys.add(signal.key)
            accepted.append(signal)
            superseded += [case for case in earlier if is_open(case)]
    return accepted, superseded


def _may_reenter(signal: Signal, earlier: Sequence[Case], reentry: Reentry) -> bool:
    if not earlier:
        return True
    match reentry.policy:
        case "once":
            return False
        case "per_episode":
            return True
        case "after":
            if reentry.wait is None:
                raise ValueError("re-entry `after` without `wait`; the playbook model forbids it")
            return signal.at >= max(case.opened_at for case in earlier) + reentry.wait
