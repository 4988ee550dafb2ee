"""The life of an execution client: connect step by step, each failure by its name; restore; tear down."""

import asyncio

from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Currency

from nautilus_orderfeeds.adapter import cached, restore
from nautilus_orderfeeds.adapter.account import AccountKeeper
from nautilus_orderfeeds.adapter.commands import CommandDesk
from nautilus_orderfeeds.adapter.contingency import BracketKeeper
from nautilus_orderfeeds.adapter.execution_parts import ExecutionParts
from nautilus_orderfeeds.adapter.instruments import to_spec
from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.adapter.paths import journal_path
from nautilus_orderfeeds.adapter.position_watch import PositionWatch
from nautilus_orderfeeds.adapter.record import begin_recording
from nautilus_orderfeeds.adapter.resolver import Resolver
from nautilus_orderfeeds.adapter.sync import Synchronizer
from nautilus_orderfeeds.feed.errors import FeedError, TransientFeedError
from nautilus_orderfeeds.feed.health import FeedState, HealthMonitor
from nautilus_orderfeeds.feed.hub import open_session
from nautilus_orderfeeds.orders.journal import Journal, Retention
from nautilus_orderfeeds.venues.base import KnowsOrders, Told

#: Answers still awaited at disconnect; the framework gives up after 10 s (`timeout_disconnection`).
_DRAIN_SECS = 5.0
#: Orders that ended within this time before a restart are restored even if nothing depends on them.
_RESTORE_NS = 86_400_000_000_000


