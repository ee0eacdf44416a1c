"""Reads datasets and says what is wrong with them: file, line, field and remedy."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evals.cases.model import Case, Dataset
from evals.cases.overlay import Records, overlays
from evals.cases.world import build_records, change_record
from tools.errors import InputError
from tools.yaml_file import did_you_mean, fit, gathered, read_text
from tools.yaml_source import YamlDocument, read_yaml

DATASETS: Final = Path(__file__).parents[1] / "datasets"
SUFFIX: Final = ".yaml"


@dataclass(frozen=True, slots=True)
class LoadedCase:
    """A case with the file it stands in."""

    case: Case
    document: YamlDocument
    position: int

    def wrong(self, problem: str, *, field: str, remedy: str) -> InputError:
        """Return a mistake at a field of the case."""
        loc = ("cases", self.position, *(field.split(".") if field else ()))
        place = self.document.place(loc)
        return InputError(
            f"case {self.case.id}: {problem}",
            path=self.document.path,
            line=place.line,
            column=place.column,
            field=field or None,
            remedy=remedy,
        )


def load_suite(path: Path) -> tuple[Case, ...]:
    """Read one dataset, and nothing about the twins that stand in other files.

    Raises:
        InputError: The file is wrong; every mistake is named.
    """
    return tuple(one.case for one in _read(path))


def load_suites(paths: Sequence[Path]) -> dict[str, tuple[Case, ...]]:
    """Read datasets that belong together, by the stems of their files; twins are looked up in all of them.

    Raises:
        InputError: A file is wrong, two cases have one id, or a twin is missing or expects the same.
    """
    files = {path.stem: _read(path) for path in paths}
    everything = [one for cases in files.values() for one in cases]
    mistakes = [*_repeated(everything), *_twinless(everything)]
    if mistakes:
        raise gathered(mistakes)
    return {stem: tuple(one.case for one in cases) for stem, cases in files.items()}


def dataset_files(folder: Path = DATASETS) -> tuple[Path, ...]:
    """Return the datasets of a folder in the order of their names.

    Raises:
        InputError: There is no such folder, or no dataset in it.
    """
    found = tuple(sorted(folder.glob(f"*{SUFFIX}")))
    if not found:
        raise InputError("there is no dataset here", path=folder, remedy="give a folder of *.yaml files")
    return found


def check_worlds(cases: Iterable[Case]) -> None:
    """Build the records of cases that were made, not read.

    Raises:
        InputError: A case's values make no record.
    """
    for case in cases:
        try:
            _build_world(case)
        except InputError as exc:
            raise InputError(f"case {case.id}: {exc.problem}", field=exc.field, remedy=exc.remedy) from exc


def _read(path: Path) -> list[LoadedCase]:
    document = read_yaml(read_text(path), path=path)
    dataset = fit(document, Dataset)
    loaded = [
        LoadedCase(_completed(case, dataset), document, position)
        for position, case in enumerate(dataset.cases)
    ]
    mistakes = [mistake for one in loaded for mistake in _wrong_worlds(one)]
    if mistakes:
        raise gathered(mistakes)
    return loaded


def _completed(case: Case, dataset: Dataset) -> Case:
    update: dict[str, object] = {
        "scenario": case.scenario or dataset.scenario,
        "now": case.now or dataset.now,
    }
    if dataset.usual and not case.scenario:
        named = case.world.written()
        update["records"] = Records.model_validate_json(
            json.dumps({name: {} for name in dataset.usual} | named)
        )
    return case.model_copy(update=update)


def _wrong_worlds(one: LoadedCase) -> list[InputError]:
    if not one.case.scenario:
        return [one.wrong("no scenario", field="scenario", remedy="name it here or at the top of the file")]
    try:
        _build_world(one.case)
    except InputError as exc:
        field = f"records.{exc.field}" if exc.field else "records"
        return [one.wrong(exc.problem, field=field, remedy=exc.remedy or "correct it")]
    return []


def _build_world(case: Case) -> None:
    records = build_records(case.world, case.scenario, case.frame)
    for event in case.events:
        for record_type, changes in overlays(event.change).items() if event.change else ():
            for values in changes:
                key = target_of(record_type, values, records)
                records[key] = change_record(record_type, records.get(key), values, case.frame)


def target_of(
    record_type: str, values: Mapping[str, Any], records: Mapping[tuple[str, str], object]
) -> tuple[str, str]:
    """Return which record a change is about: the one it names, or the first of its type."""
    if "id" in values:
        return record_type, str(values["id"])
    known = [key for key in records if key[0] == record_type]
    return known[0] if known else (record_type, f"{record_type}-1")


def _repeated(cases: Sequence[LoadedCase]) -> list[InputError]:
    seen: dict[str, LoadedCase] = {}
    mistakes: list[InputError] = []
    for one in cases:
        first = seen.setdefault(one.case.id, one)
        if first is not one:
            where = f"{first.document.path.name}, case {first.position + 1}"
            mistakes.append(one.wrong(f"the id is also in {where}", field="id", remedy="give it another id"))
    return mistakes


def _twinless(cases: Sequence[LoadedCase]) -> list[InputError]:
    by_id = {one.case.id: one.case for one in cases}
    mistakes: list[InputError] = []
    for one in cases:
        twin = by_id.get(one.case.twin)
        if twin is None:
            remedy = (
                did_you_mean(one.case.twin, list(by_id)) or "name the case whose right answer is the other"
            )
            mistakes.append(one.wrong(f"no case {one.case.twin}", field="twin", remedy=remedy))
        elif twin.expect.contact == one.case.expect.contact:
            answer = "a contact" if twin.expect.contact else "no contact"
            mistakes.append(
                one.wrong(f"its twin expects {answer} too", field="twin", remedy="take one that flips")
            )
    return mistakes
