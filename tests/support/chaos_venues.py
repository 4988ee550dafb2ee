"""The chaos of each venue."""

from dataclasses import replace
from decimal import Decimal

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.venues.acttrader import ActTraderLiveExecClientFactory
from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory
from nautilus_orderfeeds.venues.outpoll import OutpollLiveExecClientFactory
from nautilus_orderfeeds.venues.roxom import RoxomLiveExecClientFactory
from nautilus_orderfeeds.venues.sfox import SfoxLiveExecClientFactory
from tests.support.chaos import Chaos

REST_FAULTS = (
    Fault.ERROR_AFTER_EFFECT,
    Fault.LOST_ANSWER,
    Fault.ERROR_BEFORE_EFFECT,
    Fault.RATE_LIMIT,
    Fault.SLOW_ANSWER,
)

BSX = Chaos(
    venue="bsx",
    name="BSX",
    symbol="BTC-PERP",
    quantity="0.01",
    exec_factory=BsxLiveExecClientFactory,
    frames="orders*",
    rest=REST_FAULTS,
    price_tolerance=Decimal("0.1"),
    # With a position open the account value contains unrealised profit; USDC does not.
    exec_options={"requests_per_sec": 500, "balance_source": "USDC"},
)

SOCKET_FAULTS = (
    Fault.LOST_ANSWER,
    Fault.SLOW_ANSWER,
    Fault.ERROR_BEFORE_EFFECT,
    Fault.DROP,
)

ACTTRADER_FINAL = Chaos(
    venue="acttrader",
    name="ACTTRADER",
    symbol="EURUSD",
    quantity="10000",
    exec_factory=ActTraderLiveExecClientFactory,
    frames="execution*",
    rest=SOCKET_FAULTS,
    price_tolerance=Decimal(0),
    sim_options={"dialect": "final", "all_or_none": False},
    exec_options={"requests_per_sec": 500, "aon_for_gtc": True},
    kinds=("limit", "crossing", "ioc", "fok", "market", "market_gtc"),
    balances=False,
    creates="WS newordersingle",
    cancels="WS ordercancel",
)

# The draft finds an order whose acknowledgement was lost only if its list has ended orders, as in the venue's sample.
ACTTRADER_DRAFT = replace(
    ACTTRADER_FINAL,
    sim_options={"dialect": "draft", "orders_include_ended": True, "orders_include_market": True},
    kinds=("limit", "crossing", "market_gtc"),
    may_stay_open=True,
)

SFOX = Chaos(
    venue="sfox",
    name="SFOX",
    symbol="BTCUSD",
    product="btcusd",
    quantity="0.01",
    exec_factory=SfoxLiveExecClientFactory,
    frames="private.user.*",
    rest=REST_FAULTS,
    # Money is told exactly: what is inferred stands for several trades, but its notional is the venue's own.
    price_tolerance=Decimal("0.00000001"),
    sim_options={"rest_limits": False, "ws_limits": False, "settle_secs": 0.1, "cancel_delay_secs": 0.05},
    exec_options={
        "limit_time_scale": 0.01,
        "sequence_grace_secs": 0.3,
        "absent_after_secs": 3.0,
    },
    kinds=("limit", "crossing", "ioc", "fok", "market_by_amount"),
    amends=True,
)

#: An end user among others: user token, feeds of all end users, one of them has a client.
SFOX_ENTERPRISE = replace(
    SFOX, frames="private.enterprise*", sim_options={**SFOX.sim_options, "enterprise": True, "users": 3}
)

ROXOM = Chaos(
    venue="roxom",
    name="ROXOM",
    symbol="GOLD-BTC",
    quantity="0.05",
    exec_factory=RoxomLiveExecClientFactory,
    frames="order*",
    rest=REST_FAULTS,
    price_tolerance=Decimal("0.00000001"),
    # With the default window (25 s) all orders alike could be each other: only their number and order tell. Books are
    # compared by the venue's ids; which of two orders alike bears which of our names is not in any of its words.
    exec_options={"requests_per_sec": 500},
    kinds=("limit", "post_only", "ioc", "market"),
    creates="POST /v1/orders",
    cancels="POST /v1/orders/*/cancel",
)

# As on the venue page: eight fields, a signed timestamp, events that overtake the answer.
ROXOM_PAGE = replace(
    ROXOM,
    sim_options={
        "event_form": "g1",
        "event_time": "created",
        "auth": "hmac",
        "create_stream": "before",
        "cancel_stream": "before",
        "partial_cancel": "cancelled",
        "fills_shown": "merged",
        # Such events tell no fees: what is told is estimated, so there must be none.
        "maker_fee_rate": Decimal(0),
        "taker_fee_rate": Decimal(0),
    },
)

#: Under which names the simulated Outpoll writes what no page of the venue documents.
OUTPOLL_TRADES = {
    "trade_id": "i",
    "order_id": "oi",
    "price": "p",
    "quantity": "q",
    "fee": "f",
    "liquidity": "l",
    "time_ms": "m",
}

OUTPOLL = Chaos(
    venue="outpoll",
    name="OUTPOLL",
    symbol="3f0c2f52-6d0e-4a43-9c56-0c1f6b0e7a01",
    quantity="5",
    exec_factory=OutpollLiveExecClientFactory,
    frames="[bo]*",
    rest=REST_FAULTS,
    # Average prices never appear: each trade has its own.
    price_tolerance=Decimal(0),
    sim_options={"amount_decimals": 8, "history_delay_secs": 0.4, "process_delay_secs": 0.02, "place_status": 202},
    exec_options={
        "requests_per_sec": 500,
        "read_settle_secs": 1.5,
        "read_gap_secs": 0.3,
        "accept_secs": 1.0,
        "absent_after_secs": 4.0,
        "trades_fields": OUTPOLL_TRADES,
    },
    kinds=("limit", "crossing", "market_by_amount", "market"),
    distinct=True,
)

# Without trades: fills are derived from the orders and the balances, a fill before the answer to its order included.
OUTPOLL_DERIVED = replace(
    OUTPOLL,
    price_tolerance=Decimal("0.2"),
    sim_options={
        "amount_decimals": 8,
        "history_delay_secs": 0.2,
        "active_quantity": "remaining",
        "place_update": "before",
        "cancel_update": "before",
        "update_meaning": "c",
    },
    exec_options={
        "requests_per_sec": 500,
        "read_settle_secs": 1.0,
        "read_gap_secs": 0.3,
        "accept_secs": 1.0,
        "absent_after_secs": 4.0,
        "trust_closed_quantity": True,
        "active_quantity_is_remaining": True,
    },
    kinds=("limit", "crossing", "market"),
)

ALL = {
    "bsx": BSX,
    "acttrader": ACTTRADER_FINAL,
    "acttrader_draft": ACTTRADER_DRAFT,
    "sfox": SFOX,
    "sfox_enterprise": SFOX_ENTERPRISE,
    "roxom": ROXOM,
    "roxom_page": ROXOM_PAGE,
    "outpoll": OUTPOLL,
    "outpoll_derived": OUTPOLL_DERIVED,
}
