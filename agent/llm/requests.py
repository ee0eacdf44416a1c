"""What a model is shown for each of the three questions: prompts filled with names, kinds and coarse values.

Texts by strangers appear in `read` and nowhere else; values of facts never appear, except coarse ones.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from pydantic import BaseModel

from agent.domain.model import (
    AssessRequest,
    ComposeRequest,
    Composition,
    KnownFact,
    LookUpResult,
    LookUpTool,
    Reading,
    ReadRequest,
    Step,
)
from prompts.locale import language_of
from prompts.store import Prompt, PromptStore, PromptValue
from prompts.templates import TemplateStore
from tools.errors import InputError
from tools.safe_text import is_hidden

ReplyT_co = TypeVar("ReplyT_co", bound=BaseModel, covariant=True)

LONGEST_TEXT: Final = 2_000
"""Characters of one text that the reader sees; of a longer one the beginning and the end."""
LONGEST_TEXTS: Final = 8_000
"""Characters of all texts of one case together."""
MOST_TEXTS: Final = 40
_SHORTEST_CUT: Final = 200
_CUT: Final = " […] "
_REPLIES: Final[dict[str, type[BaseModel]]] = {"read": Reading, "assess": Step, "compose": Composition}
_COVERT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
"""Controls, overrides of the direction, and tags."""
_COARSE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[ReplyT_co]):
    """One question, ready to be sent."""

    task: Literal["read", "assess", "compose", "judge"]
    """`judge` is asked by evaluations alone."""
    situation_id: str
    reply: type[ReplyT_co]
    text: str
    prompt: Prompt


class Questions:
    """Makes questions from requests."""

    def __init__(self, prompts: PromptStore, templates: TemplateStore) -> None:
        """Read the prompts, so that a broken one is named at the start and not in the middle of a day.

        Raises:
            InputError: A prompt is missing or wrong, or answers with another type than its task.
        """
        self._prompts = {task: prompts.get(task) for task in (*_REPLIES, "repair")}
        self._templates = templates
        for task, reply in _REPLIES.items():
            prompt = self._prompts[task]
            if prompt.output != reply.__name__:
                raise InputError(
                    f"the prompt answers with {prompt.output}, the task with {reply.__name__}",
                    path=prompt.path,
                    field="output",
                    remedy=f"write output: {reply.__name__}",
                )

    def read(self, request: ReadRequest) -> Question[Reading]:
        """Return the question to the quarantined reader: the texts and nothing else."""
        prompt = self._prompts["read"]
        return Question(
            task="read",
            situation_id=request.situation_id,
            reply=Reading,
            text=prompt.render(texts=quarantined(request.texts)),
            prompt=prompt,
        )

    def assess(self, request: AssessRequest) -> Question[Step]:
        """Return the question about a situation."""
        done = {result.tool for result in request.results}
        tools = [tool.value for tool in LookUpTool if tool not in done] if request.calls_left > 0 else []
        return self._question(
            "assess",
            request.situation_id,
            Step,
            scenario=request.scenario,
            title=request.title,
            purpose=request.purpose.value,
            facts=[_fact_line(fact) for fact in request.facts],
            readings=[reading.model_dump_json() for reading in request.readings],
            results=[_result_line(result) for result in request.results],
            tools=tools,
            calls_left=max(request.calls_left, 0),
        )

    def compose(self, request: ComposeRequest) -> Question[Composition]:
        """Return the order for a text."""
        return self._question(
            "compose",
            request.situation_id,
            Composition,
            scenario=request.scenario,
            title=request.title,
            purpose=request.purpose.value,
            channel=request.channel.value,
            language=language_of(request.locale),
            slots=[f"{{{slot.name}}}: {slot.kind}" for slot in request.slots],
            example=self._example(request),
            violations=[cut(clean(line), LONGEST_TEXT) for line in request.violations],
            instruction=cut(clean(request.instruction or ""), LONGEST_TEXT),
        )

    def repair(self, problems: Sequence[str]) -> str:
        """Return what a model is told whose answer does not fit."""
        return self._prompts["repair"].render(problems=list(problems))

    @property
    def repair_ref(self) -> str:
        """The repair prompt as `id@version:hash`: it shapes answers too."""
        prompt = self._prompts["repair"]
        return f"{prompt.ref}:{prompt.hash}"

    def _question(
        self,
        task: Literal["assess", "compose"],
        situation_id: str,
        reply: type[ReplyT_co],
        **inputs: PromptValue,
    ) -> Question[ReplyT_co]:
        prompt = self._prompts[task]
        return Question(
            task=task,
            situation_id=situation_id,
            reply=reply,
            text=prompt.render(**inputs),
            prompt=prompt,
        )

    def _example(self, request: ComposeRequest) -> str:
        available = [*(slot.name for slot in request.slots), *request.flags]
        try:
            slotted = self._templates.slotted(request.scenario, request.template, request.locale, available)
        except InputError:  # a text can be written without an example
            return ""
        return f"{slotted.subject}\n\n{slotted.body}".strip()


def quarantined(texts: Sequence[str]) -> list[str]:
    """Return texts by strangers without hidden characters and cut to what one question may hold."""
    shown = [cleaned for text in texts if (cleaned := clean(text))]
    if len(shown) > MOST_TEXTS:
        half = MOST_TEXTS // 2
        shown = [*shown[:half], *shown[-half:]]
    longest = min(LONGEST_TEXT, max(_SHORTEST_CUT, LONGEST_TEXTS // max(len(shown), 1)))
    return [cut(text, longest) for text in shown]


def hides_something(texts: Sequence[str]) -> bool:
    """Whether a text holds characters that only serve to hide words from people, or to show them otherwise.

    The reader gets texts without them and cannot know. Characters that also serve honest scripts, such as
    joiners, are not among them.
    """
    return any(map(_COVERT.search, texts))


def clean(text: str) -> str:
    """Return a text in composed form, without control, bidi and other hidden characters or outer blanks."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(char for char in composed if not is_hidden(char)).strip()


def cut(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters: the first three quarters of that and the end."""
    if len(text) <= longest:
        return text
    room = longest - len(_CUT)
    tail = room // 4
    return text[: room - tail] + _CUT + text[len(text) - tail :]


def _fact_line(fact: KnownFact) -> str:
    # the form is checked here once more, so that a caller's mistake cannot carry a value out
    coarse = fact.value if fact.value is not None and _COARSE.fullmatch(fact.value) else None
    return f"{fact.name} ({fact.kind})" + (f" = {coarse}" if coarse else "")


def _result_line(result: LookUpResult) -> str:
    return f"{result.tool.value}: " + ("; ".join(map(_fact_line, result.facts)) or "nothing found")
