"""Instruments: from the file, and from open positions, which alone tie event, outcome, asset and names together."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.instruments import BinaryOption

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.model import Side
from nautilus_orderfeeds.venues.instruments import InstrumentKind
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.products import spec_of
from tests.support.outpoll_client import ASSET, FAST, INSTRUMENT, TRADES, Trader, node_at

SAMPLE = Path(__file__).parent / "samples" / "docs" / "rest-response-get-open-positions.json"


def test_the_pages_position_is_a_binary_option() -> None:
    (position,) = wire.POSITIONS_PAGE.decode(SAMPLE.read_bytes()).i
    spec = spec_of(position, "usdc-1")

    assert (spec.kind, spec.symbol, spec.quote) == (InstrumentKind.BINARY_OPTION, "asset-id", "USDC")
    assert (spec.price_increment, spec.size_increment) == (Decimal("0.01"), Decimal("0.000001"))
    assert spec.info["event_id"] == "event-id"
    assert spec.info["outcome_id"] == "outcome-id"
    assert spec.info["base_asset_id"] == "asset-id"
    assert spec.info["quote_asset_id"] == "usdc-1"
    assert spec.info["primary"] is True


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_an_asset_that_only_the_positions_know_can_be_traded(tmp_path: Path) -> None:
    """The file has another asset of the venue: from it comes the quote asset, which no position tells."""
    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8) as sim:
        bid, ask = sim.market.best(ASSET)
        sim.place_external(ASSET, side=Side.BUY, size=5, price=ask)
        listed = json.loads(Path(sim.exec_config().instruments).read_text())
        others = [row for row in listed if row["raw_symbol"] != ASSET]
        path = tmp_path / "instruments.json"
        path.write_text(json.dumps(others[:1]))

        trader = Trader()
        async with node_at(sim, trader, **FAST, trades_fields=TRADES, instruments=str(path)) as run:
            option = run.cache.instrument(INSTRUMENT)
            assert isinstance(option, BinaryOption)
            assert (option.price_increment, option.size_precision) == (option.make_price(Decimal("0.01")), 6)
            assert option.quote_currency.code == "USDC"
            (position,) = run.cache.positions_open()
            assert (position.instrument_id, position.quantity) == (INSTRUMENT, 5)

            order = trader.limit(OrderSide.BUY, 10, bid - Decimal("0.04"))
            await run.until(lambda: order.status == OrderStatus.ACCEPTED, "an order of it")


@pytest.mark.node
@pytest.mark.timeout(60)
async def test_the_order_feed_is_one_more_wake_up() -> None:
    async with simulate("outpoll", seed=5, market_flow=False, amount_decimals=8) as sim:
        trader = Trader()
        async with node_at(sim, trader, **FAST, trades_fields=TRADES, order_feed=True) as run:
            assert [session.health.stream for session in run.exec_client("OUTPOLL")._sessions] == [
                "OUTPOLL order updates",
                "OUTPOLL balance updates",
                "OUTPOLL order feed",
            ]
            order = trader.limit(OrderSide.BUY, 10, sim.market.best(ASSET)[1])
            await run.until(lambda: order.is_closed, "the fill")
            names = run.names(order.client_order_id)
            assert names[1:] == ["OrderSubmitted", "OrderAccepted", "OrderFilled"]
