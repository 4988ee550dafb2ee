"""From readings to statements about orders: what each reading proves, and what it does not (protocol, 13.4 and 13.5).

Positive evidence counts at once: an order in the list of active ones is live, FILLED is filled, a trade is a trade.
Absence, and whatever is derived from balances, counts only once it is settled: two readings that agree, both begun long
enough after the last thing heard of the order (`memory.Calm`). Until then the order is named in `Verdict.unsure`.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from msgspec import Struct, field

from nautilus_orderfeeds.orders.decimals import ZERO, plain
from nautilus_orderfeeds.orders.updates import END_STATUSES, Fill, OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.venues.outpoll import assumed, wire
from nautilus_orderfeeds.venues.outpoll.attribution import Attribution
from nautilus_orderfeeds.venues.outpoll.memory import OrderMemory
from nautilus_orderfeeds.venues.outpoll.queries import Reading, time_ns
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.words import FAILED, QUOTE, VENUE

_log = logging.getLogger(__name__)

VENUE_FAILED: Final = "VENUE_FAILED"
_ID_CHARS: Final = 32


def inferred_trade_id(venue_order_id: str, cumulative: Decimal) -> str:
    """Return the id of a derived fill: hash of the order and the cumulative quantity after it (protocol, 13.5 H)."""
    return _hashed("H", venue_order_id, plain(cumulative))


def trade_id(venue_order_id: str, venue_trade_id: str) -> str:
    """Return the id of a trade: one venue trade may hit two own orders (protocol, 13.5 T)."""
    return _hashed("T", venue_order_id, venue_trade_id)


def _hashed(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:_ID_CHARS]


class Verdict(Struct):
    """What a reading has proved: statements, and the orders of which more is to be read soon."""

    updates: list[OrderUpdate] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)


class Judge:
    """Judges readings of one account.

    Parameters
    ----------
    settings : OutpollSettings
        Settle times, field maps, meanings of words.
    wallet : Wallet
        Balances, which explain what no row tells.
    """

    def __init__(self, settings: OutpollSettings, wallet: Wallet) -> None:
        self._settings = settings
        self._wallet = wallet
        self._attribution = Attribution(settings, wallet)
        self._unknown_words: set[str] = set()

    def judge(self, memories: Iterable[OrderMemory], reading: Reading, now: float, unnamed_assets: set[str]) -> Verdict:
        """Say what `reading` proves about the orders remembered.

        Parameters
        ----------
        memories : Iterable[OrderMemory]
            Named orders, also those that have ended: late fills count.
        reading : Reading
            Complete for all of them.
        now : float
            Seconds of the clock's `monotonic`.
        unnamed_assets : set[str]
            Assets in which an own order is in flight that the venue has not named.
        """
        verdict = Verdict()
        calm: dict[str, bool] = {}
        orders = list(memories)
        for memory in orders:
            calm[memory.venue_order_id] = self._note(memory, reading)
        if self._settings.trades_fields is None:
            self._attribution.attribute(orders, reading, calm, self.status_of, now, unnamed_assets)
        for memory in orders:
            if memory.ended and not self._is_news(memory, reading):
                continue
            is_calm = calm[memory.venue_order_id]
            update, is_final = self._state(memory, reading, now, is_calm=is_calm)
            if update is not None:
                verdict.updates.append(update)
            if not is_final and not memory.ended:
                verdict.unsure.add(memory.venue_order_id)
        return verdict

    def status_of(self, row: wire.HistoryOrder | None) -> VenueStatus | None:
        """Return what a row of the history says; None without a row, or if its word is not known (protocol, 12)."""
        if row is None:
            return None
        return self._meaning(row.st)

    def _meaning(self, word: str) -> VenueStatus | None:
        status = self._settings.statuses.get(word.upper())
        if status is None and word not in self._unknown_words:
            self._unknown_words.add(word)
            _log.error(
                "%s: order status %r is not known, so it proves nothing: say what it means in the config field "
                "`order_statuses`",
                VENUE,
                word[:40],
            )
        return status

    def _note(self, memory: OrderMemory, reading: Reading) -> bool:
        order_id = memory.venue_order_id
        active, row = reading.active.get(order_id), reading.history.get(order_id)
        memory.trades.update(reading.trades.get(order_id, {}))
        memory.seen_active = memory.seen_active or active is not None
        seen = (
            None if active is None else (active.row.status, active.row.quantity),
            None if row is None else (row.st, row.q, row.oq),
            len(memory.trades),
        )
        return memory.calm.note(seen, reading.began, self._settings.read_settle_secs, self._settings.read_gap_secs)

    def _is_news(self, memory: OrderMemory, reading: Reading) -> bool:
        row = reading.history.get(memory.venue_order_id)
        is_filled = self.status_of(row) is VenueStatus.FILLED and not memory.is_market_buy
        return bool(memory.trades) or (is_filled and row is not None and filled_of(row) != memory.filled)

    def _state(
        self, memory: OrderMemory, reading: Reading, now: float, *, is_calm: bool
    ) -> tuple[OrderUpdate | None, bool]:
        """Return what is known of one order now, and whether nothing more is expected soon."""
        order_id = memory.venue_order_id
        active, row = reading.active.get(order_id), reading.history.get(order_id)
        status = self.status_of(row)
        if status in END_STATUSES:
            return self._ended(memory, status, row, is_calm=is_calm)
        if active is not None or status is not None:
            return self._live(memory, row, is_calm=is_calm)
        if row is not None:  # a word nobody knows: no terminal event (protocol, 12)
            return self._maybe_live(memory, now), is_calm
        return self._absent(memory, now, is_calm=is_calm)

    # -- ended -------------------------------------------------------------------------------------------------------

    def _ended(
        self, memory: OrderMemory, status: VenueStatus, row: wire.HistoryOrder | None, *, is_calm: bool
    ) -> tuple[OrderUpdate | None, bool]:
        filled = self._filled_at_end(memory, status, row, is_calm=is_calm)
        if filled is None:
            if is_calm:
                self._complain(memory, f"{status.name}, but how much of it was filled cannot be told")
            # Only of an order that was seen alive may more be told before its end is: it may have been refused.
            was_live = memory.seen_active or memory.succeeded
            return (self._update(memory, VenueStatus.WORKING, row) if was_live else None), is_calm
        memory.ended = True
        return self._update(memory, status, row, filled=filled), True

    def _filled_at_end(
        self, memory: OrderMemory, status: VenueStatus, row: wire.HistoryOrder | None, *, is_calm: bool
    ) -> Decimal | None:
        """Return the final filled quantity, None as long as it is not certain."""
        told = None if row is None else filled_of(row) if status is VenueStatus.FILLED else row.q
        if self._settings.trades_fields is None:
            if memory.filled is not None and (memory.ended or self._attribution.is_certain(memory)):
                return memory.filled
            return None
        traded = sum((trade.quantity for trade in memory.trades.values()), ZERO)
        if told == traded:
            return traded
        if not is_calm:
            return None
        if status is VenueStatus.FILLED and not memory.is_market_buy:
            return None  # trades are missing: they will come, or somebody has to look
        return traded

    # -- live --------------------------------------------------------------------------------------------------------

    def _live(
        self, memory: OrderMemory, row: wire.HistoryOrder | None, *, is_calm: bool
    ) -> tuple[OrderUpdate | None, bool]:
        if is_calm and memory.cancel_asked and memory.failed_cancel:
            memory.cancel_asked = memory.failed_cancel = False
            refused = self._update(
                memory, VenueStatus.WORKING, row, refusal=f"{VENUE_FAILED}: {FAILED} after the cancel, still active"
            )
            return refused, True
        # Nothing but the placing was heard, and being active is what it led to.
        return self._update(memory, VenueStatus.WORKING, row), is_calm or not (memory.hinted or memory.cancel_asked)

    def _maybe_live(self, memory: OrderMemory, now: float) -> OrderUpdate | None:
        """Return that the order is live if that may be said by now (protocol, 13.4): the engine waits for it."""
        if memory.ended:
            return None
        waited = now - memory.taken >= self._settings.accept_secs and not (memory.failed or memory.failed_cancel)
        if memory.succeeded or memory.seen_active or waited:
            return self._update(memory, VenueStatus.WORKING, None)
        return None

    # -- absent ------------------------------------------------------------------------------------------------------

    def _absent(self, memory: OrderMemory, now: float, *, is_calm: bool) -> tuple[OrderUpdate | None, bool]:
        """Judge an order in neither list: absence proves nothing until it is settled."""
        if not is_calm or memory.ended:
            return self._maybe_live(memory, now), memory.ended
        filled = self._filled_if_gone(memory)
        if filled is None:
            self._complain(memory, "gone from both lists, but how much of it was filled cannot be told")
            return self._maybe_live(memory, now), True
        if memory.failed and not (memory.cancel_asked or memory.seen_active or filled):
            memory.ended = True
            return self._update(memory, VenueStatus.REJECTED, None, filled=ZERO, reason=VENUE_FAILED), True
        if memory.seen_active or memory.cancel_asked or memory.is_market or self._is_given_up(memory, now):
            memory.ended = True
            return self._update(memory, VenueStatus.CANCELED, None, filled=filled), True
        self._complain(memory, "taken by the venue, but never seen in any list: it stays open until it is")
        return self._maybe_live(memory, now), self._settings.absent_after_secs is None

    def _is_given_up(self, memory: OrderMemory, now: float) -> bool:
        """Whether an order that was taken, and that no list ever showed, has been looked for long enough."""
        limit_secs = self._settings.absent_after_secs
        return limit_secs is not None and now - memory.taken > limit_secs

    def _filled_if_gone(self, memory: OrderMemory) -> Decimal | None:
        if self._settings.trades_fields is not None:
            return sum((trade.quantity for trade in memory.trades.values()), ZERO)
        return memory.filled if self._attribution.is_certain(memory) else None

    def _complain(self, memory: OrderMemory, what: str) -> None:
        if not memory.complained:
            memory.complained = True
            _log.error(
                "%s: order %s (%s) is %s; nothing is invented: look it up at the venue",
                VENUE,
                memory.venue_order_id,
                memory.client_order_id,
                what,
            )

    # -- statements --------------------------------------------------------------------------------------------------

    def _update(
        self,
        memory: OrderMemory,
        status: VenueStatus,
        row: wire.HistoryOrder | None,
        *,
        filled: Decimal | None = None,
        reason: str = "",
        refusal: str = "",
    ) -> OrderUpdate:
        derived = self._settings.trades_fields is None
        if derived and filled is None:
            filled = memory.filled
        notional = memory.notional if derived and filled == memory.filled and not memory.is_market_buy else None
        if derived and memory.is_market_buy:
            notional = memory.notional
            filled = filled if status in END_STATUSES else None  # held back until it can be restated in shares
        return OrderUpdate(
            source=Source.QUERY,
            venue_order_id=memory.venue_order_id,
            client_order_id=memory.client_order_id,
            symbol=memory.asset,
            side=memory.terms.side,
            type=memory.terms.type,
            status=status,
            filled_qty=filled,
            filled_notional=notional if filled else None,
            last_px=None if row is None or not filled else row.p,
            fills=() if derived else fills_of(memory.venue_order_id, memory.trades),
            reason=reason,
            rejects_live=status is VenueStatus.REJECTED,
            cancel_reject_reason=refusal,
            cancel_reject_key=f"failed:{memory.calm.cause}" if refusal else "",
            ts_event=0 if row is None else time_ns(row),
        )


def filled_of(row: wire.HistoryOrder) -> Decimal | None:
    """Return the filled quantity of a FILLED row: `q`, else `oq` (protocol, 13.5)."""
    return row.q if row.q else row.oq


def fills_of(venue_order_id: str, trades: Mapping[str, assumed.Trade]) -> tuple[Fill, ...]:
    """Return trades as fills, oldest first."""
    ordered = sorted(trades.values(), key=lambda trade: (trade.time_ns, trade.trade_id))
    return tuple(
        Fill(
            trade_id=trade_id(venue_order_id, trade.trade_id),
            last_qty=trade.quantity,
            last_px=trade.price,
            commission=ZERO if trade.fee is None else trade.fee,
            commission_currency=QUOTE,
            liquidity_side=trade.liquidity,
            ts_event=trade.time_ns,
            venue_trade_id=trade.trade_id,
        )
        for trade in ordered
    )
