"""A blotter that follows a journal, whose node may be running: it is read again whenever its files have changed."""

from pathlib import Path
from typing import Final

import msgspec

from nautilus_orderfeeds.cli.console import CliError
from nautilus_orderfeeds.cli.watch_model import SHOWN, Blotter, FeedLine, FillLine, ordered
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import JournalError
from nautilus_orderfeeds.orders.journal_reader import JournalOrder, JournalReader, JournalStream
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle

_FILES: Final = ("", "-wal")


class JournalSource:
    """Follows one journal.

    Parameters
    ----------
    path : str or Path
        The SQLite file; a node may be writing it. Nothing is written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._seen: tuple[tuple[int, int], ...] = ()
        self._blotter = Blotter(title=str(path))

    @property
    def blotter(self) -> Blotter:
        """The present picture."""
        return self._blotter

    async def start(self) -> None:
        """Read it for the first time; raises `CliError` if that cannot be done."""
        self._seen = self._stamp()
        try:
            self._blotter = self._read()
        except JournalError as e:
            raise CliError(str(e)) from None

    async def stop(self) -> None:
        """Nothing is held open."""

    async def settled(self, timeout_secs: float) -> bool:
        """It is complete as soon as it is read."""
        return True

    def poll(self) -> bool:
        """Read it again if its files have changed; return whether they had. A failure is told in the notes."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            self._blotter = self._read()
        except JournalError as e:  # it may be moved away, or be in the middle of a checkpoint: the next look tells
            self._blotter = msgspec.structs.replace(self._blotter, notes=[str(e)])
            self._seen = ()
        return True

    def _stamp(self) -> tuple[tuple[int, int], ...]:
        found = []
        for suffix in _FILES:
            try:
                status = self.path.with_name(self.path.name + suffix).stat()
            except OSError:
                continue
            found.append((status.st_mtime_ns, status.st_size))
        return tuple(found)

    def _read(self) -> Blotter:
        with JournalReader(self.path) as reader:
            orders = [(order, order.lifecycle(reader.venue)) for order in reader.orders(SHOWN)]
            feeds = [_feed_line(stream) for stream in reader.streams()]
            account = reader.account
        fills = [line for order, life in orders for line in _fill_lines(order, life)]
        fills.sort(key=lambda line: line.recorded_ns, reverse=True)
        return Blotter(
            title=str(self.path),
            account=account,
            orders=ordered([life for _, life in orders]),
            fills=fills[:SHOWN],
            feeds=feeds,
        )


def _fill_lines(order: JournalOrder, life: OrderLifecycle) -> list[FillLine]:
    return [
        FillLine.of(life, entry.event, entry.recorded_ns)
        for entry in order.events
        if isinstance(entry.event, ev.OrderFilled)
    ]


def _feed_line(stream: JournalStream) -> FeedLine:
    return FeedLine(
        name=stream.name,
        state="JOURNAL",
        last_frame_ns=stream.last_frame_ns,
        malformed_frames=stream.faults,
        detail=f"of the last {stream.frames} frames" if stream.faults else "",
    )
