"""Accepting a proposal: the file changes in one step, and the log says who did it, when and why."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from agent.canonical import text_hash
from agent.domain.reviewers import Act
from agent.errors import NotFoundError, RefusedError
from agent.review_desk.opening import Desk
from agent.review_desk.proposals.folders import Folders
from agent.store.proposals import Proposal, ProposalState, decide_proposal, get_proposal
from tools.errors import InputError

_NEW_FILE: Final = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of an accepted proposal."""

    proposal_id: str
    path: Path
    """The file that was changed or written: the target, or the patch."""
    before_hash: str
    after_hash: str
    message: str


def accept_proposal(
    desk: Desk,
    folders: Folders,
    proposal_id: str,
    *,
    reviewer: str,
    words: str = "",
    patch: Path | None = None,
) -> Accepted:
    """Change the file as proposed.

    Args:
        desk: The desk.
        folders: The folders in use.
        proposal_id: An open proposal.
        reviewer: A lead.
        words: Why, for the log.
        patch: Where to write the change as a unified diff instead of changing the file.

    Raises:
        NotFoundError: There is no such proposal.
        RefusedError: It is not open, the file has changed since, or the person may not accept.
        ConflictError: Somebody else was faster.
        InputError: The file cannot be written.
    """
    actor = desk.actor(reviewer, Act.ACCEPT)
    one = _open(desk, proposal_id)
    target = _target(one, folders)
    after_hash = text_hash(one.after)
    if patch is None:
        _refuse_changed(one, target, base=_folder(one, folders) / one.base)
    with (
        _written(patch or target, one.patch if patch else one.after) as replace_file,
        desk.store.write() as tx,
    ):
        decide_proposal(
            tx,
            one,
            to=ProposalState.ACCEPTED,
            words=words,
            at=desk.clock(),
            actor=actor,
            before=one.before_hash,
            after=after_hash,
            how="patch" if patch else "file",
        )
        replace_file()  # the last step before the commit: one that fails takes the record with it
    changed = f"{target} is changed; a running daemon reads it when it starts again"
    where = f"the patch is in {patch}" if patch else changed
    return Accepted(
        proposal_id=one.id,
        path=patch or target,
        before_hash=one.before_hash,
        after_hash=after_hash,
        message=f"Accepted: {where}.",
    )


def dismiss_proposal(desk: Desk, proposal_id: str, *, reviewer: str, words: str) -> None:
    """Put a proposal aside until it has been seen twice as often.

    Raises:
        NotFoundError: There is no such proposal.
        RefusedError: It is not open, or the person may not dismiss it.
        ConflictError: Somebody else was faster.
    """
    actor = desk.actor(reviewer, Act.ACCEPT)
    one = _open(desk, proposal_id)
    with desk.store.write() as tx:
        decide_proposal(tx, one, to=ProposalState.DISMISSED, words=words, at=desk.clock(), actor=actor)


def _open(desk: Desk, proposal_id: str) -> Proposal:
    with desk.store.read() as conn:
        one = get_proposal(conn, proposal_id)
    if one is None:
        raise NotFoundError(f"there is no proposal {proposal_id}")
    if one.state is not ProposalState.OPEN:
        raise RefusedError(f"proposal {proposal_id} is {one.state}; list proposals again")
    return one


def _folder(one: Proposal, folders: Folders) -> Path:
    return {"template": folders.templates, "prompt": folders.prompts, "rule": folders.playbooks}[one.kind]


def _target(one: Proposal, folders: Folders) -> Path:
    folder = _folder(one, folders)
    target = folder / one.target
    if not target.resolve().is_relative_to(folder.resolve()):
        raise RefusedError(f"proposal {one.id} names a file outside {folder}")
    return target


def _refuse_changed(one: Proposal, target: Path, *, base: Path) -> None:
    """Refuse when the file is not what the proposal was made from; what it would become is fine too.

    A process that was killed between the change and its record leaves the latter.
    """
    if _hash(target) == text_hash(one.after):
        return
    if _hash(base) != one.before_hash or (target != base and target.exists()):
        raise RefusedError(f"{base} changed since the proposal was made; list proposals again")


def _hash(path: Path) -> str:
    try:
        return text_hash(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def _written(path: Path, text: str) -> Generator[Callable[[], object]]:
    """Write a text beside a file and yield what puts it in the file's place; nothing stays behind.

    Raises:
        InputError: The folder or the file cannot be written.
    """
    temporary: Path | None = None
    try:
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, os.strerror(13))
        mode = path.stat().st_mode & 0o777 if path.exists() else _NEW_FILE
        descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        yield lambda: Path(name).replace(path)
    except OSError as exc:
        raise InputError(
            f"the file cannot be written: {exc.strerror}",
            path=path,
            remedy="give --patch FILE to get the change as a unified diff, or choose a folder of your own in "
            "the settings",
        ) from exc
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
