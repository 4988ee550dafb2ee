"""What the tests of the BSX client share: orders as the wire writes them, settings, a client of a raw server."""

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
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.api import BsxApi
from nautilus_orderfeeds.venues.bsx.codec import OrderCodec
from nautilus_orderfeeds.venues.bsx.products import decode_products
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings, Secret
from nautilus_orderfeeds.venues.instruments import InstrumentSpec

SAMPLES = Path(__file__).parents[1] / "venues" / "bsx" / "samples"

API_KEY = "1fda404d8f84ce7de5611a7f0d310325"
API_SECRET = API_KEY * 2
#: Keys of the published vectors: dummies known to everybody.
SIGNER_KEY = "0x" + "0" * 63 + "2"
SIGNER = "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf"
WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"

CREATED = 1719319688307036691
NONCE = 1719319688044650011


def order(**changed: Any) -> dict[str, Any]:
    """The order of the venue page's update, with other values."""
    return {
        "avg_price": "0",
        "cancel_reason": "",
        "cancel_reject_reason": "",
        "cancel_requested": False,
        "cancel_requested_at": "0",
        "client_order_id": "",
        "created_at_ts": str(CREATED),
        "filled_fees": "0",
        "filled_size": "0",
        "id": "a01292c9-00f1-4c18-9d47-ec18df88d0ae",
        "initial_margin": "54.9516550639499991",
        "is_liquidation": False,
        "last_trades": [],
        "nonce": str(NONCE),
        "order_stop_type": "STOP_NONE",
        "post_only": False,
        "price": "55000",
        "product_id": "BTC-PERP",
        "reduce_only": False,
        "reject_reason": "",
        "sender": "0xa01f2319baf9e8a344486ebafa96fb3c9f5bda05",
        "side": "BUY",
        "size": "0.018",
        "status": "OPEN",
        "stop_price": "0",
        "stp": "CANCEL_TAKER",
        "time_in_force": "GTC",
        "type": "LIMIT",
        "updated_at": str(CREATED),
        **changed,
    }


def trade(size: str, price: str = "55000", id: str = "0x" + "ab" * 32, **changed: Any) -> dict[str, Any]:
    """One own trade."""
    return {
        "id": id,
        "price": price,
        "size": size,
        "liquidity_indicator": "MAKER",
        "time": "1719319688307036692",
        "funding_payment": "0",
        "trading_fee": "-0.0385",
        "sequencer_fee": "0",
        **changed,
    }


def frame(*orders: dict[str, Any], type: str = "update", timestamp: str = "1719319688307036700") -> bytes:
    """A frame of the orders channel."""
    return json.dumps({"channel": "orders", "type": type, "data": orders, "timestamp": timestamp}).encode()


def update(codec: OrderCodec | None = None, source: Source = Source.STREAM, **changed: Any) -> OrderUpdate:
    """What one order tells."""
    decoded = wire.ORDER.decode(json.dumps(order(**changed)).encode())
    return (codec or OrderCodec()).update(decoded, source, 1719319688307036700)


def settings(base_url_http: str = "http://127.0.0.1:1", **changed: Any) -> BsxSettings:
    """Settings with dummy credentials and no rate limit to speak of."""
    given: dict[str, Any] = {
        "base_url_http": base_url_http,
        "base_url_ws": "ws://127.0.0.1:1/ws",
        "api_key": API_KEY,
        "api_secret": Secret(API_SECRET),
        "signer_key": Secret(SIGNER_KEY),
        "wallet_address": WALLET,
        "requests_per_sec": 100_000,
        "timeout_secs": 2.0,
    }
    return BsxSettings(**{**given, **changed})


@asynccontextmanager
async def api(url: str, clock: Clock | None = None, **changed: Any) -> AsyncIterator[BsxApi]:
    """A REST client of the server at `url`."""
    client = BsxApi(settings(url, **changed), clock or LiveClock())
    try:
        yield client
    finally:
        await client.close()


def product(**changed: Any) -> dict[str, Any]:
    """One product of the listing."""
    return {
        "index": 1,
        "product_id": "BTC-PERP",
        "base_asset_symbol": "BTC",
        "quote_asset_symbol": "USDC",
        "base_increment": "0.001",
        "quote_increment": "0.1",
        "min_order_size": "0.002",
        "is_active": True,
        "post_only": False,
        "perpetual_product_config": {"initial_margin": "0.1"},
        "mark_price": "64678.26",
        **changed,
    }


def spec(**changed: Any) -> InstrumentSpec:
    """The instrument of `product`."""
    (found,) = decode_products(json.dumps({"products": [product(**changed)]}).encode())
    return found


def new_order(client_order_id: str = "O-20240625-001-001-1", **changed: Any) -> NewOrder:
    """A limit order as a strategy wants it."""
    given: dict[str, Any] = {
        "client_order_id": client_order_id,
        "symbol": "BTC-PERP",
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": Decimal("0.018"),
        "price": Decimal(55000),
    }
    return NewOrder(**{**given, **changed})


def ref(client_order_id: str = "O-1", venue_order_id: str | None = None, nonce: int = 0, cid: str = "") -> OrderRef:
    """Names of one order."""
    refs = tuple(key for key in (f"cid:{cid}" if cid else "", f"nonce:{nonce}" if nonce else "") if key)
    return OrderRef(client_order_id=client_order_id, symbol="BTC-PERP", venue_order_id=venue_order_id, refs=refs)
