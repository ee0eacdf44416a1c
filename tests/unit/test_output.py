"""What commands print about themselves."""

import pytest

from agent.cli.output import program_name


@pytest.mark.parametrize(
    ("typed", "on_path", "name"),
    [
        (".venv/bin/outrider", False, ".venv/bin/outrider"),
        (".venv/bin/outrider", True, "outrider"),
        ("outrider", False, "outrider"),
        ("/site-packages/agent/__main__.py", False, "outrider"),
    ],
)
def test_a_newcomer_is_told_the_command_that_works_where_they_are(
    typed: str, on_path: bool, name: str
) -> None:
    assert program_name(typed, on_path=on_path) == name
