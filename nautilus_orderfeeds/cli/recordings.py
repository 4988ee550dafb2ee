"""What the commands share that read recordings: whose it is, and what is given besides it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from nautilus_orderfeeds.cli.console import CliError
from nautilus_orderfeeds.cli.venue_options import make_config, taken
from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.feed.notes import RecordingNote, read_note
from nautilus_orderfeeds.feed.replayer import FrameReplayer
from nautilus_orderfeeds.feed.stream import Direction
from nautilus_orderfeeds.venues import registry

if TYPE_CHECKING:
    from nautilus_trader.model.instruments import Instrument


def venue_of(paths: Sequence[Path], given: str | None) -> str:
    """Return the venue of recordings: as given, as they note it, or by the names of their streams.

    Raises
    ------
    CliError
        If there is no such recording, it is none, or the venues differ or are not known.
    """
    found = {given.lower()} if given else {_noted_venue(path) for path in paths}
    if len(found) > 1:
        raise CliError(f"recordings of one venue at a time; these are of {', '.join(sorted(found))}")
    return found.pop()


def _noted_venue(path: Path) -> str:
    try:
        first = next(iter(FrameReplayer(path, on_damaged=lambda *_: None)), None)
    except (OSError, ValueError) as e:
        raise CliError(f"cannot read {path}: {e}") from None
    if first is None:
        raise CliError(f"{path} has no recorded frame")
    if first.direction is Direction.NOTE:
        try:
            note = read_note(first.frame)
        except msgspec.MsgspecError as e:
            raise CliError(
                f"{path} begins with an unknown note ({e}): was a newer version used to record it?"
            ) from None
        if isinstance(note, RecordingNote):
            return note.venue
    # Streams are named after their venue: "BSX orders".
    name = first.stream.partition(" ")[0].lower()
    if name not in registry.names():
        raise CliError(f"{path} does not say whose it is: name it with --venue ({', '.join(registry.names())})")
    return name


def instruments_of(path: str | None, entry: registry.VenueEntry) -> "list[Instrument]":
    """Return the instruments of a file; raises `CliError` if it is none, or of another venue."""
    from nautilus_orderfeeds.adapter.instruments import load_file

    if path is None:
        return []
    try:
        found = load_file(path)
    except FatalFeedError as e:
        raise CliError(str(e)) from None
    for instrument in found:
        if str(instrument.id.venue) != entry.client_name:
            raise CliError(f"--instruments: {instrument.id} is not of venue {entry.client_name}")
    return found


def settings_of(entry: registry.VenueEntry, fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return config fields of the execution client and of the data client, as `Replay` takes them."""
    for kind in (entry.exec_config, entry.data_config):
        make_config(kind, fields)  # a wrong value is told before anything is read
    return taken(entry.exec_config, fields), taken(entry.data_config, fields)