class ExecutionLife(ExecutionParts):
    """Connecting and disconnecting of `OrderFeedExecutionClient`."""

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._config.start_timeout_secs):
                await self._preflight()
                self._assemble()
                await self._register_account()
                self._restore()
                await self._start_feeds()
        except TimeoutError:
            await self._tear_down()
            late = TransientFeedError(
                f"{self._nt_venue}: not connected within {self._config.start_timeout_secs:g} s (`start_timeout_secs`)"
                + (f"; last cause: {self._last_cause}" if self._last_cause else "")
            )
            self._log.error(f"Cannot connect to {self._nt_venue}: {late}")
            raise late from None
        except BaseException as e:
            await self._tear_down()
            if isinstance(e, FeedError):
                self._log.error(f"Cannot connect to {self._nt_venue}: {e}")
            raise
        self._timer = self._loop.create_task(self._run_timer(), name="order feed timer")

    def open_offline(self, journal: str, instruments: list[Instrument]) -> Intake:
        """Make the client ready for `handle_frame` without any connection (replayer, benchmarks).

        Parameters
        ----------
        journal : str
            Path, or ``":memory:"``.
        instruments : list[Instrument]
            Instruments the frames are about.

        Returns
        -------
        Intake
            What the frames go through; its journal is the caller's to close.
        """
        self._open_journal(journal)
        self.load_offline(instruments)
        self._assemble()
        # There is nobody here to ask whose orders they are: the frames are what is to be seen.
        self._intake.introducing = self._intake.adopting = True
        return self._intake

    def load_offline(self, instruments: list[Instrument]) -> None:
        """Take further instruments that the frames are about."""
        self._take_instruments(instruments)
        self._venue.use_instruments([to_spec(instrument) for instrument in instruments])

    async def _preflight(self) -> None:
        """Check the journal, the venue, the credentials and the instruments; each failure says its name."""
        config = self._config
        self._open_journal(config.journal or str(journal_path(self.account_id.value, config.environment)))
        await self._venue.open()
        await self._instrument_provider.initialize()
        self._take_instruments(self._instrument_provider.list_all())

    def _open_journal(self, path: str) -> None:
        config = self._config
        self._journal = Journal(
            path,
            self.account_id.value,
            Retention(frame_days=config.journal_frame_days, order_days=config.journal_order_days),
            self._loop.call_soon,
        )
        pruned = self._journal.prune(self._clock.timestamp_ns())
        self._log.info(f"Journal {path}" + (f", {pruned} old rows pruned" if pruned else ""))
        self._venue.use_marks(self._journal.mark, self._journal.set_mark)

    def _take_instruments(self, instruments: list[Instrument]) -> None:
        for instrument in instruments:
            self._cache.add_instrument(instrument)
            spec = to_spec(instrument)
            self._rules[spec.symbol] = self._venue.rules(spec)

    def _assemble(self) -> None:
        assert self._journal is not None
        config = self._config
        self._intake = Intake(
            tracker=self._tracker,
            journal=self._journal,
            emitter=self._emitter,
            rules_of=self.rules_of,
            nt_venue=self._nt_venue,
            msgbus=self._msgbus,
            clock=self._clock,
            log=self._log,
        )
        self._intake.last_quote = self._last_quote
        if isinstance(self._venue, KnowsOrders):
            self._tracker.arrival_ns = int(self._venue.arrival_secs * 1e9)
            self._venue.use_orders(self._told)
        self._intake.adopting = not self._venue.capabilities.foreign_updates
        self._tracker.foreign_updates = self._venue.capabilities.foreign_updates
        self._account = AccountKeeper(
            self,
            self._venue.account,
            config.starting_balances,
            config.account_poll_secs,
            lambda: self._intake.fills_told + self._intake.orphaned_fills,
        )
        self._synchronizer = Synchronizer(
            venue=self._venue,
            intake=self._intake,
            clock=self._clock,
            log=self._log,
            timeout_secs=config.request_timeout_secs * 3,
            on_account=self._account.take,
        )
        self._resolver = Resolver(
            synchronizer=self._synchronizer,
            intake=self._intake,
            capabilities=self._venue.capabilities,
            settle_secs=config.settle_secs,
            clock=self._clock,
            log=self._log,
            rng=self._rng,
        )
        self._keeper = BracketKeeper(
            venue=self._venue,
            intake=self._intake,
            gate=self._gate,
            queue=self._queue,
            clock=self._clock,
            log=self._log,
        )
        self._desk = CommandDesk(
            venue=self._venue,
            intake=self._intake,
            resolver=self._resolver,
            client=self,
            cache=self._cache,
            clock=self._clock,
            gate=self._gate,
            keeper=self._keeper,
            request_timeout_secs=config.request_timeout_secs,
        )
        self._positions = PositionWatch(
            cache=self._cache,
            nt_venue=self._nt_venue,
            account_id=self.account_id,
            log=self._log,
            alert=self.handle_message,
        )
        self._resolver.resend = self._desk.resend_cancels
        self._keeper.send, self._keeper.cancel_at_venue = self._desk.send_recorded, self._desk.send_and_take
        self._intake.on_revenant = self._cancel_revenant if config.cancel_guessed else None

    def _told(self, venue_order_id: str) -> Told | None:
        tracked = self._tracker.get(None, venue_order_id)
        if tracked is None:
            return None
        state = tracked.state
        return Told(state.counted_qty + state.orphaned_qty, state.is_closed)

    def _restore(self) -> None:
        assert self._journal is not None
        records = self._journal.load()
        restore.into_tracker(records, self._tracker, self._rules, self._log)
        n = cached.catch_up(records, self._tracker, self._emitter, self._cache)
        if n:
            self._log.warning(f"The cache database lacked events of {n} order(s): told again from the journal")
        n = cached.adopt(
            self._cache, self._nt_venue, self.account_id, self._tracker, self._rules, self._journal, self._log
        )
        if n:
            self._log.warning(f"{n} order(s) of the cache database were not in the journal: taken over from there")
            self._journal.flush()
        self._intake.lifecycles.restore(self._journal.load() if n else records)
        if self._restored:
            n = restore.into_cache(
                records,
                self._tracker,
                self._emitter,
                self._cache,
                self.id,
                self._log,
                self._clock.timestamp_ns() - _RESTORE_NS,
            )
            if n:
                self._log.info(f"Restored {n} order(s) of an earlier run from the journal")
        for tracked in self._keeper.restore():
            self._resolver.watch(tracked, "its sending was interrupted")

    async def _register_account(self) -> None:
        """Tell the balances first of all: the engine drops the fill of an account it does not know."""
        account = await self._venue.account()
        if account is None:
            self._account.take_starting_balances(self._account_currencies())
        else:
            self._account.take(account)
        await self._await_account_registered(log_registered=False)

    def _account_currencies(self) -> list[Currency]:
        if self.base_currency is not None:
            return [self.base_currency]
        settled_in = {each.get_settlement_currency() for each in self._instrument_provider.list_all()}
        return sorted(settled_in - {None}, key=lambda currency: currency.code)

    async def _start_feeds(self) -> None:
        config = self._config
        streams = self._venue.streams()
        instruments = self._instrument_provider.list_all()
        self._recorder = begin_recording(self._door, instruments, self._log, private=streams, config=config)
        for n, stream in enumerate(streams):
            monitor = HealthMonitor(stream.name, self._door.clock, self._publish_health)
            session = open_session(
                stream,
                self.handle_frame,
                self._resync if n == 0 else self._resync_later,
                clock=self._door.clock,
                random=self._rng,
                monitor=monitor,
                on_fatal=self._on_fatal,
                sink=self._recorder,
                stale_after_secs=config.stale_after_secs,
                start_timeout_secs=config.start_timeout_secs,
                # A venue that is asked for its snapshot over the stream needs the answers while the reading goes on.
                buffer_during_resync=not self._venue.capabilities.snapshot_over_stream,
            )
            self._sessions.append(session)
            if n == 0:
                self._venue.attach(session.send)
            await session.start()

    async def _disconnect(self) -> None:
        for session in self._sessions:
            if session.state is not FeedState.LIVE:  # commands that wait for it are refused at once
                await session.stop()
        await self._commands.drain(min(self._config.request_timeout_secs, _DRAIN_SECS))
        await self._tear_down()

    async def _tear_down(self) -> None:
        """Release everything, whatever state it is in; idempotent."""
        timer, self._timer = self._timer, None
        reading, self._sync_task = self._sync_task, None
        for task in (timer, reading):  # neither may ask a venue that is closed, or tell what nobody listens to
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        sessions, self._sessions = self._sessions, []
        for session in sessions:
            await session.stop()
        await self._venue.close()
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
        if self._journal is not None:
            self._journal.close()
            self._journal = None
