"""Recording a venue's streams: frames to disk, notes beside them; nothing is ordered or changed at the venue."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from nautilus_trader.model.instruments import Instrument

from nautilus_orderfeeds.adapter.config import OrderFeedDataClientConfig, OrderFeedExecClientConfig, json_safe
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.instruments import load_file, to_framework, to_spec
from nautilus_orderfeeds.adapter.subscriptions import subscribe_all
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, FrameError
from nautilus_orderfeeds.feed.health import Health, HealthMonitor
from nautilus_orderfeeds.feed.hub import open_session
from nautilus_orderfeeds.feed.notes import HealthNote, RecordingNote
from nautilus_orderfeeds.feed.recorder import FrameRecorder
from nautilus_orderfeeds.feed.session_base import SessionBase
from nautilus_orderfeeds.feed.stream import Direction, Stream
from nautilus_orderfeeds.venues.base import MarketFeed, Venue
from nautilus_orderfeeds.venues.instruments import InstrumentSpec

_log = logging.getLogger(__name__)

_START_TIMEOUT_SECS = 30.0
#: A private stream's snapshot asks for what has ended within this time.
_LOOKBACK_NS = 3_600_000_000_000


class VenueRecorder:
    """Records the private and the public streams of one venue; use it with ``async with``.

    Every stream is kept alive as a client keeps it: reconnects are recorded too, with the health of each stream.

    Parameters
    ----------
    door : Door
        The venue's framework side.
    path : Path
        First part's file; its suffix chooses the format (see `FrameRecorder`).
    exec_config : OrderFeedExecClientConfig, optional
        For the private streams; None: they are not recorded.
    data_config : OrderFeedDataClientConfig, optional
        For the public stream; None: it is not recorded.
    symbols : Sequence[str], optional
        Instruments whose market data are recorded; all by default.
    on_health : Callable[[Health], None], optional
        Told of every change of a stream's health.

    Attributes
    ----------
    frames : Counter[str]
        Frames received so far, by stream.
    bytes : Counter[str]
        Their size.
    malformed : Counter[str]
        Those the venue's decoder could not read. They are recorded like all others.
    """

    def __init__(
        self,
        door: Door,
        path: Path,
        *,
        exec_config: OrderFeedExecClientConfig | None = None,
        data_config: OrderFeedDataClientConfig | None = None,
        symbols: Sequence[str] = (),
        on_health: Callable[[Health], None] | None = None,
    ) -> None:
        if exec_config is None and data_config is None:
            raise ValueError("expected exec_config (private streams), data_config (public stream) or both")
        self._door = door
        self._exec_config = exec_config
        self._data_config = data_config
        self._symbols = tuple(symbols)
        self._on_health = on_health
        self._recorder = FrameRecorder(path, clock=door.clock)
        self._stack = AsyncExitStack()
        self.frames: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.malformed: Counter[str] = Counter()
        #: Why the file could not be written any more: nothing is recorded from then on.
        self.failure: OSError | None = None
        self.health: dict[str, Health] = {}
        self.instruments: list[Instrument] = []

    @property
    def path(self) -> Path | None:
        """The file being written."""
        return self._recorder.path

    async def __aenter__(self) -> Self:
        """Connect and begin; returns when every stream is live.

        Raises
        ------
        FeedError
            If a stream could not be opened: credentials, address, no instruments. Nothing is left open.
        OSError
            If the file cannot be written.
        """
        self._stack.callback(self._recorder.close)
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def record(self, direction: Direction, stream: str, frame: bytes) -> None:
        """Write one frame (a `FrameSink`); raises `OSError` if the file cannot be written."""
        try:
            self._recorder.record(direction, stream, frame)
        except OSError as e:
            self.failure = e
            raise
        if direction is Direction.IN:
            self.frames[stream] += 1
            self.bytes[stream] += len(frame)

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        venue = market = None
        listed: list[InstrumentSpec] = []
        files = [c.instruments for c in (self._exec_config, self._data_config) if c is not None and c.instruments]
        file = files[0] if files else None
        if self._exec_config is not None:
            venue = self._door.make_venue(self._exec_config)
            marks: dict[str, int] = {}
            venue.use_marks(lambda key: marks.get(key, 0), marks.__setitem__)
            self._stack.push_async_callback(venue.close)
            await venue.open()
            listed += await self._listing(venue, file)
        if self._data_config is not None:
            market = self._door.make_market(self._data_config)
            self._stack.push_async_callback(market.close)
            await market.open()
            listed = listed or await self._listing(market, file)
        self.instruments = self._known(listed, file)
        specs = [to_spec(instrument) for instrument in self.instruments]
        for source in (venue, market):
            if source is not None:
                source.use_instruments(specs)
        private = venue.streams() if venue is not None else ()
        wanted = self._chosen(specs) if market is not None else []
        if market is not None:
            subscribe_all(market, wanted)
        public = [market.stream()] if market is not None else []
        note = recording_note(
            self._door,
            self.instruments,
            private=private,
            public=public,
            exec_config=self._exec_config,
            data_config=self._data_config,
        )
        self._recorder.note(self._door.name, note)
        if venue is not None:
            await self._record_private(venue, private)
        if market is not None:
            await self._session(public[0], market.decode).start()

    async def _listing(self, source: Venue | MarketFeed, file: str | None) -> list[InstrumentSpec]:
        try:
            return await source.instruments()
        except FeedError as e:
            if file is None:
                raise
            _log.warning("%s: no instrument listing (%s); going on with %s", self._door.name, e, file)
            return []

    def _known(self, listed: Sequence[InstrumentSpec], file: str | None) -> list[Instrument]:
        now_ns = self._door.clock.time_ns()
        found = {spec.symbol: to_framework(spec, self._door.venue, now_ns) for spec in listed}
        if file:
            found.update((instrument.id.symbol.value, instrument) for instrument in load_file(file))
        if not found:
            raise FatalFeedError(f"{self._door.name}: the venue lists no instruments; name a file of them")
        return list(found.values())

    def _chosen(self, specs: Sequence[InstrumentSpec]) -> list[str]:
        known = [spec.symbol for spec in specs]
        unknown = [symbol for symbol in self._symbols if symbol not in known]
        if unknown:
            shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
            raise FatalFeedError(f"{self._door.name}: no instrument {', '.join(unknown)}; there are {shown}")
        return list(self._symbols) or known

    async def _record_private(self, venue: Venue, streams: Sequence[Stream]) -> None:
        # A venue whose snapshot comes over the stream itself is asked for it, so that it is in the recording.
        async def snapshot() -> None:
            await venue.resync([], self._door.clock.time_ns() - _LOOKBACK_NS)

        asks = venue.capabilities.snapshot_over_stream
        for n, stream in enumerate(streams):
            session = self._session(stream, venue.decode, snapshot if asks and n == 0 else None)
            if n == 0:
                venue.attach(session.send)
            await session.start()

    def _session(
        self,
        stream: Stream,
        decode: Callable[[bytes], object],
        resync: Callable[[], Awaitable[None]] | None = None,
    ) -> SessionBase:
        def on_frame(raw: bytes) -> None:
            # Decoded, because a conversation over the stream (login, snapshot) goes on by it, and to count.
            try:
                decode(raw)
            except FrameError:
                self.malformed[stream.name] += 1
            except Exception:
                self.malformed[stream.name] += 1
                _log.exception("%s: a frame could not be decoded; it is recorded all the same", stream.name)

        def on_change(health: Health) -> None:
            self.health[stream.name] = health
            self._recorder.note(stream.name, HealthNote(health))
            if self._on_health is not None:
                self._on_health(health)

        session = open_session(
            stream,
            on_frame,
            resync,
            clock=self._door.clock,
            monitor=HealthMonitor(stream.name, self._door.clock, on_change),
            sink=self,
            buffer_during_resync=resync is None,
            start_timeout_secs=_START_TIMEOUT_SECS,
        )
        self._stack.push_async_callback(session.stop)
        return session


def begin_recording(
    door: Door,
    instruments: Sequence[Instrument],
    log: Any,
    *,
    private: Sequence[Stream] = (),
    public: Sequence[Stream] = (),
    config: OrderFeedExecClientConfig | OrderFeedDataClientConfig,
) -> FrameRecorder | None:
    """Return the recorder of a client whose config asks for one, its note written; None, logged, if it cannot write.

    Raises
    ------
    ValueError
        If the file's name has none of the suffixes.
    """
    if not config.record:
        return None
    is_exec = isinstance(config, OrderFeedExecClientConfig)
    note = recording_note(
        door,
        instruments,
        private=private,
        public=public,
        exec_config=config if is_exec else None,
        data_config=None if is_exec else config,
    )
    recorder = FrameRecorder(config.record, clock=door.clock)
    try:
        recorder.note(door.name, note)
    except OSError as e:
        log.error(f"Cannot record to {config.record} ({e}): going on without a recording")
        return None
    return recorder


def recording_note(
    door: Door,
    instruments: Sequence[Instrument],
    *,
    private: Sequence[Stream] = (),
    public: Sequence[Stream] = (),
    exec_config: Any = None,
    data_config: Any = None,
) -> RecordingNote:
    """Return the note that stands at the beginning of a recording.

    Of the configs it holds the venue's own settings that change how frames are read (a dialect, whose account it is),
    and no credential and no address.
    """
    return RecordingNote(
        # A venue's folder is its name in lower case.
        venue=door.name.lower(),
        private=tuple(stream.name for stream in private),
        public=tuple(stream.name for stream in public),
        instruments=tuple(type(instrument).to_dict(instrument) for instrument in instruments),
        exec_settings={} if exec_config is None else _own_settings(exec_config, OrderFeedExecClientConfig),
        data_settings={} if data_config is None else _own_settings(data_config, OrderFeedDataClientConfig),
    )


def _own_settings(config: Any, common: type[Any]) -> dict[str, Any]:
    """Return the fields that only this venue's config has, where they differ from the defaults; no secrets."""
    left_out = {*common.__struct_fields__, *config.SECRETS}
    usual = json_safe(type(config)())
    return {
        name: value
        for name, value in json_safe(config).items()
        if name not in left_out and value != usual[name] and "://" not in str(value)
    }
