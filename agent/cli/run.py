"""`outrider run` and the kill switch."""

import asyncio
import getpass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.opening import Config, loaded_settings, opened
from agent.cli.output import Json, console, narrate, print_json
from tools.errors import InputError

if TYPE_CHECKING:
    from agent.bootstrap import App
    from agent.daemon.loop import Tick
    from agent.daemon.rounds import Round
    from agent.settings import Loaded
    from agent.store.kill_switch import KillScope

_SIMULATED_STEP = timedelta(minutes=15)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(run)
    app.command()(stop)
    app.command()(resume)


def run(
    once: Annotated[
        bool, typer.Option("--once", help="One round, then everything it makes due, then end.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="With --once: leave what can still be undone for a later run.")
    ] = False,
    shadow: Annotated[bool, typer.Option("--shadow", help="Decide and record, send nothing.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Run the loop: read, decide, draft, send what is approved. SIGTERM ends it with nothing half-done."""
    from agent.clock import system_clock
    from agent.heap import settle_heap
    from agent.log import configure_logs

    loaded = loaded_settings(config)
    configure_logs(clock=system_clock, level="warning" if once else loaded.settings.log_level)
    with opened(config, shadow=shadow or None, create=True) as running:
        if once:
            _once(running, loaded, wait=not no_wait, as_json=as_json)
            return
        if not running.sources:
            raise InputError(
                "no connector is configured",
                path=loaded.path,
                field="connectors",
                remedy="`outrider init` writes a first one",
            )
        settle_heap()
        running.run(running.daemon.serve(tick=_simulated_tick(running, loaded)))


def _once(running: "App", loaded: "Loaded", *, wait: bool, as_json: bool) -> None:
    from agent.store.overview import sent_messages

    with running.store.read() as conn:
        before = len(sent_messages(conn))
    done = running.run(_rounds(running, loaded, wait=wait))
    with running.store.read() as conn:
        sent = sent_messages(conn)[before:]
    waiting, (leaving, until) = running.desk.count(), _leaving_soon(running)
    if as_json:
        print_json({"round": done, "sent": sent, "waiting": waiting, "leaving": leaving})
    else:
        console().print(
            f"read {done.read}, signals {done.opened}, resolved {done.resolved}, screened {done.screened}, "
            f"sent {len(sent)}, waiting for review {waiting}"
        )
    if until is not None:
        narrate(f"{leaving} approved messages can still be undone and leave by {until:%H:%M:%S} UTC")
    if done.rejected:
        narrate(f"{done.rejected} rows were put aside: `outrider doctor` says why")
    for failure in done.failures:
        narrate(f"source failed: {failure}")
    if done.failures:
        raise typer.Exit(1)


async def _rounds(running: "App", loaded: "Loaded", *, wait: bool) -> "Round":
    """Run one round, and another when what was approved just now may leave; a simulated clock moves on."""
    from agent.clock import SimulatedClock
    from agent.demo import move_on

    done = await running.daemon.once()
    number, until = _leaving_soon(running)
    if not wait or until is None:
        return done
    left = until - running.clock()
    if isinstance(running.clock, SimulatedClock) and loaded.settings.simulation is not None:
        move_on(running, loaded, running.clock, left)
    else:
        narrate(f"waiting {left.total_seconds():.0f} s: {number} approved messages can still be undone")
        await asyncio.sleep(left.total_seconds())
    done.add(await running.daemon.once())
    return done


def _leaving_soon(running: "App") -> "tuple[int, datetime | None]":
    """Return how many approved messages only wait for the time to undo them, and when the last one leaves."""
    from agent.store.overview import leaving

    now = running.clock()
    with running.store.read() as conn:
        return leaving(conn, after=now, by=now + running.desk.rules.undo)


def _simulated_tick(running: "App", loaded: "Loaded") -> "Tick | None":
    """Return what moves a simulated company on by a quarter of an hour each round; None for a real one."""
    from agent.clock import SimulatedClock
    from agent.demo import move_on

    clock = running.clock
    if loaded.settings.simulation is None or not isinstance(clock, SimulatedClock):
        return None

    def tick() -> datetime:
        return move_on(running, loaded, clock, _SIMULATED_STEP)

    return tick


def stop(
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.", prompt=True)],
    scenario: Annotated[str | None, typer.Option(help="Only this scenario.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel: email, sms or push.")] = None,
    config: Config = None,
) -> None:
    """Stop sending at once: everything, one scenario or one channel."""
    from agent.store.kill_switch import set_kill_switch

    scope, key = _scope(scenario, channel)
    with opened(config) as running, running.store.write() as tx:
        set_kill_switch(
            tx, scope=scope, key=key, reason=reason, operator=getpass.getuser(), at=running.clock()
        )
    narrate(f"Stopped {key or 'everything'}. Nothing new is sent until `outrider resume`.")


def resume(
    scenario: Annotated[str | None, typer.Option(help="Only this scenario.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel: email, sms or push.")] = None,
    config: Config = None,
) -> None:
    """Lift a stop again."""
    from agent.store.kill_switch import lift_kill_switch

    scope, key = _scope(scenario, channel)
    with opened(config) as running, running.store.write() as tx:
        lifted = lift_kill_switch(tx, scope=scope, key=key, operator=getpass.getuser(), at=running.clock())
    narrate(f"Lifted {lifted} stop(s).")


def _scope(scenario: str | None, channel: str | None) -> "tuple[KillScope, str]":
    from agent.store.kill_switch import KillScope
    from tools.records.vocabulary import ChannelKind

    if scenario and channel:
        raise InputError("give a scenario or a channel, not both", field="--scenario", remedy="run it twice")
    if channel and channel not in {kind.value for kind in ChannelKind}:
        raise InputError(
            f"no channel is called {channel!r}", field="--channel", remedy="use email, sms or push"
        )
    if scenario:
        return KillScope.SCENARIO, scenario
    return (KillScope.CHANNEL, channel) if channel else (KillScope.GLOBAL, "")
