"""The execution client's answers to the engine's questions: reports that fit what has been told.

The engine takes every report at its word and invents what is missing, so three things are kept in step here: no
report is given before the engine has applied the events told (`_caught_up_report`), nothing is left unexplained at
startup (`_stable_reading`), and no message is taken in between the reading of positions and their reconciliation.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from nautilus_trader.execution.messages import (
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
)
from nautilus_trader.execution.reports import (
    ExecutionMassStatus,
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.instruments import Instrument

from nautilus_orderfeeds.adapter import convert
from nautilus_orderfeeds.adapter.execution_parts import ExecutionParts
from nautilus_orderfeeds.adapter.sync import quietly
from nautilus_orderfeeds.feed.errors import FeedError
from nautilus_orderfeeds.orders.tracker import TrackedOrder

_CATCH_UP_SECS: Final = 2.0
_STABLE_TRIES: Final = 5
_MAX_HOLD_SECS: Final = 10.0
_NS_PER_MIN: Final = 60_000_000_000
_DEFAULT_LOOKBACK_MINS: Final = 24 * 60


class ExecutionReports(ExecutionParts):
    """Report generators of `OrderFeedExecutionClient`; its attributes are set there."""

    def _tracked(self, command: Any) -> TrackedOrder | None:
        client_order_id, venue_order_id = command.client_order_id, command.venue_order_id
        return self._tracker.get(
            client_order_id.value if client_order_id is not None else None,
            venue_order_id.value if venue_order_id is not None else None,
        )

    def _instrument_of(self, tracked: TrackedOrder) -> Instrument | None:
        return self._cache.instrument(InstrumentId(Symbol(tracked.terms.symbol), self._nt_venue))

    async def _caught_up_report(self, tracked: TrackedOrder) -> OrderStatusReport | None:
        """Return the order's report once the framework has applied every event told of it; None if it does not."""
        reports = await self._caught_up_reports([tracked])
        return reports[0] if reports else None

    async def _caught_up_reports(self, orders: Sequence[TrackedOrder]) -> list[OrderStatusReport]:
        """Return the reports of the orders of which the framework applies everything told within `_CATCH_UP_SECS`."""
        deadline = self._loop.time() + _CATCH_UP_SECS
        # The engine tells nobody when it has applied an event, so its orders are looked at.
        while self._loop.time() < deadline and not all(self._caught_up(t) for t in orders):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        reports: list[OrderStatusReport] = []
        for tracked in orders:
            instrument = self._instrument_of(tracked)
            if instrument is None or not self._caught_up(tracked):
                continue
            report = self._reports.order_report(tracked, instrument)
            if report is not None:
                reports.append(report)
        return reports

    def _caught_up(self, tracked: TrackedOrder) -> bool:
        native = self._emitter.native(tracked)
        if native is None:  # the framework does not know the order: nothing of it was told as an event
            return True
        order, state = native.order, tracked.state
        return bool(
            order.filled_qty.as_decimal() == state.filled_qty and convert.OUR_STATUS.get(order.status) is state.status
        )

    async def generate_order_status_report(self, command: GenerateOrderStatusReport) -> OrderStatusReport | None:
        """Return what is known of one order after asking the venue; None while it is still unknown."""
        tracked = self._tracked(command)
        if tracked is None:
            return None
        await quietly(self._synchronizer, [tracked], self._log)
        return await self._caught_up_report(tracked)

    async def generate_order_status_reports(self, command: GenerateOrderStatusReports) -> list[OrderStatusReport]:
        """Return the reports of all orders (open ones only if asked so).

        Raises
        ------
        FeedError
            If the venue could not be read: a partial list would be a false statement.
        """
        if command.open_only:
            await self._synchronizer.full()
        start_ns = command.start.value if command.start is not None else 0
        chosen: list[TrackedOrder] = []
        for tracked in list(self._tracker):
            if command.instrument_id is not None and tracked.terms.symbol != command.instrument_id.symbol.value:
                continue
            state = tracked.state
            if state.is_closed and self._restored and not tracked.external and self._emitter.native(tracked) is None:
                continue  # an own order too old to be restored: reported, it would come back as external
            if state.is_closed and (state.ts_last < start_ns or (command.open_only and not self._cached_open(tracked))):
                continue
            chosen.append(tracked)
        return await self._caught_up_reports(chosen)

    def _cached_open(self, tracked: TrackedOrder) -> bool:
        native = self._emitter.native(tracked)
        return native is not None and bool(native.order.is_open)

    async def generate_fill_reports(self, command: GenerateFillReports) -> list[FillReport]:
        """Return the fills told so far (the journal's, so also those of earlier runs)."""
        assert self._journal is not None
        self._journal.flush()
        start_ns = command.start.value if command.start is not None else 0
        end_ns = command.end.value if command.end is not None else None
        wanted = command.venue_order_id.value if command.venue_order_id is not None else None
        reports: list[FillReport] = []
        for client_order_id, fill in self._journal.fills(start_ns):
            tracked = self._tracker.get(client_order_id)
            if tracked is None or (end_ns is not None and fill.ts_event > end_ns):
                continue
            if wanted is not None and fill.venue_order_id != wanted:
                continue
            if command.instrument_id is not None and tracked.terms.symbol != command.instrument_id.symbol.value:
                continue
            instrument = self._instrument_of(tracked)
            if instrument is not None:
                reports.append(self._reports.fill_report(tracked, instrument, fill))
        return reports

    async def generate_position_status_reports(
        self, command: GeneratePositionStatusReports
    ) -> list[PositionStatusReport]:
        """Return the venue's net positions; of an instrument asked for by name also that it is flat.

        Raises
        ------
        FeedError
            If the venue could not be read.
        """
        if self._intake.introducing:
            await self._synchronizer.full()
        positions = self._synchronizer.positions
        if positions is None:
            return []
        if command.instrument_id is not None:
            instrument = self._cache.instrument(command.instrument_id)
            position = positions.get(command.instrument_id.symbol.value)
            return [] if instrument is None else [self._reports.position_report(position, instrument)]
        reports: list[PositionStatusReport] = []
        for symbol, position in positions.items():
            instrument = self._cache.instrument(InstrumentId(Symbol(symbol), self._nt_venue))
            if instrument is None:
                self._log.error(f"Venue position in {symbol}, which is no loaded instrument: it is not reported")
            elif position.signed_qty:
                reports.append(self._reports.position_report(position, instrument))
        return reports

    async def generate_mass_status(self, lookback_mins: int | None = None) -> ExecutionMassStatus | None:
        """Return the startup reports: orders, fills and positions that fit each other."""
        since_ns = self._clock.timestamp_ns() - (lookback_mins or _DEFAULT_LOOKBACK_MINS) * _NS_PER_MIN
        try:
            for update in await self._venue.history(since_ns):
                self._intake.update(update)
        except FeedError as e:
            self._log.warning(f"Order history could not be read; closed orders entered elsewhere are missing: {e}")
        try:
            await self._stable_reading()
        except FeedError as e:
            self._release_messages()
            self._log.error(f"Cannot reconcile: {e}")
            return None
        mass_status: ExecutionMassStatus | None = await super().generate_mass_status(lookback_mins)  # type: ignore[misc]
        if mass_status is None:
            self._release_messages()
        else:
            self._intake.introducing = True
        return mass_status

    async def _stable_reading(self) -> None:
        """Read orders and positions until two readings agree, then hold messages until the engine has reconciled.

        A fill between the reading of the orders and that of the positions would be counted twice: once in the
        position's report and once by its own event.
        """
        topic = f"reports.execution.{self.venue}"
        self._msgbus.subscribe(topic=topic, handler=self._reconciled)
        self._loop.call_later(_MAX_HOLD_SECS, self._release_messages)
        before: object = None
        for _ in range(_STABLE_TRIES):
            if self._held is None:
                self._held = []
            await self._synchronizer.full()
            for tracked in self._tracker.unsettled():
                self._intake.settle(tracked)
            await self._caught_up_reports(self._tracker.open_orders())
            now = (self._synchronizer.positions, self._intake.fills_told)
            if now == before and not self._held:
                return
            before = now
            self._release_messages()
        self._log.warning("The account keeps changing while it is read; positions may be reconciled late")
        self._held = []

    def _reconciled(self, _: object) -> None:
        self._release_messages()

    def _release_messages(self) -> None:
        """Take in the messages held back."""
        held, self._held = self._held, None
        for message in held or ():
            self.handle_message(message)
