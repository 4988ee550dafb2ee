"""Raw frames on disk, replayable byte for byte.

One JSON object a line::

    {"ts_ns": 1719319688307036691, "dir": "in", "stream": "BSX orders", "text": "{...}"}

with `base64` in place of `text` for frames that are no UTF-8; rows with `"dir": "note"` tell about the recording itself
(see `notes`). The file's suffix chooses plain text (`.jsonl`), gzip (`.jsonl.gz`) or Zstandard (`.jsonl.zst`). A
recording is never appended to, because a crash may have left an
unfinished end: each new recorder, and each rotation, begins the next part (`feed.jsonl`, `feed.1.jsonl`, ...).
Files are readable by their owner only.
"""

import base64
import gzip
import os
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard
from msgspec import Struct

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.feed.notes import Note, write_note
from nautilus_orderfeeds.feed.stream import Direction

Redact = Callable[[Direction, str, bytes], bytes | None]
"""Gets direction, stream and frame; returns what to write instead, or None to leave the frame out."""

_GZIP_HEADER_BYTES = 10
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a recording as it is written."""

    ts_ns: int
    dir: Direction
    stream: str
    text: str | None = None
    base64: str | None = None


class RecordedFrame(Struct, frozen=True, kw_only=True):
    """One frame of a recording.

    Parameters
    ----------
    ts_ns : int
        When it passed, UNIX ns.
    direction : Direction
        Which way.
    stream : str
        The stream's name.
    frame : bytes
        Exactly as it was.
    """

    ts_ns: int
    direction: Direction
    stream: str
    frame: bytes

    def to_row(self) -> Row:
        """Return the line that stands for this frame."""
        try:
            text = self.frame.decode()
        except UnicodeDecodeError:
            encoded = base64.b64encode(self.frame).decode()
            return Row(ts_ns=self.ts_ns, dir=self.direction, stream=self.stream, base64=encoded)
        return Row(ts_ns=self.ts_ns, dir=self.direction, stream=self.stream, text=text)

    @classmethod
    def from_row(cls, row: Row) -> "RecordedFrame":
        """Return the frame a line stands for; ValueError if it has no frame."""
        if row.text is not None:
            frame = row.text.encode()
        elif row.base64 is not None:
            frame = base64.b64decode(row.base64, validate=True)
        else:
            raise ValueError("a recorded row needs `text` or `base64`")
        return cls(ts_ns=row.ts_ns, direction=row.dir, stream=row.stream, frame=frame)


class FrameRecorder:
    """Writes frames to a recording; a `FrameSink`.

    Parameters
    ----------
    path : Path or str
        First part's file; the suffix chooses the format. Missing folders are made.
    clock : Clock, optional
        Source of time stamps.
    max_bytes : int, default 256 MiB
        Uncompressed size after which the next part begins.
    redact : Redact, optional
        Sees each frame before it is written. (The session already leaves out outgoing frames unless the stream
        calls them `recordable`.)
    """

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Clock | None = None,
        max_bytes: int = 256 * 2**20,
        redact: Redact | None = None,
    ) -> None:
        self._base = Path(path)
        split_suffix(self._base)
        if max_bytes < 1:
            raise ValueError(f"expected max_bytes of at least 1, received {max_bytes}")
        self._clock = clock or LiveClock()
        self._max_bytes = max_bytes
        self._redact = redact
        self._written = 0
        self._out: _Writer | None = None
        self.path: Path | None = None
        """The part that is being written, None before the first frame."""

    def record(self, direction: Direction, stream: str, frame: bytes) -> None:
        """Write one frame and flush it, so that a crash loses none.

        Raises
        ------
        OSError
            If it cannot be written.
        ValueError
            If the recorder was closed.
        """
        if self._written < 0:
            raise ValueError("the recorder is closed")
        kept = frame if self._redact is None else self._redact(direction, stream, frame)
        if kept is None:
            return
        recorded = RecordedFrame(ts_ns=self._clock.time_ns(), direction=direction, stream=stream, frame=kept)
        line = msgspec.json.encode(recorded.to_row()) + b"\n"
        is_full = self._written > 0 and self._written + len(line) > self._max_bytes
        if self._out is None or is_full:
            self._begin_part()
        assert self._out is not None
        self._out.write(line)
        self._written += len(line)

    def note(self, stream: str, note: Note) -> None:
        """Write a note, as `record` does a frame; raises as it does."""
        self.record(Direction.NOTE, stream, write_note(note))

    def close(self) -> None:
        """Finish the file; nothing can be recorded afterwards. May be called repeatedly."""
        self._written = -1
        if self._out is not None:
            self._out.close()
            self._out = None

    def _begin_part(self) -> None:
        if self._out is not None:
            self._out.close()
        self._base.parent.mkdir(parents=True, exist_ok=True)
        number = 0
        while True:
            self.path = part_path(self._base, number)
            try:
                self._out = _Writer(self.path)
                break
            except FileExistsError:
                number += 1
        self._written = 0


class _Writer:
    """A new file in one of the formats, flushed after each line."""

    def __init__(self, path: Path) -> None:
        # "x" refuses an existing file; the opener keeps it private, since frames show positions.
        self._file: IO[bytes] = open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
        self._encoder: Any = None
        match split_suffix(path)[1]:
            case ".jsonl.gz":
                self._encoder = gzip.GzipFile(filename="", fileobj=self._file, mode="wb", compresslevel=6, mtime=0)
            case ".jsonl.zst":
                self._encoder = zstandard.ZstdCompressor().stream_writer(self._file, closefd=False)

    def write(self, line: bytes) -> None:
        if self._encoder is None:
            self._file.write(line)
        else:
            self._encoder.write(line)
            # Both end a compressed block, so that what was written can be read without the file's end.
            self._encoder.flush()
        self._file.flush()

    def close(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
        self._file.close()


def split_suffix(path: Path) -> tuple[str, str]:
    """Return name and format suffix of a recording's file name; ValueError if it is none of the three."""
    for suffix in _SUFFIXES:
        if path.name.endswith(suffix) and len(path.name) > len(suffix):
            return path.name[: -len(suffix)], suffix
    raise ValueError(f"expected a file name ending in {', '.join(_SUFFIXES)}; received {path.name!r}")


