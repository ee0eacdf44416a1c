"""Reviewers and a daemon as processes over one database, who all take what they can get."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from agent.bootstrap import App
from agent.domain.queue import QueueItem
from agent.errors import ConflictError, RefusedError
from agent.review_desk.answers import RejectReason
from tests.bench_worlds import plain
from tests.builders import playbook
from tests.providers import FakeProvider
from tests.running import Installation
from tools.records.vocabulary import ChannelKind

REVIEWERS = ("ann", "bob")
DONE = "reviewed"
"""A file of this name tells the daemon that nobody reviews any more."""
_PAGE = 12
"""Short enough that two reviewers meet all the time."""
_ROUND = timedelta(minutes=1)
_MOST_ROUNDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a reviewer was told about one verdict."""

    reviewer: str
    draft: str
    verdict: str
    content_hash: str
    outcome: str
    """`done`, `conflict` or `refused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """One database, its company of `customers`, and a folder for what the members write."""

    url: str
    folder: Path
    customers: int

    def open(self, member: str) -> tuple[Installation, App]:
        """Put the system of one member together; its ids must differ from those of all others."""
        providers = {
            kind: FakeProvider(channel=kind, journal=self.folder / f"sent-{kind}") for kind in ChannelKind
        }
        installation = Installation(database_url=self.url, folder=self.folder, provider=providers)
        installation.started = 100 * (1 + sum(member.encode()))
        for number in range(self.customers):
            installation.source.add(*plain(number))
        late = playbook("shipping_delay", holdout=None, review="required")
        return installation, installation.start(playbooks={"shipping_delay": late})

    def start(self, member: str) -> subprocess.Popen[bytes]:
        """Start one member as a process."""
        command = [sys.executable, "-m", "tests.review_team", member, self.url, str(self.folder)]
        log = (self.folder / f"{member}.log").open("wb")
        with log:
            return subprocess.Popen([*command, str(self.customers)], stdout=log, stderr=log)

    def said(self) -> Iterator[Said]:
        """Return what every reviewer was told."""
        for reviewer in REVIEWERS:
            for line in (self.folder / f"{reviewer}.jsonl").read_text().splitlines():
                yield Said(**json.loads(line))

    def sent(self) -> list[str]:
        """Return the key of every message that customers got."""
        return [key for path in self.folder.glob("sent-*") for key in path.read_text().split()]


def review(team: Team, me: str) -> None:
    """Decide about drafts at random until none waits; write down what the desk answered."""
    installation, app = team.open(me)
    chance = Random(me)
    with (team.folder / f"{me}.jsonl").open("w") as journal:
        while items := app.desk.list_drafts(limit=_PAGE):
            item = chance.choice(items)
            said = _decide(app, item, me, chance)
            journal.write(json.dumps(asdict(said)) + "\n")
    installation.stop_all()


def _decide(app: App, item: QueueItem, me: str, chance: Random) -> Said:
    verdict = chance.choices(("approve", "reject", "escalate", "edit"), weights=(70, 12, 8, 10))[0]
    outcome = "done"
    try:
        match verdict:
            case "approve":
                answer = app.desk.approve(item.draft_id, reviewer=me, shown=item.content_hash)
                outcome = "done" if answer.outcome == "approved" else answer.outcome
            case "reject":
                app.desk.reject(item.draft_id, reviewer=me, reason=RejectReason.NOT_USEFUL)
            case "escalate":
                app.desk.escalate(item.draft_id, reviewer=me, words="please call")
            case _:
                body = f"{item.body.rstrip()}\nThank you for waiting."
                app.desk.edit(
                    item.draft_id, reviewer=me, shown=item.content_hash, subject=item.subject, body=body
                )
    except ConflictError:
        outcome = "conflict"
    except RefusedError:
        outcome = "refused"
    return Said(
        reviewer=me, draft=item.draft_id, verdict=verdict, content_hash=item.content_hash, outcome=outcome
    )


async def serve(team: Team) -> None:
    """Run rounds while people review, then until nothing is left to send."""
    installation, app = team.open("daemon")
    idle = 0
    for _ in range(_MOST_ROUNDS):
        before = len(team.sent())
        await app.daemon.once()
        installation.clock.advance(_ROUND)
        over = (team.folder / DONE).exists()
        idle = idle + 1 if over and len(team.sent()) == before else 0
        if idle > 1:
            break
    installation.stop_all()


def run(team: Team, *, seconds: float) -> None:
    """Let everybody work until nothing waits for a person and everything approved has left.

    Raises:
        AssertionError: A member failed, or it took longer than `seconds`.
    """
    _, app = team.open("setup")
    asyncio.run(app.daemon.once())
    waiting = app.desk.count()
    app.close()
    assert waiting == team.customers, f"{waiting} drafts wait"
    deadline = time.monotonic() + seconds
    daemon = team.start("daemon")
    reviewers = [team.start(reviewer) for reviewer in REVIEWERS]
    try:
        _wait(team, reviewers, deadline)
        (team.folder / DONE).touch()
        _wait(team, [daemon], deadline)
    finally:
        for process in (daemon, *reviewers):
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


def _wait(team: Team, processes: Sequence[subprocess.Popen[bytes]], deadline: float) -> None:
    for process in processes:
        code = process.wait(timeout=max(1.0, deadline - time.monotonic()))
        logs = "\n".join(path.read_text()[-2_000:] for path in team.folder.glob("*.log"))
        assert code == 0, logs


def main() -> None:
    """Be one member of the team."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("member")
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("customers", type=int)
    given = parser.parse_args()
    team = Team(url=given.url, folder=given.folder, customers=given.customers)
    if given.member in REVIEWERS:
        review(team, given.member)
    else:
        asyncio.run(serve(team))


if __name__ == "__main__":
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    main()
