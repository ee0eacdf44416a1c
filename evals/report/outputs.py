"""Where reports go: files on request, one of them on stdout."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.cli.output import console, narrate, print_json
from evals.compare.baseline import write_baseline
from evals.models.recordings import Recording, recording_line
from evals.report.complete import incomplete
from evals.report.form import missing_form, report_form
from evals.report.judged import Judged
from evals.report.junit import junit_xml
from evals.report.terminal import report_view
from evals.results import Run, write_run
from tools.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What is wanted of a run; a file that is None is not written."""

    as_json: bool = False
    """Print JSON instead of the terminal report."""
    out: Path | None = None
    """The results themselves, to compare with later."""
    html: Path | None = None
    junit: Path | None = None
    baseline: bool = False
    """Store the run as what later runs of the same suites are compared with."""
    unrecorded: Path | None = None
    """Questions without a recording, to be answered by hand."""


def conclude(judged: Judged, wanted: Outputs) -> int:
    """Print the report, write the files, and return the exit code: 1 when a gate is broken, else 0.

    Raises:
        InputError: A file cannot be written; nothing has been printed yet.
    """
    if wanted.out:
        write_run(judged.run, wanted.out)
        narrate(f"Results are in {wanted.out}.")
    if wanted.junit:
        write_text(wanted.junit, junit_xml(judged))
    if wanted.html:
        from evals.report.web_page import html_page  # noqa: PLC0415  # matplotlib, only for the page

        write_text(wanted.html, html_page(judged))
    if wanted.as_json:
        print_json(report_form(judged))
    else:
        console().print(report_view(judged))
    sys.stdout.flush()
    if wanted.baseline:
        _save_baseline(judged)
    return 0 if judged.ok else 1


def _save_baseline(judged: Judged) -> None:
    if judged.ok:
        narrate(f"The baseline is in {write_baseline(judged.run)}; read what changed before you commit it.")
    else:
        narrate("No baseline was stored: a gate is broken.")


def nothing_counts(run: Run, wanted: Outputs) -> int:
    """Say why a run has no result at all and return the exit code; a skipped suite is no failure."""
    missing = incomplete(run)
    for sentence in missing:
        narrate(sentence)
    if wanted.as_json:
        print_json({"ok": not missing, "verdict": " ".join(missing), **missing_form(run)})
    return 1 if missing else 0


def write_unrecorded(questions: Sequence[Recording], wanted: Outputs) -> None:
    """Write the questions that no recording answers, as lines of a set of recordings without replies."""
    if wanted.unrecorded is not None:
        write_text(
            wanted.unrecorded,
            "".join(map(recording_line, questions)),
            "Questions without a recording are",
        )


def write_text(path: Path, text: str, what: str = "A report is") -> None:
    """Write a file that somebody asked for, and say so.

    Raises:
        InputError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise InputError(
            f"the report cannot be written: {exc.strerror}", path=path, remedy="check its folder"
        ) from exc
    narrate(f"{what} in {path}.")
