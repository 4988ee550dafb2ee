"""`orderfeeds replay`: recorded frames through the same path as live."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from msgspec import Struct
from rich.text import Text

from nautilus_orderfeeds.cli import timeline_view
from nautilus_orderfeeds.cli.console import (
    EXIT_BAD,
    EXIT_CODES,
    EXIT_OK,
    CliError,
    busy,
    out,
    print_json,
    run_async,
)
from nautilus_orderfeeds.cli.recordings import instruments_of, settings_of, venue_of
from nautilus_orderfeeds.cli.venue_options import extra_fields, instruments_option, load_venue, settings_option
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.feed.recorder import RecordedFrame, Row, parts_of, read_lines
from nautilus_orderfeeds.feed.replayer import FrameReplayer
from nautilus_orderfeeds.feed.stream import Direction
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import JournalError
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from nautilus_orderfeeds.venues.registry import VenueEntry

if TYPE_CHECKING:
    from nautilus_trader.model.instruments import Instrument

    from nautilus_orderfeeds.adapter.replay import ReplayCounts, Told


_STYLES: Final[dict[type[ev.OrderEvent], str]] = {
    ev.OrderFilled: "green",
    ev.OrderRejected: "red",
    ev.OrderCancelRejected: "red",
    ev.FillOrphaned: "bold red",
    ev.OrderAnomaly: "bold red",
    ev.OrderCanceled: "yellow",
    ev.OrderExpired: "yellow",
}


class _Played(Struct):
    """What one playing led to: the digest is of all events, in their order."""

    told: "list[Told]"
    counts: "ReplayCounts"
    data: dict[str, int]
    digest: str


@click.command(epilog=EXIT_CODES)
@click.argument("recording", metavar="FILE", type=click.Path(dir_okay=False))
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    metavar="FACTOR",
    help="1 keeps the recorded pauses, 10 goes ten times as fast. Default: no pauses.",
)
@click.option(
    "--check",
    "checked",
    is_flag=True,
    help="Check the recording byte for byte, and that it leads to the same events again.",
)
@click.option(
    "--journal",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Check that the frames in this journal are in the recording, byte for byte.",
)
@click.option("--venue", "given", metavar="VENUE", help="Whose recording it is, if it does not say.")
@instruments_option
@settings_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON: times in UNIX ns, decimals as text.")
def command(
    recording: str,
    speed: float | None,
    checked: bool,
    journal: str | None,
    given: str | None,
    instruments: str | None,
    extra: tuple[str, ...],
    as_json: bool,
) -> None:
    """Play the recorded frames of FILE through the adapter and show the order events they lead to.

    The frames take the way they take live: decoded, reduced to events, each once. Orders are named by the venue's order
    ids: the recording does not say who placed them. Market data are counted.
    """
    path = Path(recording)
    entry = load_venue(venue_of([path], given), quiet=as_json)
    with busy("loading the framework", quiet=as_json):
        known = instruments_of(instruments, entry)
        settings = settings_of(entry, extra_fields(entry, extra))
    show = None if as_json else _Printer()
    played = run_async(_play(entry, path, known, settings, speed, show))
    checks: dict[str, Any] = {}
    if checked:
        lines, different = _same_bytes(path)
        again = run_async(_play(entry, path, known, settings, None, None))
        checks |= {"lines": lines, "lines_that_differ": different, "same_events_again": again.digest == played.digest}
    if journal is not None:
        checks |= _against_journal(journal, path)
    is_ok = not (
        checks.get("lines_that_differ") or checks.get("frames_not_recorded") or checks.get("same_events_again") is False
    )
    counts = played.counts
    if as_json:
        events = [_as_dict(told) for told in played.told]
        summary = {
            "venue": entry.name,
            "file": str(path),
            "frames": counts.frames,
            "by_stream": counts.by_stream,
            "malformed": counts.malformed,
            "unknown_instruments": counts.unknown_instruments,
            "data": played.data,
            "events_sha256": played.digest,
            "checks": checks,
            "ok": is_ok,
            "events": events,
        }
        print_json(summary)
    else:
        _summary(played, checks, is_ok=is_ok)
    raise SystemExit(EXIT_OK if is_ok else EXIT_BAD)


async def _play(
    entry: VenueEntry,
    path: Path,
    instruments: "list[Instrument]",
    settings: tuple[dict[str, Any], dict[str, Any]],
    speed: float | None,
    show: "_Printer | None",
) -> _Played:
    from nautilus_orderfeeds.adapter.replay import Replay

    told: list[Told] = []
    data: Counter[str] = Counter()

    def on_event(each: "Told") -> None:
        told.append(each)
        if show is not None:
            show(each)

    replay = Replay(
        entry,
        instruments=instruments,
        exec_settings=settings[0],
        data_settings=settings[1],
        on_event=on_event,
        on_data=lambda each: data.update([type(each).__name__]),
    )
    try:
        async for recorded in FrameReplayer(path).paced(speed):
            replay.take(recorded)
    except (OSError, ValueError, FeedError) as e:
        raise CliError(f"cannot replay {path}: {e}") from None
    replay.finish()
    digest = hashlib.sha256(b"".join(msgspec.json.encode(each) for each in told)).hexdigest()
    return _Played(told, replay.counts, dict(sorted(data.items())), digest)


class _Printer:
    """Prints events as they come, with the time since the first frame that led to one."""

    def __init__(self) -> None:
        self._console = out()
        self._begun_ns: int | None = None

    def __call__(self, told: "Told") -> None:
        self._begun_ns = told.ts_ns if self._begun_ns is None else self._begun_ns
        style = _STYLES.get(type(told.event), "")
        self._console.print(
            Text.assemble(
                (f"{(told.ts_ns - self._begun_ns) / 1e9:>10.3f} s  ", "dim"),
                f"{told.symbol}  {told.client_order_id}  ",
                (timeline_view.describe(told.event), style),
            ),
            soft_wrap=True,
        )


def _as_dict(told: "Told") -> dict[str, Any]:
    return {
        "ts_ns": told.ts_ns,
        "stream": told.stream,
        "client_order_id": told.client_order_id,
        "symbol": told.symbol,
        **msgspec.to_builtins(told.event),
    }


def _summary(played: _Played, checks: dict[str, Any], *, is_ok: bool) -> None:
    counts, console = played.counts, out()
    streams = ", ".join(f"{name} {count}" for name, count in counts.by_stream.items())
    console.print(f"{counts.frames} frames ({streams}) led to {counts.events} order events", markup=False)
    if played.data:
        console.print("data: " + ", ".join(f"{count} {name}" for name, count in played.data.items()), markup=False)
    if counts.malformed:
        console.print(f"{counts.malformed} frames could not be read", style="yellow")
    if counts.unknown_instruments:
        console.print(
            f"{counts.unknown_instruments} statements about orders of unknown instruments: name a file of them "
            "(--instruments)",
            style="yellow",
        )
    for name, value in checks.items():
        console.print(f"{name.replace('_', ' ')}: {value}", markup=False)
    if checks:
        console.print(
            "✓ byte for byte" if is_ok else "✗ not byte for byte", style="bold green" if is_ok else "bold red"
        )
    console.print(f"events sha256 {played.digest}", style="dim")


# -- checks ------------------------------------------------------------------------------------------------------------


def _same_bytes(path: Path) -> tuple[int, int]:
    """Read every line and write it again; return how many there are and how many come out different."""
    lines = different = 0
    decoder = msgspec.json.Decoder(Row)
    for part in parts_of(path):
        for line in read_lines(part):
            lines += 1
            try:
                row = RecordedFrame.from_row(decoder.decode(line)).to_row()
            except ValueError:
                different += 1
                continue
            different += msgspec.json.encode(row) != line
    return lines, different


def _against_journal(journal: str, path: Path) -> dict[str, Any]:
    """Look for each of the journal's frames in the recording."""
    recorded = Counter(row.frame for row in FrameReplayer(path) if row.direction is Direction.IN)
    try:
        with JournalReader(journal) as reader:
            kept = Counter(frame.raw for frame in reader.all_frames())
    except JournalError as e:
        raise CliError(str(e)) from None
    return {"journal_frames": kept.total(), "frames_not_recorded": (kept - recorded).total()}
