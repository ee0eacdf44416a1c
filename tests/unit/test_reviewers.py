"""Roles and acts: every cell of the matrix, and which reviewer a command comes from."""

import pytest

from agent.cli.identity import reviewer_of
from agent.domain.reviewers import MAY, Act, Role, Roster
from agent.errors import RefusedError
from agent.settings import ReviewerSettings
from tools.errors import InputError

MATRIX = """
            viewer  reviewer  lead  admin  auditor
look        yes     yes       yes   yes    yes
claim       -       yes       yes   yes    -
approve     -       yes       yes   yes    -
edit        -       yes       yes   yes    -
reject      -       yes       yes   yes    -
redraft     -       yes       yes   yes    -
channel     -       yes       yes   yes    -
snooze      -       yes       yes   yes    -
escalate    -       yes       yes   yes    -
undo        -       yes       yes   yes    -
release     -       -         yes   yes    -
settle      -       -         yes   yes    -
team        -       -         yes   yes    yes
accept      -       -         yes   yes    -
"""
HEAD, *LINES = [line.split() for line in MATRIX.strip().splitlines()]
CELLS = [
    (Role(role), Act(act), cell == "yes")
    for act, *cells in LINES
    for role, cell in zip(HEAD, cells, strict=True)
]

PEOPLE = {
    "ann": ReviewerSettings(role=Role.REVIEWER),
    "bob": ReviewerSettings(role=Role.ADMIN, login="rob"),
}


@pytest.mark.parametrize(("role", "act", "may"), CELLS)
def test_every_cell_of_the_matrix(role: Role, act: Act, may: bool) -> None:
    roster = Roster({"ann": role})

    assert roster.may("ann", act) is may
    if may:
        roster.check("ann", act)
    else:
        with pytest.raises(RefusedError, match=f"ann.*{role}.*{act}"):
            roster.check("ann", act)


def test_the_matrix_is_whole() -> None:
    assert {(role, act) for role, act, _ in CELLS} == {(role, act) for role in Role for act in Act}
    assert set(MAY) == set(Role)


def test_an_empty_roster_makes_everybody_a_lead() -> None:
    assert Roster({}).role_of("anybody") is Role.LEAD


def test_who_is_not_on_the_roster_may_not_even_look() -> None:
    roster = Roster({"ann": Role.LEAD})

    assert roster.role_of("bob") is None
    with pytest.raises(RefusedError, match="bob"):
        roster.check("bob", Act.LOOK)


@pytest.mark.parametrize(
    ("user", "given", "variable", "name"),
    [
        pytest.param("ann", None, None, "ann", id="the login is the name"),
        pytest.param("rob", None, None, "bob", id="another login"),
        pytest.param("ann", "ann", None, "ann", id="one's own name"),
        pytest.param("rob", "ann", None, "ann", id="an admin as another"),
        pytest.param("rob", None, "ann", "ann", id="an admin by the variable"),
        pytest.param("rob", "bob", "ann", "bob", id="the option before the variable"),
    ],
)
def test_the_login_says_who_gives_a_command(
    user: str, given: str | None, variable: str | None, name: str
) -> None:
    env = {"OUTRIDER_REVIEWER": variable} if variable else {}

    assert reviewer_of(PEOPLE, user=user, given=given, env=env) == name


@pytest.mark.parametrize(
    ("user", "given", "error", "words"),
    [
        pytest.param("eve", None, RefusedError, "'eve' is none", id="a stranger"),
        pytest.param("eve", "ann", RefusedError, "'eve' is none", id="a stranger in another's name"),
        pytest.param("bob", None, RefusedError, "'bob' is none", id="a name is no login where one is given"),
        pytest.param("ann", "bob", RefusedError, "only an admin", id="a reviewer in another's name"),
        pytest.param("rob", "eve", InputError, "'eve'", id="an admin in a stranger's name"),
    ],
)
def test_nobody_else_may_say_who_they_are(
    user: str, given: str | None, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        reviewer_of(PEOPLE, user=user, given=given, env={})


@pytest.mark.parametrize(
    ("given", "variable", "name"), [(None, None, "eve"), ("ann", None, "ann"), (None, "zoe", "zoe")]
)
def test_without_reviewers_any_name_goes(given: str | None, variable: str | None, name: str) -> None:
    env = {"OUTRIDER_REVIEWER": variable} if variable else {}

    assert reviewer_of({}, user="eve", given=given, env=env) == name
