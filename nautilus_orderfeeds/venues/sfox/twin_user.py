"""A hand on one account of the simulated sFOX, for tests: what its owner, or the market, does there."""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import ZERO, Fill, Side, SimOrder, TimeInForce
from nautilus_orderfeeds.venues.sfox.twin_accounts import Keyring
from nautilus_orderfeeds.venues.sfox.twin_exchange import SfoxExchange
from nautilus_orderfeeds.venues.sfox.twin_feed import PrivateFeeds
from nautilus_orderfeeds.venues.sfox.twin_products import Algorithm
from nautilus_orderfeeds.venues.sfox.twin_request import OrderRequest, read_product


class SfoxUser:
    """
    One own account or end user.

    Attributes
    ----------
    account : str
        Its name in the ledger; for an end user that is the `user_id`.
    """

    def __init__(
        self,
        account: str,
        exchange: SfoxExchange,
        feeds: PrivateFeeds,
        market: Market,
        keyring: Keyring,
    ) -> None:
        self.account = account
        self._exchange = exchange
        self._feeds = feeds
        self._market = market
        self._ledger: Ledger = market.ledger
        self._keyring = keyring

    def place(
        self,
        pair: str,
        side: Side,
        quantity: Decimal | str | None = None,
        price: Decimal | str | None = None,
        *,
        amount: Decimal | str | None = None,
        algorithm: Algorithm | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
        client_order_id: str = "",
        expires_ms: int | None = None,
        routing_type: str = "NetPrice",
    ) -> SimOrder:
        """
        Place an order, with every check of the venue.

        Parameters
        ----------
        pair : str
        side : Side
        quantity : Decimal or str, optional
            Base units.
        price : Decimal or str, optional
            Quote per base unit; without one it is a market order.
        amount : Decimal or str, optional
            Quote units to spend, for market buys.
        algorithm : Algorithm, optional
            By default `LIMIT` with a price and `MARKET` without.
        time_in_force, client_order_id, expires_ms, routing_type
            As in the API.

        Raises
        ------
        Refused
            Where the venue would refuse.
        """
        default = Algorithm.MARKET if price is None else Algorithm.LIMIT
        request = OrderRequest(
            product=read_product(pair),
            side=side,
            algorithm=algorithm if algorithm is not None else default,
            price=_decimal(price),
            quantity=_decimal(quantity),
            amount=_decimal(amount),
            client_order_id=client_order_id,
            time_in_force=time_in_force,
            expires_ms=expires_ms,
            max_slippage=None,
            routing_type=routing_type,
            routing_option="BestPrice",
            destination="",
            quote_id="",
            stop_amount=None,
            stop_percent=None,
        )
        return self._exchange.create(self.account, request)[0]

    def fill(
        self, order: SimOrder | str, size: Decimal | str | None = None, price: Decimal | str | None = None
    ) -> Fill:
        """
        Let a resting order trade with the background, whoever stands before it.

        Parameters
        ----------
        order : SimOrder or str
            The order, or its id or client order id.
        size : Decimal or str, optional
            Base units; by default all that is left.
        price : Decimal or str, optional
            By default the order's own; never worse than that.
        """
        found = self.order(order)
        at = _decimal(price) if price is not None else found.price
        self._market.deal(found, at if at is not None else ZERO, Decimal(size) if size is not None else found.leaves)
        return self.fills(found)[-1]

    def cancel(self, order: SimOrder | str) -> None:
        """Ask for the end of an order."""
        self._exchange.request_cancel(self.order(order))

    def deposit(self, currency: str, amount: Decimal | str) -> None:
        """Add money from outside (negative: take it out)."""
        self._keyring.deposit(self.account, currency, Decimal(amount))
        self._feeds.tell_balances(self.account, [currency])

    def order(self, order: SimOrder | str) -> SimOrder:
        """An order of this account by its id or client order id. Raises `KeyError`."""
        return order if isinstance(order, SimOrder) else self._ledger.order(order, self.account)

    def orders(self, *, is_open: bool | None = None) -> list[SimOrder]:
        """The account's orders, oldest first."""
        return self._ledger.orders(account=self.account, is_open=is_open)

    def fills(self, order: SimOrder | str | None = None) -> list[Fill]:
        """The account's fills, or those of one order, oldest first."""
        return self._ledger.fills(None if order is None else self.order(order), account=self.account)

    def balance(self, currency: str) -> Decimal:
        """What the account owns of a currency."""
        return self._ledger.balance(currency, self.account)

    def token(self) -> str:
        """A fresh user token of an end user (`POST /v1/enterprise/user-tokens/:user_id`)."""
        return self._keyring.new_token(self.account).token


def _decimal(value: Decimal | str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
