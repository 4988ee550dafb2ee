"""
ActTrader as a simulated venue: both dialects of its clearing service, and the companion price stream, over
the shared market (protocol 11.6).

    async with simulate("acttrader", seed=7, dialect="final", execution_fills="incremental") as sim:
        sim.twin.options.execution_copies = 2

Orders are taken at `sim.base_url_ws`, prices are told at `sim.twin.ticker_url`. The protocol has no balances
and no instruments; `config_fields` has them ready for a client: money in USD, and products on margin whose
trades move a net position with its profit in the quote currency (`sim.ledger.position`).

An AON order is hidden until resting orders can fill it as a whole; two AON orders never meet. Stop orders watch
the mark price (`market.set_mid`, `set_mark`), or by choice the last trade; `market.trade` moves only the latter.

What a test scripts is on the twin (`sim.twin`): orders from elsewhere and of foreign logins, refusals,
frames that nobody expects. Faults and their names: `OrderStream`; an `execution` is known to them as
`"execution"`, `"execution/<status>"` and, if it tells of a fill, `"execution/fill"`, a tick as `"ticker"`.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from nautilus_orderfeeds.sim.connection import encode_json
from nautilus_orderfeeds.sim.model import Fee, Liquidity, Side, SimOrder
from nautilus_orderfeeds.sim.venue import SimParts, VenueTwin
from nautilus_orderfeeds.venues.acttrader.twin_exchange import Exchange
from nautilus_orderfeeds.venues.acttrader.twin_feed import READY, ExecutionFeed
from nautilus_orderfeeds.venues.acttrader.twin_options import ActTraderTwinOptions
from nautilus_orderfeeds.venues.acttrader.twin_products import CURRENCY, PRODUCTS, write_instruments
from nautilus_orderfeeds.venues.acttrader.twin_request import Lifetime, NewOrder, OrderType
from nautilus_orderfeeds.venues.acttrader.twin_ticker import Ticker
from nautilus_orderfeeds.venues.acttrader.twin_wire import Wire
from nautilus_orderfeeds.venues.acttrader.twin_ws import HEARTBEAT, OrderStream

_TICKER_PATH = "/charts/ws"
_IDLE_SECS = 0.5


class ActTraderTwin(VenueTwin):
    """
    The simulated ActTrader.

    Parameters
    ----------
    parts : SimParts
    options : ActTraderTwinOptions

    Attributes
    ----------
    options : ActTraderTwinOptions
        The switches; most may be changed while it runs.
    logins : list[str]
        The accounts' names in the ledger, the main one first; on the wire the final dialect has them as numbers.
    foreign_login : str
        A login that no client was given; its executions are pushed to everyone all the same.
    """

    config_prefix: ClassVar[str] = "ActTrader"
    ws_path: ClassVar[str] = "/ws"

    def __init__(self, parts: SimParts, options: ActTraderTwinOptions) -> None:
        self.options = options
        super().__init__(parts, PRODUCTS, options.flow)
        self.logins = [self._open_account(number) for number in range(options.accounts)]
        self.foreign_login = self._open_account(options.accounts + 1000)
        self._wire = Wire(options)
        self._feed = ExecutionFeed(options, self._wire, self._connections)
        self._exchange = Exchange(
            parts.clock, self.market, self._feed, self._wire, parts.faults, options, self.logins, self._later
        )
        self._ticker = Ticker(self.market, parts.clock, self._connections, options)
        stream = OrderStream(self._exchange, self._feed, self._wire, parts, options, self._later)
        parts.server.websocket(self.ws_path, stream)
        parts.server.websocket(_TICKER_PATH, self._ticker)

    async def start(self) -> None:
        """Begin ticks and heartbeats."""
        options = self.options
        self._ticker.publish()  # what there is already is no change
        self._later.every(lambda: options.tick_interval_secs, self._ticker.publish)
        self._later.every(lambda: options.heartbeat_secs or _IDLE_SECS, lambda: self._beat(self.ws_path))
        self._later.every(lambda: options.ticker_heartbeat_secs or _IDLE_SECS, lambda: self._beat(_TICKER_PATH))

    # -- for configs ----------------------------------------------------------------------------------------

    @property
    def ticker_url(self) -> str:
        """The price stream, with its token if it needs one."""
        return self._url(_TICKER_PATH, self.options.ticker_token)

    def credentials(self, number: int = 0) -> dict[str, object]:
        """The login (in the dialect's own type) and whatever the options demand besides."""
        fields: dict[str, object] = {"login": self._wire.login(self.logins[number])}
        if self.options.auth_headers:
            fields["auth_headers"] = dict(self.options.auth_headers)
        if self.options.auth_message:
            fields["auth_message"] = self.options.auth_message
        if self.options.token:
            fields["token"] = self.options.token
        return fields

    def config_fields(self) -> dict[str, object]:
        """URL with its token, dialect, instruments file and starting balance: all that the wire does not tell."""
        return {
            "base_url_ws": self._url(self.ws_path, self.options.token),
            "dialect": self.options.dialect.value,
            "instruments": str(self._instruments_file()),
            "starting_balances": [f"{self.options.balance:f} {CURRENCY}"],
        }

    def data_config_fields(self) -> dict[str, object]:
        """The same with the URL of the price stream."""
        return {**self.config_fields(), "base_url_ws": self.ticker_url}

    def _url(self, path: str, token: str) -> str:
        query = f"?{urlencode({'token': token})}" if token else ""
        return f"ws://{self._server.host}:{self._server.port}{path}{query}"

    def _instruments_file(self) -> Path:
        path = self._config_file("instruments.json")
        write_instruments(path, PRODUCTS, self.options.commission_rate)
        return path

    # -- scripts --------------------------------------------------------------------------------------------

    def place_external(
        self,
        product: str,
        *,
        side: Side,
        size: Decimal | str,
        price: Decimal | str | None = None,
        stop_price: Decimal | str | None = None,
        lifetime: Lifetime | str | None = None,
        all_or_none: bool = False,
        client_order_id: str = "",
        till_ns: int = 0,
        login: str | None = None,
    ) -> SimOrder:
        """
        Place an order through the dealer's terminal; its executions are pushed like all others.

        Parameters
        ----------
        product : str
            Symbol.
        side : Side
        size : Decimal or str
            Base units.
        price, stop_price : Decimal or str, optional
            Together they make the type: MARKET, LIMIT, STOP or STOP_LIMIT.
        lifetime : Lifetime or str, optional
            The wire's `timeInForce`, by default GTC (draft) or AON (final).
        all_or_none : bool
            Whether an AON order fills only as a whole.
        client_order_id : str
        till_ns : int
            When it expires, ns; 0 for never.
        login : str, optional
            One of `logins` or `foreign_login`; by default the main one.
        """
        default = Lifetime.GTC if self.options.is_draft else Lifetime.AON
        kind = _TYPES[(price is not None, stop_price is not None)]
        request = NewOrder(
            login=login or self.logins[0],
            symbol=self.market.product(product).symbol,
            side=side,
            type=kind,
            lifetime=default if lifetime is None else Lifetime(lifetime),
            quantity=Decimal(size),
            price=None if price is None else Decimal(price),
            stop_price=None if stop_price is None else Decimal(stop_price),
            till_ns=till_ns,
            client_order_id=client_order_id,
        )
        order = self._exchange.make(request, all_or_none=all_or_none)
        self.market.submit(order)
        return order

    def reject_next_order(self, reason: str) -> None:
        """Let the next new order (or OCO pair) be refused, in the way of the option `refusal`."""
        self._exchange.reject_next_order(reason)

    def push_foreign_execution(self, client_order_id: str = "foreign order") -> SimOrder:
        """Let a foreign login trade, so that everyone is pushed an execution that is nobody's."""
        return self.place_external(
            PRODUCTS[0].symbol,
            side=Side.BUY,
            size=PRODUCTS[0].min_size,
            client_order_id=client_order_id,
            login=self.foreign_login,
        )

    def push_unknown_event(self) -> None:
        """Push an event that no page knows."""
        self.push_text('{"event":"maintenance","payload":{"text":"scheduled"}}')

    def push_with_comment(self, order: SimOrder | str) -> None:
        """Push an order's execution once more, with a comment in it as in the printed samples: no JSON."""
        text = encode_json(self._wire.execution(self._feed.view(self._order(order)))).decode()
        self.push_text(text.replace('"payload":{', '"payload":{ // transaction time in UTC timezone\n', 1))

    def push_heartbeat(self) -> None:
        """Push the text `heartbeat` to every order stream now."""
        self.push_text(HEARTBEAT, "control/heartbeat")

    def push_text(self, text: str, name: str = "control/script") -> None:
        """Push any frame to every order stream; `name` is what faults know it by."""
        for connection in self._connections():
            if READY in connection.subscriptions:
                connection.send(text, name)

    # -- inside ---------------------------------------------------------------------------------------------

    def _beat(self, path: str) -> None:
        is_on = self.options.heartbeat_secs if path == self.ws_path else self.options.ticker_heartbeat_secs
        for connection in self._connections():
            if is_on and connection.path == path:
                connection.send(HEARTBEAT, "control/heartbeat")

    def _open_account(self, number: int) -> str:
        """A login as the dialect's samples have it: a text, or a number."""
        name = f"user-login-{number + 1}" if self.options.is_draft else str(123_456 + number)
        self.ledger.add_account(name)
        self.ledger.deposit(name, CURRENCY, self.options.balance)
        return name

    def _fee(self, order: SimOrder, price: Decimal, size: Decimal, liquidity: Liquidity) -> Fee:
        return Fee(price * size * self.options.commission_rate)


_TYPES = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
}
"""By (has a price, has a stop price)."""


def create(parts: SimParts, **options: Any) -> ActTraderTwin:
    """Make the twin; `options` are the fields of `ActTraderTwinOptions`."""
    return ActTraderTwin(parts, ActTraderTwinOptions(**options))
