"""ORDER_UPDATE before, after and instead of the answer, behind a read side that lags 0 to 5 s: never a wrong event."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus

from tests.support.nodes import Run
from tests.support.outpoll_client import ASSET, TRADES, Trader, books_agree, trading

#: What each order may be told, in this sequence; the framework's own requests are left out.
RESTING = ["OrderSubmitted", "OrderAccepted", "OrderCanceled"]
FILLED = ["OrderSubmitted", "OrderAccepted", "OrderFilled"]
SPENT = ["OrderSubmitted", "OrderAccepted", "OrderUpdated", "OrderFilled"]
PARTLY = ["OrderSubmitted", "OrderAccepted", "OrderFilled", "OrderCanceled"]
KEPT = ["OrderSubmitted", "OrderAccepted", "OrderCancelRejected"]
REFUSED = ["OrderSubmitted", "OrderRejected"]


class Lives:
    """Orders that live in every way at once."""

    def __init__(self, sim: Any, run: Run, trader: Trader, secs: float) -> None:
        self.sim, self.run, self.trader, self.secs = sim, run, trader, secs
        self.bid, self.ask = sim.market.best(ASSET)
        self.told: list[tuple[Any, list[str]]] = []

    async def until(self, condition: Any, what: str) -> None:
        await self.run.until(condition, what, self.secs)

    def order(self, order: Any, names: list[str]) -> Any:
        self.told.append((order, names))
        return order

    def limit(self, quantity: int, away: str, names: list[str]) -> Any:
        return self.order(self.trader.limit(OrderSide.BUY, quantity, self.bid - Decimal(away)), names)

    async def refused(self) -> None:
        """Taken with 2xx, and FAILED after it. The next order that reaches the venue is the one."""
        self.sim.twin.fail_next_order("no funds")
        order = self.limit(3, "0.20", REFUSED)
        await self.until(lambda: self.sim.ledger.orders(), "the order to be refused at the venue")
        self.after_refusal = order

    async def canceled(self) -> None:
        order = self.limit(20, "0.05", RESTING)
        await self.until(lambda: order.status == OrderStatus.ACCEPTED, "the resting order")
        self.trader.cancel_order(order)
        await self.until(lambda: order.is_closed, "the cancel")

    async def traded(self) -> None:
        crossing = self.order(self.trader.limit(OrderSide.BUY, 100, self.ask + Decimal("0.02")), FILLED)
        spending = self.order(self.trader.market(OrderSide.BUY, 20), SPENT)
        await self.until(lambda: crossing.is_closed and spending.is_closed, "the buys")
        selling = self.order(self.trader.market(OrderSide.SELL, 30), FILLED)
        await self.until(lambda: selling.is_closed, "the market sell")

    async def partly(self) -> None:
        order = self.limit(50, "0.07", PARTLY)
        await self.until(lambda: order.status == OrderStatus.ACCEPTED, "the order to be filled in part")
        at_venue = self.sim.ledger.order(order.venue_order_id.value)
        self.sim.twin.fill(at_venue, 10)
        self.trader.cancel_order(order)  # the fill is in no list yet
        await self.until(lambda: order.is_closed, "its cancel")
        assert order.filled_qty == 10

    async def all(self) -> None:
        await self.refused()
        await asyncio.gather(self.canceled(), self.traded(), self.partly())
        await self.until(lambda: self.after_refusal.is_closed, "the refused order")

    async def failed_cancel(self) -> None:
        """Taken with 2xx, and FAILED after it: the order stays."""
        kept = self.limit(4, "0.09", KEPT)
        await self.until(lambda: kept.status == OrderStatus.ACCEPTED, "the order whose cancel fails")
        self.sim.twin.fail_next_cancel()
        self.trader.cancel_order(kept)
        await self.until(lambda: "OrderCancelRejected" in self.run.names(kept.client_order_id), "the failed cancel")

    def check(self) -> None:
        for order, names in self.told:
            told = [name for name in self.run.names(order.client_order_id) if "Pending" not in name]
            assert list(dict.fromkeys(told[1:])) == names, f"{order}: {told}"
            at_venue = order.venue_order_id  # of a rejected order the framework keeps none
            trades = [] if at_venue is None else self.sim.ledger.fills(at_venue.value)
            assert told.count("OrderFilled") == len(trades)
            for name in set(names) - {"OrderFilled"}:
                assert told.count(name) == 1, f"{order}: {told}"


async def live(update: str, meaning: str, lag_secs: float) -> None:
    options = {
        "history_delay_secs": lag_secs,
        "place_update": update,
        "cancel_update": update,
        "update_meaning": meaning,
        "place_status": 202,
    }
    settle = {"read_settle_secs": lag_secs + 1.0, "read_gap_secs": 0.5, "requests_per_sec": 500}
    async with trading(options, trades_fields=TRADES, **settle) as (sim, run, trader):
        lives = Lives(sim, run, trader, 45.0)
        await lives.all()
        if meaning != "b":  # of a cancel that is not done, executions tell nothing
            await lives.failed_cancel()
        lives.check()
        await books_agree(sim, run)
        posts = [request for request in sim.requests if request.method == "POST"]
        assert len(posts) == len(sim.ledger.orders())  # each was sent once


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(110)
@pytest.mark.parametrize("lag_secs", [0.0, pytest.param(2.5, marks=pytest.mark.soak), 5.0])
@pytest.mark.parametrize("update", ["before", "after", "instead"])
async def test_no_wrong_event_and_the_ledgers_end(update: str, lag_secs: float) -> None:
    await live(update, "c", lag_secs)


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("meaning", ["a", "b"])
@pytest.mark.parametrize("update", ["before", "after", "instead"])
async def test_whatever_an_update_is_about(update: str, meaning: str) -> None:
    """The result of a request, or an execution (protocol 6.1 a and b)."""
    await live(update, meaning, 0.4)
