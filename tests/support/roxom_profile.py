"""What the acceptance cases must be told of Roxom."""

import json
from decimal import Decimal
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from nautilus_trader.model.enums import OrderType, TimeInForce

from tests.support.venue_profile import How, Refusal, VenueProfile

_NO_OPTIONS = "lists perpetual futures only, no options: there is no instrument to ask for"
_TYPES = "does not support order type"
_FORCE = "time in force FOK"
_MODIFY = Refusal(How.MODIFY_REJECTED, "cannot modify an order")


@cache
def _another_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _tells_end(raw: bytes) -> bool:
    frame = json.loads(raw)
    return frame.get("type") == "order" and frame["data"]["status"] in {
        "filled",
        "cancelled",
        "partiallyfilledcancelled",
        "rejected",
    }


def _unfilled(raw: bytes) -> bytes:
    frame = json.loads(raw)
    order = frame["data"]
    total = Decimal(order["remainingQty"]) + Decimal(order["executedQty"])
    zero = "0.00000000"
    status = "cancelled" if _tells_end(raw) else "submitted"
    order.update(status=status, remainingQty=str(total), executedQty="0.00", avgPx=zero, fillPx=zero, filledFees=zero)
    return json.dumps(frame).encode()


ROXOM = VenueProfile(
    name="roxom",
    prefix="Roxom",
    venue="ROXOM",
    instrument="GOLD-BTC.ROXOM",
    product="GOLD-BTC",
    other_instrument="OIL-BTC.ROXOM",
    other_product="OIL-BTC",
    qty="0.03",
    parts=3,
    exec_options={"requests_per_sec": 500, "settle_secs": 0.3, "audit_interval_secs": 0.0},
    # Deltas of the simulation are changes; what the venue's are is not documented.
    data_options={"requests_per_sec": 500, "depth_reading": "signed", "api_key": "", "private_key": ""},
    # Frames about orders alone; market data without a key, so that its connection can be told from the account's.
    sim_options={"balance_events": False, "position_events": False, "anonymous_ws": True},
    submit=("POST", "/v1/orders"),
    submit_many=None,
    cancel=("POST", "/v1/orders/*/cancel"),
    cancel_many=None,
    open_orders=("GET", "/v1/orders"),
    order_frames="order",
    params={"note": "none is documented"},
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
    stream_first={"create_stream": "before", "cancel_stream": "before"},
    without_pending={"pending_update": False, "submitted_update": False},
    fill_by_fill={"fills_shown": "one_by_one"},
    asks_for_trades=True,
    tells_trades=False,
    tells_end=_tells_end,
    unfilled_frame=_unfilled,
    cannot_cover={"margin_refusal": "answer", "max_limit_notional": Decimal(1000)},
    beyond_margin="5000",
    margin_words="Insufficient balance",
    reduces_only=False,
    expiry_unit_ns=1_000_000,
    sends_market_force=False,
    sends_client_order_ids=False,
    wire_trade_id=lambda trade_id: str(UUID(trade_id[:32], version=4)),
    secrets=("api_key", "private_key"),
    bad_logins={
        "key": ({"api_key": "rxk_key_" + "7" * 22}, "ROXOM_API_KEY"),
        "other-key": ({"private_key": _another_key()}, "ROXOM_PRIVATE_KEY"),
        "no-key": ({"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "private_key"),
        "no-file": ({"private_key": "/nowhere/roxom-" + "5" * 40}, "private_key"),
    },
    refused={
        "TC-E04": Refusal(How.DENIED, _FORCE),
        "TC-E05": Refusal(How.DENIED, "quote quantity"),
        "TC-E15": Refusal(How.DENIED, _FORCE),
        "TC-E16": Refusal(How.DENIED, _FORCE),
        "TC-E19": Refusal(How.DENIED, "time in force DAY"),
        "TC-E24": Refusal(How.DENIED, _TYPES),
        "TC-E25": Refusal(How.DENIED, _TYPES),
        "TC-E26": Refusal(How.DENIED, _TYPES),
        "TC-E27": Refusal(How.DENIED, _TYPES),
        "TC-E30": _MODIFY,
        "TC-E31": _MODIFY,
        "TC-E34": _MODIFY,
        "TC-E50": Refusal(How.DENIED, "does not support"),
        "TC-E51": Refusal(How.DENIED, "does not support"),
        "TC-E52": Refusal(How.DENIED, "does not support"),
        "TC-E53": Refusal(How.DENIED, "does not support"),
        "TC-E61": Refusal(How.DENIED, "reduce-only", after=1),
        "TC-E62": Refusal(How.DENIED, "display quantity"),
        "TC-E63": Refusal(How.DENIED, "unknown param"),
        "TC-E71": Refusal(How.DENIED, "reduce-only"),
        "X08": _MODIFY,
        "TC-D15": Refusal(How.LOGGED, "no historical book deltas"),
        "TC-D21": Refusal(How.LOGGED, "no historical quotes"),
        "TC-D31": Refusal(How.LOGGED, "no historical trades"),
        "TC-D40": Refusal(How.LOGGED, "no bars"),
        "TC-D41": Refusal(How.LOGGED, "no historical bars"),
        "TC-D53": Refusal(How.LOGGED, "no funding rate history"),
        "TC-D60": Refusal(How.LOGGED, "no instrument status"),
        "TC-D61": Refusal(How.LOGGED, "no instrument close"),
    },
    not_applicable={
        "TC-E77": "one request for each order of a list or batch: see TC-E74 and TC-E75",
        "TC-E76": "the venue has no call to change an order, so no such request can fail: see TC-E36",
        "TC-E90": _NO_OPTIONS,
        "TC-E91": _NO_OPTIONS,
        "TC-E92": _NO_OPTIONS,
        "TC-E94": _NO_OPTIONS,
        "TC-E96": _NO_OPTIONS,
        "TC-E99": _NO_OPTIONS,
        "TC-E100": _NO_OPTIONS,
        "TC-E101": _NO_OPTIONS,
        "TC-D62": "no option greeks: " + _NO_OPTIONS,
        "TC-D63": "no option chains: " + _NO_OPTIONS,
        "TC-D71": "subscriptions of the venue take no parameters (protocol 5.1)",
        "TC-D72": "the adapter defines no request parameters for the venue",
        "X10": "the venue never changes an order itself: it has no call to change one (protocol 4.1)",
        "X13": "the stream has no sequence numbers, and trading never pauses (protocol 5.2 and 6)",
    },
)
