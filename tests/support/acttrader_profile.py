"""What the acceptance cases must be told of ActTrader (final dialect)."""

import json
from decimal import Decimal
from typing import Any

import aiohttp
from nautilus_trader.model.enums import OrderType, TimeInForce

from nautilus_orderfeeds.sim.faults import Fault
from tests.support.acttrader_raw import RawSocket
from tests.support.venue_profile import SLOW_SECS, How, Refusal, VenueProfile

_TYPES = "does not support order type"


def _unfilled(raw: bytes) -> bytes:
    frame = json.loads(raw)
    payload = frame["payload"]
    payload["executedQty"] = 0
    if payload["status"] in ("PARTIAL_FILL", "FILLED"):
        payload["status"] = "NEW"
    payload.pop("fills", None)
    return json.dumps(frame).encode()


def _tells_end(raw: bytes) -> bool:
    return b'"event":"execution"' in raw and any(f'"status":"{end}"'.encode() in raw for end in _ENDS)


async def _amend_elsewhere(sim: Any, venue_order_id: str, price: Decimal) -> None:
    """Change an order over a socket of its own: any connection may name any order."""
    async with aiohttp.ClientSession() as session, session.ws_connect(sim.base_url_ws) as socket:
        raw = RawSocket(socket, sim)
        echo = await raw.call("modifyordersingle", {"orderId": int(venue_order_id), "price": price})
        assert echo["price"] == price, echo


_ENDS = ("FILLED", "CANCELED", "REJECTED")
_NO_OPTIONS = "the venue's instruments are currency pairs and CFDs, no options: there is no instrument to ask for"
_FORGOTTEN = (
    "the venue lists no market orders, what it lists without the journal are orders that rest, and it has no word for "
    "positions (protocol 5.4): see TC-E84, and X12 for what the journal gives back"
)

ACTTRADER = VenueProfile(
    name="acttrader",
    prefix="ActTrader",
    venue="ACTTRADER",
    instrument="EURUSD.ACTTRADER",
    product="EURUSD",
    other_instrument="GBPUSD.ACTTRADER",
    other_product="GBPUSD",
    qty="30000",
    parts=3,
    exec_options={
        "requests_per_sec": 500,
        "settle_secs": 0.3,
        "audit_interval_secs": 0.0,
        "aon_for_gtc": True,
        "sole_login": True,
        "request_timeout_secs": 2.0,
    },
    data_options={},
    # All-or-none would leave nothing to be told of partial fills.
    sim_options={"dialect": "final", "all_or_none": False},
    submit=("WS", "newordersingle"),
    submit_many=None,
    cancel=("WS", "ordercancel"),
    cancel_many=None,
    modify=("WS", "modifyordersingle"),
    open_orders=("WS", "orders"),
    order_frames="execution",
    params={"time_in_force": "AON"},
    params_arrived=lambda order: order.info["lifetime"].value == "AON",
    unsupported_types=(
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
        (OrderType.MARKET, TimeInForce.DAY),
        (OrderType.MARKET, TimeInForce.AT_THE_OPEN),
    ),
    stays_pending=lambda secs: {"match_delay_secs": secs},
    slow_cancel=lambda secs: {"cancel_delay_secs": secs},
    stream_first={"new_answer": "after", "cancel_answer": "after"},
    # The answer to a submit is a frame of the same stream.
    without_pending={"new_execution": False, "new_answer": "never"},
    fill_by_fill={"execution_steps": "each"},
    asks_for_trades=True,
    tells_end=_tells_end,
    unfilled_frame=_unfilled,
    beyond_margin="1000000000",
    reduces_only=False,
    expiry_unit_ns=1_000_000,
    amend_elsewhere=_amend_elsewhere,
    positions_follow_ledger=False,
    market_data=frozenset({"quotes"}),
    # A socket has no status codes: an `error` is the venue's own word, and whatever else goes wrong is silence.
    after_effect=((Fault.LOST_ANSWER, {}), (Fault.RESET, {}), (Fault.SLOW_ANSWER, {"secs": SLOW_SECS})),
    without_effect=((Fault.DROP, {}), (Fault.DROP, {})),
    proves_absence=True,
    says_to_wait=False,
    blinding=(Fault.DROP, "WS order[s]*"),
    has_rest=False,
    wire_trade_id=None,  # a fill has no id here
    is_public=lambda connection: "charts" in connection.path,
    secrets=(),
    bad_logins={},
    refused={
        "TC-E05": Refusal(How.DENIED, "quote quantity"),
        "TC-E19": Refusal(How.DENIED, "time in force DAY"),
        "TC-E24": Refusal(How.DENIED, _TYPES),
        "TC-E25": Refusal(How.DENIED, _TYPES),
        "TC-E26": Refusal(How.DENIED, _TYPES),
        "TC-E27": Refusal(How.DENIED, _TYPES),
        "TC-E53": Refusal(How.DENIED, "post-only"),
        "TC-E60": Refusal(How.DENIED, "post-only"),
        "TC-E62": Refusal(How.DENIED, "display quantity"),
        "TC-E70": Refusal(How.DENIED, "post-only"),
        "TC-E71": Refusal(How.DENIED, "reduce-only"),
        "X08": Refusal(How.MODIFY_REJECTED, "partly filled"),
        "TC-E61": Refusal(How.DENIED, "reduce-only", after=1),
        "TC-D10": Refusal(How.LOGGED, "no book"),
        "TC-D11": Refusal(How.LOGGED, "no book"),
        "TC-D12": Refusal(How.LOGGED, "no book"),
        "TC-D14": Refusal(How.LOGGED, "no book"),
        "TC-D30": Refusal(How.LOGGED, "no trades"),
        "TC-D50": Refusal(How.LOGGED, "no mark prices"),
        "TC-D51": Refusal(How.LOGGED, "no index prices"),
        "TC-D52": Refusal(How.LOGGED, "no funding rates"),
        "TC-D53": Refusal(How.LOGGED, "no funding rate"),
        "TC-D13": Refusal(How.LOGGED, "no book snapshot"),
        "TC-D15": Refusal(How.LOGGED, "no historical book deltas"),
        "TC-D21": Refusal(How.LOGGED, "no historical quotes"),
        "TC-D31": Refusal(How.LOGGED, "no historical trades"),
        "TC-D40": Refusal(How.LOGGED, "no bars"),
        "TC-D41": Refusal(How.LOGGED, "no historical bars"),
        "TC-D60": Refusal(How.LOGGED, "no instrument status"),
        "TC-D61": Refusal(How.LOGGED, "no instrument close"),
    },
    not_applicable={
        "TC-E90": _NO_OPTIONS,
        "TC-E91": _NO_OPTIONS,
        "TC-E92": _NO_OPTIONS,
        "TC-E94": _NO_OPTIONS,
        "TC-E96": _NO_OPTIONS,
        "TC-E99": _NO_OPTIONS,
        "TC-E100": _NO_OPTIONS,
        "TC-E101": _NO_OPTIONS,
        "TC-E85": _FORGOTTEN,
        "TC-E86": _FORGOTTEN,
        "TC-E87": _FORGOTTEN,
        "TC-D62": _NO_OPTIONS,
        "TC-D63": _NO_OPTIONS,
        "TC-E77": "no batch command: the orders of a list go out one by one (protocol 5.1, 5.6), see TC-E74",
        "X13": "the stream has no sequence numbers, and no trading day is documented (protocol 3)",
        "TC-D71": "subscriptions of the venue take no parameters (protocol 9)",
        "TC-D72": "the adapter defines no request parameters for the venue",
    },
)
