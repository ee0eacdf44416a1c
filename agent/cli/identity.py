"""Who gives a command: the operating system's user, and the reviewer that this user is."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from agent.errors import RefusedError
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.settings import ReviewerSettings

As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="NAME",
        help="Who decides; your system user by default. Where reviewers are set up, only admins may give it.",
    ),
]
VARIABLE = "OUTRIDER_REVIEWER"


def os_user() -> str:
    """Return the operating system's user: by the kernel, for variables can say anything."""
    try:
        import pwd
    except ImportError:  # not a Unix
        import getpass

        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without an entry, as in containers
        return f"uid{os.getuid()}"


def reviewer_of(
    people: "Mapping[str, ReviewerSettings]", *, user: str, given: str | None, env: Mapping[str, str]
) -> str:
    """Return the reviewer who gives a command.

    While nobody is set up, any name may be given, and the user's own counts without one. Otherwise the user
    is the reviewer with this login, and only an admin may act as another.

    Args:
        people: The reviewers of the settings.
        user: The operating system's user.
        given: What `--as` says.
        env: The environment; `OUTRIDER_REVIEWER` counts where `--as` is not given.

    Raises:
        InputError: The name given is none of the reviewers.
        RefusedError: The user is no reviewer, or may not act as another.
    """
    from agent.domain.reviewers import Role

    wanted = given or env.get(VARIABLE)
    if not people:
        return wanted or user
    own = next((name for name, one in people.items() if (one.login or name) == user), None)
    if own is None:
        raise RefusedError(f"the system user {user!r} is none of the reviewers in the settings")
    if wanted is None or wanted == own:
        return own
    if people[own].role is not Role.ADMIN:
        raise RefusedError(f"{own!r} is {people[own].role}; only an admin may act as another")
    if wanted not in people:
        raise InputError(
            f"no reviewer is called {wanted!r}",
            field="--as" if given else VARIABLE,
            remedy=f"use one of {', '.join(sorted(people))}",
        )
    return wanted
