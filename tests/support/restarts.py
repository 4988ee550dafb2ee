"""What the restart tests need to know of each venue."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.venues.acttrader import ActTraderLiveExecClientFactory
from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory
from nautilus_orderfeeds.venues.outpoll import OutpollLiveExecClientFactory
from nautilus_orderfeeds.venues.roxom import RoxomLiveExecClientFactory
from nautilus_orderfeeds.venues.sfox import SfoxLiveExecClientFactory
from tests.support.chaos_venues import OUTPOLL_TRADES, ROXOM_PAGE


@dataclass(frozen=True)
class Restart:
    """One venue's part of the restart tests."""

    venue: str
    name: str
    prefix: str
    symbol: str
    sim_symbol: str
    quantity: str
    tick: str
    exec_factory: Any
    price_tolerance: Decimal
    sim_options: dict[str, Any] = field(default_factory=dict)
    exec_options: dict[str, Any] = field(default_factory=dict)
    #: Whether the venue tells balances (else the framework calculates them, from the fills heard of in this run).
    balances: bool = True


ACTTRADER_FINAL = Restart(
    venue="acttrader",
    name="ACTTRADER",
    prefix="ActTrader",
    symbol="EURUSD",
    sim_symbol="EURUSD",
    quantity="10000",
    tick="0.00001",
    exec_factory=ActTraderLiveExecClientFactory,
    price_tolerance=Decimal(0),
    sim_options={"dialect": "final", "all_or_none": False},
    exec_options={"requests_per_sec": 500, "aon_for_gtc": True},
    balances=False,
)

OUTPOLL = Restart(
    venue="outpoll",
    name="OUTPOLL",
    prefix="Outpoll",
    symbol="3f0c2f52-6d0e-4a43-9c56-0c1f6b0e7a01",
    sim_symbol="3f0c2f52-6d0e-4a43-9c56-0c1f6b0e7a01",
    quantity="5",
    tick="0.01",
    exec_factory=OutpollLiveExecClientFactory,
    price_tolerance=Decimal(0),
    sim_options={"amount_decimals": 8},
    exec_options={
        "requests_per_sec": 500,
        "read_settle_secs": 1.0,
        "read_gap_secs": 0.3,
        "accept_secs": 1.0,
        "trades_fields": OUTPOLL_TRADES,
    },
)

SFOX = Restart(
    venue="sfox",
    name="SFOX",
    prefix="Sfox",
    symbol="BTCUSD",
    sim_symbol="btcusd",
    quantity="0.05",
    tick="0.5",
    exec_factory=SfoxLiveExecClientFactory,
    price_tolerance=Decimal("0.00000001"),
    sim_options={"rest_limits": False, "ws_limits": False},
    exec_options={"limit_time_scale": 0.01},
)

ROXOM = Restart(
    venue="roxom",
    name="ROXOM",
    prefix="Roxom",
    symbol="GOLD-BTC",
    sim_symbol="GOLD-BTC",
    quantity="0.50",
    tick="0.000001",
    exec_factory=RoxomLiveExecClientFactory,
    price_tolerance=Decimal("0.00000001"),
    exec_options={"requests_per_sec": 500},
)

ALL = {
    "outpoll": OUTPOLL,
    "acttrader": ACTTRADER_FINAL,
    "acttrader_draft": replace(ACTTRADER_FINAL, sim_options={"dialect": "draft"}),
    "bsx": Restart(
        venue="bsx",
        name="BSX",
        prefix="Bsx",
        symbol="BTC-PERP",
        sim_symbol="BTC-PERP",
        quantity="0.05",
        tick="0.5",
        exec_factory=BsxLiveExecClientFactory,
        price_tolerance=Decimal("0.1"),
        exec_options={"requests_per_sec": 500, "balance_source": "USDC"},
    ),
    "sfox": SFOX,
    # An end user among others, on an enterprise key: token, shared stream, feeds of all end users.
    "sfox_enterprise": replace(SFOX, sim_options={**SFOX.sim_options, "enterprise": True, "users": 5}),
    "roxom": ROXOM,
    "roxom_page": replace(ROXOM, sim_options=ROXOM_PAGE.sim_options),
}
