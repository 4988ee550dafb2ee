"""BSX: accept, partial fill and fill of limit orders through `handle_frame`."""

from decimal import Decimal
from typing import Any

import msgspec

from benchmarks.framework import Framework
from benchmarks.plans import Part, plan
from nautilus_orderfeeds.adapter.instruments import to_framework, to_spec
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.bsx import DOOR, BsxExecClientConfig, BsxLiveExecClientFactory
from nautilus_orderfeeds.venues.instruments import InstrumentKind, InstrumentSpec

SPEC = InstrumentSpec(
    symbol="BTC-PERP",
    raw_symbol="BTC-PERP",
    kind=InstrumentKind.CRYPTO_PERPETUAL,
    base="BTC",
    quote="USDC",
    settlement="USDC",
    price_increment=Decimal("0.1"),
    size_increment=Decimal("0.001"),
    info={"index": 1, "product_index": 1},
)


def _order_row(n: int, nonce: int, **changes: Any) -> dict[str, Any]:
    """One order as the venue's page prints it."""
    row: dict[str, Any] = {
        "avg_price": "0",
        "cancel_reason": "",
        "cancel_reject_reason": "",
        "cancel_requested": False,
        "cancel_requested_at": "0",
        "client_order_id": f"{n:032x}",
        "created_at_ts": "1719319688307036691",
        "filled_fees": "0",
        "filled_size": "0",
        "id": f"a01292c9-00f1-4c18-9d47-{n:012x}",
        "initial_margin": "54.9516550639499991",
        "is_liquidation": False,
        "last_trades": [],
        "nonce": str(nonce),
        "order_stop_type": "STOP_NONE",
        "post_only": False,
        "price": "0",
        "product_id": "BTC-PERP",
        "reduce_only": False,
        "reject_reason": "",
        "sender": "0xa01f2319baf9e8a344486ebafa96fb3c9f5bda05",
        "side": "BUY",
        "size": "0",
        "status": "OPEN",
        "stop_price": "0",
        "stp": "CANCEL_TAKER",
        "time_in_force": "GTC",
        "type": "LIMIT",
        "updated_at": "1719319688307036691",
    }
    return row | changes


def _trade(n: int, number: int, part: Part, price: str) -> dict[str, Any]:
    return {
        "id": f"0x{n:032x}{number:032x}",
        "price": price,
        "size": plain(part.qty),
        "liquidity_indicator": "MAKER",
        "time": "1719319689307036691",
        "funding_payment": "0",
        "trading_fee": plain(-part.fee),
        "sequencer_fee": "0",
    }


def frames(n: int, nonce: int) -> dict[str, bytes]:
    """The three steps of one order's life, numbers as the venue writes them (without trailing zeros)."""
    ordered = plan(n)
    first, second = ordered.parts
    price = plain(ordered.price)
    row = _order_row(n, nonce, price=price, size=plain(ordered.quantity))

    def filled(number: int, part: Part, status: str) -> dict[str, Any]:
        return row | {
            "status": status,
            "avg_price": price,
            "filled_size": plain(part.cum_qty),
            "filled_fees": plain(-part.cum_fee),
            "last_trades": [_trade(n, number, part, price)],
        }

    steps = {"accept": row, "partial fill": filled(1, first, "OPEN"), "fill": filled(2, second, "DONE")}
    return {
        step: msgspec.json.encode(
            {"channel": "orders", "type": "update", "data": [told], "timestamp": "1719319689307036691"}
        )
        for step, told in steps.items()
    }


def build(framework: Framework, orders: int, journal: str) -> tuple[Any, list[dict[str, bytes]]]:
    """Return a client with `orders` submitted orders, and the frames of each."""
    config = BsxExecClientConfig(
        api_key="00", api_secret="00", signer_key="11" * 32, journal=journal, account_poll_secs=0, audit_interval_secs=0
    )
    client = BsxLiveExecClientFactory.create(
        loop=framework.loop,
        name="BSX",
        config=config,
        msgbus=framework.msgbus,
        cache=framework.cache,
        clock=framework.clock,
    )
    instrument = to_framework(SPEC, DOOR.venue, 0)
    framework.cache.add_instrument(instrument)
    spec = to_spec(instrument)
    client.open_offline(journal, [instrument])
    rules = client.rules_of(spec.symbol)
    assert rules is not None
    lives: list[dict[str, bytes]] = []
    for n in range(1, orders + 1):
        ordered = plan(n)
        order = framework.limit_order(instrument, ordered.quantity, ordered.price, "BSX")
        nonce = 1719319688044650011 + n
        terms = NewOrder(
            client_order_id=order.client_order_id.value,
            symbol=spec.symbol,
            side=OrderSide.BUY,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=ordered.quantity,
            price=ordered.price,
        )
        tracked = client._tracker.add(terms, rules, (f"cid:{n:032x}", f"nonce:{nonce}"), 0)
        client._intake.tell(tracked, ev.OrderSubmitted())
        lives.append(frames(n, nonce))
    return client, lives
