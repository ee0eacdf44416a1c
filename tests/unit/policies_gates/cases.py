"""An ordinary candidate, playbook and limits, to be changed one value at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from policies.gates.candidate import Candidate, Reach
from policies.loader import LIMITS_FILE, PLAYBOOK_FOLDER, load_limits, load_playbook
from policies.model import Caps, Limits, Playbook, QuietHours
from tools.records.vocabulary import ChannelKind, ConsentState, CustomerStatus, Purpose

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
"""13:00 in Berlin, 07:00 in New York."""
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_PLAYBOOK = load_playbook(PLAYBOOK_FOLDER / "shop" / "shipping_delay.yaml").playbook
_LIMITS = load_limits(LIMITS_FILE)

SERVICE, MARKETING, SAFETY = Purpose.SERVICE, Purpose.MARKETING, Purpose.SAFETY
SECURITY, COLLECTIONS = Purpose.ACCOUNT_SECURITY, Purpose.COLLECTIONS


def playbook(**changes: Any) -> Playbook:
    return _PLAYBOOK.model_copy(update=changes)


def limits(
    *,
    per_day: int = 2,
    per_week: int = 5,
    start: str = "21:00",
    end: str = "08:00",
    **changes: Any,
) -> Limits:
    exempt = (Purpose.SAFETY, Purpose.ACCOUNT_SECURITY)
    return _LIMITS.model_copy(
        update={
            "caps": Caps(per_day=per_day, per_week=per_week, exempt=exempt),
            "quiet_hours": QuietHours.model_validate({"start": start, "end": end, "exempt": exempt}),
            **changes,
        }
    )


def reach(kind: ChannelKind = ChannelKind.EMAIL, **changes: Any) -> Reach:
    plain = Reach(
        kind=kind,
        address=f"{kind.value}-address",
        shared=False,
        consent=ConsentState.UNKNOWN,
        suppressed=False,
        killed=None,
    )
    return replace(plain, **changes)


def candidate(**changes: Any) -> Candidate:
    plain = Candidate(
        customer_known=True,
        status=CustomerStatus.ACTIVE,
        protected=(),
        zones=("Europe/Berlin",),
        reaches=(reach(ChannelKind.EMAIL), reach(ChannelKind.SMS)),
        sent_last_day=0,
        sent_last_week=0,
        open_ticket=None,
        source_age=timedelta(minutes=5),
        killed=None,
        budget_left=True,
        deadline=NOW + 3 * DAY,
        cleared=False,
    )
    return replace(plain, **changes)
