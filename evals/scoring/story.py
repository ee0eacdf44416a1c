"""The story of a case for reports: its world in words, every step, the texts, the decision card."""

import io
from collections.abc import Iterator

from rich.console import Console

from agent.audit.card import decision_card
from agent.audit.card_view import render_card
from evals.cases.model import Case
from evals.results import Message, Step, Transcript
from evals.scoring.ending import CaseEnding, Ending
from evals.world.system import CaseSystem
from policies.verdict import Outcome

_WIDTH = 100


def tell_story(system: CaseSystem, ending: Ending, *, with_card: bool) -> Transcript:
    """Return what happened in a case.

    Args:
        system: The system, still running.
        ending: Its end state.
        with_card: Also draw the decision card, which costs as much as a small case.
    """
    steps = [*system.steps, *(step for one in ending.cases for step in _steps(one)), *_sendings(ending)]
    if ending.subject(system.case.scenario) is None:
        steps.append(_unseen(system))
    return Transcript(
        situation=_situation(system.case, system),
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        messages=tuple(
            Message(
                channel=one.message.channel.value,
                recipient=one.message.recipient,
                subject=one.message.subject,
                body=one.message.body,
                sent=one.sent_at is not None,
            )
            for one in ending.told
        ),
        card=_card(system, ending) if with_card else "",
    )


def _situation(case: Case, system: CaseSystem) -> str:
    held = ", ".join(f"{record_type} {record_id}" for record_type, record_id in system.records)
    return f"{case.title}\n{case.scenario}, starting {case.start:%Y-%m-%d %H:%M} UTC with {held}."


def _steps(one: CaseEnding) -> Iterator[Step]:
    about = f"{one.case.scenario} {one.case.object_ref} for {one.case.customer_id}"
    for decision in one.decisions:
        objections = ", ".join(
            verdict.rule for verdict in decision.verdicts if verdict.outcome is not Outcome.PASS
        )
        until = f" until {decision.until:%Y-%m-%d %H:%M}" if decision.until else ""
        objected = f" [{objections}]" if objections else ""
        what = f"{about}: {decision.kind.value} ({decision.reason}){until}{objected}"
        yield Step(at=decision.at.isoformat(), stage=decision.stage.value, what=what)
    for file in one.drafts:
        draft = file.draft
        what = f"draft by {draft.author} for {draft.message.channel.value}, now {draft.state.value}"
        yield Step(at=draft.created_at.isoformat(), stage="draft", what=what)


def _unseen(system: CaseSystem) -> Step:
    """Return why no signal was seen: nothing to look at, or nothing true of it."""
    scenario = system.case.scenario
    playbook = system.deciding.shipped.get(scenario)
    if playbook is None:
        return Step(at=system.clock().isoformat(), stage="sweep", what=f"no playbook decides {scenario}")
    record = playbook.playbook.trigger.record
    found = any(record_type == record for record_type, _ in system.records)
    seen = "its condition is never true of c1" if found else "the world has none; name it under `records`"
    what = f"no signal: the trigger of {scenario} looks at {record}, and {seen}"
    return Step(at=system.clock().isoformat(), stage="sweep", what=what)


def _sendings(ending: Ending) -> Iterator[Step]:
    for one in ending.sent:
        if one.sent_at is not None:
            what = f"{one.message.channel.value} to {one.customer}: {one.message.subject or one.message.body}"
            yield Step(at=one.sent_at.isoformat(), stage="provider", what=what)


def _card(system: CaseSystem, ending: Ending) -> str:
    subject = ending.subject(system.case.scenario)
    if subject is None or not subject.decisions:
        return ""
    store = system.app.store
    with store.read() as conn:
        card = decision_card(conn, store.keyring, subject.case.id)
    drawn = io.StringIO()
    Console(file=drawn, width=_WIDTH, color_system=None, highlight=False).print(render_card(card))
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines())
