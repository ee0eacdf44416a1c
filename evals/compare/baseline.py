"""Baselines: stored runs of whole suites, a line per result, so that a review sees which decision changed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from agent.canonical import canonical
from evals.results import Result, Run, read_run
from tools.errors import InputError

BASELINES: Final = Path(__file__).parents[1] / "baselines"
"""The stored runs of the shipped suites."""
NAME: Final = "baseline"
"""What `--against` and reports call it."""


def baseline_path(suites: Sequence[str], folder: Path = BASELINES) -> Path:
    """Return where the stored run of these suites lies, whatever order they are named in."""
    return folder / f"{'+'.join(sorted(suites))}.json"


def read_baseline(suites: Sequence[str], folder: Path = BASELINES) -> Run:
    """Read the stored run of these suites.

    Raises:
        InputError: There is none.
    """
    path = baseline_path(suites, folder)
    if not path.is_file():
        raise InputError(
            f"there is no baseline of {', '.join(sorted(suites))}",
            path=path,
            remedy="store one with --save-baseline, or give --against FILE",
        )
    return read_run(path)


def write_baseline(run: Run, folder: Path = BASELINES) -> Path:
    """Store a run as the baseline of its suites and return the file; one that stands there is replaced.

    Stories and times are left out: stories are long, and times of another machine compare with nothing.

    Raises:
        InputError: The file cannot be written.
    """
    path = baseline_path(run.suites, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(baseline_text(run), "utf-8")
    except OSError as exc:
        raise InputError(
            f"the baseline cannot be written: {exc.strerror}", path=path, remedy="check its folder"
        ) from exc
    return path


def baseline_text(run: Run) -> str:
    """Return a run as JSON with a line per field and per result, without what is as usual."""
    bare = run.model_copy(
        update={"name": NAME, "transcripts": {}, "results": tuple(map(_without_story_and_times, run.results))}
    )
    return "{\n" + ",\n".join(_fields(bare)) + "\n}\n"


def _fields(run: Run) -> Iterator[str]:
    yield f'"version": {run.version}'
    head = run.model_dump(mode="json", exclude_defaults=True, exclude={"results", "version"})
    for name in sorted(head):
        yield f'"{name}": {canonical(head[name])}'
    lines = [canonical(one.model_dump(mode="json", exclude_defaults=True)) for one in run.results]
    yield '"results": [\n' + ",\n".join(lines) + "\n]"


def _without_story_and_times(result: Result) -> Result:
    return result.model_copy(update={"transcript": "", "milliseconds": 0, "model_milliseconds": 0})
