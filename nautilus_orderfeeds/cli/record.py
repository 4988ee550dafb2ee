"""`orderfeeds record`: the raw frames of a venue's streams, on disk."""

import asyncio
import signal
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from nautilus_orderfeeds.cli.completion import complete_venue
from nautilus_orderfeeds.cli.console import EXIT_BAD, EXIT_CODES, EXIT_OK, CliError, busy, err, out, print_json
from nautilus_orderfeeds.cli.venue_options import (
    address_options,
    extra_fields,
    instruments_option,
    load_venue,
    make_config,
    settings_option,
)
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.feed.recorder import parts_of, split_suffix
from nautilus_orderfeeds.venues.registry import VenueEntry

if TYPE_CHECKING:
    from nautilus_orderfeeds.adapter.record import VenueRecorder

_LOOK_SECS: Final = 0.25
#: Where there is no terminal, a line of progress this often.
_LINE_SECS: Final = 10.0


@click.command(epilog=EXIT_CODES)
@click.argument("venue", shell_complete=complete_venue)
@click.option(
    "--output", "-o", required=True, type=click.Path(dir_okay=False), help="File: .jsonl, .jsonl.gz or .jsonl.zst."
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECS",
    help="End after so long (else Ctrl-C ends it).",
)
@click.option(
    "--symbol", "symbols", multiple=True, metavar="SYMBOL", help="Market data of this instrument only; repeatable."
)
@click.option(
    "--streams",
    type=click.Choice(["all", "private", "public"]),
    default="all",
    show_default=True,
    help="Which streams.",
)
@address_options
@instruments_option
@settings_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    venue: str,
    output: str,
    duration: float | None,
    symbols: tuple[str, ...],
    streams: str,
    environment: str | None,
    base_url_http: str | None,
    base_url_ws: str | None,
    instruments: str | None,
    extra: tuple[str, ...],
    as_json: bool,
) -> None:
    """Record the raw frames of a VENUE's private and public streams.

    Nothing is ordered or changed at the venue. Credentials come from the environment; none of them is in the recording.
    An existing recording is never written over: the next part of it is begun (feed.jsonl, feed.1.jsonl, ...).
    """
    path = Path(output)
    try:
        split_suffix(path)
    except ValueError as e:
        raise CliError(f"--output: {e}") from None
    entry = load_venue(venue, quiet=as_json)
    with busy("loading the framework", quiet=as_json):
        from nautilus_orderfeeds.adapter.record import VenueRecorder
    given = {
        "environment": environment,
        "base_url_http": base_url_http,
        "base_url_ws": base_url_ws,
        "instruments": instruments,
    }
    fields = given | extra_fields(entry, extra)
    console = err(plain=True) if as_json else err()
    recorder = VenueRecorder(
        entry.door,
        path,
        exec_config=None if streams == "public" else make_config(entry.exec_config, fields),
        data_config=None if streams == "private" else make_config(entry.data_config, fields),
        symbols=symbols,
    )
    try:
        secs = asyncio.run(_record(recorder, duration, console))
    except FeedError as e:
        only = "; --streams public records the market without credentials" if streams == "all" else ""
        raise CliError(f"cannot record {entry.client_name}: {e}{only}") from None
    except OSError as e:
        raise CliError(f"cannot write {path}: {e.strerror or e}") from None
    summary = _summary(entry, recorder, path, secs)
    if as_json:
        print_json(summary)
    else:
        _show(summary)
    raise SystemExit(EXIT_BAD if not summary["frames"] else EXIT_OK)


async def _record(recorder: "VenueRecorder", duration: float | None, console: Console) -> float:
    """Record until the time is up or a signal comes; return for how long, seconds."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    async with AsyncExitStack() as stack:
        with busy("connecting", quiet=not console.is_terminal):
            await stack.enter_async_context(recorder)
        began = loop.time()
        await _until(over, None if duration is None else began + duration, recorder, console)
        return loop.time() - began


async def _until(over: asyncio.Event, deadline: float | None, recorder: "VenueRecorder", console: Console) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    next_line = begun + _LINE_SECS
    with console.status("recording ...") as status:
        while not over.is_set():
            now = loop.time()
            wait_secs = _LOOK_SECS if deadline is None else min(_LOOK_SECS, deadline - now)
            if recorder.failure is not None:
                raise recorder.failure
            if wait_secs <= 0:
                return
            line = _line(recorder, now - begun)
            if console.is_terminal:
                status.update(line)
            elif now >= next_line:
                next_line = now + _LINE_SECS
                console.print(line, markup=False)
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), wait_secs)


def _line(recorder: "VenueRecorder", secs: float) -> str:
    streams = ", ".join(
        f"{name} {recorder.frames[name]} frames ({health.state.value.lower()})"
        for name, health in recorder.health.items()
    )
    return f"{secs:.0f} s: {streams}"


def _summary(entry: VenueEntry, recorder: "VenueRecorder", path: Path, secs: float) -> dict[str, Any]:
    streams = [
        {
            "stream": name,
            "frames": recorder.frames[name],
            "bytes": recorder.bytes[name],
            "malformed": recorder.malformed[name],
            "connects": health.connects,
            "gaps": health.gaps,
        }
        for name, health in recorder.health.items()
    ]
    return {
        "venue": entry.name,
        "file": str(recorder.path or path),
        "parts": [str(part) for part in parts_of(path)],
        "secs": round(secs, 3),
        "instruments": [str(instrument.id) for instrument in recorder.instruments],
        "frames": sum(recorder.frames.values()),
        "malformed": sum(recorder.malformed.values()),
        "streams": streams,
    }


def _show(summary: dict[str, Any]) -> None:
    console = out()
    for stream in summary["streams"]:
        unreadable = f", {stream['malformed']} unreadable" if stream["malformed"] else ""
        console.print(
            f"{stream['stream']}: {stream['frames']} frames, {stream['bytes']:,} bytes, "
            f"{stream['connects']} connection(s){unreadable}",
            markup=False,
        )
    console.print(
        f"{summary['frames']} frames in {summary['secs']:.1f} s: {summary['file']}", markup=False, soft_wrap=True
    )
