"""The composition root: parts that were chosen → a running system. Nothing else picks concrete classes."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import make_url

from agent.clock import Clock, Monotonic, system_monotonic
from agent.daemon.deliberations import Deliberations
from agent.daemon.jobs import LocalEngine
from agent.daemon.kinds import work_kinds
from agent.daemon.loop import Daemon
from agent.daemon.rounds import Rounds
from agent.daemon.worker import Worker
from agent.desk_bootstrap import DeskParts, build_desk
from agent.dispatch.dispatcher import Dispatcher
from agent.dispatch.owners import FileOwner, PostgresOwner, new_owner_id
from agent.dispatch.ports import Owner
from agent.graph.nodes import Nodes
from agent.graph.when_needed import deliberate_with
from agent.ids import Ids
from agent.llm.budget import clear_dead_calls
from agent.llm.port import Model
from agent.llm.rules import RulesModel
from agent.nodes.decide import Decide
from agent.nodes.draft import Draft
from agent.nodes.guard import Guard
from agent.nodes.record import Record
from agent.nodes.sense import Sense
from agent.review_desk.desk import ReviewDesk
from agent.store.transaction import Store
from agent.watch.candidates import Candidates
from agent.watch.lookups import MirrorLookUps
from agent.watch.recheck import SourceRecheck
from agent.watch.screen import Screen
from agent.watch.sweep import Sweep
from policies.model import Limits
from policies.triggers import CompiledPlaybook
from prompts.templates import TemplateStore
from tools.ports import Sender, Source
from tools.records.vocabulary import ChannelKind

_LONGEST_CALL: Final = timedelta(minutes=10)
"""A call to the model that is older belongs to a process that died."""

T = TypeVar("T")

MakeModel = Callable[[Store, TemplateStore], Model]
"""Builds the model once the store is open; the offline rules model needs only the templates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(DeskParts):
    """What somebody chose: settings, the demo, a replay, or a test."""

    sources: tuple[Source, ...]
    senders: Mapping[ChannelKind, Sender]
    templates: TemplateStore | None = None
    """Those of `folders` that were read already; None reads them when they are needed."""
    make_model: MakeModel = lambda _store, templates: RulesModel(templates)
    monotonic: Monotonic = system_monotonic
    shadow: bool = False
    concurrency: int = 8
    every: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The running system, put together."""

    store: Store
    clock: Clock
    playbooks: Mapping[str, CompiledPlaybook]
    limits: Limits
    sources: tuple[Source, ...]
    rounds: Rounds
    desk: ReviewDesk
    dispatcher: Dispatcher
    owner: Owner
    model: Model
    templates: TemplateStore
    deliberations: Deliberations
    ids: Ids
    shadow: bool
    daemon: Daemon

    def run(self, main: Coroutine[object, object, T]) -> T:
        """Run this in an event loop of its own, at whose end the model's connections are closed: once."""

        async def to_the_end() -> T:
            try:
                return await main
            finally:
                await self.model.aclose()

        return asyncio.run(to_the_end())

    async def aclose(self) -> None:
        """Close everything, in the event loop in which the model was asked."""
        await self.model.aclose()
        self.close()

    def close(self) -> None:
        """Release the worker's lock and threads, the sources and the database."""
        self.daemon.worker.close()
        self.owner.release()
        for source in self.sources:
            source.close()
        self.store.writer.dispose()
        self.store.reader.dispose()


def build_app(parts: Parts) -> App:
    """Put the system together; nothing is read or sent yet.

    Raises:
        StoreError: The database cannot be used.
        InputError: A playbook, a limit or a template is wrong.
    """
    reviewing = build_desk(parts, open_sources=lambda: parts.sources)
    store, candidates, recheck = reviewing.store, reviewing.candidates, reviewing.recheck
    templates = parts.templates or TemplateStore(parts.folders.templates)
    owner = _owner(parts, store)
    model = parts.make_model(store, templates)
    dispatcher = _dispatcher(parts, store, recheck, candidates, owner)
    rounds = Rounds(
        store=store,
        sources=parts.sources,
        ingest=reviewing.ingest,
        sweep=Sweep(store, parts.playbooks, shadow=parts.shadow),
        screen=Screen(store, parts.playbooks, parts.limits, candidates),
    )
    deliberations = _deliberations(parts, store, candidates, templates, model)
    daemon = Daemon(
        store=store,
        database_url=parts.database_url,
        rounds=rounds,
        worker=_worker(parts, store, owner, deliberations, dispatcher),
        desk=reviewing.desk,
        owner=owner,
        recover=_recover(store, dispatcher, parts.clock),
        clock=parts.clock,
        every=parts.every,
    )
    return App(
        store=store,
        clock=parts.clock,
        playbooks=parts.playbooks,
        limits=parts.limits,
        sources=parts.sources,
        rounds=rounds,
        desk=reviewing.desk,
        dispatcher=dispatcher,
        owner=owner,
        model=model,
        templates=templates,
        deliberations=deliberations,
        daemon=daemon,
        ids=parts.ids,
        shadow=parts.shadow,
    )


def _dispatcher(
    parts: Parts, store: Store, recheck: SourceRecheck, candidates: Candidates, owner: Owner
) -> Dispatcher:
    return Dispatcher(
        store=store,
        senders=parts.senders,
        recheck=recheck,
        candidates=candidates,
        playbooks=parts.playbooks,
        limits=parts.limits,
        rules=parts.rules,
        owner=owner,
        clock=parts.clock,
        monotonic=parts.monotonic,
    )


def _worker(
    parts: Parts, store: Store, owner: Owner, deliberations: Deliberations, dispatcher: Dispatcher
) -> Worker:
    return Worker(
        store=store,
        engine=LocalEngine(me=owner.id, capacity=parts.concurrency),
        kinds=work_kinds(deliberations, dispatcher, clock=parts.clock),
        clock=parts.clock,
    )


def _deliberations(
    parts: Parts, store: Store, candidates: Candidates, templates: TemplateStore, model: Model
) -> Deliberations:
    look_ups = MirrorLookUps(store, parts.playbooks, parts.limits, candidates, parts.clock)
    nodes = Nodes(
        sense=Sense(parts.playbooks, look_ups, model),
        decide=Decide(
            parts.playbooks,
            parts.limits,
            parts.clock,
            parts.ids,
            high_reasons=parts.rules.risk.high_reasons,
        ),
        draft=Draft(parts.playbooks, templates, model),
        guard=Guard(parts.playbooks, parts.limits, parts.clock, parts.ids),
        record=Record(store, parts.playbooks, parts.rules, parts.clock),
    )
    return Deliberations(store, deliberate_with(nodes), parts.clock)


def _recover(store: Store, dispatcher: Dispatcher, clock: Clock) -> Callable[[], int]:
    def recover() -> int:
        clear_dead_calls(store, clock=clock, longest_call=_LONGEST_CALL)
        return dispatcher.recover()

    return recover


def _owner(parts: Parts, store: Store) -> Owner:
    owner_id = new_owner_id(parts.ids.secret(8))
    url = make_url(parts.database_url)
    if url.get_backend_name() == "sqlite":
        # beside the database: workers with other data folders must see the same locks
        return FileOwner(Path(url.database).parent if url.database else parts.data_folder, owner_id=owner_id)
    return PostgresOwner(store.writer, owner_id=owner_id)
