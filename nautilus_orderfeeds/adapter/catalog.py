"""Recordings become a `ParquetDataCatalog`: market data, order updates and feed health, ready for a backtest.

The frames are played through the clients themselves (see `replay`), so the catalog holds what the live clients
delivered; `ts_init` is when the frame was recorded. Writing the same recording again, or a longer one, changes nothing
but what is new: what the catalog holds of an interval is read, and only what is missing is added.

What cannot be read is kept: ``malformed.jsonl`` in the catalog's folder has those rows as they were recorded.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from heapq import merge
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from msgspec import Struct
from nautilus_trader.core.data import Data
from nautilus_trader.model.data import CustomData, IndexPriceUpdate, OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from nautilus_orderfeeds.adapter.catalog_rows import Places, has_places, identity, pad, places_in, places_of
from nautilus_orderfeeds.adapter.replay import Replay, ReplayCounts
from nautilus_orderfeeds.feed.recorder import RecordedFrame
from nautilus_orderfeeds.feed.replayer import FrameReplayer
from nautilus_orderfeeds.venues.registry import VenueEntry

_log = logging.getLogger(__name__)

#: Objects kept in memory before they are written.
_CHUNK: Final = 200_000
_PROGRESS_FRAMES: Final = 1_000
_MALFORMED: Final = "malformed.jsonl"

#: 1.231 writes them, but has no way to read them back.
_UNREADABLE: Final = (IndexPriceUpdate,)

_encode = msgspec.json.Encoder().encode

#: A type of data and whose it is: the instrument id, or None.
Key = tuple[type[Data], str | None]


class CatalogReport(Struct, kw_only=True):
    """What became of the recordings.

    Parameters
    ----------
    frames, malformed : int
        Frames read; those of them that could not be decoded.
    damaged_lines : int
        Lines of the files that are no recorded frame.
    unknown_instruments : int
        Statements about orders of instruments that are not known.
    found, written : dict[str, int]
        Objects made of the frames, and those of them that the catalog did not have yet, by type.
    left_out : dict[str, int]
        Objects of types that the framework's catalog cannot read back, by type.
    instruments : list[str]
        Ids of the instruments.
    """

    frames: int = 0
    malformed: int = 0
    damaged_lines: int = 0
    unknown_instruments: int = 0
    found: dict[str, int] = {}
    written: dict[str, int] = {}
    left_out: dict[str, int] = {}
    instruments: list[str] = []


class CatalogWriter:
    """Collects data and writes them to a catalog, without doubling what it has.

    Parameters
    ----------
    folder : Path
        The catalog; made if it is missing.
    chunk : int
        Objects kept in memory before they are written.
    """

    def __init__(self, folder: Path, *, chunk: int = _CHUNK) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.catalog = ParquetDataCatalog(str(folder.resolve()))
        self.found: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        #: Objects of types that the framework cannot read back.
        self.left_out: Counter[str] = Counter()
        self._chunk = chunk
        self._last_ns = 0
        self._places: dict[str, Places] = {}
        self._stored_places: dict[Key, Places] = {}
        self._pending: dict[Key, list[Any]] = {}
        self._held = 0

    def add(self, data: Data) -> None:
        """Take one object; deltas are taken one by one, as the catalog keeps them."""
        if isinstance(data, _UNREADABLE):
            self.left_out[type(data).__name__] += 1
        elif isinstance(data, OrderBookDeltas):
            for delta in data.deltas:
                self._append(OrderBookDelta, str(delta.instrument_id), delta)
        elif not isinstance(data, Instrument):
            self._append(type(data), _identifier(data), data)
        # At a change of time only, so that no two files share a moment.
        if self._held >= self._chunk and data.ts_init > self._last_ns:
            self._write_before(data.ts_init)
        self._last_ns = data.ts_init

    def add_instruments(self, instruments: Iterable[Instrument]) -> None:
        """Write the definitions the catalog does not have yet."""
        for instrument in instruments:
            if str(instrument.id) in self._places:
                continue
            self._places[str(instrument.id)] = Places(instrument.price_precision, instrument.size_precision)
            name = type(instrument).__name__
            self.found[name] += 1
            known = self.catalog.instruments(instrument_ids=[instrument.id.value])
            if all(_definition(other) != _definition(instrument) for other in known):
                self.catalog.write_data([instrument])
                self.written[name] += 1

    def flush(self) -> None:
        """Write everything taken so far."""
        self._write_before(None)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _append(self, kind: type[Data], identifier: str | None, data: Any) -> None:
        self._pending.setdefault((kind, identifier), []).append(data)
        self.found[kind.__name__] += 1
        self._held += 1

    def _write_before(self, until_ns: int | None) -> None:
        for key, rows in self._pending.items():
            due = [row for row in rows if until_ns is None or row.ts_init < until_ns]
            if due:
                self._merge(key, due)
                self._held -= len(due)
                self._pending[key] = rows[len(due) :]

    def _merge(self, key: Key, rows: list[Any]) -> None:
        """Write what the catalog lacks of `rows`, which are in the order of their time."""
        kind, identifier = key
        plain = [kind.to_dict(row) for row in rows]
        places, is_finer = self._common_places(key, plain)
        start_ns, end_ns = rows[0].ts_init, rows[-1].ts_init
        # Files are read and replaced whole: the framework cannot cut one of every type in two. All of them, if the
        # new rows are finer than what is there.
        touched = [
            (start, end)
            for start, end in self.catalog.get_intervals(kind, identifier)
            if is_finer or (start <= end_ns and start_ns <= end)
        ]
        stored: list[dict[str, Any]] = []
        files: list[str] = []
        if touched:
            start_ns, end_ns = touched[0][0], touched[-1][1]
            files = self._files(key, start_ns, end_ns)
            identifiers = None if identifier is None else [identifier]
            found = self.catalog.query(kind, identifiers=identifiers, start=start_ns, end=end_ns)
            stored = [kind.to_dict(row.data if isinstance(row, CustomData) else row) for row in found]
        if places is not None:
            for each in (*stored, *plain):
                pad(kind, each, places)
        known = Counter(identity(kind, each) for each in stored)
        new = []
        for each in plain:
            text = identity(kind, each)
            if known[text]:
                known[text] -= 1
            else:
                new.append(each)
        if not new:
            return
        for file in files:
            self.catalog.fs.rm(file)
        self.catalog.write_data([kind.from_dict(each) for each in merge(stored, new, key=_time)])
        self.written[kind.__name__] += len(new)

    def _common_places(self, key: Key, plain: list[dict[str, Any]]) -> tuple[Places | None, bool]:
        """Return the precision for all rows of a type and instrument, and whether it exceeds that of its files."""
        kind, identifier = key
        if not has_places(kind):
            return None, False
        instrument_id = str(plain[0].get("instrument_id", identifier))
        wanted = self._places.get(instrument_id, Places())
        for each in plain:
            wanted = wanted.at_least(places_of(kind, each))
        stored = self._stored_places.get(key) or self._read_places(key)
        if stored is not None:
            wanted = wanted.at_least(stored)
        self._stored_places[key] = wanted
        return wanted, stored is not None and wanted != stored

    def _read_places(self, key: Key) -> Places | None:
        files = self._files(key)
        if not files:
            return None
        metadata = pq.read_schema(files[0], filesystem=self.catalog.fs).metadata or {}
        return Places(*places_in(metadata))

    def _files(self, key: Key, start_ns: int | None = None, end_ns: int | None = None) -> list[str]:
        kind, identifier = key
        files = self.catalog.get_file_list_from_data_cls(kind)
        identifiers = None if identifier is None else [identifier]
        found: list[str] = self.catalog.filter_files(kind, files, identifiers, start_ns, end_ns)
        return found


async def write_catalog(
    entry: VenueEntry,
    recordings: Sequence[Path],
    folder: Path,
    *,
    instruments: Sequence[Instrument] = (),
    exec_settings: dict[str, Any] | None = None,
    data_settings: dict[str, Any] | None = None,
    on_progress: Callable[[ReplayCounts], None] | None = None,
    chunk: int = _CHUNK,
) -> CatalogReport:
    """Write recordings of one venue into a catalog.

    Parameters
    ----------
    entry : VenueEntry
        The venue.
    recordings : Sequence[Path]
        Recordings, each with all its parts; their frames are played in the order they were recorded. Of two that
        recorded the same stream at the same time give one only: their times differ, so both would be kept.
    folder : Path
        The catalog; made if it is missing.
    instruments : Sequence[Instrument]
        Known besides those the recordings note.
    exec_settings, data_settings : dict, optional
        Further fields of the clients' configs, as of `Replay`.
    on_progress : Callable[[ReplayCounts], None], optional
        Called now and then.
    chunk : int
        Objects kept in memory before they are written.

    Returns
    -------
    CatalogReport

    Raises
    ------
    FileNotFoundError
        If there is no such recording.
    ValueError
        If a recording is of another venue.
    """
    writer = CatalogWriter(folder, chunk=chunk)
    kept = _KeptRows(folder / _MALFORMED)
    replay = Replay(
        entry,
        instruments=instruments,
        exec_settings=exec_settings,
        data_settings=data_settings,
        on_data=writer.add,
        on_malformed=lambda recorded: kept.add(_encode(recorded.to_row())),
        on_instruments=writer.add_instruments,
    )
    damaged = 0

    def keep(part: Path, line: bytes) -> None:
        nonlocal damaged
        damaged += 1
        _log.warning("%s: a line is no recorded frame; it is kept in %s", part.name, _MALFORMED)
        kept.add(line)

    readers = [FrameReplayer(path, on_damaged=keep) for path in dict.fromkeys(recordings)]
    for n, recorded in enumerate(merge(*readers, key=_recorded_at)):
        if n % _PROGRESS_FRAMES == 0:
            await asyncio.sleep(0)
            if on_progress is not None:
                on_progress(replay.counts)
        replay.take(recorded)
    replay.finish()
    writer.flush()
    kept.write()
    return CatalogReport(
        frames=replay.counts.frames,
        malformed=replay.counts.malformed,
        damaged_lines=damaged,
        unknown_instruments=replay.counts.unknown_instruments,
        found=dict(sorted(writer.found.items())),
        written=dict(sorted(writer.written.items())),
        left_out=dict(sorted(writer.left_out.items())),
        instruments=sorted(str(instrument.id) for instrument in replay.instruments),
    )


class _KeptRows:
    """Rows that could not be used, in a file that keeps each of them once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = set(path.read_bytes().splitlines()) if path.exists() else set()
        self._new: dict[bytes, None] = {}

    def add(self, line: bytes) -> None:
        if line not in self._known:
            self._new[line] = None

    def write(self) -> None:
        if self._new:
            with self._path.open("ab") as file:
                file.writelines(line + b"\n" for line in self._new)


def _recorded_at(recorded: RecordedFrame) -> int:
    return recorded.ts_ns


def _time(plain: dict[str, Any]) -> int:
    return int(plain["ts_init"])


def _identifier(data: Any) -> str | None:
    """Return under what the catalog files an object (as its `write_data` does)."""
    if hasattr(data, "bar_type"):
        return str(data.bar_type)
    return str(data.instrument_id) if hasattr(data, "instrument_id") else None


def _definition(instrument: Instrument) -> dict[str, Any]:
    """Return what an instrument is, whenever it was loaded."""
    plain: dict[str, Any] = type(instrument).to_dict(instrument)
    return {name: value for name, value in plain.items() if name not in ("ts_event", "ts_init")}
