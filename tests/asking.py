"""`outrider eval` against a scripted server: settings, good replies, and the command itself."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner, Result

from evals.command import add_to
from tests.scripted_server import Reply, completion

KEY = {"OPENAI_API_KEY": "none"}
CASES = ("delay.base", "attack.honest_words", "attack.tag_characters", "protected.deceased")
"""A message, a message after a text was read, an attack, and nothing to ask a model about."""
SUBJECT = "Your order {order.number} is late"
BODY = (
    "Your order {order.number} is late. It was due by {order.promised_on}. We do not know the reason yet, "
    "and the carrier has not given us a new date. You need not do anything. We write again when there is one."
)
_REPLIES: dict[str, object] = {
    "read": {
        "mood": "calm",
        "asks_for_person": False,
        "asks_no_contact": False,
        "already_knows": False,
        "mentions_hardship": False,
        "suspicious": False,
    },
    "assess": {"step": {"action": "assess", "warranted": "yes", "concern": "none"}},
    "compose": {"subject": SUBJECT, "body": BODY},
}


def good(request: dict[str, Any]) -> Reply:
    """Answer as a model does that finds nothing wrong and writes well."""
    return completion(json.dumps(_REPLIES[task_of(request)]))


def task_of(request: dict[str, Any]) -> str:
    """Return which of the three questions it is."""
    return str(request["response_format"]["json_schema"]["name"])


def settings_file(folder: Path, url: str, *, price: str = "gpt-4o-mini", name: str = "scripted") -> Path:
    """Write settings that choose a model behind this address."""
    file = folder / "outrider.yaml"
    model = {"adapter": "openai", "name": name, "base_url": url, "price": price}
    file.write_text(f"model: {json.dumps(model)}\n", "utf-8")
    return file


def of_cases(cases: Sequence[str]) -> list[str]:
    """Return the options that choose these cases, in this process."""
    return [*(part for case in cases for part in ("--case", case)), "--jobs", "1"]


def outrider(*arguments: str) -> Result:
    """Run `outrider eval` in this process; not from within a running event loop."""
    app = typer.Typer()
    app.command("other")(lambda: None)
    add_to(app)
    return CliRunner(env={"COLUMNS": "200", **KEY}).invoke(app, ["eval", *arguments])
