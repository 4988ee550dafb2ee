"""What the acceptance cases must be told of sFOX."""

import json
from decimal import Decimal
from typing import Any

import aiohttp
from nautilus_trader.model.enums import OrderType, TimeInForce

from tests.support.venue_profile import How, Refusal, VenueProfile

_NO_OPTIONS = "spot pairs only, no options: there is no instrument to ask for"
_TYPES = "does not support order type"
_BUY = Refusal(How.DENIED, "quote_quantity=True")
_ENDS = frozenset({"Done", "Canceled"})
_ORDERS, _TRADES = "private.user.open-orders", "private.user.trades"


def _tells_orders(raw: bytes) -> bool:
    """Whatever is no frame is for the client to judge."""
    try:
        frame = json.loads(raw)
        return frame["recipient"] in (_ORDERS, _TRADES) and bool(frame["payload"])
    except (ValueError, KeyError, TypeError):
        return True


def _tells_end(raw: bytes) -> bool:
    frame = json.loads(raw)
    return frame.get("recipient") == _ORDERS and any(order["status"] in _ENDS for order in frame["payload"])


def _unfilled(raw: bytes) -> bytes:
    frame = json.loads(raw)
    for order in frame["payload"]:
        order.update(filled="0", filled_amount="0", vwap="0", fees="0")
    return json.dumps(frame).encode()


async def _amend_elsewhere(sim: Any, venue_order_id: str, price: Decimal) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.patch(
            f"{sim.base_url_http}/v1/orders/{venue_order_id}",
            json={"price": str(price)},
            headers={"Authorization": f"Bearer {sim.twin.own_keys[0]}"},
        ) as answer,
    ):
        assert answer.status == 200, await answer.text()


