"""Who may do what in the review desk: roles, acts, and the roster of people."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from agent.errors import RefusedError


class Role(StrEnum):
    """What a person is in the review desk."""

    VIEWER = "viewer"
    """Looks, decides nothing."""
    REVIEWER = "reviewer"
    LEAD = "lead"
    """Also answers for the others: releases their claims, sees the team's figures, accepts proposals."""
    ADMIN = "admin"
    """A lead who may also act in another's name."""
    AUDITOR = "auditor"
    """Looks, at the team's figures too, and decides nothing."""


class Act(StrEnum):
    """What can be done in the review desk."""

    LOOK = "look"
    CLAIM = "claim"
    """Open a draft, which keeps others away from it for a while."""
    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    REDRAFT = "redraft"
    CHANNEL = "channel"
    """Choose another channel of the playbook."""
    SNOOZE = "snooze"
    ESCALATE = "escalate"
    UNDO = "undo"
    """Take one's own verdict back."""
    RELEASE = "release"
    """End another's claim."""
    SETTLE = "settle"
    """Write down what became of a message that nobody knew the outcome of."""
    TEAM = "team"
    """See the team's figures."""
    ACCEPT = "accept"
    """Accept or dismiss a proposal."""


_REVIEWER: Final = frozenset(
    {
        *(Act.LOOK, Act.CLAIM, Act.APPROVE, Act.EDIT, Act.REJECT),
        *(Act.REDRAFT, Act.CHANNEL, Act.SNOOZE, Act.ESCALATE, Act.UNDO),
    }
)
_LEAD: Final = _REVIEWER | {Act.RELEASE, Act.SETTLE, Act.TEAM, Act.ACCEPT}

MAY: Final[Mapping[Role, frozenset[Act]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Act.LOOK}),
        Role.REVIEWER: _REVIEWER,
        Role.LEAD: _LEAD,
        Role.ADMIN: _LEAD,
        Role.AUDITOR: frozenset({Act.LOOK, Act.TEAM}),
    }
)
"""Role → the acts it allows; whatever does not stand here is refused."""


class Roster:
    """The people of one installation and their roles; an empty one makes everybody a lead."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._roles = dict(roles)

    def role_of(self, name: str) -> Role | None:
        """Return a person's role; None for somebody who is not on the roster."""
        return self._roles.get(name) if self._roles else Role.LEAD

    def may(self, name: str, act: Act) -> bool:
        """Whether a person may do this."""
        role = self.role_of(name)
        return role is not None and act in MAY[role]

    def check(self, name: str, act: Act) -> None:
        """Let an act pass.

        Raises:
            RefusedError: The person's role does not allow it, or they are not on the roster.
        """
        if self.may(name, act):
            return
        role = self.role_of(name)
        if role is None:
            raise RefusedError(f"{name!r} is not among the reviewers in the settings, and may not {act}")
        raise RefusedError(f"{name!r} is {_article(role)} {role}, who may not {act}")


def _article(role: Role) -> str:
    return "an" if role[0] in "aeiou" else "a"
