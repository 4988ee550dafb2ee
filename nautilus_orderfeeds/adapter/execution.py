"""The one execution client, for every venue: what it knows of a venue is the `Venue` protocol and nothing else."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from nautilus_trader.accounting.factory import AccountFactory
from nautilus_trader.execution.messages import (
    BatchCancelOrders,
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    QueryAccount,
    QueryOrder,
    SubmitOrder,
    SubmitOrderList,
)
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import LiquiditySide as NtLiquiditySide
from nautilus_trader.model.identifiers import AccountId, ClientId, ClientOrderId, InstrumentId, StrategyId, Symbol
from nautilus_trader.model.identifiers import Venue as NtVenue
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money

from nautilus_orderfeeds.adapter import convert, custom_data, quotes
from nautilus_orderfeeds.adapter.account import currency_or_none
from nautilus_orderfeeds.adapter.command_queue import CommandQueue
from nautilus_orderfeeds.adapter.config import OrderFeedExecClientConfig
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.emitter import Emitter
from nautilus_orderfeeds.adapter.execution_life import ExecutionLife
from nautilus_orderfeeds.adapter.execution_reports import ExecutionReports
from nautilus_orderfeeds.adapter.instruments import OrderFeedInstrumentProvider
from nautilus_orderfeeds.adapter.reports import ReportBuilder
from nautilus_orderfeeds.adapter.sync import quietly
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, FrameError, TransientFeedError
from nautilus_orderfeeds.feed.health import FeedState, Health
from nautilus_orderfeeds.feed.notes import HealthNote
from nautilus_orderfeeds.feed.recorder import FrameRecorder
from nautilus_orderfeeds.feed.session_base import SessionBase
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.journal import Journal
from nautilus_orderfeeds.orders.tracker import OrderTracker, TrackedOrder
from nautilus_orderfeeds.orders.updates import AccountUpdate, OrderUpdate, Position
from nautilus_orderfeeds.venues.base import AccountChanged, Gap, Protection, Readback, Venue, VenueData, VenueMessage

_TICK_SECS = 0.1
#: A journal that could not be written is tried again so often.
_JOURNAL_RETRY_SECS = 2.0


class OrderFeedExecutionClient(ExecutionLife, ExecutionReports, LiveExecutionClient):
    """Execution client of one account at one venue.

    Parameters
    ----------
    loop, msgbus, cache, clock : Any
        The framework's.
    name : str
        Client id.
    config : OrderFeedExecClientConfig
        The venue's config.
    door : Door
        The venue's framework side: name, account type, how to make its `Venue`.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: OrderFeedExecClientConfig,
        door: Door,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> None:
        venue = door.make_venue(config)
        provider = OrderFeedInstrumentProvider(venue, door.venue, config.instruments, clock, config.instrument_provider)
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            # The engine takes one client a venue: a further account's is registered under its own name.
            venue=door.venue if name == door.name else NtVenue(name),
            oms_type=door.oms_type,
            account_type=door.account_type,
            base_currency=currency_or_none(door.base_currency),
            instrument_provider=provider,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=config,
        )
        if door.calculates_balances:
            AccountFactory.register_calculated_account(name)
        account_id = AccountId(f"{name}-{config.account}")
        self._set_account_id(account_id)
        self._config = config
        self._door = door
        self._venue: Venue = venue
        # Bound once, for the path of every frame.
        self._decode = venue.decode
        self._timestamp_ns = clock.timestamp_ns
        self._journal_stream = door.name
        self._nt_venue: NtVenue = door.venue
        self._rules: dict[str, Rules] = {}
        self._tracker = OrderTracker()
        self._reports = ReportBuilder(account_id, clock)
        self._emitter = Emitter(self, cache, door.venue, self._reports)
        self._commands = CommandQueue(self._log)
        self._sessions: list[SessionBase] = []
        self._journal: Journal | None = None
        self._recorder: FrameRecorder | None = None
        self._timer: asyncio.Task[None] | None = None
        self._sync_task: asyncio.Task[None] | None = None
        self._rng = random.Random()
        #: Why a feed was last not connected.
        self._last_cause = ""
        self._held: list[VenueMessage] | None = None
        self._restored = config.restore_orders
        #: Frames that could not be read: counted, kept in the journal, logged.
        self.malformed_frames = 0
        #: Venue messages that were published as custom data.
        self.venue_events = 0

    # -- for the other parts of this room --------------------------------------------------------------------------

    def rules_of(self, symbol: str) -> Rules | None:
        """Return the reducer's rules of a symbol, None if it is no loaded instrument."""
        return self._rules.get(symbol)

    def _last_quote(self, tracked: TrackedOrder) -> Decimal | None:
        instrument_id = InstrumentId(Symbol(tracked.terms.symbol), self._nt_venue)
        return quotes.best_opposite(self._cache, instrument_id, tracked.state.side)

    def strategy_of(self, tracked: TrackedOrder) -> StrategyId | None:
        """Return whose order it is as the framework sees it, None if it does not know the order."""
        native = self._emitter.native(tracked)
        return None if native is None else native.strategy_id

    @staticmethod
    def native_id(tracked: TrackedOrder) -> ClientOrderId:
        """Return the framework's client order id."""
        return ClientOrderId(tracked.client_order_id)

    # -- the feed --------------------------------------------------------------------------------------------------

    def handle_frame(self, raw: bytes) -> None:
        """Take in one frame of a private stream: the one way in, for the session, the replayer and the benchmarks.

        A frame that cannot be read is counted, kept in the journal and logged; it never stops the feed.
        """
        intake = self._intake
        now_ns = self._timestamp_ns()
        try:
            messages = self._decode(raw)
            intake.journal.append_frame(self._journal_stream, raw, now_ns)
            if self._held is not None:
                self._held.extend(messages)
                return
            for message in messages:
                if type(message) is OrderUpdate:
                    intake.update(message, now_ns)
                elif type(message) is AccountChanged:  # beside nearly every fill
                    self._account.wanted = True
                else:
                    self.handle_message(message)
        except FrameError as e:
            self._malformed(raw, now_ns, str(e))
            self._log.error(str(e))
        except Exception as e:
            self._malformed(raw, now_ns, repr(e))
            self._log.exception(f"{self._door.name}: a frame could not be handled; it is kept in the journal", e)

    def _malformed(self, raw: bytes, now_ns: int, fault: str) -> None:
        self._count_malformed()
        self._intake.journal.append_frame(self._door.name, raw, now_ns, fault=fault)
        if self._sessions:  # it may have been the only news of some order
            self._resolver.read_all_soon()

    def _count_malformed(self) -> None:
        self.malformed_frames += 1
        if self._sessions:
            self._sessions[0].count_malformed()

    def handle_message(self, message: VenueMessage) -> None:
        """Take in one decoded message."""
        match message:
            case AccountChanged():
                self._account.wanted = True
            case OrderUpdate():
                self._intake.update(message)
            case AccountUpdate():
                self._account.take(message)
            case Position():
                if self._synchronizer.positions is not None:
                    self._synchronizer.positions[message.symbol] = message
            case Readback():
                self._read_back(message)
            case Gap():
                if self._sessions:
                    self._sessions[0].reconnect(message.reason)
            case Protection():
                self.venue_events += 1
                instrument_id = InstrumentId(Symbol(message.symbol), self._nt_venue)
                update = custom_data.protection_update(message, instrument_id, self._clock.timestamp_ns())
                self._msgbus.publish(topic=f"data.{custom_data.PROTECTION_UPDATE.topic}", msg=update)
            case VenueData():
                self.venue_events += 1
                data = custom_data.venue_event(self.id.value, message, self._clock.timestamp_ns())
                self._msgbus.publish(topic=f"data.{custom_data.VENUE_EVENT.topic}", msg=data)

    def _read_back(self, message: Readback) -> None:
        if message.is_malformed:
            self._count_malformed()
        reason = message.reason or "stream hint"
        tracked = self._tracker.get(None, message.venue_order_id)
        if tracked is not None:
            self._resolver.watch(tracked, reason, delay_secs=0.0, hint=True)
        elif message.venue_order_id is None or not self._venue.capabilities.foreign_updates:
            self._sync_soon(reason)

    def _sync_soon(self, reason: str) -> None:
        if self._sessions and (self._sync_task is None or self._sync_task.done()):
            self._log.debug(f"Reading the account back: {reason}")
            self._sync_task = self.create_task(self._audit(), log_msg="read back")

    async def _resync(self) -> None:
        await self._synchronizer.full()

    async def _resync_later(self) -> None:
        """A second stream's resync: what it missed is found by the same full reading."""
        await self._synchronizer.full()

    async def _audit(self) -> None:
        try:
            await self._synchronizer.full()
        except FeedError as e:
            self._log.warning(f"Audit failed, trying again later: {e}")
        except Exception as e:
            self._log.exception("Reading the account back failed; going on", e)
        else:
            unsettled = {tracked.terms.symbol for tracked in self._tracker.unsettled()}
            positions = self._synchronizer.positions if self._synchronizer.positions_told else None
            self._positions.compare(positions, self._intake.fills_told, unsettled)

    async def _gate(self) -> None:
        """Return when every private stream is live: no command goes out before.

        Raises
        ------
        FeedError
            If a stream is down for good or does not come back in time.
        """
        for session in self._sessions:
            if session.state is not FeedState.LIVE:
                await session.wait_live(self._config.start_timeout_secs)
        if not self._sessions:
            raise TransientFeedError(f"{self._nt_venue}: not connected")

    def _cancel_revenant(self, tracked: TrackedOrder) -> None:
        """Cancel at the venue what the engine believes to be over."""
        self._queue(f"cancel of revenant {tracked.client_order_id}", lambda: self._desk.cancel_at_venue(tracked))

    def _on_fatal(self, error: FatalFeedError) -> None:
        self._log.error(f"Feed of {self._nt_venue} is down for good, no more orders are sent: {error}")

    def _publish_health(self, health: Health) -> None:
        if health.state is FeedState.CONNECTING and health.detail:
            self._last_cause = health.detail
        data = custom_data.feed_health(self.id.value, health, self._clock.timestamp_ns())
        self._msgbus.publish(topic=f"data.{custom_data.FEED_HEALTH.topic}", msg=data)
        if self._recorder is not None:
            self._recorder.note(health.stream, HealthNote(health))

    async def _run_timer(self) -> None:
        """Do what is due by the clock. It outlives every failure of its parts."""
        audit_secs = self._config.audit_interval_secs
        next_audit = self._clock.timestamp() + audit_secs
        next_prune = self._clock.timestamp() + 86_400
        next_retry = 0.0
        try:
            while True:
                await asyncio.sleep(_TICK_SECS)
                now = self._clock.timestamp()
                try:
                    self._intake.refresh_subscribers()
                    live = all(session.state is FeedState.LIVE for session in self._sessions)
                    await self._resolver.tick()
                    self._keeper.tick()
                    self._account.tick(now)
                    if audit_secs and now >= next_audit and live:
                        next_audit = now + audit_secs
                        self._sync_soon("audit")
                    if self._journal is not None and self._journal.failure is not None and now >= next_retry:
                        next_retry = now + _JOURNAL_RETRY_SECS
                        if self._journal.retry():
                            self._log.info("The journal can be written again: orders are sent again")
                    if now >= next_prune and self._journal is not None:
                        next_prune = now + 86_400
                        self._journal.prune(self._clock.timestamp_ns())
                except FeedError as e:
                    self._log.warning(f"Timer: {e}")
                except Exception as e:
                    self._log.exception("Timer step failed; going on", e)
        finally:
            await self._account.stop()

    # -- commands: queued the moment they are given ----------------------------------------------------------------

    def submit_order(self, command: SubmitOrder) -> None:
        """Queue a submit."""
        self._intake.introducing = True
        self._queue("submit_order", lambda: self._desk.submit(command))

    def submit_order_list(self, command: SubmitOrderList) -> None:
        """Queue the submit of a list."""
        self._intake.introducing = True
        self._queue("submit_order_list", lambda: self._desk.submit_list(command))

    def modify_order(self, command: ModifyOrder) -> None:
        """Queue a modification."""
        self._desk.noted_modify(command.client_order_id)
        self._queue("modify_order", lambda: self._desk.modify(command))

    def cancel_order(self, command: CancelOrder) -> None:
        """Queue a cancel."""
        self._desk.noted_cancel(command.client_order_id)
        self._queue("cancel_order", lambda: self._desk.cancel(command))

    def cancel_all_orders(self, command: CancelAllOrders) -> None:
        """Queue a cancel of all."""
        self._queue("cancel_all_orders", lambda: self._desk.cancel_all(command))

    def batch_cancel_orders(self, command: BatchCancelOrders) -> None:
        """Queue a batch of cancels."""
        for cancel in command.cancels:
            self._desk.noted_cancel(cancel.client_order_id)
        self._queue("batch_cancel_orders", lambda: self._desk.cancel_batch(command))

    def _queue(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        self._commands.put(name, run)

    async def _query_account(self, command: QueryAccount) -> None:
        self._account.wanted = True

    async def _query_order(self, command: QueryOrder) -> None:
        tracked = self._tracked(command)
        if tracked is None:
            self._log.warning(f"Query of {command.client_order_id!r}: not an order of this account")
            return
        await quietly(self._synchronizer, [tracked], self._log)
        report = await self._caught_up_report(tracked)
        if report is not None:
            self._send_order_status_report(report)

    def calculate_commission(
        self, instrument: Instrument, last_qty: Any, last_px: Any, liquidity_side: NtLiquiditySide
    ) -> Money | None:
        """Return the instrument's own rate for a fill the engine inferred (we avoid that it has to)."""
        maker = liquidity_side == NtLiquiditySide.MAKER
        rate: Decimal = instrument.maker_fee if maker else instrument.taker_fee
        notional = last_qty.as_decimal() * last_px.as_decimal() * instrument.multiplier.as_decimal()
        return convert.money(notional * rate, instrument.get_settlement_currency().code)
