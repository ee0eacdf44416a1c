"""Adds a captured case to a dataset, and takes it back when the dataset is not right with it."""

from pathlib import Path

from evals.cases.loading import dataset_files, load_suites
from evals.regression.capture import Captured
from tools.errors import InputError
from tools.yaml_file import read_text

_HEAD = "# Cases taken from audited decisions by `outrider eval add`.\ncases:\n"


def append_case(captured: Captured, target: Path) -> None:
    """Append a case to a dataset, which is begun if it does not exist; all datasets beside it stay right.

    Raises:
        InputError: The file is no dataset, has the case already, or cannot be written.
    """
    before = read_text(target) if target.exists() else None
    text = (before or _HEAD).rstrip("\n") + "\n" + captured.yaml
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    except OSError as exc:
        raise InputError(
            f"the dataset cannot be written: {exc.strerror}",
            path=target,
            field="--to",
            remedy="check its folder",
        ) from exc
    try:
        load_suites([*dict.fromkeys((*dataset_files(target.parent), target))])
    except InputError:
        if before is None:
            target.unlink()
        else:
            target.write_text(before, "utf-8")
        raise
