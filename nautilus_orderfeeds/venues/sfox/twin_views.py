"""What the simulated sFOX has said of orders and fills so far: the past is kept, so that it can be shown again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.model import Fill, OrderState, SimOrder
from nautilus_orderfeeds.sim.views import OrderViews
from nautilus_orderfeeds.venues.sfox.twin_words import Status

_TRADE_IDS, _CURSORS = 10**13, 2 * 10**13
_CURSOR_STEP = 2  # cursors of the sample fall by two down the page


@dataclass(frozen=True, slots=True)
class OrderView:
    """
    An order at one moment, as the venue shows it.

    `quantity` and `filled` are base units, `notional` and `fees` quote units. `text` replaces the status for
    orders that are shown with a word no page knows.
    """

    order: SimOrder
    status: Status
    price: Decimal
    quantity: Decimal
    filled: Decimal
    notional: Decimal
    fees: Decimal
    updated_ns: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class TradeView:
    """A fill with the numbers the venue gives it: `trade_id`, and the `cursor` of its row."""

    fill: Fill
    trade_id: int
    cursor: int


def status_of(order: SimOrder) -> Status:
    """The status of an order as it is now (6)."""
    match order.state:
        case OrderState.PENDING | OrderState.WAITING | OrderState.WORKING:
            return Status.CANCEL_PENDING if order.cancel_requested_ns else Status.STARTED
        case OrderState.FILLED:
            return Status.DONE if order.info.get("settled") else Status.FILLED
        case OrderState.CANCELED | OrderState.EXPIRED | OrderState.REJECTED:
            return Status.CANCELED


def first_number(clock: SimClock) -> int:
    """Where this run's ids begin: not where an earlier run's did, whose ids may stand in a client's journal."""
    return clock.now_ns() // 100_000


class Records:
    """
    The views of every order, and every fill, by account and in the order in which they were shown.

    Parameters
    ----------
    clock : SimClock
    """

    def __init__(self, clock: SimClock) -> None:
        self._views: defaultdict[str, OrderViews[OrderView]] = defaultdict(OrderViews)
        self._trades: dict[str, list[TradeView]] = {}
        # Apart from each other and from order ids, so that whoever takes one for another notices.
        self._next_trade_id = first_number(clock) + _TRADE_IDS
        self._next_cursor = first_number(clock) + _CURSORS
        self._trade_ids: dict[str, int] = {}

    def add(self, view: OrderView) -> OrderView | None:
        """Remember a view; the one of the same order before it, if there was one."""
        return self._views[view.order.account].add(view)

    def latest(self, account: str, venue_order_id: str) -> OrderView:
        """The latest view of an order that was shown."""
        view = self._views[account].latest(venue_order_id)
        assert view is not None
        return view

    def shown(self, account: str, lag: int = 0) -> list[OrderView]:
        """Every order of the account, oldest first, as it stood `lag` changes ago."""
        return self._views[account].shown(lag)

    def number(self, fill: Fill, *, is_shared: bool) -> TradeView:
        """Give a fill its numbers; both sides of a match get one `trade_id` if it `is_shared`."""
        key = fill.trade_id if is_shared else f"{fill.venue_order_id}|{fill.trade_id}"
        if key not in self._trade_ids:
            self._next_trade_id += 1
            self._trade_ids[key] = self._next_trade_id
        self._next_cursor += _CURSOR_STEP
        return TradeView(fill, self._trade_ids[key], self._next_cursor)

    def add_trade(self, trade: TradeView) -> None:
        """List a fill from now on."""
        self._trades.setdefault(trade.fill.account, []).append(trade)

    def trades(self, account: str, lag: int = 0) -> list[TradeView]:
        """The fills of an account, oldest first, without the latest `lag`."""
        trades = self._trades.get(account, [])
        return trades[: max(0, len(trades) - lag)] if lag else list(trades)
