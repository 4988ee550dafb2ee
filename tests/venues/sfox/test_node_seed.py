"""The frame printed on the venue's page, over the socket, reaches a strategy as the order that the page describes."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType
from nautilus_trader.model.identifiers import VenueOrderId
from nautilus_trader.trading.strategy import Strategy

from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.venues.sfox import SfoxLiveExecClientFactory
from tests.support.nodes import node_config, running_node
from tests.support.sfox_client import SAMPLES
from tests.support.sfox_desk import EXEC, IID, SCALED

#: As the page has it, but for its `//` comment, with which it is no JSON.
PAGE = (SAMPLES / "seed" / "ws-server-enterprise-open-orders.json").read_text()
BROKEN = (SAMPLES / "seed" / "ws-server-enterprise-open-orders.txt").read_text()
USER = "test3"


class Claimant(Strategy):
    """Claims the instrument's orders."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="CLAIMANT", external_order_claims=[IID]))
        self.seen: list[Any] = []

    def on_order_event(self, event: Any) -> None:
        self.seen.append(event)


@pytest.mark.node
@pytest.mark.parametrize("user", [USER, "test1"], ids=["its user", "another user"])
async def test_the_page_reaches_its_user_and_nobody_else(user: str):
    async with simulate("sfox", seed=3, market_flow=False, enterprise=True, users=3, **SCALED) as sim:
        strategy = Claimant()
        config = node_config({"SFOX": sim.exec_config(**{"user_id": user, **EXEC})}, inflight_check_interval_ms=0)
        async with running_node(
            config, exec_factories={"SFOX": SfoxLiveExecClientFactory}, strategies=(strategy,)
        ) as run:
            client, (connection,) = run.exec_client("SFOX"), sim.server.connections
            connection.send(BROKEN)
            await run.until(lambda: client.malformed_frames == 1, "the page's own text to be refused")
            connection.send(PAGE)
            if user != USER:
                await run.until(lambda: client.venue_events == 1, "somebody else's update to be published")
                assert run.cache.orders() == []
                return
            await run.until(lambda: run.cache.orders() and run.cache.orders()[0].filled_qty > 0, "the order", 30.0)
            (order,) = run.cache.orders()
            assert order.venue_order_id == VenueOrderId("693291242")
            assert (order.side, order.order_type, order.status) == (
                OrderSide.SELL,
                OrderType.LIMIT,
                OrderStatus.PARTIALLY_FILLED,
            )
            assert (order.quantity.as_decimal(), order.price.as_decimal()) == (Decimal("0.05"), Decimal("37227.82"))
            # Its trades are never told: what was filled is inferred from the page's totals.
            assert order.filled_qty.as_decimal() == Decimal("0.00035333")
            assert abs(Decimal(str(order.avg_px)) - Decimal("41367.24246455")) < Decimal("1E-6")
            assert [money.as_decimal() for money in order.commissions()] == [Decimal("0.03")], "0.02850176 USD"
            assert [type(event).__name__ for event in strategy.seen][-1] == "OrderFilled"
