"""Requests for quote of the simulated sFOX: estimates, firm quotes and their execution (protocol 7.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ids import Uuids
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import ZERO, Product, Side
from nautilus_orderfeeds.venues.sfox.twin_accounts import Refused
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_request import OrderRequest, read_decimal, read_product
from nautilus_orderfeeds.venues.sfox.twin_wire import iso, plain

_LIFETIME_NS = 10 * 1_000_000_000
_PLACES = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Quote:
    """A firm, one-sided quote: `quantity` base units at `price`, fees included."""

    quote_id: str
    client_quote_id: str
    account: str
    product: Product
    side: Side
    quantity: Decimal
    price: Decimal
    made_ns: int


class Quotes:
    """
    Makes quotes from the book as it is and lets each be executed once.

    Parameters
    ----------
    seed : int
        Makes the quote ids.
    clock : SimClock
    market : Market
    options : SfoxTwinOptions
    """

    def __init__(self, seed: int, clock: SimClock, market: Market, options: SfoxTwinOptions) -> None:
        self._clock = clock
        self._market = market
        self._options = options
        self._ids = Uuids(seed, clock, "quotes")
        self._quotes: dict[str, Quote] = {}

    def make(self, account: str, body: Mapping[str, Any]) -> dict[str, object]:
        """Answer `POST /v1/quote`. Raises `Refused` (422) for a request that cannot be quoted."""
        product = read_product(body.get("pair"))
        side = _side(body.get("side"))
        quantity, amount = read_decimal(body, "quantity"), read_decimal(body, "amount")
        if (quantity is None) == (amount is None):
            raise Refused("one of quantity and amount is required")
        quantity, cost, _ = self._sweep(product, side, quantity, amount)
        rate = self._options.net_price_rate
        price = (cost / quantity * (1 + side.sign * rate)).quantize(_PLACES, rounding=ROUND_HALF_UP)
        client_quote_id = body.get("client_quote_id") or ""
        quote = Quote(
            quote_id=self._ids.version4(),
            client_quote_id=str(client_quote_id),
            account=account,
            product=product,
            side=side,
            quantity=quantity,
            price=price,
            made_ns=self._clock.now_ns(),
        )
        self._quotes[quote.quote_id] = quote
        return {
            "quote_id": quote.quote_id,
            "pair": product.symbol,
            "side": side.value,
            "date_expiry": iso(quote.made_ns + _LIFETIME_NS),
            "date_quote": iso(quote.made_ns),
            "amount": _number(quantity * price),
            "quantity": _number(quantity),
            "buy_price" if side is Side.BUY else "sell_price": _number(price),
        }

    def estimate(self, side: Side, query: Mapping[str, str | None]) -> dict[str, object]:
        """Answer `GET /v1/offer/:side`: what an order would cost now, which binds nobody."""
        product = read_product(query.get("pair"))
        quantity, maxspend = read_decimal(query, "quantity"), read_decimal(query, "maxspend")
        if (quantity is None) == (maxspend is None):
            raise Refused("one of quantity and maxspend is required")
        routing_type = query.get("routing_type") or "NetPrice"
        rate = self._options.smart_rate if routing_type == "Smart" else self._options.net_price_rate
        quantity, cost, worst = self._sweep(product, side, quantity, maxspend)
        fees = cost * rate
        return {
            "price": _number(worst),
            "subtotal": _number(cost),
            "fees": _number(fees),
            "total": _number(cost + side.sign * fees),
            "quantity": _number(quantity),
            "vwap": _number(cost / quantity),
            "currency_pair": product.symbol,
            "routing_type": routing_type,
        }

    def take(self, account: str, request: OrderRequest) -> Quote:
        """The quote that a create executes. Raises `Refused` (422) if it is not exactly that quote."""
        quote = self._quotes.get(request.quote_id)
        if quote is None or quote.account != account:
            raise Refused(f"invalid quote_id: {request.quote_id}")
        if quote.made_ns + _LIFETIME_NS <= self._clock.now_ns():
            raise Refused(f"quote has expired: {request.quote_id}")
        if quote.product is not request.product or quote.side is not request.side:
            raise Refused("the order does not match its quote")
        if request.quantity != quote.quantity:
            raise Refused(f"quantity must be that of the quote: {plain(quote.quantity)}")
        if quote.client_quote_id and request.client_order_id != quote.client_quote_id:
            raise Refused("client_order_id must be the client_quote_id")
        return quote

    def spend(self, quote: Quote) -> None:
        """A quote is executed once."""
        del self._quotes[quote.quote_id]

    def _sweep(
        self, product: Product, side: Side, quantity: Decimal | None, amount: Decimal | None
    ) -> tuple[Decimal, Decimal, Decimal]:
        """What the book gives for a quantity or an amount: (base units, quote units, worst price)."""
        bids, asks = self._market.book(product.symbol)
        taken = cost = worst = ZERO
        for price, size in asks if side is Side.BUY else bids:
            if quantity is not None:
                size = min(size, quantity - taken)
            else:
                assert amount is not None
                size = min(size, ((amount - cost) / price).quantize(_PLACES, rounding=ROUND_DOWN))
            if size <= 0:
                break
            taken, cost, worst = taken + size, cost + size * price, price
        if taken == 0 or (quantity is not None and taken < quantity):
            raise Refused("not enough liquidity")
        return taken, cost, worst


def _side(value: object) -> Side:
    try:
        return Side(str(value).upper())
    except ValueError:
        raise Refused(f"invalid side: {value}") from None


def _number(number: Decimal) -> Decimal:
    return Decimal(plain(number))
