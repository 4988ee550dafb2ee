"""Reading recordings back: frame by frame, or played at their own or any speed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.recorder import RecordedFrame, Row, parts_of, read_lines
from nautilus_orderfeeds.feed.stream import Direction

_log = logging.getLogger(__name__)

# As fast as possible still lets the rest of the program run now and then.
_FRAMES_PER_TURN = 100


class FrameReplayer:
    """A recording, with all its parts.

    Parameters
    ----------
    path : Path or str
        The recording's first file, or one of its later parts to read from that part alone.
    clock : Clock, optional
        Source of time for playing.
    on_damaged : Callable[[Path, bytes], None], optional
        Takes each line that is no recorded frame, with its file; without it such a line raises.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Clock | None = None,
        on_damaged: Callable[[Path, bytes], None] | None = None,
    ) -> None:
        self._base = Path(path)
        self._clock = clock or LiveClock()
        self._on_damaged = on_damaged

    def __iter__(self) -> Iterator[RecordedFrame]:
        """Yield the frames in the order they were recorded.

        An unfinished last line of a part (a crash) is skipped and logged.

        Raises
        ------
        FrameError
            If a line before the last is no recorded frame, and nobody takes damaged lines (`on_damaged`): the file is
            not a recording, or damaged.
        FileNotFoundError
            If there is no such recording.
        """
        parts = parts_of(self._base)
        if not parts:
            raise FileNotFoundError(f"no recording at {self._base}")
        for part in parts:
            yield from _frames_of(part, self._on_damaged)

    async def play(
        self,
        into: Callable[[bytes], None],
        *,
        speed: float | None = 1.0,
        direction: Direction | None = Direction.IN,
        stream: str | None = None,
    ) -> int:
        """Call `into` with the raw bytes of each frame.

        Parameters
        ----------
        into : Callable[[bytes], None]
            Such as a client's `handle_frame`. What it raises ends the playing.
        speed : float, optional
            1.0 keeps the recorded pauses, 2.0 halves them; None plays as fast as possible.
        direction : Direction, optional
            Frames of this direction only; None plays both. Notes are never played.
        stream : str, optional
            Frames of this stream only.

        Returns
        -------
        int
            Frames played.
        """
        played = 0
        async for recorded in self.paced(speed):
            if recorded.direction is Direction.NOTE:
                continue
            if direction not in (None, recorded.direction) or stream not in (None, recorded.stream):
                continue
            into(recorded.frame)
            played += 1
        return played

    async def paced(self, speed: float | None = 1.0) -> AsyncIterator[RecordedFrame]:
        """Yield the frames, notes included, when they are due.

        Parameters
        ----------
        speed : float, optional
            1.0 keeps the recorded pauses, 2.0 halves them; None goes as fast as possible.
        """
        if speed is not None and speed <= 0:
            raise ValueError(f"expected a speed above 0 or None, received {speed}")
        first_ns: int | None = None
        started = self._clock.monotonic()
        for number, recorded in enumerate(self):
            if speed is not None:
                first_ns = recorded.ts_ns if first_ns is None else first_ns
                due_secs = (recorded.ts_ns - first_ns) / 1e9 / speed
                wait_secs = due_secs - (self._clock.monotonic() - started)
                if wait_secs > 0:
                    await self._clock.sleep(wait_secs)
            elif number % _FRAMES_PER_TURN == 0:
                await asyncio.sleep(0)
            yield recorded


def _frames_of(part: Path, on_damaged: Callable[[Path, bytes], None] | None) -> Iterator[RecordedFrame]:
    decoder = msgspec.json.Decoder(Row)
    unreadable: tuple[int, bytes] | None = None
    for number, line in enumerate(read_lines(part), start=1):
        if unreadable is not None:
            if on_damaged is None:
                raise FrameError(part.name, unreadable[1], f"a recorded frame in line {unreadable[0]}")
            on_damaged(part, unreadable[1])
            unreadable = None
        if not line.strip():
            continue
        try:
            frame = RecordedFrame.from_row(decoder.decode(line))
        except ValueError:
            # Forgiven if nothing follows: the writer died amid the last line, or is writing it.
            unreadable = number, line
            continue
        yield frame
    if unreadable is not None:
        _log.warning("%s: unfinished last line skipped", part.name)
