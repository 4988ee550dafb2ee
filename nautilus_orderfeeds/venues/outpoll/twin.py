"""
Outpoll as a simulated venue: its documented REST and WebSocket protocol over the shared market (protocol 13.7).

    async with simulate("outpoll", seed=7, history_delay_secs=2, update_meaning="b") as sim:
        sim.twin.options.place_status = 202

All REST hosts are one host and port with the paths as they are, and all streams are there by their paths:
`/order/ws` (Order Updates), `/balance/ws`, `/event/ws`, `/ws` (Chance History), `/history/ws`, `/last-trades/ws`.
Order Feed, whose path on its own host is that of Order Updates too, is at `/history/order/ws`; its AUTH signs
`/order/ws`. `base_url_ws` has no path.

The ledger is spot: a share of an asset is a currency named by the asset id, the quote is USDC. Every REST call
and frame goes through the shared faults; a call that gets no answer although it had its effect is
`Fault.LOST_ANSWER` with `where="POST /orders/limit"`, and so on. Their names for frames: `twin_ws`, `twin_public_ws`.

What a test scripts is on the twin (`sim.twin`); what the pages leave open is a switch (`sim.twin.options`,
`OutpollTwinOptions`); what no page documents at all is in `twin_assumed`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from nautilus_orderfeeds.sim.model import Fee, Liquidity, OrderState, Side, SimOrder
from nautilus_orderfeeds.sim.venue import SimParts, VenueTwin
from nautilus_orderfeeds.venues.outpoll.twin_account_rest import EventRoutes, KeyRoutes, WalletRoutes
from nautilus_orderfeeds.venues.outpoll.twin_exchange import Exchange
from nautilus_orderfeeds.venues.outpoll.twin_gate import Gate
from nautilus_orderfeeds.venues.outpoll.twin_heartbeat import Heartbeat
from nautilus_orderfeeds.venues.outpoll.twin_history_rest import HistoryRoutes
from nautilus_orderfeeds.venues.outpoll.twin_keys import Keyring, Refused
from nautilus_orderfeeds.venues.outpoll.twin_mirror import Mirror
from nautilus_orderfeeds.venues.outpoll.twin_notices import Notices
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_order_rest import OrderRoutes
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, OUTCOMES, QUOTE, make_products, write_instruments
from nautilus_orderfeeds.venues.outpoll.twin_public_ws import PublicEndpoint
from nautilus_orderfeeds.venues.outpoll.twin_quotes import Quotes
from nautilus_orderfeeds.venues.outpoll.twin_records import Records
from nautilus_orderfeeds.venues.outpoll.twin_request import LimitRequest, MarketRequest, TpslRequest
from nautilus_orderfeeds.venues.outpoll.twin_sender import Sender
from nautilus_orderfeeds.venues.outpoll.twin_tpsl import Tpsl, TpslBook
from nautilus_orderfeeds.venues.outpoll.twin_tpsl_desk import TpslDesk
from nautilus_orderfeeds.venues.outpoll.twin_wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.twin_wire import Wire
from nautilus_orderfeeds.venues.outpoll.twin_words import Outcome, PublicStream, Service
from nautilus_orderfeeds.venues.outpoll.twin_ws import KEY, PrivateStream


class OutpollTwin(VenueTwin):
    """
    The simulated Outpoll.

    Parameters
    ----------
    parts : SimParts
    options : OutpollTwinOptions

    Attributes
    ----------
    options : OutpollTwinOptions
        The switches; most may be changed while it runs.
    users : list[str]
        User ids, which are also the accounts' names in the ledger; the main one first.
    """

    config_prefix: ClassVar[str] = "Outpoll"
    ws_path: ClassVar[str] = ""

    def __init__(self, parts: SimParts, options: OutpollTwinOptions) -> None:
        self.options = options
        server, clock = parts.server, parts.clock
        super().__init__(parts, make_products(options.lot), options.flow)
        self._keyring = Keyring(parts.seed, clock, is_padded=options.padded_secret)
        self._sender = Sender(self._connections)
        self._heartbeat = Heartbeat(self._sender, options, self._later)
        wire = Wire(options)
        book = TpslBook()
        self._records = Records(options)
        self._wallet = Wallet(
            self.ledger, book, self._records, self._sender, wire.stream, clock.now_ns, options, self._later
        )
        self._notices = Notices(wire, self._sender, options, self._later)
        self._exchange = Exchange(parts.seed, clock, self.market, self._wallet, self._notices, options, self._later)
        self._desk = TpslDesk(book, self._exchange, self.market, self._wallet, self._notices, options, self._later)
        self._quotes = Quotes(self.market, clock, wire, self._sender, options, self._later)
        self.market.listeners += [
            self._records.on_batch,
            self._notices.on_batch,
            self._wallet.on_batch,
            self._desk.on_batch,
            self._quotes.on_batch,
            Mirror(self.market, options).on_batch,
        ]
        self._records.on_view.append(self._notices.on_view)
        self.users = [self._open_account(number) for number in range(options.accounts)]

        gate = Gate(server, self._keyring, options)
        OrderRoutes(gate, self._exchange, self._desk, book, self._notices, wire, options)
        HistoryRoutes(gate, self._records, book, self.market, parts.faults, wire, options)
        WalletRoutes(gate, self._records, self.market, parts.faults, wire, options)
        EventRoutes(gate, self.market, self._exchange, wire, options)
        KeyRoutes(gate, self._keyring, options)
        for service in Service:
            stream = PrivateStream(service, self._keyring, self._wallet, self._heartbeat, parts.faults, options)
            server.websocket(service.value, stream)
        for public in PublicStream:
            endpoint = PublicEndpoint(public, self._quotes, self._heartbeat, lambda: options.answer_pings)
            server.websocket(public.value, endpoint)

    async def start(self) -> None:
        """Begin PING and prices."""
        self._heartbeat.start()
        self._quotes.start()

    # -- for configs ----------------------------------------------------------------------------------------

    def credentials(self, number: int = 0) -> dict[str, object]:
        """The latest API key of a user and its secret."""
        key = self._keyring.key_of(self.users[number])
        return {"api_key": key.key, "api_secret": key.secret}

    def config_fields(self) -> dict[str, object]:
        """The instruments file: the search tells too little of them (5.1)."""
        path = self._config_file("instruments.json")
        write_instruments(path, ASSETS.values(), self.options.fee_rate)
        return {"instruments": str(path)}

    # -- keys -----------------------------------------------------------------------------------------------

    def login(self, number: int = 0) -> str:
        """The JWT of a user's account login (`Authorization: Bearer ...`)."""
        return self._keyring.login(self.users[number])

    def mailed_code(self, number: int = 0) -> str:
        """The code that a user is mailed for making a key."""
        return self._keyring.code(self.users[number])

    def replace_key(self, number: int = 0, *, close_streams: bool = False) -> dict[str, object]:
        """Let a user make a new key elsewhere, which ends the former: 401 from here on; the new credentials."""
        former = self._keyring.key_of(self.users[number]).key
        self._keyring.new_key(self.users[number])
        self._close_streams(former, close_streams)
        return self.credentials(number)

    def expire_key(self, number: int = 0, *, close_streams: bool = False) -> None:
        """Let a user's key end by its time: 401 from here on."""
        key = self._keyring.key_of(self.users[number])
        key.expires_ns = self._clock.now_ns()
        self._close_streams(key.key, close_streams)

    def block_key(self, number: int = 0, *, close_streams: bool = False) -> None:
        """Block a user's key for good: 403 from here on."""
        key = self._keyring.key_of(self.users[number])
        key.is_blocked = True
        self._close_streams(key.key, close_streams)

    # -- orders from elsewhere ------------------------------------------------------------------------------

    def place_external(
        self,
        product: str,
        *,
        side: Side,
        size: Decimal | str | None = None,
        price: Decimal | str | None = None,
        amount: Decimal | str | None = None,
        account: int = 0,
    ) -> SimOrder:
        """
        Place an order from the web app.

        Parameters
        ----------
        product : str
            Asset id.
        side : Side
        size : Decimal or str, optional
            Shares; not for a market buy.
        price : Decimal or str, optional
            USDC per share; without it a market order.
        amount : Decimal or str, optional
            USDC that a market buy spends.
        account : int
            Which user.

        Raises
        ------
        Refused
            As for an order over REST.
        """
        asset, owner = ASSETS[product], self.users[account]
        quantity = None if size is None else Decimal(size)
        if price is not None:
            assert quantity is not None
            return self._exchange.place(owner, LimitRequest(asset, side, Decimal(price), quantity))
        spend = None if amount is None else Decimal(amount)
        return self._exchange.place(owner, MarketRequest(asset, side, spend, quantity))

    def set_tpsl(
        self,
        product: str,
        *,
        take_profit: Decimal | str | None = None,
        stop_loss: Decimal | str | None = None,
        size: Decimal | str | None = None,
        account: int = 0,
    ) -> Tpsl:
        """Set a TP/SL from the web app: prices in USDC, `size` in shares (by default all that is free)."""
        request = TpslRequest(
            asset=ASSETS[product],
            take_profit=None if take_profit is None else Decimal(take_profit),
            stop_loss=None if stop_loss is None else Decimal(stop_loss),
            quantity=None if size is None else Decimal(size),
        )
        return self._desk.create(self.users[account], request)

    def fire_tpsl(self, tpsl: Tpsl) -> SimOrder | None:
        """Let a TP/SL fire now, whatever the price: the closing order, if there is something to close."""
        return self._desk.fire(tpsl)

    # -- scripts --------------------------------------------------------------------------------------------

    def refuse_next_order(self, text: str = "Bad request", status: int = 400) -> None:
        """Let the next placing be answered by an error; there is no order."""
        self._exchange.refuse_next_order(Refused(status, text))

    def fail_next_order(self, reason: str = "rejected") -> None:
        """Let the next order be taken (2xx) and then refused: FAILED."""
        self._exchange.fail_next_order(reason)

    def refuse_next_cancel(self, text: str = "Bad request", status: int = 400) -> None:
        """Let the next cancel be answered by an error; the order stays."""
        self._exchange.refuse_next_cancel(Refused(status, text))

    def fail_next_cancel(self) -> None:
        """Let the next cancel be answered by 2xx and not be done: FAILED, and the order stays."""
        self._exchange.fail_next_cancel()

    def race_next_cancel(self, size: Decimal | str | None = None) -> None:
        """Let the next cancel find that the order has just traded `size` shares more (by default all)."""
        self._exchange.race_next_cancel(None if size is None else Decimal(size))

    def fill(self, order: SimOrder, size: Decimal | str, price: Decimal | str | None = None) -> None:
        """
        Fill `size` shares of this very resting order, past all others, by default at its own price.

        Raises
        ------
        ValueError
            If the order does not rest, has not that much left, or does not accept the price.
        """
        if order.state is not OrderState.WORKING:
            raise ValueError(f"order {order.venue_order_id} ({order.state.value}) does not rest in the market")
        at = order.price if price is None else Decimal(price)
        assert at is not None
        self.market.deal(order, at, Decimal(size))

    def push_order_update(self, order_id: str, outcome: Outcome | str = Outcome.SUCCESS, *, account: int = 0) -> None:
        """Send a user an ORDER_UPDATE for any order id, known or not."""
        self._notices.order(self.users[account], order_id, Outcome(outcome))

    def push_text(self, service: Service, text: str, *, account: int = 0) -> None:
        """Send any frame on a private stream."""
        for connection in self._sender.private(service, self.users[account]):
            connection.send(text, "control/script")

    def push_ping(self) -> None:
        """Send PING on every stream now."""
        self._heartbeat.ping()

    def show_status(self, order: SimOrder, text: str) -> None:
        """Show an order in history-service with a status that no page knows, until its next change."""
        self._records.show(order, text)

    def resolve(self, outcome_id: str, *, yes_wins: bool) -> None:
        """Decide an outcome: its orders and TP/SL vanish, every winning share is paid one USDC."""
        outcome = OUTCOMES[outcome_id]
        self._desk.drop(outcome)
        self._exchange.resolve(outcome, yes_wins=yes_wins)

    # -- inside ---------------------------------------------------------------------------------------------

    def _request_cancel(self, order: SimOrder) -> None:
        self._exchange.request_cancel(order)

    def _open_account(self, number: int) -> str:
        owner = self._keyring.open_account(number)
        self.ledger.add_account(owner)
        self.ledger.deposit(owner, QUOTE, self.options.balance)
        for asset_id in ASSETS:
            self.ledger.deposit(owner, asset_id, self.options.shares)
        self._wallet.open_account(owner)
        return owner

    def _close_streams(self, key: str, is_wanted: bool) -> None:
        for connection in self._connections():
            if is_wanted and connection.info.get(KEY) == key:
                connection.close()

    def _fee(self, order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
        return Fee(price * size * self.options.fee_rate)


def create(parts: SimParts, **options: Any) -> OutpollTwin:
    """Make the twin; `options` are the fields of `OutpollTwinOptions`."""
    return OutpollTwin(parts, OutpollTwinOptions(**options))
