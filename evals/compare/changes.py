"""What decides on the other side of a comparison: the same with one thing changed."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from evals.compare.sides import Change
from evals.models.asking import Asking
from evals.models.choosing import with_model, with_prompts
from evals.models.live import LiveAsking
from evals.models.recorded import RecordedAsking
from evals.world.deciding import Deciding
from prompts.folders import LIBRARY_FOLDER
from prompts.front_matter import read_document
from prompts.store import PromptHead
from tools.errors import InputError


@contextmanager
def changed(deciding: Deciding, change: Change) -> Generator[Deciding]:
    """Yield what decides with the change.

    Raises:
        InputError: What the change names is not there, or cannot be changed in this run.
    """
    if change.policies is not None:
        yield replace(Deciding.from_folder(change.policies), asking=deciding.asking)
    elif change.model:
        yield deciding.asked_by(with_model(deciding.asking, change.model))
    else:
        with tempfile.TemporaryDirectory(prefix="outrider-prompts-") as folder:
            prompts = _prompts(change.prompt, _folder_of(deciding.asking), Path(folder))
            yield deciding.asked_by(with_prompts(deciding.asking, prompts))


def _folder_of(asking: Asking | None) -> Path:
    return asking.prompt_folder if isinstance(asking, RecordedAsking | LiveAsking) else LIBRARY_FOLDER


def _prompts(value: str, present: Path, scratch: Path) -> Path:
    """Return a folder of prompts: the named one, or the present ones with one file in place of a prompt."""
    if Path(value).is_dir():
        return Path(value)
    name, colon, file = value.partition(":")
    if not colon or not (present / name).is_dir():
        raise InputError(
            f"{value!r} names no prompt and no folder of prompts",
            field="--against",
            remedy="write prompt=NAME:FILE, for example prompt=compose:my/v2.md, or prompt=FOLDER",
        )
    head = read_document(Path(file), PromptHead).head
    shutil.copytree(present, scratch, dirs_exist_ok=True)
    shutil.rmtree(scratch / name)
    (scratch / name).mkdir()
    shutil.copyfile(file, scratch / name / f"v{head.version}.md")
    return scratch
