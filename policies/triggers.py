"""A playbook ready to run: conditions compiled, names checked, answers for the records of one case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from policies.expressions import Expression, Locate, Truth, compile_expression
from policies.fact_names import is_untrusted
from policies.model import Playbook
from policies.playbook_checks import playbook_mistakes
from policies.variables import Binder, VariableSchema, VariableType
from tools.errors import InputError
from tools.records.base import Record
from tools.yaml_file import gathered
from tools.yaml_source import Loc, YamlDocument, dotted


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a playbook says about the records of one case at one instant."""

    fires: Truth
    resolved: Truth
    episode: str | None
    """None when a value that it needs is missing; then no signal can be named and none is made."""
    deadline: datetime | None
    """None when a value that it needs is missing."""
    timers: tuple[datetime, ...]
    """Later instants at which the answer may change by time alone, ascending; none once resolved."""


@dataclass(frozen=True, slots=True)
class _Conditions:
    schema: VariableSchema
    when: Expression
    resolves_on: Expression
    episode: Expression
    deadline: Expression
    timers: tuple[Expression, ...]

    def names(self) -> frozenset[str]:
        every = (self.when, self.resolves_on, self.episode, self.deadline, *self.timers)
        return frozenset[str]().union(*(one.names for one in every))


class CompiledPlaybook:
    """A playbook whose conditions are compiled and whose names are known to exist."""

    def __init__(self, playbook: Playbook, *, content_hash: str, path: Path, conditions: _Conditions) -> None:
        """Wrap checked parts; `compile_playbook` is the way to make one."""
        self.playbook = playbook
        self.content_hash = content_hash
        """SHA-256 of the file's bytes, hex."""
        self.path = path
        named = {name.removeprefix("has.").partition(".")[0] for name in conditions.names()}
        self.relevant_types = (
            playbook.trigger.record,
            *(related for related in playbook.trigger.related if related in named),
        )
        """Record types whose changes can change an answer; the trigger's own comes first. A related type
        that only facts name is not among them."""
        self._conditions = conditions
        # values are only understood by programs of the same environment, so the schema is the compiler's own
        self._binder = Binder(conditions.schema, conditions.names())
        self._resolving = Binder(conditions.schema, conditions.resolves_on.names)

    def resolved(self, records: Mapping[str, Record], *, now: datetime) -> Truth:
        """Evaluate `resolves_on` alone; the same answer as `evaluate(...).resolved` for less work."""
        return self._conditions.resolves_on.truth(self._resolving.bind(records, now=now))

    def evaluate(self, records: Mapping[str, Record], *, now: datetime) -> Evaluation:
        """Evaluate all conditions on the records of one case.

        Args:
            records: By record type; a related record that is missing leaves its fields Unknown.
            now: The instant to answer for, aware.
        """
        conditions = self._conditions
        bindings = self._binder.bind(records, now=now)
        resolved = conditions.resolves_on.truth(bindings)
        timers: set[datetime] = set()
        if resolved is not Truth.TRUE:
            instants = (timer.instant(bindings) for timer in conditions.timers)
            timers = {instant for instant in instants if instant is not None and instant > now}
        return Evaluation(
            fires=conditions.when.truth(bindings),
            resolved=resolved,
            episode=conditions.episode.text(bindings),
            deadline=conditions.deadline.instant(bindings),
            timers=tuple(sorted(timers)),
        )


def compile_playbook(
    playbook: Playbook, *, content_hash: str, path: Path, document: YamlDocument | None = None
) -> CompiledPlaybook:
    """Compile and check a playbook.

    Args:
        playbook: The parsed file, or a changed copy of one (a replay may set other params).
        content_hash: SHA-256 of the file's bytes, hex.
        path: The file, named in messages.
        document: The file's text and places, so that mistakes can be located.

    Raises:
        InputError: A name, a type or a combination is wrong; all mistakes are in the message.
    """
    mistakes = list(playbook_mistakes(playbook, partial(_mistake, path, document)))
    if any((mistake.field or "").startswith("trigger.re") for mistake in mistakes):
        raise gathered(mistakes)  # without the record types no condition can be read
    trigger = playbook.trigger
    schema = VariableSchema((trigger.record, *trigger.related), playbook.params)
    compiler = _Compiler(schema, path, document)
    parts = (
        compiler.compile(trigger.when, ("trigger", "when"), VariableType.FLAG),
        compiler.compile(playbook.resolves_on, ("resolves_on",), VariableType.FLAG),
        compiler.compile(trigger.episode, ("trigger", "episode"), VariableType.TEXT),
        compiler.compile(playbook.deadline, ("deadline",), VariableType.INSTANT),
    )
    timers = tuple(
        compiler.compile(timer, ("trigger", "timers", at), VariableType.INSTANT)
        for at, timer in enumerate(trigger.timers)
    )
    mistakes += compiler.mistakes
    when, resolves_on, episode, deadline = parts
    if mistakes or not (when and resolves_on and episode and deadline):
        raise gathered(mistakes)
    conditions = _Conditions(schema, when, resolves_on, episode, deadline, tuple(filter(None, timers)))
    unused = sorted(set(playbook.params) - {name.removeprefix("params.") for name in conditions.names()})
    if unused:
        at: Loc = ("params", unused[0])
        raise _mistake(path, document, at, "no condition names this param", "name it or remove it")
    return CompiledPlaybook(playbook, content_hash=content_hash, path=path, conditions=conditions)


class _Compiler:
    """Compiles the conditions of one file and collects what is wrong with them."""

    def __init__(self, schema: VariableSchema, path: Path, document: YamlDocument | None) -> None:
        self.schema = schema
        self.path = path
        self.document = document
        self.mistakes: list[InputError] = []

    def compile(self, text: str, loc: Loc, result: VariableType) -> Expression | None:
        """Return the compiled expression, or None after noting its mistakes."""
        document = self.document
        locate: Locate | None = partial(document.place_inside, loc) if document else None
        try:
            expression = compile_expression(
                text, self.schema, result=result, path=self.path, field=dotted(loc), locate=locate
            )
        except InputError as exc:
            self.mistakes.append(exc)
            return None
        for name in sorted(filter(is_untrusted, expression.names)):
            problem = f"`{name}` is text by strangers, who could make it true"
            remedy = "build the condition on other fields"
            self.mistakes.append(_mistake(self.path, self.document, loc, problem, remedy))
        return expression


def _mistake(path: Path, document: YamlDocument | None, loc: Loc, problem: str, remedy: str) -> InputError:
    place = document.place(loc) if document else None
    return InputError(
        problem,
        remedy=remedy,
        path=path,
        line=place.line if place else None,
        column=place.column if place else None,
        field=dotted(loc),
    )
