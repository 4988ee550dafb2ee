"""What the tests of the Roxom client share: events and orders as the wire writes them, settings, terms."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_orderfeeds.feed.clock import Clock, LiveClock, ManualClock
from nautilus_orderfeeds.orders.requests import NewOrder, OrderRef
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.roxom import wire
from nautilus_orderfeeds.venues.roxom.api import RoxomApi
from nautilus_orderfeeds.venues.roxom.codec import OrderCodec
from nautilus_orderfeeds.venues.roxom.frames import PrivateDecoder
from nautilus_orderfeeds.venues.roxom.identity import Terms
from nautilus_orderfeeds.venues.roxom.settings import RoxomSettings
from nautilus_orderfeeds.venues.roxom.signing import authenticator
from nautilus_orderfeeds.venues.secrets import Secret

SAMPLES = Path(__file__).parents[1] / "venues" / "roxom" / "samples"

API_KEY = "rxk_key_of_a_test"
API_SECRET = "secret-of-a-test"

ORDER_ID = "01981061-787c-7fd0-b707-18fa252f0d0b"
CREATED_NS = 1752621480060000000
EVENT_NS = 1752621480060801000


def event(status: str = "submitted", executed: str = "0.00", remaining: str = "1.00", **changed: Any) -> bytes:
    """An order event with the eight fields of the venue page, and others where given."""
    data = {
        "orderId": ORDER_ID,
        "accountId": "f2268d92-b3d8-48b1-8541-90dc250cd7e9",
        "symbol": "GOLD-BTC",
        "status": status,
        "remainingQty": remaining,
        "executedQty": executed,
        "avgPx": "0.00000000",
        "timestamp": EVENT_NS,
        **changed,
    }
    return json.dumps({"type": "order", "data": data}).encode()


def rest_order(status: str = "submitted", filled: str | None = "0.00", **changed: Any) -> wire.Order:
    """An order over REST in the current shape, decoded."""
    return wire.ORDER.decode(json.dumps(rest_json(status, filled, **changed)))


def rest_json(status: str = "submitted", filled: str | None = "0.00", **changed: Any) -> dict[str, Any]:
    """An order over REST in the current shape."""
    return {
        "id": ORDER_ID,
        "symbol": "GOLD-BTC",
        "instType": "perpetual",
        "side": "buy",
        "type": "limit",
        "timeInForce": "gtc",
        "qty": "1.00",
        "px": "0.04858200",
        "status": status,
        "createdAt": CREATED_NS // 1_000_000,
        "amountFilled": filled,
        "size": "1.00",
        "unit": "btc",
        **changed,
    }


def terms(**changed: Any) -> Terms:
    """What was asked for: a limit order to buy 1.00 at 0.048582."""
    fields: dict[str, Any] = {
        "client_order_id": "O-1",
        "made_ns": CREATED_NS - 5_000_000,
        "symbol": "GOLD-BTC",
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": Decimal("1.00"),
        "price": Decimal("0.04858200"),
        **changed,
    }
    return Terms(**fields)


def new_order(**changed: Any) -> NewOrder:
    """A limit order to buy 1.00 at 0.048582."""
    fields: dict[str, Any] = {
        "client_order_id": "O-1",
        "symbol": "GOLD-BTC",
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": Decimal("1.00"),
        "price": Decimal("0.048582"),
        **changed,
    }
    return NewOrder(**fields)


def ref(**changed: Any) -> OrderRef:
    """What names the order of `terms`."""
    fields: dict[str, Any] = {
        "client_order_id": "O-1",
        "symbol": "GOLD-BTC",
        "venue_order_id": ORDER_ID,
        "refs": (terms().key,),
        **changed,
    }
    return OrderRef(**fields)


@asynccontextmanager
async def api(url: str, **settings: Any) -> AsyncIterator[RoxomApi]:
    """A client of the REST interface at `url`."""
    fields: dict[str, Any] = {"base_url_http": url, "api_key": API_KEY, "api_secret": Secret(API_SECRET), **settings}
    made, clock = RoxomSettings(**{"requests_per_sec": 500, **fields}), LiveClock()
    client = RoxomApi(made, clock, authenticator(made, clock))
    try:
        yield client
    finally:
        await client.close()


def codec(clock: Clock | None = None, **settings: Any) -> OrderCodec:
    """A codec that knows nothing yet; its clock stands before any order of the tests."""
    return OrderCodec(RoxomSettings(**settings), clock or ManualClock(CREATED_NS))


def decoder(orders: OrderCodec | None = None, *, creating: bool = False) -> PrivateDecoder:
    """A decoder of the private stream."""
    return PrivateDecoder(orders or codec(), lambda: creating)


def sample(name: str) -> bytes:
    """The bytes of a sample, wherever it lies."""
    (path,) = SAMPLES.glob(f"*/{name}")
    return path.read_bytes()
