"""`pytest evals`: every case of every dataset as one test, by its own name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console
from typing_extensions import override

from evals.cases.loading import DATASETS, dataset_files, load_suites
from evals.cases.model import Case, Family
from evals.run_case import Judged
from evals.story_view import told
from evals.trials import Bench, Trial
from evals.world.deciding import Deciding

_SUITES: Final = pytest.StashKey[dict[str, tuple[Case, ...]]]()
_BENCH: Final = pytest.StashKey[Bench]()


class CaseFailedError(Exception):
    """A case that was judged and did not pass."""

    def __init__(self, case: Case, judged: Judged) -> None:
        super().__init__(case.id)
        self.case = case
        self.judged = judged


class DatasetFile(pytest.File):
    """One dataset."""

    @override
    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each case."""
        stash = self.session.stash
        if _SUITES not in stash:
            stash[_SUITES] = load_suites(dataset_files(self.path.parent))
        for case in stash[_SUITES][self.path.stem]:
            item = CaseItem.from_parent(self, name=case.id)  # pyright: ignore[reportUnknownMemberType]  # pytest's own
            item.case = case
            item.add_marker(case.family.value)
            yield item


class CaseItem(pytest.Item):
    """One case."""

    case: Case

    @override
    def runtest(self) -> None:
        """Run the case; a known gap must fail, and is then expected to."""
        stash = self.session.stash
        if _BENCH not in stash:
            stash[_BENCH] = Bench(Deciding().prepared(), 1, cards=False)
        (judged,) = stash[_BENCH].run([Trial(case=self.case, repeat=0)])
        if self.case.known_gap:
            if judged.result.passed:
                pytest.fail(f"passes now: remove `known_gap` ({self.case.known_gap})")
            pytest.xfail(self.case.known_gap)
        if not judged.result.passed:
            raise CaseFailedError(self.case, judged)

    def repr_failure(  # type: ignore[explicit-override, override]  # Python 3.11 has no `override`
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> object:
        """Tell what was expected and what happened, with the decision card."""
        if not isinstance(excinfo.value, CaseFailedError):
            return super().repr_failure(excinfo)
        console = Console(width=110, color_system=None, highlight=False)
        with console.capture() as capture:
            console.print(told(excinfo.value.case, excinfo.value.judged))
        return capture.get()

    @override
    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the case stands."""
        return self.path, 0, self.case.id


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DatasetFile | None:
    """Take the shipped datasets for tests."""
    if file_path.parent == DATASETS and file_path.suffix == ".yaml":
        return DatasetFile.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType]  # its own
    return None


def pytest_configure(config: pytest.Config) -> None:
    """Make families known as marks: `pytest evals -m protected`."""
    for family in Family:
        config.addinivalue_line("markers", f"{family.value}: eval cases of the family")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give the scratch database back."""
    bench = session.stash.get(_BENCH, None)
    if bench is not None:
        bench.close()
