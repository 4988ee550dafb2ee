"""Messages, settings and orders of sFOX for tests; what is not told here is as in the venue's samples."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_orderfeeds.feed.clock import Clock, LiveClock
from nautilus_orderfeeds.orders.requests import NewOrder, OrderRef
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.instruments import InstrumentSpec
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.api import SfoxApi
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec
from nautilus_orderfeeds.venues.sfox.frames import PrivateDecoder
from nautilus_orderfeeds.venues.sfox.products import decode_pairs
from nautilus_orderfeeds.venues.sfox.settings import Limits, SfoxSettings

SAMPLES = Path(__file__).parents[1] / "venues" / "sfox" / "samples"

API_KEY = "test-key"
USER = "test3"
ORDER_ID = 693291242
CLIENT_ORDER_ID = "577ab261-9dfc-415a-ba61-a54a18c1942c"
FRAME_TS = 1710367225302228171

#: Limits that no test meets by accident.
NO_LIMITS = Limits(rest_requests=100_000, ws_requests_per_min=100_000, time_scale=0.001)


def order(**changed: Any) -> dict[str, Any]:
    """An order as a feed tells it (a subset of its fields, decimals as text)."""
    return {
        "id": ORDER_ID,
        "client_order_id": CLIENT_ORDER_ID,
        "date_added": "2023-11-14T22:08:53.000Z",
        "status": "Started",
        "filled": "0",
        "filled_amount": "0",
        "vwap": "0",
        "price": "37227.82",
        "quantity": "0.05",
        "pair": "btcusd",
        "action": "Buy",
        "type": "Limit",
        "algorithm_id": 201,
        "fees": "0",
        **changed,
    }


def rest_order(**changed: Any) -> dict[str, Any]:
    """An order as REST tells it (all fields, decimals as numbers)."""
    return {
        "id": ORDER_ID,
        "side_id": 500,
        "action": "Buy",
        "algorithm_id": 201,
        "algorithm": "Limit",
        "type": "Limit",
        "pair": "btcusd",
        "quantity": 0.05,
        "price": 37227.82,
        "amount": 0,
        "net_market_amount": 0,
        "filled": 0,
        "vwap": 0,
        "filled_amount": 0,
        "fees": 0,
        "net_proceeds": 0,
        "status": "Started",
        "status_code": 100,
        "routing_option": "BestPrice",
        "routing_type": "NetPrice",
        "time_in_force": "GTC",
        "expires": None,
        "dateupdated": "2023-11-14T22:08:53.000Z",
        "date_added": "2023-11-14T22:08:53.000Z",
        "client_order_id": CLIENT_ORDER_ID,
        "user_tx_id": CLIENT_ORDER_ID,
        "o_action": "Buy",
        "algo_id": 201,
        "algorithm_options": None,
        "destination": "",
        **changed,
    }


def trade(**changed: Any) -> dict[str, Any]:
    """One own fill."""
    return {
        "trade_id": 830151520,
        "order_id": ORDER_ID,
        "date_updated": "2024-02-22T19:28:06.000Z",
        "action": "Buy",
        "currency_pair": "btcusd",
        "quantity": "0.01",
        "amount": "372.2782",
        "price": "37227.82",
        "fees": "0.13029737",
        "net_amount": "372.40849737",
        **changed,
    }


def frame(feed: str, payload: Any, *, sequence: int = 3, **changed: Any) -> bytes:
    """A data frame; `feed` is its full name."""
    body = {"sequence": sequence, "recipient": feed, "timestamp": FRAME_TS, "payload": payload, **changed}
    return json.dumps(body).encode()


def own(feed: str, *rows: Any, **changed: Any) -> bytes:
    """A frame of an own account's feed (`open-orders`, `trades`, `balances`)."""
    return frame(f"private.user.{feed}", list(rows), **changed)


