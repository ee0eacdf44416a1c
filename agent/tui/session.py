"""What the application works with: the desk, who sits at it, and the ports it shows other things through."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from rich.console import RenderableType

from agent.clock import Clock
from agent.domain.reviewers import Act
from agent.review_desk.desk import ReviewDesk
from tools.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One reviewer at the desk."""

    desk: ReviewDesk
    me: str
    clock: Clock
    zone: tzinfo
    """The reviewer's own, for "tomorrow at nine"."""
    card: Callable[[str], RenderableType]
    """The decision card of a case, by its id."""
    edit_outside: Callable[[str], str]
    """Lets the reviewer change a text in an editor of their own; InputError when there is none."""
    every: timedelta = timedelta(seconds=2)
    """How often the queue is looked at again."""

    def now(self) -> datetime:
        """Return the current instant."""
        return self.clock()

    def may(self, act: Act) -> bool:
        """Whether the reviewer's role allows an act."""
        return self.desk.roster.may(self.me, act)

    @property
    def role(self) -> str:
        """The reviewer's role as a word."""
        role = self.desk.roster.role_of(self.me)
        return role.value if role else "nobody"


def no_editor(_text: str) -> str:
    """Stand for an editor where there is none.

    Raises:
        InputError: Always.
    """
    raise InputError("there is no editor", field="EDITOR", remedy="set EDITOR, or press e to edit here")
