"""Playing a recording through the same clients as live: decode, reduce, tell; without any connection.

The clients' clock stands at the time each frame was recorded, so the same recording leads to the same events and data
every time. Orders are all taken up as the venue's statements tell of them (nobody here has placed them), under the
venue's order id.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import MessageBus, TestClock
from nautilus_trader.core.data import Data
from nautilus_trader.model.identifiers import TraderId
from nautilus_trader.model.instruments import Instrument

from nautilus_orderfeeds.adapter import custom_data
from nautilus_orderfeeds.adapter.data import OrderFeedDataClient
from nautilus_orderfeeds.adapter.execution import OrderFeedExecutionClient
from nautilus_orderfeeds.adapter.instruments import from_rows
from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.feed.health import FeedState, Health
from nautilus_orderfeeds.feed.notes import HealthNote, RecordingNote, read_note
from nautilus_orderfeeds.feed.recorder import RecordedFrame
from nautilus_orderfeeds.feed.stream import Direction
from nautilus_orderfeeds.orders.events import OrderEvent
from nautilus_orderfeeds.orders.tracker import TrackedOrder
from nautilus_orderfeeds.venues.registry import VenueEntry

#: Where the clients send what an engine would take.
_ENDPOINTS: Final = ("ExecEngine.process", "ExecEngine.reconcile_execution_report", "Portfolio.update_account")
_NS_PER_SEC: Final = 1_000_000_000


class Told(Struct, frozen=True):
    """One order event and what led to it.

    Parameters
    ----------
    ts_ns : int
        When the frame was recorded, UNIX ns.
    stream : str
        The frame's stream; empty if the event came of waiting, not of a frame.
    client_order_id, symbol : str
        The order.
    event : OrderEvent
    """

    ts_ns: int
    stream: str
    client_order_id: str
    symbol: str
    event: OrderEvent


@dataclass(slots=True)
class ReplayCounts:
    """What passed through a replay."""

    frames: int = 0
    malformed: int = 0
    notes: int = 0
    events: int = 0
    data: int = 0
    #: Statements about orders of instruments that are not known: no events come of them.
    unknown_instruments: int = 0
    by_stream: dict[str, int] = field(default_factory=dict)


class _Clients(NamedTuple):
    execution: OrderFeedExecutionClient
    data: OrderFeedDataClient
    intake: Intake
    settle_secs: float


class Replay:
    """Takes in the rows of recordings of one venue, one by one, in the order of their time.

    Parameters
    ----------
    entry : VenueEntry
        The venue.
    instruments : Sequence[Instrument]
        Known besides those the recording itself notes.
    exec_settings, data_settings : dict, optional
        Further fields of the clients' configs (a dialect); they win over those the recording notes.
    on_event : Callable[[Told], None], optional
        Takes each order event, once.
    on_data : Callable[[Data], None], optional
        Takes each object of market data, and custom data: `OrderFeedUpdate`, `FeedHealth`, `VenueEvent`,
        `ProtectionUpdate`.
    on_malformed : Callable[[RecordedFrame], None], optional
        Takes each frame that could not be read.
    on_instruments : Callable[[Sequence[Instrument]], None], optional
        Takes the instruments, before the first data of them.
    """

    def __init__(
        self,
        entry: VenueEntry,
        *,
        instruments: Sequence[Instrument] = (),
        exec_settings: dict[str, Any] | None = None,
        data_settings: dict[str, Any] | None = None,
        on_event: Callable[[Told], None] | None = None,
        on_data: Callable[[Data], None] | None = None,
        on_malformed: Callable[[RecordedFrame], None] | None = None,
        on_instruments: Callable[[Sequence[Instrument]], None] | None = None,
    ) -> None:
        self._entry = entry
        self._given = {instrument.id: instrument for instrument in instruments}
        self._settings = (exec_settings or {}, data_settings or {})
        self._on_event = on_event
        self._on_data = on_data
        self._on_malformed = on_malformed
        self._on_instruments = on_instruments
        self._public: set[str] = set()
        self._connects: dict[str, int] = {}
        self._now_ns = 0
        self._stream = ""
        self._clients: _Clients | None = None
        self._clock = TestClock()
        self.instruments: list[Instrument] = []
        self.counts = ReplayCounts()

    def take(self, recorded: RecordedFrame) -> None:
        """Take in one row; a frame that cannot be read is counted and handed on, and stops nothing."""
        # A machine's clock may have been set back meanwhile; what the clients see never runs backwards.
        self._now_ns = max(self._now_ns, recorded.ts_ns)
        self._clock.set_time(self._now_ns)
        self._stream = recorded.stream
        match recorded.direction:
            case Direction.NOTE:
                self._note(recorded)
            case Direction.IN:
                self._frame(recorded)
            case Direction.OUT:
                pass  # what was sent teaches a reader of the streams nothing

    def finish(self) -> None:
        """Take the recording's end for the last word: what still waits for its trades is inferred. Idempotent."""
        clients, self._clients = self._clients, None
        if clients is None:
            return
        self._stream = ""
        self._settle(clients, 0)
        self.counts.unknown_instruments = clients.intake.unknown_instruments
        clients.intake.journal.close()

    # -- rows ------------------------------------------------------------------------------------------------------

    def _frame(self, recorded: RecordedFrame) -> None:
        clients = self._clients or self._open(RecordingNote(venue=self._entry.name))
        self.counts.frames += 1
        by_stream = self.counts.by_stream
        by_stream[recorded.stream] = by_stream.get(recorded.stream, 0) + 1
        client: OrderFeedExecutionClient | OrderFeedDataClient = clients.data
        if recorded.stream not in self._public:
            client = clients.execution
            self._settle(clients, int(clients.settle_secs * _NS_PER_SEC))
        before = client.malformed_frames
        client.handle_frame(recorded.frame)
        if client.malformed_frames > before:
            self.counts.malformed += 1
            if self._on_malformed is not None:
                self._on_malformed(recorded)

    def _settle(self, clients: _Clients, limit_ns: int) -> None:
        """Stop waiting for the trades of orders that have waited so long; live, a timer does this."""
        for tracked in clients.intake.tracker.unsettled():
            if self._now_ns - tracked.unsettled_since_ns >= limit_ns:
                clients.intake.settle(tracked)

    def _note(self, recorded: RecordedFrame) -> None:
        self.counts.notes += 1
        try:
            note = read_note(recorded.frame)
        except msgspec.MsgspecError:
            return  # of a newer version: it does not change what the frames say
        match note:
            case RecordingNote():
                if note.venue != self._entry.name:
                    raise ValueError(f"expected a recording of {self._entry.name}, received one of {note.venue}")
                self._public.update(note.public)
                if self._clients is None:
                    self._open(note)
                else:  # another run of a recorder: its connections are new, the orders are not
                    self._begin_again(note)
            case HealthNote(health=health):
                self._take_health(health)

    def _take_health(self, health: Health) -> None:
        if health.stream in self._public and self._clients is not None:
            # A new connection begins with new snapshots, so the decoder's memory of the old one goes.
            connects = self._connects.get(health.stream, 0)
            if health.state is FeedState.CONNECTING and health.connects > connects > 0:
                self._clients.data.open_offline(self.instruments)
            self._connects[health.stream] = health.connects
        self._tell_data(custom_data.feed_health(self._entry.client_name, health, self._now_ns))

    # -- clients ---------------------------------------------------------------------------------------------------

    def _open(self, note: RecordingNote) -> _Clients:
        msgbus = MessageBus(TraderId("REPLAY-001"), self._clock)
        for endpoint in _ENDPOINTS:
            msgbus.register(endpoint=endpoint, handler=_ignore)
        msgbus.register(endpoint="DataEngine.process", handler=self._tell_data)
        for kind in (custom_data.ORDER_FEED_UPDATE, custom_data.VENUE_EVENT, custom_data.PROTECTION_UPDATE):
            msgbus.subscribe(topic=f"data.{kind.topic}", handler=self._tell_data)
        self._learn(note)
        entry = self._entry
        exec_settings, data_settings = self._settings
        exec_config = msgspec.convert(note.exec_settings | exec_settings, entry.exec_config, strict=False)
        data_config = msgspec.convert(note.data_settings | data_settings, entry.data_config, strict=False)
        common: dict[str, Any] = {
            "loop": asyncio.get_running_loop(),
            "name": entry.client_name,
            "door": entry.door,
            "msgbus": msgbus,
            "cache": Cache(database=None),
            "clock": self._clock,
        }
        execution = OrderFeedExecutionClient(config=exec_config, **common)
        data = OrderFeedDataClient(config=data_config, **common)
        intake = execution.open_offline(":memory:", self.instruments)
        data.open_offline(self.instruments)
        intake.on_told = self._told
        intake.refresh_subscribers()
        self._clients = _Clients(execution, data, intake, exec_config.settle_secs)
        return self._clients

    def _begin_again(self, note: RecordingNote) -> None:
        assert self._clients is not None
        self._learn(note)
        self._clients.execution.load_offline(self.instruments)
        if note.public:
            self._clients.data.open_offline(self.instruments)
            for stream in note.public:
                self._connects.pop(stream, None)

    def _learn(self, note: RecordingNote) -> None:
        noted = from_rows(note.instruments, "the recording's note")
        found = {instrument.id: instrument for instrument in (*self.instruments, *noted)}
        self.instruments = list((found | self._given).values())
        if self._on_instruments is not None:
            self._on_instruments(self.instruments)

    def _told(self, tracked: TrackedOrder, events: Sequence[OrderEvent]) -> None:
        self.counts.events += len(events)
        if self._on_event is not None:
            for event in events:
                told = Told(self._now_ns, self._stream, tracked.client_order_id, tracked.terms.symbol, event)
                self._on_event(told)

    def _tell_data(self, data: Any) -> None:
        self.counts.data += 1
        if self._on_data is not None:
            self._on_data(data)


def _ignore(_: object) -> None:
    """Drop what an engine would take: the events are told by the intake, once each."""
