"""
Roxom as a simulated venue: its documented REST and WebSocket protocol over the shared market (protocol 10, end).

    async with simulate("roxom", seed=7, event_form="g1", create_stream="before") as sim:
        sim.twin.options.fills_shown = FillsShown.MERGED

What a test scripts is on the twin (`sim.twin`): orders from elsewhere, liquidation, refused and rejected orders,
lost cancels, inactive orders, expired keys, deposits and funding.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, ClassVar

from nautilus_orderfeeds.sim.ids import Uuids
from nautilus_orderfeeds.sim.model import EndReason, Fee, Fill, Liquidity, Side, SimOrder, TimeInForce
from nautilus_orderfeeds.sim.venue import SimParts, VenueTwin
from nautilus_orderfeeds.venues.roxom.twin_account_rest import AccountRoutes
from nautilus_orderfeeds.venues.roxom.twin_books import Books, RowKind
from nautilus_orderfeeds.venues.roxom.twin_errors import Errors
from nautilus_orderfeeds.venues.roxom.twin_exchange import Exchange
from nautilus_orderfeeds.venues.roxom.twin_feed import AccountFeed
from nautilus_orderfeeds.venues.roxom.twin_gate import Gate
from nautilus_orderfeeds.venues.roxom.twin_keys import Keyring, RoxomAccount
from nautilus_orderfeeds.venues.roxom.twin_margin import Margin
from nautilus_orderfeeds.venues.roxom.twin_market_data import MarketData
from nautilus_orderfeeds.venues.roxom.twin_market_rest import MarketRoutes
from nautilus_orderfeeds.venues.roxom.twin_options import RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_order_rest import OrderRoutes
from nautilus_orderfeeds.venues.roxom.twin_outbox import AccountOutbox
from nautilus_orderfeeds.venues.roxom.twin_products import BTC, PRODUCTS, SAT
from nautilus_orderfeeds.venues.roxom.twin_request import OrderRequest
from nautilus_orderfeeds.venues.roxom.twin_statements import Statements
from nautilus_orderfeeds.venues.roxom.twin_wire import Wire
from nautilus_orderfeeds.venues.roxom.twin_words import OrderType
from nautilus_orderfeeds.venues.roxom.twin_ws import RoxomStream

_FOREVER_SECS = 10.0**9


class RoxomTwin(VenueTwin):
    """
    The simulated Roxom.

    Parameters
    ----------
    parts : SimParts
    options : RoxomTwinOptions

    Attributes
    ----------
    options : RoxomTwinOptions
        The switches; most may be changed while it runs.
    accounts : list[RoxomAccount]
        The made-up user accounts, the main one first.
    """

    config_prefix: ClassVar[str] = "Roxom"
    ws_path: ClassVar[str] = "/ws"

    def __init__(self, parts: SimParts, options: RoxomTwinOptions) -> None:
        self.options = options
        super().__init__(parts, PRODUCTS, options.flow)
        self._keyring = Keyring(parts.seed, parts.clock, options)
        self.accounts: list[RoxomAccount] = self._keyring.accounts
        self._books = Books(Uuids(parts.seed, parts.clock, "books"))
        self._margin = Margin(self.market, options)
        wire = Wire(options)
        statements = Statements(self.market, parts.clock, self._books, self._margin, wire, options)
        outbox = AccountOutbox(options, self._connections)
        self._feed = AccountFeed(options, wire, statements, self._books, outbox)
        self.market.listeners.append(self._feed.on_batch)
        self._exchange = Exchange(parts.seed, parts.clock, self.market, self._feed, self._margin, options, self._later)
        self._data = MarketData(parts.clock, self.market, self._connections, options, self._later)
        for _ in range(options.accounts):
            self._open_account()
        errors = Errors(options, parts.clock)
        gate = Gate(parts.server, self._keyring, errors, options)
        OrderRoutes(gate, self._exchange, self._feed, outbox, wire, options)
        AccountRoutes(gate, self._books, statements, self._margin, parts.clock, wire, options)
        MarketRoutes(parts.server, gate, self.market, self._data, parts.clock, wire, options)
        self._stream = RoxomStream(self._keyring, errors, self._data, options)
        parts.server.websocket(self.ws_path, self._stream, idle_secs=lambda: options.idle_secs or _FOREVER_SECS)
        parts.server.error_answer = errors.of_status

    def credentials(self, number: int = 0) -> dict[str, object]:
        """The API key of a made-up account, and its `private_key` (PEM) or, in the legacy modes, `api_secret`."""
        return self._keyring.credentials(number)

    # -- scripts: orders ------------------------------------------------------------------------------------

    def place_external(
        self,
        product: str,
        *,
        side: Side,
        size: Decimal | str,
        price: Decimal | str | None = None,
        trigger_price: Decimal | str | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        client_order_id: str = "",
        expire_ns: int | None = None,
        take_profit: bool = False,
        account: int = 0,
    ) -> SimOrder:
        """
        Place an order from the web app; its events go to the account's sockets like all others.

        Parameters
        ----------
        product : str
            Symbol.
        side : Side
        size : Decimal or str
            Base units.
        price, trigger_price : Decimal or str, optional
            BTC per base unit; together they make the type: market, limit, stop or stoplimit.
        time_in_force, post_only, client_order_id
            As in the API.
        expire_ns : int, optional
            Makes it good till then, ns.
        take_profit : bool
            Let the mark price fire it from the other side than a stop.
        account : int
            Which made-up account.
        """
        request = OrderRequest(
            product=self.market.product(product),
            side=side,
            type=_TYPES[(price is not None, trigger_price is not None)],
            quantity=Decimal(size),
            price=None if price is None else Decimal(price),
            trigger_price=None if trigger_price is None else Decimal(trigger_price),
            time_in_force=time_in_force if expire_ns is None else TimeInForce.GTD,
            cancel_at_ns=expire_ns,
            post_only=post_only,
            client_order_id=client_order_id,
        )
        order = self._exchange.make(self.accounts[account].account_id, request, take_profit=take_profit)
        self._exchange.take_in(order)
        return order

    def refuse_next_order(self, message: str) -> None:
        """Answer the next create with 400 and this message: there never is an order."""
        self._exchange.refuse_next_order(message)

    def reject_next_order(self, reason: str) -> None:
        """Accept the next create, and let its order end as `rejected` with this reason."""
        self._exchange.reject_next_order(reason)

    def refuse_next_cancel(self, message: str) -> None:
        """Answer the next cancel with 400 and this message; the order stays as it is."""
        self._exchange.refuse_next_cancel(message)

    def lose_next_cancel(self) -> None:
        """Answer the next cancel with success and never carry it out."""
        self._exchange.lose_next_cancel()

    def make_inactive(self, order: SimOrder | str, *, is_over: bool = False) -> None:
        """Show an order as `inactive`; it is still in the book and may trade, unless it is over with it."""
        self._exchange.make_inactive(self._order(order), is_over=is_over)

    def make_active(self, order: SimOrder | str) -> None:
        """Show an `inactive` order as what it is."""
        self._exchange.make_active(self._order(order))

    def liquidate(self, product: str, account: int = 0) -> SimOrder | None:
        """Cancel the account's orders in a product and close its position by force; `None` without one."""
        owner = self.accounts[account].account_id
        for order in self.ledger.orders(account=owner, product=product, is_open=True):
            self.market.cancel(order, EndReason.LIQUIDATION)
        net = self.ledger.net_size(owner, product)
        if net == 0:
            return None
        request = OrderRequest(
            product=self.market.product(product),
            side=Side.SELL if net > 0 else Side.BUY,
            type=OrderType.MARKET,
            quantity=abs(net),
        )
        order = self._exchange.make(owner, request)
        order.is_liquidation = True
        order.max_slippage = None  # whatever the price
        self._exchange.take_in(order)
        return order

    # -- scripts: the account -------------------------------------------------------------------------------

    def deposit(self, amount: Decimal | str, account: int = 0) -> None:
        """Transfer BTC to the account (negative: from it): a row of the log and a balance event."""
        owner, value = self.accounts[account].account_id, Decimal(amount)
        self.ledger.deposit(owner, BTC, value)
        kind = RowKind.DEPOSIT if value >= 0 else RowKind.WITHDRAWAL
        row = self._books.move_money(owner, kind, value, self._clock.now_ns())
        self._feed.tell_balance(owner, row, "transfer")

    def pay_funding(self, product: str, rate: Decimal | str) -> None:
        """Settle one interval of funding: notional at mark times rate; a positive rate is paid by longs (6)."""
        mark = self.market.mark(product)
        for account in list(self.ledger.accounts.values()):
            net = self.ledger.net_size(account.name, product)
            if not net:
                continue
            amount = (-net * mark * Decimal(rate)).quantize(SAT, ROUND_HALF_EVEN)
            self.ledger.pay_funding(account.name, BTC, amount)
            if not account.is_background:
                now_ns = self._clock.now_ns()
                row = self._books.move_money(
                    account.name, RowKind.FUNDING_FEE, amount, now_ns, symbol=product, funding_rate=Decimal(rate)
                )
                self._feed.tell_balance(account.name, row, "funding")

    def take_back(self, fill: Fill) -> None:
        """Take a trade back that the ledger has forgotten: position and balance are told as they are without it."""
        row = self._books.take_back(fill, self._clock.now_ns())
        self._feed.tell_balance(fill.account, row, "correction")
        self._feed.tell_position(fill.account, fill.product)

    def tell_account(self, account: int = 0) -> None:
        """Send an event of the channel `account`, whose payload no page describes."""
        self._feed.tell_account(self.accounts[account].account_id)

    # -- scripts: connections -------------------------------------------------------------------------------

    def expire_keys(self) -> None:
        """Let every API key expire now: 401 from here on; connections that are open stay."""
        for account in self.accounts:
            account.is_expired = True

    def fail_next_subscribe(self, code: str = "60019") -> None:
        """Answer the next subscription with this error code."""
        self._stream.fail_next_subscribe(code)

    def stop_pongs(self) -> None:
        """Answer no protocol ping any more, on the connections there are and on new ones."""
        self.options.answers_pings = False
        for connection in self._connections():
            connection.answers_pings = False

    # -- inside ---------------------------------------------------------------------------------------------

    def _request_cancel(self, order: SimOrder) -> None:
        self._exchange.request_cancel(order)

    def _open_account(self) -> None:
        account = self._keyring.make_account().account_id
        self.ledger.add_account(account)
        self.ledger.deposit(account, BTC, self.options.balance)
        self._books.move_money(account, RowKind.DEPOSIT, self.options.balance, self._clock.now_ns())

    def _fee(self, order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
        """Rate times notional in whole satoshis (6)."""
        rate = self.options.maker_fee_rate if liquidity is Liquidity.MAKER else self.options.taker_fee_rate
        return Fee((price * size * rate).quantize(SAT, ROUND_HALF_EVEN))


_TYPES = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
    (True, True): OrderType.STOPLIMIT,
}
"""By (has a price, has a trigger price)."""


def create(parts: SimParts, **options: Any) -> RoxomTwin:
    """Make the twin; `options` are the fields of `RoxomTwinOptions`."""
    return RoxomTwin(parts, RoxomTwinOptions(**options))
