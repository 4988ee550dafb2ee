"""What this client remembers of one account between readings: orders by both names, orders without one, balances."""

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from nautilus_orderfeeds.feed.clock import Clock
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.requests import Accepted, NewOrder, OrderRef, Outcome, Refused
from nautilus_orderfeeds.orders.updates import AccountUpdate, Balance, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.base import Protection, Readback, Truth, VenueData, VenueMessage
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.external import external_update
from nautilus_orderfeeds.venues.outpoll.frames import Hint, Ping, Snapshot, Unforeseen, decode_frame
from nautilus_orderfeeds.venues.outpoll.matching import match, may_be_ours
from nautilus_orderfeeds.venues.outpoll.memory import Calm, Intent, OrderMemory, memory_of_ref
from nautilus_orderfeeds.venues.outpoll.pairs import Pairs, closes, entry_of
from nautilus_orderfeeds.venues.outpoll.queries import Reading, time_ns
from nautilus_orderfeeds.venues.outpoll.readback import Judge, filled_of
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.words import QUOTE, VENUE, side_of

_log = logging.getLogger(__name__)

#: Ended orders, and hints about orders not named yet, that are remembered (protocol, 13.3).
_KEPT: Final = 1_000


class Ledger:
    """The account's memory.

    Parameters
    ----------
    settings : OutpollSettings
        What to assume of what is not documented.
    clock : Clock
        Source of time.
    specs : dict[str, InstrumentSpec]
        Loaded instruments by symbol, kept up by the venue.
    """

    def __init__(self, settings: OutpollSettings, clock: Clock, specs: dict[str, InstrumentSpec]) -> None:
        self._settings = settings
        self._clock = clock
        self._specs = specs
        self.wallet = Wallet()
        self._judge = Judge(settings, self.wallet)
        self._memories: dict[str, OrderMemory] = {}
        #: The venue's id by ours, of the same orders.
        self._ids: dict[str, str] = {}
        self._intents: dict[str, Intent] = {}
        self.pairs = Pairs(settings, clock)
        #: FAILED or not, of orders that nobody knows yet.
        self._early: dict[str, list[bool]] = {}
        self._seen_ns: dict[str, int] = {}
        self._started_ns = clock.time_ns()
        #: Orders entered elsewhere whose fills are explained; None before the first reading.
        self._folded: set[str] | None = None
        #: Whether positions may be taken for what they are although the wallet tells others.
        self.gave_up_agreeing = False
        #: Whether a venue order id is that of a known order, earlier runs' included.
        self.is_known: Callable[[str], bool] = lambda _: False

    # -- orders sent -------------------------------------------------------------------------------------------------

    def sending(self, order: NewOrder) -> Intent:
        """Note an order before it is sent."""
        intent = Intent(terms=order, sent_ns=self._clock.time_ns(), calm=Calm(self._clock.monotonic()), under_way=True)
        self._intents[order.client_order_id] = intent
        return intent

    def sent(self, intent: Intent, outcome: Outcome | None) -> None:
        """Note how sending ended; None: no answer was waited for."""
        intent.under_way = False
        intent.calm.stir(self._clock.monotonic())
        if isinstance(outcome, Accepted) and outcome.venue_order_id is not None:
            self._name(intent, outcome.venue_order_id)
        elif isinstance(outcome, Refused):
            self._intents.pop(intent.terms.client_order_id, None)

    def _name(self, intent: Intent, venue_order_id: str) -> OrderMemory:
        self._intents.pop(intent.terms.client_order_id, None)
        now = self._clock.monotonic()
        memory = OrderMemory(
            venue_order_id=venue_order_id,
            client_order_id=intent.terms.client_order_id,
            terms=intent.terms,
            taken=now,
            calm=Calm(now),
        )
        for failed in self._early.pop(venue_order_id, ()):
            memory.hear(now, failed=failed)
        self._keep(memory)
        return memory

    def _keep(self, memory: OrderMemory) -> None:
        self._memories[memory.venue_order_id] = memory
        self._ids[memory.client_order_id] = memory.venue_order_id

    def cancelling(self, ref: OrderRef) -> None:
        """Note a cancel before it is sent: what fails from now on may be the cancel."""
        memory = self._memories.get(ref.venue_order_id or "")
        if memory is not None:
            memory.cancel_asked = True
            memory.calm.stir(self._clock.monotonic())

    def cancelled(self, ref: OrderRef, outcome: Outcome) -> None:
        """Note how asking for a cancel ended."""
        now = self._clock.monotonic()
        pair = self.pairs.find(entry_of(ref.venue_order_id or ""))
        if pair is not None:
            pair.calm.stir(now)
        memory = self._memories.get(ref.venue_order_id or "")
        if memory is not None:
            memory.calm.stir(now)
            memory.hinted = True

    def remember(self, refs: Sequence[OrderRef]) -> None:
        """Take up orders of an earlier run."""
        now = self._clock.monotonic()
        for ref in refs:
            if self.pairs.remember(ref):
                continue
            if ref.venue_order_id is None:
                # Whoever asks may have done so before the order was named: it is no second one in flight.
                is_known = ref.client_order_id in self._intents or ref.client_order_id in self._ids
                if ref.terms is not None and not is_known:
                    intent = Intent(terms=ref.terms, sent_ns=ref.created_ns, calm=Calm(now))
                    self._intents[ref.client_order_id] = intent
                continue
            if ref.venue_order_id not in self._memories:
                memory = memory_of_ref(ref, ref.venue_order_id, now)
                if memory is not None:
                    self._keep(memory)
                    self._intents.pop(ref.client_order_id, None)

    # -- the streams -------------------------------------------------------------------------------------------------

    def take_frame(self, raw: bytes) -> list[VenueMessage]:
        """Take in one frame; raises `FrameError`. It proves nothing about an order but that it is to be read back."""
        found = decode_frame(raw)
        match found:
            case Ping():
                return []
            case Hint():
                return self._take_hint(found)
            case Snapshot():
                return self._take_changes(self.take_balances(found.balances))
            case wire.BalanceDelta():
                changed = self.wallet.take_delta(found, self._clock.monotonic())
                return self._take_changes({found.a} if changed else set(), is_quote=found.a in self.wallet.quote_ids)
            case wire.TpslData():
                return self._take_tpsl(found)
            case Unforeseen():
                return [VenueData(kind=found.kind, data={}), Readback(reason=found.kind)]

    def take_balances(self, rows: list[wire.BalanceRow]) -> set[str]:
        """Take in all balances; return the assets that have changed."""
        return self.wallet.take_snapshot(rows, self._clock.monotonic())

    def _take_hint(self, hint: Hint) -> list[VenueMessage]:
        order_id = hint.venue_order_id
        now = self._clock.monotonic()
        memory = self._memories.get(order_id)
        readback = Readback(order_id, f"ORDER_UPDATE {'FAILED' if hint.failed else 'SUCCESS'}")
        if memory is None:
            pair = self.pairs.find(order_id)
            if pair is not None:
                pair.calm.stir(now)
                return [Readback(leg_id, readback.reason) for leg_id, _ in pair.legs]
            self._early.setdefault(order_id, []).append(hint.failed)
            while len(self._early) > _KEPT:
                self._early.pop(next(iter(self._early)))
            return [readback]
        memory.hear(now, failed=hint.failed)
        if hint.failed or memory.ended:
            return [readback]
        # That it lives is all that SUCCESS may be taken for (protocol, 13.4).
        live = OrderUpdate(source=Source.STREAM, venue_order_id=order_id, status=VenueStatus.WORKING)
        return [live, readback]

    def _take_changes(self, assets: set[str], *, is_quote: bool = True) -> list[VenueMessage]:
        """Have the orders read back that may have filled, and tell the balances."""
        now = self._clock.monotonic()
        messages: list[VenueMessage] = []
        for memory in self._memories.values():
            if memory.asset in assets and not memory.ended:
                memory.hinted = True
                memory.calm.stir(now)
                messages.append(Readback(memory.venue_order_id, "balance change"))
        account = self.account() if is_quote else None
        return messages if account is None else [account, *messages]

    def _take_tpsl(self, update: wire.TpslData) -> list[VenueMessage]:
        told = Protection(
            venue_order_id=update.i,
            symbol=update.a,
            status=update.s,
            quantity=update.q,
            take_profit=update.tpp,
            stop_loss=update.slp,
        )
        pair = self.pairs.find(update.i)
        if pair is None:
            return [told, Readback(reason="TPSL_UPDATE")]
        pair.calm.stir(self._clock.monotonic())
        return [told, *(Readback(order_id, "TPSL_UPDATE") for order_id, _ in pair.legs)]

    # -- readings ----------------------------------------------------------------------------------------------------

    def wanted(self, refs: Sequence[OrderRef]) -> dict[str, int]:
        """Return the orders whose rows are needed, with when they were created; unnamed ones by our own name."""
        return {self._id_of(ref) or ref.client_order_id: ref.created_ns for ref in refs if ref.created_ns}

    def _id_of(self, ref: OrderRef) -> str | None:
        """Return the venue's id of an order, which may have been learned after `ref` was made."""
        return ref.venue_order_id or self._ids.get(ref.client_order_id)

    def judge(self, refs: Sequence[OrderRef], reading: Reading) -> Truth:
        """Say what a reading proves."""
        now, settings = self._clock.monotonic(), self._settings
        for order_id in reading.active.keys() | reading.history.keys():
            # An order sent while the reading was under way may be in it.
            self._seen_ns.setdefault(order_id, max(reading.began_ns, reading.listed_ns))
        intents = list(self._intents.values())
        others = self.others(reading)
        for intent, order_id in match(
            intents, reading, others, self._seen_ns, settings.read_settle_secs, settings.read_gap_secs
        ):
            self._name(intent, order_id)
        self._fold_externals(reading)
        unsolvable = {intent.terms.symbol for intent in self._intents.values()} | self.pairs.may_have_fired(self.wallet)
        verdict = self._judge.judge(self._memories.values(), reading, now, unsolvable)
        updates = [*verdict.updates, *self._externals(reading)]
        open_ids = verdict.unsure
        unsure = [ref for ref in refs if self._id_of(ref) in open_ids or ref.client_order_id in self._intents]
        self._shed()
        return Truth(updates=updates, unsure=unsure, absent=self._absent(refs, reading))

    def _absent(self, refs: Sequence[OrderRef], reading: Reading) -> list[OrderRef]:
        """Return the orders in flight that no list has shown for as long as the configuration says."""
        limit_secs = self._settings.absent_after_secs
        if limit_secs is None:
            return []
        absent = []
        for ref in refs:
            intent = self._intents.get(ref.client_order_id)
            if intent is None or intent.under_way or intent.calm.agreed is None or intent.calm.seen != ():
                continue
            if reading.began_ns - intent.sent_ns > limit_secs * 1_000_000_000:
                absent.append(ref)
                del self._intents[ref.client_order_id]
        return absent

    def _fold_externals(self, reading: Reading) -> None:
        """Take the fills of orders entered elsewhere out of the equation of the balances."""
        is_first = self._folded is None
        folded = self._folded = self._folded if self._folded is not None else set()
        intents = list(self._intents.values())
        for order_id, row in reading.history.items():
            if order_id in folded or order_id in self._memories or may_be_ours(intents, reading, order_id):
                continue
            filled = filled_of(row)
            if self._judge.status_of(row) is not VenueStatus.FILLED or filled is None:
                continue
            folded.add(order_id)
            side = side_of(row.si)
            if side is None:
                _log.error("%s: order %s entered elsewhere has no readable side: it is not told", VENUE, order_id)
            elif not is_first and time_ns(row) >= self._started_ns:
                shares = filled if side is OrderSide.BUY else -filled
                if self.wallet.pay(row.a, shares, row.p, is_alone=False) is None:
                    self.wallet.fold(row.a, shares, None)

    def _externals(self, reading: Reading) -> list[OrderUpdate]:
        named, intents = self.named(), list(self._intents.values())
        closing = self.pairs.open()
        found = []
        for order_id in reading.history.keys() | reading.active.keys():
            if order_id in named or may_be_ours(intents, reading, order_id):
                continue
            row = reading.history.get(order_id)
            if row is not None and any(closes(pair, row) for pair in closing):
                continue  # it may be what a take-profit or stop-loss became
            update = external_update(order_id, reading, self._settings, self._specs)
            if update is not None:
                found.append(update)
        return found

    def named(self) -> set[str]:
        """Return the ids of the orders that are ours, and of those that a take-profit or stop-loss became."""
        return self._memories.keys() | self.pairs.closing_ids()

    def others(self, reading: Reading) -> set[str]:
        """Return the orders of a reading that are known, so none of those in flight: ours, or entered elsewhere."""
        return self.named() | {order_id for order_id in reading.order_ids() if self.is_known(order_id)}

    def _shed(self) -> None:
        ended = [memory.venue_order_id for memory in self._memories.values() if memory.ended]
        for order_id in ended[:-_KEPT]:
            memory = self._memories.pop(order_id)
            self._ids.pop(memory.client_order_id, None)

    # -- balances ----------------------------------------------------------------------------------------------------

    def account(self) -> AccountUpdate | None:
        """Return the USDC balance; None if it is not told or makes no sense (protocol, 13.6)."""
        quote = self.wallet.quote()
        if quote is None:
            return None
        total, free = quote
        if free > total:
            _log.error("%s: free %s exceeds the balance %s: not taken", VENUE, plain(free), plain(total))
            return None
        return AccountUpdate(balances=(Balance(currency=QUOTE, total=total, free=free),))

    def needs_balances(self) -> bool:
        """Whether balances have something to explain, or to be explained."""
        return self._settings.trades_fields is None and (
            not self.wallet.is_calm or any(not m.ended and m.hinted for m in self._memories.values())
        )

    def trusts(self, positions: Mapping[str, Decimal], began: float) -> bool:
        """Whether positions read from `began` on may be compared with the fills told so far.

        Both come from a read side that may lag, and not by the same time. The wallet does not: as long as it has
        changed lately, or fills are missing that it tells of, or it agrees with no position, nothing is proved.

        Parameters
        ----------
        positions : Mapping[str, Decimal]
            Shares by symbol, as read.
        began : float
            Before the orders were read, seconds of the clock's `monotonic`.
        """
        wallet, settings = self.wallet, self._settings
        if settings.trades_fields is None and (
            not wallet.is_calm or any(not memory.ended and memory.filled is None for memory in self._memories.values())
        ):
            return False
        settled = began - wallet.shares_changed_at() >= settings.read_settle_secs + settings.read_gap_secs
        return settled and (not wallet.known or self.agrees(positions) or self.gave_up_agreeing)

    def agrees(self, positions: Mapping[str, Decimal]) -> bool:
        """Whether positions are what the wallet holds of the loaded instruments."""
        held = {asset: total for asset, total in self.wallet.shares().items() if asset in self._specs}
        return held == {symbol: qty for symbol, qty in positions.items() if symbol in self._specs and qty}
