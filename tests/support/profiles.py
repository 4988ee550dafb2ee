"""What the acceptance cases must be told of a venue: one profile each; everything else about them is the same.

Each case id is accounted for: it runs, or it is `refused` (a user can ask for it, the venue cannot do it: the test
then is that the asking is denied with a reason and nothing is sent), or it is `not_applicable` and says why.
"""

import json

from nautilus_trader.model.enums import OrderType, TimeInForce

from nautilus_orderfeeds.sim.model import SelfTrade
from tests.support.acttrader_profile import ACTTRADER
from tests.support.outpoll_profile import OUTPOLL
from tests.support.roxom_profile import ROXOM
from tests.support.sfox_profile import SFOX
from tests.support.venue_profile import Call, How, Refusal, VenueProfile

_STOPS = "does not support order type"
_NO_OPTIONS = "lists perpetual futures only, no options: there is no instrument to ask for"


def _bsx_unfilled(raw: bytes) -> bytes:
    frame = json.loads(raw)
    for order in frame["data"]:
        order.update(filled_size="0", avg_price="0", filled_fees="0", last_trades=[])
    return json.dumps(frame).encode()


BSX = VenueProfile(
    name="bsx",
    prefix="Bsx",
    venue="BSX",
    instrument="BTC-PERP.BSX",
    product="BTC-PERP",
    other_instrument="ETH-PERP.BSX",
    other_product="ETH-PERP",
    qty="0.012",
    parts=3,
    exec_options={"requests_per_sec": 500, "settle_secs": 0.3, "audit_interval_secs": 0.0},
    data_options={"requests_per_sec": 500},
    data_sim_options={"funding_interval_secs": 0.1},
    submit=("POST", "/orders"),
    submit_many=("POST", "/orders/batch"),
    cancel=("DELETE", "/order"),
    cancel_many=("DELETE", "/orders"),
    open_orders=("GET", "/orders"),
    order_frames="orders",
    params={"stp": "CANCEL_MAKER"},
    params_arrived=lambda order: order.self_trade is SelfTrade.CANCEL_MAKER,
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
        (OrderType.MARKET, TimeInForce.DAY),
        (OrderType.MARKET, TimeInForce.AT_THE_OPEN),
    ),
    stays_pending=lambda secs: {"match_delay_secs": secs},
    slow_cancel=lambda secs: {"cancel_delay_secs": secs},
    stream_first={"create_stream": "before", "cancel_stream": "before"},
    without_pending={"pending_update": False},
    fill_by_fill={"trades_shown": "one_by_one"},
    asks_for_trades=False,
    unfilled_frame=_bsx_unfilled,
    cannot_cover={"margin_refusal": "answer"},
    beyond_margin="1000",
    secrets=("api_key", "api_secret", "signer_key"),
    bad_logins={
        "secret": ({"api_secret": "6" * 64}, "BSX_API_SECRET"),
        "key": ({"api_key": "7" * 32}, "BSX_API_KEY"),
        "signer": ({"signer_key": "0x" + "8" * 64}, "signer"),
        "signer-no-key": ({"signer_key": "9" * 10}, "signer_key"),
        "wallet": ({"wallet_address": "0x" + "5" * 40}, "BSX_WALLET_ADDRESS"),
    },
    refused={
        "TC-E05": Refusal(How.DENIED, "quote quantity"),
        "TC-E19": Refusal(How.DENIED, "time in force DAY"),
        "TC-E20": Refusal(How.DENIED, _STOPS),
        "TC-E21": Refusal(How.DENIED, _STOPS),
        "TC-E22": Refusal(How.DENIED, _STOPS),
        "TC-E23": Refusal(How.DENIED, _STOPS),
        "TC-E24": Refusal(How.DENIED, _STOPS),
        "TC-E25": Refusal(How.DENIED, _STOPS),
        "TC-E26": Refusal(How.DENIED, _STOPS),
        "TC-E27": Refusal(How.DENIED, _STOPS),
        "TC-E30": Refusal(How.MODIFY_REJECTED, "cannot modify an order"),
        "TC-E31": Refusal(How.MODIFY_REJECTED, "cannot modify an order"),
        "TC-E34": Refusal(How.DENIED, _STOPS),
        "TC-E35": Refusal(How.DENIED, _STOPS),
        "TC-E50": Refusal(How.DENIED, "does not support"),
        "TC-E51": Refusal(How.DENIED, "does not support"),
        "TC-E52": Refusal(How.DENIED, "does not support"),
        "TC-E53": Refusal(How.DENIED, "does not support"),
        "TC-E62": Refusal(How.DENIED, "display quantity"),
        "X08": Refusal(How.MODIFY_REJECTED, "cannot modify an order"),
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
        "X10": "the venue never changes an order itself: no amend call, and no reason that names one (protocol 4.6)",
        "X13": "the private channel has no sequence numbers, and perpetuals no trading days (protocol 5.3)",
    },
)


PROFILES = (
    BSX,
    ROXOM,
    ACTTRADER,
    OUTPOLL,
    SFOX,
)

__all__ = ["PROFILES", "Call", "How", "Refusal", "VenueProfile"]
