"""What reviewers need of the system: parts that were chosen → the database, the sources and the desk.

Kept apart from `bootstrap`, so that their first screen waits for no daemon, model, graph or dispatcher.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Protocol

from sqlalchemy import Connection, Engine
from typing_extensions import override

from agent.clock import Clock, system_clock
from agent.domain.cases import Case
from agent.domain.reviewers import Roster
from agent.heap import collect_seldom
from agent.ids import Ids
from agent.llm.budget import SCOPE
from agent.review_desk.desk import ReviewDesk
from agent.review_desk.proposals.folders import Folders
from agent.store.budgets import balance
from agent.store.database import open_database
from agent.store.keyring import Keyring
from agent.store.transaction import Store
from agent.watch.candidates import Candidates
from agent.watch.ingest import Ingest
from agent.watch.recheck import SourceRecheck
from agent.watch.zones import zone_of
from policies.loader import (
    LIMITS_FILE,
    PLAYBOOK_FOLDER,
    REVIEW_FILE,
    load_limits,
    load_playbooks,
    load_review_rules,
)
from policies.model import Limits
from policies.review_rules import ReviewRules
from policies.triggers import CompiledPlaybook
from policies.zones import use_packaged_zones
from tools.ports import Source
from tools.records.vocabulary import ChannelKind


class OpenDatabase(Protocol):
    """Opens a database whose schema fits this version."""

    def __call__(self, url: str, *, create: bool) -> tuple[Engine, Engine]:
        """Return (writer, reader)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """What somebody chose, as far as the review desk uses it."""

    database_url: str
    data_folder: Path
    installation_key: bytes
    from_addresses: Mapping[ChannelKind, str] = field(default_factory=dict[ChannelKind, str])
    """Whom customers see messages of a channel come from, where that is known."""
    playbooks: Mapping[str, CompiledPlaybook] = field(default_factory=lambda: load_playbooks(PLAYBOOK_FOLDER))
    folders: Folders = field(default_factory=Folders)
    """Where `playbooks`, templates and prompts were read from."""
    limits: Limits = field(default_factory=lambda: load_limits(LIMITS_FILE))
    rules: ReviewRules = field(default_factory=lambda: load_review_rules(REVIEW_FILE))
    roster: Roster = field(default_factory=lambda: Roster({}))
    login: str = ""
    """The operating system's user, for the audit log."""
    needs_budget: bool = False
    """Whether calls to the model cost money."""
    clock: Clock = system_clock
    ids: Ids = field(default_factory=Ids)
    create: bool = True
    open_database: OpenDatabase = open_database
    """Opens the writer and the reader; eval runs keep theirs over many systems."""


class SourcesWhenNeeded(Mapping[str, Source]):
    """Sources by name, opened when first asked for: looking at drafts needs none, and approving all."""

    def __init__(self, open_all: Callable[[], tuple[Source, ...]]) -> None:
        self._open_all = open_all
        self._opened: dict[str, Source] | None = None
        self._lock = Lock()

    @override
    def __getitem__(self, name: str) -> Source:
        return self._by_name()[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    @override
    def __len__(self) -> int:
        return len(self._by_name())

    def close(self) -> None:
        """Release those that were opened."""
        for source in (self._opened or {}).values():
            source.close()

    def _by_name(self) -> dict[str, Source]:
        with self._lock:  # screens ask in threads
            if self._opened is None:
                self._opened = {source.name: source for source in self._open_all()}
            return self._opened


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskApp:
    """What reviewers work with, put together."""

    store: Store
    clock: Clock
    sources: SourcesWhenNeeded
    candidates: Candidates
    ingest: Ingest
    recheck: SourceRecheck
    desk: ReviewDesk

    def close(self) -> None:
        """Release the sources and the database."""
        self.sources.close()
        self.store.writer.dispose()
        self.store.reader.dispose()


def build_desk(parts: DeskParts, *, open_sources: Callable[[], tuple[Source, ...]]) -> DeskApp:
    """Put together what reviewers need; nothing is read yet.

    Args:
        parts: What somebody chose.
        open_sources: Opens the sources, once: when facts are first read again.

    Raises:
        StoreError: The database cannot be used.
        InputError: A playbook or a limit is wrong.
    """
    use_packaged_zones()
    collect_seldom()
    writer, reader = parts.open_database(parts.database_url, create=parts.create)
    keyring = Keyring(parts.installation_key, random=parts.ids.secret)
    store = Store(writer=writer, reader=reader, ids=parts.ids, keyring=keyring)
    candidates = Candidates(
        playbooks=parts.playbooks,
        limits=parts.limits,
        keyring=keyring,
        budget_left=_budget_left(parts),
    )
    ingest = Ingest(store)
    sources = SourcesWhenNeeded(open_sources)
    recheck = SourceRecheck(
        store=store,
        sources=sources,
        ingest=ingest,
        playbooks=parts.playbooks,
        limits=parts.limits,
    )
    return DeskApp(
        store=store,
        clock=parts.clock,
        sources=sources,
        candidates=candidates,
        ingest=ingest,
        recheck=recheck,
        desk=_desk(parts, store, recheck, candidates),
    )


def _desk(parts: DeskParts, store: Store, recheck: SourceRecheck, candidates: Candidates) -> ReviewDesk:
    def zone_for(conn: Connection, case: Case) -> str:
        return zone_of(conn, case, parts.limits)

    return ReviewDesk(
        store=store,
        recheck=recheck,
        candidates=candidates,
        playbooks=parts.playbooks,
        limits=parts.limits,
        clock=parts.clock,
        zone_of=zone_for,
        rules=parts.rules,
        roster=parts.roster,
        login=parts.login,
        folders=parts.folders,
        from_addresses=parts.from_addresses,
    )


def _budget_left(parts: DeskParts) -> Callable[[Connection, datetime], bool]:
    def left(conn: Connection, now: datetime) -> bool:
        if not parts.needs_budget:
            return True
        known = balance(conn, scope=SCOPE, period=now.date().isoformat())
        return known is None or known.left > 0

    return left
