"""Taking over what a statement says that is newer than what is known (law 6).

A statement is newer if it has the higher cumulative quantity; if that is equal or not said, the higher version;
if there are none, the later time. Equal in all of these is not old: times repeat. A cumulative quantity and an end
are knowledge whatever the age of the statement that brings them: both are true for ever.
"""

from typing import Final

from nautilus_orderfeeds.orders.known import End, Known
from nautilus_orderfeeds.orders.state import OrderState
from nautilus_orderfeeds.orders.updates import END_STATUSES, OrderUpdate, VenueStatus
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderStatus

# Bound once: Python looks an enum's member up anew at every use.
_UNKNOWN_SIDE: Final = LiquiditySide.NO_LIQUIDITY_SIDE
_WORKING: Final = VenueStatus.WORKING
_WAITING: Final = VenueStatus.WAITING
_PENDING_CANCEL: Final = VenueStatus.PENDING_CANCEL


def learn(state: OrderState, update: OrderUpdate) -> bool:
    """Take over what `update` says.

    Returns
    -------
    bool
        Whether its terms (quantity, prices) are at least as new as any seen. Never for a bare trade: it has none.
    """
    known, status = state.known, update.status
    filled = update.filled_qty
    if filled is None and status is VenueStatus.FILLED and not state.quote_quantity:
        # The whole of it, then, and never less than what is proved: what a statement says of the money must mean the
        # same quantity when it is repeated. Once FILLED is told it is known (and restated where it had to be).
        filled = known.filled_qty
        if state.status is not OrderStatus.FILLED:
            filled = max(filled, update.quantity or state.quantity)
    if filled is not None and filled >= known.filled_qty:
        if filled > known.filled_qty:
            known.filled_qty = filled
            known.filled_notional = known.avg_px = known.last_px = known.fees = None
        # Zero money for something is a field that the venue has not filled in.
        if update.filled_notional:
            known.filled_notional, known.tells_money = update.filled_notional, True
        if update.avg_px:
            known.avg_px, known.tells_money = update.avg_px, True
        if update.last_px:
            known.last_px = update.last_px
        if update.fees is not None:
            known.fees = update.fees
        if update.fees_currency is not None:
            known.fees_currency = update.fees_currency
    if update.liquidity_side is not _UNKNOWN_SIDE:
        known.liquidity_side = update.liquidity_side
    if status is None:
        return False
    if status is _WORKING:
        known.working = True
    elif status is _WAITING:
        known.waiting = True
    elif status in END_STATUSES:
        _learn_end(known, update, status, complete=filled is not None)
    # How new is it, by what it says first of: quantity, version, time?
    if filled is not None and filled != known.stated_qty:
        if filled < known.stated_qty:
            return False
        known.stated_qty = filled
    elif update.version and known.version and update.version != known.version:
        if update.version < known.version:
            return False
    elif 0 < update.ts_event < known.ts_event:
        return False
    if update.version:
        known.version = update.version
    if update.ts_event:
        known.ts_event = update.ts_event
    known.canceling = status is _PENDING_CANCEL
    if filled is not None and update.quantity is not None:
        known.terms_as_of = filled
    return True


def _learn_end(known: Known, update: OrderUpdate, status: VenueStatus, *, complete: bool) -> None:
    """Take over an end: a full fill outranks any other (the venue counts it), otherwise the first told stands."""
    end = known.end
    if end is None or (status is VenueStatus.FILLED and end.status is not VenueStatus.FILLED):
        known.end = End(
            status=status,
            reason=update.reason,
            due_post_only=update.due_post_only,
            rejects_live=update.rejects_live,
            ts_event=update.ts_event,
            complete=complete,
        )
    elif complete and not end.complete:
        known.end = End(end.status, end.reason, end.due_post_only, end.rejects_live, end.ts_event)
