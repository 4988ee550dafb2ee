"""`orderfeeds simulate`: a simulated venue to write a strategy against, without an account."""

import asyncio
import os
import shlex
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from nautilus_orderfeeds.cli.completion import complete_venue
from nautilus_orderfeeds.cli.console import EXIT_CODES, CliError, busy, out
from nautilus_orderfeeds.venues import registry

if TYPE_CHECKING:
    from nautilus_orderfeeds.sim.simulation import Simulation

_REFRESH_SECS: Final = 0.5
#: Where there is no terminal, a line at most this often, and only if something has changed.
_LINE_SECS: Final = 5.0


@click.command(epilog=EXIT_CODES)
@click.argument("venue", shell_complete=complete_venue)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; 0 (default) takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of market, faults and credentials.")
@click.option("--flow/--no-flow", default=True, help="Whether the market moves by itself (default), or stands still.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON with URLs and credentials, then serve.")
def command(venue: str, port: int, host: str, seed: int, flow: bool, as_json: bool) -> None:
    """Run a simulated VENUE until Ctrl-C.

    It serves the venue's documented REST and WebSocket protocol on one port, checks signatures, matches orders and
    keeps the books. Its credentials are made up from the seed and open nothing else.
    """
    with busy("loading the framework", quiet=as_json):
        try:
            entry = registry.load(venue)
        except registry.VenueUnavailable as e:
            raise CliError(str(e)) from None
    try:
        asyncio.run(_serve(entry, port, host, seed, flow, as_json))
    except OSError as e:
        cause = os.strerror(e.errno) if e.errno else str(e)
        raise CliError(f"cannot listen on {host}:{port}: {cause} (choose another --port or --host)") from None


async def _serve(entry: registry.VenueEntry, port: int, host: str, seed: int, flow: bool, as_json: bool) -> None:
    from nautilus_orderfeeds.sim.simulation import simulate

    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    try:
        simulation = simulate(entry.name, seed=seed, port=port, host=host, market_flow=flow)
    except ModuleNotFoundError as e:
        raise CliError(f"venue {entry.name} has no simulation: {e}") from None
    async with simulation as sim:
        if as_json:
            click.echo(_json_line(sim))
            await over.wait()
            return
        console = out()
        console.print(f"[bold]Simulated {entry.client_name}[/bold], seed {seed}. Ctrl-C ends it.")
        console.print(f"REST {sim.base_url_http}, stream {sim.base_url_ws}\n", soft_wrap=True)
        # Unwrapped, so that it can be copied.
        click.echo(_to_paste(entry, sim))
        await _watch(console, sim, over)


def _json_line(sim: "Simulation") -> str:
    import msgspec

    line = {
        "venue": sim.venue,
        "seed": sim.seed,
        "base_url_http": sim.base_url_http,
        "base_url_ws": sim.base_url_ws,
        "credentials": sim.credentials(),
    }
    return msgspec.json.encode(line, enc_hook=str).decode()


def _to_paste(entry: registry.VenueEntry, sim: "Simulation") -> str:
    """Return shell lines for `orderfeeds check`, and the configs for a node."""
    from nautilus_orderfeeds.adapter.credentials import env_name

    secrets = [
        f"export {env_name(entry.client_name, name, 'live')}={shlex.quote(value)}"
        for name, value in sim.credentials().items()
        if isinstance(value, str)
    ]
    urls = f"--base-url-http {sim.base_url_http} --base-url-ws {sim.base_url_ws}"
    configs = [
        ("exec_config", entry.exec_config, sim.exec_config()),
        ("data_config", entry.data_config, sim.data_config()),
    ]
    names = ", ".join(sorted(kind.__name__ for _, kind, _ in configs))
    lines = ["# shell", *secrets, f"orderfeeds check {entry.name} {urls}", ""]
    lines += ["# Python", "# (with the name of a file as journal, `orderfeeds timeline` shows the orders)"]
    lines.append(f"from {entry.module.__name__} import {names}")
    lines.extend(f"\n{name} = {_source(config)}" for name, _, config in configs)
    return "\n".join(lines) + "\n"


def _source(config: Any) -> str:
    """Return the Python text of a config: its fields that are not the defaults. (Its repr hides the secrets.)"""
    plain = type(config)
    defaults = dict(zip(reversed(plain.__struct_fields__), reversed(plain.__struct_defaults__), strict=False))
    set_fields = [
        f"    {name}={value!r},"
        for name in plain.__struct_fields__
        if (value := getattr(config, name)) != defaults.get(name)
    ]
    return "\n".join([f"{plain.__name__}(", *set_fields, ")"])


# -- status ------------------------------------------------------------------------------------------------------------


async def _watch(console: Console, sim: "Simulation", over: asyncio.Event) -> None:
    if console.is_terminal:
        with Live(_status(sim), console=console, auto_refresh=False, transient=True) as live:
            while not await _ended(over, _REFRESH_SECS):
                live.update(_status(sim), refresh=True)
    else:
        told, due = "", 0.0
        while not await _ended(over, _REFRESH_SECS):
            line = _line(sim)
            if line != told and time.monotonic() >= due:
                told, due = line, time.monotonic() + _LINE_SECS
                console.print(line)
    console.print(_line(sim))


async def _ended(over: asyncio.Event, secs: float) -> bool:
    try:
        await asyncio.wait_for(over.wait(), secs)
    except TimeoutError:
        return False
    return True


def _line(sim: "Simulation") -> str:
    orders = sim.ledger.orders()
    open_orders = sum(order.is_open for order in orders)
    return (
        f"{len(sim.server.connections)} stream connections, {len(orders)} orders ({open_orders} open), "
        f"{len(sim.ledger.fills())} fills, {len(sim.requests)} REST calls"
    )


def _status(sim: "Simulation") -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("", _line(sim))
    calls = Counter((call.method, call.path, call.status) for call in sim.requests[-1000:])
    for (method, path, status), count in calls.most_common(6):
        style = "red" if status >= 400 or status == 0 else "dim"
        table.add_row(f"{count} x", f"{method} {path} → {status or 'no answer'}", style=style)
    return table
