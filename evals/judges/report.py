"""How diagnostics read, for people and for scripts."""

from collections import Counter
from enum import StrEnum

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evals.judges.judging import Diagnostics, ShownText
from evals.judges.reply import QUESTIONS, Clarity, Empathy, TextJudgement, Tone
from evals.report.words import money, percent
from tools.safe_text import safe_text

_WORST_SHOWN = 5


def diagnostics_view(found: Diagnostics) -> RenderableType:
    """Return what a model said, with the texts that answer least."""
    table = Table(box=None, header_style="dim")
    for title in ("", "texts", ""):
        table.add_column(title, justify="right" if title else "left")
    given = found.judgements
    for name in QUESTIONS:
        number = sum(bool(getattr(one, name)) for one in given)
        table.add_row(f"says {name.replace('_', ' ')}", f"{number}", percent(number / len(given)))
    for kind in (Tone, Empathy, Clarity):
        for word, number in _counts(given, kind).items():
            title = f"{kind.__name__.lower()}: {word.replace('_', ' ')}"
            table.add_row(title, f"{number}", percent(number / len(given)))
    worst = Table(box=None, header_style="dim")
    for title in ("answers least", "of six", "first case"):
        worst.add_column(title, justify="right" if title == "of six" else "left")
    for text, judgement in _worst(found):
        worst.add_row(
            safe_text(text.message.subject or text.message.body)[:60], f"{judgement.answered}", text.cases[0]
        )
    head = f"Diagnostics of {len(given)} of {len(found.texts)} texts by {found.model}, {found.prompt}"
    return Group(
        Text(),
        Text(safe_text(head), style="bold"),
        Text("Nothing is decided by them; models that judge texts have not been held against people."),
        Text(),
        table,
        Text(),
        worst,
        Text(),
        Text(f"Cost {money(sum(one.cost_micros for one in found.texts), 'USD')}."),
        *(Text(safe_text(f"Not judged: {problem}"), style="yellow") for problem in found.problems),
    )


def diagnostics_form(found: Diagnostics) -> dict[str, object]:
    """Return the same for scripts, with every text's judgement."""
    given = found.judgements
    return {
        "diagnostics": {
            "model": found.model,
            "prompt": found.prompt,
            "texts": len(found.texts),
            "judged": len(given),
            "cost_micros": sum(one.cost_micros for one in found.texts),
            "problems": found.problems,
            "answered": {name: sum(bool(getattr(one, name)) for one in given) for name in QUESTIONS},
            "tone": _counts(given, Tone),
            "empathy": _counts(given, Empathy),
            "clarity": _counts(given, Clarity),
        },
        "judgements": [
            {
                "cases": list(one.text.cases),
                "channel": one.text.message.channel,
                "subject": one.text.message.subject,
                "body": one.text.message.body,
                "judgement": one.judgement.model_dump(mode="json") if one.judgement else None,
                "problem": one.problem,
            }
            for one in found.texts
        ],
    }


def _counts(given: list[TextJudgement], kind: type[StrEnum]) -> dict[str, int]:
    said = Counter(str(getattr(one, kind.__name__.lower())) for one in given)
    return {word.value: said[word.value] for word in kind}


def _worst(found: Diagnostics) -> list[tuple[ShownText, TextJudgement]]:
    judged = [(one.text, one.judgement) for one in found.texts if one.judgement is not None]
    return sorted(judged, key=lambda pair: pair[1].answered)[:_WORST_SHOWN]
