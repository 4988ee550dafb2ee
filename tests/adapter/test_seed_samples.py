"""The frames printed on the venue's page, through `handle_frame`, reach a strategy as the events the page describes."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderStatus, OrderType, TriggerType
from nautilus_trader.model.identifiers import InstrumentId, VenueOrderId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory
from tests.support.nodes import node_config, running_node

SEED = Path(__file__).parents[1] / "venues" / "bsx" / "samples" / "seed"


class Claimant(Strategy):
    """Claims the orders of three instruments and keeps every event."""

    def __init__(self, claims: list[InstrumentId]) -> None:
        super().__init__(StrategyConfig(strategy_id="CLAIMANT", external_order_claims=claims))
        self.seen: list[Any] = []

    def on_order_event(self, event: Any) -> None:
        self.seen.append(event)

    def of(self, venue_order_id: str) -> list[str]:
        order = self.cache.order(self.cache.client_order_id(VenueOrderId(venue_order_id)))
        return [type(e).__name__ for e in self.seen if e.client_order_id == order.client_order_id]


async def test_snapshot_then_pending_then_open() -> None:
    symbols = ("BTC-PERP", "ETH-PERP", "SOL-PERP")
    strategy = Claimant([InstrumentId.from_str(f"{symbol}.BSX") for symbol in symbols])
    async with simulate("bsx", seed=1, market_flow=False) as sim:
        exec_config = sim.exec_config(requests_per_sec=500, settle_secs=0.1, audit_interval_secs=0, account_poll_secs=0)
        config = node_config({"BSX": exec_config})
        async with running_node(
            config, exec_factories={"BSX": BsxLiveExecClientFactory}, strategies=(strategy,)
        ) as run:
            client = run.exec_client("BSX")

            client.handle_frame((SEED / "ws-server-orders-snapshot.json").read_bytes())

            def order(venue_order_id: str) -> Any:
                found = run.cache.client_order_id(VenueOrderId(venue_order_id))
                return run.cache.order(found) if found is not None else None

            resting = "6cb26475-a6df-404a-b00c-3ebc2e8fc846"
            part_sold = "b83f7c94-8779-4089-b15f-58e3d40cdfed"
            part_bought = "f9d68224-5127-4dc6-98f6-037f7f178c67"
            stop = "572c6d1f-cb3d-4db2-8328-d164017bbfaf"
            await run.until(
                lambda: order(part_sold) is not None and order(part_sold).filled_qty > 0, "the part fills to settle"
            )
            await run.until(lambda: order(part_bought).filled_qty > 0, "the other part fill")

            assert strategy.of(resting) == ["OrderAccepted"]
            assert order(resting).status == OrderStatus.ACCEPTED
            assert order(resting).price.as_decimal() == Decimal(55000)
            assert order(resting).quantity.as_decimal() == Decimal("0.018")

            # OPEN with filled_size is a part fill; -0.0385 on 770 USDC is a rebate.
            assert strategy.of(part_sold) == ["OrderAccepted", "OrderFilled"]
            (sold,) = [e for e in order(part_sold).events if type(e).__name__ == "OrderFilled"]
            assert (sold.last_qty.as_decimal(), sold.last_px.as_decimal()) == (Decimal("0.011"), Decimal(70000))
            assert sold.commission.as_decimal() == Decimal("-0.0385")
            assert order(part_sold).leaves_qty.as_decimal() == Decimal("0.003")

            (bought,) = [e for e in order(part_bought).events if type(e).__name__ == "OrderFilled"]
            assert (bought.last_qty.as_decimal(), bought.last_px.as_decimal()) == (Decimal("0.2"), Decimal(3000))
            assert bought.commission.as_decimal() == Decimal("-0.03")

            assert strategy.of(stop) == ["OrderAccepted"]
            assert order(stop).order_type == OrderType.STOP_LIMIT
            assert order(stop).trigger_price.as_decimal() == Decimal("196.91")
            assert order(stop).trigger_type == TriggerType.LAST_PRICE

            new = "a01292c9-00f1-4c18-9d47-ec18df88d0ae"
            client.handle_frame((SEED / "ws-server-orders-update-pending.json").read_bytes())
            assert "OrderAccepted" not in [
                type(e).__name__ for e in strategy.seen if getattr(e, "venue_order_id", None) == VenueOrderId(new)
            ]
            # Same `updated_at` as the one before, and yet no duplicate.
            client.handle_frame((SEED / "ws-server-orders-update-open.json").read_bytes())
            client.handle_frame((SEED / "ws-server-orders-update-open.json").read_bytes())
            await run.until(lambda: order(new) is not None, "the new order")
            await run.until(lambda: strategy.of(new), "its event")
            assert strategy.of(new) == ["OrderAccepted"]
            assert order(new).status == OrderStatus.ACCEPTED
            assert client.malformed_frames == 0