SFOX = VenueProfile(
    name="sfox",
    prefix="Sfox",
    venue="SFOX",
    instrument="ETHUSD.SFOX",
    product="ethusd",
    other_instrument="BTCUSD.SFOX",
    other_product="btcusd",
    qty="0.6",
    parts=3,
    exec_options={"settle_secs": 0.3, "audit_interval_secs": 0.0, "limit_time_scale": 0.01},
    data_options={"limit_time_scale": 0.01, "book": "sfox", "handle_revised_bars": True},
    sim_options={
        "balances": {"usd": Decimal(2_000_000), "eth": Decimal(2_000), "btc": Decimal(10)},
        "rest_limits": False,
        "ws_limits": False,
        "fok_failure": "canceled",
    },
    data_sim_options={"ticker_secs": 0.1},
    submit=("POST", "/v1/orders/*"),
    submit_many=None,
    cancel=("DELETE", "/v1/orders/*"),
    cancel_many=("DELETE", "/v1/orders"),
    modify=("PATCH", "/v1/orders/*"),
    open_orders=("GET", "/v1/orders"),
    one_order=("GET", "/v1/orders/*"),
    order_frames="[ot]r*",  # orders and trades
    wire_trade_id=None,
    params={"algorithm_id": 201, "routing_type": "Smart", "routing_option": "Fast"},
    params_arrived=lambda order: (order.info["routing_type"], order.info["routing_option"]) == ("Smart", "Fast"),
    unsupported_types=(
        OrderType.STOP_MARKET,
        OrderType.STOP_LIMIT,
        OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
        OrderType.TRAILING_STOP_MARKET,
        OrderType.TRAILING_STOP_LIMIT,
        OrderType.MARKET_TO_LIMIT,
    ),
    unsupported_forces=(
        (OrderType.LIMIT, TimeInForce.DAY),
        (OrderType.LIMIT, TimeInForce.AT_THE_OPEN),
        (OrderType.LIMIT, TimeInForce.AT_THE_CLOSE),
        (OrderType.MARKET, TimeInForce.IOC),
        (OrderType.MARKET, TimeInForce.DAY),
    ),
    stays_pending=lambda secs: {"match_delay_secs": secs},
    slow_cancel=lambda secs: {"cancel_delay_secs": secs},
    stream_first={"create_stream": "before", "create_trades": "before", "cancel_stream": "before"},
    without_pending={},
    fill_by_fill={"fills_shown": "one_by_one"},
    asks_for_trades=True,
    tells_trades=True,
    answer_accepts=True,
    tells_orders=_tells_orders,
    tells_end=_tells_end,
    unfilled_frame=_unfilled,
    cannot_cover={"check_funds": True},
    beyond_margin="100000",
    margin_words="insufficient funds",
    reduces_only=False,
    expiry_unit_ns=1_000_000,
    sends_market_force=False,
    amount="1400",
    positions_follow_ledger=False,
    lists_steps=False,
    bars="1-DAY-LAST",
    amend_elsewhere=_amend_elsewhere,
    is_public=lambda connection: not any("private" in str(name) for name in connection.subscriptions),
    secrets=("api_key",),
    bad_logins={"key": ({"api_key": "7" * 64}, "SFOX_API_KEY")},
    refused={
        "TC-E01": _BUY,
        "TC-E03": Refusal(How.DENIED, "time in force IOC on MARKET"),
        "TC-E04": _BUY,
        "TC-E19": Refusal(How.DENIED, "time in force DAY"),
        "TC-E20": Refusal(How.DENIED, _TYPES),
        "TC-E21": Refusal(How.DENIED, _TYPES),
        "TC-E22": Refusal(How.DENIED, _TYPES),
        "TC-E23": Refusal(How.DENIED, _TYPES),
        "TC-E24": Refusal(How.DENIED, _TYPES),
        "TC-E25": Refusal(How.DENIED, _TYPES),
        "TC-E26": Refusal(How.DENIED, _TYPES),
        "TC-E27": Refusal(How.DENIED, _TYPES),
        "TC-E34": Refusal(How.DENIED, _TYPES),
        "TC-E35": Refusal(How.DENIED, _TYPES),
        "TC-E50": Refusal(How.DENIED, "does not support"),
        "TC-E51": Refusal(How.DENIED, "does not support"),
        "TC-E52": Refusal(How.DENIED, "does not support"),
        "TC-E53": Refusal(How.DENIED, "does not support"),
        "TC-E60": Refusal(How.DENIED, "post-only"),
        "TC-E61": Refusal(How.DENIED, "reduce-only", after=1),
        "TC-E62": Refusal(How.DENIED, "display quantity"),
        "TC-E70": Refusal(How.DENIED, "post-only"),
        "TC-E71": Refusal(How.DENIED, "reduce-only"),
        "TC-D15": Refusal(How.LOGGED, "no historical book deltas"),
        "TC-D21": Refusal(How.LOGGED, "no historical quotes"),
        "TC-D31": Refusal(How.LOGGED, "no historical trades"),
        "TC-D41": Refusal(How.LOGGED, "no historical bars"),
        "TC-D50": Refusal(How.LOGGED, "no mark prices"),
        "TC-D51": Refusal(How.LOGGED, "no index prices"),
        "TC-D52": Refusal(How.LOGGED, "no funding rates"),
        "TC-D53": Refusal(How.LOGGED, "no funding rate history"),
        "TC-D60": Refusal(How.LOGGED, "no instrument status"),
        "TC-D61": Refusal(How.LOGGED, "no instrument close"),
    },
    not_applicable={
        "TC-E80": "its market buy in base units is denied, see TC-E01; that of TC-E06 opens and closes a position",
        "TC-E82": "closing a short position by market takes a buy in base units, see TC-E01; a long one: TC-E06",
        "TC-E90": _NO_OPTIONS,
        "TC-E91": _NO_OPTIONS,
        "TC-E92": _NO_OPTIONS,
        "TC-E94": _NO_OPTIONS,
        "TC-E96": _NO_OPTIONS,
        "TC-E99": _NO_OPTIONS,
        "TC-E100": _NO_OPTIONS,
        "TC-E101": _NO_OPTIONS,
        "X01": "orders and trades are told on two feeds, no frame tells both (protocol 8.4): see X02",
        "TC-D62": "no option greeks: " + _NO_OPTIONS,
        "TC-D63": "no option chains: " + _NO_OPTIONS,
        "TC-D71": "subscriptions of the venue take no parameters (protocol 8.1)",
        "TC-D72": "the adapter defines no request parameters for the venue",
    },
)
