"""The one data client, for every venue: what it knows of a venue is the `MarketFeed` protocol and nothing else."""

import asyncio
import random
from typing import Any, Final

from nautilus_trader.data.messages import (
    RequestBars,
    RequestForwardPrices,
    RequestFundingRates,
    RequestInstrument,
    RequestInstruments,
    RequestOrderBookDeltas,
    RequestOrderBookDepth,
    RequestOrderBookSnapshot,
    RequestQuoteTicks,
    RequestTradeTicks,
    SubscribeBars,
    SubscribeData,
    SubscribeFundingRates,
    SubscribeIndexPrices,
    SubscribeInstrument,
    SubscribeInstrumentClose,
    SubscribeInstruments,
    SubscribeInstrumentStatus,
    SubscribeMarkPrices,
    SubscribeOptionGreeks,
    SubscribeOrderBook,
    SubscribeQuoteTicks,
    SubscribeTradeTicks,
    UnsubscribeBars,
    UnsubscribeData,
    UnsubscribeFundingRates,
    UnsubscribeIndexPrices,
    UnsubscribeInstrument,
    UnsubscribeInstrumentClose,
    UnsubscribeInstruments,
    UnsubscribeInstrumentStatus,
    UnsubscribeMarkPrices,
    UnsubscribeOptionGreeks,
    UnsubscribeOrderBook,
    UnsubscribeQuoteTicks,
    UnsubscribeTradeTicks,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import DataType, OrderBookDeltas
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.model.instruments import Instrument

from nautilus_orderfeeds.adapter import custom_data
from nautilus_orderfeeds.adapter.config import OrderFeedDataClientConfig
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.instruments import OrderFeedInstrumentProvider, to_spec
from nautilus_orderfeeds.adapter.record import begin_recording
from nautilus_orderfeeds.adapter.subscriptions import subscribe_all
from nautilus_orderfeeds.adapter.ticks import TickMaker
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, FrameError, SendError, TransientFeedError
from nautilus_orderfeeds.feed.health import Health, HealthMonitor
from nautilus_orderfeeds.feed.market import Book, Channel
from nautilus_orderfeeds.feed.notes import HealthNote
from nautilus_orderfeeds.feed.recorder import FrameRecorder
from nautilus_orderfeeds.feed.session import FeedSession
from nautilus_orderfeeds.venues.base import Gap

_START_TIMEOUT_SECS: Final = 30.0


class OrderFeedDataClient(LiveMarketDataClient):
    """Data client of one venue.

    Parameters
    ----------
    loop, msgbus, cache, clock : Any
        The framework's.
    name : str
        Client id.
    config : OrderFeedDataClientConfig
        The venue's config.
    door : Door
        The venue's framework side.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: OrderFeedDataClientConfig,
        door: Door,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> None:
        market = door.make_market(config)
        provider = OrderFeedInstrumentProvider(
            market, door.venue, config.instruments, clock, config.instrument_provider
        )
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            venue=door.venue,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=provider,
            config=config,
        )
        self._config = config
        self._door = door
        self._market = market
        self._nt_venue = door.venue
        self._session: FeedSession | None = None
        self._recorder: FrameRecorder | None = None
        self._ticks: dict[str, TickMaker] = {}
        self._wanted: set[tuple[Channel, str]] = set()
        #: Frames that could not be read.
        self.malformed_frames = 0

    # -- life ------------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        try:
            await self._market.open()
            await self._instrument_provider.initialize()
            for instrument in self._instrument_provider.list_all():
                self._add(instrument)
            self._session = self._new_session()
            await self._session.start()
        except BaseException as e:
            await self._tear_down()
            if isinstance(e, FeedError):
                self._log.error(f"Cannot connect to {self._nt_venue}: {e}")
            raise

    def open_offline(self, instruments: list[Instrument]) -> None:
        """Make the client ready for `handle_frame` without any connection, with everything subscribed (replayer).

        Called again it begins anew, as a new connection does.
        """
        self._market = self._door.make_market(self._config)
        self._market.use_instruments([to_spec(instrument) for instrument in instruments])
        symbols = [instrument.id.symbol.value for instrument in instruments]
        self._ticks = {symbol: TickMaker(each) for symbol, each in zip(symbols, instruments, strict=True)}
        for ticks in self._ticks.values():
            ticks.want_all(self._market.capabilities.bars)
        subscribe_all(self._market, symbols)

    def _add(self, instrument: Instrument) -> None:
        self._ticks[instrument.id.symbol.value] = TickMaker(instrument)
        self._handle_data(instrument)

    def _new_session(self) -> FeedSession:
        stream = self._market.stream()
        instruments = self._instrument_provider.list_all()
        self._recorder = begin_recording(self._door, instruments, self._log, public=[stream], config=self._config)
        return FeedSession(
            stream,
            self.handle_frame,
            clock=self._door.clock,
            random=random.Random(),
            monitor=HealthMonitor(stream.name, self._door.clock, self._publish_health),
            on_fatal=self._on_fatal,
            sink=self._recorder,
            stale_after_secs=self._config.stale_after_secs,
            start_timeout_secs=_START_TIMEOUT_SECS,
        )

    async def _disconnect(self) -> None:
        await self._tear_down()

    async def _tear_down(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.stop()
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
        await self._market.close()

    def _on_fatal(self, error: FatalFeedError) -> None:
        self._log.error(f"Market data of {self._nt_venue} is down for good: {error}")

    def _publish_health(self, health: Health) -> None:
        data = custom_data.feed_health(self.id.value, health, self._clock.timestamp_ns())
        self._msgbus.publish(topic=f"data.{custom_data.FEED_HEALTH.topic}", msg=data)
        if self._recorder is not None:
            self._recorder.note(health.stream, HealthNote(health))

    # -- frames ----------------------------------------------------------------------------------------------------

    def handle_frame(self, raw: bytes) -> None:
        """Take in one frame of the public stream; one that cannot be read is counted and logged."""
        try:
            messages = self._market.decode(raw)
        except FrameError as e:
            self._count_malformed()
            self._log.error(str(e))
            return
        except Exception as e:
            self._count_malformed()
            self._log.exception(f"{self._door.name}: public frame could not be decoded", e)
            return
        now_ns = self._clock.timestamp_ns()
        for message in messages:
            if isinstance(message, Gap):
                if self._session is not None:
                    self._session.reconnect(message.reason)
                continue
            ticks = self._ticks.get(message.symbol)
            if ticks is None:
                continue
            try:
                made = ticks.make(message, now_ns)
            except ValueError as e:
                self._count_malformed()
                self._log.error(f"{self._door.name}: {type(message).__name__} of {message.symbol} is not usable: {e}")
                continue
            for data in made:
                self._handle_data(data)

    def _count_malformed(self) -> None:
        self.malformed_frames += 1
        if self._session is not None:
            self._session.count_malformed()

    # -- subscribe -------------------------------------------------------------------------------------------------

    async def _subscribe(self, command: SubscribeData) -> None:
        """Note a subscription of custom data: this package's own types are published whether anybody asks or not."""
        if command.data_type.type not in custom_data.PUBLISHED:
            self._log.error(f"{self._nt_venue} has no {command.data_type}")

    async def _unsubscribe(self, command: UnsubscribeData) -> None:
        """Do nothing: what is published is published for all."""

    async def _switch(self, channel: Channel, instrument_id: InstrumentId, *, on: bool) -> None:
        support = self._market.capabilities.data.get(channel)
        if support is None or not support.supported:
            note = f" ({support.note})" if support is not None and support.note else ""
            self._log.error(f"{self._nt_venue} has no {channel.value.lower().replace('_', ' ')}{note}")
            return
        symbol = instrument_id.symbol.value
        if symbol not in self._ticks:
            self._log.error(f"{instrument_id} is no loaded instrument: nothing is subscribed")
            return
        frames = self._market.subscribe(channel, symbol) if on else self._market.unsubscribe(channel, symbol)
        for frame in frames:
            try:
                if self._session is not None:
                    await self._session.send(frame)
            except SendError:
                return  # the handshake of the next connection restores every subscription
            except FeedError as e:
                self._log.warning(f"Subscription of {channel.name} {symbol} is repeated on reconnect: {e}")
                return

    async def _subscribe_quote_ticks(self, command: SubscribeQuoteTicks) -> None:
        await self._switch(Channel.QUOTES, command.instrument_id, on=True)

    async def _subscribe_trade_ticks(self, command: SubscribeTradeTicks) -> None:
        await self._switch(Channel.TRADES, command.instrument_id, on=True)

    async def _subscribe_mark_prices(self, command: SubscribeMarkPrices) -> None:
        await self._switch(Channel.MARK_PRICES, command.instrument_id, on=True)

    async def _subscribe_index_prices(self, command: SubscribeIndexPrices) -> None:
        await self._switch(Channel.INDEX_PRICES, command.instrument_id, on=True)

    async def _subscribe_funding_rates(self, command: SubscribeFundingRates) -> None:
        await self._switch(Channel.FUNDING_RATES, command.instrument_id, on=True)

    async def _subscribe_order_book_deltas(self, command: SubscribeOrderBook) -> None:
        if command.book_type == BookType.L3_MBO:
            self._log.error(f"{self._nt_venue} publishes price levels only: subscribe with BookType.L2_MBP")
            return
        await self._switch_book(command.instrument_id, deltas=True)

    async def _subscribe_order_book_depth(self, command: SubscribeOrderBook) -> None:
        await self._switch_book(command.instrument_id, depth=True)

    async def _switch_book(
        self, instrument_id: InstrumentId, *, deltas: bool | None = None, depth: bool | None = None
    ) -> None:
        """Deltas and depth come from one wire channel: it stays on while either is wanted."""
        ticks = self._ticks.get(instrument_id.symbol.value)
        if ticks is None:
            self._log.error(f"{instrument_id} is no loaded instrument: nothing is subscribed")
            return
        ticks.deltas_wanted = ticks.deltas_wanted if deltas is None else deltas
        ticks.depth_wanted = ticks.depth_wanted if depth is None else depth
        await self._switch(Channel.BOOK, instrument_id, on=ticks.deltas_wanted or ticks.depth_wanted)

    async def _subscribe_bars(self, command: SubscribeBars) -> None:
        bar_type = command.bar_type
        offered = self._market.capabilities.bars
        ticks = self._ticks.get(bar_type.instrument_id.symbol.value)
        if ticks is None or str(bar_type.spec) not in offered:
            others = f" but {', '.join(sorted(offered))}" if offered else ""
            self._log.error(
                f"{self._nt_venue} publishes no bars{others}: aggregate them internally (`...-INTERNAL` bar types)"
            )
            return
        ticks.bars_wanted[str(bar_type.spec)] = bar_type
        ticks.revised_bars = self._config.handle_revised_bars
        await self._switch(Channel.BARS, bar_type.instrument_id, on=True)

    async def _unsubscribe_bars(self, command: UnsubscribeBars) -> None:
        bar_type = command.bar_type
        ticks = self._ticks.get(bar_type.instrument_id.symbol.value)
        if ticks is not None and ticks.bars_wanted.pop(str(bar_type.spec), None) is not None:
            await self._switch(Channel.BARS, bar_type.instrument_id, on=bool(ticks.bars_wanted))

    async def _subscribe_instrument(self, command: SubscribeInstrument) -> None:
        instrument = self._instrument_provider.find(command.instrument_id)
        if instrument is None:
            self._log.error(f"{command.instrument_id} is no loaded instrument")
            return
        self._handle_data(instrument)

    async def _subscribe_instruments(self, command: SubscribeInstruments) -> None:
        for instrument in self._instrument_provider.list_all():
            self._handle_data(instrument)

    async def _unsubscribe_quote_ticks(self, command: UnsubscribeQuoteTicks) -> None:
        await self._switch(Channel.QUOTES, command.instrument_id, on=False)

    async def _unsubscribe_trade_ticks(self, command: UnsubscribeTradeTicks) -> None:
        await self._switch(Channel.TRADES, command.instrument_id, on=False)

    async def _unsubscribe_mark_prices(self, command: UnsubscribeMarkPrices) -> None:
        await self._switch(Channel.MARK_PRICES, command.instrument_id, on=False)

    async def _unsubscribe_index_prices(self, command: UnsubscribeIndexPrices) -> None:
        await self._switch(Channel.INDEX_PRICES, command.instrument_id, on=False)

    async def _unsubscribe_funding_rates(self, command: UnsubscribeFundingRates) -> None:
        await self._switch(Channel.FUNDING_RATES, command.instrument_id, on=False)

    async def _unsubscribe_order_book_deltas(self, command: UnsubscribeOrderBook) -> None:
        await self._switch_book(command.instrument_id, deltas=False)

    async def _unsubscribe_order_book_depth(self, command: UnsubscribeOrderBook) -> None:
        await self._switch_book(command.instrument_id, depth=False)

    async def _unsubscribe_instrument(self, command: UnsubscribeInstrument) -> None:
        """Do nothing: definitions are sent on request only."""

    async def _unsubscribe_instruments(self, command: UnsubscribeInstruments) -> None:
        """Do nothing: definitions are sent on request only."""

    # -- requests --------------------------------------------------------------------------------------------------

    async def _request_instrument(self, request: RequestInstrument) -> None:
        instrument = self._instrument_provider.find(request.instrument_id)
        if instrument is None:
            self._log.error(f"{request.instrument_id} is no loaded instrument")
            return
        self._handle_instrument(instrument, request.id, request.start, request.end, request.params)

    async def _request_instruments(self, request: RequestInstruments) -> None:
        found = self._instrument_provider.list_all()
        self._handle_instruments(request.venue, found, request.id, request.start, request.end, request.params)

    async def _request_order_book_snapshot(self, request: RequestOrderBookSnapshot) -> None:
        symbol = request.instrument_id.symbol.value
        ticks = self._ticks.get(symbol)
        try:
            book = await self._market.book(symbol) if ticks is not None else None
        except FeedError as e:
            self._log.error(f"Book snapshot of {request.instrument_id} failed: {e}")
            return
        if ticks is None or book is None:
            self._log.error(f"{self._nt_venue} has no book snapshot of {request.instrument_id}")
            return
        deltas = self._snapshot(ticks, book)
        data_type = DataType(OrderBookDeltas, metadata={"instrument_id": request.instrument_id})
        self._handle_data_response(data_type, [deltas], request.id, None, None, request.params)

    def _snapshot(self, ticks: TickMaker, book: Book) -> OrderBookDeltas:
        return ticks.deltas(book, self._clock.timestamp_ns())

    async def _request_funding_rates(self, request: RequestFundingRates) -> None:
        symbol = request.instrument_id.symbol.value
        ticks = self._ticks.get(symbol)
        start_ns = request.start.value if request.start is not None else 0
        end_ns = request.end.value if request.end is not None else self._clock.timestamp_ns()
        try:
            if ticks is None:
                raise TransientFeedError(f"{request.instrument_id} is no loaded instrument")
            rates = await self._market.funding_rates(symbol, start_ns, end_ns, request.limit)
        except FeedError as e:
            self._log.error(f"Funding rates of {request.instrument_id} failed: {e}")
            return
        if rates is None:
            self._log.error(f"{self._nt_venue} has no funding rate history")
            return
        now_ns = self._clock.timestamp_ns()
        updates = [ticks.funding_rate(rate, now_ns) for rate in rates]
        self._handle_funding_rates(
            request.instrument_id, updates, request.id, request.start, request.end, request.params
        )

    async def _request_quote_ticks(self, request: RequestQuoteTicks) -> None:
        self._no_history("quotes")

    async def _request_trade_ticks(self, request: RequestTradeTicks) -> None:
        self._no_history("trades")

    async def _request_bars(self, request: RequestBars) -> None:
        self._no_history("bars")

    async def _request_order_book_deltas(self, request: RequestOrderBookDeltas) -> None:
        self._no_history("book deltas")

    async def _request_order_book_depth(self, request: RequestOrderBookDepth) -> None:
        self._no_history("book depth")

    async def _request_forward_prices(self, request: RequestForwardPrices) -> None:
        self._none_of("forward prices")

    # -- what no venue here publishes: the base would raise, which the user sees as a crashed task ------------------

    async def _subscribe_instrument_status(self, command: SubscribeInstrumentStatus) -> None:
        self._none_of("instrument status")

    async def _unsubscribe_instrument_status(self, command: UnsubscribeInstrumentStatus) -> None:
        """Do nothing: none were subscribed."""

    async def _subscribe_instrument_close(self, command: SubscribeInstrumentClose) -> None:
        self._none_of("instrument close")

    async def _unsubscribe_instrument_close(self, command: UnsubscribeInstrumentClose) -> None:
        """Do nothing: none were subscribed."""

    async def _subscribe_option_greeks(self, command: SubscribeOptionGreeks) -> None:
        self._none_of("option greeks")

    async def _unsubscribe_option_greeks(self, command: UnsubscribeOptionGreeks) -> None:
        """Do nothing: none were subscribed."""

    def _no_history(self, what: str) -> None:
        self._log.error(f"{self._nt_venue} offers no historical {what}")

    def _none_of(self, what: str) -> None:
        self._log.error(f"{self._nt_venue} publishes no {what}")