def part_path(base: Path, number: int) -> Path:
    """Return the file of a recording's n-th part, counted from 0."""
    if number == 0:
        return base
    name, suffix = split_suffix(base)
    return base.with_name(f"{name}.{number}{suffix}")


def parts_of(base: Path) -> list[Path]:
    """Return the existing files of a recording in the order they were written."""
    name, suffix = split_suffix(base)
    pattern = re.compile(re.escape(name) + r"\.(\d+)" + re.escape(suffix))
    numbered = [(int(found[1]), p) for p in base.parent.iterdir() if (found := pattern.fullmatch(p.name))]
    first = [base] if base.exists() else []
    return first + [path for _, path in sorted(numbered)]


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of one file and whatever follows the last of them, uncompressed.

    A compressed file whose end is missing gives what can be read of it.
    """
    # Pieces of a line are joined once: a frame may be 16 MB long.
    pieces: list[bytes] = []
    for chunk in _read_chunks(path):
        first, *others = chunk.split(b"\n")
        pieces.append(first)
        for piece in others:
            yield b"".join(pieces)
            pieces = [piece]
    if any(pieces):
        yield b"".join(pieces)


def _read_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        read: Callable[[int], bytes] = file.read
        match split_suffix(path)[1]:
            case ".jsonl.gz":
                # `read` would throw away what it has when it meets the missing end.
                read = gzip.GzipFile(fileobj=file, mode="rb").read1
            case ".jsonl.zst":
                read = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False).read
        while True:
            try:
                chunk = read(65536)
            except (EOFError, zlib.error, zstandard.ZstdError):
                # Cut off or never finished: what came before is good.
                return
            except gzip.BadGzipFile:
                if path.stat().st_size >= _GZIP_HEADER_BYTES:
                    raise
                return
            if not chunk:
                return
            yield chunk
