"""A chat model behind the port: every question goes through ledger, budget, retries and one repair."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from pydantic import BaseModel

from agent.canonical import canonical, text_hash
from agent.clock import Clock
from agent.domain.decisions import ModelUse
from agent.domain.model import Answer, AssessRequest, ComposeRequest, Composition, Reading, ReadRequest, Step
from agent.errors import ModelError
from agent.llm.budget import Budget
from agent.llm.prices import Price
from agent.llm.requests import Question, Questions, cut, hides_something
from agent.llm.retries import RetryRules, Sleep, with_retries
from agent.llm.structured import ReplyError, parse_reply, reply_schema, schema_text
from agent.llm.transport import AttemptError, ChatMessage, ChatRequest, Completion, Transport
from agent.store.llm_calls import CallStatus, LlmCall, Usage, find_succeeded, finish_call, start_call
from agent.store.transaction import Store

ReplyT = TypeVar("ReplyT", bound=BaseModel)

TURNS: Final = 2
"""The answer and one repair."""
_LONGEST_KEPT: Final = 20_000
"""Characters of a reply that the ledger keeps when it does not fit."""
_LONGEST_SHOWN: Final = 4_000
"""Characters of a reply that a repair turn repeats."""
_FRAME_TOKENS: Final = 256
"""More than any chat template adds to the messages and the schema."""


@dataclass(slots=True)
class _Tally:
    """What a question has used so far; kept although it fails."""

    usage: Usage = field(default_factory=Usage)
    cost_micros: int = 0
    reply: str | None = None


class LedgeredModel:
    """The three questions over any transport.

    The same request is asked once: a run after a crash, an audit's replay and a situation that looks the same
    are answered from the ledger, at no cost and under the id of the first call. Only replies that fit are
    repeated; a failure is asked again.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        questions: Questions,
        store: Store,
        budget: Budget,
        price: Price,
        clock: Clock,
        random: Random,
        rules: RetryRules | None = None,
        max_tokens: int = 2_000,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Put the parts together.

        Args:
            transport: Sends one request once.
            questions: Fills the prompts.
            store: Holds the ledger.
            budget: What may be spent.
            price: The model's.
            clock: For the ledger.
            random: For the jitter of waits.
            rules: How persistent a question is.
            max_tokens: Most tokens of one reply; models that think before they write need several thousand.
            sleep: Waits between attempts.
        """
        self._transport = transport
        self._questions = questions
        self._store = store
        self._budget = budget
        self._price = price
        self._clock = clock
        self._random = random
        self._rules = rules or RetryRules()
        self._max_tokens = max_tokens
        self._sleep = sleep
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def name(self) -> str:
        """The model's name as the endpoint knows it."""
        return self._transport.model

    async def read(self, request: ReadRequest) -> Answer[Reading]:
        """Read texts by strangers in quarantine; what hides in them no reader sees, so it is found here."""
        answer = await self.ask(self._questions.read(request))
        if not hides_something(request.texts):
            return answer
        return replace(answer, value=answer.value.model_copy(update={"suspicious": True}))

    async def assess(self, request: AssessRequest) -> Answer[Step]:
        """Take the next step of judging a situation."""
        return await self.ask(self._questions.assess(request))

    async def compose(self, request: ComposeRequest) -> Answer[Composition]:
        """Write a text with slots."""
        return await self.ask(self._questions.compose(request))

    async def aclose(self) -> None:
        """Close the transport's connections."""
        await self._transport.aclose()

    async def ask(self, question: Question[ReplyT]) -> Answer[ReplyT]:
        """Ask any question; those of the port are asked by their own methods.

        Raises:
            ModelError: There is no answer that fits.
        """
        schema = reply_schema(question.reply)
        request = canonical(self._request_record(question, schema))
        key = text_hash(request)
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:  # the same question twice at once is asked once
            known = await asyncio.to_thread(self._find, key)
            if known is not None and (value := _fitting(question, known)) is not None:
                return Answer(value=value, use=self._use(question, known.id, cost=0))
            return await self._ask_endpoint(question, schema, request, key)

    async def _ask_endpoint(
        self, question: Question[ReplyT], schema: Mapping[str, object], request: str, key: str
    ) -> Answer[ReplyT]:
        call_id = await asyncio.to_thread(self._start, question, request, key)
        tally = _Tally()
        error: ModelError
        try:
            async with asyncio.timeout(self._rules.deadline.total_seconds()):
                value = await self._turns(question, schema, key, tally)
        except TimeoutError:
            seconds = self._rules.deadline.total_seconds()
            error = ModelError(f"the model gave no answer within {seconds:g} s", kind="slow", retryable=True)
        except ModelError as exc:
            error = exc
        except asyncio.CancelledError:
            await asyncio.to_thread(self._finish, call_id, tally, "cancelled: this process stopped")
            raise
        else:
            await asyncio.to_thread(self._finish, call_id, tally, "")
            return Answer(value=value, use=self._use(question, call_id, cost=tally.cost_micros))
        await asyncio.to_thread(self._finish, call_id, tally, f"{error.kind}: {error}")
        raise error

    async def _turns(
        self, question: Question[ReplyT], schema: Mapping[str, object], key: str, tally: _Tally
    ) -> ReplyT:
        first = ChatMessage(role="user", content=question.text)
        messages: tuple[ChatMessage, ...] = (first,)
        problems: tuple[str, ...] = ()
        for _ in range(TURNS):
            request = ChatRequest(
                messages=messages,
                schema_name=question.task,
                schema=schema,
                max_tokens=self._max_tokens,
                key=key,
            )
            completion = await self._complete(request, tally)
            if completion.problem in ("refused", "too_long"):
                raise ModelError(f"the model gave no answer: {completion.detail}", kind=completion.problem)
            try:
                return parse_reply(question.reply, completion.text)
            except ReplyError as exc:
                problems = exc.problems
            messages = (
                first,
                # some servers refuse an empty turn
                ChatMessage(role="assistant", content=cut(completion.text, _LONGEST_SHOWN) or "(nothing)"),
                ChatMessage(role="user", content=self._questions.repair(problems)),
            )
        raise ModelError(f"the model's answer does not fit, twice: {'; '.join(problems)}", kind="invalid")

    async def _complete(self, request: ChatRequest, tally: _Tally) -> Completion:
        bound = self._price.bound(
            # no tokenizer makes more tokens than a text has bytes
            prompt_tokens=_FRAME_TOKENS
            + len(schema_text(request.schema).encode())
            + sum(len(message.content.encode()) for message in request.messages),
            completion_tokens=request.max_tokens,
        )

        async def attempt() -> Completion:
            return await self._attempt(request, bound, tally)

        return await with_retries(attempt, rules=self._rules, sleep=self._sleep, random=self._random)

    async def _attempt(self, request: ChatRequest, bound: int, tally: _Tally) -> Completion:
        """Send once: money is held before, and what may have been billed without an answer counts in full."""
        hold = await self._budget.reserve(bound)
        cost = bound
        try:
            completion = await self._transport.complete(request)
            tally.reply = completion.text
            if completion.usage is not None:
                tally.usage += completion.usage
                cost = self._price.cost(completion.usage)
        except AttemptError as exc:
            cost = bound if exc.maybe_billed else 0
            raise
        finally:
            tally.cost_micros += cost
            await self._budget.settle(hold, cost)
        return completion

    def _request_record(self, question: Question[ReplyT], schema: Mapping[str, object]) -> dict[str, object]:
        return {
            "max_tokens": self._max_tokens,
            "messages": [{"role": "user", "content": question.text}],
            "model": self._transport.model,
            "params": dict(self._transport.params),
            "prompt": f"{question.prompt.ref}:{question.prompt.hash}",
            "repair": self._questions.repair_ref,
            "schema": schema,
            "task": question.task,
        }

    def _use(self, question: Question[ReplyT], call_id: str, *, cost: int) -> ModelUse:
        return ModelUse(
            model=self._transport.model,
            prompt=question.prompt.ref,
            prompt_hash=question.prompt.hash,
            calls=(call_id,),
            cost_micros=cost,
        )

    def _find(self, key: str) -> LlmCall | None:
        with self._store.read() as connection:
            return find_succeeded(connection, key)

    def _start(self, question: Question[ReplyT], request: str, key: str) -> str:
        with self._store.write() as tx:
            return start_call(
                tx,
                request_hash=key,
                task=question.task,
                model=self._transport.model,
                situation_id=question.situation_id,
                request=request,
                at=self._clock(),
            )

    def _finish(self, call_id: str, tally: _Tally, error: str) -> None:
        reply = tally.reply if not error or tally.reply is None else tally.reply[:_LONGEST_KEPT]
        with self._store.write() as tx:
            finish_call(
                tx,
                call_id,
                status=CallStatus.FAILED if error else CallStatus.SUCCEEDED,
                reply=reply,
                error=error,
                usage=tally.usage,
                cost_micros=tally.cost_micros,
                at=self._clock(),
            )


def _fitting(question: Question[ReplyT], known: LlmCall) -> ReplyT | None:
    """Return the ledger's reply, or None when it no longer passes the checks of today."""
    try:
        return parse_reply(question.reply, known.reply or "")
    except ReplyError:
        return None
