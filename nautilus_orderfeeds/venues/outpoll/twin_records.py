"""What history-service of the simulated Outpoll knows, and since when: it may be behind (protocol 5.6-5.10, 10)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from nautilus_orderfeeds.sim.model import Batch, EndReason, Fill, OrderFilled, OrderKind, OrderState, SimOrder
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_products import Asset
from nautilus_orderfeeds.venues.outpoll.twin_words import Status

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class OrderView:
    """
    An order at one moment: `quantity` and `filled` in shares, `notional` in USDC.

    `is_resolved` says that its event's end took it away; `text` replaces its status by a word no page knows.
    """

    order: SimOrder
    status: Status
    quantity: Decimal
    filled: Decimal
    notional: Decimal
    changed_ns: int
    is_resolved: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """
    What a user has of one asset at one moment: shares, those not locked, and what they cost (USDC).

    `order_id` is the latest order that bought of it, `opened_ns` since when there is any.
    """

    asset: Asset
    total: Decimal
    free: Decimal
    cost: Decimal
    order_id: str
    opened_ns: int


class Timeline[T]:
    """Values in their sequence, each with the real time it came at: a venue's clock may jump, a delay must not."""

    def __init__(self) -> None:
        self._values: list[tuple[int, T]] = []

    def add(self, value: T) -> None:
        """Append a value now."""
        self._values.append((time.monotonic_ns(), value))

    def seen(self, behind_secs: float = 0.0, lag: int = 0) -> list[T]:
        """The values as they were `behind_secs` ago, without the latest `lag` of those."""
        values = self._values
        if behind_secs > 0:
            until = time.monotonic_ns() - round(behind_secs * _NS)
            values = [entry for entry in values if entry[0] <= until]
        return [value for _, value in (values[: max(0, len(values) - lag)] if lag else values)]


class Records:
    """
    Views of orders, fills and holdings of every user.

    Parameters
    ----------
    options : OutpollTwinOptions
    """

    def __init__(self, options: OutpollTwinOptions) -> None:
        self._options = options
        self._orders: dict[str, Timeline[OrderView]] = defaultdict(Timeline)
        self._fills: dict[str, Timeline[Fill]] = defaultdict(Timeline)
        self._holdings: dict[str, Timeline[list[Holding]]] = defaultdict(Timeline)
        self.on_view: list[Callable[[OrderView], None]] = []

    # -- writing --------------------------------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market: what it did to users' orders, each once as it is after the step."""
        changed: dict[str, SimOrder] = {}
        for event in batch.user_events:
            order = event.order
            changed[order.venue_order_id] = order
            if isinstance(event, OrderFilled):
                self._fills[order.account].add(event.fill)
        for order in changed.values():
            self.show(order)

    def show(self, order: SimOrder, text: str = "") -> None:
        """Know an order as it is now, optionally with a status word of no page."""
        view = OrderView(
            order=order,
            status=self._status(order),
            quantity=order.quantity,
            filled=order.filled,
            notional=order.notional,
            changed_ns=order.updated_ns,
            is_resolved=order.end_reason is EndReason.ADMIN,
            text=text,
        )
        self._orders[order.account].add(view)
        for listener in self.on_view:
            listener(view)

    def hold(self, owner: str, holdings: list[Holding]) -> None:
        """Know what a user has now."""
        self._holdings[owner].add(holdings)

    # -- reading --------------------------------------------------------------------------------------------

    def orders(self, owner: str, behind_secs: float = 0.0, lag: int = 0) -> list[OrderView]:
        """The latest view of every order, oldest order first."""
        latest: dict[str, OrderView] = {}
        for view in self._orders[owner].seen(behind_secs, lag):
            latest[view.order.venue_order_id] = view
        return list(latest.values())

    def fills(self, owner: str, behind_secs: float = 0.0, lag: int = 0) -> list[Fill]:
        """Every fill, oldest first."""
        return self._fills[owner].seen(behind_secs, lag)

    def holdings(self, owner: str, behind_secs: float = 0.0, lag: int = 0) -> list[Holding]:
        """What a user has of every asset it has any of."""
        seen = self._holdings[owner].seen(behind_secs, lag)
        return seen[-1] if seen else []

    def _status(self, order: SimOrder) -> Status:
        match order.state:
            case OrderState.PENDING | OrderState.WAITING | OrderState.WORKING:
                return Status.ACTIVE
            case OrderState.FILLED:
                return Status.FILLED
            case OrderState.EXPIRED:
                return Status.EXPIRED
            case OrderState.REJECTED:
                return Status.REJECTED
            case OrderState.CANCELED:
                if order.kind is OrderKind.MARKET and order.end_reason is not EndReason.USER:
                    # Nothing to trade with: the order failed; something: its rest is gone.
                    return self._options.partial_market_status if order.filled else Status.REJECTED
                return Status.CANCELED
