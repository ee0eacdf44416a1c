"""Where reports go: files on request, one of them on stdout."""

import sys
from dataclasses import dataclass
from pathlib import Path

from agent.cli.output import console, narrate, print_json
from evals.report.form import report_form
from evals.report.judged import Judged
from evals.report.junit import junit_xml
from evals.report.terminal import report_view
from evals.results import write_run
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


def conclude(judged: Judged, wanted: Outputs) -> int:
    """Print the report, write the files, and return the exit code: 1 when a gate is broken, else 0.

    Raises:
        InputError: A file cannot be written; nothing has been printed yet.
    """
    if wanted.out:
        write_run(judged.run, wanted.out)
        narrate(f"Results are in {wanted.out}.")
    if wanted.junit:
        _write(wanted.junit, junit_xml(judged))
    if wanted.html:
        from evals.report.web_page import html_page  # noqa: PLC0415  # matplotlib, only for the page

        _write(wanted.html, html_page(judged))
    if wanted.as_json:
        print_json(report_form(judged))
    else:
        console().print(report_view(judged))
    sys.stdout.flush()
    return 0 if judged.ok else 1


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise InputError(
            f"the report cannot be written: {exc.strerror}", path=path, remedy="check its folder"
        ) from exc
    narrate(f"A report is in {path}.")
