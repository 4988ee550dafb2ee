"""What the restart tests need to know of each venue."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory


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


ALL = {
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
}
