"""`outrider eval`: how well decisions are made, and whether a change makes them worse."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent.cli.opening import Config, opened
from agent.cli.output import Json, console, narrate, print_json
from tools.errors import InputError

if TYPE_CHECKING:
    from evals.report.outputs import Outputs
    from evals.session import Progress, Session

app = typer.Typer(
    help="Score decisions on cases whose right answer is known, and compare them before something changes.",
    invoke_without_command=True,
    no_args_is_help=False,
)
_DATASETS = Path(__file__).with_name("datasets")
_NEEDED = ("numpy", "pydantic_evals", "matplotlib")
_GATES = Path(__file__).with_name("gate.yaml")

ModelChoice = Literal["rules", "recorded", "live"]
Datasets = Annotated[Path, typer.Option(metavar="DIR", help="Folder of the datasets.")]


def add_to(parent: typer.Typer) -> None:
    """Add this module's commands."""
    parent.add_typer(app, name="eval")


@app.callback()
def evaluate(
    context: typer.Context,
    *,
    suite: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Suites, see --list; all hand-made datasets without it; `all`."),
    ] = None,
    scenario: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these scenarios.")] = None,
    family: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only these families, by name or number.")
    ] = None,
    case: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only these cases.")] = None,
    model: Annotated[
        ModelChoice, typer.Option(help="Who is asked: no model, recorded replies, or that of the settings.")
    ] = "rules",
    repeat: Annotated[
        int | None,
        typer.Option(
            min=1, max=100, help="How often each case is run; 4 times with a live model, else once."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of generated cases and of ids.")] = 1,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes; as many as there are processors without it.")
    ] = None,
    policies: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Other playbooks, and limits if the folder has a limits.yaml."),
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Other prompts for a model, laid out as the shipped.")
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Which recorded replies; the shipped set without it.")
    ] = None,
    unrecorded: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the questions without a recording here, to be answered."),
    ] = None,
    config: Config = None,
    spend_cap: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="USD", help="Most a live run may cost; no call is begun that could pass it."
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep each finished trial of a live run here, and go on from what it holds."
        ),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a live model's replies here, to be replayed.")
    ] = None,
    gate: Annotated[Path, typer.Option(metavar="FILE", help="What fails the run.")] = _GATES,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="SIDE",
            help="Compare with `baseline`, a file of --out, policy=DIR, model=NAME[@URL], prompt=NAME:FILE, "
            "or a commit; worse fails the run.",
        ),
    ] = None,
    save_baseline: Annotated[
        bool,
        typer.Option("--save-baseline", help="Keep the results as what `--against baseline` compares with."),
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Store the results here.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report page.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML.")] = None,
    datasets: Datasets = _DATASETS,
    show: Annotated[bool, typer.Option("--list", help="List suites and leave.")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show each failed case: expected, done, decision card.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run cases against the real system and judge the decisions.

    Each case is a small world with an answer that is known to be right. It gets a system of its own: real
    playbooks, gates, desk and dispatcher, a simulated clock, and providers that send nothing.

    Without --model the offline rules model answers. `--model recorded` replays replies: a question that was
    never recorded makes its case count apart, and is listed. `--model live` asks the model of the settings,
    within --spend-cap, and goes on with --resume where it was stopped.

    Exit codes: 0 every gate holds, 1 a gate is broken, a known gap has closed, or not every trial has a
    result, 2 bad input.
    """
    if context.invoked_subcommand is not None:
        return
    from evals.models.choosing import wish_of
    from evals.redteam.texts import OLIST
    from evals.session import Session
    from evals.suites import HAND_MADE, Wanted
    from evals.world.deciding import Deciding

    if OLIST in (suite or ()):
        given: dict[str, object] = {"--scenario": scenario, "--family": family, "--case": case}
        given |= {
            "--against": against,
            "--out": out,
            "--junit": junit,
            "--resume": resume,
            "--record": record,
            "--model": model != "rules",
            "--save-baseline": save_baseline,
        }
        raise typer.Exit(_score_orders(suite or [], given, policies, gate, as_json=as_json, html=html))
    wish = wish_of(
        model,
        prompts=prompts,
        recordings=recordings,
        config=config,
        run_file=resume,
        spend_cap=spend_cap,
        record=record,
        unrecorded=unrecorded,
    )
    session = Session(
        wanted=Wanted(
            suites=tuple(suite or (HAND_MADE,)),
            scenarios=tuple(scenario or ()),
            families=tuple(family or ()),
            cases=tuple(case or ()),
            seed=seed,
            datasets=datasets,
        ),
        deciding=Deciding.from_folder(policies),
        repeats=repeat or wish.usual_repeats,
        jobs=jobs,
        cards=verbose or html is not None,
        run_file=wish.run_file,
        record=record,
    )
    if show:
        _list(session, as_json=as_json)
        return
    _check_installed()
    from agent.clock import system_clock
    from agent.log import configure_logs
    from evals.report.outputs import Outputs

    configure_logs(clock=system_clock, level="error")  # what goes wrong is in the results

    if save_baseline and (scenario or family or case or model != "rules"):
        raise InputError(
            "a baseline has whole suites, decided by the rules model",
            field="--save-baseline",
            remedy="leave out --model and what narrows the cases",
        )
    session = session.asking(wish, env=os.environ)
    if wish.run_file is not None and resume is None:
        narrate(f"Trials are kept in {wish.run_file}; with --resume {wish.run_file} they are not run again.")
    _run(
        session,
        gate,
        against,
        Outputs(
            as_json=as_json,
            out=out,
            html=html,
            junit=junit,
            unrecorded=unrecorded,
            baseline=save_baseline,
        ),
        verbose=verbose,
    )


def _score_orders(
    suites: list[str],
    given: dict[str, object],
    policies: Path | None,
    gate: Path,
    *,
    as_json: bool,
    html: Path | None,
) -> int:
    _check_installed()
    from evals.gate import load_gates
    from evals.olist.asked import Asked, refuse_others, score_asked
    from evals.world.deciding import Deciding

    refuse_others(suites, given)
    playbook = Deciding.from_folder(policies).shipped["shipping_delay"].path
    return score_asked(Asked(gates=load_gates(gate), playbook=playbook, as_json=as_json, html=html))


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(
            f"judging needs {' and '.join(missing)}",
            field="outrider eval",
            remedy="install the extra: pip install 'outrider[evals]'",
        )


def _run(session: "Session", gate: Path, against: str | None, outputs: "Outputs", *, verbose: bool) -> None:
    from evals.compare.verdict import compare
    from evals.gaps import gap_view
    from evals.gate import load_gates
    from evals.report.judged import judged
    from evals.report.outputs import conclude, nothing_counts, write_unrecorded
    from evals.story_view import failed_view

    gates = load_gates(gate)
    with _progress("Trying") as progress:
        done = session.run(progress)
    for why in done.skipped:
        narrate(f"Skipped {why}.")
    write_unrecorded(done.unrecorded, outputs)
    if not done.run.results:
        raise typer.Exit(nothing_counts(done.run, outputs))
    comparison = None
    if against is not None:
        with _progress("Trying the other side") as progress:
            comparison = compare(done.run, session.other_side(against, progress), k=gates.k)
    code = conclude(judged(done.run, gates, comparison), outputs)
    if not outputs.as_json:
        if verbose:
            console().print(failed_view(done))
        console().print(gap_view(done))
    if code or done.closed_gaps:
        raise typer.Exit(1)


def _list(session: "Session", *, as_json: bool) -> None:
    from evals.redteam.texts import OLIST, missing_sets
    from evals.story_view import suites_view

    rows = session.count()
    if as_json:
        print_json(
            [
                {"suite": name, "cases": cases, "no_contact": silent, "skipped": why}
                for name, cases, silent, why in [*rows, (OLIST, 0, 0, missing_sets((OLIST,)))]
            ]
        )
        return
    console().print(suites_view([*rows, (OLIST, 0, 0, missing_sets((OLIST,)) or "real orders, by itself")]))


@app.command()
def add(
    ref: Annotated[str, typer.Argument(metavar="DECISION", help="A decision, case, draft or delivery.")],
    *,
    to: Annotated[
        Path, typer.Option(metavar="FILE", help="Dataset to append to; its neighbours stay right.")
    ] = _DATASETS / "regression.yaml",
    family: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which trap it sets; told by the decision's reason without it."),
    ] = None,
    twin: Annotated[
        str | None, typer.Option(metavar="ID", help="The clean twin; one is looked for without it.")
    ] = None,
    expect: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="The right decision, where the one that was made is wrong."),
    ] = None,
    keep_texts: Annotated[
        bool, typer.Option("--keep-texts", help="Keep texts by strangers: they are what went wrong.")
    ] = False,
    show: Annotated[bool, typer.Option("--print", help="Print the case and add nothing.")] = False,
    config: Config = None,
) -> None:
    """Make a case of an audited decision, so that what went wrong once is tried for ever.

    Records are taken as they were when it was decided. What identifies people is replaced, the same one by
    the same each time: names, addresses, numbers, ids and free texts. Read the case before you commit it.
    """
    from evals.regression.append import append_case
    from evals.regression.capture import Wishes, capture_case

    wishes = Wishes(family=family, twin=twin, expect=expect, keep_texts=keep_texts)
    with opened(config) as running:
        captured = capture_case(running, ref, wishes, to.parent if to.parent.is_dir() else _DATASETS)
    if show:
        typer.echo(captured.yaml, nl=False)
        return
    append_case(captured, to)
    narrate(f"Added {captured.case_id} to {to}. Read it before you commit it.")


@app.command()
def judge(
    results: Annotated[Path, typer.Argument(metavar="FILE", help="Results that --out stored.")],
    *,
    spend_cap: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="Most that judging these results may cost in all."),
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Let the model of the settings read the texts of a run: tone, empathy, clarity, the six questions.

    A diagnosis by which nothing is decided: no gate looks at it. What a text was judged to be is kept in
    FILE's name with `.judge.db`, so the same text is paid for once.

    Exit codes: 0 every text was judged, 1 some were not, 2 bad input.
    """
    import asyncio

    from evals.judges.judging import judge_texts
    from evals.judges.report import diagnostics_form, diagnostics_view
    from evals.models.choosing import live_judge
    from evals.results import read_run

    _check_installed()
    asking = live_judge(config, results.with_suffix(".judge.jsonl"), spend_cap, env=os.environ)
    run, ledger = read_run(results), results.with_suffix(".judge.db")
    with _progress("Judging") as progress:
        found = asyncio.run(
            judge_texts(run, asking, ledger, progress=lambda done, all_: progress(done, all_, ""))
        )
    if as_json:
        print_json(diagnostics_form(found))
    else:
        console().print(diagnostics_view(found))
    if found.problems:
        raise typer.Exit(1)


@contextmanager
def _progress(what: str) -> Generator["Progress"]:
    from evals.story_view import progress_bar

    with progress_bar(what) as show:
        yield show
