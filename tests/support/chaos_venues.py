"""The chaos of each venue."""

from decimal import Decimal

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory
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

ALL = {"bsx": BSX}
