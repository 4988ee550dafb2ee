"""`orderfeeds dashboard`: the blotter, feeds and order timelines of journals in a browser, live and read-only."""

import asyncio
import importlib.util
import os
import signal
from collections.abc import Sequence
from typing import Final

import click
import msgspec

from nautilus_orderfeeds.cli.console import EXIT_CODES, CliError, busy, err, out, run_async
from nautilus_orderfeeds.cli.watch_journal import JournalSource

#: Names of this machine for itself.
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@click.command(epilog=EXIT_CODES)
@click.argument("journals", nargs=-1, required=True, type=click.Path(), metavar="JOURNAL...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port; 0 takes a free one."
)
@click.option("--allow-remote", is_flag=True, help="Let other machines see it (with a --host that they can reach).")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON with the URL, then serve.")
def command(journals: tuple[str, ...], host: str, port: int, allow_remote: bool, as_json: bool) -> None:
    """Show orders, fills, feeds and timelines of JOURNALs in a browser, until Ctrl-C.

    The journals are only read and followed live, so nodes may be running on them. There is no login: whoever reaches
    the address sees everything, so it listens on this machine only unless --allow-remote is given.
    """
    if importlib.util.find_spec("nicegui") is None:
        raise CliError(
            "the dashboard needs NiceGUI: pip install 'orderfeeds-nt-community[dashboard]' (in a clone: make tools)"
        )
    if not is_loopback(host):
        if not allow_remote:
            raise CliError(
                f"--host {host} can be reached from other machines, and there is no login: add --allow-remote if that "
                "is wanted, or use an SSH tunnel to 127.0.0.1"
            )
        err().print(f"warning: everyone who reaches {host} sees all orders; there is no login", style="bold yellow")
    try:
        run_async(_serve([JournalSource(path) for path in journals], host, port, as_json))
    except OSError as e:
        cause = os.strerror(e.errno) if e.errno else str(e)
        raise CliError(f"cannot listen on {host}:{port}: {cause} (choose another --port or --host)") from None


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    return host in LOOPBACK or host.startswith("127.")


async def _serve(sources: Sequence[JournalSource], host: str, port: int, as_json: bool) -> None:
    for source in sources:
        await source.start()
    with busy("loading the web server", quiet=as_json):
        from nautilus_orderfeeds.cli.dashboard_server import DashboardServer
    server = DashboardServer(sources, host, port)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    if as_json:
        click.echo(msgspec.json.encode({"url": server.url}).decode())
    else:
        out().print(f"dashboard: {server.url} (Ctrl-C ends it)", soft_wrap=True)
    await server.run()
