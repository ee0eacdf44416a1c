"""The file of a live run survives a kill at any byte, and is never taken for another run's."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.models.run_file import Finished, RunFile
from evals.results import Transcript
from tests.unit.evals_stats.runs import result
from tools.errors import InputError

RUN = {"model": "tiny", "cases": "d" * 64}


def finished(number: int) -> Finished:
    return Finished(result=result(f"case {number}"), transcript=Transcript(situation="A parcel is late."))


def names(file: RunFile) -> list[str]:
    return [one.result.case for one in file.finished]


def test_what_was_kept_is_there_when_the_run_is_gone_on_with(tmp_path: Path) -> None:
    first = RunFile(tmp_path / "run.jsonl", RUN)
    first.keep(finished(1))
    first.keep(finished(2))

    again = RunFile(tmp_path / "run.jsonl", RUN)

    assert names(first) == []
    assert again.finished == [finished(1), finished(2)]


@given(cut=st.integers(min_value=0, max_value=10_000))
def test_a_kill_in_the_middle_of_a_line_costs_that_line_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("run") / "run.jsonl"
    file = RunFile(path, RUN)
    file.keep(finished(1))
    whole = path.stat().st_size
    file.keep(finished(2))
    text = path.read_bytes()
    path.write_bytes(text[: whole + cut % (len(text) - whole)])

    again = RunFile(path, RUN)
    again.keep(finished(3))

    assert names(again) == ["case 1"]
    assert names(RunFile(path, RUN)) == ["case 1", "case 3"]


def test_the_file_of_another_run_is_refused_with_what_differs(tmp_path: Path) -> None:
    RunFile(tmp_path / "run.jsonl", RUN)

    with pytest.raises(InputError, match="another run: model differ"):
        RunFile(tmp_path / "run.jsonl", RUN | {"model": "large"})


@pytest.mark.parametrize("text", ["no json\n", "[]\n", '{"suites": []}\n'])
def test_a_file_that_is_no_run_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(text, "utf-8")

    with pytest.raises(InputError, match="run file"):
        RunFile(path, RUN)

    assert path.read_text("utf-8") == text


def test_a_spoilt_trial_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    RunFile(path, RUN).keep(finished(1))
    path.write_text(path.read_text("utf-8").replace('"decided": "contact"', '"decided": "perhaps"'), "utf-8")

    with pytest.raises(InputError) as caught:
        RunFile(path, RUN)

    assert (caught.value.line, caught.value.field) == (2, "result.decided")
