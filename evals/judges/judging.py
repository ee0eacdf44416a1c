"""Every distinct text of a stored run, shown once to the model of the settings."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.clock import system_clock
from agent.errors import ModelError, OutriderError
from agent.ids import Ids
from agent.llm.ledgered import LedgeredModel
from agent.llm.requests import LONGEST_TEXTS, Question, clean, cut
from agent.store.database import open_database
from agent.store.keyring import Keyring
from agent.store.transaction import Store
from evals.judges.reply import TextJudgement
from evals.models.live import LiveAsking
from evals.results import Message, Run
from prompts.store import Prompt, PromptStore
from prompts.templates import TemplateStore
from tools.errors import InputError

PROMPT: Final = "judge"
_AT_ONCE: Final = 4
"""Texts that are shown at the same time."""
_NO_PRIVATE_EVENTS: Final = b"the ledger of judges has none..."

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownText:
    """One text, and the cases in which it was written."""

    message: Message
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedText:
    """What came of one text."""

    text: ShownText
    judgement: TextJudgement | None
    cost_micros: int = 0
    problem: str = ""
    """Why there is no judgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """What a model said about the texts of a run."""

    run: str
    model: str
    prompt: str
    """`judge@version`."""
    texts: Sequence[JudgedText]

    @property
    def judgements(self) -> list[TextJudgement]:
        """Those that were given."""
        return [one.judgement for one in self.texts if one.judgement is not None]

    @property
    def problems(self) -> list[str]:
        """Why texts were not judged, each reason once."""
        return list(dict.fromkeys(one.problem for one in self.texts if one.problem))


def texts_of(run: Run) -> list[ShownText]:
    """Return the distinct texts of a run in order of appearance.

    Raises:
        InputError: It has none: they are in files of --out, not in baselines.
    """
    cases: dict[tuple[str, str, str], tuple[Message, dict[str, None]]] = {}
    for result in run.results:
        story = run.transcripts.get(result.transcript)
        for message in story.messages if story else ():
            key = (message.channel, message.subject, message.body)
            cases.setdefault(key, (message, {}))[1][result.case] = None
    if not cases:
        raise InputError(
            "these results hold no text", remedy="give a file of --out, of cases that end in one"
        )
    return [ShownText(message=message, cases=tuple(names)) for message, names in cases.values()]


async def judge_texts(run: Run, asking: LiveAsking, ledger: Path, *, progress: Progress) -> Diagnostics:
    """Show every text of a run to a model; what it was shown before is answered from the ledger.

    Args:
        run: A run with its stories.
        asking: The model, and what may be spent.
        ledger: SQLite file that keeps questions and replies; it is made when it is not there.
        progress: Told after every text.

    Raises:
        InputError: The run has no texts, or the prompt is wrong.
        StoreError: The ledger cannot be used.
        OutriderError: Not one text was judged.
    """
    texts = texts_of(run)
    prompt = judge_prompt(asking.prompt_folder)
    writer, reader = open_database(f"sqlite:///{ledger}")
    ids = Ids()
    store = Store(
        writer=writer, reader=reader, ids=ids, keyring=Keyring(_NO_PRIVATE_EVENTS, random=ids.secret)
    )
    model = asking.make_model(PROMPT, system_clock)(store, TemplateStore())
    if not isinstance(model, LedgeredModel):
        raise TypeError(f"a judge needs a ledger: {type(model).__name__}")
    judge = _Judge(model, prompt, len(texts), progress)
    try:
        judged = await asyncio.gather(*map(judge.ask, texts))
    finally:
        await asking.aclose()
        writer.dispose()
        reader.dispose()
    found = Diagnostics(run=run.name, model=model.name, prompt=prompt.ref, texts=judged)
    if not found.judgements:
        raise OutriderError(f"{model.name} judged no text: {'; '.join(found.problems)}")
    return found


def judge_prompt(folder: Path) -> Prompt:
    """Return the prompt of judges; folders of one's own need not have one.

    Raises:
        InputError: It is wrong.
    """
    own = folder / PROMPT
    prompt = (PromptStore(folder) if own.is_dir() else PromptStore()).get(PROMPT)
    if prompt.output != TextJudgement.__name__:
        raise InputError(
            f"the prompt answers with {prompt.output}",
            path=prompt.path,
            field="output",
            remedy=f"write output: {TextJudgement.__name__}",
        )
    return prompt


class _Judge:
    """Asks about one text after the other, a few at once."""

    def __init__(self, model: LedgeredModel, prompt: Prompt, number: int, progress: Progress) -> None:
        self._model = model
        self._prompt = prompt
        self._number = number
        self._progress = progress
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._done = 0
        self._out_of_money = ""

    async def ask(self, text: ShownText) -> JudgedText:
        async with self._room:
            judged = JudgedText(text=text, judgement=None, problem=self._out_of_money)
            if not self._out_of_money:
                judged = await self._ask(text)
        self._done += 1
        self._progress(self._done, self._number)
        return judged

    async def _ask(self, text: ShownText) -> JudgedText:
        judged = JudgedText(text=text, judgement=None)
        try:
            answer = await self._model.ask(self._question(text))
        except ModelError as exc:
            if exc.kind == "budget":
                self._out_of_money = str(exc)
            return replace(judged, problem=str(exc))
        return replace(judged, judgement=answer.value, cost_micros=answer.use.cost_micros)

    def _question(self, text: ShownText) -> Question[TextJudgement]:
        message = text.message
        shown: Mapping[str, str] = {
            "channel": message.channel,
            "subject": cut(clean(message.subject), LONGEST_TEXTS),
            "body": cut(clean(message.body), LONGEST_TEXTS),
        }
        return Question(
            task="judge",
            situation_id="",
            reply=TextJudgement,
            text=self._prompt.render(**shown),
            prompt=self._prompt,
        )
