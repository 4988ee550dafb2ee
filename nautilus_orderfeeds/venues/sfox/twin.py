"""
sFOX as a simulated venue: its documented REST and WebSocket protocol over the shared market (protocol 12.5).

    async with simulate("sfox", seed=7, late_fills=True) as sim:
        order = sim.twin.user("test2").place("btcusd", Side.BUY, "0.5", "43000")
        sim.twin.user("test2").fill(order, "0.1")

With `enterprise=True` the ready-made configs are those of enterprise mode. What a test scripts is on the twin
(`sim.twin`); what the venue's pages leave open is a switch (`sim.twin.options`, `SfoxTwinOptions`).

Faults know REST calls as `POST /v1/orders/{side}`, `DELETE /v1/orders/{order_id}` and so on, and frames by their
feed's name and as `orders`, `orders/initial`, `orders/update`, `orders/update/Cancel Pending`, `orders/stale`,
`trades/update`, `balances/update`, `book/update`, `ticker/update`, `market-trades/update`, `control/subscribe`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from nautilus_orderfeeds.sim.model import Fee, Liquidity, OrderKind, Side, SimOrder, TimeInForce
from nautilus_orderfeeds.sim.venue import SimParts, VenueTwin
from nautilus_orderfeeds.venues.sfox.twin_account_rest import AccountRoutes, OfferRoutes
from nautilus_orderfeeds.venues.sfox.twin_accounts import PARTNER, Funds, Keyring
from nautilus_orderfeeds.venues.sfox.twin_book import MarketViews
from nautilus_orderfeeds.venues.sfox.twin_exchange import SfoxExchange
from nautilus_orderfeeds.venues.sfox.twin_feed import PrivateFeeds
from nautilus_orderfeeds.venues.sfox.twin_gate import Gate
from nautilus_orderfeeds.venues.sfox.twin_limits import Limits
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_order_rest import OrderRoutes
from nautilus_orderfeeds.venues.sfox.twin_outbox import AccountOutbox, own_feed
from nautilus_orderfeeds.venues.sfox.twin_products import PRODUCTS, Algorithm
from nautilus_orderfeeds.venues.sfox.twin_public import MarketFeeds, MarketRoutes
from nautilus_orderfeeds.venues.sfox.twin_rfq import Quotes
from nautilus_orderfeeds.venues.sfox.twin_sender import Sender
from nautilus_orderfeeds.venues.sfox.twin_user import SfoxUser
from nautilus_orderfeeds.venues.sfox.twin_views import Records
from nautilus_orderfeeds.venues.sfox.twin_wire import Wire, rounded
from nautilus_orderfeeds.venues.sfox.twin_words import Channel
from nautilus_orderfeeds.venues.sfox.twin_ws import SfoxStream

_MS = 1_000_000


class SfoxTwin(VenueTwin):
    """
    The simulated sFOX.

    Parameters
    ----------
    parts : SimParts
    options : SfoxTwinOptions

    Attributes
    ----------
    options : SfoxTwinOptions
        The switches; they may be changed while it runs.
    """

    config_prefix: ClassVar[str] = "Sfox"
    ws_path: ClassVar[str] = "/ws"

    def __init__(self, parts: SimParts, options: SfoxTwinOptions) -> None:
        self.options = options
        server, clock, faults = parts.server, parts.clock, parts.faults
        super().__init__(parts, PRODUCTS.values(), options.flow)
        self._keyring = Keyring(parts.seed, clock, self.ledger, options)
        self._open_accounts()
        self._records = Records(clock)
        funds = Funds(self.ledger, PRODUCTS, options)
        wire = Wire(options, self.ledger, funds)
        self._sender = Sender(clock, self._connections, options)
        outbox = AccountOutbox(self._sender, self._keyring.owners, options)
        self._feeds = PrivateFeeds(self._records, wire, outbox, funds, options, self._later)
        quotes = Quotes(parts.seed, clock, self.market, options)
        self._exchange = SfoxExchange(clock, self.market, self._feeds, funds, quotes, options, self._later)
        views = MarketViews(parts.seed, clock, self.market, options)
        self._market_feeds = MarketFeeds(views, self.market, self._sender, options, self._later)
        limits = Limits(clock, options)
        gate = Gate(server, self._keyring, limits, options)
        OrderRoutes(gate, self._exchange, self._records, outbox, funds, wire, faults, options)
        AccountRoutes(gate, self._keyring, self._records, quotes, wire, clock, faults, options)
        OfferRoutes(gate, quotes)
        MarketRoutes(gate, views, options)
        stream = SfoxStream(
            server,
            self._keyring,
            limits,
            self._sender,
            outbox,
            self._records,
            funds,
            wire,
            self._market_feeds,
            options,
            self._later,
        )
        server.websocket(self.ws_path, stream)

    async def start(self) -> None:
        """Begin the timed messages."""
        self._market_feeds.start()

    # -- accounts -------------------------------------------------------------------------------------------

    def credentials(self, number: int = 0) -> dict[str, object]:
        """The credential fields of the configs: of an own account, or in enterprise mode of the end user."""
        if self.options.enterprise:
            return {"api_key": self.enterprise_key, "enterprise": True, "user_id": f"test{number + 1}"}
        return {"api_key": self.own_keys[number]}

    def user(self, user_id: str) -> SfoxUser:
        """An end user of the enterprise key; a new one is opened with the balances that everybody starts with."""
        if user_id not in self._keyring.owners:
            self._keyring.open_account(user_id, is_user=True)
        return self._hand_on(user_id)

    def account(self, number: int = 0) -> SfoxUser:
        """The main account and the other own ones (in enterprise mode the end users `test1`, ...)."""
        return self._hand_on(f"test{number + 1}" if self.options.enterprise else f"account-{number + 1}")

    def read_only_key(self, number: int = 0) -> str:
        """A further key of an own account that may not trade (403)."""
        return self._keyring.new_key(f"account-{number + 1}", is_read_only=True).token

    def expire_tokens(self) -> None:
        """Let every user token that exists end now: 401 from here on."""
        self._keyring.expire_tokens()

    def revoke_keys(self, number: int = 0, *, close: bool = False) -> None:
        """Let the keys of an own account end now: 401, no more logins; whether connections end is open (3 [?])."""
        name = f"account-{number + 1}"
        self._keyring.revoke(name)
        for connection in self._sender.connections():
            if close and connection.account == name:
                connection.close()

    # -- scripts --------------------------------------------------------------------------------------------

    def place_external(
        self,
        product: str,
        *,
        side: Side,
        size: Decimal | str,
        price: Decimal | str | None = None,
        kind: OrderKind = OrderKind.LIMIT,
        time_in_force: TimeInForce = TimeInForce.GTC,
        client_order_id: str = "",
        expire_ns: int | None = None,
        algorithm: Algorithm | None = None,
        account: int = 0,
    ) -> SimOrder:
        """
        Place an order from the web app.

        Parameters
        ----------
        product : str
            Symbol.
        side : Side
        size : Decimal or str
            Base units; for a market buy quote units.
        price : Decimal or str, optional
            Limit price.
        kind, time_in_force, client_order_id, expire_ns, algorithm
            As in the API (`expire_ns` in ns).
        account : int
            Which account, see `SfoxTwin.account`.
        """
        is_market = kind is OrderKind.MARKET
        by_amount = is_market and side is Side.BUY
        return self.account(account).place(
            product,
            side,
            None if by_amount else size,
            None if is_market else price,
            amount=size if by_amount else None,
            algorithm=algorithm,
            time_in_force=time_in_force,
            client_order_id=client_order_id,
            expires_ms=expire_ns // _MS if expire_ns is not None else None,
        )

    def refuse_next_order(self, text: str, status: int = 422) -> None:
        """Let the next create be refused with this text."""
        self._exchange.refuse_next_order(text, status)

    def show_status(self, order: SimOrder, text: str) -> None:
        """Show an order with a status that no page knows, until its next change."""
        self._feeds.tell_order(self._feeds.view(order, text))

    def resend_order(self, order: SimOrder) -> None:
        """Show an order once more as it was last shown."""
        self._feeds.resend(order)

    def resend_trades(self, order: SimOrder) -> None:
        """Tell of an order's fills once more on the trades feed."""
        for trade in self._records.trades(order.account):
            if trade.fill.venue_order_id == order.venue_order_id:
                self._feeds.retell_trade(trade)

    def miss_trades(self, count: int = 1) -> None:
        """Let the trades feed never tell of the next `count` fills; REST lists them."""
        self._feeds.miss_trades(count)

    def skip_sequence(self, count: int = 1) -> None:
        """Let the next message of every connection skip `count` sequence numbers."""
        self._sender.skip(count)

    def swap_sequence(self) -> None:
        """Let the next two messages of every connection have each other's sequence number."""
        self._sender.swap()

    def send_web3_balance(self, account: int = 0) -> None:
        """Send the web3 wallet message that also comes on the balances feed (8.5)."""
        payload = {"type": "web3", "address": "0x0", "balance": "1", "network": "ethereum"}
        name, feed = self.account(account).account, own_feed(Channel.BALANCES)
        for connection in self._sender.connections():
            if connection.account == name and (feed,) in connection.subscriptions:
                self._sender.data(connection, feed, payload, "balances", "balances/web3")

    def begin_maintenance(self) -> None:
        """Answer 503 to everything and close every connection."""
        self.options.maintenance = True
        self._server.disconnect_all(abort=False)

    def end_maintenance(self) -> None:
        """Serve again."""
        self.options.maintenance = False

    # -- inside ---------------------------------------------------------------------------------------------

    def _request_cancel(self, order: SimOrder) -> None:
        self._exchange.request_cancel(order)

    def _open_accounts(self) -> None:
        """The ledger's main account is the first one that is opened."""
        own = [f"account-{number + 1}" for number in range(max(1, self.options.accounts))]
        wanted = max(1, self.options.users, self.options.accounts if self.options.enterprise else 0)
        users = [f"test{number + 1}" for number in range(wanted)]
        order = [*users, *own] if self.options.enterprise else [*own, *users]
        for name in order:
            self._keyring.open_account(name, is_user=name in users)
        self._keyring.open_account(PARTNER, is_empty=True)
        self.enterprise_key = self._keyring.new_key(PARTNER, is_enterprise=True).token
        self.own_keys = [self._keyring.new_key(name).token for name in own]

    def _hand_on(self, account: str) -> SfoxUser:
        return SfoxUser(account, self._exchange, self._feeds, self.market, self._keyring)

    def _fee(self, order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
        """Rates times notional, to eight decimals; a quote's price has its fee inside (7.6)."""
        if "quote_id" in order.info:
            return Fee()
        if liquidity is Liquidity.MAKER:
            return Fee(rounded(price * size * self.options.maker_rate))
        return Fee(rounded(price * size * self._exchange.rate(order.info.get("routing_type"))))


def create(parts: SimParts, **options: Any) -> SfoxTwin:
    """Make the twin; `options` are the fields of `SfoxTwinOptions`."""
    return SfoxTwin(parts, SfoxTwinOptions(**options))
