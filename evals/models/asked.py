"""What a case asked its model, read from the case's own ledger."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from sqlalchemy import Connection

from agent.store.llm_calls import CallStatus, LlmCall, Usage, every_call
from evals.models.asking import Asking, Tier
from evals.models.recorded import UNRECORDED, RecordedAsking
from evals.models.recordings import Recording, RecordingSet, as_reply
from evals.results import Needed

_REPLAYED: Final[Mapping[str, Literal["invalid", "too_long", "refused"]]] = {
    "invalid": "invalid",
    "too_long": "too_long",
    "refused": "refused",
}
"""Failure classes that a recording can repeat."""
_SHOWN: Final = 8
"""Characters of a hash that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The calls of one repeat of a case."""

    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_micros: int = 0
    milliseconds: int = 0
    failed: tuple[str, ...] = ()
    """Failure classes, one for each call that failed."""
    recordings: tuple[Recording, ...] = ()
    """The replies of a live model, in a form that can be replayed."""
    needed: tuple[Recording, ...] = ()
    """Questions that no recording answers, with their text, to be filled in."""
    why: tuple[Needed, ...] = ()
    """The same questions, and what has changed since."""
    over_cap: bool = False
    """Whether the spend cap refused a call."""
    unanswered: str = ""
    """Why the endpoint gave no answer at all to some question; empty when it always did."""

    @property
    def counts(self) -> bool:
        """Whether the result says something about the model: every question reached it."""
        return not (self.needed or self.over_cap or self.unanswered)


def read_asked(connection: Connection, case: str, asking: Asking | None) -> Asked:
    """Return what the ledger of a case says; nothing for the rules model, which has none."""
    if asking is None:
        return Asked()
    calls = every_call(connection)
    unrecorded = [call for call in calls if UNRECORDED in call.error]
    live = asking.tier is Tier.LIVE
    return Asked(
        calls=len(calls),
        usage=sum((call.usage for call in calls), Usage()),
        cost_micros=sum(call.cost_micros for call in calls),
        milliseconds=sum(asking.milliseconds(case, key) for key in {call.request_hash for call in calls}),
        failed=tuple(_kind(call) for call in calls if call.status is CallStatus.FAILED),
        recordings=tuple(_recordings(calls, case, asking)) if live else (),
        needed=tuple(_recording(call, case, text=_question(call)) for call in unrecorded),
        why=tuple(_needed(call, case, asking) for call in unrecorded),
        over_cap=live and any(_kind(call) == "budget" and not _by_endpoint(call) for call in calls),
        unanswered=next((call.error for call in calls if live and _is_unanswered(call)), ""),
    )


def _recordings(calls: Sequence[LlmCall], case: str, asking: Asking) -> list[Recording]:
    found: list[Recording] = []
    for call in calls:
        kind = _kind(call)
        if call.status is CallStatus.SUCCEEDED or (kind in _REPLAYED and not _is_unanswered(call)):
            one = _recording(call, case)
            found.append(
                one.model_copy(
                    update={
                        "reply": as_reply(call.reply or ""),
                        "problem": _REPLAYED.get(kind, ""),
                        "prompt_tokens": call.usage.prompt_tokens,
                        "completion_tokens": call.usage.completion_tokens,
                        "cached_tokens": call.usage.cached_tokens,
                        "milliseconds": asking.milliseconds(case, call.request_hash),
                    }
                )
            )
    return found


def _recording(call: LlmCall, case: str, *, text: str = "") -> Recording:
    """Return a recording without its reply."""
    request = _request(call)
    return Recording(
        request=call.request_hash,
        task=request["task"],
        prompt=request["prompt"],
        repair=request["repair"],
        case=case,
        question=text,
        reply="",
        source="written" if text else "model",
    )


def _needed(call: LlmCall, case: str, asking: Asking) -> Needed:
    request = _request(call)
    known = asking.recordings if isinstance(asking, RecordedAsking) else None
    return Needed(
        case=case,
        task=request["task"],
        prompt=request["prompt"],
        request=call.request_hash,
        why=_changed(request, known) if known else "it was never recorded",
    )


def _changed(request: Mapping[str, str], known: RecordingSet) -> str:
    """Say what has changed since the replies to this task were recorded."""
    alike = [one for one in known.recordings if one.task == request["task"]]
    for what in ("prompt", "repair"):
        before = sorted({getattr(one, what) for one in alike} - {request[what]})
        if alike and not any(getattr(one, what) == request[what] for one in alike):
            then = ", ".join(map(_short, before))
            return f"the prompt changed: it is {_short(request[what])}, recorded were replies to {then}"
    return "nobody asked this when the replies were recorded: the case or the facts it shows are new"


def _short(ref: str) -> str:
    name, _, digest = ref.partition(":")
    return f"{name}:{digest[:_SHOWN]}"


def _is_unanswered(call: LlmCall) -> bool:
    """Whether the endpoint did not even read the question: it is down, or refused it without a bill."""
    kind = _kind(call)
    return kind == "down" or (kind in {"refused", "budget"} and call.reply is None and _by_endpoint(call))


def _by_endpoint(call: LlmCall) -> bool:
    return "the model endpoint" in call.error


def _kind(call: LlmCall) -> str:
    return call.error.partition(":")[0] if call.status is CallStatus.FAILED else ""


def _question(call: LlmCall) -> str:
    messages = cast("list[dict[str, str]]", _request(call)["messages"])
    return messages[0]["content"]


def _request(call: LlmCall) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(call.request))
