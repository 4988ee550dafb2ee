#!/usr/bin/env python3
"""The executor of `strategies/` in a backtest: a recorded market in, the execution report out.

    python examples/backtest/twap_backtest.py

The market is made up here (a seeded walk of BTC-PERP quotes, with trades), so nothing has to be downloaded.
Needs no account and no network. The same strategy runs live by another configuration: see `examples/live/bsx`.
"""

import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDC
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity

sys.path.insert(0, str(Path(__file__).parents[2]))  # the samples are not installed with the package

from strategies.common import Side
from strategies.twap_iceberg import ExecutionReport, Style, TwapIceberg, TwapIcebergConfig

BSX = Venue("BSX")
# As the BSX client makes it from the venue's listing.
INSTRUMENT = CryptoPerpetual(
    instrument_id=InstrumentId(Symbol("BTC-PERP"), BSX),
    raw_symbol=Symbol("BTC-PERP"),
    base_currency=BTC,
    quote_currency=USDC,
    settlement_currency=USDC,
    is_inverse=False,
    price_precision=1,
    size_precision=3,
    price_increment=Price.from_str("0.1"),
    size_increment=Quantity.from_str("0.001"),
    min_quantity=Quantity.from_str("0.001"),
    maker_fee=Decimal("0.0001"),
    taker_fee=Decimal("0.0003"),
    margin_init=Decimal("0.05"),
    margin_maint=Decimal("0.02"),
    ts_event=0,
    ts_init=0,
)
_START_NS = 1_760_000_000_000_000_000
_STEP_NS = 250_000_000


# *** THIS IS A TEST STRATEGY WITH NO ALPHA ADVANTAGE WHATSOEVER. ***
# *** IT IS NOT INTENDED TO BE USED TO TRADE LIVE WITH REAL MONEY. ***


def market(steps: int, seed: int) -> Iterator[QuoteTick | TradeTick]:
    """Walk from 64650.0 in quotes a quarter of a second apart; every third is followed by a trade at the bid."""
    chance = random.Random(seed)
    middle = Decimal("64650.0")
    size = INSTRUMENT.make_qty(Decimal(5))
    for step in range(steps):
        now_ns = _START_NS + step * _STEP_NS
        middle += Decimal("0.1") * chance.randint(-6, 6)
        bid, ask = INSTRUMENT.make_price(middle - Decimal("0.5")), INSTRUMENT.make_price(middle + Decimal("0.5"))
        yield QuoteTick(INSTRUMENT.id, bid, ask, size, size, now_ns, now_ns)
        if step % 3 == 2:
            volume = INSTRUMENT.make_qty(Decimal(chance.randint(5, 40)) / 1000)
            trade_id, later_ns = TradeId(f"T-{step}"), now_ns + _STEP_NS // 2
            yield TradeTick(INSTRUMENT.id, bid, volume, AggressorSide.SELLER, trade_id, later_ns, later_ns)


def run(steps: int = 600, seed: int = 7) -> ExecutionReport:
    """Buy 0.5 BTC in ten slices, showing 0.02 at a time, and return how well that went."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(log_level="WARNING")))
    engine.add_venue(
        venue=BSX,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(100_000, USDC)],
        use_market_order_acks=True,  # as every venue of this package does
    )
    engine.add_instrument(INSTRUMENT)
    engine.add_data(list(market(steps, seed)))
    strategy = TwapIceberg(
        TwapIcebergConfig(
            instrument_id=INSTRUMENT.id,
            side=Side.BUY,
            total_qty=Decimal("0.5"),
            slices=10,
            slice_secs=10.0,
            style=Style.JOIN,
            display_qty=Decimal("0.02"),
        )
    )
    engine.add_strategy(strategy)
    engine.run()
    report = strategy.report
    engine.dispose()
    return report


if __name__ == "__main__":
    print(run())  # noqa: T201
