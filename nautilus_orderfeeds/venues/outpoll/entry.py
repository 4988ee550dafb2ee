"""Order entry over REST (protocol, 5.2 to 5.5): one outcome for every order, never better than the evidence."""

from typing import Any, Final
from urllib.parse import quote

from nautilus_orderfeeds.feed.rest import Response
from nautilus_orderfeeds.orders.requests import Accepted, NewOrder, Outcome, Unknown
from nautilus_orderfeeds.orders.words import OrderType
from nautilus_orderfeeds.venues.decoding import check_id
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.api import OutpollApi

LIMIT: Final = "/orders/limit"
MARKET: Final = "/orders/market"
TPSL: Final = "/orders/tpsl"

#: Keys of an instrument's `info`.
EVENT_ID: Final = "event_id"
OUTCOME_ID: Final = "outcome_id"
BASE_ASSET_ID: Final = "base_asset_id"
QUOTE_ASSET_ID: Final = "quote_asset_id"


def body_of(order: NewOrder, spec: InstrumentSpec) -> tuple[str, bytes]:
    """Return path and body of the request that places `order`: the bytes that are signed and sent."""
    body = _head(spec, order.side.name)
    match order.type:
        case OrderType.LIMIT:
            assert order.price is not None
            body |= {"p": wire.number(order.price), "q": wire.number(order.quantity)}
            return LIMIT, wire.encode(body)
        case _:
            # A BUY says what to spend in USDC, a SELL how many shares to sell (protocol, 5.3).
            body["am" if order.quote_quantity else "q"] = wire.number(order.quantity)
            return MARKET, wire.encode(body)


def tpsl_body(take_profit: NewOrder, stop_loss: NewOrder, spec: InstrumentSpec) -> bytes:
    """Return the body that attaches a take-profit and a stop-loss (protocol, 5.5; `qa`, `s`, `q` are inferred)."""
    assert take_profit.price is not None
    assert stop_loss.trigger_price is not None
    body = _head(spec, "SELL") | {
        "q": wire.number(take_profit.quantity),
        "t": wire.number(take_profit.price),
        "l": wire.number(stop_loss.trigger_price),
    }
    return wire.encode(body)


def _head(spec: InstrumentSpec, side: str) -> dict[str, Any]:
    info = spec.info
    return {
        "e": info[EVENT_ID],
        "o": info[OUTCOME_ID],
        "ba": info.get(BASE_ASSET_ID) or spec.raw_symbol,
        "qa": info[QUOTE_ASSET_ID],
        "s": side,
    }


async def place(api: OutpollApi, path: str, body: bytes) -> Outcome:
    """Place an order, once: 200 or 202 with its id, a refusal, or nobody knows."""

    def ok(response: Response) -> Outcome:
        order_id = wire.TAKEN.decode(response.body).i
        if not order_id:
            return Unknown(f"no order id in the answer: {response.excerpt()}")
        return Accepted(check_id("order id", order_id))

    return await api.post(path, body, ok)


async def cancel(api: OutpollApi, path: str, venue_order_id: str) -> Outcome:
    """Ask for a cancel: a 2xx is no proof of one (protocol, 5.4)."""
    return await api.delete(f"{path}/{quote(venue_order_id, safe='')}", lambda _: Accepted(venue_order_id))
