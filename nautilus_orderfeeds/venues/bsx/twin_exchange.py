"""
Order entry of the simulated BSX: from a request to an order in the market, and back out (protocol 4.3-4.5, 8).
"""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ids import Uuids
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import (
    Batch,
    EndReason,
    OrderFilled,
    OrderKind,
    OrderState,
    Product,
    SimOrder,
    TimeInForce,
)
from nautilus_orderfeeds.venues.bsx.twin_accounts import BsxAccount, Refused
from nautilus_orderfeeds.venues.bsx.twin_feed import OrdersFeed
from nautilus_orderfeeds.venues.bsx.twin_margin import Margin
from nautilus_orderfeeds.venues.bsx.twin_options import BsxTwinOptions, MarginRefusal
from nautilus_orderfeeds.venues.bsx.twin_request import OrderRequest
from nautilus_orderfeeds.venues.bsx.twin_signing import SigningDomain, order_message, recover
from nautilus_orderfeeds.venues.bsx.twin_wire import OrderView

_NS = 1_000_000_000


class BsxExchange:
    """
    Everything between a REST body and the market.

    Parameters
    ----------
    seed : int
        Makes venue order ids and external nonces.
    clock : SimClock
    market : Market
    feed : OrdersFeed
    margin : Margin
    domain : SigningDomain
    options : BsxTwinOptions
    later : Later
    """

    def __init__(
        self,
        seed: int,
        clock: SimClock,
        market: Market,
        feed: OrdersFeed,
        margin: Margin,
        domain: SigningDomain,
        options: BsxTwinOptions,
        later: Later,
    ) -> None:
        self._clock = clock
        self._market = market
        self._feed = feed
        self._margin = margin
        self._domain = domain
        self._options = options
        self._ids = Uuids(seed, clock, "bsx-ids")
        self._later = later
        self._reject_orders: list[str] = []
        self._reject_cancels: list[str] = []
        market.listeners.append(self._on_batch)

    # -- scripts --------------------------------------------------------------------------------------------

    def reject_next_order(self, reason: str) -> None:
        """Let the next order that is taken in end as `DONE` with this `reject_reason`."""
        self._reject_orders.append(reason)

    def reject_next_cancel(self, reason: str) -> None:
        """Let the next cancel that is requested fail with this `cancel_reject_reason`; the order stays."""
        self._reject_cancels.append(reason)

    # -- creating -------------------------------------------------------------------------------------------

    def create(self, account: BsxAccount, signer: str, request: OrderRequest) -> tuple[SimOrder, OrderView]:
        """
        Take a signed order in.

        Returns
        -------
        tuple[SimOrder, OrderView]
            The order, and how it looked when it was taken in (`PENDING`).

        Raises
        ------
        Refused
            400 for a wrong signature, a nonce that is too old or used, or anything the product forbids.
        """
        self._check_signature(account, signer, request)
        self._check_nonce(account, request.nonce)
        order = self._order(account, request)
        self._check_product(order, request.product)
        self._check_client_order_id(order)
        if self._options.margin_refusal is MarginRefusal.BY_ANSWER and not self._margin.covers(order):
            raise Refused("insufficient margin")
        account.nonces.add(request.nonce)
        return order, self.take_in(order)

    def take_in(self, order: SimOrder) -> OrderView:
        """Let an order begin its life: `PENDING`, then processed at once or a little later."""
        order.created_ns = order.updated_ns = self._clock.now_ns()
        self._market.ledger.add_order(order)
        self._market.ledger.add_alias(order, str(order.info["nonce"]))
        taken_in = self._feed.view(order)
        if self._options.pending_update:
            self._feed.publish(order.account, [taken_in])
        self._later.once(self._options.match_delay_secs, lambda: self._process(order))
        return taken_in

    def new_order_id(self) -> str:
        """A venue order id."""
        return self._ids.version4()

    def new_nonce(self, account: BsxAccount) -> int:
        """A nonce for an order that does not come through the API."""
        nonce = self._clock.now_ns()
        while nonce in account.nonces:
            nonce += 1
        account.nonces.add(nonce)
        return nonce

    def _process(self, order: SimOrder) -> None:
        if self._reject_orders:
            self._market.refuse(order, EndReason.REFUSED, self._reject_orders.pop(0))
        elif order.cancel_requested_ns:
            self._market.refuse(order, EndReason.USER)
        elif not self._margin.covers(order):
            self._market.refuse(order, EndReason.MARGIN)
        elif (problem := self._stop_problem(order)) is not None:
            self._market.refuse(order, EndReason.POSITION_CLOSED, problem)
        else:
            at_once = self._options.match_delay_secs == 0
            self._market.submit(order, now_ns=order.created_ns if at_once else None)

    def _stop_problem(self, order: SimOrder) -> str | None:
        """TP/SL orders exist only on an open position (8)."""
        if order.trigger is None or order.info.get("without_position"):
            return None
        net = self._market.ledger.net_size(order.account, order.product)
        covered = abs(net) if net * order.side.sign < 0 else Decimal(0)
        if order.quantity <= covered:
            return None
        return (
            "tpsl order cannot be larger than position: "
            f"pos size {net.normalize():f}, order size {order.quantity.normalize():f}"
        )

    def _order(self, account: BsxAccount, request: OrderRequest) -> SimOrder:
        return SimOrder(
            venue_order_id=self.new_order_id(),
            account=account.address,
            product=request.product.symbol,
            side=request.side,
            quantity=request.size,
            price=request.price,
            kind=request.kind,
            time_in_force=request.time_in_force,
            client_order_id=request.client_order_id,
            expire_ns=request.expired_ns or None,
            post_only=request.post_only,
            reduce_only=request.reduce_only,
            self_trade=request.self_trade,
            info={"nonce": request.nonce},
        )

    # -- checks ---------------------------------------------------------------------------------------------

    def _check_signature(self, account: BsxAccount, signer: str, request: OrderRequest) -> None:
        try:
            message = order_message(
                sender=account.address,
                size=request.size,
                price=request.price,
                nonce=request.nonce,
                product_index=request.product_index,
                is_sell=request.side.sign < 0,
            )
            signed_by = recover(self._domain, "Order", message, request.signature)
        except ValueError:
            signed_by = ""
        if signed_by != signer:
            raise Refused("failed to verify order signature")

    def _check_nonce(self, account: BsxAccount, nonce: int) -> None:
        if nonce <= self._clock.now_ns() - round(self._options.max_nonce_age_secs * _NS):
            raise Refused("nonce is too old")
        if nonce in account.nonces:
            raise Refused("nonce was already used")

    def _check_product(self, order: SimOrder, product: Product) -> None:
        if product.symbol in self._options.inactive_products:
            raise Refused(f"product {product.symbol} is not active")
        if product.symbol in self._options.post_only_products and not order.post_only:
            raise Refused(f"product {product.symbol} accepts post-only orders only")
        assert order.price is not None
        if order.price % product.tick:
            raise Refused(f"price {order.price} is not a multiple of {product.tick}")
        if order.quantity % product.lot:
            raise Refused(f"size {order.quantity} is not a multiple of {product.lot}")
        if order.quantity < product.min_size:
            raise Refused(f"size {order.quantity} is below the minimum {product.min_size}")
        if order.expire_ns is not None and order.expire_ns <= self._clock.now_ns():
            raise Refused("expired_at is not in the future")
        if order.post_only and (
            order.kind is OrderKind.MARKET or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        ):
            raise Refused("post_only needs a resting limit order")

    def _check_client_order_id(self, order: SimOrder) -> None:
        wanted = order.client_order_id.lower()
        if not wanted:
            return
        for other in self._market.ledger.orders(account=order.account, is_open=True):
            if other.client_order_id.lower() == wanted:
                raise Refused("client_order_id is used by an open order")

    # -- canceling ------------------------------------------------------------------------------------------

    def find_open(self, account: str, key: str) -> SimOrder:
        """
        The open order with this id or nonce.

        Raises
        ------
        Refused
            By default 404 with code 5, also for one that has ended (4.4 [?]).
        """
        order = self._market.ledger.find_order(key, account)
        if order is None or not order.is_open or key == order.client_order_id:
            raise self._not_found()
        return order

    def find_open_client_order(self, account: str, client_order_id: str) -> SimOrder:
        """The open order with this client order id, whatever its case. Raises `Refused` as `find_open`."""
        wanted = client_order_id.lower()
        for order in self._market.ledger.orders(account=account, is_open=True):
            if order.client_order_id.lower() == wanted:
                return order
        raise self._not_found()

    def _not_found(self) -> Refused:
        status, code = self._options.unknown_cancel_status, self._options.unknown_cancel_code
        return Refused("order not found", code=code, status=status)

    def request_cancel(self, order: SimOrder) -> None:
        """Ask for the end of an open order: noted at once, done at once or a little later."""
        order.cancel_requested_ns = order.updated_ns = self._clock.now_ns()
        order.info.pop("cancel_reject_reason", None)
        if self._options.cancel_requested_update:
            self._feed.publish(order.account, [self._feed.view(order)])
        self._later.once(self._options.cancel_delay_secs, lambda: self._cancel(order))

    def _cancel(self, order: SimOrder) -> None:
        reason = self._reject_cancels.pop(0) if self._reject_cancels else ""
        if order.state is OrderState.FILLED and not reason:
            reason = "order is done"  # it traded while the cancel was on its way
        if reason:
            order.info["cancel_reject_reason"] = reason
            order.updated_ns = max(order.updated_ns, self._clock.now_ns())
            self._feed.publish(order.account, [self._feed.view(order)])
        elif order.state is not OrderState.PENDING:  # a pending one ends when it is processed
            self._market.cancel(order, EndReason.USER)

    # -- what follows from market steps ---------------------------------------------------------------------

    def _on_batch(self, batch: Batch) -> None:
        self._feed.on_batch(batch)
        moved = {
            (event.order.account, event.order.product): None
            for event in batch.user_events
            if isinstance(event, OrderFilled)
        }
        for account, product in moved:
            self._drop_uncovered_stops(account, product)

    def _drop_uncovered_stops(self, account: str, product: str) -> None:
        """TP/SL orders end when their position is closed or flipped (8)."""
        net = self._market.ledger.net_size(account, product)
        for order in self._market.ledger.orders(account=account, product=product, is_open=True):
            is_uncovered = net * order.side.sign >= 0
            if order.state is OrderState.WAITING and is_uncovered and not order.info.get("without_position"):
                self._market.cancel(order, EndReason.POSITION_CLOSED)