def of_user(user_id: str, feed: str, *rows: Any, **changed: Any) -> bytes:
    """A frame of the end users' feed about one of them."""
    payload = {"user_id": user_id, "updates": list(rows)}
    return frame(f"private.enterprise.users.{feed}", payload, **changed)


def ack(action: str = "authenticate", **changed: Any) -> bytes:
    """A control frame."""
    body = {"type": "success", "sequence": 1, "timestamp": FRAME_TS, "payload": {"action": action}, "action": action}
    return json.dumps({**body, **changed}).encode()


def decoder(user_id: str | None = None, codec: OrderCodec | None = None) -> tuple[PrivateDecoder, list[str]]:
    """A decoder, and the errors of the venue that it was told."""
    errors: list[str] = []
    return PrivateDecoder(codec or OrderCodec(), user_id, errors.append), errors


def update(
    codec: OrderCodec | None = None, source: Source = Source.STREAM, frame_ts: int = FRAME_TS, **changed: Any
) -> OrderUpdate:
    """What one order of a feed tells."""
    return (codec or OrderCodec()).update(wire.ORDER.decode(json.dumps(order(**changed)).encode()), source, frame_ts)


def rest_update(codec: OrderCodec | None = None, source: Source = Source.QUERY, **changed: Any) -> OrderUpdate:
    """What one order of REST tells."""
    return (codec or OrderCodec()).update(wire.ORDER.decode(json.dumps(rest_order(**changed)).encode()), source)


def settings(base_url_http: str = "http://127.0.0.1:1", **changed: Any) -> SfoxSettings:
    """Settings with a dummy key and no limit to speak of."""
    given: dict[str, Any] = {
        "base_url_http": base_url_http,
        "base_url_ws": "ws://127.0.0.1:1/ws",
        "api_key": Secret(API_KEY),
        "timeout_secs": 2.0,
        "limits": NO_LIMITS,
    }
    return SfoxSettings(**{**given, **changed})


@asynccontextmanager
async def api(url: str, clock: Clock | None = None, **changed: Any) -> AsyncIterator[SfoxApi]:
    """A REST client of the server at `url`."""
    client = SfoxApi(settings(url, **changed), clock or LiveClock())
    try:
        yield client
    finally:
        await client.close()


PAIRS = {
    "btcusd": {"formatted_symbol": "BTC/USD", "symbol": "btcusd", "base": "btc", "quote": "usd"},
    "ethbtc": {"formatted_symbol": "ETH/BTC", "symbol": "ethbtc", "base": "eth", "quote": "btc"},
    "ethusdc": {"formatted_symbol": "ETH/USDC", "symbol": "ethusdc", "base": "eth", "quote": "usdc"},
}


def specs(**changed: Any) -> dict[str, InstrumentSpec]:
    """The instruments of `PAIRS` by symbol, for settings changed so."""
    listed = decode_pairs(json.dumps(PAIRS).encode(), settings(**changed), {}, wire.FeeRates())
    return {spec.symbol: spec for spec in listed}


def new_order(client_order_id: str = "O-20240625-001-001-1", **changed: Any) -> NewOrder:
    """A limit order as a strategy wants it."""
    given: dict[str, Any] = {
        "client_order_id": client_order_id,
        "symbol": "BTCUSD",
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": Decimal("0.05"),
        "price": Decimal("37227.82"),
    }
    return NewOrder(**{**given, **changed})


def market_order(**changed: Any) -> NewOrder:
    """A market buy that spends 500 USD."""
    return new_order(
        **{"type": OrderType.MARKET, "price": None, "quantity": Decimal(500), "quote_quantity": True, **changed}
    )


def ref(client_order_id: str = "O-1", venue_order_id: str | None = str(ORDER_ID), **changed: Any) -> OrderRef:
    """Names of one order."""
    given = {"symbol": "BTCUSD", "refs": (f"cid:{client_order_id}",), "side": OrderSide.BUY, **changed}
    return OrderRef(client_order_id=client_order_id, venue_order_id=venue_order_id, **given)
