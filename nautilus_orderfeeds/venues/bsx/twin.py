"""
BSX as a simulated venue: its documented REST and WebSocket protocol over the shared market (protocol 12.7).

    async with simulate("bsx", seed=7, create_stream=StreamOrder.BEFORE_ANSWER) as sim:
        sim.twin.options.pending_update = False

What a test scripts is on the twin (`sim.twin`): orders from elsewhere, liquidation, refused orders and
cancels, expired keys, funding.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from nautilus_orderfeeds.sim.model import (
    ZERO,
    EndReason,
    Fee,
    Liquidity,
    OrderKind,
    SelfTrade,
    Side,
    SimOrder,
    TimeInForce,
    Trigger,
    TriggerSource,
)
from nautilus_orderfeeds.sim.venue import SimParts, VenueTwin
from nautilus_orderfeeds.venues.bsx.twin_account_rest import AccountRoutes
from nautilus_orderfeeds.venues.bsx.twin_accounts import BsxAccount, Keyring, error_answer
from nautilus_orderfeeds.venues.bsx.twin_exchange import BsxExchange
from nautilus_orderfeeds.venues.bsx.twin_feed import OrdersFeed
from nautilus_orderfeeds.venues.bsx.twin_margin import Margin
from nautilus_orderfeeds.venues.bsx.twin_options import BsxTwinOptions
from nautilus_orderfeeds.venues.bsx.twin_public import PublicFeed
from nautilus_orderfeeds.venues.bsx.twin_rest import OrderRoutes
from nautilus_orderfeeds.venues.bsx.twin_signing import SigningDomain
from nautilus_orderfeeds.venues.bsx.twin_wire import PRODUCT_INDEXES, Wire
from nautilus_orderfeeds.venues.bsx.twin_ws import FAREWELL, BsxStream


class BsxTwin(VenueTwin):
    """
    The simulated BSX.

    Parameters
    ----------
    parts : SimParts
    options : BsxTwinOptions

    Attributes
    ----------
    options : BsxTwinOptions
        The switches; they may be changed while it runs.
    domain : SigningDomain
        What `GET /chain/configs` serves.
    accounts : list[BsxAccount]
        The made-up user accounts, the main one first.
    """

    config_prefix: ClassVar[str] = "Bsx"
    ws_path: ClassVar[str] = "/ws"

    def __init__(self, parts: SimParts, options: BsxTwinOptions) -> None:
        self.options = options
        self.domain = SigningDomain()
        super().__init__(parts, PRODUCT_INDEXES.values(), options.flow)
        self._keyring = Keyring(parts.seed, parts.clock, options.key_lifetime_secs)
        self.accounts: list[BsxAccount] = [self._open_account(n) for n in range(options.accounts)]
        margin = Margin(self.market, self._keyring.accounts, options)
        wire = Wire(options)
        feed = OrdersFeed(options, wire, self._connections, margin.of_order)
        self._exchange = BsxExchange(
            parts.seed, parts.clock, self.market, feed, margin, self.domain, options, self._later
        )
        self._public = PublicFeed(parts.seed, parts.clock, self.market, self._connections, options, self._later)
        OrderRoutes(parts.server, self._keyring, self._exchange, feed, self.ledger, wire, options)
        AccountRoutes(parts.server, self._keyring, self.market, margin, self.domain, parts.clock, options)
        stream = BsxStream(self._keyring, parts.clock, feed, self._public, parts.faults, options)
        parts.server.websocket(self.ws_path, stream, idle_secs=lambda: options.idle_secs)
        parts.server.error_answer = error_answer
        parts.server.farewell = FAREWELL

    async def start(self) -> None:
        """Begin the timed messages."""
        self._public.start()

    def credentials(self, number: int = 0) -> dict[str, object]:
        """API key, secret, wallet address and signer key of a made-up account (the main one by default)."""
        account = self.accounts[number]
        key = self._keyring.keys_of(account.address)[0]
        return {
            "api_key": key.api_key,
            "api_secret": key.api_secret,
            "wallet_address": account.address,
            "signer_key": account.signer_key,
        }

    # -- scripts --------------------------------------------------------------------------------------------

    def place_external(
        self,
        product: str,
        *,
        side: Side,
        size: Decimal | str,
        price: Decimal | str,
        kind: OrderKind = OrderKind.LIMIT,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str = "",
        expire_ns: int | None = None,
        stop_price: Decimal | str | None = None,
        take_profit: bool = False,
        by_mark: bool = False,
        without_position: bool = False,
        account: int = 0,
    ) -> SimOrder:
        """
        Place an order from the web app: no signature, no API key, and stop orders are possible.

        Parameters
        ----------
        product : str
            Symbol.
        side : Side
        size : Decimal or str
            Base units.
        price : Decimal or str
            USD per base unit; for a market order the worst price.
        kind, time_in_force, post_only, reduce_only, client_order_id, expire_ns
            As in the API (`expire_ns` in ns).
        stop_price : Decimal or str, optional
            Makes it a stop order (`STOP_ACCEPTED`); a stop loss unless `take_profit`.
        by_mark : bool
            Trigger by the mark price instead of the last one.
        without_position : bool
            Keep a stop order although no position covers it.
        account : int
            Which made-up account.
        """
        owner = self.accounts[account]
        info: dict[str, object] = {"nonce": self._exchange.new_nonce(owner)}
        trigger = None
        if stop_price is not None:
            # A sell stop loss fires when the price falls, a sell take profit when it rises; buys the reverse.
            trigger = Trigger(
                Decimal(stop_price),
                rises=(side is Side.SELL) == take_profit,
                source=TriggerSource.MARK if by_mark else TriggerSource.LAST,
            )
            info["order_stop_type"] = "TAKE_PROFIT" if take_profit else "STOP_LOSS"
            info["stop_price_option"] = "MARK_PRICE" if by_mark else "LAST_TRADED_PRICE"
            info["without_position"] = without_position
        order = SimOrder(
            venue_order_id=self._exchange.new_order_id(),
            account=owner.address,
            product=product,
            side=side,
            quantity=Decimal(size),
            price=Decimal(price),
            kind=kind,
            time_in_force=time_in_force,
            client_order_id=client_order_id,
            expire_ns=expire_ns,
            post_only=post_only,
            reduce_only=reduce_only,
            self_trade=SelfTrade.CANCEL_TAKER,
            trigger=trigger,
            info=info,
        )
        self._exchange.take_in(order)
        return order

    def reject_next_order(self, reason: str) -> None:
        """Let the next order that is taken in end as `DONE` with this `reject_reason`."""
        self._exchange.reject_next_order(reason)

    def reject_next_cancel(self, reason: str) -> None:
        """Let the next cancel fail with this `cancel_reject_reason`; the order stays as it is."""
        self._exchange.reject_next_cancel(reason)

    def expire_keys(self) -> None:
        """Let every API key expire now: code 16 from here on."""
        self._keyring.expire()

    def liquidate(self, product: str, account: int = 0) -> SimOrder | None:
        """Cancel the account's orders in a product and close its position by force; `None` without one."""
        owner = self.accounts[account]
        for order in self.ledger.orders(account=owner.address, product=product, is_open=True):
            self.market.cancel(order, EndReason.LIQUIDATION)
        net = self.ledger.net_size(owner.address, product)
        if net == 0:
            return None
        side = Side.SELL if net > 0 else Side.BUY
        spec = self.market.products[product]
        mark = self.market.mark(product)
        worst = mark * (Decimal("0.5") if side is Side.SELL else 2) // spec.tick * spec.tick
        order = SimOrder(
            venue_order_id=self._exchange.new_order_id(),
            account=owner.address,
            product=product,
            side=side,
            quantity=abs(net),
            price=worst,
            kind=OrderKind.MARKET,
            time_in_force=TimeInForce.IOC,
            reduce_only=True,
            is_liquidation=True,
            self_trade=SelfTrade.CANCEL_TAKER,
            info={"nonce": self._exchange.new_nonce(owner)},
        )
        self._exchange.take_in(order)
        return order

    def pay_funding(self, product: str, rate: Decimal | str) -> None:
        """Settle one hour of funding: notional at mark times rate; a positive rate is paid by longs (8)."""
        mark = self.market.mark(product)
        for account in self.ledger.accounts.values():
            net = self.ledger.net_size(account.name, product)
            if net:
                self.ledger.pay_funding(account.name, "USDC", -net * mark * Decimal(rate))

    # -- inside ---------------------------------------------------------------------------------------------

    def _request_cancel(self, order: SimOrder) -> None:
        self._exchange.request_cancel(order)

    def _open_account(self, number: int) -> BsxAccount:
        account = self._keyring.make_account(number)
        self.ledger.add_account(account.address)
        self.ledger.deposit(account.address, "USDC", self.options.balance)
        return account

    def _fee(self, order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
        """Rates times notional; the sequencer fee once per taker order, on its first fill (7)."""
        if liquidity is Liquidity.MAKER:
            return Fee(price * size * self.options.maker_fee_rate)
        extra = self.options.sequencer_fee if order.filled == 0 else ZERO
        return Fee(price * size * self.options.taker_fee_rate, extra)


def create(parts: SimParts, **options: Any) -> BsxTwin:
    """Make the twin; `options` are the fields of `BsxTwinOptions`."""
    return BsxTwin(parts, BsxTwinOptions(**options))
